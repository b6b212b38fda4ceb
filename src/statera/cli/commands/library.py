"""``statera library``: what is in the library, and whether it holds together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, print_table
from statera.errors import InputError, StateraError, UnknownNameError, UsageError
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
  statera library show baricitinib/Decker_2024

Show the facts of a drug, or the parameters of a model, each with its origin.
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


@library_app.command("list", help=_LIST_HELP, short_help="List the drugs and models.")
def list_library(as_json: JsonFlag = False) -> None:
    """List the drugs and the population models."""
    from statera.library import drugs, load_drug  # heavy: only when this runs
    from statera.library.models import load_model, model_ids

    known = [load_drug(name) for name in drugs()]
    models = [load_model(key) for key in model_ids()]
    if as_json:
        result = {
            "drugs": [{"name": drug.name, "aliases": drug.aliases} for drug in known],
            "models": [{"id": model.id, "title": model.title} for model in models],
        }
        _print_json("list", result)
        return
    rows = [("drug", drug.name, ", ".join(drug.aliases)) for drug in known]
    rows += [("model", model.id, model.title) for model in models]
    print_table(("kind", "name", "about"), rows)


@library_app.command("show", help=_SHOW_HELP, short_help="Show a drug's facts or a model.")
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A drug or model of 'statera library list'.")
    ],
    *,
    section: Annotated[
        str | None, typer.Option("--section", help="Only the facts of this section.")
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Show the facts of a drug, or the parameters of a model, each with its origin."""
    if "/" not in name and not name.endswith(".toml"):
        _show_drug(name, section, as_json=as_json, quiet=quiet)
    elif section is not None:
        raise UsageError("a model has no sections", where="--section", hint="Leave it out.")
    else:
        _show_model(name, as_json=as_json, quiet=quiet)


def _show_drug(name: str, section: str | None, *, as_json: bool, quiet: bool) -> None:
    from statera.library import load_drug, load_references  # heavy

    drug = load_drug(name)
    facts = drug.facts
    if section is not None:
        facts = drug.facts_in(section)
        if not facts:
            raise UnknownNameError("section", section, drug.sections, where="--section")
    if as_json:
        labels = drug.labels if section is None else ()
        cited = {fact.source for fact in facts} | {rule.source for rule in labels}
        sources = {key: source for key, source in load_references().items() if key in cited}
        result = {"drug": drug.name, "identity": drug.identity, "facts": facts}
        _print_json("show", result | {"labels": labels, "sources": sources})
        return
    columns = ("section", "parameter", "value", "population", "status", "grade", "source", "id")
    print_table(columns, [_row(fact) for fact in facts])
    sections = "" if section else f" in the sections {', '.join(drug.sections)}"
    note(f"{_count(len(facts), 'fact')}{sections}.", quiet=quiet)


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
    number = "" if fact.value is None else str(fact.value)
    if isinstance(fact.value, float):
        number = f"{fact.value:.6g}"
    sign = "" if fact.relation.value in ("=", "range") else f"{fact.relation.value} "
    ends = ""
    if fact.low is not None and fact.high is not None:
        ends = f" ({fact.low:g} to {fact.high:g})"
    return f"{sign}{number}{ends} {fact.unit}".strip()


def _show_model(name: str, *, as_json: bool, quiet: bool) -> None:
    from statera.library import load_model  # heavy: only when this runs

    model = load_model(name)
    if as_json:
        result = {
            "model": model.id,
            "title": model.title,
            "population": model.population,
            "source": model.source,
            "parameters": tuple(model.parameters.values()),
            "covariates": tuple(model.covariates.values()),
            "remarks": model.remarks,
            "gaps": model.gaps,
        }
        _print_json("show", result)
        return
    rows = [
        (p.name, f"{p.value:.6g}", p.unit, p.status.value, p.locator, p.note)
        for p in model.parameters.values()
    ]
    print_table(("parameter", "value", "unit", "status", "where", "note"), rows)
    note(f"{model.title} ({model.population}; source {model.source}).", quiet=quiet)


@library_app.command("check", help=_CHECK_HELP, short_help="Check that the library holds together.")
def check(as_json: JsonFlag = False, quiet: QuietFlag = False) -> None:
    """Check that units parse, sources exist and every model reproduces what it should."""
    from statera.library import check_library, model_ids  # heavy
    from statera.simulate import check_models  # heavy

    with progress_bar(quiet=quiet) as progress:
        progress("facts, labels and sources", None)
        report = check_library()
        found = [*report.findings, *check_models(progress=progress)]
    keys = model_ids()
    expectations = sum(_expectations(key) for key in keys)
    counts = {**report.counts, "models": len(keys), "expectations": expectations}
    findings = [_Finding(str(f.place), f.severity.value, f.sentence) for f in found]
    errors = [finding for finding in findings if finding.severity == "error"]
    if not as_json and findings:
        columns = ("severity", "place", "finding")
        print_table(columns, [(f.severity, f.place, f.sentence) for f in findings])
    if errors:
        raise InputError(
            f"the library has {_count(len(errors), 'error')}: {errors[0].sentence}",
            where=errors[0].place,
            hint="Correct the file, then run 'statera library check' again.",
        )
    if as_json:
        _print_json("check", {"findings": findings, "counts": counts})
        return
    checked = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in counts.items())
    warnings = _count(len(findings), "warning")
    note(f"The library holds: no error, {warnings}. Checked: {checked}.", quiet=quiet)


def _expectations(key: str) -> int:
    """Count what a model states; a model that cannot be read states nothing, and is a finding."""
    from statera.library import load_model  # heavy

    try:
        return len(load_model(key).expectations)
    except StateraError:
        return 0


@dataclass(frozen=True)
class _Finding:
    place: str
    severity: str
    sentence: str


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_json(command: str, result: object) -> None:
    envelope = Envelope(f"statera.library.{command}/1", result, (), manifest())
    typer.echo(envelope.to_json(), nl=False)
