"""How much effects differ beyond chance: I2, H2, and intervals of tau2.

I2 and H2 rest on a typical sampling variance ``s = (k - p) / tr P`` (Higgins and Thompson, Stat Med
2002;21:1539): ``I2 = tau2 / (tau2 + s)``, ``H2 = (tau2 + s) / s``. They say which share of the
spread is no chance, not how large it is: that is tau2 and the prediction interval.

Intervals of tau2: Q-profile, exact for normal effects (Viechtbauer, Stat Med 2007;26:37), and
profile likelihood (Hardy and Thompson, Stat Med 1996;15:619), for ML and REML.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri

from statera.errors import UsageError
from statera.numerics.tau_squared import q_profile
from statera.numerics.weighted_fit import Projection

__all__ = [
    "TauSquaredInterval",
    "TauSquaredIntervalMethod",
    "h_squared",
    "i_squared",
    "log_likelihoods",
    "tau_squared_interval",
    "typical_variance",
]

Floats = NDArray[np.float64]


class TauSquaredIntervalMethod(StrEnum):
    """Interval of tau2."""

    Q_PROFILE = "Q-profile"
    PROFILE_LIKELIHOOD = "profile likelihood"
    NONE = "none"


@dataclass(frozen=True)
class TauSquaredInterval:
    """Interval of tau2, and of I2 and H2 that follow from it.

    Attributes
    ----------
    low, high
        Of tau2; both 0 where even tau2 = 0 has too little spread (an empty interval).
    i2_low, i2_high
        In per cent.
    h2_low, h2_high
    method, level
    """

    low: float
    high: float
    i2_low: float
    i2_high: float
    h2_low: float
    h2_high: float
    method: TauSquaredIntervalMethod
    level: float


def typical_variance(projection: Projection, df: int) -> float:
    """Return ``(k - p) / tr P`` with P at tau2 = 0."""
    return df / projection.trace(projection.weights)


def i_squared(tau2: float, typical: float) -> float:
    """Return the share of variance between studies, per cent."""
    return 100.0 if np.isinf(tau2) else 100.0 * tau2 / (tau2 + typical)


def h_squared(tau2: float, typical: float) -> float:
    """Return total over sampling variance."""
    return tau2 / typical + 1.0


def log_likelihoods(y: Floats, v: Floats, x: Floats, tau2: float) -> tuple[float, float]:
    """Return log-likelihood and restricted log-likelihood at the best coefficients."""
    k, p = x.shape
    projection = Projection.of(x, 1.0 / (v + tau2))
    residual = projection.residual(projection.root * y)
    common = -0.5 * float(np.log(v + tau2).sum()) - 0.5 * float(residual @ residual)
    full = common - 0.5 * k * np.log(2.0 * np.pi)
    design = Projection.of(x, np.ones(k)).log_determinant()
    restricted = (
        common
        - 0.5 * (k - p) * np.log(2.0 * np.pi)
        + 0.5 * design
        - 0.5 * projection.log_determinant()
    )
    return float(full), float(restricted)


def tau_squared_interval(
    y: Floats, v: Floats, x: Floats, method: TauSquaredIntervalMethod | str, level: float,
    tau2: float, *, restricted: bool = True, typical: float | None = None,
) -> TauSquaredInterval:  # fmt: skip
    """Return an interval of tau2.

    Parameters
    ----------
    y, v : (k,) float64
    x : (k, p) float64
    method, level
    tau2
        The estimate, from which the profile likelihood falls.
    restricted
        Profile the restricted likelihood.
    typical
        Sampling variance of I2 and H2; computed where not given.
    """
    chosen = TauSquaredIntervalMethod(method)
    if typical is None:
        typical = typical_variance(Projection.of(x, 1.0 / v), y.size - x.shape[1])
    if chosen is TauSquaredIntervalMethod.Q_PROFILE:
        low, high = q_profile(y, v, x, level)
    elif chosen is TauSquaredIntervalMethod.PROFILE_LIKELIHOOD:
        low, high = _profile_likelihood(y, v, x, level, tau2, restricted)
    else:
        raise UsageError("'none' is no interval of tau2", where="method")
    return TauSquaredInterval(
        low, high, i_squared(low, typical), i_squared(high, typical), h_squared(low, typical),
        h_squared(high, typical), chosen, level,
    )  # fmt: skip


def _profile_likelihood(
    y: Floats, v: Floats, x: Floats, level: float, tau2: float, restricted: bool
) -> tuple[float, float]:
    """Return where twice the log-likelihood has fallen by the quantile of chi-square(1)."""
    which = 1 if restricted else 0
    least = log_likelihoods(y, v, x, tau2)[which] - 0.5 * float(chdtri(1, 1.0 - level))

    def above(t: float) -> float:
        return log_likelihoods(y, v, x, t)[which] - least

    low = 0.0
    if tau2 > 0.0 and above(0.0) < 0.0:
        low = float(brentq(above, 0.0, tau2, xtol=1e-14 * tau2, rtol=1e-13))
    reach = max(tau2, float(v.mean()))
    while above(tau2 + reach) > 0.0:
        reach *= 4.0
        if reach > 1e200:
            return low, float("inf")
    high = brentq(above, tau2, tau2 + reach, xtol=1e-14 * (tau2 + reach), rtol=1e-13)
    return low, float(high)
