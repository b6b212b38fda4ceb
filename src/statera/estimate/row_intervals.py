"""Confidence intervals of estimates and of what they stand for.

Intervals are those of Wald, estimate -/+ 1.96 SE. That of a variance, and of the size of an error,
is taken on the log scale, ``estimate exp(-/+ 1.96 SE/estimate)``, so that it cannot reach below
zero; that of a correlation by Fisher's transformation, so that it cannot reach beyond one. Ends
are carried through the same transformation as the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from statera.estimate.meaning import Scale

__all__ = ["Interval", "back", "correlation_interval", "log_interval", "relative_error", "wald"]

Floats = NDArray[np.float64]

Interval = tuple[float | None, float | None]

_Z = 1.959963984540054  # 97.5th percentile of the standard normal distribution


def wald(estimate: float, se: float | None) -> Interval:
    """Return estimate -/+ 1.96 SE; nothing where the error is not known."""
    return (None, None) if se is None else (estimate - _Z * se, estimate + _Z * se)


def log_interval(estimate: float, se: float | None) -> Interval:
    """Return the interval of a positive number, taken on the log scale."""
    if se is None or not estimate > 0.0:
        return None, None
    factor = math.exp(min(_Z * se / estimate, 700.0))
    return estimate / factor, estimate * factor


def correlation_interval(
    correlation: float, first: float, second: float, covariance: Floats
) -> Interval:
    """Return the interval of a correlation by Fisher's z.

    Parameters
    ----------
    correlation
        Its estimate.
    first, second
        The two variances.
    covariance : (3, 3) float64
        Covariance of the estimates of covariance, first and second variance.
    """
    if not (np.isfinite(covariance).all() and first > 0.0 and second > 0.0):
        return None, None
    by = np.array(
        [1.0 / math.sqrt(first * second), -0.5 * correlation / first, -0.5 * correlation / second]
    )
    variance = float(by @ covariance @ by)
    rest = 1.0 - correlation**2
    if not (variance >= 0.0 and rest > 0.0):
        return None, None
    middle, width = math.atanh(correlation), _Z * math.sqrt(variance) / rest
    return math.tanh(middle - width), math.tanh(middle + width)


def relative_error(estimate: float, se: float | None, scale: Scale) -> float | None:
    """Return the relative standard error in percent of what a reader thinks in.

    That is ``SE/|estimate|``; of ``exp(estimate)`` it is SE itself, and of ``expit(estimate) = p``
    it is ``SE (1 - p)``, by the first derivative: the logarithm of a number has no relative error
    of its own, as it is 0 for the number 1.
    """
    if se is None:
        return None
    if scale == "exp":
        return 100.0 * se
    if scale == "expit":
        return 100.0 * se * (1.0 - _expit(estimate))
    return 100.0 * se / abs(estimate) if estimate != 0.0 else None


def back(estimate: float, span: Interval, scale: Scale) -> tuple[float, Interval]:
    """Return an estimate and its interval on the scale that a reader thinks in."""
    function = _BACK[scale]
    low, high = (None if end is None else function(end) for end in span)
    return function(estimate), (low, high)


def _same(x: float) -> float:
    return x


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf


def _expit(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else 0.0


_BACK: dict[Scale, Callable[[float], float]] = {"natural": _same, "exp": _exp, "expit": _expit}
