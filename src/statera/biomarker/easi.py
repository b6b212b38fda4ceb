"""EASI: extent and severity of eczema on four regions of the body.

Method
------
Hanifin and others, Exp Dermatol 2001;10:11-18, doi:10.1034/j.1600-0625.2001.100102.x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.boundaries import at_least
from statera.biomarker.value_ranges import ValueRange, checked
from statera.errors import InputError

__all__ = ["area_score", "easi", "easi_response"]

Floats = NDArray[np.float64]

SIGNS = ("erythema", "induration", "excoriation", "lichenification")
#: Weights of head, upper limbs, trunk, lower limbs from 8 years on, and below.
FROM_8_YEARS = (0.1, 0.2, 0.3, 0.4)
BELOW_8_YEARS = (0.2, 0.2, 0.3, 0.3)
SIGN = ValueRange("sign of eczema", high=3, step=0.5)
AREA = ValueRange("area score", high=6, step=1)
AGE = ValueRange("age (years)", high=130)
_AREA_STARTS = (10.0, 30.0, 50.0, 70.0, 90.0)


def area_score(percent: ArrayLike) -> Floats:
    """Return the area score, 0 to 6, of the affected percentage of a region.

    0 for none, 1 below 10 %, then 2 from 10, 3 from 30, 4 from 50, 5 from 70 and 6 from 90 % on.
    """
    values = checked(percent, ValueRange("affected area (%)", high=100))
    found = (values > 0.0).astype(np.float64)
    for start in _AREA_STARTS:
        found = found + at_least(values, start)
    return np.where(np.isnan(values), np.nan, found)


def easi(
    head: ArrayLike,
    upper: ArrayLike,
    trunk: ArrayLike,
    lower: ArrayLike,
    *,
    age: ArrayLike = 8.0,
) -> Floats:
    """Return EASI, 0 to 72.

    Parameters
    ----------
    head, upper, trunk, lower
        (..., 5) each: erythema, induration, excoriation, lichenification (0 to 3, halves allowed)
        and the area score (0 to 6).
    age
        In years, one number or one for each; below 8 the head weighs more and the lower limbs
        less. From 8 years on unless given.

    Returns
    -------
    ndarray
        NaN where an entry is missing.

    Raises
    ------
    InputError
        If a value is impossible or a region has not five entries.
    """
    years = checked(age, AGE)
    young = years < 8.0
    total: Floats = np.where(np.isnan(years), np.nan, 0.0)
    for name, values, old_weight, young_weight in zip(
        ("head", "upper", "trunk", "lower"),
        (head, upper, trunk, lower),
        FROM_8_YEARS,
        BELOW_8_YEARS,
        strict=True,
    ):
        weight = np.where(young, young_weight, old_weight)
        total = total + weight * _region(values, name)
    return np.asarray(total)


def easi_response(baseline: ArrayLike, later: ArrayLike, percent: float = 75.0) -> Floats:
    """Return 1 where EASI fell by `percent` of its baseline (EASI-75), else 0; NaN where missing.

    From a baseline of 0 nothing can fall: no response.
    """
    first, last = np.broadcast_arrays(
        checked(baseline, ValueRange("EASI at baseline", high=72)),
        checked(later, ValueRange("EASI later", high=72)),
    )
    reached = at_least(first - last, first * percent / 100.0) & (first > 0.0)
    return np.where(np.isnan(first - last), np.nan, reached.astype(float))


def _region(values: ArrayLike, name: str) -> Floats:
    """Return the sum of signs times the area score."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim == 0 or found.shape[-1] != len(SIGNS) + 1:
        raise InputError(
            f"the region '{name}' does not have five entries",
            hint=f"Give {', '.join(SIGNS)} and the area score, in this order.",
        )
    try:
        signs, area = checked(found[..., :4], SIGN), checked(found[..., 4], AREA)
    except InputError as error:
        error.where = error.where or f"region '{name}'"
        raise
    return np.asarray(signs.sum(axis=-1) * area)
