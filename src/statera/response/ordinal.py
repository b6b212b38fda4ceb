"""Ordered grades: proportional odds (McCullagh, J R Stat Soc B 1980;42:109-142).

``P(grade >= k) = expit(eta - cut_k)``; a larger linear predictor means higher grades.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit

from statera.errors import InputError
from statera.response.outcomes import Indices, Rows

__all__ = ["Ordinal"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ordinal:
    """Grades of n rows.

    Attributes
    ----------
    grade : (n,) int64
        Position in `levels`, from 0.
    levels : (k,) tuple of str
        Names of the grades, lowest first; each occurs.
    people : (n,) int64
        Number of the subject of each row.
    """

    grade: Indices
    levels: tuple[str, ...]
    people: Indices
    intercept = False

    def __post_init__(self) -> None:
        known = np.issubdtype(self.grade.dtype, np.integer)
        if not known or (self.grade < 0).any() or (self.grade >= len(self.levels)).any():
            raise InputError(
                f"grades are whole numbers from 0 to {len(self.levels) - 1}, the position of each "
                "in the levels",
                where="grade",
            )

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.grade.size

    @property
    def events(self) -> int:
        """Number of rows outside the most frequent grade."""
        return int(self.n - np.bincount(self.grade).max())

    @property
    def baseline(self) -> tuple[str, ...]:
        """Names of the cut points: one for each grade but the lowest."""
        return tuple(f"cut {level}" for level in self.levels[1:])

    def start(self) -> Floats:
        """Return the cut points of all rows together."""
        counts = np.bincount(self.grade, minlength=len(self.levels)) + 0.5
        above = np.cumsum(counts[::-1])[::-1][1:] / counts.sum()
        return np.asarray(-logit(above))

    def rows(self, eta: Floats, baseline: Floats) -> Rows:
        """Return the log-likelihood of each row by its linear predictor and the cut points.

        P = F(u1) (1 - F(u2)) (1 - exp(u2 - u1)) with u1 = eta - cut of the own grade and u2 that
        of the next: exact in both tails.
        """
        n, q = self.n, baseline.size
        own, top = self.grade > 0, self.grade < q
        low = np.where(own, eta - baseline[np.maximum(self.grade - 1, 0)], np.inf)
        high = np.where(top, eta - baseline[np.minimum(self.grade, q - 1)], -np.inf)
        between = own & top
        gap = np.where(between, low - high, np.inf)
        if (gap <= 0).any() or (np.diff(baseline) <= 0).any():
            return Rows(np.full(n, -np.inf), np.zeros((n, q + 1)), np.zeros((n, q + 1, q + 1)))
        value = log_expit(low) + log_expit(-high) + np.log1p(-np.exp(-gap))
        odd = np.where(between, 1.0 / np.expm1(gap), 0.0)
        bend = np.where(between, odd * (1.0 + odd), 0.0)
        d1, d2 = expit(-low) + odd, -expit(high) - odd
        d11 = -expit(low) * expit(-low) - bend
        d22 = -expit(high) * expit(-high) - bend
        # z = (eta, cuts): u1 and u2 have slope 1 in eta and -1 in their own cut
        u1, u2 = np.zeros((2, n, q + 1))
        u1[own, 0], u2[top, 0] = 1.0, 1.0
        u1[np.flatnonzero(own), self.grade[own]] = -1.0
        u2[np.flatnonzero(top), self.grade[top] + 1] = -1.0
        curve = np.einsum("n,ni,nj->nij", d11, u1, u1) + np.einsum("n,ni,nj->nij", d22, u2, u2)
        cross = np.einsum("n,ni,nj->nij", bend, u1, u2)
        return Rows(
            value, d1[:, None] * u1 + d2[:, None] * u2, curve + cross + cross.transpose(0, 2, 1)
        )

    def take(self, index: Indices) -> Ordinal:
        """Return some rows; the levels stay."""
        return Ordinal(self.grade[index], self.levels, self.people[index])

    def recession(self, design: Floats) -> tuple[Floats, Floats]:
        """Return one row for every row and cut point next to its grade."""
        c, q = design.shape[1], len(self.levels) - 1
        own, top = np.flatnonzero(self.grade > 0), np.flatnonzero(self.grade < q)
        upper, lower = np.zeros((own.size, c + q)), np.zeros((top.size, c + q))
        upper[:, :c], lower[:, :c] = design[own], -design[top]
        upper[np.arange(own.size), c + self.grade[own] - 1] = -1.0
        lower[np.arange(top.size), c + self.grade[top]] = 1.0
        order = np.zeros((q - 1, c + q))
        order[np.arange(q - 1), c + np.arange(1, q)] = 1.0
        order[np.arange(q - 1), c + np.arange(q - 1)] = -1.0
        return np.vstack([upper, lower, order]), np.zeros((0, c + q))
