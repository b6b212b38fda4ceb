"""How much each contrast, and each direct comparison, counts in each estimate of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.evidence.network_estimates import check_effects
from statera.evidence.network_fit import NetworkResult
from statera.evidence.network_split import reduced_weights

__all__ = ["ComparisonHat", "comparison_hat", "contrast_weights", "hat_matrix"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ComparisonHat:
    """Weights of direct comparisons in the estimates of a network.

    Attributes
    ----------
    estimates : r names as "A vs B"
        Every pair of treatments.
    comparisons : c names
        Pairs that studies compare.
    weight : (r, c) float64
        An estimate is the sum of its weights times the direct estimates. Along a row the weights
        are a flow of evidence of 1 from the first treatment to the second; on the comparison
        itself stands the share of direct evidence.
    """

    estimates: tuple[str, ...]
    comparisons: tuple[str, ...]
    weight: Floats


def contrast_weights(result: NetworkResult, effects: str = "random") -> Floats:
    """Return the weight of each contrast, (m,): reduced for the contrasts of several arms.

    Source: Ruecker and Schwarzer, Stat Med 2014;33:4353 (reduced weights).
    """
    check_effects(effects)
    data = result.data
    tau2 = result.tau2 if effects == "random" else 0.0
    weight = 1 / (data.v + tau2)
    for study in range(len(data.studies)):
        arms = data.arms_of(study)
        if len(arms) == 2:
            continue
        place = {arm: i for i, arm in enumerate(arms)}
        rows = data.rows_of(study)
        i = [place[arm] for arm in data.first[rows].tolist()]
        j = [place[arm] for arm in data.second[rows].tolist()]
        variance = np.zeros((len(arms), len(arms)))
        variance[i, j] = variance[j, i] = data.v[rows] + tau2
        weight[rows] = reduced_weights(variance)[i, j]
    return weight


def hat_matrix(result: NetworkResult, effects: str = "random") -> Floats:
    """Return the matrix, (m, m), that turns the contrasts of studies into the network's.

    Rows and columns are in the order of the contrasts.
    """
    edges, weight = _edges(result), contrast_weights(result, effects)
    laplacian = edges.T @ (weight[:, None] * edges)
    return np.asarray(edges @ np.linalg.pinv(laplacian) @ (edges.T * weight))


def comparison_hat(result: NetworkResult, effects: str = "random") -> ComparisonHat:
    """Return the weights of the direct comparisons in the estimate of every pair."""
    data, weight = result.data, contrast_weights(result, effects)
    n = len(data.treatments)
    low, high = np.minimum(data.first, data.second), np.maximum(data.first, data.second)
    direct = sorted(set(zip(low.tolist(), high.tolist(), strict=True)))
    total = np.array([weight[(low == a) & (high == b)].sum() for a, b in direct])
    every = [(a, b) for a in range(n) for b in range(a + 1, n)]
    unit = np.eye(n)
    edges = np.stack([unit[a] - unit[b] for a, b in direct])
    pairs = np.stack([unit[a] - unit[b] for a, b in every])
    laplacian = edges.T @ (total[:, None] * edges)

    def label(a: int, b: int) -> str:
        return f"{data.treatments[a]} vs {data.treatments[b]}"

    return ComparisonHat(
        tuple(label(a, b) for a, b in every),
        tuple(label(a, b) for a, b in direct),
        np.asarray(pairs @ np.linalg.pinv(laplacian) @ (edges.T * total)),
    )


def _edges(result: NetworkResult) -> Floats:
    data = result.data
    edges = np.zeros((data.y.size, len(data.treatments)))
    rows = np.arange(data.y.size)
    edges[rows, data.first] = 1.0
    edges[rows, data.second] = -1.0
    return edges
