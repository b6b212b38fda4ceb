"""Profile-likelihood intervals of the IC50, of many curves at once.

All values of ln IC50 with ``RSS <= RSS_min (1 + t^2 / df)``, the other parameters fitted anew at
each (Bates and Watts, Nonlinear Regression Analysis, 1988, chapter 6). An end further than a
factor of `margin` from the doses is not determined.

For an absolute IC50 the curve is led through the wanted response at the tried dose by one further
point there: of a weight so large that it passes through it or, where that response was itself
estimated, of the weight of its own error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.assay.fit_curves import FittedCurves, minimise
from statera.assay.logistic import LN_IC50

__all__ = ["profile_absolute", "profile_ic50"]

Floats = NDArray[np.float64]

_WIDENINGS, _HALVINGS = 40, 30


@dataclass(frozen=True)
class _Level:
    """The response whose dose is profiled: ln of that dose, its error, and the point's weight."""

    response: float
    ln_dose: Floats
    ln_se: Floats
    weight: Floats

    def of(self, k: NDArray[np.int64]) -> _Level:
        return _Level(self.response, self.ln_dose[k], self.ln_se[k], self.weight[k])


def profile_ic50(
    fitted: FittedCurves, level: float = 0.95, margin: float = 10.0
) -> tuple[Floats, Floats]:
    """Return lower and upper ends of ln IC50, (n_curves,); infinite where not determined.

    Parameters
    ----------
    fitted
    level
        Of the interval.
    margin
        How far beyond the smallest and largest dose an end may lie, as a factor.
    """
    if LN_IC50 not in fitted.free:
        nothing = np.full(fitted.rss.size, np.nan)
        return nothing, nothing
    return _ends(fitted, level, margin, None)


def profile_absolute(
    fitted: FittedCurves,
    response: float,
    ln_dose: Floats,
    ln_se: Floats,
    response_se: float = 0.0,
    level: float = 0.95,
    margin: float = 10.0,
) -> tuple[Floats, Floats]:
    """Return the same of the dose with a stated response.

    Parameters
    ----------
    fitted
    response, response_se
        The response, and its standard error where it was estimated from controls.
    ln_dose, ln_se : (n_curves,) float64
        Estimate of the logarithm of its dose and the error, from which the search sets out; a
        curve without them has no interval.
    level, margin
        As of `profile_ic50`.
    """
    largest = 1e6 * np.max(fitted.weight, axis=1, initial=0.0)
    weight = largest
    if response_se > 0:
        with np.errstate(all="ignore"):
            weight = np.minimum(fitted.rss / fitted.df / response_se**2, largest)
    return _ends(fitted, level, margin, _Level(response, ln_dose, ln_se, weight))


def _ends(
    fitted: FittedCurves, level: float, margin: float, at: _Level | None
) -> tuple[Floats, Floats]:
    ends = np.full((2, fitted.rss.size), np.nan)
    usable = (fitted.df > 0) & (fitted.rss > 0) & np.isfinite(fitted.rss)
    usable &= ((fitted.weight > 0) & (fitted.curves.dose > 0)).any(axis=1)
    if at is not None:
        usable &= np.isfinite(at.ln_dose)
    k = np.flatnonzero(usable)
    if k.size == 0:
        return ends[0], ends[1]
    some = _some(fitted, k)
    limits = _limits(some, margin)
    critical = some.rss * (1.0 + student.ppf(0.5 + level / 2.0, some.df) ** 2 / some.df)
    for side, sign in enumerate((-1.0, 1.0)):
        ends[side, k] = _end(some, critical, sign, limits[side], None if at is None else at.of(k))
    return ends[0], ends[1]


def _some(fitted: FittedCurves, k: NDArray[np.int64]) -> FittedCurves:
    curves = fitted.curves
    return replace(
        fitted,
        curves=replace(
            curves,
            dose=curves.dose[k],
            response=curves.response[k],
            weight=curves.weight[k],
            names=tuple(curves.names[i] for i in k.tolist()),
        ),
        parameters=fitted.parameters[k],
        rss=fitted.rss[k],
        df=fitted.df[k],
        covariance=fitted.covariance[k],
        status=fitted.status[k],
        weight=fitted.weight[k],
    )


def _limits(fitted: FittedCurves, margin: float) -> tuple[Floats, Floats]:
    known = np.where((fitted.weight > 0) & (fitted.curves.dose > 0), fitted.curves.dose, np.nan)
    low, high = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
    return np.log(low / margin), np.log(high * margin)


def _end(
    fitted: FittedCurves, critical: Floats, sign: float, limit: Floats, level: _Level | None
) -> Floats:
    """Return one end: step out until the RSS is too large, then halve."""
    centre = fitted.parameters[:, LN_IC50] if level is None else level.ln_dose
    inside = centre.copy()
    with np.errstate(invalid="ignore"):
        error = fitted.standard_errors[:, LN_IC50] if level is None else level.ln_se
        step = 2.0 * error
    step = np.where(np.isfinite(step) & (step > 1e-6), np.minimum(step, 1.0), 0.3)
    warm, outside = fitted.parameters.copy(), np.full(inside.size, np.nan)
    top = np.sqrt(critical - fitted.rss)
    below, above = np.zeros(inside.size), np.zeros(inside.size)
    open_ = sign * (limit - inside) > 0
    end = np.where(open_, np.nan, sign * np.inf)
    for _ in range(_WIDENINGS):
        k = np.flatnonzero(open_ & np.isnan(outside))
        if k.size == 0:
            break
        at = inside[k] + sign * step[k]
        at = np.where(sign * (at - limit[k]) > 0, limit[k], at)
        p, rss = _refitted(fitted, k, at, warm[k], level)
        over = rss > critical[k]
        root = np.sqrt(np.maximum(rss - fitted.rss[k], 0.0))
        outside[k[over]], above[k[over]] = at[over], root[over]
        inside[k[~over]], warm[k[~over]] = at[~over], p[~over]
        below[k[~over]] = root[~over]
        reached = ~over & (at == limit[k])
        end[k[reached]] = sign * np.inf
        open_[k[reached]] = False
        step[k] *= 1.6
    k = np.flatnonzero(open_ & ~np.isnan(outside))
    for turn in range(_HALVINGS):
        far = np.abs(outside[k] - inside[k])
        k = k[far > 1e-7 * (1.0 + np.abs(inside[k]))]
        if k.size == 0:
            break
        # the root of the RSS's rise is near straight: cut it there, and halve every third time
        share = np.clip((top[k] - below[k]) / (above[k] - below[k]), 0.02, 0.98)
        share = np.full(k.size, 0.5) if turn % 3 == 2 else share
        at = inside[k] + share * (outside[k] - inside[k])
        p, rss = _refitted(fitted, k, at, warm[k], level)
        over = rss > critical[k]
        root = np.sqrt(np.maximum(rss - fitted.rss[k], 0.0))
        outside[k[over]], above[k[over]] = at[over], root[over]
        inside[k[~over]], warm[k[~over]] = at[~over], p[~over]
        below[k[~over]] = root[~over]
    found = np.isnan(end) & open_ & ~np.isnan(outside)
    return np.where(found, 0.5 * (inside + outside), end)


def _refitted(
    fitted: FittedCurves, k: NDArray[np.int64], at: Floats, start: Floats, level: _Level | None
) -> tuple[Floats, Floats]:
    some = _some(fitted, k)
    if level is None:
        begin = start.copy()
        begin[:, LN_IC50] = at
        rest = fitted.free[fitted.free != LN_IC50]
        p, rss, _ = minimise(some.curves, some.weight, begin, rest, 40)
        return p, rss
    point = np.exp(at)[:, None]
    curves = replace(
        some.curves,
        dose=np.hstack([some.curves.dose, point]),
        response=np.hstack([some.curves.response, np.full_like(point, level.response)]),
    )
    weight = np.hstack([some.weight, level.weight[k][:, None]])
    p, rss, _ = minimise(curves, weight, start, fitted.free, 60)
    return p, rss
