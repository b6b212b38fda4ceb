"""One panel of a visual predictive check: statistics of bins, observed and simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Head", "Statistic", "VpcPanel", "category_panel", "ranked_percentiles", "value_panel"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Head = tuple[str, str, Floats, Floats, Ints]
"""Output, stratum, edges of bins, and independent variable and bin of each observation."""


@dataclass(frozen=True)
class Statistic:
    """A number by bin: that of the data, and its distribution over replicates.

    Attributes
    ----------
    name
        ``p5``, ``p50``, ..., ``below limit``, ``above limit`` or ``level 1``.
    observed, low, median, high : (n_bins,) float64
        Of the data; bounds of the confidence band and median over replicates. Infinite where it
        falls among censored values, NaN where the bin is empty.
    """

    name: str
    observed: Floats
    low: Floats
    median: Floats
    high: Floats


@dataclass(frozen=True)
class VpcPanel:
    """A panel of a visual predictive check.

    Attributes
    ----------
    output, stratum
        What is shown; stratum is '' where there is only one.
    edges : (n_bins + 1,) float64
    x : (n_bins,) float64
        Median of the independent variable in each bin.
    counts : (n_bins,) int64
        Observations.
    percentiles
        Of values, lowest first; empty for outcomes.
    shares
        Shares beyond a limit, or of each level of an outcome.
    points_x, points_y : (n_points,) float64
        Observations drawn, prediction-corrected where that was asked; infinite where censored.
    limit
        Lower limit of quantification where all observations share one and values are not
        corrected; else NaN.
    """

    output: str
    stratum: str
    edges: Floats
    x: Floats
    counts: Ints
    percentiles: tuple[Statistic, ...]
    shares: tuple[Statistic, ...]
    points_x: Floats
    points_y: Floats
    limit: float

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each bin and statistic."""
        for statistic in (*self.percentiles, *self.shares):
            for k in range(self.x.size):
                yield {
                    "OUTPUT": self.output,
                    "STRATUM": self.stratum,
                    "BIN": k + 1,
                    "FROM": float(self.edges[k]),
                    "TO": float(self.edges[k + 1]),
                    "X": float(self.x[k]),
                    "COUNT": int(self.counts[k]),
                    "STATISTIC": statistic.name,
                    "OBSERVED": float(statistic.observed[k]),
                    "LOW": float(statistic.low[k]),
                    "MEDIAN": float(statistic.median[k]),
                    "HIGH": float(statistic.high[k]),
                }


def _bins(head: Head) -> tuple[Floats, Ints, list[Ints]]:
    """Return medians of the independent variable, counts and members of bins."""
    _, _, edges, x, place = head
    members = [np.flatnonzero(place == k) for k in range(edges.size - 1)]
    middle = [
        float(np.median(x[m])) if m.size else 0.5 * float(edges[k] + edges[k + 1])
        for k, m in enumerate(members)
    ]
    return np.array(middle), np.array([m.size for m in members], dtype=np.int64), members


def _statistic(name: str, observed: Floats, simulated: Floats, level: float) -> Statistic:
    """Summarise over replicates.

    Parameters
    ----------
    observed : (n_bins,) float64
    simulated : (n_replicates, n_bins) float64
    """
    tail = 50.0 * (1.0 - level)
    found = np.full((3, observed.size), np.nan)
    for k in range(observed.size):
        values = simulated[:, k]
        values = values[~np.isnan(values)]
        if values.size:
            found[:, k] = ranked_percentiles(values[:, None], [tail, 50.0, 100.0 - tail])[:, 0]
    return Statistic(name, observed, found[0], found[1], found[2])


def ranked_percentiles(values: Floats, percent: Sequence[float]) -> Floats:
    """Return percentiles by column, (n_percentiles, m), by linear interpolation.

    Infinite values take part by their rank: a percentile that falls among them, or between one
    and a finite value, is infinite.

    Parameters
    ----------
    values : (n, m) float64
        Without NaN.
    """
    ordered = np.sort(values, axis=0)
    place = np.asarray(percent, dtype=np.float64) / 100.0 * (values.shape[0] - 1)
    lower = np.floor(place + 1e-9).astype(np.int64)
    upper = np.minimum(lower + 1, values.shape[0] - 1)
    share = np.clip(place - lower, 0.0, 1.0)[:, None]
    a, b = ordered[lower], ordered[upper]
    with np.errstate(invalid="ignore"):
        found = a + share * (b - a)
    whole = (share <= 1e-9) | (a == b)
    found = np.where(np.isneginf(a) & ~whole, -np.inf, found)
    found = np.where(np.isposinf(b) & np.isfinite(a) & ~whole, np.inf, found)
    return np.where(whole, a, found)


def value_panel(
    head: Head,
    seen: Floats,
    simulated: Floats,
    limit: Floats,
    scale: Floats,
    *,
    percentiles: Sequence[float],
    level: float,
    drop: bool,
) -> VpcPanel:
    """Return the panel of an output.

    Parameters
    ----------
    seen : (n,) float64
        Observations; infinite beyond a limit.
    simulated : (n_replicates, n) float64
    limit : (n,) float64
        Lower limit; NaN where there is none.
    scale : (n,) float64
        Factors of prediction correction.
    drop
        Whether simulated values beyond the limit are left out rather than ranked lowest.
    """
    output, stratum, edges, x, _ = head
    middle, counts, members = _bins(head)
    with np.errstate(invalid="ignore"):
        out = simulated < limit
    values = np.where(out, np.nan if drop else -np.inf, simulated) * scale
    lost = np.isnan(simulated)
    points = seen * scale
    n_bins = counts.size
    observed = np.full((len(percentiles), n_bins), np.nan)
    drawn = np.full((len(percentiles), values.shape[0], n_bins), np.nan)
    for k, m in enumerate(members):
        if m.size:
            observed[:, k] = ranked_percentiles(points[m][:, None], percentiles)[:, 0]
            drawn[:, :, k] = _by_replicate(values[:, m], percentiles)
    found = tuple(
        _statistic(f"p{p:g}", observed[i], drawn[i], level) for i, p in enumerate(percentiles)
    )
    shares = []
    if not drop and np.isneginf(seen).any():
        share = np.array([np.isneginf(seen[m]).mean() if m.size else np.nan for m in members])
        shares.append(_statistic("below limit", share, _shares(out, lost, members), level))
    known = np.unique(limit[np.isfinite(limit)])
    plain = known.size == 1 and bool((scale == 1.0).all())
    return VpcPanel(
        output, stratum, edges, middle, counts, found, tuple(shares), x, points,
        float(known[0]) if plain else float("nan"),
    )  # fmt: skip


def _by_replicate(values: Floats, percentiles: Sequence[float]) -> Floats:
    """Return percentiles of each replicate, (n_percentiles, n_replicates)."""
    if not np.isnan(values).any():
        return ranked_percentiles(values.T, percentiles)
    found = np.full((len(percentiles), values.shape[0]), np.nan)
    for r, row in enumerate(values):
        row_known = row[~np.isnan(row)]
        if row_known.size:
            found[:, r] = ranked_percentiles(row_known[:, None], percentiles)[:, 0]
    return found


def _shares(inside: NDArray[np.bool_], lost: NDArray[np.bool_], members: Sequence[Ints]) -> Floats:
    """Return the share of each bin and replicate among the values that were solved."""
    found = np.full((inside.shape[0], len(members)), np.nan)
    for k, m in enumerate(members):
        if m.size:
            solved = (~lost[:, m]).sum(axis=1)
            with np.errstate(invalid="ignore"):
                found[:, k] = inside[:, m].sum(axis=1) / solved
    return found


def category_panel(
    head: Head, seen: Floats, simulated: Floats, levels: Floats, level: float
) -> VpcPanel:
    """Return the panel of an outcome: the share of each level.

    Parameters
    ----------
    seen : (n,) float64
    simulated : (n_replicates, n) float64
    levels
        Values of the outcome.
    level
        Of the confidence bands.
    """
    output, stratum, edges, x, _ = head
    middle, counts, members = _bins(head)
    lost = np.isnan(simulated)
    shares = []
    for value in levels:
        share = np.array([(seen[m] == value).mean() if m.size else np.nan for m in members])
        drawn = _shares(simulated == value, lost, members)
        shares.append(_statistic(f"level {value:g}", share, drawn, level))
    return VpcPanel(
        output, stratum, edges, middle, counts, (), tuple(shares), x, seen, float("nan")
    )
