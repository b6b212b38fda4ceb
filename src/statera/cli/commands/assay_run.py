"""``statera assay run``: from the files of a plate to IC50s."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Workers
from statera.cli.output import check_folder
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, print_table, warn

if TYPE_CHECKING:
    from statera.plate.result import PlateResult

__all__ = ["HELP", "run"]

HELP = """
\b
Examples:
  statera assay run plate.toml --out results
  statera assay run plate.toml --json > plate.json
  statera monograph baricitinib --potency results/potency.toml

Analyse a plate: FCS files to gates, statistics, dose-response curves and IC50s.

The folder gets report.html, tables (ic50.csv, statistics.csv, wells.csv, points.csv), the gates as
Gating-ML and potency.toml. What cannot be analysed is named, and the rest is.
"""
_MOST = 12


def run(
    settings: Annotated[
        Path, typer.Argument(metavar="PLATE.toml", help="What to analyse: see the docs.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the results.")
    ] = None,
    as_json: JsonFlag = False,
    workers: Workers = None,
    quiet: QuietFlag = False,
) -> None:
    """Analyse a plate: FCS files to gates, statistics, dose-response curves and IC50s."""
    if out is not None:
        check_folder(out)
    from statera.parallel import available_workers
    from statera.plate.analyse import analyse_plate
    from statera.plate.result_dict import SCHEMA, result_to_dict

    with progress_bar(quiet=quiet) as progress:
        result = analyse_plate(settings, workers=workers or available_workers(), progress=progress)
    warnings = tuple(f"{p.where}: {p.sentence}" for p in result.problems)
    if out is not None:
        _write(result, out)
    if as_json:
        envelope = Envelope(SCHEMA, result_to_dict(result), warnings, result.manifest)
        typer.echo(envelope.to_json(), nl=False)
        return
    print_table(_heading(), _lines(result))
    more = len(warnings) - _MOST
    warn(
        [*warnings[:_MOST], *([f"{more} further problems stand in the report"] if more > 0 else [])]
    )
    if out is not None:
        note(f"{result.settings.name}: written to {out}", quiet=quiet)


def _heading() -> list[str]:
    return ["Donor", "Cytokine", "Population", "Readout", "IC50, nM", "Hill", "Remarks"]


def _lines(result: PlateResult) -> list[list[Any]]:
    lines: list[list[Any]] = []
    for c in result.curves:
        refused = c.ic50.determination.value == "refused"
        lines.append(
            [
                c.donor,
                c.cytokine,
                c.population,
                c.readout,
                c.ic50.sentence,
                "" if refused else f"{c.ic50.hill:.2f}",
                "" if refused else "; ".join(f.value for f in c.ic50.flags),
            ]
        )
    return lines


def _write(result: PlateResult, folder: Path) -> None:
    from statera.plate.write_results import write_results
    from statera.plate_report.build import build_plate_report
    from statera.report import render_html, write_text_atomically

    write_results(result, folder)
    write_text_atomically(folder / "report.html", render_html(build_plate_report(result)))
