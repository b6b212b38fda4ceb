"""Small pieces of the report's sections."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from statera.report.document import Cell
from statera.report.tabulate import format_number

if TYPE_CHECKING:
    import polars as pl

__all__ = ["cited", "columns_of", "computed", "listed", "slug_of"]


def computed(value: float | None, method: str, unit: str = "") -> Cell:
    """Return a computed number that links to its method."""
    if value is None or not math.isfinite(value):
        return Cell("not known", "missing")
    text = str(value) if isinstance(value, int) else format_number(value)
    return Cell(f"{text} {unit}".rstrip(), "computed", method=method, value=value, unit=unit)


def cited(text: str, *sources: str) -> Cell:
    """Return a stated text with its sources."""
    return Cell(text, "fact", sources)


def columns_of(table: pl.DataFrame, names: Sequence[str]) -> Mapping[str, Any]:
    """Return columns of a table as the data of a figure."""
    return {name: table[name].to_list() for name in names if name in table.columns}


def listed(names: Sequence[str]) -> str:
    """Return names as words, the last two joined by ``and``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def slug_of(*parts: str) -> str:
    """Return an anchor made of the letters and digits of names."""
    kept = ["".join(c if c.isascii() and c.isalnum() else "-" for c in part) for part in parts]
    return "-".join(p.strip("-") for p in kept if p.strip("-"))
