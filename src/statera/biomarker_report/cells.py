"""Cells that the tables of the report share."""

from __future__ import annotations

import math

from statera.report.document import Cell, Inline, Table
from statera.report.tabulate import format_number

__all__ = ["LIMIT", "number", "opened_tables"]

LIMIT = 0.05
"""Adjusted p-values below it are called hits."""
_OPEN = 15


def number(value: float, method: str) -> Cell:
    """Return a computed number, or an empty cell where there is none."""
    if not math.isfinite(value):
        return Cell("", "missing")
    return Cell(format_number(value), "computed", method=method, value=value)


def opened_tables(
    title: str,
    heading: tuple[str, ...],
    rows: tuple[tuple[Inline, ...], ...],
    numeric: tuple[int, ...],
    foot: str,
) -> tuple[Table, ...]:
    """Return a table of the first rows, and one of the others that opens when asked."""
    first = Table(
        title, heading, rows[:_OPEN], numeric=numeric, foot=(foot,) if foot else ()
    )  # fmt: skip
    if len(rows) <= _OPEN:
        return (first,)
    return first, Table(
        f"{title}: the others", heading, rows[_OPEN:], numeric=numeric, folded=True
    )  # fmt: skip
