"""Confidence intervals from standard errors, and values on the scale that people read.

Wald intervals are ``x -+ z SE`` on the scale chosen: as reported, or on the scale on which a
parameter is free of bounds (logarithm of a variance, logarithm or logit of a bounded parameter),
then turned back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from statera.errors import UsageError
from statera.estimate.covariance import Covariance
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult
from statera.estimate.status import Notice

__all__ = [
    "Interval",
    "Transform",
    "bounds_of",
    "percentile_intervals",
    "transformed",
    "wald_intervals",
]

Floats = NDArray[np.float64]
Transform = Literal["exp", "expit"]


@dataclass(frozen=True)
class Interval:
    """A confidence interval; NaN where there is none, and `notices` say why.

    Attributes
    ----------
    name
        What was estimated, as `Problem.free_names`.
    estimate, low, high
        On the scale of `name`, or transformed.
    level
        Coverage meant, such as 0.95.
    method
        ``wald``, ``wald, unbounded scale``, ``profile``, ``bootstrap`` or ``sir``.
    transform
        ``exp`` or ``expit`` where values were transformed for reading.
    """

    name: str
    estimate: float
    low: float
    high: float
    level: float
    method: str
    transform: Transform | None = None
    notices: tuple[Notice, ...] = ()


def wald_intervals(
    result: FitResult,
    uncertainty: Covariance,
    level: float = 0.95,
    *,
    scale: Literal["reported", "unbounded"] = "reported",
) -> tuple[Interval, ...]:
    """Return an interval for each estimate.

    Parameters
    ----------
    level
        Between 0 and 1.
    scale
        ``reported``: symmetric about the estimate; ``unbounded``: variances on the logarithmic
        scale and bounded parameters on the scale of the search, so that no end leaves the bounds.
        Covariances are taken as reported.

    Raises
    ------
    UsageError
        If the level is not between 0 and 1.
    """
    z = _quantile(level)
    severe = tuple(n for n in uncertainty.notices if n.severe)
    found = []
    bounds = bounds_of(result.problem)
    method = "wald" if scale == "reported" else "wald, unbounded scale"
    for k, name in enumerate(uncertainty.names):
        x, se = float(uncertainty.estimates[k]), float(uncertainty.standard_errors[k])
        low, high = x - z * se, x + z * se
        if scale == "unbounded":
            low, high = _within(x, se, z, *bounds[k])
        notices = severe
        if not uncertainty.included[k]:
            notices = tuple(n for n in uncertainty.notices if name in n.about)
        found.append(Interval(name, x, low, high, level, method, notices=notices))
    return tuple(found)


def percentile_intervals(
    names: tuple[str, ...], estimates: Floats, samples: Floats, level: float, method: str
) -> tuple[Interval, ...]:
    """Return percentiles of samples (n_samples, n) as intervals; NaN where there are none."""
    tail = 50.0 * (1.0 - level)
    ends = np.full((2, len(names)), np.nan)
    if samples.shape[0] > 1:
        ends = np.percentile(samples, [tail, 100.0 - tail], axis=0)
    return tuple(
        Interval(name, float(estimates[k]), float(ends[0, k]), float(ends[1, k]), level, method)
        for k, name in enumerate(names)
    )


def transformed(interval: Interval, transform: Transform) -> Interval:
    """Return an interval with its values on another scale."""

    def turn(x: float) -> float:
        with np.errstate(over="ignore"):
            return float(np.exp(x) if transform == "exp" else 1.0 / (1.0 + np.exp(-x)))

    return replace(
        interval,
        estimate=turn(interval.estimate),
        low=turn(interval.low),
        high=turn(interval.high),
        transform=transform,
    )


def bounds_of(problem: Problem) -> list[tuple[float, float]]:
    """Return the bounds of everything that is estimated: of variances 0, of covariances none."""
    free = (-np.inf, np.inf)
    omega = [(0.0, np.inf) if i == j else free for i, j in problem.omega.entries()]
    return [*problem.theta.bounds, *omega]


def _quantile(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise UsageError(
            f"a level of {level:g} is not between 0 and 1", where="level", hint="Such as 0.95."
        )
    return float(ndtri(0.5 + 0.5 * level))


def _within(x: float, se: float, z: float, low: float, high: float) -> tuple[float, float]:
    """Return the ends of an interval made on a scale without bounds."""
    if np.isfinite(low) and np.isfinite(high):
        part = (x - low) / (high - low)
        middle = np.log(part / (1.0 - part))
        spread = z * se / ((high - low) * part * (1.0 - part))
        ends = [low + (high - low) / (1.0 + np.exp(-(middle + s * spread))) for s in (-1.0, 1.0)]
        return float(ends[0]), float(ends[1])
    if np.isfinite(low):
        factor = np.exp(z * se / (x - low))
        return float(low + (x - low) / factor), float(low + (x - low) * factor)
    if np.isfinite(high):
        factor = np.exp(z * se / (high - x))
        return float(high - (high - x) * factor), float(high - (high - x) / factor)
    return x - z * se, x + z * se
