"""Linear mixed models with one random intercept, for thousands of responses with one design.

``y = X beta + Z b + e`` with ``b ~ N(0, s_b)`` by group and ``e ~ N(0, s_e)``. The design is
decomposed once: in the eigenvectors of ``M ZZ' M`` (``M`` takes off the fixed effects) the
restricted likelihood is that of independent squares with variances ``s_e + delta_j s_b``, so each
response costs a search over the one ratio ``s_b / s_e``, done for all responses together.

Methods
-------
Restricted likelihood of error contrasts: Patterson and Thompson, Biometrika 1971;58:545-554,
doi 10.1093/biomet/58.3.545. One eigendecomposition for all responses: Kang and others, Genetics
2008;178:1709-1723, doi 10.1534/genetics.107.080101.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.numerics.variance_ratio import best_ratio

__all__ = [
    "CONSTANT",
    "OK",
    "SINGULAR",
    "TOO_FEW",
    "ZERO_VARIANCE",
    "MixedFit",
    "design_defect",
    "fit_random_intercept",
]

Floats = NDArray[np.float64]

OK = "ok"
ZERO_VARIANCE = "a variance component is at zero"
CONSTANT = "no variation left after the fixed effects"
TOO_FEW = "too few values"
SINGULAR = "the design cannot be estimated from the values present"

_LN_2PI = float(np.log(2.0 * np.pi))
_BLOCK = 512
"""Responses worked on together; it bounds the memory."""


@dataclass(frozen=True)
class MixedFit:
    """Mixed models of m responses with p fixed effects and K variance components.

    ``W_a`` below stands for ``V^-1 G_a``, ``G_a`` being the derivative of the covariance V of
    the response in the a-th variance. Where `status` names a failure the row is nan.

    Attributes
    ----------
    beta : (m, p) float64
        Fixed effects.
    covariance : (m, p, p) float64
        ``(X' V^-1 X)^-1``.
    variances : (m, K) float64
        Variance components, the residual last.
    first : (m, K, p, p) float64
        ``X' W_a V^-1 X``.
    second : (m, K, K, p, p) float64
        ``X' W_a W_b V^-1 X``.
    observed_information, expected_information : (m, K, K) float64
        Of the variances, from the (restricted) likelihood.
    log_likelihood : (m,) float64
        Restricted log-likelihood (without ``ln |X'X|/2``), or log-likelihood for ``ML``.
    n : (m,) int64
        Values used.
    method
        ``REML`` or ``ML``.
    status : tuple of str
        ``ok``, a variance at zero (a valid result), or what failed.
    """

    beta: Floats
    covariance: Floats
    variances: Floats
    first: Floats
    second: Floats
    observed_information: Floats
    expected_information: Floats
    log_likelihood: Floats
    n: NDArray[np.int64]
    method: str
    status: tuple[str, ...]

    @property
    def at_zero(self) -> NDArray[np.bool_]:
        """(m, K) whether a variance component sits on its bound of zero."""
        return np.asarray(self.variances <= 0.0)


def empty_fit(m: int, p: int, k: int, method: str, status: str) -> MixedFit:
    """Return a fit whose every row is nan with one status."""
    nan = np.nan
    return MixedFit(
        np.full((m, p), nan),
        np.full((m, p, p), nan),
        np.full((m, k), nan),
        np.full((m, k, p, p), nan),
        np.full((m, k, k, p, p), nan),
        np.full((m, k, k), nan),
        np.full((m, k, k), nan),
        np.full(m, nan),
        np.zeros(m, dtype=np.int64),
        method,
        (status,) * m,
    )


def design_defect(x: Floats, minimum: int = 1) -> str:
    """Return why a design cannot be estimated, or an empty text."""
    n, p = x.shape
    if n < p + minimum:
        return TOO_FEW
    return SINGULAR if np.linalg.matrix_rank(x) < p else ""


@dataclass(frozen=True)
class _Design:
    """What the fixed effects and the groups alone decide."""

    x: Floats
    sizes: Floats
    sums: Floats
    indicator: Floats
    deltas: Floats
    directions: Floats
    inverse: Floats


def _group_axes(sizes: Floats, fixed: Floats) -> tuple[Floats, Floats]:
    """Return eigenvalues (g,) and eigenvectors (g, g) of ``diag(sizes) - fixed fixed'``.

    Among groups of one size every direction across the p columns of `fixed` (g, p) is an
    eigenvector with that size as its value, so only a small matrix is left to decompose.
    """
    values = np.empty(sizes.size)
    vectors = np.zeros((sizes.size, sizes.size))
    open_columns = []
    done = 0
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        columns = np.arange(done, done + members.size)
        done += members.size
        vectors[np.ix_(members, columns)] = np.linalg.qr(fixed[members], mode="complete")[0]
        values[columns] = size
        open_columns.append(columns[: fixed.shape[1]])
    few = np.concatenate(open_columns)
    part = vectors[:, few]
    across = part.T @ fixed
    small = (part * sizes[:, None]).T @ part - across @ across.T
    values[few], turn = np.linalg.eigh(small)
    vectors[:, few] = part @ turn
    return values, vectors


def _decompose(x: Floats, groups: NDArray[np.intp]) -> _Design:
    """Return sums by group and the eigenvectors of the groups beside the fixed effects."""
    labels, index = np.unique(groups, return_inverse=True)
    indicator = np.zeros((x.shape[0], labels.size))
    indicator[np.arange(x.shape[0]), index] = 1.0
    basis, _ = np.linalg.qr(x)
    rest = indicator - basis @ (basis.T @ indicator)
    deltas, vectors = _group_axes(indicator.sum(axis=0), indicator.T @ basis)
    keep = deltas > 1e-9 * max(1.0, float(deltas.max()))
    deltas, vectors = deltas[keep], vectors[:, keep]
    return _Design(
        x,
        indicator.sum(axis=0),
        indicator.T @ x,
        indicator,
        deltas,
        rest @ vectors / np.sqrt(deltas),
        np.asarray(np.linalg.inv(x.T @ x), dtype=np.float64),
    )


def fit_random_intercept(
    x: Floats,
    groups: NDArray[np.intp],
    y: Floats,
    method: str = "REML",
    *,
    negative: bool = False,
) -> MixedFit:
    """Fit a random intercept by group to every row of `y`.

    Parameters
    ----------
    x : (n, p) float64
        Fixed effects of full column rank.
    groups : (n,) int
        Group of each value.
    y : (m, n) float64
        Responses; nan is a missing value, and rows that miss the same values share one
        decomposition.
    method
        ``REML`` or ``ML``.
    negative
        Whether the group variance may be negative, as far as the covariance stays positive.

    Raises
    ------
    InputError
        If the lengths do not agree, the design is not finite or the method is not known.
    """
    if method not in ("REML", "ML"):
        raise InputError(f"{method!r} is not a method", hint="Use REML or ML.")
    x, y = np.asarray(x, dtype=float), np.atleast_2d(np.asarray(y, dtype=float))
    groups = np.asarray(groups)
    if x.ndim != 2 or x.shape[0] != y.shape[1] or groups.shape != (x.shape[0],):
        raise InputError(
            "fixed effects, groups and responses differ in length",
            where="mixed model",
            hint="Give one row of x and one group for every column of y.",
        )
    if not np.isfinite(x).all():
        raise InputError("the fixed effects hold a value that is not finite", where="x")
    fit = empty_fit(y.shape[0], x.shape[1], 2, method, TOO_FEW)
    status = list(fit.status)
    present = np.isfinite(y)
    patterns, index = np.unique(present, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(index.ravel() == number)
        fit.n[rows] = int(pattern.sum())
        defect = design_defect(x[pattern])
        used = groups[pattern]
        if not defect and np.unique(used).size in (1, used.size):
            defect = "the groups do not repeat" if used.size > 1 else TOO_FEW
        if defect:
            for row in rows:
                status[row] = defect
            continue
        design = _decompose(x[pattern], used)
        for start in range(0, rows.size, _BLOCK):
            some = rows[start : start + _BLOCK]
            _fit_block(design, y[np.ix_(some, pattern)], fit, some, status, negative)
    return MixedFit(**{**fit.__dict__, "status": tuple(status)})


def _fit_block(
    design: _Design,
    y: Floats,
    fit: MixedFit,
    rows: NDArray[np.intp],
    status: list[str],
    negative: bool,
) -> None:
    """Write the fits of complete responses y (m, n) into rows of `fit`."""
    n, p = design.x.shape
    center = y.mean(axis=1, keepdims=True)
    coefficients = y @ design.x @ design.inverse
    residual = y - coefficients @ design.x.T
    total = np.einsum("ij,ij->i", residual, residual)
    scale = np.einsum("ij,ij->i", y - center, y - center) + n * 1e-16 * center[:, 0] ** 2
    good = total > 1e-20 * (scale + 1e-300) if p else total > 0
    good &= total > 1e-24 * np.einsum("ij,ij->i", y, y)
    for row in rows[~good]:
        status[row] = CONSTANT
    rows, y, residual, total = rows[good], y[good], residual[good], total[good]
    if not rows.size:
        return
    squares = (residual @ design.directions) ** 2
    rest = np.maximum(total - squares.sum(axis=1), 0.0)
    reml = fit.method == "REML"
    logs = design.deltas if reml else design.sizes
    count = float(n - p if reml else n)
    ratio, at_bound = best_ratio(design.deltas, squares, rest, logs, count, negative=negative)
    spread = 1.0 + ratio[:, None] * design.deltas
    residual_variance = (rest + (squares / spread).sum(axis=1)) / count
    for place, row in enumerate(rows):
        status[row] = ZERO_VARIANCE if ratio[place] == 0.0 else OK
        if at_bound[place]:
            status[row] = "the variance of the groups has no finite estimate"
    fit.variances[rows, 0] = ratio * residual_variance
    fit.variances[rows, 1] = residual_variance
    _fixed_effects(design, y, fit, rows, ratio)
    _information(design, squares, rest, fit, rows)


def _fixed_effects(
    design: _Design, y: Floats, fit: MixedFit, rows: NDArray[np.intp], ratio: Floats
) -> None:
    """Write beta, its covariance and the matrices that the tests need."""
    p = design.x.shape[1]
    size = design.sizes
    cross = design.x.T @ design.x
    outer = (design.sums[:, :, None] * design.sums[:, None, :]).reshape(size.size, p * p)
    variance = fit.variances[rows, 1][:, None]
    shrink = 1.0 / (1.0 + ratio[:, None] * size)

    def along(weights: Floats) -> Floats:
        return (weights @ outer).reshape(-1, p, p)

    def power(k: int) -> Floats:
        # V^-k is 1/s_e^k off the groups' indicators and shrunk along them
        total: Floats = cross + along((shrink**k - 1.0) / size)
        return np.asarray(total / variance[:, :, None] ** k)

    information = power(1)
    covariance = np.linalg.inv(information)
    weights = (shrink - 1.0) / size * (y @ design.indicator)
    right = (y @ design.x + weights @ design.sums) / variance
    fit.beta[rows] = np.einsum("mij,mj->mi", covariance, right)
    fit.covariance[rows] = covariance
    own = shrink / variance
    second_mixed = along(own**3)
    fit.first[rows, 0], fit.first[rows, 1] = along(own**2), power(2)
    fit.second[rows, 0, 0] = along(own**3 * size)
    fit.second[rows, 0, 1] = fit.second[rows, 1, 0] = second_mixed
    fit.second[rows, 1, 1] = power(3)


def _information(
    design: _Design, squares: Floats, rest: Floats, fit: MixedFit, rows: NDArray[np.intp]
) -> None:
    """Write the information of the two variances and the log-likelihood."""
    n, p = design.x.shape
    between, within = fit.variances[rows, 0][:, None], fit.variances[rows, 1][:, None]
    own = between * design.deltas + within
    free = n - p - design.deltas.size
    reml = fit.method == "REML"
    # variances of the determinant: of the contrasts for REML, of the groups for ML
    roots = own if reml else between * design.sizes + within
    slopes = design.deltas if reml else design.sizes
    others = free if reml else n - design.sizes.size
    for a, b in ((0, 0), (0, 1), (1, 1)):
        power = 2 - a - b
        trace = (slopes**power / roots**2).sum(axis=1)
        cubic = (squares * design.deltas**power / own**3).sum(axis=1)
        if power == 0:
            trace = trace + others / within[:, 0] ** 2
            cubic = cubic + rest / within[:, 0] ** 3
        for i, j in ((a, b), (b, a)):
            fit.expected_information[rows, i, j] = 0.5 * trace
            fit.observed_information[rows, i, j] = cubic - 0.5 * trace
    squared = (squares / own).sum(axis=1) + rest / within[:, 0]
    logs = np.log(roots).sum(axis=1) + others * np.log(within[:, 0])
    constant = (n - p if reml else n) * _LN_2PI
    if reml:
        constant += float(np.linalg.slogdet(design.x.T @ design.x)[1])
    fit.log_likelihood[rows] = -0.5 * (constant + logs + squared)
