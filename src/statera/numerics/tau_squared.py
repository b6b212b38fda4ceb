"""Variance between studies, donors or laboratories: estimates that each have a known error.

Model: ``y_i = x_i' beta + u_i + e_i``, ``var(e_i) = v_i`` known, ``var(u_i) = tau2`` wanted. With
``w = 1 / (v + tau2)`` and ``P = W - W X (X'WX)^-1 X'W``, all below needs weighted sums only: time
and memory grow with the number of rows.

Sources: DerSimonian and Laird, Control Clin Trials 1986; Hedges and Olkin 1985 (HE); Hunter and
Schmidt 2004 (HS); Paule and Mandel, J Res NBS 1982; Sidik and Jonkman, JRSS C 2005; Viechtbauer,
J Educ Behav Stat 2005 (ML, REML); Q-profile: Viechtbauer, Stat Med 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from statera.errors import InputError

__all__ = ["TauSquared", "TauSquaredMethod", "WeightedFit", "tau_squared", "weighted_fit"]

Floats = NDArray[np.float64]


class TauSquaredMethod(StrEnum):
    """Estimator of the variance."""

    REML = "REML"
    ML = "ML"
    DERSIMONIAN_LAIRD = "DL"
    PAULE_MANDEL = "PM"
    HEDGES = "HE"
    HUNTER_SCHMIDT = "HS"
    SIDIK_JONKMAN = "SJ"


@dataclass(frozen=True)
class TauSquared:
    """An estimate of the variance.

    Attributes
    ----------
    value
        At least 0.
    se
        By the expected information, of ML and REML; NaN for the others.
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


@dataclass(frozen=True)
class WeightedFit:
    """Weighted least squares at one tau2.

    Attributes
    ----------
    beta : (p,) float64
    covariance : (p, p) float64
        ``(X'WX)^-1``.
    residuals, weights : (k,) float64
    q
        Weighted sum of squared residuals.
    trace_p, trace_pp
        Of P and of PP.
    log_determinant
        Of X'WX.
    """

    beta: Floats
    covariance: Floats
    residuals: Floats
    weights: Floats
    q: float
    trace_p: float
    trace_pp: float
    log_determinant: float


def tau_squared(
    estimates: ArrayLike,
    variances: ArrayLike,
    method: TauSquaredMethod | str = TauSquaredMethod.REML,
    design: ArrayLike | None = None,
    level: float = 0.95,
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

    Raises
    ------
    InputError
        If a value is not finite, a variance not above 0, the design does not have full rank, or
        there are not more rows than columns.
    """
    y, v, x = checked(estimates, variances, design)
    try:
        chosen = TauSquaredMethod(method)
    except ValueError:
        known = ", ".join(TauSquaredMethod)
        raise InputError(f"'{method}' is no estimator of tau2", hint=f"Known: {known}.") from None
    df = y.size - x.shape[1]
    common = weighted_fit(y, v, x, 0.0)
    raw = _raw(y, v, x, common, chosen)
    value = max(raw, 0.0)
    se = float("nan")
    if chosen in (TauSquaredMethod.ML, TauSquaredMethod.REML):
        fit = weighted_fit(y, v, x, value)
        reml = chosen is TauSquaredMethod.REML
        information = fit.trace_pp if reml else float(np.sum(fit.weights**2))
        se = float(np.sqrt(2.0 / information))
        truncated = value == 0.0 and _score(fit, reml) < 0
    else:
        truncated = raw < 0
    shares = (0.5 + level / 2.0, 0.5 - level / 2.0)
    low, high = (_q_equal(y, v, x, float(chi2.ppf(share, df))) for share in shares)
    return TauSquared(value, se, truncated, (low, high), chosen, common.q, df)


def checked(
    estimates: ArrayLike, variances: ArrayLike, design: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return estimates, variances and design as arrays, after all checks of `tau_squared`."""
    y = np.asarray(estimates, dtype=np.float64).ravel()
    v = np.asarray(variances, dtype=np.float64).ravel()
    x = np.ones((y.size, 1)) if design is None else np.asarray(design, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None]
    if not y.size == v.size == x.shape[0]:
        raise InputError(f"{y.size} estimates, {v.size} variances, {x.shape[0]} rows of design")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and np.isfinite(x).all()):
        raise InputError("an estimate, variance or covariate is no number")
    if not (v > 0).all():
        raise InputError(f"the variance of row {int(np.argmin(v))} is not above 0")
    if y.size <= x.shape[1]:
        raise InputError(
            f"{y.size} rows cannot show a variance beside {x.shape[1]} coefficients",
            hint="Two rows more than coefficients are the least.",
        )
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError("columns of the design depend on each other", where="design")
    return y, v, x


def weighted_fit(y: Floats, v: Floats, x: Floats, tau2: float) -> WeightedFit:
    """Return the weighted least squares with weights ``1 / (v + tau2)``."""
    w = 1.0 / (v + tau2)
    a = x.T @ (w[:, None] * x)
    inverse: Floats = np.asarray(np.linalg.inv(a), dtype=np.float64)
    beta = inverse @ (x.T @ (w * y))
    r = y - x @ beta
    second = inverse @ (x.T @ ((w**2)[:, None] * x))
    third = inverse @ (x.T @ ((w**3)[:, None] * x))
    trace_p = float(w.sum() - np.trace(second))
    trace_pp = float((w**2).sum() - 2.0 * np.trace(third) + np.trace(second @ second))
    return WeightedFit(
        beta, inverse, r, w, float(np.sum(w * r * r)), trace_p, trace_pp,
        float(np.linalg.slogdet(a)[1]),
    )  # fmt: skip


def _raw(y: Floats, v: Floats, x: Floats, common: WeightedFit, method: TauSquaredMethod) -> float:
    k, p = int(x.shape[0]), int(x.shape[1])
    if method is TauSquaredMethod.DERSIMONIAN_LAIRD:
        return (common.q - (k - p)) / common.trace_p
    if method is TauSquaredMethod.HUNTER_SCHMIDT:
        return (common.q - k) / float(common.weights.sum())
    if method is TauSquaredMethod.PAULE_MANDEL:
        return _q_equal(y, v, x, float(k - p)) if common.q > k - p else _below(common.q < k - p)
    if method is TauSquaredMethod.HEDGES:
        plain = weighted_fit(y, np.ones(k), x, 0.0)
        leverage = np.einsum("ki,ij,kj->k", x, plain.covariance, x)
        return (plain.q - float(np.sum(v * (1.0 - leverage)))) / (k - p)
    if method is TauSquaredMethod.SIDIK_JONKMAN:
        first = float(np.var(y))
        if first == 0:
            return 0.0
        return weighted_fit(y, v / first, x, 1.0).q / (k - p)
    return _likelihood(y, v, x, common, method is TauSquaredMethod.REML)


def _below(is_below: bool) -> float:
    return -np.finfo(np.float64).tiny if is_below else 0.0


def _q_equal(y: Floats, v: Floats, x: Floats, wanted: float) -> float:
    """Return the tau2 whose Q is the wanted value, 0 where even tau2 = 0 has less."""

    def over(t: float) -> float:
        return weighted_fit(y, v, x, t).q - wanted

    if over(0.0) <= 0:
        return 0.0
    if wanted <= 0:
        return float("inf")
    high = float(np.mean(v) + np.var(y))
    while over(high) > 0:
        high *= 4.0
        if high > 1e300:
            return float("inf")
    return float(brentq(over, 0.0, high, xtol=1e-300, rtol=1e-14, maxiter=500))


def _score(fit: WeightedFit, reml: bool) -> float:
    """Return twice the derivative of the log-likelihood by tau2."""
    trace = fit.trace_p if reml else float(fit.weights.sum())
    return float(np.sum((fit.weights * fit.residuals) ** 2)) - trace


def _log_likelihood(fit: WeightedFit, reml: bool) -> float:
    found = 0.5 * float(np.sum(np.log(fit.weights))) - 0.5 * fit.q
    return found - 0.5 * fit.log_determinant if reml else found


def _likelihood(y: Floats, v: Floats, x: Floats, common: WeightedFit, reml: bool) -> float:
    """Return the best end of Fisher scoring from several starts: there may be two maxima."""
    k, p = x.shape
    moments = max((common.q - (k - p)) / common.trace_p, 0.0)
    best, highest = 0.0, _log_likelihood(common, reml)
    for start in (moments, float(np.var(y)), float(np.min(v))):
        t, fit = start, weighted_fit(y, v, x, start)
        value = _log_likelihood(fit, reml)
        for _ in range(200):
            information = fit.trace_pp if reml else float(np.sum(fit.weights**2))
            step = _score(fit, reml) / information
            new, again = max(t + step, 0.0), 0
            while True:
                tried = weighted_fit(y, v, x, new)
                reached = _log_likelihood(tried, reml)
                if reached >= value - 1e-13 * abs(value) or again > 40:
                    break
                new, again = t + (new - t) / 2.0, again + 1
            small = abs(new - t) <= 1e-14 * (new + float(np.min(v)))
            t, fit, value = new, tried, reached
            if small:
                break
        if value > highest:
            best, highest = t, value
    return best
