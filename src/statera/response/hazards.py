"""Cumulative hazards and log hazards of times to an event, with first and second derivatives.

With eta the linear predictor:

======================  ==============================================  =========================
``exponential``         h = exp(eta)
``weibull``             h = k t^(k-1) exp(eta)                          ln shape
``gompertz``            h = exp(rate t) exp(eta)                        rate
``log-logistic``        H = ln(1 + (t/s)^k) exp(eta)                    ln scale, ln shape
``log-logistic-odds``   H = ln(1 + exp(eta) t^k)                        ln shape
``piecewise``           h = exp(a_j) exp(eta) between cuts              ln rate of each piece
======================  ==============================================  =========================

All but one are proportional hazards; ``log-logistic-odds`` is proportional odds of having had the
event. Formulas as in Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2nd
ed. 2002 (doi 10.1002/9781118032985), chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from statera.response.outcomes import Rows

__all__ = ["HAZARDS", "Hazard", "HazardName"]

Floats = NDArray[np.float64]
HazardName = Literal[
    "exponential", "weibull", "gompertz", "log-logistic", "log-logistic-odds", "piecewise"
]
HAZARDS: tuple[HazardName, ...] = get_args(HazardName)

_BASELINE: dict[str, tuple[str, ...]] = {
    "exponential": (),
    "weibull": ("ln shape",),
    "gompertz": ("rate",),
    "log-logistic": ("ln scale", "ln shape"),
    "log-logistic-odds": ("ln shape",),
}


@dataclass(frozen=True)
class Hazard:
    """A family of hazards.

    Attributes
    ----------
    name
        See the table above.
    cuts
        Times at which a piecewise constant hazard changes, rising.
    """

    name: HazardName
    cuts: tuple[float, ...] = ()

    @property
    def baseline(self) -> tuple[str, ...]:
        """Names of the baseline parameters."""
        if self.name == "piecewise":
            ends = (0.0, *self.cuts, np.inf)
            return tuple(f"ln rate {a:g} to {b:g}" for a, b in pairwise(ends))
        return _BASELINE[self.name]

    @property
    def intercept(self) -> bool:
        """Whether the linear predictor has an intercept."""
        return self.name not in ("log-logistic", "piecewise")

    def cumulative(self, t: Floats, eta: Floats, a: Floats) -> Rows:
        """Return the cumulative hazard at times `t`, (n,) not negative and finite."""
        if self.name == "log-logistic-odds":
            return _where_late(t, _softplus(_power(t, eta, a)))
        base = self._base(t, a)
        return _times_exp(eta, base)

    def log_hazard(self, t: Floats, eta: Floats, a: Floats) -> Rows:
        """Return the log hazard at positive times `t`, (n,)."""
        n, m = t.size, a.size + 1
        ln_t = np.log(t)
        slope, curve = np.zeros((n, m)), np.zeros((n, m, m))
        slope[:, 0] = 1.0
        if self.name == "exponential":
            return Rows(eta.copy(), slope, curve)
        if self.name == "gompertz":
            slope[:, 1] = t
            return Rows(eta + a[0] * t, slope, curve)
        if self.name == "piecewise":
            piece = self.piece(t)
            slope[np.arange(n), 1 + piece] = 1.0
            return Rows(eta + a[piece], slope, curve)
        if self.name == "weibull":
            shape = np.exp(a[0])
            slope[:, 1] = 1.0 + shape * ln_t
            curve[:, 1, 1] = shape * ln_t
            return Rows(eta + a[0] + (shape - 1.0) * ln_t, slope, curve)
        # log-logistic: ln h = [eta] + ln k - ln t + v - ln(1 + e^v), v = k ln(t / s) [+ eta]
        odds = self.name == "log-logistic-odds"
        v = _power(t, eta, a) if odds else _scaled_power(t, a)
        soft = _softplus(v)
        slope = v.slope - soft.slope
        slope[:, -1] += 1.0
        if not odds:
            slope[:, 0] += 1.0
        value = a[-1] - ln_t + v.value - soft.value + (0.0 if odds else eta)
        return Rows(value, slope, v.curve - soft.curve)

    def piece(self, t: Floats) -> NDArray[np.int64]:
        """Return the piece in which each time lies; a time at a cut ends its piece."""
        return np.searchsorted(np.asarray(self.cuts), t, side="left").astype(np.int64)

    def spans(self, t: Floats) -> Floats:
        """Return the time spent in each piece until `t`, (n, pieces)."""
        ends = np.array([0.0, *self.cuts, np.inf])
        return np.asarray(np.clip(t[:, None], ends[:-1], ends[1:]) - ends[:-1])

    def _base(self, t: Floats, a: Floats) -> Rows:
        """Return H / exp(eta) by (eta, baseline); the column of eta is left at 0."""
        n, m = t.size, a.size + 1
        slope, curve = np.zeros((n, m)), np.zeros((n, m, m))
        if self.name == "exponential":
            return Rows(t, slope, curve)
        if self.name == "piecewise":
            parts = np.exp(a) * self.spans(t)
            slope[:, 1:] = parts
            curve[:, np.arange(1, m), np.arange(1, m)] = parts
            return Rows(parts.sum(axis=1), slope, curve)
        if self.name == "gompertz":
            zero, one, two = _grown(a[0] * t)
            slope[:, 1], curve[:, 1, 1] = t**2 * one, t**3 * two
            return Rows(t * zero, slope, curve)
        if self.name == "log-logistic":
            return _where_late(t, _softplus(_scaled_power(t, a)))
        shape = np.exp(a[0])
        ln_t = shape * np.log(np.where(t > 0, t, 1.0))
        value = np.where(t > 0, np.exp(ln_t), 0.0)
        slope[:, 1], curve[:, 1, 1] = value * ln_t, value * ln_t * (1.0 + ln_t)
        return Rows(value, slope, curve)


def _times_exp(eta: Floats, base: Rows) -> Rows:
    """Return exp(eta) times a function of the baseline."""
    factor = np.exp(eta)
    value = factor * base.value
    slope = factor[:, None] * base.slope
    curve = factor[:, None, None] * base.curve
    curve[:, 0, 1:] = curve[:, 1:, 0] = slope[:, 1:]
    curve[:, 0, 0] = slope[:, 0] = value
    return Rows(value, slope, curve)


def _power(t: Floats, eta: Floats, a: Floats) -> Rows:
    """Return eta + exp(a) ln t; at time 0 that of time 1, which `_where_late` sets to 0."""
    n = t.size
    part = np.exp(a[0]) * np.log(np.where(t > 0, t, 1.0))
    curve = np.zeros((n, 2, 2))
    curve[:, 1, 1] = part
    return Rows(eta + part, np.column_stack([np.ones(n), part]), curve)


def _scaled_power(t: Floats, a: Floats) -> Rows:
    """Return exp(a1) (ln t - a0) by (eta, a0, a1)."""
    n = t.size
    shape = np.exp(a[1])
    v = shape * (np.log(np.where(t > 0, t, 1.0)) - a[0])
    slope = np.column_stack([np.zeros(n), np.full(n, -shape), v])
    curve = np.zeros((n, 3, 3))
    curve[:, 1, 2] = curve[:, 2, 1] = -shape
    curve[:, 2, 2] = v
    return Rows(v, slope, curve)


def _softplus(v: Rows) -> Rows:
    """Return ln(1 + e^v)."""
    p = expit(v.value)
    curve = p[:, None, None] * v.curve
    curve = curve + (p * (1.0 - p))[:, None, None] * v.slope[:, :, None] * v.slope[:, None, :]
    return Rows(np.logaddexp(0.0, v.value), p[:, None] * v.slope, curve)


def _where_late(t: Floats, rows: Rows) -> Rows:
    """Return 0 for times of 0."""
    late = (t > 0).astype(float)
    return Rows(late * rows.value, late[:, None] * rows.slope, late[:, None, None] * rows.curve)


def _grown(z: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (e^z - 1) / z and its first two derivatives, also about z = 0."""
    small = np.abs(z) < 0.3
    safe = np.where(small, 1.0, z)
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(safe)
        zero = np.expm1(safe) / safe
        one = (e * (safe - 1.0) + 1.0) / safe**2
        two = (e * (safe**2 - 2.0 * safe + 2.0) - 2.0) / safe**3
    series = np.zeros((3, z.size))
    term = np.ones(z.size)  # z^k / k!
    for k in range(16):
        series += np.outer(1.0 / np.array([k + 1.0, k + 2.0, k + 3.0]), term)
        term = term * z / (k + 1.0)
    return (
        np.where(small, series[0], zero),
        np.where(small, series[1], one),
        np.where(small, series[2], two),
    )
