"""``statera biomarker associate``: which analytes go with treatment, time or other columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands import biomarker_associate_input as given
from statera.cli.commands import biomarker_associate_output as shown
from statera.cli.commands.biomarker_associate_exposure import exposure_of_options
from statera.cli.commands.biomarker_associate_permutation import permute
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.pairs import read_pairs
from statera.cli.terminal import note, print_table, warn
from statera.errors import UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.biomarker.analysis import Analysis, AnalysisOptions
    from statera.biomarker.permutation import PermutationOptions

__all__ = ["HELP", "associate_command"]

SCHEMA = "statera.biomarker-associate/1"
HELP = """
\b
Examples:
  statera biomarker associate NPX.parquet --formula "treatment * time" --subject subject
  statera biomarker associate NPX.csv --samples samples.csv --formula "treatment * week" \\
    --subject subject --factor week=0,4,12 --pairwise "week | treatment" \\
    --permutations 10000 --out report.html
  statera biomarker associate plex.csv --samples samples.csv --formula treatment \\
    --subject id --change week=0,12 --method ancova --out table.csv
  statera biomarker associate NPX.csv --subjects trial.csv --formula "AUC24 * week" \\
    --subject id --population baricitinib/Decker_2024 --dose-column dose

Test every analyte for the terms of a formula; the baseline of a factor is its first level.

Methods: satterthwaite, kenward-roger (mixed models), limma, linear, ancova, censored; paired,
welch, mann-whitney, signed-rank, kruskal-wallis; pearson, spearman (the first column of the
formula, the others held).

Measurements are Olink NPX (long), SomaScan ADAT, a long table (sample, analyte, value, lod), a wide
table of Luminex or MSD, or an export of xPONENT; values on the linear scale are taken to log2. An
analyte that cannot be tested keeps its row, with the reason as its status.
"""
_ADJUST = {
    "bh": "benjamini-hochberg",
    "by": "benjamini-yekutieli",
    "holm": "holm",
    "bonferroni": "bonferroni",
}


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
    subjects: Annotated[
        Path | None,
        typer.Option("--subjects", metavar="FILE", help="A row a subject: dose, exposure, ..."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="COLUMN", help="Whose sample it is.")
    ] = None,
    method: Annotated[str, typer.Option("--method", help="See above.")] = "satterthwaite",
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="COLUMN=A,B", help="Test the change from visit A to B."),
    ] = None,
    pairwise: Annotated[
        list[str] | None,
        typer.Option(
            "--pairwise", metavar="TERM", help="Compare levels, by Tukey; 'week | arm' within arms."
        ),
    ] = None,
    contrast: Annotated[
        list[str] | None,
        typer.Option(
            "--contrast", metavar="TEXT", help="As 'late = [week=12] - [week=0]'; repeatable."
        ),
    ] = None,
    lod: Annotated[
        str | None,
        typer.Option(
            "--lod", help="keep, flag[:share], exclude[:share], substitute[:half] or censored."
        ),
    ] = None,
    adjust: Annotated[str, typer.Option("--adjust", help="BH, BY, holm or bonferroni.")] = "BH",
    trend: Annotated[
        bool, typer.Option("--trend", help="limma: the prior follows the level of analytes.")
    ] = False,
    robust: Annotated[
        bool, typer.Option("--robust", help="limma: outlying variances are drawn less.")
    ] = False,
    permutations: Annotated[
        int, typer.Option("--permutations", min=0, help="Label permutations; Ctrl-C keeps part.")
    ] = 0,
    permute_within: Annotated[
        str | None,
        typer.Option("--permute-within", metavar="COLUMN", help="Blocks of exchange, as site."),
    ] = None,
    permute_statistic: Annotated[
        str, typer.Option("--permute-statistic", help="null-model, or refit (slow).")
    ] = "null-model",
    seed: Seed = 1,
    factor: Annotated[
        list[str] | None,
        typer.Option(
            "--factor", metavar="NAME[=A,B]", help="A column of levels, baseline first; repeatable."
        ),
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", help="Of a long table: linear (default) or log2.")
    ] = None,
    duplicates: Annotated[
        str, typer.Option("--duplicates", help="Samples named twice: leave-out, mean or refuse.")
    ] = "leave-out",
    annotation: Annotated[
        list[str] | None,
        typer.Option("--annotation", metavar="COLUMN", help="Of a wide table: no analyte."),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option("--population", metavar="MODEL", help="Simulate exposures: a column METRIC."),
    ] = None,
    dose_column: Annotated[
        str | None, typer.Option("--dose-column", metavar="COLUMN", help="In mg, or regimens.")
    ] = None,
    interval: Annotated[
        str, typer.Option("--interval", help="Between doses that are numbers.")
    ] = "24 h",
    population_covariate: Annotated[
        list[str] | None,
        typer.Option(
            "--population-covariate", metavar="NAME=COLUMN", help="Of the model; repeatable."
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option("--metric", help="AUC24, AUCtau, Cavg, Cmax, Ctrough or Cmin.")
    ] = "AUC24",
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
    given.known("rule", duplicates, ("leave-out", "mean", "refuse"), "--duplicates")
    adjustment = given.known("adjustment", adjust.lower(), _ADJUST, "--adjust")
    options = _options(formula, method, _ADJUST[adjustment], change, pairwise, contrast, trend,
                       robust)  # fmt: skip
    chosen = given.policy(lod, method)
    permutation = _permutation(options, permutations, permute_statistic, seed, permute_within)
    exposure = exposure_of_options(
        population, dose_column, interval,
        read_pairs(population_covariate, "--population-covariate", "WT=weight"), metric,
    )  # fmt: skip
    source = given.Source(measurements, samples, subjects, subject, scale, duplicates,
                          tuple(annotation or ()), exposure)  # fmt: skip
    reading = given.read(source, *_columns(options, factor, permute_within), chosen)
    found = _analysed(reading, options, permutation, permute_within, quiet)
    made = manifest(
        {p.name: p.read_bytes() for p in source.files},
        format=reading.kind, formula=formula, method=method, adjustment=options.adjustment,
        lod=chosen.name, subject=subject, factors=list(factor or []), change=change,
        pairwise=list(options.pairwise), contrasts=list(options.contrasts), trend=trend,
        robust=robust, permutations=found.permuted.permutations if found.permuted else 0,
        permute_within=permute_within, permute_statistic=permute_statistic, seed=seed,
        duplicates=duplicates, population=population, dose_column=dose_column,
        metric=metric if population else None,
    )  # fmt: skip
    _deliver(found, reading, made, out or [], as_json, quiet)


def _options(
    formula: str, method: str, adjustment: str, change: str | None, pairwise: list[str] | None,
    contrast: list[str] | None, trend: bool, robust: bool,
) -> AnalysisOptions:  # fmt: skip
    from statera.biomarker.analysis import AnalysisOptions  # heavy: only when run

    visits = given.change_of_text(change)
    with concerning("--method"):
        return AnalysisOptions(
            formula, method, adjustment, change=visits, pairwise=tuple(pairwise or ()),
            contrasts=tuple(contrast or ()), trend=trend, robust=robust,
        )  # fmt: skip


def _permutation(
    options: AnalysisOptions, count: int, statistic: str, seed: int, block: str | None
) -> PermutationOptions | None:
    """Return how labels are permuted; refused before anything is read where it cannot be."""
    from statera.biomarker.permutation import PermutationOptions  # heavy: only when run
    from statera.biomarker.permuted_analysis import PERMUTED

    if not count:
        if block is not None:
            raise UsageError("blocks belong to permutations", where="--permute-within",
                             hint="Give --permutations 10000.")  # fmt: skip
        return None
    if options.method not in PERMUTED:
        raise UsageError(
            f"labels are not permuted for {options.method}",
            where="--permutations",
            hint=f"Permutation goes with {', '.join(PERMUTED)}.",
        )
    with concerning("--permute-statistic"):
        return PermutationOptions(
            count, statistic, seed, batch=32 if statistic == "null-model" else 1
        )


def _columns(
    options: AnalysisOptions, factor: list[str] | None, block: str | None
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the columns that are needed and those that are factors."""
    from statera.biomarker.analysis import formula_columns  # heavy: only when run

    with concerning("--formula"):
        names = formula_columns(options.formula)
    factors = given.factors_of_texts(factor)
    if options.change is not None:
        factors.setdefault(options.change[0], ())
        names = (*names, options.change[0])
    return (*names, *([block] if block else [])), factors


def _analysed(
    reading: given.Reading, options: AnalysisOptions, permutation: PermutationOptions | None,
    block: str | None, quiet: bool,
) -> Analysis:  # fmt: skip
    from statera.biomarker.analysis import analyse  # heavy: only when run

    with concerning("--formula"):
        found = analyse(reading.used, options)
    if permutation is None:
        return found
    with concerning("--permutations"):
        permuted = permute(reading.used, options, permutation, block, quiet=quiet)
    return replace(found, permuted=permuted)


def _warnings(found: Analysis, reading: given.Reading) -> tuple[str, ...]:
    said = list(reading.warnings)
    untested = sum(
        not any(t.p_value[i] == t.p_value[i] for t in found.terms)
        for i in range(len(found.analytes))
    )
    if untested:
        said.append(
            f"{untested} of {len(found.analytes)} analytes could not be tested; see their status."
        )
    done = found.permuted
    if done is not None and not done.complete:
        said.append(
            f"Permutations were stopped after {done.permutations} of {done.requested}; their "
            "p-values are of those done."
        )
    return tuple(said)


def _deliver(
    found: Analysis, reading: given.Reading, made: dict[str, Any], out: list[Path], as_json: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Write the files and print the result."""
    used = reading.used
    rows = shown.term_rows(found, used, reading.policy)
    compared = shown.contrast_rows(found, used)
    for path in out:
        table = path.suffix.lower() == ".csv"
        content = (
            shown.csv_of_rows([*rows, *compared])
            if table
            else shown.page(found, used, made, reading.policy)
        )
        write_bytes_atomically(path, content)
    permuted = found.permuted.notes if found.permuted else ()
    notes = (*used.measurements.notes, *used.notes, *found.notes, *permuted)
    warnings = _warnings(found, reading)
    meaning = shown.meanings(found)
    if as_json:
        result = {
            "format": reading.kind, "rows": rows, "contrasts": compared, "notes": notes,
            "meaning": meaning, "lod_policy": shown.lod_result(reading.policy),
            "permutation": shown.permutation_result(found),
        }  # fmt: skip
        typer.echo(Envelope(SCHEMA, result, warnings, made).to_json(), nl=False)
        return
    _print(rows, compared, found.permuted is not None)
    warn(warnings)
    for sentence in (*meaning, *notes):
        note(sentence, quiet=quiet)
    if len(rows) > shown.TOP:
        note(f"The {shown.TOP} smallest p-values of {len(rows)} rows; --out writes all.",
             quiet=quiet)  # fmt: skip
    for path in out:
        note(f"written to {path}", quiet=quiet)


def _print(rows: list[dict[str, Any]], compared: list[dict[str, Any]], permuted: bool) -> None:
    names = [*shown.SHOWN]
    if permuted:
        names[-1:-1] = ["p_permutation", "p_family_wise"]
    print_table(names, [[shown.cell(row[name]) for name in names] for row in shown.top(rows)])
    if compared:
        names = ["analyte", "name", "term", "contrast", *shown.SHOWN[3:]]
        print_table(
            names, [[shown.cell(row[name]) for name in names] for row in shown.top(compared)]
        )
