"""Cells with their origin, from facts and from computed numbers."""

from __future__ import annotations

import math

from statera.report.document import Cell
from statera.sources import Fact, Relation, Status

__all__ = [
    "computed",
    "fact_cell",
    "missing",
    "number_text",
    "percent_difference",
    "significant",
    "source_cell",
    "written_unit",
]

_SIGNS = {
    Relation.LESS: "< ",
    Relation.AT_MOST: "≤ ",
    Relation.GREATER: "> ",
    Relation.AT_LEAST: "≥ ",
    Relation.ABOUT: "about ",
}


def significant(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, without an exponent where it is short."""
    if not math.isfinite(value):
        return "not a number"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    if places < 0:
        return f"{round(value, places):,.0f}".replace(",", "\u202f")
    if places > 6:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{places}f}"


def written_unit(unit: str) -> str:
    """Return a unit as it is written in print, such as ``ng·h/mL``."""
    return (
        unit.replace("*", "\u00b7")
        .replace("1.73m2", "1.73\u00a0m\u00b2")
        .replace("umol", "\u00b5mol")
        .replace("/uL", "/\u00b5L")
    )


def percent_difference(difference: float, digits: int = 0) -> str:
    """Return a relative difference with its sign, and no sign on zero."""
    text = f"{100 * difference:+.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return f"{text} %".replace("-", "\u2212")


def number_text(value: float) -> str:
    """Return a stated number as it was printed, without a trailing ``.0``."""
    return f"{value:,.10g}".replace(",", "\u202f")


def fact_cell(fact: Fact, *, unit: bool = True) -> Cell:
    """Return the value of a fact with its source: point, bound, range, claim or missing."""
    ends = None
    if fact.low is not None and fact.high is not None:
        ends = f"{number_text(fact.low)} to {number_text(fact.high)}"
    is_range = fact.relation is Relation.RANGE and ends is not None
    if fact.is_missing or (fact.value is None and not is_range):
        return Cell("not retrieved", "missing", (fact.source,), facts=(fact.id,))
    if is_range:
        text = ends or ""
    else:
        text = str(fact.value) if fact.number is None else number_text(fact.number)
        text = f"{text} ({ends})" if ends else text
    text = f"{_SIGNS.get(fact.relation, '')}{text}"
    if unit and fact.unit and fact.unit not in ("text", "fraction", "ratio", "list"):
        text = f"{text} {written_unit(fact.unit)}"
    if fact.relation.is_bound:
        basis = "bound"
    elif fact.status is Status.VENDOR_CLAIM:
        basis = "claim"
    else:
        basis = "fact"
    return Cell(text, basis, (fact.source,), value=fact.number, unit=fact.unit, facts=(fact.id,))  # type: ignore[arg-type]


def computed(value: float, method: str, unit: str = "", *, digits: int = 3, text: str = "") -> Cell:
    """Return a computed number that links to its method."""
    shown = text or significant(value, digits)
    return Cell(
        text or f"{shown} {written_unit(unit)}".rstrip(),
        "computed",
        method=method,
        value=value if math.isfinite(value) else None,
        unit=unit,
    )


def missing(text: str = "not retrieved", *sources: str) -> Cell:
    """Return a cell for a value that could not be read or computed."""
    return Cell(text, "missing", sources)


def source_cell(text: str, *sources: str) -> Cell:
    """Return a stated text with its sources."""
    return Cell(text, "fact", sources)
