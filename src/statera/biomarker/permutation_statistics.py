"""Statistics of many proteins for many arrangements of labels, from products of matrices.

Each protein keeps one covariance, estimated without the labels, in all arrangements. What the
labels do not touch (the inverse covariance V^-1, fixed columns projected out, ``M y``) is computed
once; each batch of arrangements then costs products of its columns X with these, shared by all
proteins of one covariance, and a Cholesky factor of the few columns that hold the labels.

Where subjects repeat, the sum of squares of a term is taken over a residual variance that is free
of the labels too. A residual after the labels would be small as observed and large in every other
arrangement where another term of the same column has a real effect, and so call an interaction
significant for the main effect beside it. For one term the two statistics rank arrangements alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.numerics.mixed_model import OK, ZERO_VARIANCE, design_defect, fit_random_intercept

__all__ = ["NullModel", "fit_null_model", "label_free_statistics"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_STEPS = 50
"""Correlations within subjects are rounded to 1/50, so that proteins share their matrices."""
_LARGEST = 0.98
_CHUNK = 256
_SINGULAR = 1e-10


@dataclass(frozen=True)
class NullModel:
    """What m proteins need of the model without the labels.

    Attributes
    ----------
    my : (m, n) float64
        ``M y``, M being V^-1 with the fixed columns projected out; V in units of the residual.
    squares : (m,) float64
        ``y' M y``.
    df : (m,) float64
        Values less fixed columns.
    key : (m,) int
        Row of `weights` and of `across` that a protein has.
    weights : (K, P) float64
        V^-1 at each pair of samples of one subject.
    pairs : (P,) int, two of them
        The samples of the pairs, the first no later than the second.
    across : (K, p0, n) float64
        Rows that project the fixed columns out: ``M = V^-1 - across' across``.
    status : tuple of str
        Of each protein.
    repeated
        Whether subjects repeat.
    """

    my: Floats
    squares: Floats
    df: Floats
    key: Places
    weights: Floats
    pairs: tuple[Places, Places]
    across: Floats
    status: tuple[str, ...]
    repeated: bool


def _correlations(values: Floats, fixed: Floats, subjects: Places) -> tuple[Floats, list[str]]:
    """Return the correlation within subjects (m,) without the labels, rounded, and the status."""
    m, n = values.shape
    if np.unique(subjects).size == n:
        status = [OK] * m
        for row, present in enumerate(np.isfinite(values)):
            status[row] = design_defect(fixed[present]) or OK
        return np.zeros(m), status
    fit = fit_random_intercept(fixed, subjects, values)
    total = fit.variances.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(np.isfinite(total), fit.variances[:, 0] / total, 0.0)
    rounded = np.round(np.clip(share, 0.0, _LARGEST) * _STEPS) / _STEPS
    status = [
        OK if np.isfinite(t) and s != ZERO_VARIANCE else s
        for s, t in zip(fit.status, total, strict=True)
    ]
    return rounded, [OK if s == ZERO_VARIANCE else s for s in status]


def fit_null_model(values: Floats, fixed: Floats, subjects: Places) -> NullModel:
    """Return the model without the labels of every protein.

    Parameters
    ----------
    values : (m, n) float64
        nan is missing.
    fixed : (n, p0) float64
        Columns that the labels do not touch.
    subjects : (n,) int
        Numbers of the subjects; each sample its own where samples are independent.
    """
    m, n = values.shape
    share, status = _correlations(values, fixed, subjects)
    present = np.isfinite(values)
    rows = np.column_stack([present, np.round(share * _STEPS)[:, None]]).astype(np.uint8)
    unique, key = np.unique(rows, axis=0, return_inverse=True)
    key = key.ravel()
    masks = unique[:, :n].astype(float)
    ratios = (unique[:, n] / _STEPS) / (1.0 - unique[:, n] / _STEPS)
    pairs = _pairs(subjects)
    weights = np.empty((unique.shape[0], pairs[0].size))
    across = np.zeros((unique.shape[0], fixed.shape[1], n))
    filled = np.where(present, values, 0.0)
    my, squares = np.empty((m, n)), np.empty(m)
    indicator = np.zeros((n, int(subjects.max()) + 1))
    indicator[np.arange(n), subjects] = 1.0
    for start in range(0, unique.shape[0], _CHUNK):
        some = slice(start, start + _CHUNK)
        mask = masks[some]
        shrink = ratios[some, None] / (1.0 + ratios[some, None] * (mask @ indicator))
        paired = -(mask * shrink[:, subjects])[:, pairs[0]] * mask[:, pairs[1]]
        same = pairs[0] == pairs[1]
        paired[:, same] += mask[:, pairs[0][same]]
        weights[some] = paired
        _project(fixed, mask, shrink, subjects, indicator, across[some])
        own = np.flatnonzero((key >= start) & (key < start + _CHUNK))
        k = key[own] - start
        y = filled[own]
        sums = (y @ indicator) * shrink[k]
        inverse = y - mask[k] * sums[:, subjects]
        along = np.einsum("mpn,mn->mp", across[key[own]], y)
        my[own] = inverse - np.einsum("mpn,mp->mn", across[key[own]], along)
        squares[own] = np.einsum("mn,mn->m", my[own], y)
    df = present.sum(axis=1) - float(fixed.shape[1])
    repeated = bool(np.unique(subjects).size < n)
    return NullModel(my, squares, df, key, weights, pairs, across, tuple(status), repeated)


def _pairs(subjects: Places) -> tuple[Places, Places]:
    first, second = [], []
    for subject in np.unique(subjects):
        own = np.flatnonzero(subjects == subject)
        i, j = np.triu_indices(own.size)
        first.append(own[i])
        second.append(own[j])
    return np.concatenate(first), np.concatenate(second)


def _project(
    fixed: Floats, mask: Floats, shrink: Floats, subjects: Places, indicator: Floats, out: Floats
) -> None:
    """Write ``L^-1 X0' V^-1`` with ``L L' = X0' V^-1 X0``; rows that cannot be had stay 0."""
    if not fixed.shape[1]:
        return
    x = mask[:, :, None] * fixed
    sums = np.einsum("kns,nu->kus", x, indicator, optimize=True) * shrink[:, :, None]
    inverse = x - mask[:, :, None] * sums[:, subjects]
    information = np.einsum("np,kns->kps", fixed, inverse, optimize=True)
    good = np.linalg.matrix_rank(information, tol=None, hermitian=True) == fixed.shape[1]
    root = np.linalg.cholesky(information[good])
    out[good] = np.linalg.solve(root, np.swapaxes(inverse[good], 1, 2))


def label_free_statistics(
    model: NullModel, moved: Floats, sizes: tuple[int, ...]
) -> tuple[Floats, ...]:
    """Return statistics (b, m) of each term; nan where an arrangement cannot be estimated.

    They are F, with the residual variance after the labels where samples are independent, and
    without the labels where subjects repeat.

    Parameters
    ----------
    model
        From `fit_null_model`.
    moved : (b, n, p1) float64
        Columns that hold the labels, in b arrangements.
    sizes
        How many of the columns belong to each term.
    """
    b, n, p = moved.shape
    lined = np.ascontiguousarray(np.moveaxis(moved, 2, 0))  # (p, b, n)
    right = (lined.reshape(p * b, n) @ model.my.T).reshape(p, b, -1)
    information, scale = _information(model, lined)
    ends = np.cumsum(sizes)
    found = []
    for end, size in zip(ends, sizes, strict=True):
        own = list(range(end - size, end))
        order = [i for i in range(p) if i not in own] + own
        found.append(_f_statistics(model, information, scale, right, order, size))
    return tuple(found)


def _information(
    model: NullModel, lined: Floats
) -> tuple[dict[tuple[int, int], Floats], list[Floats]]:
    """Return the entries (b, K) of ``X' M X``, and the diagonal of ``X' V^-1 X``."""
    p, b, n = lined.shape
    i, j = model.pairs
    half = np.where(i == j, 0.5, 1.0)
    at_i, at_j = lined[:, :, i], lined[:, :, j]
    across = model.across.reshape(-1, n) @ lined.reshape(p * b, n).T
    across = across.reshape(model.across.shape[0], -1, p, b)
    found, scale = {}, []
    for one in range(p):
        for other in range(one + 1):
            products = half * (at_i[one] * at_j[other] + at_i[other] * at_j[one])
            entry = products @ model.weights.T
            if one == other:
                scale.append(entry.copy())
            entry -= np.einsum("kqb,kqb->bk", across[:, :, one], across[:, :, other])
            found[one, other] = entry
    return found, scale


def _f_statistics(
    model: NullModel,
    information: dict[tuple[int, int], Floats],
    scale: list[Floats],
    right: Floats,
    order: list[int],
    size: int,
) -> Floats:
    """Return statistics (b, m) of the last `size` columns in `order`, given those before."""
    p = len(order)
    factor: dict[tuple[int, int], Floats] = {}
    solved: list[Floats] = []
    singular = np.zeros(right.shape[1:], dtype=bool)
    regression = np.zeros(right.shape[1:])
    tested = np.zeros(right.shape[1:])
    spread = model.key.size != model.weights.shape[0] or bool(
        (model.key != np.arange(model.key.size)).any()
    )
    for j in range(p):
        for i in range(j, p):
            a, c = order[i], order[j]
            entry = information[max(a, c), min(a, c)].copy()
            for k in range(j):
                entry -= factor[i, k] * factor[j, k]
            if i == j:
                bad = entry <= _SINGULAR * scale[a]
                factor[j, j] = np.sqrt(np.where(bad, np.inf, entry))
                singular |= bad[:, model.key] if spread else bad
            else:
                factor[i, j] = entry / factor[j, j]
        z = right[order[j]].copy()
        for k in range(j):
            z -= (factor[j, k][:, model.key] if spread else factor[j, k]) * solved[k]
        z /= factor[j, j][:, model.key] if spread else factor[j, j]
        solved.append(z)
        regression += z * z
        if j >= p - size:
            tested += z * z
    residual, df = np.maximum(model.squares - regression, 0.0), model.df - p
    if model.repeated:
        residual, df = model.squares, model.df
    with np.errstate(divide="ignore", invalid="ignore"):
        f = tested / size / (residual / df)
    f[singular] = np.nan
    f[:, (model.df <= p)] = np.nan
    return f
