"""What studies and direct comparisons contribute to each estimate of a network, in shares of 1.

The evidence on a pair flows from one treatment to the other through the comparisons
(`network_hat`). A walk that follows the flow takes a path; a comparison on a path of k steps
contributes 1 / k of the probability of that path, and a study its part of the weight of its
comparison.

Methods
-------
Contributions by random walk: Davies, Papakonstantinou, Nikolakopoulou, Ruecker and Galla, Stat Med
2022;41:2091 (doi 10.1002/sim.9346); their use for the risk of bias: CINeMA, Nikolakopoulou and
others, PLoS Med 2020;17:e1003082.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.evidence.network_fit import NetworkResult
from statera.evidence.network_hat import comparison_hat, contrast_weights

__all__ = ["Contributions", "bias_shares", "contributions"]

Floats = NDArray[np.float64]
_NONE = 1e-10


@dataclass(frozen=True)
class Contributions:
    """Shares of evidence.

    Attributes
    ----------
    estimates
        Every pair of treatments as "A vs B".
    comparisons, studies
        Names of direct comparisons and of studies.
    by_comparison : (r, c) float64
        Shares of direct comparisons in each estimate; each row sums to 1.
    by_study : (r, s) float64
        Shares of studies; each row sums to 1.
    """

    estimates: tuple[str, ...]
    comparisons: tuple[str, ...]
    studies: tuple[str, ...]
    by_comparison: Floats
    by_study: Floats


def contributions(result: NetworkResult, effects: str = "random") -> Contributions:
    """Return the contributions to the estimate of every pair."""
    data, flow = result.data, comparison_hat(result, effects)
    n = len(data.treatments)
    low, high = np.minimum(data.first, data.second), np.maximum(data.first, data.second)
    direct = sorted(set(zip(low.tolist(), high.tolist(), strict=True)))
    every = [(a, b) for a in range(n) for b in range(a + 1, n)]
    shares = np.stack(
        [_walk(row, direct, n, *pair) for row, pair in zip(flow.weight, every, strict=True)]
    )
    weight = contrast_weights(result, effects)
    split = np.zeros((len(direct), len(data.studies)))
    for number, (a, b) in enumerate(direct):
        rows = np.flatnonzero((low == a) & (high == b))
        np.add.at(split[number], data.study[rows], weight[rows] / weight[rows].sum())
    return Contributions(
        flow.estimates, flow.comparisons, data.studies, shares, np.asarray(shares @ split)
    )


def _walk(flow: Floats, direct: list[tuple[int, int]], n: int, source: int, sink: int) -> Floats:
    """Return the share of each comparison in a flow of 1 from source to sink."""
    step = np.zeros((n, n))
    for value, (a, b) in zip(flow.tolist(), direct, strict=True):
        if value > _NONE:
            step[a, b] = value
        elif value < -_NONE:
            step[b, a] = -value
    leaving = step.sum(axis=1, keepdims=True)
    step = np.divide(step, leaving, out=np.zeros_like(step), where=leaving > 0)
    # chance to be at a treatment after k steps, and to reach the sink in k more; a flow has no
    # cycle, so that no path is longer than n - 1 steps
    reach, arrive = np.zeros((n, n)), np.zeros((n, n))
    reach[0, source], arrive[0, sink] = 1.0, 1.0
    for k in range(1, n):
        reach[k] = reach[k - 1] @ step
        arrive[k] = step @ arrive[k - 1]
    length = np.arange(n)[:, None] + np.arange(n) + 1.0
    found = np.einsum("ka,kl,lb->ab", reach, 1.0 / length, arrive) * step
    return np.array([found[a, b] + found[b, a] for a, b in direct])


def bias_shares(
    found: Contributions, judged: Mapping[str, str], unknown: str = "not given"
) -> tuple[dict[str, float], ...]:
    """Return for each estimate the share of evidence by judgement of the studies.

    Parameters
    ----------
    found
    judged
        Judgement by name of study, such as the overall risk of bias.
    unknown
        For studies without one.
    """
    rows = []
    for shares in found.by_study:
        sums: dict[str, float] = {}
        for study, share in zip(found.studies, shares.tolist(), strict=True):
            key = judged.get(study) or unknown
            sums[key] = sums.get(key, 0.0) + share
        rows.append(dict(sorted(sums.items())))
    return tuple(rows)
