"""``statera library``: what is in the library, and whether it holds together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, print_table
from statera.errors import InputError, UnknownNameError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.sources.fact import Fact

__all__ = ["library_app"]

_LIST_HELP = """
\b
Examples:
  statera library list
  statera library list --json

List the drugs and the population models.
"""

_SHOW_HELP = """
\b
Examples:
  statera library show baricitinib
  statera library show baricitinib --section potency --json

Show the facts of a drug, each with its source.
"""

_CHECK_HELP = """
\b
Examples:
  statera library check
  statera library check --json

Check that units parse, sources exist and every model reproduces what it should.
"""

library_app = typer.Typer(
    help="List, show and check the facts, labels and models.",
    rich_markup_mode=None,
)


@library_app.callback(invoke_without_command=True)
def _library(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@library_app.command(
    "list", help=_LIST_HELP, short_help="List the drugs and the population models."
)
def list_library(as_json: JsonFlag = False) -> None:
    """List the drugs and the population models."""
    from statera.library import drugs, load_model, model_ids  # noqa: PLC0415  heavy

    models = [(key, load_model(key).title) for key in model_ids()]
    if as_json:
        result = {
            "drugs": list(drugs()),
            "models": [{"id": key, "title": title} for key, title in models],
        }
        _print_json("list", result)
        return
    rows = [("drug", name, f"statera library show {name}") for name in drugs()]
    rows += [("model", key, title) for key, title in models]
    print_table(("kind", "name", "about"), rows)


@library_app.command(
    "show", help=_SHOW_HELP, short_help="Show the facts of a drug, each with its source."
)
def show_drug(
    drug: Annotated[str, typer.Argument(metavar="DRUG", help="A drug of 'statera library list'.")],
    *,
    section: Annotated[
        str | None, typer.Option("--section", help="Only the facts of this section.")
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Show the facts of a drug, each with its source."""
    from statera.library import load_drug  # noqa: PLC0415  heavy

    known = load_drug(drug)
    facts = _of_section(known.facts, section)
    if as_json:
        _print_json("show", {"drug": known.name, "identity": known.identity, "facts": facts})
        return
    columns = ("section", "parameter", "value", "population", "status", "grade", "source", "id")
    print_table(columns, [_row(fact) for fact in facts])
    note(f"{len(facts)} facts. Their sources: add --json, or see the page.", quiet=quiet)


def _of_section(facts: tuple[Fact, ...], section: str | None) -> tuple[Fact, ...]:
    if section is None:
        return facts
    chosen = tuple(fact for fact in facts if fact.section == section)
    if not chosen:
        raise UnknownNameError(
            "section", section, {fact.section for fact in facts}, where="--section"
        )
    return chosen


def _row(fact: Fact) -> tuple[str, ...]:
    return (
        fact.section,
        fact.parameter,
        _value(fact),
        fact.population,
        fact.status.value,
        fact.grade.value,
        fact.source,
        fact.id,
    )


def _value(fact: Fact) -> str:
    """Return the value as one would write it, a bound with its sign."""
    if fact.is_missing:
        return "not retrieved"
    number = f"{fact.value:g}" if isinstance(fact.value, float) else str(fact.value)
    sign = "" if fact.relation.value in ("=", "range") else f"{fact.relation.value} "
    ends = ""
    if fact.low is not None and fact.high is not None:
        ends = f" ({fact.low:g} to {fact.high:g})"
    return f"{sign}{number}{ends} {fact.unit}".strip()


@library_app.command("check", help=_CHECK_HELP, short_help="Check that the library holds together.")
def check(as_json: JsonFlag = False, quiet: QuietFlag = False) -> None:
    """Check that units parse, sources exist and every model reproduces what it should."""
    from statera.library import check_library, model_ids  # noqa: PLC0415  heavy
    from statera.simulate import check_models  # noqa: PLC0415  heavy

    with progress_bar(quiet=quiet) as progress:
        progress("facts, labels and sources", None)
        findings = [*check_library().findings, *check_models(progress=progress)]
        keys = model_ids()
    errors = [finding for finding in findings if str(finding.severity) == "error"]
    if as_json and not errors:
        _print_json("check", {"findings": [_finding(finding) for finding in findings]})
        return
    if not as_json and findings:
        rows = [(str(f.severity), str(f.place), f.sentence) for f in findings]
        print_table(("severity", "place", "finding"), rows)
    if errors:
        raise InputError(
            f"the library has {_count(len(errors), 'error')}: {errors[0].sentence}",
            where=str(errors[0].place),
            hint="Correct the file, then run 'statera library check' again.",
        )
    note(f"The library holds: {_count(len(keys), 'model')} simulated, no error.", quiet=quiet)


def _finding(finding: Any) -> dict[str, str]:
    return {
        "place": str(finding.place),
        "severity": str(finding.severity),
        "sentence": finding.sentence,
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_json(command: str, result: object) -> None:
    envelope = Envelope(f"statera.library.{command}/1", result, (), manifest())
    typer.echo(envelope.to_json(), nl=False)
