"""Means of many sets of estimates at once, each with its own tau2: bootstraps, permutations.

All sets take one step of their search together; a set that has converged is left out of the next.
The estimators are those of `tau_squared`, without covariates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.numerics.tau_squared import TauSquaredMethod, tau_squared_method

__all__ = ["BATCH_METHODS", "PooledBatch", "pooled_batch"]

Floats = NDArray[np.float64]
STEPS = 100
CHUNK = 1_000_000

#: Estimators that a batch knows.
BATCH_METHODS = frozenset({"REML", "ML", "DL", "PM", "EB", "DLIT", "SJIT", "HE", "HS", "HSk", "SJ"})


@dataclass(frozen=True)
class PooledBatch:
    """Means of n sets.

    Attributes
    ----------
    mean, se, tau2, scale : (n,) float64
        Mean with the standard error of known tau2, the variance between estimates, and Hartung and
        Knapp's factor of the variance.
    converged : (n,) bool
    """

    mean: Floats
    se: Floats
    tau2: Floats
    scale: Floats
    converged: NDArray[np.bool_]


def pooled_batch(
    y: ArrayLike, v: ArrayLike, method: TauSquaredMethod | str | None = TauSquaredMethod.REML
) -> PooledBatch:
    """Pool n sets of k estimates.

    Parameters
    ----------
    y, v : (n, k) float64
        Estimates and sampling variances; (k,) variances serve all sets.
    method
        Of `BATCH_METHODS`; None for a common effect.

    Raises
    ------
    InputError
        If the estimator is not one of a batch, or k is below 2.
    """
    estimates = np.atleast_2d(np.asarray(y, dtype=np.float64))
    variances = np.broadcast_to(np.asarray(v, dtype=np.float64), estimates.shape)
    n, k = estimates.shape
    if k < 2:
        raise InputError("a batch needs at least two estimates a set", where="y")
    chosen = None if method is None else tau_squared_method(method)
    if chosen is not None and chosen.value not in BATCH_METHODS:
        raise InputError(
            f"'{chosen}' is not estimated in batches",
            hint=f"Known: {', '.join(sorted(BATCH_METHODS))}.",
        )
    rows = max(1, CHUNK // k)
    parts = [
        _pooled(estimates[i : i + rows], variances[i : i + rows], chosen) for i in range(0, n, rows)
    ]
    if len(parts) == 1:
        return parts[0]
    return PooledBatch(
        np.concatenate([p.mean for p in parts]),
        np.concatenate([p.se for p in parts]),
        np.concatenate([p.tau2 for p in parts]),
        np.concatenate([p.scale for p in parts]),
        np.concatenate([p.converged for p in parts]),
    )


def _pooled(y: Floats, v: Floats, method: TauSquaredMethod | None) -> PooledBatch:
    n, k = y.shape
    converged = np.ones(n, dtype=bool)
    if method is None:
        tau2 = np.zeros(n)
    elif method in (TauSquaredMethod.REML, TauSquaredMethod.ML):
        tau2, converged = _likelihood(y, v, method is TauSquaredMethod.REML)
    elif method.value in ("PM", "EB", "DLIT", "SJIT"):
        tau2, converged = _paule_mandel(y, v)
    else:
        tau2 = np.maximum(_moments(y, v, method), 0.0)
    w = 1.0 / (v + tau2[:, None])
    total = w.sum(axis=1)
    mean = _sum(w, y) / total
    r = y - mean[:, None]
    return PooledBatch(
        mean, np.sqrt(1.0 / total), tau2, np.einsum("ij,ij,ij->i", w, r, r) / (k - 1), converged
    )


def _sum(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", a, b))


def _form(y: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
    """Return weighted residuals, their sum of squares Q, and sums of weights."""
    total = w.sum(axis=1)
    r = y - (_sum(w, y) / total)[:, None]
    u = w * r
    return u, _sum(u, r), total


def _moments(y: Floats, v: Floats, method: TauSquaredMethod) -> Floats:
    k = y.shape[1]
    if method is TauSquaredMethod.HEDGES:
        return np.asarray(y.var(axis=1, ddof=1) - v.mean(axis=1))
    if method is TauSquaredMethod.SIDIK_JONKMAN:
        first = y.var(axis=1)
        safe = np.where(first > 0.0, first, 1.0)
        _, q, _ = _form(y, 1.0 / (v + safe[:, None]))
        return np.asarray(np.where(first > 0.0, safe * q / (k - 1), 0.0))
    w = 1.0 / v
    _, q, total = _form(y, w)
    if method is TauSquaredMethod.HUNTER_SCHMIDT:
        return np.asarray((q - k) / total)
    if method is TauSquaredMethod.HUNTER_SCHMIDT_CORRECTED:
        return np.asarray((q * k / (k - 1) - k) / total)
    return np.asarray((q - (k - 1)) / (total - _sum(w, w) / total))


def _search(
    n: int, start: Floats, top: Floats, step: Callable[[Floats, NDArray[np.intp]], Floats]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return where each set's step vanishes, between 0 and `top`.

    `step` gives, for points and the numbers of their sets, the next points; a next point that lies
    outside the bracket is replaced by its middle. The bracket moves by the sign of the step.
    """
    found = start.copy()
    low, high = np.zeros(n), top.copy()
    converged = np.zeros(n, dtype=bool)
    open_sets = np.arange(n)
    for _ in range(STEPS):
        t = found[open_sets]
        new = step(t, open_sets)
        rising = new > t
        low[open_sets] = np.where(rising, t, low[open_sets])
        high[open_sets] = np.where(rising, high[open_sets], t)
        inside = (new >= low[open_sets]) & (new <= high[open_sets])
        new = np.where(inside, new, 0.5 * (low[open_sets] + high[open_sets]))
        done = np.abs(new - t) <= 1e-12 * new + 1e-300
        done |= high[open_sets] - low[open_sets] <= 1e-14 * high[open_sets]
        found[open_sets] = new
        converged[open_sets[done]] = True
        open_sets = open_sets[~done]
        if not open_sets.size:
            break
    return found, converged


def _paule_mandel(y: Floats, v: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    n, k = y.shape
    found, converged = np.zeros(n), np.ones(n, dtype=bool)
    _, q, _ = _form(y, 1.0 / v)
    rows = np.flatnonzero(q > k - 1)
    if not rows.size:
        return found, converged
    part_y, part_v = y[rows], v[rows]

    def step(t: Floats, sets: NDArray[np.intp]) -> Floats:
        u, q, _ = _form(part_y[sets], 1.0 / (part_v[sets] + t[:, None]))
        return np.asarray(t + (q - (k - 1)) * q / ((k - 1) * _sum(u, u)))

    # Q(t) <= RSS / t, which is k - 1 at most from here on
    top = part_y.var(axis=1, ddof=1)
    found[rows], converged[rows] = _search(rows.size, np.zeros(rows.size), top, step)
    return found, converged


def _scores(y: Floats, v: Floats, t: Floats, reml: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Return score, observed curvature, information and log-likelihood."""
    w = 1.0 / (v + t[:, None])
    u, q, s1 = _form(y, w)
    square = w * w
    s2 = square.sum(axis=1)
    trace, trace_two, log_det = s1, s2, np.zeros(t.size)
    if reml:
        trace = s1 - s2 / s1
        trace_two = s2 - 2.0 * _sum(square, w) / s1 + (s2 / s1) ** 2
        log_det = np.log(s1)
    cubes = np.einsum("ij,ij,ij->i", w, u, u) - _sum(w, u) ** 2 / s1
    likelihood = 0.5 * (np.log(w).sum(axis=1) - q - log_det)
    return 0.5 * (_sum(u, u) - trace), 0.5 * trace_two - cubes, 0.5 * trace_two, likelihood


def _likelihood(y: Floats, v: Floats, reml: bool) -> tuple[Floats, NDArray[np.bool_]]:
    n = y.shape[0]
    spread = y.var(axis=1, ddof=1)
    top = np.maximum(v.max(axis=1), 2.0 * spread)
    start = np.maximum(spread - v.mean(axis=1), 1e-3 * v.min(axis=1))

    def step(t: Floats, sets: NDArray[np.intp]) -> Floats:
        score, slope, information, _ = _scores(y[sets], v[sets], t, reml)
        falling = slope < 0.0
        return np.asarray(
            t + np.where(falling, score / np.where(falling, -slope, 1.0), score / information)
        )

    found, converged = _search(n, np.minimum(start, top), top, step)
    at_zero = np.zeros(n)
    score, _, _, height_zero = _scores(y, v, at_zero, reml)
    _, _, _, height = _scores(y, v, found, reml)
    lower = (score <= 0.0) & (height_zero >= height)
    converged |= lower
    return np.where(lower, 0.0, found), converged
