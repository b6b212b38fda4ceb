"""Comparisons with a limit that decimal numbers reach as they do on paper.

A fall from 0.5 to 0.4 is one of 20 %, and 4.4 - 3.2 is 1.2; in binary arithmetic neither is. A
difference below 1e-9 of the limit's size is rounding and counts as equality.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["above", "at_least", "at_most", "below"]

Bools = NDArray[np.bool_]
ROUNDING = 1e-9


def _slack(limit: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(ROUNDING * np.maximum(1.0, np.abs(np.asarray(limit, dtype=float))))


def at_least(values: ArrayLike, limit: ArrayLike) -> Bools:
    """Return where `values` reach `limit`; False where either is NaN."""
    return np.asarray(np.asarray(values, float) >= np.asarray(limit, float) - _slack(limit))


def above(values: ArrayLike, limit: ArrayLike) -> Bools:
    """Return where `values` exceed `limit`; False where either is NaN."""
    return np.asarray(np.asarray(values, float) > np.asarray(limit, float) + _slack(limit))


def at_most(values: ArrayLike, limit: ArrayLike) -> Bools:
    """Return where `values` do not exceed `limit`; False where either is NaN."""
    return np.asarray(np.asarray(values, float) <= np.asarray(limit, float) + _slack(limit))


def below(values: ArrayLike, limit: ArrayLike) -> Bools:
    """Return where `values` stay under `limit`; False where either is NaN."""
    return np.asarray(np.asarray(values, float) < np.asarray(limit, float) - _slack(limit))
