"""Numerical predictive checks: how many observations lie outside their prediction intervals.

Every observation has prediction
intervals of its own, from the simulations of that very record: doses, times and covariates are
those of its subject, nothing is binned. The share of observations below and above each interval is
compared with the same share in data simulated from the fit, each replicate taken in turn for the
data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.estimate.limits import lower_limits, seen_values
from statera.estimate.replicates import Replicates, simulate_replicates
from statera.estimate.result import FitResult
from statera.estimate.rows import rows_of
from statera.estimate.strata import strata_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Npc", "NpcOptions", "NpcPanel", "npc"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST = 40


@dataclass(frozen=True)
class NpcOptions:
    """What is simulated and which intervals are checked.

    Attributes
    ----------
    n, seed
        Replicates, and their seed.
    intervals
        Prediction intervals in percent, from 0 (the median) to below 100, increasing.
    level
        Of the intervals of shares over replicates.
    stratify, cuts, lloq
        As in `statera.estimate.vpc.VpcOptions`.
    """

    n: int = 500
    seed: int = 1
    intervals: tuple[float, ...] = (0.0, 20.0, 40.0, 50.0, 60.0, 80.0, 90.0, 95.0)
    level: float = 0.95
    stratify: str = ""
    cuts: tuple[float, ...] = ()
    lloq: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inside = all(0.0 <= p < 100.0 for p in self.intervals)
        if not self.intervals or not inside or sorted(set(self.intervals)) != [*self.intervals]:
            raise UsageError(
                "prediction intervals lie between 0 and 100 and increase", where="intervals"
            )
        if not 0.0 < self.level < 1.0:
            raise UsageError(f"a level of {self.level:g} is not in (0, 1)", where="level")


@dataclass(frozen=True)
class NpcPanel:
    """Coverage of one output and stratum.

    Attributes
    ----------
    output, stratum
        What is shown; stratum is '' where there is only one.
    count
        Observations.
    intervals : (n_intervals,) float64
        Prediction intervals in percent.
    below, above : (4, n_intervals) float64
        Percent of the observations below and above each interval: observed, expected (mean over
        replicates), and the bounds of the interval over replicates.
    """

    output: str
    stratum: str
    count: int
    intervals: Floats
    below: Floats
    above: Floats

    @property
    def outside(self) -> int:
        """How many observed shares lie outside their interval over replicates."""
        both = np.concatenate([self.below, self.above], axis=1)
        return int(((both[0] < both[2]) | (both[0] > both[3])).sum())

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each interval and side."""
        for k, interval in enumerate(self.intervals):
            for side, shares in (("below", self.below), ("above", self.above)):
                seen, expected, low, high = (float(x) for x in shares[:, k])
                yield {
                    "OUTPUT": self.output,
                    "STRATUM": self.stratum,
                    "INTERVAL": float(interval),
                    "SIDE": side,
                    "COUNT": self.count,
                    "OBSERVED": seen,
                    "EXPECTED": expected,
                    "LOW": low,
                    "HIGH": high,
                    "OUTSIDE": not low <= seen <= high,
                }


@dataclass(frozen=True)
class Npc:
    """A numerical predictive check.

    Attributes
    ----------
    panels
        One for each output and stratum.
    options
        What was asked.
    remarks
        What a reader must know.
    """

    panels: tuple[NpcPanel, ...]
    options: NpcOptions
    remarks: tuple[str, ...]

    def to_polars(self) -> pl.DataFrame:
        """Return a row for each panel, interval and side; shares in percent."""
        import polars as pl  # noqa: PLC0415  heavy: loaded when a table is made

        return pl.DataFrame([row for panel in self.panels for row in panel.rows()])


def npc(
    result: FitResult,
    options: NpcOptions | None = None,
    *,
    replicates: Replicates | None = None,
) -> Npc:
    """Return a numerical predictive check of a fit.

    Censored values, observed and simulated, rank lowest (or highest) and tie with each other: a
    value is below an interval only if it is certainly so. Where the fit left censored values out,
    simulated values beyond the limit are left out too. Outcomes with a likelihood of their own are
    not checked.

    Parameters
    ----------
    options
        Intervals, replicates and strata.
    replicates
        Simulated data of this fit, where there are some already.

    Raises
    ------
    InputError, UsageError
        If there is nothing to check, or there are too few replicates.
    """
    chosen = options or NpcOptions()
    rows = rows_of(result.problem)
    drawn = replicates or simulate_replicates(result, chosen.n, chosen.seed, rows=rows)
    if drawn.count < _FEWEST:
        raise UsageError(f"{drawn.count} replicates are too few", where="n", hint="Take 500.")
    limit, said = lower_limits(result, rows, chosen.lloq)
    drop = result.problem.omitted > 0
    panels = []
    for kind, output in enumerate(rows.outputs):
        for stratum, members in strata_of(rows.covariates, chosen.stratify, chosen.cuts):
            here = np.flatnonzero(members & (rows.kind == kind) & ~rows.likelihood)
            if here.size == 0:
                continue
            simulated = _natural(drawn.y[:, here], rows.logarithmic[here])
            with np.errstate(invalid="ignore"):
                out = simulated < limit[here]
            simulated = np.where(out, np.nan if drop else -np.inf, simulated)
            below, above = _coverage(seen_values(rows, here), simulated, chosen)
            intervals = np.array(chosen.intervals)
            panels.append(NpcPanel(output, stratum, here.size, intervals, below, above))
    if not panels:
        raise InputError("no observation is left for a numerical predictive check", where="data")
    return Npc(tuple(panels), chosen, tuple(dict.fromkeys((*drawn.remarks, *said))))


def _natural(y: Floats, logarithmic: NDArray[np.bool_]) -> Floats:
    """Return simulated values on the natural scale; logarithms are of log-normal outputs."""
    with np.errstate(over="ignore"):
        return np.where(logarithmic, np.exp(np.where(logarithmic, y, 0.0)), y)


def _coverage(seen: Floats, simulated: Floats, options: NpcOptions) -> tuple[Floats, Floats]:
    """Return shares below and above in percent: observed, expected, low, high."""
    at_most, less, own_most, own_less = _ranks(seen, simulated)
    tails = 0.5 * (1.0 - np.array(options.intervals) / 100.0)
    found = []
    for seen_rank, drawn_rank in ((at_most, own_most), (1.0 - less, 1.0 - own_less)):
        known = np.isfinite(seen_rank)
        observed = [100.0 * float((seen_rank[known] <= t + 1e-9).mean()) for t in tails]
        solved = np.isfinite(drawn_rank)
        count = np.maximum(solved.sum(axis=1), 1)
        with np.errstate(invalid="ignore"):
            drawn = [100.0 * (drawn_rank <= t + 1e-9).sum(axis=1) / count for t in tails]
        low, high = np.quantile(drawn, [0.5 - 0.5 * options.level, 0.5 + 0.5 * options.level], 1)
        found.append(np.array([observed, np.mean(drawn, axis=1), low, high]))
    return found[0], found[1]


def _ranks(seen: Floats, simulated: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return shares of simulated values at most, and less than, each value.

    Of observed values among themselves and the simulated ones (n,), and of simulated values among
    each other (n_replicates, n); NaN where nothing was simulated.
    """
    n = seen.size
    at_most, less = np.full(n, np.nan), np.full(n, np.nan)
    own_most, own_less = np.full(simulated.shape, np.nan), np.full(simulated.shape, np.nan)
    for j in range(n):
        known = ~np.isnan(simulated[:, j])
        values = np.sort(simulated[known, j])
        if values.size < _FEWEST // 2:
            continue
        at_most[j] = (np.searchsorted(values, seen[j], "right") + 1.0) / (values.size + 1.0)
        less[j] = np.searchsorted(values, seen[j], "left") / (values.size + 1.0)
        own_most[known, j] = np.searchsorted(values, simulated[known, j], "right") / values.size
        own_less[known, j] = np.searchsorted(values, simulated[known, j], "left") / values.size
    return at_most, less, own_most, own_less
