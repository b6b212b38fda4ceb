"""Tables of what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statera.library import Gap
from statera.library.gaps import load_gaps
from statera.report.document import Cell, Table

__all__ = ["gap_data", "gap_table", "gaps_about", "gaps_of"]


def gaps_of(drug: str) -> tuple[Gap, ...]:
    """Return the gaps of a drug, then those of the class, each once."""
    found = {g.id: g for g in (*load_gaps(drug), *load_gaps("class"))}
    return tuple(found.values())


def gaps_about(gaps: Sequence[Gap], *words: str) -> tuple[Gap, ...]:
    """Return the gaps whose item names one of the words."""
    return tuple(g for g in gaps if any(w.lower() in g.item.lower() for w in words))


def gap_table(gaps: Sequence[Gap], caption: str) -> Table:
    """Return what is missing, what was read instead and where it can be found."""
    rows = tuple(
        (
            Cell(gap.item, "missing", note=gap.status),
            Cell(gap.where or "no place known" if not gap.url else gap.where, note=gap.url),
        )
        for gap in gaps
    )
    return Table(caption, ("What is missing, and its state", "Where it would be found"), rows)


def gap_data(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """Return the gaps as plain data."""
    return [
        {"id": g.id, "item": g.item, "state": g.status, "url": g.url, "where": g.where}
        for g in gaps
    ]
