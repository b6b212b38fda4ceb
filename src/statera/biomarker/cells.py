"""Cells of immunoassay tables: a number, a number beyond a limit, or only out of range.

Understood: ``12.3``, ``*12.3`` (extrapolated beyond the standards), ``<12.3``, ``>5000``,
``OOR <``, ``OOR >``, and words and signs for a value not measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cells", "read_cells"]

_MISSING = frozenset({"", "na", "n/a", "nan", "nd", "none", "null", ".", "-", "--", "---"})
_OUT_OF_RANGE = re.compile(r"^oor\s*([<>])$")


@dataclass(frozen=True)
class Cells:
    """Cells as numbers, k of them.

    Attributes
    ----------
    values
        (k,) NaN where there is none, or only a limit.
    below, above
        (k,) whether the cell says below or above the range.
    lower, upper
        (k,) the limit that the cell names; NaN where it names none.
    extrapolated
        (k,) whether the number is marked as extrapolated.
    bad
        Position and text of each cell that is not understood.
    """

    values: NDArray[np.float64]
    below: NDArray[np.bool_]
    above: NDArray[np.bool_]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    extrapolated: NDArray[np.bool_]
    bad: tuple[tuple[int, str], ...]


def read_cells(texts: Sequence[str | float | None]) -> Cells:
    """Return the cells as numbers, limits and marks."""
    k = len(texts)
    values, lower, upper = np.full((3, k), np.nan)
    below, above, extrapolated = np.zeros((3, k), dtype=bool)
    bad = []
    for i, raw in enumerate(texts):
        text = "" if raw is None else str(raw).strip()
        if text.lower() in _MISSING:
            continue
        out = _OUT_OF_RANGE.match(text.lower())
        if out:
            (below if out.group(1) == "<" else above)[i] = True
            continue
        sign = text[0] if text[0] in "<>*" else ""
        try:
            number = float(text[len(sign) :])
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            bad.append((i, text))
        elif sign == "<":
            below[i], lower[i] = True, number
        elif sign == ">":
            above[i], upper[i] = True, number
        else:
            values[i], extrapolated[i] = number, sign == "*"
    return Cells(values, below, above, lower, upper, extrapolated, tuple(bad))
