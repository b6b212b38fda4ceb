"""``statera serve``: the web app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from statera.cli.options import QuietFlag
from statera.cli.terminal import note
from statera.errors import UsageError

__all__ = ["HELP", "serve"]

HELP = """
\b
Examples:
  statera serve --open
  statera serve --data /srv/statera --new-token anna --token-file /srv/statera/tokens
  statera serve --data /srv/statera --token-file /srv/statera/tokens --host 0.0.0.0

Open the web app: drugs, simulation, one patient, plates, fits, evidence, pathways.

Without sign-in it listens on this machine only. Jobs go on when the page is closed, and are taken
up again when the server starts anew.

Research software: not a medical device.
"""


def serve(
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")
    ] = 8321,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", envvar="STATERA_DATA", help="Folder of uploads, jobs and the database."
        ),
    ] = None,
    database: Annotated[
        str,
        typer.Option(
            "--database",
            metavar="URL",
            envvar="STATERA_WEB_DATABASE",
            help="postgresql+psycopg://USER@HOST/DATABASE; SQLite in the data folder unless given.",
        ),
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes that answer; as many as processors."),
    ] = None,
    job_workers: Annotated[
        int, typer.Option("--job-workers", min=1, help="Processes that run jobs.")
    ] = 1,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
    quiet: QuietFlag = False,
) -> None:
    """Open the web app."""
    server, settings = _parts()
    folder = data or _default_folder()
    found = settings.Settings(
        folder=folder,
        database=database,
        host=host,
        port=port,
        workers=workers or os.cpu_count() or 2,
        job_workers=job_workers,
    )

    def started(address: str) -> None:
        note(f"Open {address}", quiet=quiet)
        note("No sign-in: only this machine reaches it, and all its users are one.", quiet=quiet)
        note(f"Data lie in {folder}. Stop with Ctrl-C.", quiet=quiet)
        if open_page:
            import webbrowser

            webbrowser.open(address)

    server.serve(found, started)


def _parts() -> tuple[Any, Any]:
    try:
        from statera.web.server import serve as server
        from statera.web.server import settings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("statera"):
            raise
        raise UsageError(
            f"the web app needs the package '{error.name}', which is not installed",
            where="statera serve",
            hint="Install it with: pip install 'statera[web]'",
        ) from error
    return server, settings


def _default_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "statera"
