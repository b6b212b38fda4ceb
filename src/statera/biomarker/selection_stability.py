"""How often markers are selected over resamples, and how alike the selections are.

Methods
-------
Nogueira, Sechidis and Brown, J Mach Learn Res 2018;18(174):1-54: 1 where all selections agree, 0
where they are as alike as chance; with its variance. Kuncheva, Artificial Intelligence and
Applications (conference), 2007, for selections of equal size; the mean over pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["SelectionStability", "kuncheva_index", "nogueira_stability", "selection_stability"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SelectionStability:
    """Stability over resamples.

    Attributes
    ----------
    frequency : (m,) float64
        Share of the resamples that selected each marker.
    same_sign : (m,) float64
        Of the resamples that selected it, the share with the commoner sign of its weight; nan
        where never selected, 1 for weights without sign.
    sizes : (b,) int64
        Markers selected in each resample.
    nogueira, low, high
        Index with interval.
    kuncheva
        nan where selections differ in size.
    status
        ``ok`` or why there is no index.
    """

    frequency: Floats
    same_sign: Floats
    sizes: NDArray[np.int64]
    nogueira: float
    low: float
    high: float
    kuncheva: float
    status: str


def selection_stability(weights: Floats, level: float = 0.95) -> SelectionStability:
    """Return how stable the selection is.

    Parameters
    ----------
    weights : (b, m) float64
        Of each marker in each resample; 0 is not selected.
    level
        Of the interval.
    """
    chosen = weights != 0.0
    count = chosen.sum(axis=0)
    positive = (weights > 0.0).sum(axis=0)
    more = np.maximum(positive, count - positive).astype(float)
    same = np.divide(more, count, out=np.full(count.size, np.nan), where=count > 0)
    index, error, status = nogueira_stability(chosen)
    half = float(special.ndtri(0.5 + level / 2.0)) * error
    return SelectionStability(
        chosen.mean(axis=0), same, chosen.sum(axis=1).astype(np.int64), index,
        index - half, min(1.0, index + half), kuncheva_index(chosen), status,
    )  # fmt: skip


def nogueira_stability(chosen: Bools) -> tuple[float, float, str]:
    """Return index, standard error and ``ok`` or the reason why there is none.

    Parameters
    ----------
    chosen : (b, m) bool
        Whether resample b selected marker m.
    """
    nan = float("nan")
    b, m = chosen.shape
    if b < 2:
        return nan, nan, "stability needs two resamples"
    size = chosen.sum(axis=1) / m
    mean = float(size.mean())
    if mean in (0.0, 1.0):
        return nan, nan, "no marker is ever selected" if mean == 0.0 else "all always selected"
    share = chosen.mean(axis=0)
    spread = mean * (1.0 - mean)
    index = float(1.0 - b / (b - 1) * (share * (1.0 - share)).mean() / spread)
    each = (chosen @ share) / m - size * mean
    each += index / 2.0 * (2.0 * mean * size - size - mean + 1.0)
    each /= spread
    error = float(2.0 / b * np.sqrt(((each - each.mean()) ** 2).sum()))
    return index, error, "ok"


def kuncheva_index(chosen: Bools) -> float:
    """Return the mean over pairs of resamples; nan where sizes differ, or are 0 or all."""
    b, m = chosen.shape
    sizes = chosen.sum(axis=1)
    k = int(sizes[0]) if b else 0
    if b < 2 or (sizes != k).any() or k in (0, m):
        return float("nan")
    common = chosen.astype(float) @ chosen.T
    both = common[np.triu_indices(b, 1)]
    return float(((both * m - k * k) / (k * (m - k))).mean())
