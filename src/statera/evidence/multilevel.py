"""Random effects nested in one another: outcomes in studies, studies in registries, and deeper.

y = X b + sum over levels of an effect shared within each group of that level + error with the
known variance v. The inverse of the covariance matrix is never formed: a group at a level is a
rank-one update of the groups inside it (Woodbury), so that the likelihood costs O(k) whatever the
sizes of the groups.

Methods
-------
Konstantopoulos, Res Synth Methods 2011;2:61 (doi 10.1002/jrsm.35). Robust variances:
Hedges, Tipton and Johnson, Res Synth Methods 2010;1:39 (doi 10.1002/jrsm.5); see
`cluster_robust`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri
from scipy.stats import chi2, norm

from statera.errors import InputError
from statera.evidence.cluster_robust import RobustKind, RobustVariance, robust_variance
from statera.evidence.profile_interval import profile_interval
from statera.numerics.intervals_exact import check_level
from statera.numerics.small_maximum import maximise

__all__ = ["MultilevelResult", "MultilevelStatus", "multilevel", "robust", "sigma2_intervals"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class MultilevelStatus(StrEnum):
    """What came of a multilevel synthesis."""

    OK = "ok"
    AT_ZERO = "a variance between groups is estimated as zero"
    NOT_CONVERGED = "the search for the variances did not settle"


@dataclass(frozen=True)
class MultilevelResult:
    """Coefficients and variances of nested random effects.

    Attributes
    ----------
    beta, se, z, p, low, high : (p,) float64
        Coefficients, Wald tests and intervals.
    covariance : (p, p) float64
        Of the coefficients.
    sigma2 : (levels,) float64
        Variances between the groups of each level, outermost first.
    sigma2_se : (levels,) float64
        By the curvature of the likelihood; NaN where a variance is zero.
    log_likelihood
        Restricted under REML.
    q, q_df, q_p
        Heterogeneity around the fit by inverse variances alone.
    method
        REML or ML.
    status
        Named outcome.
    """

    beta: Floats
    se: Floats
    z: Floats
    p: Floats
    low: Floats
    high: Floats
    covariance: Floats
    sigma2: Floats
    sigma2_se: Floats
    log_likelihood: float
    q: float
    q_df: int
    q_p: float
    method: str
    status: MultilevelStatus


@dataclass(frozen=True)
class _Nested:
    """Rows [1, X, y] with weights, and which group of the next level each group lies in."""

    columns: Floats
    v: Floats
    sums: tuple[csr_array, ...]  # innermost first: rows to groups, groups to outer groups, ...

    def products(self, sigma2: Floats) -> tuple[Floats, float]:
        """Return A' W A per outermost group, (groups, c, c), and log |covariance|.

        Parameters
        ----------
        sigma2 : (levels,) float64
            Innermost first.
        """
        m = self.columns[:, :, None] * self.columns[:, None, :] / self.v[:, None, None]
        log_determinant = float(np.log(self.v).sum())
        shape = m.shape[1:]
        for add, variance in zip(self.sums, sigma2, strict=True):
            summed = (add @ m.reshape(m.shape[0], -1)).reshape(-1, *shape)
            grown = 1.0 + variance * summed[:, 0, 0]
            log_determinant += float(np.log(grown).sum())
            shrink = (variance / grown)[:, None, None]
            m = summed - shrink * summed[:, :, :1] * summed[:, :1, :]
        return m, log_determinant


def multilevel(
    y: ArrayLike,
    v: ArrayLike,
    levels: Sequence[Sequence[object]],
    x: ArrayLike | None = None,
    method: str = "REML",
    level: float = 0.95,
) -> MultilevelResult:
    """Fit random effects nested in one another.

    Parameters
    ----------
    y, v : (k,)
        Effects and their sampling variances (independent errors).
    levels
        Labels of each level, outermost first; each (k,). The label of an inner level needs to be
        unique only within its outer group. Give the row number as last level for a variance
        between rows.
    x : (k, p), optional
        Moderators with their intercept; a column of ones otherwise.
    method
        REML or ML.
    level
        Confidence level.

    Raises
    ------
    InputError
        If shapes differ, two levels are the same, a variance is not positive, the columns of x
        depend on each other, or there are not more rows than coefficients.
    """
    check_level(level)
    effects, variances, design = checked_rows(y, v, x)
    if method not in ("REML", "ML"):
        raise InputError(f"{method} is not a method here", where="method", hint="Use REML or ML.")
    nested = _nested(effects, variances, design, levels)
    k, p, reml = effects.size, design.shape[1], method == "REML"
    constant = float(np.linalg.slogdet(design.T @ design)[1]) / 2 if reml else 0.0

    def likelihood(deviations: Floats) -> float:
        products, log_determinant = nested.products(deviations[::-1] ** 2)
        return _likelihood(products.sum(axis=0), log_determinant, k, p, reml=reml) + constant

    spread = float(np.sqrt(max(float(np.var(effects)), float(np.median(variances)))))
    start = np.full(len(levels), 0.5 * spread)
    found = maximise(likelihood, start, spread)
    deviations = np.abs(found.x)
    zero = deviations < 1e-3 * spread
    for i in np.flatnonzero(zero):
        without = np.where(np.arange(zero.size) == i, 0.0, deviations)
        zero[i] = likelihood(without) >= likelihood(deviations) - 1e-9
        deviations = without if zero[i] else deviations
    status = MultilevelStatus.OK if found.converged else MultilevelStatus.NOT_CONVERGED
    if zero.any():
        status = MultilevelStatus.AT_ZERO
    plain, _ = nested.products(np.zeros(len(levels)))
    _, _, q = _coefficients(plain.sum(axis=0))
    total, _ = nested.products(deviations[::-1] ** 2)
    beta, covariance, _ = _coefficients(total.sum(axis=0))
    se = np.sqrt(np.diag(covariance))
    half = float(ndtri(0.5 + level / 2)) * se
    return MultilevelResult(
        beta,
        se,
        beta / se,
        2 * norm.sf(np.abs(beta / se)),
        beta - half,
        beta + half,
        covariance,
        deviations**2,
        _variance_se(found.hessian, deviations, zero),
        likelihood(deviations),
        q,
        k - p,
        float(chi2.sf(q, k - p)),
        method,
        status,
    )


def sigma2_intervals(
    result: MultilevelResult,
    y: ArrayLike,
    v: ArrayLike,
    levels: Sequence[Sequence[object]],
    x: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[tuple[float, float], ...]:
    """Return profile-likelihood intervals of the variances, outermost first.

    Parameters
    ----------
    result
        Of `multilevel` with the same data; its likelihood is used again.
    y, v, levels, x
        As given to `multilevel`.
    level
        Confidence level.
    """
    check_level(level)
    effects, variances, design = checked_rows(y, v, x)
    nested = _nested(effects, variances, design, levels)
    k, p, reml = effects.size, design.shape[1], result.method == "REML"
    constant = float(np.linalg.slogdet(design.T @ design)[1]) / 2 if reml else 0.0
    spread = float(np.sqrt(max(float(np.var(effects)), float(np.median(variances)))))
    best = np.sqrt(result.sigma2)

    def likelihood(deviations: Floats) -> float:
        products, log_determinant = nested.products(deviations[::-1] ** 2)
        return _likelihood(products.sum(axis=0), log_determinant, k, p, reml=reml) + constant

    def interval(which: int) -> tuple[float, float]:
        others = np.arange(best.size) != which
        # a variance at zero is a stationary point: start away from it
        start = np.where(best > 0.0, best, 0.3 * spread)[others]

        def profile(sd: float) -> float:
            if not others.any():
                return likelihood(np.array([sd]))

            def rest(free: Floats) -> float:
                deviations = np.full(best.size, sd)
                deviations[others] = free
                return likelihood(deviations)

            return maximise(rest, start, spread).value

        return profile_interval(
            profile, float(best[which]), result.log_likelihood, level, scale=spread
        )

    return tuple(interval(i) for i in range(best.size))


def robust(
    result: MultilevelResult,
    y: ArrayLike,
    v: ArrayLike,
    levels: Sequence[Sequence[object]],
    x: ArrayLike | None = None,
    kind: RobustKind | str = RobustKind.CR1,
    level: float = 0.95,
) -> RobustVariance:
    """Return variances robust to the covariance within groups of the outermost level.

    Parameters
    ----------
    result
        Of `multilevel` on the same rows.
    y, v, levels, x
        As given there.
    kind
        CR0, CR1 or CR2.
    level
        Confidence level.
    """
    effects, variances, design = checked_rows(y, v, x)
    codes = _codes(levels, effects.size)
    blocks = []
    for cluster in range(int(codes[0].max()) + 1):
        rows = np.flatnonzero(codes[0] == cluster)
        matrix = np.diag(variances[rows])
        for sigma2, labels in zip(result.sigma2, codes, strict=True):
            matrix += sigma2 * (labels[rows][:, None] == labels[rows][None, :])
        blocks.append((rows, matrix))
    return robust_variance(effects, design, blocks, kind, level)


def checked_rows(y: ArrayLike, v: ArrayLike, x: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Return effects, variances and design as arrays that can be fitted.

    Raises
    ------
    InputError
        As `multilevel`.
    """
    effects = np.atleast_1d(np.asarray(y, dtype=float))
    variances = np.atleast_1d(np.asarray(v, dtype=float))
    design = np.ones((effects.size, 1)) if x is None else np.asarray(x, dtype=float)
    if effects.ndim != 1 or variances.shape != effects.shape or design.ndim != 2:
        raise InputError("y and v must be lists of one length, and x a table", where="y, v, x")
    if design.shape[0] != effects.size:
        raise InputError("x does not have one row per effect", where="x")
    if not (np.isfinite(effects).all() and np.isfinite(design).all()):
        raise InputError("an effect or moderator is missing or infinite", where="y, x")
    if not (np.isfinite(variances).all() and (variances > 0.0).all()):
        row = int(np.flatnonzero(~(np.isfinite(variances) & (variances > 0.0)))[0])
        raise InputError(
            f"the sampling variance {variances[row]:g} of row {row + 1} is not positive",
            where=f"row {row + 1}",
            hint="Give the square of the standard error, or leave the row out.",
        )
    if effects.size <= design.shape[1]:
        raise InputError(
            f"{effects.size} effects cannot give {design.shape[1]} coefficients and a variance",
            where="y",
            hint="One study cannot be pooled: report its own interval.",
        )
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError(
            "columns of x depend on each other", where="x", hint="Leave one of them out."
        )
    return effects, variances, design


def _codes(levels: Sequence[Sequence[object]], k: int) -> list[Integers]:
    """Return the group of each row at each level, outermost first, nested in the level above."""
    if not levels or any(len(labels) != k for labels in levels):
        raise InputError("each level needs one label per effect", where="levels")
    codes: list[Integers] = []
    for labels in levels:
        known: dict[tuple[int, str], int] = {}
        outer = codes[-1] if codes else np.zeros(k, dtype=np.int64)
        pairs = [(int(o), str(label)) for o, label in zip(outer, labels, strict=True)]
        codes.append(np.array([known.setdefault(pair, len(known)) for pair in pairs]))
        if len(codes) > 1 and len(known) == int(outer.max()) + 1:
            raise InputError(
                f"levels {len(codes) - 1} and {len(codes)} group the rows in the same way",
                where="levels",
                hint="Their variances cannot be told apart: leave one of the two out.",
            )
    return codes


def _nested(
    effects: Floats, variances: Floats, design: Floats, levels: Sequence[Sequence[object]]
) -> _Nested:
    codes = _codes(levels, effects.size)
    sums = []
    for depth in range(len(codes) - 1, -1, -1):
        if depth == len(codes) - 1:
            parent = codes[depth]
        else:
            inner = codes[depth + 1]
            parent = np.zeros(int(inner.max()) + 1, dtype=np.int64)
            parent[inner] = codes[depth]
        entries = (np.ones(parent.size), (parent, np.arange(parent.size)))
        sums.append(csr_array(entries, shape=(int(parent.max()) + 1, parent.size)))
    columns = np.column_stack([np.ones(effects.size), design, effects])
    return _Nested(columns, variances, tuple(sums))


def _coefficients(total: Floats) -> tuple[Floats, Floats, float]:
    xwx, xwy, ywy = total[1:-1, 1:-1], total[1:-1, -1], total[-1, -1]
    covariance = np.asarray(np.linalg.inv(xwx), dtype=float)
    beta = covariance @ xwy
    return beta, covariance, float(ywy - beta @ xwy)


def _likelihood(total: Floats, log_determinant: float, k: int, p: int, *, reml: bool) -> float:
    _, _, rss = _coefficients(total)
    value = -0.5 * ((k - p if reml else k) * np.log(2 * np.pi) + log_determinant + rss)
    if reml:
        value -= 0.5 * float(np.linalg.slogdet(total[1:-1, 1:-1])[1])
    return float(value)


def _variance_se(hessian: Floats, deviations: Floats, zero: NDArray[np.bool_]) -> Floats:
    """Turn the curvature in standard deviations into standard errors of variances."""
    se = np.full(deviations.size, np.nan)
    free = np.flatnonzero(~zero)
    if free.size:
        inverse = np.linalg.pinv(-hessian[np.ix_(free, free)])
        se[free] = 2 * deviations[free] * np.sqrt(np.maximum(np.diag(inverse), 0.0))
    return se
