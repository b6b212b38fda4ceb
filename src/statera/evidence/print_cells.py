"""Cells and columns of printed results: numbers, p-values, per cents and aligned tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["number_text", "p_text", "percent_text", "sentence", "table_text"]


def p_text(p: float, digits: int = 4, *, with_sign: bool = True) -> str:
    """Return a p-value as printed: ``= 0.0123``, or ``< .0001`` below the last digit."""
    if math.isnan(p):
        return "= NA" if with_sign else "NA"
    least = 10.0**-digits
    if p < least:
        bound = f"{least:.{digits}f}".lstrip("0")
        return f"< {bound}" if with_sign else f"<{bound}"
    return f"= {p:.{digits}f}" if with_sign else f"{p:.{digits}f}"


def number_text(x: float, digits: int = 4) -> str:
    """Return a number with so many decimals; NA and Inf where it is none."""
    if math.isnan(x):
        return "NA"
    return "Inf" if math.isinf(x) else f"{x:.{digits}f}"


def percent_text(x: float) -> str:
    """Return a per cent with two decimals."""
    return "NA" if math.isnan(x) else f"{x:.2f}%"


def sentence(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def table_text(rows: Sequence[Sequence[str]], names: Sequence[str] = ()) -> str:
    """Return rows in columns, numbers to the right.

    Parameters
    ----------
    rows
        The first one holds the headings.
    names
        Headings of a first column that names rows and stands to the left.
    """
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    named = rows[0][0] in ("", *names)
    lines = []
    for row in rows:
        cells = [
            f"{cell:<{w}}" if named and j == 0 else f"{cell:>{w}}"
            for j, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
