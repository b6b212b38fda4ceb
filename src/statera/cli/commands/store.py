"""``statera store``: requests and results that were kept, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.terminal import note, print_table
from statera.errors import InputError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.store import Store

__all__ = ["Actor", "StoreAddress", "opened", "store_app"]

_LIST_HELP = """
\b
Examples:
  statera store list --store sqlite:///clinic.db
  statera store list --patient P1

List the requests that are kept, oldest first.
"""

_SHOW_HELP = """
\b
Examples:
  statera store show 3f2a91 --json

Show a request and its results by the first characters of its hash.
"""

_RERUN_HELP = """
\b
Examples:
  statera store rerun 3f2a91

Answer a kept request again, and say whether the answer is the same to the last bit.
"""

_CHECK_HELP = """
\b
Examples:
  statera store check

Check that no document and no entry of the audit trail was changed or is missing.
"""

_AUDIT_HELP = """
\b
Examples:
  statera store audit

Print the audit trail: who stored, ran again or erased what, and when.
"""

_ERASE_HELP = """
\b
Examples:
  statera store erase P1 --yes

Erase a patient with all requests and results. The audit trail keeps hashes, and says so.
"""

StoreAddress = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="STATERA_STORE",
        help="Database: sqlite:///FILE, or postgresql://USER@HOST/DATABASE.",
    ),
]
Actor = Annotated[
    str, typer.Option("--actor", envvar="STATERA_ACTOR", help="Who asks, for the audit trail.")
]
_Key = Annotated[str, typer.Argument(metavar="HASH", help="First characters of a request's hash.")]

store_app = typer.Typer(help="List, show and check what was kept.", rich_markup_mode=None)


@store_app.callback(invoke_without_command=True)
def _store(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """Open the store behind an address, and close it.

    Raises
    ------
    UsageError
        If the packages that it needs are not installed.
    """
    try:
        from statera.store import open_store  # an extra, and heavy
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the store needs the package '{error.name}', which is not installed",
            where="--store",
            hint="Install it with: pip install 'statera[store]'",
        ) from error
    with concerning("--store"):
        found = open_store(url)
    try:
        yield found
    finally:
        found.close()


DEFAULT = "sqlite:///statera.db"


@store_app.command("list", help=_LIST_HELP, short_help="List the requests that are kept.")
def list_store(
    store: StoreAddress = DEFAULT,
    patient: Annotated[
        str | None, typer.Option("--patient", help="Only the requests of this patient.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the requests that are kept, oldest first."""
    with opened(store) as kept:
        rows = [
            {
                "hash": r.hash,
                "patient": r.patient_id,
                "request": r.label,
                "created": r.created,
                "results": len(kept.results(r.hash)),
            }
            for r in kept.requests(patient)
        ]
    if as_json:
        _print_json("list", rows)
        return
    columns = ("hash", "patient", "request", "created", "results")
    print_table(
        columns, [(_short(str(r["hash"])), *(str(r[c]) for c in columns[1:])) for r in rows]
    )


@store_app.command("show", help=_SHOW_HELP, short_help="Show a request and its results.")
def show(request: _Key, store: StoreAddress = DEFAULT, as_json: JsonFlag = False) -> None:
    """Show a request and its results."""
    with opened(store) as kept:
        found = kept.request(request)
        results = kept.results(found.hash)
    if as_json:
        _print_json("show", {"request": found, "results": results})
        return
    rows = [("request", _short(found.hash), found.created, found.label)]
    rows += [("result", _short(r.hash), r.created, f"number {r.id}") for r in results]
    print_table(("kind", "hash", "created", "about"), rows)


@store_app.command("rerun", help=_RERUN_HELP, short_help="Answer a kept request again.")
def rerun_request(
    request: _Key,
    store: StoreAddress = DEFAULT,
    actor: Actor = "",
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Answer a kept request again, and say whether the answer is the same to the last bit."""
    from statera.cli.commands.forecast import answer  # it imports this module

    with opened(store) as kept:
        from statera.store import rerun  # an extra, and heavy

        again = rerun(kept, request, lambda asked: answer(asked)[0], actor=actor)
    if as_json:
        found = {"identical": again.identical, "hash": again.hash, "result": again.result}
        _print_json("rerun", found)
        return
    if not again.earlier:
        typer.echo("no earlier result to compare with")
    else:
        typer.echo("identical" if again.identical else "different")
        note(f"Compared with the result of {again.earlier[-1].created}.", quiet=quiet)


@store_app.command("check", help=_CHECK_HELP, short_help="Check that nothing was changed.")
def check(
    store: StoreAddress = DEFAULT, as_json: JsonFlag = False, quiet: QuietFlag = False
) -> None:
    """Check that no document and no entry of the audit trail was changed or is missing."""
    with opened(store) as kept:
        problems = kept.check()
        entries = len(kept.audit_trail())
    if problems:
        if not as_json:
            rows = [(str(p.number or "-"), p.sentence) for p in problems]
            print_table(("entry", "problem"), rows)
        raise InputError(
            f"the store does not hold together: {problems[0].sentence}",
            where="--store",
            hint="Compare with a copy of the database from before.",
        )
    if as_json:
        _print_json("check", {"entries": entries, "problems": problems})
        return
    note(f"The store holds together: {entries} entries of the audit trail.", quiet=quiet)


@store_app.command("audit", help=_AUDIT_HELP, short_help="Print the audit trail.")
def audit(store: StoreAddress = DEFAULT, as_json: JsonFlag = False) -> None:
    """Print the audit trail."""
    with opened(store) as kept:
        trail = kept.audit_trail()
    if as_json:
        _print_json("audit", trail)
        return
    rows = [(str(e.number), e.time, e.actor, e.action, e.subject, _short(e.content)) for e in trail]
    print_table(("number", "time", "actor", "action", "patient", "content"), rows)


@store_app.command("erase", help=_ERASE_HELP, short_help="Erase a patient.")
def erase(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's identifier.")],
    store: StoreAddress = DEFAULT,
    actor: Actor = "",
    yes: Annotated[bool, typer.Option("--yes", help="Needed: this cannot be undone.")] = False,
    quiet: QuietFlag = False,
) -> None:
    """Erase a patient with all requests and results."""
    if not yes:
        raise UsageError(
            f"this would erase all requests and results of '{patient}' for good",
            where="erase",
            hint="Add --yes to do so.",
        )
    with opened(store) as kept:
        count = kept.erase(patient, actor=actor)
    note(f"Erased: {count} requests with their results.", quiet=quiet)


def _short(key: str) -> str:
    return key.removeprefix("sha256:")[:12]


def _print_json(command: str, result: Any) -> None:
    typer.echo(Envelope(f"statera.store.{command}/1", result, (), manifest()).to_json(), nl=False)
