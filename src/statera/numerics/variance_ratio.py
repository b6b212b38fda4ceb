"""The best ratio of two variances, for many responses at once.

The profiled objective ``count ln(sum q_j / (1 + r delta_j)) + sum ln(1 + r l_j)`` is looked at on
a grid, which guards against a lesser minimum, then its slope is brought to zero by Newton steps
inside a bracket.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_ratio"]

Floats = NDArray[np.float64]

_GRID = 61
_STEPS = 80
_LARGEST = 1.0 - 1e-9


def best_ratio(
    deltas: Floats,
    squares: Floats,
    rest: Floats,
    logs: Floats,
    count: float,
    *,
    negative: bool = False,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the ratio (m,) that minimises the objective, and where it ran to its upper bound.

    Parameters
    ----------
    deltas : (r,) float64
        Slopes of the variances of the contrasts.
    squares : (m, r) float64
        Their squares.
    rest : (m,) float64
        Sum of squares of the contrasts with slope 0.
    logs : (s,) float64
        Slopes in the determinant.
    count
        Degrees of freedom of the residual variance.
    negative
        Whether the ratio may fall below 0, as far as every variance stays positive.
    """
    steepest = float(max(deltas.max(), logs.max())) if negative else 0.0
    lowest = -(1.0 - 1e-6) / (steepest - 1.0) if steepest > 1.0 else 0.0
    # the share r/(1+r) maps all ratios on a finite range
    inner = np.linspace(lowest, 0.98, _GRID)
    grid = np.concatenate([inner, 1.0 - 10.0 ** -np.arange(2.0, 9.5, 0.5), [_LARGEST]])
    ratios = (grid / (1.0 - grid))[:, None]
    sums = rest[:, None] + squares @ (1.0 / (1.0 + ratios * deltas)).T
    with np.errstate(divide="ignore"):
        values = count * np.log(sums) + np.log1p(ratios * logs).sum(axis=1)
    best = np.argmin(values, axis=1)
    low = grid[np.maximum(best - 1, 0)]
    high = grid[np.minimum(best + 1, grid.size - 1)]
    share = _refine(deltas, squares, rest, logs, count, low, high, grid[best])
    at_lowest = (share - lowest < 1e-9) & (lowest == 0.0)
    share = np.where(at_lowest, 0.0, share)
    return share / (1.0 - share), share >= _LARGEST - 1e-12


def _refine(
    deltas: Floats,
    squares: Floats,
    rest: Floats,
    logs: Floats,
    count: float,
    low: Floats,
    high: Floats,
    share: Floats,
) -> Floats:
    """Return the shares (m,) inside the brackets where the slope is zero, or a bound."""
    low, high, share = low.copy(), high.copy(), share.copy()
    active = np.arange(share.size)
    for step in range(_STEPS):
        s, q = share[active], squares[active]
        ratio = s / (1.0 - s)
        inverse = 1.0 / (1.0 + ratio[:, None] * deltas)
        log_inverse = 1.0 / (1.0 + ratio[:, None] * logs)
        weighted = q * inverse
        total = rest[active] + weighted.sum(axis=1)
        weighted = weighted * inverse * deltas
        first = weighted.sum(axis=1)
        second = 2.0 * (weighted * inverse * deltas).sum(axis=1)
        slope = -count * first / total + (logs * log_inverse).sum(axis=1)
        bend = count * (second / total - (first / total) ** 2)
        bend = bend - ((logs * log_inverse) ** 2).sum(axis=1)
        # in the share: dr/ds = 1/(1-s)^2
        gear = 1.0 / (1.0 - s) ** 2
        slope, bend = slope * gear, bend * gear**2 + 2.0 * slope * gear / (1.0 - s)
        low[active] = np.where(slope < 0.0, s, low[active])
        high[active] = np.where(slope >= 0.0, s, high[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            trial = s - slope / bend
        inside = (bend > 0.0) & (trial > low[active]) & (trial < high[active])
        middle = 0.5 * (low[active] + high[active])
        trial = np.where(inside & (step < _STEPS // 2), trial, middle)
        share[active] = trial
        open_ = np.abs(trial - s) > 1e-13 * (1.0 - s) + 1e-15
        active = active[open_]
        if not active.size:
            break
    return share
