"""Check one facts file: units, sources, order of values, counts against percentages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from statera.library.check_report import Finding, error, warning
from statera.library.facts import FactFile
from statera.library.schema import CLASS_NAME, NEEDED_KEYS, TEXTUAL_UNITS
from statera.sources.fact import Fact, Relation, Source
from statera.units import is_unit

__all__ = ["check_fact_file"]

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COUNTS = (
    *("arm_n", "total_n", "comparator_n", "events", "py", "events_drug", "events_comparator"),
    *("py_drug", "py_comparator", "n_drug", "n_comparator", "total_events", "subgroup_n"),
    *("dose_mg", "cv_percent", "hill", "studies", "patients", "ir_jaki", "ir_tnfi"),
)
_RATIOS = frozenset({"HR", "HRw", "IRR", "ratio", "SIR", "SMR"})


def check_fact_file(
    file: FactFile, sources: Mapping[str, Source] | None, drugs: frozenset[str]
) -> Iterator[Finding]:
    """Yield what is wrong in a facts file.

    Parameters
    ----------
    file
        The file.
    sources
        Known sources by id, or None where their list could not be read.
    drugs
        Names of the drugs that have a facts file.
    """
    place = file.document.place
    if not file.document.file.endswith(f"{file.drug}.toml"):
        yield error(place("drug"), f"the file should be called {file.drug}.toml")
    for key in file.identity.sources:
        if sources is not None and key not in sources:
            yield error(place("identity"), f"no source is called '{key}'")
    seen: set[str] = set()
    for i, fact in enumerate(file.facts):
        if fact.id in seen:
            yield error(place("fact", i, "id"), f"the id '{fact.id}' stands twice")
        seen.add(fact.id)
        for key, sentence in _defects(fact):
            yield error(place("fact", i, key), f"fact '{fact.id}': {sentence}")
        if sources is not None:
            for key, sentence in _source_defects(fact, sources):
                yield error(place("fact", i, key), f"fact '{fact.id}': {sentence}")
            source = sources.get(fact.source)
            if source is not None and source.grade is not fact.grade:
                yield warning(
                    place("fact", i, "grade"),
                    f"fact '{fact.id}' has grade {fact.grade.value}, its source "
                    f"'{source.id}' has {source.grade.value}",
                )
        for key, sentence in _reach_defects(fact, drugs):
            yield error(place("fact", i, key), f"fact '{fact.id}': {sentence}")


def _source_defects(fact: Fact, sources: Mapping[str, Source]) -> Iterator[tuple[str, str]]:
    for key, name in (("source", fact.source), ("primary_source", fact.get("primary_source"))):
        if name and name not in sources:
            yield key, f"no source is called '{name}'"


def _reach_defects(fact: Fact, drugs: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong about whom a fact of the class concerns."""
    named = [d for d in fact.get("drugs").split("; ") if d]
    if fact.drug == CLASS_NAME and not named:
        yield "id", "a fact of the class needs 'drugs'"
    for name in named:
        if name not in drugs and name != "JAK inhibitors":
            yield "drugs", f"no drug is called '{name}'"


def _defects(fact: Fact) -> Iterator[tuple[str, str]]:
    """Yield key and sentence for what is wrong inside one fact."""
    if not _ID.fullmatch(fact.id):
        yield "id", "an id is made of lower-case letters, digits and single hyphens"
    if fact.unit and fact.unit not in TEXTUAL_UNITS and not is_unit(fact.unit):
        yield "unit", f"'{fact.unit}' is neither a unit nor a known word for one"
    if fact.is_missing and (fact.value is not None or fact.low is not None):
        yield "value", "a value that was not retrieved must stay empty"
    if fact.relation.is_bound and fact.number is None and not fact.is_missing:
        yield "relation", f"'{fact.relation.value}' needs a number"
    if fact.relation is Relation.RANGE and (fact.low is None or fact.high is None):
        yield "relation", "a range needs low and high"
    yield from _order_defects(fact)
    for key in NEEDED_KEYS.get(fact.section, ()):
        if not fact.get(key):
            yield "section", f"a fact of {fact.section} needs '{key}'"
    for key in _COUNTS:
        text = fact.get(key)
        if text and not _is_count(text):
            yield key, f"'{key}' is '{text}', not a number of 0 or more"
    yield from _proportion_defects(fact)


def _order_defects(fact: Fact) -> Iterator[tuple[str, str]]:
    low, value, high = fact.low, fact.number, fact.high
    if (low is None) != (high is None):
        yield "low" if high is None else "high", "low and high go together"
    elif low is not None and high is not None:
        if low > high:
            yield "low", f"low ({low:g}) is above high ({high:g})"
        elif value is not None and not low <= value <= high:
            yield "value", f"{value:g} is not between low ({low:g}) and high ({high:g})"
    if fact.get("measure") in _RATIOS and value is not None and value <= 0:
        yield "value", f"a ratio of {value:g} is not above 0"


def _is_count(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


def _proportion_defects(fact: Fact) -> Iterator[tuple[str, str]]:
    """Yield what is wrong between events, arm size and the printed percentage."""
    if fact.get("measure") != "proportion" or fact.number is None:
        return
    if fact.unit == "%" and not 0 <= fact.number <= 100:
        yield "value", f"a proportion of {fact.number:g} % is impossible"
    events, size = fact.get("events"), fact.get("arm_n")
    if not (_is_count(events or "x") and _is_count(size or "x") and float(size) > 0):
        return
    percent = 100 * float(events) / float(size)
    # printed to whole percents at worst: more than one percent apart is another count
    if abs(percent - fact.number) > 1:
        yield "events", f"{events}/{size} is {percent:.1f} %, but the value is {fact.number:g} %"
