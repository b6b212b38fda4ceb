"""Small-study effects in a network: effects less the mean of their comparison.

Methods
-------
Comparison-adjusted funnel plot: Chaimani and others, PLoS One 2013;8:e76654
(doi 10.1371/journal.pone.0076654); regression test: Egger and others, BMJ 1997;315:629.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError
from statera.evidence.network_fit import NetworkResult

__all__ = ["AdjustedFunnel", "comparison_adjusted"]

Floats = NDArray[np.float64]
_LEAST = 3


@dataclass(frozen=True)
class AdjustedFunnel:
    """Points of a comparison-adjusted funnel.

    Attributes
    ----------
    studies, comparisons
        Name of the study of each point, and its comparison as "A vs B".
    difference, se : (m,) float64
        Effect less the mean of its comparison, and standard error, on the scale of the analysis.
    alone : (m,) bool
        True where no other study has the comparison: the difference is 0 whatever the study found.
    intercept, intercept_se, t, df, p
        Regression test over the others: NaN with df 0 where fewer than three are left.
    """

    studies: tuple[str, ...]
    comparisons: tuple[str, ...]
    difference: Floats
    se: Floats
    alone: NDArray[np.bool_]
    intercept: float
    intercept_se: float
    t: float
    df: int
    p: float


def comparison_adjusted(result: NetworkResult, order: Sequence[str]) -> AdjustedFunnel:
    """Return effects less the mean of their comparison, turned so that all point one way.

    Parameters
    ----------
    result
    order
        All treatments, such as from the oldest to the newest. Each effect is that of the later
        treatment against the earlier one: without a reason for the order the plot says nothing.

    The mean of a comparison is its direct one with the tau2 of the network.

    Raises
    ------
    InputError
        If `order` does not name every treatment once.
    """
    data = result.data
    if sorted(order) != sorted(data.treatments):
        raise InputError(
            "the order must name every treatment once",
            where="order of treatments",
            hint=f"Treatments: {', '.join(data.treatments)}.",
        )
    place = np.array([list(order).index(name) for name in data.treatments])
    turned = place[data.first] < place[data.second]
    y = np.where(turned, -data.y, data.y)
    first = np.where(turned, data.second, data.first)
    second = np.where(turned, data.first, data.second)
    weight = 1 / (data.v + result.tau2)
    difference, alone = np.zeros(y.size), np.zeros(y.size, dtype=bool)
    for pair in sorted(set(zip(first.tolist(), second.tolist(), strict=True))):
        rows = (first == pair[0]) & (second == pair[1])
        difference[rows] = y[rows] - (weight[rows] @ y[rows]) / weight[rows].sum()
        alone[rows] = rows.sum() == 1
    names = data.treatments
    labels = [f"{names[a]} vs {names[b]}" for a, b in zip(first, second, strict=True)]
    se = np.sqrt(data.v)
    return AdjustedFunnel(
        tuple(data.studies[s] for s in data.study), tuple(labels), difference, se, alone,
        *_regression(difference[~alone], se[~alone]),
    )  # fmt: skip


def _regression(difference: Floats, se: Floats) -> tuple[float, float, float, int, float]:
    """Return the intercept of difference / se on 1 / se with its test."""
    nan = float("nan")
    if difference.size < _LEAST or float(np.ptp(se)) <= 1e-12 * float(se.max()):
        return nan, nan, nan, 0, nan
    design = np.column_stack([np.ones(se.size), 1 / se])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ (difference / se)
    df = se.size - 2
    rest = difference / se - design @ beta
    spread = float(rest @ rest) / df
    error = float(np.sqrt(spread * inverse[0, 0]))
    t = float(beta[0]) / error
    return float(beta[0]), error, t, df, float(2 * stats.t.sf(abs(t), df))
