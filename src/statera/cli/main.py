"""The command ``statera``."""

from __future__ import annotations

from typing import Annotated

import typer

from statera.cli.commands import dose, fit, forecast, monograph, renal, serve, simulate
from statera.cli.commands.assay import assay_app
from statera.cli.commands.biomarker import biomarker_app
from statera.cli.commands.fhir import fhir_app
from statera.cli.commands.library import library_app
from statera.cli.commands.meta import meta_app
from statera.cli.commands.pathway import pathway_app
from statera.cli.commands.store import store_app
from statera.cli.group import GuardedGroup
from statera.cli.terminal import survive_any_encoding
from statera.manifest import VERSION

__all__ = ["app", "run"]

_HELP = """
\b
Examples:
  statera monograph baricitinib --out baricitinib.html
  statera library list
  statera library show baricitinib --section potency
  statera simulate baricitinib/Decker_2024 --dose "4 mg q24h x14"
  statera fit model.toml data.csv --out report.html
  statera forecast visit.toml --out advice.html
  statera assay plan --out bench/
  statera meta pairwise studies.csv --measure HR --ci hartung-knapp
  statera pathway fit problem.yaml --starts 20 --out fit.html
  statera serve --open

Quantitative pharmacology of JAK inhibitors: cited facts, population models, target engagement
and one computed page a drug.

Research software: not a medical device.
"""
_EPILOG = (
    "Exit codes: 0 done, 1 bug, 2 usage, 3 invalid input, 4 numerical failure, "
    "5 outside the domain of a model or label, 130 interrupted."
)

app = typer.Typer(
    cls=GuardedGroup,
    name="statera",
    help=_HELP,
    epilog=_EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("monograph", help=monograph.HELP, short_help="Compute the page of a drug.")(
    monograph.monograph
)
app.command("simulate", help=simulate.HELP, short_help="Simulate a population.")(simulate.simulate)
app.command("fit", help=fit.HELP, short_help="Fit a population model to data.")(fit.fit)
app.command("forecast", help=forecast.HELP, short_help="Forecast one patient, and search a dose.")(
    forecast.forecast
)
app.command("dose", help=dose.HELP, short_help="Say what label rules give for one person.")(
    dose.dose
)
app.command("renal", help=renal.HELP, short_help="Estimate one person's renal function.")(
    renal.renal
)
app.command("serve", help=serve.HELP, short_help="Open the web app.")(serve.serve)
app.add_typer(library_app, name="library")
app.add_typer(store_app, name="store")
app.add_typer(fhir_app, name="fhir")
app.add_typer(assay_app, name="assay")
app.add_typer(meta_app, name="meta")
app.add_typer(biomarker_app, name="biomarker")
app.add_typer(pathway_app, name="pathway")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"statera {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run() -> None:
    """Entry point of the command ``statera``."""
    survive_any_encoding()
    app()
