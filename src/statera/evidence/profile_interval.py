"""Profile-likelihood interval of a variance between studies (Hardy and Thompson, Stat Med 1996)."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.special import chdtri

__all__ = ["profile_interval"]

_TOLERANCE = 1e-7


def profile_interval(
    profile: Callable[[float], float], tau: float, highest: float, level: float,
    *, scale: float = 1.0,
) -> tuple[float, float]:  # fmt: skip
    """Return the interval of the variance; the upper limit may be infinite.

    Parameters
    ----------
    profile
        Log likelihood at a given standard deviation, all other parameters at their best.
    tau
        Standard deviation at the maximum.
    highest
        Log likelihood there.
    level
        Confidence level.
    scale
        Size of the standard deviation that data of this kind have; beyond 30 times it the upper
        limit counts as infinite.
    """
    least = highest - 0.5 * float(chdtri(1, 1.0 - level))

    def above(at: float) -> float:
        return profile(at) - least

    low = 0.0
    if tau > 0.0 and above(0.0) < 0.0:
        low = float(brentq(above, 0.0, tau, xtol=_TOLERANCE * scale))
    step, inner = max(tau, 0.25 * scale), tau
    while above(inner + step) > 0.0:
        inner, step = inner + step, 2.0 * step
        if inner > 30.0 * scale:
            return low**2, math.inf
    return low**2, float(brentq(above, inner, inner + step, xtol=_TOLERANCE * scale)) ** 2
