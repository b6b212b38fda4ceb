"""Scales of parameters: linear, natural and decadic logarithm."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCALES", "Scale", "scaled", "slope", "unscaled", "unscaled_value"]

Scale = Literal["lin", "log", "log10"]
SCALES: tuple[Scale, ...] = get_args(Scale)

Floats = NDArray[np.float64]
LN10 = math.log(10.0)


def scaled(value: float, scale: Scale) -> float:
    """Return a value on its scale; minus infinity for the logarithm of zero."""
    if scale == "lin":
        return value
    if value <= 0.0:
        return -math.inf if value == 0.0 else math.nan
    return math.log(value) if scale == "log" else math.log10(value)


def unscaled(values: Floats, factors: Floats) -> Floats:
    """Return linear values.

    Parameters
    ----------
    values : (n,) float64
        On their scales.
    factors : (n,) float64
        0 for the linear scale, 1 for the natural logarithm, ln 10 for the decadic one.
    """
    with np.errstate(over="ignore"):
        return np.where(factors == 0.0, values, np.exp(factors * values))


def unscaled_value(value: float, scale: Scale) -> float:
    """Return the linear value of one on its scale."""
    if scale == "lin":
        return value
    return math.exp(value) if scale == "log" else 10.0**value


def slope(linear: Floats, factors: Floats) -> Floats:
    """Return the derivatives of linear values by the values on their scales; see `unscaled`."""
    return np.where(factors == 0.0, 1.0, factors * linear)
