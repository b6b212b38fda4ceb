"""Step-down p-values by the largest statistic, gathered while permutations come in.

Methods
-------
Westfall and Young, Resampling-Based Multiple Testing, 1993, algorithm 4.1 in the form of Ge,
Dudoit and Speed, Test 2003;12:1-77, doi 10.1007/BF02595811. The observed labels count as one
permutation, so that no p-value is 0 (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["StepDown"]

Floats = NDArray[np.float64]


class StepDown:
    """Counts of permuted statistics at or beyond the observed ones.

    Parameters
    ----------
    observed : (m,) float64
        Statistics of the data, of which large absolute values speak against the hypothesis; nan
        is a test that could not be made.
    """

    def __init__(self, observed: Floats) -> None:
        size = np.abs(np.asarray(observed, dtype=float))
        self._failed = ~np.isfinite(size)
        self._order = np.argsort(-np.where(self._failed, -np.inf, size), kind="stable")
        # sums in another order may differ in their last digits
        self._threshold = size[self._order] * (1.0 - 1e-10)
        self._alone = np.ones(size.size)
        self._beyond = np.ones(size.size)
        self.permutations = 0

    def add(self, drawn: Floats) -> None:
        """Count permuted statistics (b, m); those that are not finite count as 0."""
        size = np.abs(np.atleast_2d(drawn))[:, self._order]
        size[~np.isfinite(size)] = 0.0
        self._alone += np.count_nonzero(size >= self._threshold, axis=0)
        largest = np.maximum.accumulate(size[:, ::-1], axis=1)[:, ::-1]
        self._beyond += np.count_nonzero(largest >= self._threshold, axis=0)
        self.permutations += size.shape[0]

    def p_values(self) -> tuple[Floats, Floats]:
        """Return p-values (m,) of each test alone, and those that hold the family-wise error."""
        p, adjusted = np.empty(self._alone.size), np.empty(self._alone.size)
        p[self._order] = self._alone / (self.permutations + 1)
        adjusted[self._order] = np.maximum.accumulate(self._beyond / (self.permutations + 1))
        p[self._failed] = adjusted[self._failed] = np.nan
        return p, adjusted
