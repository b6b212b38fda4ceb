"""Summaries of weighted draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Summary",
    "effective_size",
    "rising_order",
    "summaries",
    "summarise",
    "systematic",
    "weighted_quantiles",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

_LOOKED_AT = 50
"""Values at which an order is tried before all are."""


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
    for column in range(flat.shape[1]):
        x = np.ascontiguousarray(flat[:, column])
        out[:, column] = _quantiles(x, weights, levels, rising_order(x))
    return out.reshape(len(levels), *values.shape[1:])


def rising_order(values: Floats, tried: Sequence[Ints] = ()) -> Ints:
    """Return the order of values, (n,), equal ones as they come; what is not a number comes last.

    Parameters
    ----------
    tried
        Orders of other quantities that are looked at first: what rises with one of them has the
        same, and looking costs much less than sorting.
    """
    few = slice(0, values.size, max(1, values.size // _LOOKED_AT))
    for order in tried:
        if (np.diff(values[order[few]]) > 0.0).all() and (np.diff(values[order]) > 0.0).all():
            return order
    order = np.argsort(values)
    ordered = values[order]
    if (ordered[1:] == ordered[:-1]).any():
        order = np.argsort(values, kind="stable")
    return order


def _quantiles(x: Floats, weights: Floats, levels: Sequence[float], order: Ints) -> Floats:
    """Return quantiles (n_levels,) of values (n,) in a known order."""
    x, w = x[order], weights[order]
    good = np.isfinite(x)
    if not good.all():
        x, w = x[good], w[good]
    if x.size == 0 or w.sum() <= 0.0:
        return np.full(len(levels), np.nan)
    middle = np.cumsum(w) - 0.5 * w
    return np.asarray(np.interp(np.asarray(levels) * w.sum(), middle, x))


def summaries(columns: Mapping[str, Floats], weights: Floats) -> dict[str, Summary]:
    """Return the summary of each quantity, (n,), over the same weighted draws."""
    found: dict[str, Summary] = {}
    orders: list[Ints] = []
    for name, values in columns.items():
        if not (np.isfinite(values).all() and (weights > 0.0).all()):
            found[name] = summarise(values, weights)
            continue
        order = rising_order(values, orders)
        if not any(order is known for known in orders):
            orders.append(order)
        w = weights / weights.sum()
        found[name] = _summary(values, w, order)
    return found


def summarise(values: Floats, weights: Floats) -> Summary:
    """Return the summary of a quantity, (n,), over weighted draws."""
    good = np.isfinite(values) & (weights > 0.0)
    x, w = values[good], weights[good]
    if x.size == 0:
        return Summary(*(float("nan"),) * 7)
    return _summary(x, w / w.sum(), rising_order(x))


def _summary(x: Floats, w: Floats, order: Ints) -> Summary:
    with np.errstate(over="ignore", invalid="ignore"):  # the tail of a Box-Cox effect is violent
        mean = float(np.sum(w * x))
        sd = float(np.sqrt(max(0.0, float(np.sum(w * (x - mean) ** 2)))))
    return Summary(mean, sd, *_quantiles(x, w, LEVELS, order).tolist())


def systematic(weights: Floats, count: int, source: np.random.Generator) -> Ints:
    """Return indices of `count` draws of equal weight (systematic resampling)."""
    points = (np.arange(count) + source.random()) / count
    total = np.cumsum(weights)
    return np.minimum(
        np.searchsorted(total / total[-1], points, side="right"), weights.size - 1
    ).astype(np.int64)
