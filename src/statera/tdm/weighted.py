"""Summaries of weighted draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Summary", "effective_size", "summarise", "systematic", "weighted_quantiles"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Summary:
    """A quantity over the draws.

    Attributes
    ----------
    mean, sd
    low, lower, median, upper, high
        Quantiles at 5, 25, 50, 75 and 95 %.
    """

    mean: float
    sd: float
    low: float
    lower: float
    median: float
    upper: float
    high: float


def effective_size(weights: Floats) -> float:
    """Return ``1 / sum w^2`` of normalised weights (Kish)."""
    return float(1.0 / np.sum(weights * weights))


def weighted_quantiles(values: Floats, weights: Floats, levels: Sequence[float]) -> Floats:
    """Return quantiles (n_levels, ...) along the first axis of values (n, ...).

    The distribution function is taken to pass the middle of each draw's weight, and is
    interpolated between draws. Draws that are not numbers do not count.
    """
    flat = values.reshape(values.shape[0], -1)
    out = np.empty((len(levels), flat.shape[1]))
    order = np.argsort(flat, axis=0, kind="stable")  # what is not a number comes last
    for column in range(flat.shape[1]):
        here = order[:, column]
        x, w = flat[here, column], weights[here]
        good = np.isfinite(x)
        if not good.all():
            x, w = x[good], w[good]
        if x.size == 0 or w.sum() <= 0.0:
            out[:, column] = np.nan
            continue
        middle = np.cumsum(w) - 0.5 * w
        out[:, column] = np.interp(np.asarray(levels) * w.sum(), middle, x)
    return out.reshape(len(levels), *values.shape[1:])


def summarise(values: Floats, weights: Floats) -> Summary:
    """Return the summary of a quantity, (n,), over weighted draws."""
    good = np.isfinite(values) & (weights > 0.0)
    x, w = values[good], weights[good]
    if x.size == 0:
        return Summary(*(float("nan"),) * 7)
    w = w / w.sum()
    with np.errstate(over="ignore", invalid="ignore"):  # the tail of a Box-Cox effect is violent
        mean = float(np.sum(w * x))
        sd = float(np.sqrt(max(0.0, float(np.sum(w * (x - mean) ** 2)))))
    return Summary(mean, sd, *weighted_quantiles(x, w, LEVELS).tolist())


def systematic(weights: Floats, count: int, source: np.random.Generator) -> Ints:
    """Return indices of `count` draws of equal weight (systematic resampling)."""
    points = (np.arange(count) + source.random()) / count
    total = np.cumsum(weights)
    return np.minimum(
        np.searchsorted(total / total[-1], points, side="right"), weights.size - 1
    ).astype(np.int64)
