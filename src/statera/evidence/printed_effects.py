"""Effects from what a paper prints: estimate with interval, error or p-value, or O - E and V.

On the pooled scale (the logarithm, for ratios) a normal-theory interval is symmetric, so that the
standard error is its width over 2 z. From a two-sided p-value it is the distance from no effect
over z. From a log-rank test: (O - E)/V with variance 1/V. See Tierney and others, Trials 2007;8:16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtri

from statera.evidence.measures import Measure, Scale
from statera.evidence.two_arm_effects import LONGEST

__all__ = ["PRINTED_SOURCES", "printed_effects"]

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

#: Ways to an effect, with the columns each one needs, in the order in which they are tried.
PRINTED_SOURCES: dict[str, tuple[str, ...]] = {
    "effect and variance": ("y", "v"),
    "effect and standard error": ("y", "se"),
    "O - E and V": ("o_minus_e", "o_minus_e_variance"),
    "estimate and interval": ("estimate", "low", "high"),
    "estimate and standard error": ("estimate", "se"),
    "estimate and p-value": ("estimate", "p"),
}

# 1 part in a million of the larger number: a limit printed as the estimate is still a limit
_ORDER = 1e-6


def printed_effects(
    measure: Measure, source: str, c: Mapping[str, Floats], level: Floats
) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """Return effects, variances and statuses by one way.

    Parameters
    ----------
    measure
        Its scale decides: estimates and limits stand on the natural scale, `y` and standard errors
        on the pooled one.
    source
        A key of `PRINTED_SOURCES`.
    c
        The columns that it needs, each (k,) float64.
    level : (k,) float64
        Of the intervals.
    """
    ways: dict[str, Callable[[], tuple[Floats, Floats, NDArray[np.str_]]]] = {
        "effect and variance": lambda: _plain(c["y"], c["v"], "the variance is not above 0"),
        "effect and standard error": lambda: _from_se(c["y"], c["se"]),
        "O - E and V": lambda: _from_log_rank(c["o_minus_e"], c["o_minus_e_variance"]),
        "estimate and interval": lambda: _from_interval(measure, c, level),
        "estimate and standard error": lambda: _from_se(_pooled(measure, c["estimate"]), c["se"]),
        "estimate and p-value": lambda: _from_p(measure, c),
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v, status = ways[source]()
    unplaced = (status == "") & ~np.isfinite(y)
    status[unplaced] = f"the estimate has no {measure.scale} value"
    return y, v, status


def _pooled(measure: Measure, x: Floats) -> Floats:
    """Return natural values on the pooled scale; NaN where there is none."""
    if measure.scale is Scale.LOG:
        return np.where(x > 0.0, np.log(np.where(x > 0.0, x, 1.0)), np.nan)
    if measure.scale is Scale.LOGIT:
        return np.asarray(np.where((x > 0.0) & (x < 1.0), logit(x), np.nan))
    if measure.scale is Scale.NATURAL:
        return x
    return np.full(x.shape, np.nan)


def _plain(y: Floats, v: Floats, complaint: str) -> tuple[Floats, Floats, NDArray[np.str_]]:
    status = np.full(y.shape, "", dtype=LONGEST)
    status[~(v > 0.0) | ~np.isfinite(v)] = complaint
    return y, v, status


def _from_se(y: Floats, se: Floats) -> tuple[Floats, Floats, NDArray[np.str_]]:
    found, variance, status = _plain(y, se**2, "the standard error is not above 0")
    status[se < 0.0] = "the standard error is below 0"
    return found, variance, status


def _from_log_rank(o_minus_e: Floats, v: Floats) -> tuple[Floats, Floats, NDArray[np.str_]]:
    positive = np.where(v > 0.0, v, np.nan)
    return _plain(o_minus_e / positive, 1.0 / positive, "the variance of O - E is not above 0")


def _from_interval(
    measure: Measure, c: Mapping[str, Floats], level: Floats
) -> tuple[Floats, Floats, NDArray[np.str_]]:
    low, mid, high = c["low"], c["estimate"], c["high"]
    y, first, last = (_pooled(measure, x) for x in (mid, low, high))
    se = (last - first) / (2.0 * ndtri(0.5 + 0.5 * level))
    status = np.full(y.shape, "", dtype=LONGEST)
    status[~(se > 0.0)] = "the interval has no width on the pooled scale"
    if measure.scale is Scale.LOG:
        status[(low <= 0.0) | (mid <= 0.0)] = "a ratio and its limits must be above 0"
    slack = _ORDER * np.maximum(np.abs(low), np.abs(high))
    status[(low > high) | (mid < low - slack) | (mid > high + slack)] = (
        "the estimate does not lie between its limits"
    )
    return y, se**2, status


def _from_p(measure: Measure, c: Mapping[str, Floats]) -> tuple[Floats, Floats, NDArray[np.str_]]:
    y, p = _pooled(measure, c["estimate"]), c["p"]
    z = -ndtri(np.clip(p, 0.0, 1.0) / 2.0)
    null = 0.0 if np.isnan(measure.null) else measure.null
    se = np.abs(y - null) / z
    status = np.full(y.shape, "", dtype=LONGEST)
    status[~(se > 0.0) | ~np.isfinite(se)] = (
        "an estimate of no effect, or p of 0 or 1, gives no standard error"
    )
    status[(p < 0.0) | (p > 1.0)] = "a p-value lies between 0 and 1"
    return y, se**2, status
