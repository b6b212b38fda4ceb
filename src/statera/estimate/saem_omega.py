"""Covariances of random effects from second moments: blocks, annealing and lower limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.inner import inverse_of
from statera.estimate.problem import Problem

__all__ = ["MomentBlock", "kept", "moment_block", "positive"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class MomentBlock:
    """Where a free block of Omega stands.

    Attributes
    ----------
    here
        Index of its entries in the covariance of the model's effects.
    rows, columns : (m, m, n_places) int64
        Its entries in the covariance of all effects of a subject, occasion by occasion.
    count : (m, m) float64
        Number of subjects and occasions that have it.
    floor : (m,) float64
        Smallest variances.
    """

    here: tuple[Ints, ...]
    rows: Ints
    columns: Ints
    count: Floats
    floor: Floats


def moment_block(problem: Problem, members: tuple[int, ...], count: Floats) -> MomentBlock:
    """Return where a block stands.

    Parameters
    ----------
    members
        Random effects of the model in the block.
    count : (n_etas, n_etas) float64
        Number of subjects that have each pair of a subject's random effects.
    """
    places = [problem.omega.places[i] for i in members]
    rows = np.array([[np.broadcast_arrays(a, b)[0] for b in places] for a in places])
    columns = np.array([[np.broadcast_arrays(a, b)[1] for b in places] for a in places])
    return MomentBlock(
        tuple(np.asarray(x) for x in np.ix_(members, members)),
        rows,
        columns,
        np.maximum(count[rows, columns].sum(axis=2), 1.0),
        1e-8 * problem.omega.start.diagonal()[list(members)],
    )


def kept(new: Floats, old: Floats, keep: float) -> Floats:
    """Return a covariance that in no direction falls below a share of the old one."""
    if keep <= 0.0:
        return new
    if new.size == 1:
        return np.maximum(new, keep * old)
    root = np.linalg.cholesky(old).astype(np.float64)
    inverse = inverse_of(root)
    values, vectors = np.linalg.eigh(inverse @ new @ inverse.T)
    back = root @ vectors
    return np.asarray(back * np.maximum(values, keep) @ back.T)


def positive(matrix: Floats) -> Floats:
    """Return a covariance with correlations drawn in until it is positive definite."""
    if matrix.size == 1:
        return matrix
    diagonal = np.diag(np.diag(matrix))
    for share in (1.0, 0.999, 0.99, 0.9, 0.5):
        found = share * matrix + (1.0 - share) * diagonal
        size = np.sqrt(np.diag(found))
        if np.linalg.eigvalsh(found / size[:, None] / size[None, :])[0] > 1e-7:
            return found
    return diagonal
