"""Special functions of arrays, under the names of `statera.numerics.special`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["lgamma", "lognormcdf", "normcdf", "polygamma"]

Floats = NDArray[np.float64]


def lgamma(x: ArrayLike) -> Floats:
    """Return the logarithm of the absolute value of the gamma function."""
    return np.asarray(special.gammaln(np.asarray(x, dtype=np.float64)), dtype=np.float64)


def polygamma(order: ArrayLike, x: ArrayLike) -> Floats:
    """Return a derivative of the logarithm of the gamma function; NaN at x <= 0."""
    values = np.asarray(x, dtype=np.float64)
    n = int(np.asarray(order))
    inside = np.where(values > 0, values, np.nan)
    found = special.psi(inside) if n == 0 else special.polygamma(n, inside)
    return np.asarray(found, dtype=np.float64)


def normcdf(x: ArrayLike) -> Floats:
    """Return the standard normal distribution function."""
    return np.asarray(special.ndtr(np.asarray(x, dtype=np.float64)), dtype=np.float64)


def lognormcdf(x: ArrayLike) -> Floats:
    """Return the logarithm of the standard normal distribution function."""
    return np.asarray(special.log_ndtr(np.asarray(x, dtype=np.float64)), dtype=np.float64)
