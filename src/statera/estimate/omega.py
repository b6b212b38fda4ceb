"""Covariance of random effects as a vector of free numbers: log-Cholesky by blocks.

A block is ``L L'`` with L lower triangular and its diagonal as exponentials, so that every vector
is a valid covariance. Random effects of occasions repeat the same block for every occasion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "OmegaMap", "blocks_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Random effects with free covariances among them.

    Attributes
    ----------
    members
        Indices into the random effects of the model.
    fixed
        Whether the values stay.
    """

    members: tuple[int, ...]
    fixed: bool


def blocks_of(omega: Floats, fixed: Sequence[bool]) -> tuple[Block, ...]:
    """Return the blocks: random effects that a non-zero covariance connects.

    A block is fixed where all of its variances are.
    """
    n = omega.shape[0]
    label = list(range(n))
    for i in range(n):
        for j in range(i):
            if omega[i, j] != 0.0 and label[i] != label[j]:
                old, new = max(label[i], label[j]), min(label[i], label[j])
                label = [new if k == old else k for k in label]
    found = []
    for k in sorted(set(label)):
        members = tuple(i for i in range(n) if label[i] == k)
        found.append(Block(members, all(fixed[i] for i in members)))
    return tuple(found)


class OmegaMap:
    """Between free numbers and the covariance of a subject's random effects.

    Parameters
    ----------
    omega : (n_effects, n_effects) float64
        Initial covariance in the order of the model.
    fixed
        For each effect.
    places
        For each effect, its columns among a subject's random effects: one, or one an occasion.
    """

    def __init__(
        self, omega: Floats, fixed: Sequence[bool], places: Sequence[Sequence[int]]
    ) -> None:
        self.start = omega
        self.blocks = blocks_of(omega, fixed)
        self.places = [np.asarray(p, dtype=np.int64) for p in places]
        self.n_full = sum(len(p) for p in places)
        self.free = [b for b in self.blocks if not b.fixed]
        self.size = sum(len(b.members) * (len(b.members) + 1) // 2 for b in self.free)

    def pack(self, omega: Floats) -> Floats:
        """Return the free numbers of a covariance."""
        found: list[float] = []
        for block in self.free:
            at = np.ix_(block.members, block.members)
            lower = np.linalg.cholesky(omega[at])
            for i in range(len(block.members)):
                found += [*lower[i, :i], np.log(lower[i, i])]
        return np.array(found)

    def _lowers(self, u: Floats) -> list[Floats]:
        found, k = [], 0
        for block in self.free:
            n = len(block.members)
            lower = np.zeros((n, n))
            for i in range(n):
                lower[i, :i] = u[k : k + i]
                lower[i, i] = np.exp(u[k + i])
                k += i + 1
            found.append(lower)
        return found

    def unpack(self, u: Floats) -> Floats:
        """Return the covariance of the model's effects, (n_effects, n_effects)."""
        omega = self.start.copy()
        for block, lower in zip(self.free, self._lowers(u), strict=True):
            omega[np.ix_(block.members, block.members)] = lower @ lower.T
        return omega

    def expand(self, omega: Floats) -> Floats:
        """Return the covariance of all random effects of a subject, (n_full, n_full)."""
        full = np.zeros((self.n_full, self.n_full))
        for block in self.blocks:
            for i in block.members:
                for j in block.members:
                    full[self.places[i], self.places[j]] = omega[i, j]
        return full

    def reduce(self, slopes: Floats) -> Floats:
        """Return derivatives by the model's covariance from those by the full one.

        Parameters
        ----------
        slopes : (..., n_full, n_full) float64
            Symmetric; repeated entries add up.
        """
        n = len(self.places)
        out = np.zeros((*slopes.shape[:-2], n, n))
        for block in self.blocks:
            for i in block.members:
                for j in block.members:
                    out[..., i, j] = slopes[..., self.places[i], self.places[j]].sum(axis=-1)
        return out

    def pull(self, u: Floats, slopes: Floats) -> Floats:
        """Return derivatives by the free numbers, (..., size).

        Parameters
        ----------
        slopes : (..., n_effects, n_effects) float64
            Derivatives by the covariance, symmetric.
        """
        out = np.zeros((*slopes.shape[:-2], self.size))
        k = 0
        for block, lower in zip(self.free, self._lowers(u), strict=True):
            members = list(block.members)
            part = slopes[..., members, :][..., :, members]
            by_lower = 2.0 * part @ lower
            for i in range(len(members)):
                out[..., k : k + i] = by_lower[..., i, :i]
                out[..., k + i] = by_lower[..., i, i] * lower[i, i]
                k += i + 1
        return out

    def entries(self) -> list[tuple[int, int]]:
        """Return the free entries of the covariance, row and column with row >= column."""
        return [
            (block.members[i], block.members[j])
            for block in self.free
            for i in range(len(block.members))
            for j in range(i + 1)
        ]
