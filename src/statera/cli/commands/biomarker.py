"""``statera biomarker``: clinical response indices of a table; associations of analytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands import (
    biomarker_associate,
    biomarker_exposure_response,
    biomarker_predict,
)
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.pairs import read_pairs
from statera.cli.terminal import note, print_table, warn
from statera.errors import UnknownNameError, UsageError
from statera.manifest import manifest
from statera.plain import plain

if TYPE_CHECKING:
    from statera.biomarker.index_catalogue import IndexOptions
    from statera.biomarker.index_table import IndexTable

__all__ = ["biomarker_app"]

SCHEMA = "statera.biomarker-indices/1"
_INDICES_HELP = """
\b
Examples:
  statera biomarker indices visits.csv --index das28-crp --column gh=GLOBAL
  statera biomarker indices visits.csv --index jadas27-esr --course poly
  statera biomarker indices trial.csv --index acr --missing non-responder --out acr.csv
  statera biomarker indices --list

Compute a clinical index for each row of a table. Responses (acr, jia-acr, eular, sri4) take two
columns an entry: tjc_baseline and tjc. A row whose values are impossible is refused with its
reason; the other rows are computed.
"""

biomarker_app = typer.Typer(
    help="Clinical response indices; associations of analytes; prediction of response.",
    rich_markup_mode=None,
)


@biomarker_app.callback(invoke_without_command=True)
def _biomarker(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@biomarker_app.command(
    "indices", help=_INDICES_HELP, short_help="DAS28, ACR, JIA-ACR, JADAS, SALT, EASI, SLEDAI."
)
def indices(
    table: Annotated[
        Path | None, typer.Argument(metavar="TABLE.csv", help="One row a visit or a subject.")
    ] = None,
    *,
    index: Annotated[str | None, typer.Option("--index", help="Name; see --list.")] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the indices and the columns they take.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="ENTRY=NAME", help="Your name of a column; repeatable."),
    ] = None,
    cutoffs: Annotated[
        str | None,
        typer.Option("--cutoffs", help="Cut-offs: esr, crp-proposed; consolaro-2012, ..."),
    ] = None,
    course: Annotated[
        str | None, typer.Option("--course", help="oligo or poly: states of JADAS.")
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option("--missing", help="not-improved, non-responder or undetermined."),
    ] = None,
    worsening: Annotated[
        str, typer.Option("--worsening", help="JIA-ACR limit of worsening: fixed-30 or scaled.")
    ] = "fixed-30",
    at_limit: Annotated[
        str, typer.Option("--at-limit", help="JIA-ACR exactly at it: not-worse or worse.")
    ] = "not-worse",
    crp_unit: Annotated[str, typer.Option("--crp-unit", help="mg/L or mg/dL.")] = "mg/L",
    gh_scale: Annotated[float, typer.Option("--gh-scale", help="End of general health.")] = 100.0,
    pga_scale: Annotated[
        float, typer.Option("--pga-scale", help="End of the physician's assessment in SRI.")
    ] = 3.0,
    absent_as_zero: Annotated[
        bool, typer.Option("--absent-as-zero", help="SLEDAI items without a column are 0.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.csv", help="Write the results.")
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Compute a clinical index for each row of a table."""
    if listed:
        _list(as_json=as_json)
        return
    if table is None or index is None:
        raise UsageError(
            "a table and the name of an index are needed",
            where="--index" if index is None else "TABLE.csv",
            hint="statera biomarker indices visits.csv --index das28-crp; --list names all.",
        )
    if out is not None:
        check_target(out, (".csv",))
    from statera.biomarker.index_table import index_of_table, read_index_table  # heavy

    options = _options(
        cutoffs, course, missing, worsening, at_limit, crp_unit, gh_scale, pga_scale,
        absent_as_zero,
    )  # fmt: skip
    renamed = read_pairs(column, "--column", "tjc=TENDER")
    content = read_index_table(table)
    with concerning("--index"):
        found = index_of_table(content, index, renamed, options)
    made = manifest({table.name: table.read_bytes()}, index=found.index)
    refused = sum(s.startswith("refused") for s in found.status)
    warnings = (f"{refused} of {len(found)} rows were refused.",) if refused else ()
    names, rows = _rows(content, found)
    if out is not None:
        write_bytes_atomically(out, _csv(names, rows))
    if as_json:
        result = plain(found)
        typer.echo(Envelope(SCHEMA, result, warnings, made).to_json(), nl=False)
        return
    if out is None:
        print_table(names, rows)
    warn(warnings)
    for sentence in found.notes:
        note(sentence, quiet=quiet)
    if out is not None:
        note(f"{found.title} of {len(found)} rows written to {out}", quiet=quiet)


def _options(
    cutoffs: str | None,
    course: str | None,
    missing: str | None,
    worsening: Any,
    at_limit: Any,
    crp_unit: Any,
    gh_scale: float,
    pga_scale: float,
    absent_as_zero: bool,
) -> IndexOptions:
    """Return the options; each word is checked before the table is read."""
    from statera.biomarker.core_sets import MISSING_RULES  # heavy: only when run
    from statera.biomarker.index_catalogue import IndexOptions
    from statera.biomarker.jia_acr import JiaAcrOptions

    rule: Any = missing
    path: Any = course
    for kind, word, known, where in (
        ("rule for missing components", missing, tuple(MISSING_RULES), "--missing"),
        ("course", course, ("oligo", "poly"), "--course"),
        ("unit of CRP", crp_unit, ("mg/L", "mg/dL"), "--crp-unit"),
    ):
        if word is not None and word not in known:
            raise UnknownNameError(kind, word, known, where=where)
    for scale, where in ((gh_scale, "--gh-scale"), (pga_scale, "--pga-scale")):
        if not 0.0 < scale < float("inf"):
            raise UsageError(f"a scale cannot end at {scale:g}", where=where)
    jia = JiaAcrOptions(worsening, at_limit, missing=rule or "not-improved")
    return IndexOptions(cutoffs, path, rule, jia, crp_unit, gh_scale, pga_scale, absent_as_zero)


def _rows(content: dict[str, list[str]], found: IndexTable) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows: what tells rows apart in the table, the results, the status."""
    labels = [n for n in content if n.strip().lower() in _LABELS]
    names = [*labels, *found.results, "status"] if labels else ["row", *found.results, "status"]
    rows = []
    for i, status in enumerate(found.status):
        head = [content[n][i] for n in labels] if labels else [str(i + 1)]
        rows.append([*head, *(_cell(values[i]) for values in found.results.values()), status])
    return names, rows


_LABELS = frozenset({"id", "subject", "subjid", "usubjid", "patient", "visit", "week", "time"})


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return "" if value != value else f"{float(value):.10g}"  # noqa: PLR0124  NaN


def _csv(names: list[str], rows: list[list[str]]) -> bytes:
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([names, *rows])
    return stream.getvalue().encode()


def _list(*, as_json: bool) -> None:
    from statera.biomarker.index_catalogue import INDICES, IndexOptions  # heavy: only when run

    if as_json:
        every = [
            {"index": one.name, "title": one.title, "columns": list(one.ranges(IndexOptions())),
             "may_be_absent": sorted(one.optional)}
            for one in INDICES.values()
        ]  # fmt: skip
        typer.echo(Envelope(SCHEMA, {"indices": every}, (), manifest({})).to_json(), nl=False)
        return
    rows = []
    for one in INDICES.values():
        columns = [
            f"[{name}]" if name in one.optional else name for name in one.ranges(IndexOptions())
        ]
        rows.append((one.name, one.title, " ".join(columns)))
    print_table(("index", "what", "columns ([may be absent])"), rows)


biomarker_app.command(
    "associate", help=biomarker_associate.HELP, short_help="Analytes by treatment, time, ..."
)(biomarker_associate.associate_command)
biomarker_app.command(
    "exposure-response",
    help=biomarker_exposure_response.HELP,
    short_help="Response, grade or time by exposure.",
)(biomarker_exposure_response.exposure_response)
biomarker_app.command(
    "predict", help=biomarker_predict.HELP, short_help="Who responds, from markers."
)(biomarker_predict.predict_command)
