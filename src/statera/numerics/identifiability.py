"""Parameters that the data cannot tell apart, read from a matrix of second derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SINGULAR", "Weakness", "weakness"]

Floats = NDArray[np.float64]

SINGULAR = 1e-7
"""Smallest eigenvalue of a matrix scaled to a unit diagonal that can be told from 0. Between an
identifiable and an unidentifiable model lie many powers of ten."""
_IDLE = 1e-9
"""Size of a parameter's effect, relative to the largest, below which there is none."""


@dataclass(frozen=True)
class Weakness:
    """The weakest direction of a matrix.

    Attributes
    ----------
    lowest
        Smallest eigenvalue of the matrix scaled to a unit diagonal, of what has an effect; the
        smallest entry of the diagonal where that is negative.
    about
        Parameters along it, the largest share first.
    idle
        Parameters without any effect.
    """

    lowest: float
    about: tuple[str, ...]
    idle: tuple[str, ...]

    @property
    def singular(self) -> bool:
        """True where parameters cannot be told apart."""
        return self.lowest < SINGULAR


def weakness(matrix: Floats, names: Sequence[str]) -> Weakness:
    """Return the weakest direction of second derivatives (n, n)."""
    size = np.diag(matrix)
    if size.size == 0 or not np.isfinite(matrix).all():
        return Weakness(np.inf, (), ())
    if (size < 0.0).any():
        about = tuple(n for n, v in zip(names, size, strict=True) if v < 0.0)
        return Weakness(float(size.min()), about, ())
    root = np.sqrt(size)
    still = root <= _IDLE * max(1.0, float(root.max()))
    idle = tuple(n for n, idle in zip(names, still, strict=True) if idle)
    moved = np.flatnonzero(~still)
    if moved.size == 0:
        return Weakness(np.inf, (), idle)
    scaled = matrix[np.ix_(moved, moved)] / root[moved, None] / root[None, moved]
    values, vectors = np.linalg.eigh(scaled)
    weight = np.abs(vectors[:, 0])
    order = [k for k in np.argsort(-weight) if weight[k] > 0.3 * weight.max()]
    return Weakness(float(values[0]), tuple(names[int(moved[k])] for k in order), idle)
