"""``statera pathway``: reaction networks simulated, fitted and profiled."""

from __future__ import annotations

import typer

from statera.cli.commands import pathway_fit, pathway_profile, pathway_simulate

__all__ = ["pathway_app"]

pathway_app = typer.Typer(
    help="Simulate JAK-STAT pathways (SBML) with a drug, and fit them to data (PEtab).",
    rich_markup_mode=None,
)


@pathway_app.callback(invoke_without_command=True)
def _pathway(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


pathway_app.command(
    "simulate", help=pathway_simulate.HELP, short_help="Simulate a network, alone or with a drug."
)(pathway_simulate.simulate_command)
pathway_app.command("fit", help=pathway_fit.HELP, short_help="Fit a network to its data.")(
    pathway_fit.fit_command
)
pathway_app.command(
    "profile", help=pathway_profile.HELP, short_help="Trace profile likelihoods of a fit."
)(pathway_profile.profile_command)
