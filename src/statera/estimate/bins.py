"""Bins of an independent variable: by given edges, equal counts, or natural clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError

__all__ = ["Binning", "Strategy", "bin_edges", "bin_of", "natural_breaks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Strategy = Literal["clusters", "counts", "edges"]

_MOST_UNIQUE = 400
_NOMINAL = 12


@dataclass(frozen=True)
class Binning:
    """How an independent variable is divided.

    Attributes
    ----------
    strategy
        ``clusters``: groups of values that lie close together, with the least sum of squared
        distances from their means; ``counts``: as many values a bin as can be; ``edges``: the
        given ones.
    number
        Number of bins of the first two; fewer where there are fewer distinct values. 0 takes a
        bin for each distinct value where there are at most 12, of 3 observations or more on
        average; else as many as leave 8 observations a bin on average, at most 10.
    edges
        For ``edges``: increasing; a bin holds its lower edge and not its upper one, the last both.
        Values outside are left out.
    """

    strategy: Strategy = "clusters"
    number: int = 0
    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.strategy not in ("clusters", "counts", "edges"):
            raise UsageError(
                f"'{self.strategy}' is not a way of binning",
                where="strategy",
                hint="Ways: clusters, counts, edges.",
            )
        if self.strategy == "edges":
            if len(self.edges) < 2 or not (np.diff(self.edges) > 0).all():
                raise UsageError("edges of bins are two or more increasing numbers", where="edges")
        elif self.number < 0:
            raise UsageError(f"{self.number} bins cannot be made", where="number")


def bin_edges(x: Floats, how: Binning) -> Floats:
    """Return the edges of bins, (n_bins + 1,), increasing.

    Parameters
    ----------
    x : (n,) float64
        Finite values.
    """
    if how.strategy == "edges":
        return np.array(how.edges, dtype=np.float64)
    values = np.unique(x)
    if values.size == 1:
        return np.array([values[0], values[0]], dtype=np.float64)
    nominal = values.size <= _NOMINAL and x.size >= 3 * values.size
    number = how.number or (values.size if nominal else int(np.clip(x.size // 8, 1, 10)))
    if values.size <= number:
        inner = 0.5 * (values[1:] + values[:-1])
    elif how.strategy == "counts":
        inner = _equal_counts(np.sort(x), number)
    else:
        inner = natural_breaks(x, number)
    edges: Floats = np.concatenate([values[:1], inner, values[-1:]])
    return edges


def bin_of(x: Floats, edges: Floats) -> Ints:
    """Return the bin of each value; -1 outside. A bin holds its lower edge, the last both."""
    n = edges.size - 1
    found = np.searchsorted(edges, x, side="right") - 1
    found = np.where(x == edges[-1], n - 1, found)
    outside = ~(x >= edges[0]) | (x > edges[-1])
    return np.where(outside, -1, found).astype(np.int64)


def _equal_counts(ordered: Floats, number: int) -> Floats:
    """Return inner edges between distinct values, nearest to equal counts."""
    gaps = np.flatnonzero(np.diff(ordered) > 0) + 1  # positions where a bin may begin
    wanted = ordered.size * np.arange(1, number) / number
    chosen = np.unique([gaps[np.argmin(np.abs(gaps - w))] for w in wanted])
    edges: Floats = 0.5 * (ordered[chosen - 1] + ordered[chosen])
    return edges


def natural_breaks(x: Floats, number: int) -> Floats:
    """Return inner edges, (number - 1,), of the partition with the least sum of squares.

    The exact optimum by dynamic programming over the distinct values (Fisher 1958,
    doi 10.1080/01621459.1958.10501479); more than 400 of them are first rounded to 400 levels.

    Parameters
    ----------
    x : (n,) float64
        With at least `number` distinct values.
    """
    values, counts = np.unique(x, return_counts=True)
    if values.size > max(_MOST_UNIQUE, 2 * number):
        span = values[-1] - values[0]
        level = np.round((x - values[0]) / span * (_MOST_UNIQUE - 1))
        values, counts = np.unique(level, return_counts=True)
        inner = _optimal(values, counts, min(number, values.size))
        found: Floats = x.min() + inner * span / (_MOST_UNIQUE - 1)
        return found
    return _optimal(values, counts, number)


def _optimal(values: Floats, counts: Ints, number: int) -> Floats:
    n = values.size
    centred = values - values.mean()
    weight = np.concatenate([[0.0], np.cumsum(counts)])
    first = np.concatenate([[0.0], np.cumsum(counts * centred)])
    second = np.concatenate([[0.0], np.cumsum(counts * centred**2)])
    # cost[i, j]: sum of squares of the values i to j - 1
    w = weight[None, :] - weight[:, None]
    with np.errstate(all="ignore"):
        cost = second[None, :] - second[:, None] - (first[None, :] - first[:, None]) ** 2 / w
    cost = np.where(w > 0, np.maximum(cost, 0.0), np.inf)
    best = cost[0].copy()
    begins = np.zeros((number, n + 1), dtype=np.int64)
    for k in range(1, number):
        total = best[:, None] + cost
        begins[k] = np.argmin(total, axis=0)
        best = total[begins[k], np.arange(n + 1)]
    edges, end = [], n
    for k in range(number - 1, 0, -1):
        end = int(begins[k, end])
        edges.append(0.5 * (values[end - 1] + values[end]))
    return np.array(edges[::-1])
