"""Where a number of the drug page comes from, as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from statera.library import Conflict, LabelRule, find_source, format_citation
from statera.monograph.sections.dosing_text import claimed, says, tidy, year_of
from statera.sources import Fact

__all__ = ["conflict_data", "fact_data", "reference", "references", "rule_origin"]


def reference(key: str) -> dict[str, Any]:
    """Return a source: citation, year, grade, what part was read."""
    source = find_source(key)
    return {
        "text": format_citation(source),
        "url": f"https://doi.org/{source.doi}" if source.doi else source.url,
        "year": source.year,
        "grade": source.grade.value,
        "how_read": source.how_read,
    }


def references(keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return sources by id, each once, in the order given."""
    return {key: reference(key) for key in dict.fromkeys(keys) if key}


def conflict_data(conflict: Conflict) -> dict[str, Any]:
    """Return both sides of a disagreement, and the rule followed."""
    return {
        "topic": conflict.topic,
        "overview": tidy(conflict.overview),
        "sources_say": tidy(conflict.sources_say),
        "kind": conflict.kind,
        "rule": conflict.rule,
        "sources": conflict.sources,
    }


def fact_data(fact: Fact, conflicts: Iterable[Conflict]) -> dict[str, Any]:
    """Return what a fact says about itself beside its value."""
    return {
        "what": fact.parameter,
        "statistic": fact.statistic,
        "population": fact.population,
        "n": fact.n,
        "status": fact.status.value.replace("_", " "),
        "grade": fact.grade.value,
        "source": fact.source,
        "locator": fact.locator,
        "note": fact.note,
        "conflicts": [c.id for c in conflicts],
    }


def rule_origin(rule: LabelRule, conflicts: Iterable[Conflict]) -> dict[str, Any]:
    """Return what a label rule says about itself, with the keys of `fact_data`."""
    return {
        "what": f"{rule.region_name}, {rule.indication}: {says(rule)}",
        "statistic": "",
        "population": rule.population.value,
        "n": "",
        "status": "vendor claim" if claimed(rule) else f"label rule, {year_of(rule)}",
        "grade": rule.grade.value,
        "source": rule.source,
        "locator": rule.locator,
        "note": tidy(rule.note),
        "conflicts": [c.id for c in conflicts],
    }
