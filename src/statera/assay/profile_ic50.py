"""Profile-likelihood intervals of the IC50, of many curves at once.

All values of ln IC50 with ``RSS <= RSS_min (1 + t^2 / df)``, the other parameters fitted anew at
each (Bates and Watts, Nonlinear Regression Analysis, 1988, chapter 6). An end further than a
factor of `margin` from the doses is not determined.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.assay.fit_curves import FittedCurves, minimise
from statera.assay.logistic import LN_IC50

__all__ = ["profile_ic50"]

Floats = NDArray[np.float64]

_WIDENINGS, _HALVINGS = 40, 30


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
    ends = np.full((2, fitted.rss.size), np.nan)
    k = np.flatnonzero((fitted.df > 0) & (fitted.rss > 0) & np.isfinite(fitted.rss))
    if k.size == 0 or LN_IC50 not in fitted.free:
        return ends[0], ends[1]
    some = _some(fitted, k)
    limits = _limits(some, margin)
    critical = some.rss * (1.0 + student.ppf(0.5 + level / 2.0, some.df) ** 2 / some.df)
    for side, sign in enumerate((-1.0, 1.0)):
        ends[side, k] = _end(some, critical, sign, limits[side])
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


def _end(fitted: FittedCurves, critical: Floats, sign: float, limit: Floats) -> Floats:
    """Return one end: step out until the RSS is too large, then halve."""
    rest = fitted.free[fitted.free != LN_IC50]
    inside = fitted.parameters[:, LN_IC50].copy()
    with np.errstate(invalid="ignore"):
        step = 2.0 * fitted.standard_errors[:, LN_IC50]
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
        p, rss = _refitted(fitted, k, at, warm[k], rest)
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
        p, rss = _refitted(fitted, k, at, warm[k], rest)
        over = rss > critical[k]
        root = np.sqrt(np.maximum(rss - fitted.rss[k], 0.0))
        outside[k[over]], above[k[over]] = at[over], root[over]
        inside[k[~over]], warm[k[~over]] = at[~over], p[~over]
        below[k[~over]] = root[~over]
    found = np.isnan(end) & open_ & ~np.isnan(outside)
    return np.where(found, 0.5 * (inside + outside), end)


def _refitted(
    fitted: FittedCurves,
    k: NDArray[np.int64],
    at: Floats,
    start: Floats,
    rest: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    some = _some(fitted, k)
    begin = start.copy()
    begin[:, LN_IC50] = at
    p, rss, _ = minimise(some.curves, some.weight, begin, rest, 40)
    return p, rss
