"""Engagement over a dosing interval: average, extremes and time above the IC50.

The average daily inhibition is the time average over the profile, which should span one dosing
interval at steady state or a whole day. Time above the IC50 is scaled to 24 h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.engagement.inhibition import checked_concentrations, inhibition, require_nM
from statera.engagement.potency import Potency
from statera.engagement.quadrature import mean_inhibition, share_above
from statera.errors import InputError
from statera.numerics.interval import Interval
from statera.sources.fact import Relation

__all__ = [
    "HOURS_PER_DAY",
    "Bounds",
    "EngagementSummary",
    "PopulationSummary",
    "summarise",
    "summarise_population",
]

HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class Bounds:
    """One quantity for each subject, known to lie between two ends.

    Attributes
    ----------
    low, high
        (n_subjects,) float64.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def quantile(self, q: float) -> Interval:
        """Return the quantile `q` of the low ends and of the high ends.

        Each subject's value lies between its ends, so the quantile of the values lies between
        these two.
        """
        return Interval(float(np.quantile(self.low, q)), float(np.quantile(self.high, q)))


@dataclass(frozen=True)
class EngagementSummary:
    """Engagement of one profile.

    Attributes
    ----------
    potency
        The potency used.
    average
        Time-averaged inhibition, fraction.
    maximum, minimum
        Largest and smallest inhibition at the sampled times, fraction.
    hours_above_ic50
        Time with a concentration above the IC50, h/day.
    span
        Length of the profile, h.
    """

    potency: Potency
    average: Interval
    maximum: Interval
    minimum: Interval
    hours_above_ic50: Interval
    span: float

    @property
    def relation(self) -> Relation:
        """Relation of the potency: whether the ends are lower bounds, upper bounds or points."""
        return self.potency.relation


@dataclass(frozen=True)
class PopulationSummary:
    """Engagement of many profiles; the fields are those of `EngagementSummary`, by subject."""

    potency: Potency
    average: Bounds
    maximum: Bounds
    minimum: Bounds
    hours_above_ic50: Bounds
    span: float

    @property
    def relation(self) -> Relation:
        """Relation of the potency."""
        return self.potency.relation

    def quantile(self, q: float) -> EngagementSummary:
        """Return the quantile `q` over subjects of each quantity, each on its own."""
        if not 0.0 <= q <= 1.0:
            raise InputError(f"{q:g} is not a quantile", hint="Give a fraction from 0 to 1.")
        return EngagementSummary(
            self.potency,
            self.average.quantile(q),
            self.maximum.quantile(q),
            self.minimum.quantile(q),
            self.hours_above_ic50.quantile(q),
            self.span,
        )


def summarise(times: ArrayLike, concentration_nM: ArrayLike, potency: Potency) -> EngagementSummary:
    """Summarise one profile.

    Parameters
    ----------
    times
        (n,) strictly increasing, h; at least two.
    concentration_nM
        (n,), nM, on the basis that the potency calls for.
    potency
        In nM.

    Raises
    ------
    InputError
        If shapes do not fit, times do not increase, or a concentration is negative or not finite.
    """
    values = np.asarray(concentration_nM, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(
            f"one profile is expected, not an array of shape {values.shape}",
            hint="Use summarise_population for (subjects, times).",
        )
    many = summarise_population(times, values[None, :], potency)

    def only(bounds: Bounds) -> Interval:
        return Interval(float(bounds.low[0]), float(bounds.high[0]))

    return EngagementSummary(
        potency,
        only(many.average),
        only(many.maximum),
        only(many.minimum),
        only(many.hours_above_ic50),
        many.span,
    )


def summarise_population(
    times: ArrayLike, concentration_nM: ArrayLike, potency: Potency
) -> PopulationSummary:
    """Summarise many profiles on one time grid.

    Parameters
    ----------
    times
        (n,) strictly increasing, h; at least two.
    concentration_nM
        (n_subjects, n), nM, on the basis that the potency calls for.
    potency
        In nM.

    Raises
    ------
    InputError
        As in `summarise`.
    """
    require_nM(potency)
    grid = np.asarray(times, dtype=np.float64)
    values = checked_concentrations(concentration_nM)
    if grid.ndim != 1 or values.ndim != 2 or values.shape[1] != grid.size or values.shape[0] < 1:
        raise InputError(
            f"times of shape {grid.shape} do not fit concentrations of shape {values.shape}",
            hint="Expected: (n,) and (subjects, n).",
        )
    if grid.size < 2 or not np.all(np.isfinite(grid)) or not np.all(np.diff(grid) > 0.0):
        raise InputError(
            "times must be finite and increase, and there must be at least two", where="times"
        )
    ic50, hill = potency.ic50, potency.hill
    band = inhibition(values, potency)

    def by_ic50(low_end: NDArray[np.float64], high_end: NDArray[np.float64]) -> Bounds:
        # Closed forms of the two ends may differ in the last bit where they should be equal.
        return Bounds(low_end, np.maximum(low_end, high_end))

    average_low = mean_inhibition(grid, values, ic50.high, hill)
    above_low = share_above(grid, values, ic50.high) * HOURS_PER_DAY
    if ic50.is_point:
        average_high, above_high = average_low, above_low
    else:
        average_high = mean_inhibition(grid, values, ic50.low, hill)
        above_high = share_above(grid, values, ic50.low) * HOURS_PER_DAY
    return PopulationSummary(
        potency,
        by_ic50(average_low, average_high),
        by_ic50(band.low.max(axis=1), band.high.max(axis=1)),
        by_ic50(band.low.min(axis=1), band.high.min(axis=1)),
        by_ic50(above_low, above_high),
        float(grid[-1] - grid[0]),
    )
