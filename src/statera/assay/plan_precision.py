"""How many doses, wells and donors give a wanted precision of the IC50: by simulation.

Donors with their own ln IC50 are simulated well by well, controls included, and fitted by the same
code that fits measured curves, with profile intervals. The error of the fits is the spread of
estimated less true ln IC50; its variance and the assumed one between donors make that of a donor's
IC50. The donors' mean is taken in two stages: mean of ln IC50, with the t interval of its spread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.assay.fit_curves import FitOptions, fit_curves, make_curves
from statera.assay.ic50 import Determination, Ic50, estimate_ic50
from statera.assay.logistic import logistic
from statera.assay.plan_options import LayoutOptions, PrecisionOptions
from statera.numerics.streams import stream

__all__ = ["DesignPrecision", "PrecisionTable", "simulate_precision"]

Floats = NDArray[np.float64]

_LN10 = math.log(10.0)
_LEVEL = 0.95
_SHARE = 0.9
"""Least share of donors with a determined IC50 for a design to be good enough."""


@dataclass(frozen=True)
class DesignPrecision:
    """What one design gives.

    Attributes
    ----------
    doses, replicates, donors
        The design.
    wells
        For each donor and cytokine, controls included, FMO not.
    determined
        Share of donors whose IC50 is determined.
    donor_fold
        Median 95 % profile interval of one donor, as upper over lower end, of those determined;
        NaN where none is.
    log10_se
        Standard error of log10 IC50 of the donors' mean.
    mean_fold
        95 % interval of the donors' mean, as upper over lower end, from the expected spread.
    meets
        Whether `mean_fold` is at most the wanted one and nine donors of ten are determined.
    """

    doses: int
    replicates: int
    donors: int
    wells: int
    determined: float
    donor_fold: float
    log10_se: float
    mean_fold: float
    meets: bool


@dataclass(frozen=True)
class PrecisionTable:
    """All designs, with what was assumed.

    Attributes
    ----------
    designs
    ic50_nM
        Typical IC50 of the simulation.
    lowest_nM, highest_nM
        Range of doses, the same for all designs: more doses lie closer.
    options
    """

    designs: tuple[DesignPrecision, ...]
    ic50_nM: float
    lowest_nM: float
    highest_nM: float
    options: PrecisionOptions

    @property
    def smallest(self) -> DesignPrecision | None:
        """The design with the fewest wells in all that meets what is wanted, or None."""
        good = [d for d in self.designs if d.meets]
        return min(good, key=lambda d: (d.wells * d.donors, d.donors), default=None)


def simulate_precision(
    doses_nM: Sequence[float], layout: LayoutOptions, options: PrecisionOptions
) -> PrecisionTable:
    """Return the precision of designs around the planned one.

    The range of doses stays that of the plan; with another number of doses they are spread evenly
    over it. Unstimulated and stimulated wells are as many as planned.
    """
    low, high = min(doses_nM), max(doses_nM)
    ic50 = options.ic50_nM or math.sqrt(low * high)
    n = len(doses_nM)
    numbers = options.doses or tuple(sorted({max(n - 3, 4), n, n + 3}))
    replicates = options.replicates or tuple(sorted({1, layout.replicates, 3}))
    donors = options.donors or tuple(sorted({3, 5, 8, 12, max(len(layout.donors), 2)}))
    found: list[DesignPrecision] = []
    for count in numbers:
        grid = np.geomspace(high, low, count)
        if count == n:
            grid = np.sort(np.asarray(doses_nM, dtype=np.float64))[::-1]
        for wells in replicates:
            results, truth = _simulated(grid, wells, ic50, layout, options)
            one = _one_donor(results, truth)
            found += [_precision(one, (count, wells, j), layout, options) for j in donors]
    return PrecisionTable(tuple(found), ic50, low, high, options)


def _simulated(
    grid: Floats, replicates: int, ic50: float, layout: LayoutOptions, options: PrecisionOptions
) -> tuple[tuple[Ic50, ...], Floats]:
    """Return estimated IC50 and true ln IC50 of every simulated donor, by per cent of the window.

    The donors are the same in all designs.
    """
    n = options.experiments
    deviation = stream(options.seed, "precision donors").standard_normal(n)
    ln_ic50 = math.log(ic50) + options.between_donor_sd * deviation
    draw = stream(options.seed, f"precision {grid.size} {replicates}")
    parameters = np.zeros((n, 5))
    parameters[:, 0], parameters[:, 1] = options.hill, 1.0
    parameters[:, 2], parameters[:, 3], parameters[:, 4] = options.window, ln_ic50, 1.0
    dose = np.tile(grid, replicates)
    signal = logistic(np.log(dose), parameters)

    def noisy(values: Floats) -> Floats:
        found: Floats = values * (1.0 + options.well_cv * draw.standard_normal(values.shape))
        return found

    measured = noisy(signal)
    bottom = noisy(np.ones((n, layout.unstimulated))).mean(axis=1, keepdims=True)
    top_wells = noisy(np.full((n, layout.stimulated), options.window))
    top = top_wells.mean(axis=1, keepdims=True)
    all_wells = np.concatenate([top_wells, measured], axis=1)
    response = 100.0 * (all_wells - bottom) / (top - bottom)
    doses = np.concatenate([np.zeros(layout.stimulated), dose])
    curves = make_curves([doses] * n, list(response))
    return estimate_ic50(fit_curves(curves, FitOptions(starts=2))), ln_ic50


@dataclass(frozen=True)
class _OneDonor:
    """Share of IC50s determined, median fold of their intervals, variance of ln IC50 by fitting."""

    share: float
    fold: float
    variance: float


def _one_donor(results: Sequence[Ic50], truth: Floats) -> _OneDonor:
    kept = [k for k, r in enumerate(results) if r.determination is Determination.DETERMINED]
    share = len(kept) / len(results)
    if len(kept) < 2:
        return _OneDonor(share, math.nan, math.nan)
    ends = [results[k].profile or (math.nan, math.nan) for k in kept]
    wrong = np.log([results[k].estimate for k in kept]) - truth[kept]
    fold = float(np.median([high / low for low, high in ends]))
    return _OneDonor(share, fold, float(np.mean(wrong**2)))


def _precision(
    one: _OneDonor, design: tuple[int, int, int], layout: LayoutOptions, options: PrecisionOptions
) -> DesignPrecision:
    doses, replicates, donors = design
    wells = doses * replicates + layout.unstimulated + layout.stimulated
    se = math.sqrt((options.between_donor_sd**2 + one.variance) / donors)
    fold = math.exp(2.0 * float(student.ppf(0.5 + _LEVEL / 2.0, donors - 1)) * se)
    meets = fold <= options.wanted_fold and one.share >= _SHARE
    return DesignPrecision(
        doses, replicates, donors, wells, one.share, one.fold, se / _LN10, fold, meets
    )
