"""``statera serve``: the web app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from statera.cli.options import QuietFlag
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError, UsageError

if TYPE_CHECKING:
    from statera.web.server.settings import OpenIdSettings, Settings

__all__ = ["HELP", "serve"]

HELP = """
\b
Examples:
  statera serve --open
  statera serve --token-file tokens --new-token anna
  statera serve --data /srv/statera --token-file tokens --host 0.0.0.0
  statera serve --data /srv/statera --audit

Open the web app: drugs, simulation, one patient, plates, fits, evidence, pathways.

Without sign-in it listens on this machine only. Jobs go on when the page is closed, and are taken
up again when the server starts anew.

Research software: not a medical device.
"""

_SECRET = "STATERA_OIDC_SECRET"


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
            help="postgresql://USER@HOST/DATABASE; SQLite in the data folder unless given.",
        ),
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes that answer; as many as processors."),
    ] = None,
    job_workers: Annotated[
        int, typer.Option("--job-workers", min=1, help="Processes that run jobs.")
    ] = 1,
    keep_jobs: Annotated[
        float | None,
        typer.Option(
            "--keep-jobs",
            metavar="DAYS",
            help="Delete jobs that ended so many days ago; unless given, their users do.",
        ),
    ] = None,
    stop_within: Annotated[
        float,
        typer.Option(
            "--stop-within",
            metavar="SECONDS",
            help="What a job that is stopped has to keep what it has found.",
        ),
    ] = 10.0,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="Sign-in by access token: lines name:sha256-of-token."),
    ] = None,
    new_token: Annotated[
        str | None,
        typer.Option(
            "--new-token", metavar="NAME", help="Print a new access token for a user, and end."
        ),
    ] = None,
    oidc_issuer: Annotated[
        str,
        typer.Option(
            "--oidc-issuer",
            metavar="URL",
            envvar="STATERA_OIDC_ISSUER",
            help="Sign-in by OpenID Connect: address of the provider.",
        ),
    ] = "",
    oidc_client: Annotated[
        str,
        typer.Option(
            "--oidc-client", envvar="STATERA_OIDC_CLIENT", help="Id of this server there."
        ),
    ] = "",
    oidc_secret_file: Annotated[
        Path | None,
        typer.Option("--oidc-secret-file", help=f"Its secret; or set {_SECRET}."),
    ] = None,
    oidc_domain: Annotated[
        list[str] | None,
        typer.Option("--oidc-domain", help="E-mail domain that may sign in. May be repeated."),
    ] = None,
    oidc_subject: Annotated[
        list[str] | None,
        typer.Option("--oidc-subject", help="Subject or e-mail that may sign in. May be repeated."),
    ] = None,
    public_url: Annotated[
        str,
        typer.Option(
            "--public-url",
            metavar="URL",
            envvar="STATERA_PUBLIC_URL",
            help="Address that browsers see, where a reverse proxy stands before the server.",
        ),
    ] = "",
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy", help="Address of a proxy on another machine. May be repeated."
        ),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Check and print the audit trail, and end.")
    ] = False,
    quiet: QuietFlag = False,
) -> None:
    """Open the web app."""
    _check_installed()
    folder = data or _default_folder()
    if new_token is not None:
        _print_token(token_file, new_token, quiet=quiet)
        return
    if audit:
        _print_audit(database, folder, quiet=quiet)
        return
    from statera.web.server.serve import serve as run
    from statera.web.server.settings import Settings

    settings = Settings(
        folder=folder,
        database=database,
        host=host,
        port=port,
        workers=workers or os.cpu_count() or 2,
        job_workers=job_workers,
        job_days=_positive(keep_jobs, "--keep-jobs") or 0.0,
        stop_seconds=_positive(stop_within, "--stop-within") or 10.0,
        token_file=token_file,
        open_id=_open_id(
            oidc_issuer, oidc_client, oidc_secret_file, oidc_domain or (), oidc_subject or ()
        ),
        public_url=public_url.rstrip("/"),
        trusted_proxies=tuple(trusted_proxy or ()),
    )
    run(settings, lambda address: _say_started(settings, address, open_page, quiet))


def _check_installed() -> None:
    """Say which package is missing, before anything starts."""
    from importlib.util import find_spec

    for package in ("fastapi", "httpx2", "joserfc", "prometheus_client", "sqlalchemy", "uvicorn"):
        if find_spec(package) is None:
            raise UsageError(
                f"the web app needs the package '{package}', which is not installed",
                where="statera serve",
                hint="Install it with: pip install 'statera[web]'",
            )


def _positive(number: float | None, option: str) -> float | None:
    if number is not None and not 0.0 < number < 1e6:
        raise UsageError(
            f"{number:g} is not a length of time here",
            where=option,
            hint="Write a number above 0; leave it out for the usual.",
        )
    return number


def _default_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "statera"


def _open_id(
    issuer: str,
    client: str,
    secret_file: Path | None,
    domains: list[str] | tuple[str, ...],
    subjects: list[str] | tuple[str, ...],
) -> OpenIdSettings | None:
    from statera.web.server.settings import OpenIdSettings

    if not issuer:
        if client or secret_file or domains or subjects:
            raise UsageError(
                "the other options of OpenID Connect need the provider",
                where="--oidc-issuer",
                hint="Give its address: --oidc-issuer https://HOST",
            )
        return None
    secret = os.environ.get(_SECRET, "")
    if secret_file is not None:
        try:
            secret = secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"cannot read '{secret_file}'",
                where="--oidc-secret-file",
                hint="Name a file that holds the secret and nothing else.",
            ) from error
    return OpenIdSettings(issuer, client, secret, tuple(domains), tuple(subjects))


def _say_started(settings: Settings, address: str, open_page: bool, quiet: bool) -> None:
    from statera.web.server.settings import is_loopback

    words = {
        "none": "No sign-in: only this machine reaches it, and everybody on it is one user.",
        "token": f"Sign-in by access token, from {settings.token_file}.",
        "oidc": f"Sign-in by OpenID Connect, at {settings.open_id and settings.open_id.issuer}.",
    }
    note(f"Open {address}", quiet=quiet)
    for mode in settings.modes:
        note(words[mode], quiet=quiet)
    if not (is_loopback(settings.host) or settings.public_url.startswith("https:")):
        warn(["Nothing is encrypted: let a reverse proxy with https stand before it."])
    base = "the database that was given" if settings.database else "SQLite, there too"
    note(f"Data lie in {settings.folder}; database: {base}. Ctrl-C stops.", quiet=quiet)
    if open_page:
        import webbrowser

        webbrowser.open(address)


def _print_token(path: Path | None, name: str, *, quiet: bool) -> None:
    from statera.web.server.token_file import add_token

    token, line = add_token(path, name)
    typer.echo(token)
    if path is not None:
        note(f"Its hash was added to {path}. The token is shown this once.", quiet=quiet)
    else:
        note(f"Add this line to the file of tokens: {line}", quiet=quiet)


def _print_audit(database: str, folder: Path, *, quiet: bool) -> None:
    from statera.web.server.audit import entries, problems
    from statera.web.server.database import open_database

    if not database and not (folder / "statera-web.sqlite").is_file():
        raise InputError(
            f"there is no database in '{folder}'",
            where="--data",
            hint="Name the data folder of the server, or its --database.",
        )
    engine = open_database(database, folder, as_it_is=True)
    try:
        trail = tuple(entries(engine))
    finally:
        engine.dispose()
    columns = ("number", "time", "user", "action", "subject", "content")
    print_table(columns, [tuple(str(getattr(e, c)) for c in columns) for e in trail])
    found = next(problems(trail), None)
    if found is not None:
        raise InputError(
            f"the audit trail does not hold together: entry {found.number}: {found.sentence}",
            where="--audit",
            hint="Compare with a copy of the database from before.",
        )
    last = trail[-1].hash if trail else "none"
    note(f"The trail holds together: {len(trail)} entries; last hash {last}", quiet=quiet)
