"""Pairwise evidence synthesis: one effect from several studies, or its regression on moderators.

Common and random effects: Hedges and Olkin 1985; DerSimonian and Laird, Control Clin Trials
1986;7:177. Hartung and Knapp: Stat Med 2001;20:3875; Knapp and Hartung, Stat Med 2003;22:2693, with
the variant that is never narrower than Wald (``adhoc``). Conventions of printed numbers are those
of metafor (Viechtbauer, J Stat Softw 2010;36(3)), against which all are tested.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc, ndtr, stdtr, stdtrit

from statera.errors import InputError
from statera.evidence.designs import design_of
from statera.evidence.effects import Effects
from statera.evidence.heterogeneity import (
    TauSquaredInterval,
    TauSquaredIntervalMethod,
    h_squared,
    i_squared,
    tau_squared_interval,
    typical_variance,
)
from statera.evidence.pairwise_result import (
    PairwiseOptions,
    PairwiseResult,
    PairwiseStatus,
    PairwiseTest,
)
from statera.evidence.prediction import PredictionConvention, prediction_interval
from statera.numerics.intervals_exact import normal_quantile
from statera.numerics.tau_squared import TauSquaredMethod, estimate_tau_squared
from statera.numerics.weighted_fit import Projection, is_constant

__all__ = [
    "PairwiseOptions",
    "PairwiseResult",
    "PairwiseStatus",
    "PairwiseTest",
    "pairwise",
]

Floats = NDArray[np.float64]
NAN = float("nan")
FEW = 5


def pairwise(
    effects: Effects,
    options: PairwiseOptions | None = None,
    moderators: Mapping[str, Sequence[Any]] | ArrayLike | None = None,
    *,
    fixed_tau2: float | None = None,
) -> PairwiseResult:
    """Pool the effects of several studies, or regress them on moderators.

    Parameters
    ----------
    effects
        Studies without a usable effect are left out and named in ``omitted``.
    options
        Estimator of tau2, test, level, prediction interval; REML and Wald where not given.
    moderators
        Values by name (k each, of all studies given), or a design (k, p) that holds its own
        intercept.
    fixed_tau2
        A known variance between studies, instead of an estimate.

    Returns
    -------
    PairwiseResult
        With a status: one study, none, or too few for the moderators give no error but a result
        that says so.

    Raises
    ------
    InputError
        If moderators or weights do not fit the studies.
    """
    chosen = options if options is not None else PairwiseOptions()
    usable = effects.is_usable
    used = effects.usable()
    design, terms = _design(moderators, len(effects))
    weights = _weights(chosen, len(effects), used, usable)
    if len(used) < len(effects):
        design = design[usable]
        weights = weights[usable] if weights is not None else None
    omitted = effects.omitted() if len(used) < len(effects) else ()
    k, p = design.shape
    if k == 0:
        return _empty(used, chosen, PairwiseStatus.NO_STUDY, terms, design, omitted)
    if k == 1 and p == 1 and is_constant(design):
        return _one_study(used, chosen, terms, design, omitted, fixed_tau2)
    if k <= p:
        return _empty(used, chosen, PairwiseStatus.TOO_FEW_STUDIES, terms, design, omitted)
    if p > 1 and np.linalg.matrix_rank(design / np.abs(design).max(axis=0).clip(1e-300)) < p:
        return _empty(used, chosen, PairwiseStatus.DEPENDENT_MODERATORS, terms, design, omitted)
    return _pooled(used, chosen, terms, design, weights, omitted, fixed_tau2)


def _design(
    moderators: Mapping[str, Sequence[Any]] | ArrayLike | None, k: int
) -> tuple[Floats, tuple[str, ...]]:
    if moderators is None:
        return np.ones((k, 1)), ("intercept",)
    if isinstance(moderators, Mapping):
        return design_of(moderators, k)
    design = np.asarray(moderators, dtype=np.float64)
    if design.ndim != 2 or design.shape[0] != k or not np.isfinite(design).all():
        raise InputError(
            "a design has one row of finite numbers a study",
            where="moderators",
            hint="Give (k, p), with its column of ones, or values by name.",
        )
    ones = [bool((column == 1.0).all()) for column in design.T]
    terms = tuple("intercept" if one else f"x{i}" for i, one in enumerate(ones))
    return design, terms


def _weights(
    options: PairwiseOptions, k: int, used: Effects, usable: NDArray[np.bool_]
) -> Floats | None:
    """Return given weights, or those that GENQ takes for granted."""
    if options.weights is not None:
        weights = np.asarray(options.weights, dtype=np.float64)
        if weights.shape != (k,):
            raise InputError(f"{weights.size} weights for {k} studies", where="weights")
        return weights
    if options.tau2 in (TauSquaredMethod.GENERALISED_Q, TauSquaredMethod.GENERALISED_Q_MEDIAN):
        every = np.ones(k)
        every[usable] = 1.0 / used.v
        return every
    return None


@dataclass(frozen=True)
class _Fit:
    beta: Floats
    covariance: Floats
    scale: float
    sum_of_squares: float
    weights: Floats
    weighted: Projection


def _fit(
    y: Floats, v: Floats, x: Floats, tau2: float, weights: Floats | None, options: PairwiseOptions
) -> _Fit:
    """Return coefficients with the covariance that the test uses."""
    projection = Projection.of(x, 1.0 / (v + tau2))
    w = projection.weights
    beta, covariance = projection.coefficients(y), projection.covariance()
    residual = y - x @ beta
    squares = float(w @ (residual * residual))
    scale = NAN
    if options.uses_t:
        scale = squares / (y.size - x.shape[1])
        # equal effects leave rounding alone; a factor made of that would print as nonsense
        scale = 0.0 if squares <= np.finfo(np.float64).eps else scale
    used = w
    if weights is not None:
        own = Projection.of(x, weights)
        beta = own.coefficients(y)
        spread = own.basis.T @ ((weights * (v + tau2))[:, None] * own.basis)
        inverse = np.linalg.inv(own.triangle)
        covariance = inverse @ spread @ inverse.T
        residual = y - x @ beta
        squares = float(w @ (residual * residual))
        used = weights
    if options.uses_t:
        limited = options.test is PairwiseTest.HARTUNG_KNAPP_AD_HOC
        covariance = covariance * (max(scale, 1.0) if limited else scale)
    return _Fit(beta, covariance, scale, squares, 100.0 * used / used.sum(), projection)


def _pooled(
    effects: Effects,
    options: PairwiseOptions,
    terms: tuple[str, ...],
    x: Floats,
    weights: Floats | None,
    omitted: tuple[tuple[str, str], ...],
    fixed_tau2: float | None,
) -> PairwiseResult:
    y, v = effects.y, effects.v
    k, p = x.shape
    tau2, se_tau2, truncated = _tau2(y, v, x, options, weights, fixed_tau2)
    fit = _fit(y, v, x, tau2, weights, options)
    null = Projection.of(x, 1.0 / v)
    residual = null.residual(null.root * y)
    q, typical = float(residual @ residual), typical_variance(null, k - p)
    if options.is_common:
        i2 = max(0.0, 100.0 * (q - (k - p)) / q) if q > 0.0 else 0.0
        h2 = q / (k - p)
    else:
        i2, h2 = i_squared(tau2, typical), h_squared(tau2, typical)
    se = np.sqrt(np.diag(fit.covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = fit.beta / se
    df, quantile = _quantile(options, k - p)
    qm, qm_df, qm_p = _test_of_moderators(fit, terms, df)
    fixed = options.is_common or fixed_tau2 is not None
    statistics = _fit_statistics(y, v, x, fit, tau2, p + (0 if fixed else 1), options)
    prediction = None
    wanted = options.prediction is not PredictionConvention.NONE
    if wanted and not options.is_common and terms == ("intercept",):
        prediction = prediction_interval(
            float(fit.beta[0]), float(se[0]), tau2, options.prediction,
            level=options.level, k=k, p=p, uses_t=options.uses_t,
        )  # fmt: skip
    return PairwiseResult(
        effects, options, PairwiseStatus.OK, terms, x, fit.beta, se, statistic,
        _p_values(statistic, df), fit.beta - quantile * se, fit.beta + quantile * se,
        fit.covariance, df, fit.scale, tau2, se_tau2, truncated,
        None if fixed else _interval(y, v, x, options, tau2, typical),
        i2, h2, _r_squared(y, v, x, terms, options, weights, tau2, q),
        q, k - p, float(chdtrc(k - p, q)), qm, qm_df, qm_p, prediction, fit.weights,
        *statistics, omitted,
        effects.notes + _notes(options, k, tau2, truncated, fit, weights is not None),
        fixed_tau2 is not None and not options.is_common,
    )  # fmt: skip


def _tau2(
    y: Floats, v: Floats, x: Floats, options: PairwiseOptions, weights: Floats | None,
    fixed: float | None,
) -> tuple[float, float, bool]:  # fmt: skip
    if options.is_common:
        return 0.0, NAN, False
    if fixed is not None:
        if not 0.0 <= fixed < math.inf:
            raise InputError(f"{fixed:g} is no variance between studies", where="fixed_tau2")
        return fixed, NAN, False
    return estimate_tau_squared(y, v, x, TauSquaredMethod(options.tau2), weights)


def _interval(
    y: Floats, v: Floats, x: Floats, options: PairwiseOptions, tau2: float, typical: float
) -> TauSquaredInterval | None:
    method = TauSquaredIntervalMethod(options.tau2_interval)
    if method is TauSquaredIntervalMethod.NONE:
        return None
    return tau_squared_interval(
        y, v, x, method, options.level, tau2,
        restricted=options.tau2 is TauSquaredMethod.REML, typical=typical,
    )  # fmt: skip


def _quantile(options: PairwiseOptions, df: int) -> tuple[float, float]:
    if not options.uses_t:
        return NAN, normal_quantile(options.level)
    return float(df), float(stdtrit(df, 0.5 + options.level / 2.0))


def _p_values(statistic: Floats, df: float) -> Floats:
    size = -np.abs(statistic)
    return np.asarray(2.0 * (ndtr(size) if math.isnan(df) else stdtr(df, size)))


def _test_of_moderators(
    fit: _Fit, terms: tuple[str, ...], df: float
) -> tuple[float, tuple[int, float], float]:
    tested = [i for i, term in enumerate(terms) if term != "intercept"]
    tested = tested or list(range(len(terms)))
    m = len(tested)
    if len(terms) == 1:
        q = float(fit.beta[0]) ** 2 / float(fit.covariance[0, 0]) if fit.covariance[0, 0] else NAN
    else:
        beta = fit.beta[tested]
        block = fit.covariance[np.ix_(tested, tested)]
        if not (np.diag(block) > 0.0).all():
            return NAN, (m, df), NAN
        q = float(beta @ np.linalg.solve(block, beta))
    if math.isnan(df):
        return q, (m, df), float(chdtrc(m, q))
    return q / m, (m, df), float(fdtrc(m, df, q / m))


def _fit_statistics(
    y: Floats, v: Floats, x: Floats, fit: _Fit, tau2: float, parameters: int,
    options: PairwiseOptions,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """Return log-likelihood, deviance, AIC, BIC and AICc."""
    k, p = x.shape
    spread = -0.5 * float(np.log(v + tau2).sum()) - 0.5 * fit.sum_of_squares
    if options.tau2 is TauSquaredMethod.REML:
        count = k - p
        plain = math.log(k) if is_constant(x) else Projection.of(x, np.ones(k)).log_determinant()
        found = spread - 0.5 * count * math.log(2.0 * math.pi)
        found += 0.5 * plain - 0.5 * fit.weighted.log_determinant()
        deviance = -2.0 * found
    else:
        count = k
        found = spread - 0.5 * k * math.log(2.0 * math.pi)
        saturated = -0.5 * float(np.log(2.0 * math.pi * v).sum())
        deviance = -2.0 * (found - saturated)
    n = max(count, parameters + 2)
    corrected = 2.0 * parameters * n / (n - parameters - 1)
    return (
        found,
        deviance,
        2.0 * parameters - 2.0 * found,
        parameters * math.log(count) - 2.0 * found,
        corrected - 2.0 * found,
    )


def _r_squared(
    y: Floats, v: Floats, x: Floats, terms: tuple[str, ...], options: PairwiseOptions,
    weights: Floats | None, tau2: float, q: float,
) -> float:  # fmt: skip
    """Return the share of heterogeneity that moderators account for, per cent."""
    if terms == ("intercept",) or "intercept" not in terms:
        return NAN
    k, p = x.shape
    ones = np.ones((k, 1))
    if options.is_common:
        null = Projection.of(ones, 1.0 / v)
        residual = null.residual(null.root * y)
        total = float(residual @ residual)
        if total == 0.0:
            return 0.0
        adjusted = 1.0 - (q / total) * float(k - 1) / float(k - p)
        return max(0.0, 100.0 * adjusted)
    without = estimate_tau_squared(y, v, ones, TauSquaredMethod(options.tau2), weights)[0]
    if without == 0.0:
        return 0.0
    return max(0.0, 100.0 * (without - tau2) / without)


def _notes(
    options: PairwiseOptions, k: int, tau2: float, truncated: bool, fit: _Fit, weighted: bool
) -> tuple[str, ...]:
    notes = []
    if truncated:
        notes.append("the estimate of tau2 would have been below 0 and was set to 0")
    if options.uses_t:
        if options.is_common:
            notes.append("Hartung and Knapp's method is not meant for a common effect")
        if fit.scale < 1.0:
            what = (
                "and was not let below it"
                if options.test is PairwiseTest.HARTUNG_KNAPP_AD_HOC
                else "so that conclusions should be compared with Wald's"
            )
            notes.append(
                f"Hartung and Knapp's variance is {fit.scale:.3f} times that of Wald, {what}"
            )
    if k < FEW and not options.is_common:
        notes.append(f"{k} studies say little of the variance between studies")
    if tau2 == 0.0 and not options.is_common:
        notes.append(
            "with tau2 at 0 a prediction interval holds the error of the mean only; it does not "
            "show that studies agree"
        )
    if weighted:
        notes.append("the mean uses the given weights, not the reciprocal variances")
    return tuple(notes)


def _empty(
    effects: Effects, options: PairwiseOptions, status: PairwiseStatus, terms: tuple[str, ...],
    x: Floats, omitted: tuple[tuple[str, str], ...],
) -> PairwiseResult:  # fmt: skip
    p = x.shape[1]
    none = np.full(p, NAN)
    return PairwiseResult(
        effects, options, status, terms, x, none, none, none, none, none, none,
        np.full((p, p), NAN), NAN, NAN, NAN, NAN, False, None, NAN, NAN, NAN, NAN, 0, NAN, NAN,
        (0, NAN), NAN, None, np.full(len(effects), NAN), NAN, NAN, NAN, NAN, NAN, omitted,
        (*effects.notes, str(status)),
    )  # fmt: skip


def _one_study(
    effects: Effects, options: PairwiseOptions, terms: tuple[str, ...], x: Floats,
    omitted: tuple[tuple[str, str], ...], fixed_tau2: float | None,
) -> PairwiseResult:  # fmt: skip
    """Return the study's own effect, with a normal interval from its own variance."""
    empty = _empty(effects, options, PairwiseStatus.ONE_STUDY, terms, x, omitted)
    tau2 = 0.0 if options.is_common else NAN if fixed_tau2 is None else fixed_tau2
    beta = effects.y.copy()
    se = np.sqrt(effects.v + (0.0 if math.isnan(tau2) else tau2))
    reach = normal_quantile(options.level) * se
    return replace(
        empty, beta=beta, se=se, statistic=beta / se, p_value=_p_values(beta / se, NAN),
        ci_low=beta - reach, ci_high=beta + reach, covariance=(se**2)[:, None],
        tau2=tau2, weights=np.array([100.0]), q=0.0, q_p=1.0,
        tau2_is_given=fixed_tau2 is not None and not options.is_common,
    )  # fmt: skip
