"""SALT: severity of alopecia by share of hair lost on four views of the scalp.

Method
------
Olsen and others, J Am Acad Dermatol 2004;51:440-447, doi:10.1016/j.jaad.2003.09.032.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.boundaries import at_least, at_most
from statera.biomarker.value_ranges import ValueRange, checked

__all__ = ["salt", "salt_at_most", "salt_response"]

Floats = NDArray[np.float64]


def salt(vertex: ArrayLike, posterior: ArrayLike, left: ArrayLike, right: ArrayLike) -> Floats:
    """Return the SALT score, 0 to 100.

    Parameters
    ----------
    vertex, posterior, left, right
        Hair lost in percent of each view, 0 to 100; they weigh 40, 24, 18 and 18 %.

    Raises
    ------
    InputError
        If a value is impossible.
    """
    return np.asarray(
        0.40 * _loss(vertex, "vertex")
        + 0.24 * _loss(posterior, "posterior")
        + 0.18 * _loss(left, "left side")
        + 0.18 * _loss(right, "right side")
    )


def salt_at_most(score: ArrayLike, limit: float = 20.0) -> Floats:
    """Return 1 where a score is at most `limit`, 0 where it is not, NaN where it is missing."""
    values = checked(score, ValueRange("SALT", high=100))
    return np.where(np.isnan(values), np.nan, at_most(values, limit).astype(float))


def salt_response(baseline: ArrayLike, later: ArrayLike, percent: float = 50.0) -> Floats:
    """Return 1 where the score fell by `percent` of its baseline, else 0; NaN where missing.

    From a baseline of 0 nothing can fall: no response.
    """
    first, last = np.broadcast_arrays(
        checked(baseline, ValueRange("SALT at baseline", high=100)),
        checked(later, ValueRange("SALT later", high=100)),
    )
    reached = at_least(first - last, first * percent / 100.0) & (first > 0.0)
    return np.where(np.isnan(first - last), np.nan, reached.astype(float))


def _loss(values: ArrayLike, view: str) -> Floats:
    return checked(values, ValueRange(f"hair loss, {view} (%)", high=100))
