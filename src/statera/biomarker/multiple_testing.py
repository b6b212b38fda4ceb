"""Adjustment of p-values for many tests.

Methods
-------
Benjamini and Hochberg, J R Stat Soc B 1995;57:289-300, doi 10.1111/j.2517-6161.1995.tb02031.x.
Benjamini and Yekutieli, Ann Stat 2001;29:1165-1188, doi 10.1214/aos/1013699998.
Holm, Scand J Stat 1979;6:65-70. Largest statistic under permutation (step-down): Westfall and
Young, Resampling-Based Multiple Testing, 1993; the observed labels count as one permutation, so
that no p-value is 0 (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError, UnknownNameError

__all__ = ["METHODS", "PermutationResult", "adjust", "permutation_max_t", "stream_max_t"]

Floats = NDArray[np.float64]

METHODS = ("benjamini-hochberg", "benjamini-yekutieli", "holm", "bonferroni")


def adjust(p_values: ArrayLike, method: str = "benjamini-hochberg") -> Floats:
    """Return adjusted p-values; nan (a failed row) stays nan and does not count as a test.

    Raises
    ------
    UnknownNameError
        If the method is not one of `METHODS`.
    InputError
        If a p-value is outside 0 to 1.
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    p = np.asarray(p_values, dtype=float)
    valid = np.isfinite(p)
    values = p[valid]
    if ((values < 0.0) | (values > 1.0)).any():
        raise InputError("a p-value is outside 0 to 1", where="p_values")
    adjusted = np.full(p.shape, np.nan)
    m = values.size
    if not m:
        return adjusted
    order = np.argsort(values)
    ranks = np.arange(1, m + 1)
    if method == "bonferroni":
        ordered = values[order] * m
    elif method == "holm":
        ordered = np.maximum.accumulate(values[order] * (m - ranks + 1))
    else:
        factor = np.sum(1.0 / ranks) if method == "benjamini-yekutieli" else 1.0
        ordered = np.minimum.accumulate((values[order] * m * factor / ranks)[::-1])[::-1]
    result = np.empty(m)
    result[order] = np.minimum(ordered, 1.0)
    adjusted[valid] = result
    return adjusted


@dataclass(frozen=True)
class PermutationResult:
    """P-values by the largest statistic under permutation, after `permutations` of `requested`.

    Attributes
    ----------
    observed : (m,) float64
        Statistics of the data; large absolute values speak against the hypothesis.
    p_value : (m,) float64
        Of each test alone.
    adjusted : (m,) float64
        That hold the family-wise error rate (step-down).
    """

    observed: Floats
    p_value: Floats
    adjusted: Floats
    permutations: int
    requested: int

    @property
    def complete(self) -> bool:
        """Whether every permutation asked for was done."""
        return self.permutations == self.requested


def _shuffle(
    rng: np.random.Generator, units: NDArray[np.intp], strata: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return an order of samples that moves whole units within their stratum."""
    order = np.arange(units.size)
    for stratum in np.unique(strata):
        members = np.unique(units[strata == stratum])
        places = [np.flatnonzero(units == unit) for unit in members]
        for size in {place.size for place in places}:
            alike = [place for place in places if place.size == size]
            for target, source in zip(alike, rng.permutation(len(alike)), strict=True):
                order[target] = alike[source]
    return order


def stream_max_t(
    statistics: Callable[[NDArray[np.intp]], Floats],
    n: int,
    permutations: int,
    seed: int = 0,
    *,
    units: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    every: int = 100,
) -> Iterator[PermutationResult]:
    """Yield results as permutations proceed, after every `every` and at the end.

    Parameters
    ----------
    statistics
        Statistics (m,) of the data whose labels are taken in a given order (n,).
    n
        Samples.
    permutations
        How many orders to draw.
    seed
        Of the random orders.
    units : (n,), optional
        Subjects whose samples move together; those with equally many samples are exchanged.
    strata : (n,), optional
        Within which labels are exchanged.

    Raises
    ------
    InputError
        If no permutation is asked for.
    """
    if permutations < 1 or every < 1:
        raise InputError("at least one permutation is needed", where="permutations")
    unit = np.arange(n) if units is None else np.unique(np.asarray(units), return_inverse=True)[1]
    stratum = (
        np.zeros(n, dtype=np.intp)
        if strata is None
        else np.unique(np.asarray(strata), return_inverse=True)[1]
    )
    rng = np.random.default_rng(seed)
    observed = np.asarray(statistics(np.arange(n)), dtype=float)
    size = np.abs(observed)
    failed = ~np.isfinite(size)
    order = np.argsort(-np.where(failed, -np.inf, size), kind="stable")
    threshold = size[order] * (1.0 - 1e-12)
    alone, beyond = np.ones(size.size), np.ones(size.size)
    for done in range(1, permutations + 1):
        drawn = np.abs(statistics(_shuffle(rng, unit, stratum)))
        drawn = np.where(np.isfinite(drawn), drawn, 0.0)[order]
        alone += drawn >= threshold
        beyond += np.maximum.accumulate(drawn[::-1])[::-1] >= threshold
        if done % every == 0 or done == permutations:
            p, adjusted = np.empty(size.size), np.empty(size.size)
            p[order] = alone / (done + 1)
            adjusted[order] = np.maximum.accumulate(beyond / (done + 1))
            p[failed] = adjusted[failed] = np.nan
            yield PermutationResult(observed, p, adjusted, done, permutations)


def permutation_max_t(
    statistics: Callable[[NDArray[np.intp]], Floats],
    n: int,
    permutations: int,
    seed: int = 0,
    *,
    units: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    every: int = 100,
) -> PermutationResult:
    """Return p-values by the largest statistic under permutation.

    `progress` is called with the permutations done and asked for; where `cancelled` returns True
    the result so far is returned, which says how many permutations it holds. The other
    parameters are those of `stream_max_t`.
    """
    result: PermutationResult | None = None
    stream = stream_max_t(
        statistics, n, permutations, seed, units=units, strata=strata, every=every
    )
    for result in stream:
        if progress is not None:
            progress(result.permutations, permutations)
        if cancelled is not None and cancelled():
            break
    if result is None:
        raise InputError("no permutation was done", where="permutations")
    return result
