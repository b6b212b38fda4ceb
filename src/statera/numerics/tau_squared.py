"""Variance between studies, donors or laboratories: estimates that each have a known error.

Model: ``y_i = x_i' beta + u_i + e_i``, ``var(e_i) = v_i`` known, ``var(u_i) = tau2`` wanted. With
``w = 1 / (v + tau2)`` and ``P = W - W X (X'WX)^-1 X'W``, all below needs weighted sums only: time
and memory grow with the number of rows.

Sources: DerSimonian and Laird, Control Clin Trials 1986;7:177; Hedges and Olkin 1985 (HE); Hunter
and Schmidt 2004 (HS), with Brannick and others, J Appl Psychol 2019 (HSk); Paule and Mandel, J Res
NBS 1982;87:377; Sidik and Jonkman, JRSS C 2005;54:367; Morris, JASA 1983;78:47 (EB); Viechtbauer, J
Educ Behav Stat 2005;30:261 (ML, REML); generalised Q: Jackson, Res Synth Methods 2013;4:220; median
unbiased: the method GENQM of the R package metafor; Q-profile: Viechtbauer, Stat Med 2007;26:37.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri

from statera.errors import InputError
from statera.numerics.quadratic_forms import generalised_q_median
from statera.numerics.tau_squared_roots import (
    highest_likelihood,
    q_equal,
    score_at_zero_is_negative,
)
from statera.numerics.weighted_fit import Projection, WeightedFit, checked, weighted_fit

__all__ = [
    "TauSquared",
    "TauSquaredMethod",
    "WeightedFit",
    "checked",
    "estimate_tau_squared",
    "q_profile",
    "tau_squared",
    "tau_squared_method",
    "weighted_fit",
]

Floats = NDArray[np.float64]


class TauSquaredMethod(StrEnum):
    """Estimator of the variance.

    The iterated forms of DL and SJ, and EB, solve the equation of PM and are found from it.
    """

    REML = "REML"
    ML = "ML"
    DERSIMONIAN_LAIRD = "DL"
    PAULE_MANDEL = "PM"
    HEDGES = "HE"
    HUNTER_SCHMIDT = "HS"
    SIDIK_JONKMAN = "SJ"
    HUNTER_SCHMIDT_CORRECTED = "HSk"
    EMPIRICAL_BAYES = "EB"
    PAULE_MANDEL_MEDIAN = "PMM"
    DERSIMONIAN_LAIRD_ITERATED = "DLIT"
    SIDIK_JONKMAN_ITERATED = "SJIT"
    GENERALISED_Q = "GENQ"
    GENERALISED_Q_MEDIAN = "GENQM"


_OF_Q = frozenset({"PM", "PMM", "EB", "DLIT", "SJIT"})
_GENERALISED = frozenset({"GENQ", "GENQM"})


@dataclass(frozen=True)
class TauSquared:
    """An estimate of the variance.

    Attributes
    ----------
    value
        At least 0.
    se
        Of the estimate: by the expected information of ML and REML, by the variance of its
        quadratic form for the others, at the estimate.
    truncated
        Whether the estimate would have been below 0.
    interval
        Q-profile, of the level asked for.
    method
    q
        Cochran's Q: weighted sum of squares with ``tau2 = 0``.
    df
        Rows less columns of the design.
    """

    value: float
    se: float
    truncated: bool
    interval: tuple[float, float]
    method: TauSquaredMethod
    q: float
    df: int


def tau_squared_method(name: TauSquaredMethod | str) -> TauSquaredMethod:
    """Return the estimator of that name, such as ``REML``; upper or lower case."""
    for method in TauSquaredMethod:
        if method.value.lower() == str(name).strip().lower():
            return method
    known = ", ".join(TauSquaredMethod)
    raise InputError(f"'{name}' is no estimator of tau2", hint=f"Known: {known}.")


def tau_squared(
    estimates: ArrayLike,
    variances: ArrayLike,
    method: TauSquaredMethod | str = TauSquaredMethod.REML,
    design: ArrayLike | None = None,
    level: float = 0.95,
    weights: ArrayLike | None = None,
) -> TauSquared:
    """Estimate the variance between rows.

    Parameters
    ----------
    estimates, variances : (k,) float64
        Of the rows; variances above 0.
    method
    design : (k, p) float64
        Columns of a regression; a constant where not given.
    level
        Of the interval.
    weights : (k,) float64
        Of the generalised Q; reciprocal variances where not given.

    Raises
    ------
    InputError
        If a value is not finite, a variance not above 0, the design does not have full rank, or
        there are not more rows than columns.
    """
    y, v, x = checked(estimates, variances, design)
    chosen = tau_squared_method(method)
    given = None if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    value, se, truncated = estimate_tau_squared(y, v, x, chosen, given)
    common = weighted_fit(y, v, x, 0.0)
    df = y.size - x.shape[1]
    return TauSquared(value, se, truncated, q_profile(y, v, x, level), chosen, common.q, df)


def q_profile(y: Floats, v: Floats, x: Floats, level: float) -> tuple[float, float]:
    """Return the tau2 whose Q are the quantiles of chi-square: an exact interval."""
    df = y.size - x.shape[1]
    low, high = (float(chdtri(df, 0.5 + side * level / 2.0)) for side in (-1.0, 1.0))
    first = q_equal(y, v, x, low)
    return first, q_equal(y, v, x, high, first)


def estimate_tau_squared(
    y: Floats, v: Floats, x: Floats, method: TauSquaredMethod, weights: Floats | None = None
) -> tuple[float, float, bool]:
    """Return estimate, standard error and whether it was cut at 0, of rows already checked."""
    if method in (TauSquaredMethod.REML, TauSquaredMethod.ML):
        return _by_likelihood(y, v, x, method is TauSquaredMethod.REML)
    if method.value in _OF_Q:
        return _by_q(y, v, x, method)
    return _by_moments(y, v, x, method, weights)


def _by_likelihood(y: Floats, v: Floats, x: Floats, reml: bool) -> tuple[float, float, bool]:
    value = highest_likelihood(y, v, x, reml)
    w = 1.0 / (v + value)
    information = Projection.of(x, w).trace_of_two(w, w) if reml else float(w @ w)
    truncated = value == 0.0 and score_at_zero_is_negative(y, v, x, reml)
    return value, float(np.sqrt(2.0 / information)), truncated


def _by_q(y: Floats, v: Floats, x: Floats, method: TauSquaredMethod) -> tuple[float, float, bool]:
    k, p = x.shape
    wanted = float(k - p)
    if method is TauSquaredMethod.PAULE_MANDEL_MEDIAN:
        wanted = float(chdtri(k - p, 0.5))
    value = q_equal(y, v, x, wanted)
    total = float(np.sum(1.0 / (v + value)))
    se = float(np.sqrt(2.0 * k**2 / (k - p)) / total)
    truncated = value == 0.0 and weighted_fit(y, v, x, 0.0).q < wanted
    return value, se, truncated


def _by_moments(
    y: Floats, v: Floats, x: Floats, method: TauSquaredMethod, weights: Floats | None
) -> tuple[float, float, bool]:
    """Return an estimate by a quadratic form y'Py, whose mean is tr(PV) + tau2 tr(P)."""
    k, p = x.shape
    scale = 1.0
    match method:
        case TauSquaredMethod.HEDGES:
            a = np.ones(k)
        case TauSquaredMethod.SIDIK_JONKMAN:
            first = float(np.var(y))
            if first == 0.0:
                return 0.0, float("nan"), False
            a = 1.0 / (v + first)
            scale = first
        case _ if method.value in _GENERALISED and weights is not None:
            if weights.shape != y.shape or not (np.isfinite(weights) & (weights > 0.0)).all():
                raise InputError("weights must be one positive number a row", where="weights")
            a = weights
        case _:
            a = 1.0 / v
    projection = Projection.of(x, a)
    residual = projection.residual(projection.root * y)
    form = float(residual @ residual)
    trace, scaled = projection.trace(a), a * v
    match method:
        case TauSquaredMethod.HUNTER_SCHMIDT:
            divisor = float(a.sum())
            raw = (form - k) / divisor
        case TauSquaredMethod.HUNTER_SCHMIDT_CORRECTED:
            divisor = float(a.sum()) * (k - p) / k
            raw = (form * k / (k - p) - k) / float(a.sum())
        case TauSquaredMethod.SIDIK_JONKMAN:
            divisor = (k - p) / scale
            raw = form / divisor
        case TauSquaredMethod.GENERALISED_Q_MEDIAN:
            divisor = trace
            raw = generalised_q_median(projection, v, form)
        case _:
            divisor = trace
            raw = (form - projection.trace(scaled)) / divisor
    value = max(raw, 0.0)
    spread = (
        projection.trace_of_two(scaled, scaled)
        + 2.0 * value * projection.trace_of_two(scaled, a)
        + value**2 * projection.trace_of_two(a, a)
    )
    return value, float(np.sqrt(2.0 * spread) / divisor), raw < 0.0
