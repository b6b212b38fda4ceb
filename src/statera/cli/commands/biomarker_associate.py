"""``statera biomarker associate``: which analytes go with treatment, time or other columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, print_table, warn
from statera.errors import UnknownNameError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.biomarker.analysis import Analysis
    from statera.biomarker.lod import LodPolicy
    from statera.biomarker.sample_table import SampleColumns

__all__ = ["HELP", "associate_command"]

SCHEMA = "statera.biomarker-associate/1"
HELP = """
\b
Examples:
  statera biomarker associate NPX.parquet --formula "treatment * time" --subject subject
  statera biomarker associate NPX.csv --samples samples.csv --formula "treatment * week" \\
    --subject subject --factor week=0,4,12 --method kenward-roger --out report.html
  statera biomarker associate long.csv --samples samples.csv --formula visit --subject id \\
    --method paired --lod exclude:0.5 --out table.csv

Test every analyte for the terms of a formula; the baseline of a factor is its first level.

Measurements are Olink NPX (long), SomaScan ADAT or a long table (sample, analyte, value, lod);
values on the linear scale are taken to log2. An analyte that cannot be tested keeps its row, with
the reason as its status.
"""
_ADJUST = {
    "bh": "benjamini-hochberg",
    "by": "benjamini-yekutieli",
    "holm": "holm",
    "bonferroni": "bonferroni",
}
_HEADING = (
    "analyte", "name", "term", "estimate", "low", "high", "statistic", "numerator_df", "df",
    "p_value", "adjusted_p", "n", "status",
)  # fmt: skip
_SHOWN = ("analyte", "name", "term", "estimate", "low", "high", "p_value", "adjusted_p", "status")
_TOP = 20


def associate_command(
    measurements: Annotated[
        Path, typer.Argument(metavar="FILE", help="Measurements: .csv, .tsv, .parquet or .adat.")
    ],
    *,
    formula: Annotated[
        str, typer.Option("--formula", help="Terms joined by +, * and :, as treatment * time.")
    ],
    samples: Annotated[
        Path | None,
        typer.Option("--samples", metavar="FILE", help="A row a sample: sample and its columns."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="COLUMN", help="Whose sample it is.")
    ] = None,
    method: Annotated[
        str,
        typer.Option("--method", help="satterthwaite, kenward-roger, limma, paired or welch."),
    ] = "satterthwaite",
    lod: Annotated[
        str,
        typer.Option("--lod", help="keep, flag[:share], exclude[:share], substitute[:half]."),
    ] = "keep",
    adjust: Annotated[str, typer.Option("--adjust", help="BH, BY, holm or bonferroni.")] = "BH",
    factor: Annotated[
        list[str] | None,
        typer.Option(
            "--factor", metavar="NAME[=A,B]", help="A column of levels, baseline first; repeatable."
        ),
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", help="Of a long table: linear (default) or log2.")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", metavar="FILE", help="report.html or table.csv; repeatable."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Test every analyte for the terms of a formula."""
    for path in out or []:
        check_target(path, (".html", ".csv"))
    from statera.biomarker.analysis import AnalysisOptions, analyse, formula_columns  # heavy

    adjustment = _known("adjustment", adjust.lower(), _ADJUST, "--adjust")
    policy = _policy(lod)
    with concerning("--method"):
        options = AnalysisOptions(formula, method, _ADJUST[adjustment])
    with concerning("--formula"):
        names = formula_columns(formula)
    used, kind = _read(measurements, samples, scale, policy, names, subject, _factors(factor))
    with concerning("--formula"):
        found = analyse(used, options)
    inputs = {p.name: p.read_bytes() for p in (measurements, samples) if p is not None}
    made = manifest(
        inputs, format=kind, formula=formula, method=method, adjustment=options.adjustment,
        lod=lod, subject=subject, factors=list(factor or []),
    )  # fmt: skip
    rows = _rows(found, used)
    for path in out or []:
        content = _csv(rows) if path.suffix.lower() == ".csv" else _page(found, used, made)
        write_bytes_atomically(path, content)
    notes = (*used.measurements.notes, *used.notes, *found.notes)
    untested = sum(not any(t.p_value[i] == t.p_value[i] for t in found.terms)
                   for i in range(len(found.analytes)))  # fmt: skip
    warnings = (
        (f"{untested} of {len(found.analytes)} analytes could not be tested; see their status.",)
        if untested
        else ()
    )
    if as_json:
        result = {"format": kind, "rows": rows, "notes": notes, "meaning": _meaning(found)}
        typer.echo(Envelope(SCHEMA, result, warnings, made).to_json(), nl=False)
        return
    print_table(_SHOWN, [[_cell(row[name]) for name in _SHOWN] for row in _top(rows)])
    warn(warnings)
    for sentence in (*_meaning(found), *notes):
        note(sentence, quiet=quiet)
    if len(rows) > _TOP:
        note(f"The {_TOP} smallest p-values of {len(rows)} rows; --out writes all.", quiet=quiet)
    for path in out or []:
        note(f"written to {path}", quiet=quiet)


def _known(kind: str, word: str, known: Any, where: str) -> str:
    if word not in known:
        raise UnknownNameError(kind, word, tuple(known), where=where)
    return word


def _read(
    measurements: Path, samples: Path | None, scale: Any, policy: LodPolicy,
    names: tuple[str, ...], subject: str | None, factors: dict[str, tuple[str, ...]],
) -> tuple[SampleColumns, str]:  # fmt: skip
    """Return the samples that are analysed, on log2 and after the policy."""
    from statera.biomarker.lod import apply_lod_policy  # heavy: only when run
    from statera.biomarker.read_measurements import on_log2, read_measurements
    from statera.biomarker.sample_table import join_samples, read_samples, sample_columns

    if scale is not None:
        _known("scale", scale, ("linear", "log2"), "--scale")
    found, kind = read_measurements(measurements, scale)
    if samples is not None:
        found = join_samples(found, read_samples(samples))
    with concerning("--formula, --subject or --factor"):
        used = sample_columns(found, names, subject, factors)
    # The policy counts shares in the samples that are analysed.
    after = apply_lod_policy(used.measurements, policy)
    from dataclasses import replace

    return replace(used, measurements=on_log2(after.measurements)), kind


def _policy(text: str) -> LodPolicy:
    from statera.biomarker.lod import LodPolicy  # heavy: only when run

    name, _, rest = text.partition(":")
    if name == "censored":
        raise UsageError(
            "no method here takes censored values",
            where="--lod",
            hint="Use keep, flag, exclude or substitute.",
        )
    word: Any = name
    given: dict[str, Any] = {}
    if rest and name == "substitute":
        given["replacement"] = rest
    elif rest and name in ("flag", "exclude"):
        try:
            given["largest_share"] = float(rest)
        except ValueError:
            raise UsageError(
                f"'{rest}' is not a share", where="--lod", hint="Write exclude:0.5."
            ) from None
    elif rest:
        raise UsageError(f"'{name}' takes nothing after it", where="--lod")
    with concerning("--lod"):
        return LodPolicy(word, **given)


def _factors(texts: list[str] | None) -> dict[str, tuple[str, ...]]:
    found = {}
    for text in texts or []:
        name, sign, levels = text.partition("=")
        named = tuple(level.strip() for level in levels.split(",") if level.strip())
        if not name.strip() or (sign and len(named) < 2) or len(set(named)) < len(named):
            raise UsageError(
                f"'{text}' names no factor",
                where="--factor",
                hint="Write week, or week=0,4,12 with the baseline first.",
            )
        found[name.strip()] = named
    return found


def _rows(found: Analysis, used: SampleColumns) -> list[dict[str, Any]]:
    names = _names(used)
    return [
        {
            "analyte": analyte,
            "name": names[i],
            "term": t.term,
            "estimate": float(t.estimate[i]),
            "low": float(t.low[i]),
            "high": float(t.high[i]),
            "statistic": float(t.statistic[i]),
            "numerator_df": t.numerator_df,
            "df": float(t.df[i]),
            "p_value": float(t.p_value[i]),
            "adjusted_p": float(t.adjusted_p[i]),
            "n": int(found.n[i]),
            "status": found.status[i],
        }
        for i, analyte in enumerate(found.analytes)
        for t in found.terms
    ]


def _names(used: SampleColumns) -> list[str]:
    """Return the names that people know, where the file has them."""
    table = used.measurements.analytes
    column = next((c for c in ("Assay", "Target", "name") if c in table.columns), "analyte")
    return [str(x) for x in table[column].to_list()]


def _page(found: Analysis, used: SampleColumns, made: dict[str, Any]) -> bytes:
    from statera.biomarker_report.build import build_biomarker_report  # heavy: only when asked
    from statera.report import render_html

    return render_html(build_biomarker_report(found, used, _names(used), made=made)).encode()


def _top(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    nan_last = sorted(rows, key=lambda r: (r["p_value"] != r["p_value"], r["p_value"]))
    return nan_last[:_TOP]


def _meaning(found: Analysis) -> tuple[str, ...]:
    """Return what the estimates of each term are."""
    return tuple(
        f"{t.term}: {t.meaning} (log2)."
        if t.meaning
        else f"{t.term}: {t.numerator_df} degrees of freedom, so no one estimate."
        for t in found.terms
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"  # noqa: PLR0124  NaN
    return str(value)


def _csv(rows: list[dict[str, Any]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEADING)
    for row in rows:
        writer.writerow(["" if row[n] != row[n] else row[n] for n in _HEADING])
    return stream.getvalue().encode()
