"""Survival without a model, and whether groups differ: Kaplan-Meier and log-rank.

Both take delayed entry and any number of groups, which scipy's `ecdf` and `logrank` do not.
Kaplan and Meier, J Am Stat Assoc 1958;53:457-481; the variance is Greenwood's, the interval that of
ln(-ln S). Log-rank with the hypergeometric variance: Kalbfleisch and Prentice 2002, chapter 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from statera.errors import InputError
from statera.numerics.intervals_exact import normal_quantile

__all__ = ["LogRank", "Survival", "kaplan_meier", "log_rank"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Survival:
    """Steps of a survival curve, the first at time 0.

    Attributes
    ----------
    time, estimate, low, high : (k,) float64
        Survival from `time` on; NaN ends where there is no interval.
    at_risk, events : (k,) int64
        Just before and at the time.
    censored : (c,) float64
        Times at which rows left without an event.
    """

    time: Floats
    estimate: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    censored: Floats

    def at(self, time: float) -> tuple[float, float, float]:
        """Return survival and its interval at a time."""
        k = int(np.searchsorted(self.time, time, side="right")) - 1
        return float(self.estimate[k]), float(self.low[k]), float(self.high[k])


@dataclass(frozen=True)
class LogRank:
    """Test that the hazards of groups are equal.

    Attributes
    ----------
    statistic, df, p_value
        Chi-square.
    observed, expected : (g,) float64
        Events of each group.
    """

    statistic: float
    df: int
    p_value: float
    observed: Floats
    expected: Floats


def kaplan_meier(
    entry: Floats, time: Floats, event: NDArray[np.bool_], level: float = 0.95
) -> Survival:
    """Return the product-limit estimate.

    Parameters
    ----------
    entry, time : (n,) float64
        Each row is at risk after `entry` up to and with `time`.
    event : (n,) bool
    level
        Of the intervals.
    """
    z = normal_quantile(level)
    times = np.unique(time[event])
    at_risk = _at_risk(entry, time, times)
    events = np.array([int((event & (time == t)).sum()) for t in times], dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.cumprod(1.0 - events / at_risk)
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        half = z * np.sqrt(greenwood) / np.abs(np.log(kept))
        low, high = kept ** np.exp(half), kept ** np.exp(-half)
    inside = kept > 0
    low, high = np.where(inside, low, np.nan), np.where(inside, high, np.nan)
    began = np.array([_at_risk(entry, time, np.array([entry.min()]))[0] if time.size else 0])
    began = began if (entry > entry.min()).any() else np.array([time.size])
    return Survival(
        np.append(0.0, times), np.append(1.0, kept), np.append(np.nan, low),
        np.append(np.nan, high), np.append(began, at_risk).astype(np.int64),
        np.append(0, events).astype(np.int64), np.sort(time[~event]),
    )  # fmt: skip


def log_rank(
    entry: Floats, time: Floats, event: NDArray[np.bool_], group: NDArray[np.int64]
) -> LogRank:
    """Return the log-rank test of groups numbered from 0.

    Raises
    ------
    InputError
        If there is one group only, or no event.
    """
    g = int(group.max()) + 1
    if g < 2 or not event.any():
        raise InputError("a log-rank test needs two groups and an event", where="group")
    times = np.unique(time[event])
    n = np.stack([_at_risk(entry[group == k], time[group == k], times) for k in range(g)])
    d = np.stack([
        [(event & (group == k) & (time == t)).sum() for t in times] for k in range(g)
    ]).astype(float)  # fmt: skip
    total, deaths = n.sum(axis=0), d.sum(axis=0)
    share = n / total
    expected = (share * deaths).sum(axis=1)
    factor = deaths * (total - deaths) / np.maximum(total - 1.0, 1.0)
    covariance = np.diag((share * factor).sum(axis=1)) - (share * factor) @ share.T
    excess = d.sum(axis=1) - expected
    # the excesses add up to 0: the last group is left out
    statistic = float(excess[:-1] @ np.linalg.pinv(covariance[:-1, :-1]) @ excess[:-1])
    df = int(np.linalg.matrix_rank(covariance[:-1, :-1]))
    return LogRank(statistic, df, float(chi2.sf(statistic, df)), d.sum(axis=1), expected)


def _at_risk(entry: Floats, time: Floats, times: Floats) -> NDArray[np.int64]:
    """Return how many rows have entered before and not left before each time."""
    entered = np.searchsorted(np.sort(entry), times, side="left")
    left = np.searchsorted(np.sort(time), times, side="left")
    return (entered - left).astype(np.int64)
