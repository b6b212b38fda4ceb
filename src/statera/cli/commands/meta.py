"""``statera meta``: effects of several studies pooled into one."""

from __future__ import annotations

import typer

from statera.cli.commands import meta_network, meta_pairwise

__all__ = ["meta_app"]

meta_app = typer.Typer(help="Pool the effects of several studies.", rich_markup_mode=None)


@meta_app.callback(invoke_without_command=True)
def _meta(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


meta_app.command("pairwise", help=meta_pairwise.HELP, short_help="Pool, by one comparison.")(
    meta_pairwise.pairwise_command
)
meta_app.command("network", help=meta_network.HELP, short_help="Compare through a network.")(
    meta_network.network_command
)
