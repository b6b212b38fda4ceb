"""Which studies a pooled effect hangs on: leave-one-out, influence measures, Baujat, cumulative.

Deleted residuals, DFFITS, Cook's distance, covariance ratio, hat values, DFBETAS and the limits of
influence: Viechtbauer and Cheung, Res Synth Methods 2010;1:112. Baujat: Stat Med 2002;21:2641.
Cumulative: Lau and others, NEJM 1992;327:248.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtr

from statera.errors import InputError
from statera.evidence.heterogeneity import TauSquaredIntervalMethod
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import (
    PairwiseResult,
    PairwiseStatus,
    PairwiseTest,
)
from statera.numerics.weighted_fit import Projection

__all__ = [
    "Baujat",
    "Cumulative",
    "Influence",
    "LeaveOneOut",
    "Shrunken",
    "baujat",
    "cumulative",
    "influence",
    "leave_one_out",
    "shrunken_effects",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeaveOneOut:
    """The synthesis without each study in turn; k values each, NaN where it cannot be made.

    Attributes
    ----------
    names
        Of the study left out.
    estimate, se, statistic, p_value, ci_low, ci_high, q, q_p, tau2, i2, h2 : (k,) float64
    status
        Of each synthesis.
    """

    names: tuple[str, ...]
    estimate: Floats
    se: Floats
    statistic: Floats
    p_value: Floats
    ci_low: Floats
    ci_high: Floats
    q: Floats
    q_p: Floats
    tau2: Floats
    i2: Floats
    h2: Floats
    status: tuple[PairwiseStatus, ...]


@dataclass(frozen=True)
class Influence:
    """Influence of each study.

    Attributes
    ----------
    names
    rstudent, dffits, cook, covariance_ratio, tau2_deleted, q_deleted, hat, weight : (k,) float64
        Externally standardised residual; change of the fitted value; Cook's distance; ratio of the
        determinants of covariances; tau2 and Q without the study; hat value; weight in per cent.
    dfbetas : (k, p) float64
    is_influential : (k,) bool
        DFFITS beyond 3 sqrt(p/(k - p)), Cook's distance beyond the median of chi-square, hat beyond
        3 p/k, or a DFBETAS beyond 1.
    """

    names: tuple[str, ...]
    rstudent: Floats
    dffits: Floats
    cook: Floats
    covariance_ratio: Floats
    tau2_deleted: Floats
    q_deleted: Floats
    hat: Floats
    weight: Floats
    dfbetas: Floats
    is_influential: NDArray[np.bool_]


@dataclass(frozen=True)
class Baujat:
    """Contribution to heterogeneity against influence on the result; k values each."""

    names: tuple[str, ...]
    heterogeneity: Floats
    influence: Floats


@dataclass(frozen=True)
class Cumulative:
    """The synthesis of the first 1, 2, ..., k studies, in the order given.

    Attributes
    ----------
    names
        Of the study added.
    results
    """

    names: tuple[str, ...]
    results: tuple[PairwiseResult, ...]


@dataclass(frozen=True)
class Shrunken:
    """Best linear unbiased predictions of the true effects of the studies; k values each."""

    names: tuple[str, ...]
    mean: Floats
    se: Floats
    low: Floats
    high: Floats


def _without(result: PairwiseResult, i: int) -> PairwiseResult:
    """Return the synthesis without study `i`, with the same design and weights."""
    rows = [j for j in range(result.k) if j != i]
    return _of_rows(result, rows)


def _of_rows(result: PairwiseResult, rows: Sequence[int]) -> PairwiseResult:
    options = replace(result.options, tau2_interval=TauSquaredIntervalMethod.NONE)
    if options.weights is not None:
        # shares of the given weights serve as well: a factor common to all cancels
        options = replace(options, weights=tuple(float(w) for w in result.weights[list(rows)]))
    fixed = result.tau2 if result.tau2_is_given else None
    part = replace(result.effects.take(list(rows)), notes=(), columns={})
    design = result.design[list(rows)]
    if result.terms == ("intercept",):
        return pairwise(part, options, fixed_tau2=fixed)
    return pairwise(part, options, design, fixed_tau2=fixed)


def leave_one_out(result: PairwiseResult) -> LeaveOneOut:
    """Pool the studies without each one in turn.

    Raises
    ------
    InputError
        If there are moderators, or no pooled effect.
    """
    _need(result, moderators=False)
    found = [_without(result, i) for i in range(result.k)]

    def column(values: list[float]) -> Floats:
        return np.asarray(values, dtype=np.float64)

    return LeaveOneOut(
        result.effects.names,
        column([r.estimate for r in found]),
        column([float(r.se[0]) for r in found]),
        column([float(r.statistic[0]) for r in found]),
        column([float(r.p_value[0]) for r in found]),
        column([float(r.ci_low[0]) for r in found]),
        column([float(r.ci_high[0]) for r in found]),
        column([r.q for r in found]),
        column([r.q_p for r in found]),
        column([r.tau2 for r in found]),
        column([r.i2 for r in found]),
        column([r.h2 for r in found]),
        tuple(r.status for r in found),
    )


def influence(result: PairwiseResult) -> Influence:
    """Return the influence of each study on a fit.

    A study whose removal leaves a coefficient without studies has NaN.

    Raises
    ------
    InputError
        If there is no fit, or it uses given weights.
    """
    _need(result, moderators=True)
    if result.options.weights is not None or str(result.options.tau2) in ("GENQ", "GENQM"):
        raise InputError(
            "influence is computed for weights that follow from the variances",
            where="weights",
            hint="Fit without given weights.",
        )
    k, p = result.design.shape
    x, v = result.design, result.effects.v
    hat = Projection.of(x, 1.0 / (v + result.tau2)).leverage
    tested = [i for i, term in enumerate(result.terms) if term != "intercept"] or [0]
    block = np.ix_(tested, tested)
    inverse = np.linalg.inv(result.covariance[block])
    determinant = float(np.linalg.det(result.covariance[block]))
    table = np.full((k, 6), np.nan)
    dfbetas = np.full((k, p), np.nan)
    for i in range(k):
        other = _without(result, i)
        if other.status not in (PairwiseStatus.OK, PairwiseStatus.ONE_STUDY):
            continue
        scale = _factor(other)
        tau2 = 0.0 if np.isnan(other.tau2) else other.tau2
        change = result.beta - other.beta
        shift = float(x[i] @ change)
        residual = float(result.effects.y[i] - x[i] @ other.beta)
        spread = scale * (v[i] + tau2) + float(x[i] @ other.covariance @ x[i])
        swapped = Projection.of(x, 1.0 / (v + tau2)).covariance()
        dfbetas[i] = change / np.sqrt(scale * np.diag(swapped))
        table[i] = (
            residual / np.sqrt(spread),
            shift / np.sqrt(scale * hat[i] * (tau2 + v[i])),
            float(change[tested] @ inverse @ change[tested]),
            float(np.linalg.det(other.covariance[block])) / determinant,
            tau2,
            other.q,
        )
    m = len(tested)
    with np.errstate(invalid="ignore"):
        told = (
            (np.abs(table[:, 1]) > 3.0 * np.sqrt(p / (k - p)))
            | (chdtr(m, np.nan_to_num(table[:, 2])) > 0.5)
            | (hat > 3.0 * p / k)
            | (np.abs(dfbetas) > 1.0).any(axis=1)
        )
    return Influence(
        result.effects.names, table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4],
        table[:, 5], hat, result.weights, dfbetas, np.asarray(told, dtype=bool),
    )  # fmt: skip


def _factor(result: PairwiseResult) -> float:
    """Return the factor that the test has put on the covariance."""
    if not result.options.uses_t or np.isnan(result.scale):
        return 1.0
    limited = result.options.test is PairwiseTest.HARTUNG_KNAPP_AD_HOC
    return max(result.scale, 1.0) if limited else result.scale


def baujat(result: PairwiseResult) -> Baujat:
    """Return the squared Pearson residual and the influence on the fitted value of each study."""
    _need(result, moderators=True)
    x, v = result.design, result.effects.v
    residual = result.effects.y - result.fitted
    moved = np.full(result.k, np.nan)
    for i in range(result.k):
        other = _without(result, i)
        variance = float(x[i] @ other.covariance @ x[i])
        if variance > 0.0:  # not where the others have no error left in numbers
            moved[i] = float(x[i] @ (other.beta - result.beta)) ** 2 / variance
    return Baujat(result.effects.names, residual**2 / (v + result.tau2), moved)


def cumulative(result: PairwiseResult, order: ArrayLike | None = None) -> Cumulative:
    """Pool the first study, the first two, and so on.

    Parameters
    ----------
    result
    order : (k,)
        Values to sort by, such as years; the order of the table where not given.
    """
    _need(result, moderators=False)
    rows = np.arange(result.k)
    if order is not None:
        values = np.asarray(order)
        if values.shape != (result.k,):
            raise InputError(f"{values.size} values to sort {result.k} studies by", where="order")
        rows = np.argsort(values, kind="stable")
    found = tuple(_of_rows(result, [int(r) for r in rows[: i + 1]]) for i in range(result.k))
    return Cumulative(tuple(result.effects.names[i] for i in rows), found)


def shrunken_effects(result: PairwiseResult) -> Shrunken:
    """Return the true effects as the model predicts them (Raudenbush and Bryk 1985).

    Each is drawn to the mean the more, the less its study tells.
    """
    _need(result, moderators=True)
    v, tau2 = result.effects.v, result.tau2
    own = tau2 / (tau2 + v)
    mean = own * result.effects.y + (1.0 - own) * result.fitted
    of_mean = np.einsum("ij,jk,ik->i", result.design, result.covariance, result.design)
    se = np.sqrt(own * v + (1.0 - own) ** 2 * of_mean)
    quantile = float((result.ci_high[0] - result.beta[0]) / result.se[0])
    return Shrunken(result.effects.names, mean, se, mean - quantile * se, mean + quantile * se)


def _need(result: PairwiseResult, *, moderators: bool) -> None:
    if result.status is not PairwiseStatus.OK:
        raise InputError(
            "there is no pooled effect to look into", where="result", hint=str(result.status)
        )
    if result.has_moderators and not moderators:
        raise InputError(
            "this is made for a pooled effect without moderators",
            where="result",
            hint="Fit without moderators.",
        )
