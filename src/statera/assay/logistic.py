"""Logistic dose-response curves of three to five parameters, and their derivatives.

``y = c + (d - c) / (1 + (x / e)^b)^f``: where b > 0 the curve falls from d at dose 0 to c. With
f = 1 it is the four-parameter logistic. The dose half way between the limits is
``IC50 = e (2^(1/f) - 1)^(1/b)``, which is e only where f = 1; its logarithm is the parameter,
because its error is near normal and the dose stays above 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LN_IC50", "NAMES", "B", "C", "D", "F", "ln_e", "logistic", "logistic_jacobian"]

Floats = NDArray[np.float64]

B, C, D, LN_IC50, F = range(5)
NAMES = ("b", "c", "d", "ln_ic50", "f")
"""Parameters in the order of their columns."""

_LN2 = float(np.log(2.0))


def ln_e(parameters: Floats) -> Floats:
    """Return ln e of curves, (...,), from parameters (..., 5)."""
    found: Floats = parameters[..., LN_IC50] - _shift(parameters)[0]
    return found


def _shift(parameters: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ln(IC50 / e) and its derivatives by b and f, (...,)."""
    b, f = parameters[..., B], parameters[..., F]
    with np.errstate(all="ignore"):
        ratio = np.expm1(_LN2 / f)
        log = np.where(f == 1.0, 0.0, np.log(ratio))
        by_f = -_LN2 / (f * f) * (ratio + 1.0) / ratio
        shift = np.where(f == 1.0, 0.0, log / b)
        return shift, np.where(f == 1.0, 0.0, -log / (b * b)), by_f / b


def logistic(ln_x: Floats, parameters: Floats) -> Floats:
    """Return responses.

    Parameters
    ----------
    ln_x : (..., n) float64
        Logarithms of doses; minus infinity for dose 0.
    parameters : (..., 5) float64
        Of each curve, in the order of `NAMES`.

    Returns
    -------
    (..., n) float64
    """
    b, c, d, _, f = (parameters[..., i, None] for i in range(5))
    with np.errstate(invalid="ignore", over="ignore"):
        u = _times(b, ln_x - ln_e(parameters)[..., None])
        found: Floats = c + (d - c) * np.exp(-f * np.logaddexp(0.0, u))
    return found


def logistic_jacobian(ln_x: Floats, parameters: Floats) -> tuple[Floats, Floats]:
    """Return responses (..., n) and their derivatives by the parameters (..., n, 5)."""
    b, c, d, _, f = (parameters[..., i, None] for i in range(5))
    shift, shift_b, shift_f = (s[..., None] for s in _shift(parameters))
    with np.errstate(invalid="ignore", over="ignore"):
        far = ln_x - (parameters[..., LN_IC50, None] - shift)
        u = _times(b, far)
        log_q = np.logaddexp(0.0, u)
        g = np.exp(-f * log_q)
        # u is infinite at dose 0 of a rising curve, where nothing changes any more
        by_u = -(d - c) * f * g * np.where(np.isposinf(u), 1.0, np.exp(u - log_q))
        by_e = -b * by_u
        by_b = np.where(np.isfinite(far), by_u * far, 0.0) - by_e * shift_b
        log_g = np.where(g > 0, -g * np.where(np.isfinite(log_q), log_q, 0.0), 0.0)
        by_f = (d - c) * log_g - by_e * shift_f
    value = c + (d - c) * g
    return value, np.stack([by_b, 1.0 - g, g, by_e, by_f], axis=-1)


def _times(b: Floats, far: Floats) -> Floats:
    """Return ``b far``; 0 where the slope is 0 and so is the dose."""
    return np.where((b == 0) & ~np.isfinite(far), 0.0, b * far)
