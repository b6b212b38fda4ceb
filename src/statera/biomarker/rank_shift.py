"""Shifts that go with rank tests: medians of pairwise differences, with intervals.

Methods
-------
Hodges and Lehmann, Ann Math Stat 1963;34:598-611, doi 10.1214/aoms/1177704172. Limits are ordered
differences at the critical value of the rank sum (or of signed ranks), which is exact where no
values are tied and a group holds fewer than 50, else by the normal with corrections for ties and
for continuity.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

__all__ = ["exact_rank_sum_p", "exact_signed_rank_p", "shift_of_groups", "shift_of_pairs"]

Floats = NDArray[np.float64]


@lru_cache(maxsize=256)
def _below_rank_sum(n1: int, n2: int) -> Floats:
    """Return P(U <= u) for u = 0, 1, ... of the rank sum without ties."""
    counts = np.zeros(n1 * n2 + 1)
    counts[0] = 1.0
    # the generating function is a quotient of products (1 - x^(n2+i)) / (1 - x^i)
    for i in range(1, n1 + 1):
        if n2 + i <= n1 * n2:
            counts[n2 + i :] -= counts[: -(n2 + i)].copy()
        for u in range(i, counts.size):
            counts[u] += counts[u - i]
    return np.asarray(np.cumsum(counts) / counts.sum())


@lru_cache(maxsize=256)
def _below_signed_ranks(n: int) -> Floats:
    """Return P(V <= v) for v = 0, 1, ... of signed ranks without ties."""
    counts = np.zeros(n * (n + 1) // 2 + 1)
    counts[0] = 1.0
    for rank in range(1, n + 1):
        counts[rank:] += counts[:-rank].copy()
    return np.asarray(np.cumsum(counts) / counts.sum())


def _both_sides(below: Floats, statistic: float) -> float:
    """Return the p-value of both sides of a symmetric distribution."""
    last = below.size - 1
    return min(2.0 * float(below[round(min(statistic, last - statistic))]), 1.0)


def exact_rank_sum_p(u: float, n1: int, n2: int) -> float:
    """Return the two-sided p-value of the rank sum statistic U, without ties."""
    return _both_sides(_below_rank_sum(n1, n2), u)


def exact_signed_rank_p(v: float, n: int) -> float:
    """Return the two-sided p-value of the sum of positive ranks V, without ties or zeros."""
    return _both_sides(_below_signed_ranks(n), v)


def _limits(differences: Floats, below: Floats | None, middle: float, spread: float,
            level: float) -> tuple[float, float, float]:  # fmt: skip
    """Return median and limits: those ordered differences that the test does not refuse."""
    ordered = np.sort(differences)
    tail = 0.5 - level / 2.0
    if below is not None:
        rank = max(int(np.searchsorted(below, tail)), 1)
    else:
        rank = max(int(np.floor(middle + special.ndtri(tail) * spread + 0.5)), 1)
    rank = min(rank, ordered.size)
    return float(np.median(ordered)), float(ordered[rank - 1]), float(ordered[-rank])


def shift_of_groups(x: Floats, y: Floats, level: float = 0.95) -> tuple[float, float, float]:
    """Return the median of ``x_i - y_j`` and its interval."""
    both = np.concatenate([x, y])
    ties = np.unique(both, return_counts=True)[1].astype(float)
    exact = ties.max() == 1.0 and max(x.size, y.size) < 50
    n = float(both.size)
    variance = x.size * y.size / 12.0 * (n + 1.0 - (ties**3 - ties).sum() / (n * (n - 1.0)))
    below = _below_rank_sum(x.size, y.size) if exact else None
    differences = (x[:, None] - y[None, :]).ravel()
    return _limits(differences, below, x.size * y.size / 2.0, float(np.sqrt(variance)), level)


def shift_of_pairs(change: Floats, level: float = 0.95) -> tuple[float, float, float]:
    """Return the median of the means of all pairs of changes, itself included, and its interval."""
    i, j = np.triu_indices(change.size)
    means = 0.5 * (change[i] + change[j])
    n = change.size
    ranks = stats.rankdata(np.abs(change))
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    exact = ties.max() == 1.0 and n < 50 and not (change == 0.0).any()
    variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - (ties**3 - ties).sum() / 48.0
    below = _below_signed_ranks(n) if exact else None
    return _limits(means, below, n * (n + 1.0) / 4.0, float(np.sqrt(variance)), level)
