"""Parts of a proposal learnt from weighted draws: a t for each of a few clusters of them.

One t has the wrong shape for a ridge that bends, as volumes and clearances leave it after one
sample; a few that follow it have not (population Monte Carlo; Cappe et al. 2008,
doi 10.1007/s11222-008-9059-x). Clusters come from halving, at its mean and along its longest axis,
the one that has the most weighted variance: no random numbers, so that equal draws give equal
parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.estimate.effects import Effects
from statera.estimate.inner import inverse_of
from statera.tdm.mixture import Part, times_root

__all__ = ["CLUSTERS", "refit"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLUSTERS = 4

_WIDER = 1.5
"""Factor on the covariance of a cluster."""
_LEAST_SHARE = 0.05
_FEWEST = 10
"""Draws for each random effect below which a cluster is not halved."""


def refit(draws: Floats, weights: Floats, prior: Effects) -> list[Part]:
    """Return a part for each cluster of weighted draws.

    Parameters
    ----------
    draws : (n, n_live) float64
    weights : (n,) float64
        They sum to 1.
    prior
        Distances are those in its standard deviations; a thousandth of its covariance is added to
        that of each cluster.
    """
    root = np.asarray(prior.root, dtype=np.float64)
    white = times_root(draws, inverse_of(root))
    groups = [np.flatnonzero(weights > 0.0).astype(np.int64)]
    while len(groups) < CLUSTERS:
        splits = [_split(white[g], weights[g]) for g in groups]
        worst = max(range(len(groups)), key=lambda k: splits[k][0])
        size, side = splits[worst]
        if size <= 0.0 or side.all() or not side.any():
            break
        group = groups.pop(worst)
        groups += [group[side], group[~side]]
    floor = 1e-3 * (root @ root.T)
    parts = []
    for group in groups:
        mean, covariance, total = _moments(draws[group], weights[group])
        parts.append(Part(max(total, _LEAST_SHARE), mean, _WIDER * covariance + floor))
    return parts


def _moments(draws: Floats, weights: Floats) -> tuple[Floats, Floats, float]:
    total = float(weights.sum())
    mean = (weights[:, None] * draws).sum(axis=0) / total
    away = draws - mean
    return mean, np.einsum("i,ij,ik->jk", weights, away, away) / total, total


def _split(white: Floats, weights: Floats) -> tuple[float, NDArray[np.bool_]]:
    """Return the weighted variance along the longest axis, and which draws lie beyond the mean."""
    if weights.size < _FEWEST * white.shape[1]:
        return -1.0, np.zeros(weights.size, dtype=bool)
    mean, covariance, total = _moments(white, weights)
    values, vectors = np.linalg.eigh(covariance)
    along = ((white - mean) * vectors[:, -1]).sum(axis=1)
    return total * float(values[-1]), along > 0.0
