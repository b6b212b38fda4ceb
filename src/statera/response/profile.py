"""Intervals from the profile likelihood: what the data say of one parameter, others fitted anew.

All values whose profile lies within half the chi-square quantile (1 degree of freedom) of the
maximum (Venzon and Moolgavkar, Appl Stat 1988;37:87-94). An end that the likelihood never reaches
is infinite: the data do not bound the parameter on that side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from statera.errors import InputError, UnknownNameError
from statera.numerics.intervals_exact import check_level
from statera.response.fit import FAR, ResponseFit, likelihood_of, start_of
from statera.response.maximise import maximise

__all__ = ["profile_deviance", "profile_interval"]

Floats = NDArray[np.float64]
_WIDENINGS = 40


def profile_interval(fit: ResponseFit, name: str, level: float = 0.95) -> tuple[float, float]:
    """Return the ends of a profile interval, on the scale of the parameter.

    Parameters
    ----------
    fit
    name
        Of the parameter, such as ``ln EC50``.
    level
        Of the interval.

    Raises
    ------
    UnknownNameError
        If there is no such parameter.
    InputError
        If the fit has no maximum.
    """
    if name not in fit.parameters:
        raise UnknownNameError("parameter", name, fit.parameters)
    if not np.isfinite(fit.theta).all():
        raise InputError(f"there is no profile without a maximum ({fit.status})", where="fit")
    critical = float(chi2.ppf(check_level(level), 1))
    return _end(fit, name, critical, -1.0), _end(fit, name, critical, 1.0)


def profile_deviance(fit: ResponseFit, name: str, values: Floats) -> Floats:
    """Return twice the fall of the profile log-likelihood at values of a parameter, (n,)."""
    at = _profile(fit, name)
    return np.array([at(float(v)) for v in values])


def _profile(fit: ResponseFit, name: str) -> Callable[[float], float]:
    k = fit.parameters.index(name)
    function = likelihood_of(fit.problem, fit.firth)
    free = np.ones(fit.theta.size, dtype=bool)
    free[k] = False
    known: list[tuple[float, Floats]] = [(float(fit.theta[k]), fit.theta)]

    @cache  # a value has one answer, however often and from wherever it is asked
    def deviance(value: float) -> float:
        # the nearest point already fitted is where the search sets out
        start = min(known, key=lambda pair: abs(pair[0] - value))[1].copy()
        start = fit.problem.moved(start, value) if name == "ln EC50" else start
        start[k] = value
        found = maximise(function, start, free)
        if found.status != "converged":  # a second start: a search that failed is no evidence
            start = start_of(fit.problem)
            start[k] = value
            other = maximise(function, start, free)
            found = max(found, other, key=lambda m: np.nan_to_num(m.at.value, nan=-np.inf))
        if not np.isfinite(found.at.value):
            return np.inf
        known.append((value, found.x))
        return 2.0 * (fit.log_likelihood - found.at.value)

    return deviance


def _end(fit: ResponseFit, name: str, critical: float, sign: float) -> float:
    k = fit.parameters.index(name)
    centre, error = float(fit.theta[k]), float(fit.standard_errors[k])
    limit = centre + sign * np.inf
    step = error if np.isfinite(error) and error > 0 else 0.5
    if name == "ln EC50":
        x = fit.problem.exposure[fit.problem.exposure > 0]
        limit = float(np.log(x.min() / FAR) if sign < 0 else np.log(x.max() * FAR))
        step = min(step, 1.5)
    if name == "ln Hill":
        limit, step = sign * float(np.log(50.0)), min(step, 1.0)
    deviance = _profile(fit, name)
    inside = centre
    for _ in range(_WIDENINGS):
        outside = inside + sign * step
        beyond = sign * (outside - limit) >= 0
        outside = limit if beyond else outside
        if deviance(outside) > critical:
            found = brentq(lambda v: deviance(v) - critical, inside, outside, xtol=1e-7, rtol=1e-7)
            return float(found)
        if beyond:
            break
        inside, step = outside, 1.5 * step
    return float(sign * np.inf)
