"""Checks shared by the figures: what is drawn must have matching shapes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Column", "Values", "as_band", "as_column", "upper_limit"]

Column: TypeAlias = NDArray[np.float64]
Values: TypeAlias = ArrayLike


def as_column(name: str, values: Values, length: int | None = None) -> Column:
    """Return `values` as a one-dimensional array of float64.

    Raises
    ------
    ValueError
        If the values are not one-dimensional, empty, or not `length` long.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or column.size == 0:
        raise ValueError(f"{name}: expected a non-empty one-dimensional array")
    if length is not None and column.size != length:
        raise ValueError(f"{name}: expected {length} values, got {column.size}")
    return column


def as_band(
    name: str, low: Values | None, high: Values | None, length: int
) -> tuple[Column, Column] | None:
    """Return the two edges of a band, or None where there is none.

    Raises
    ------
    ValueError
        If only one edge is given or the shapes differ.
    """
    if low is None and high is None:
        return None
    if low is None or high is None:
        raise ValueError(f"{name}: a band needs both edges")
    return as_column(f"{name}, low", low, length), as_column(f"{name}, high", high, length)


def upper_limit(*columns: Column) -> float:
    """Return a limit for an axis that starts at zero: 8 % above the greatest finite value."""
    finite = [float(np.max(c[np.isfinite(c)])) for c in columns if np.isfinite(c).any()]
    top = max(finite, default=0.0)
    return 1.08 * top if top > 0 else 1.0
