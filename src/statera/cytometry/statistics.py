"""Statistics of populations: counts, shares, fluorescence and what is positive.

Fluorescence is taken on linear, compensated values; the median is the summary of choice, as it
holds against the few bright events that doublets and dead cells leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = [
    "PopulationStatistics",
    "arcsinh_ratio",
    "fold_change",
    "geometric_mean",
    "overton_positive",
    "percent_positive",
    "population_statistics",
    "positive_threshold",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PopulationStatistics:
    """One population of one well in one channel.

    Attributes
    ----------
    count
        Events of the population whose value is a number.
    of_parent, of_total
        Share of the events of the parent gate and of all kept events; NaN where these are none.
    median, geometric_mean
        NaN without events.
    left_out
        Events at or below zero, of which the geometric mean knows nothing.
    not_numbers
        Events whose value is not finite, left out of the fluorescence.
    standard_error
        Of the median, from the order statistics about it.
    problems
        Sentences on what is missing and why.
    """

    count: int
    of_parent: float
    of_total: float
    median: float
    geometric_mean: float
    left_out: int
    not_numbers: int
    standard_error: float
    problems: tuple[str, ...] = ()


def population_statistics(
    values: ArrayLike,
    mask: ArrayLike,
    parent: ArrayLike | None = None,
    kept: ArrayLike | None = None,
    *,
    few: int = 200,
) -> PopulationStatistics:
    """Return the statistics of a population.

    Parameters
    ----------
    values : (n_events,) float64
        Compensated linear fluorescence of all events.
    mask : (n_events,) bool
        The population.
    parent : (n_events,) bool
        The population that it is a part of; all kept events by default.
    kept : (n_events,) bool
        Events that quality control left in; all by default. Events outside count nowhere.
    few
        Events below which the population is flagged.

    Raises
    ------
    InputError
        If lengths differ.
    """
    x = np.asarray(values, dtype=np.float64)
    inside = _mask(mask, x.size, "mask")
    use = np.ones(x.size, dtype=bool) if kept is None else _mask(kept, x.size, "kept")
    above = use if parent is None else use & _mask(parent, x.size, "parent")
    inside = inside & use
    chosen = x[inside]
    numbers = chosen[np.isfinite(chosen)]
    n_inside = int(chosen.size)
    problems: list[str] = []
    if numbers.size < n_inside:
        problems.append(f"{n_inside - numbers.size} of {n_inside} values are not finite")
    if n_inside == 0:
        problems.append("the population holds no events: its fluorescence is not known")
    elif n_inside < few:
        problems.append(f"only {n_inside} events (fewer than {few}): the median is uncertain")
    mean, left_out = geometric_mean(numbers)
    if left_out:
        tail = "" if left_out < numbers.size else ", so that there is none"
        problems.append(
            f"{left_out} of {numbers.size} events at or below zero are left out of the geometric "
            f"mean{tail}"
        )
    return PopulationStatistics(
        count=n_inside,
        of_parent=_share(int((inside & above).sum()), int(above.sum())),
        of_total=_share(n_inside, int(use.sum())),
        median=float(np.median(numbers)) if numbers.size else np.nan,
        geometric_mean=mean,
        left_out=left_out,
        not_numbers=n_inside - int(numbers.size),
        standard_error=_median_error(numbers),
        problems=tuple(problems),
    )


def _mask(mask: ArrayLike, n: int, name: str) -> Mask:
    found = np.asarray(mask, dtype=bool)
    if found.shape != (n,):
        raise InputError(
            f"{name} is for {found.size} events, the values are of {n}",
            where=name,
            hint="Take masks and values from the same file.",
        )
    return found


def _share(part: int, whole: int) -> float:
    return part / whole if whole else np.nan


def _median_error(x: Floats) -> float:
    """Return half the distance of the order statistics sqrt(n)/2 either side of the median."""
    n = x.size
    if n < 10:
        return np.nan
    half = 0.5 * np.sqrt(n)
    low, high = max(int(np.floor(n / 2 - half)), 0), min(int(np.ceil(n / 2 + half)), n - 1)
    found = np.partition(x, (low, high))
    return float(0.5 * (found[high] - found[low]))


def geometric_mean(values: ArrayLike) -> tuple[float, int]:
    """Return the geometric mean of the values above zero, and how many are not and are left out.

    It is NaN where no value is above zero. With many left out it says little: use the median.
    """
    x = np.asarray(values, dtype=np.float64)
    above = x[x > 0]
    mean = float(np.exp(np.mean(np.log(above)))) if above.size else np.nan
    return mean, int(x.size - above.size)


def arcsinh_ratio(median: ArrayLike, reference: ArrayLike, cofactor: float = 150.0) -> Floats:
    """Return ``asinh(median / cofactor) - asinh(reference / cofactor)``.

    Parameters
    ----------
    median, reference
        Of the treated and the unstimulated population; arrays are broadcast.
    cofactor
        About 150 for fluorescence, 5 for mass cytometry.

    Raises
    ------
    InputError
        If the cofactor is not above zero.
    """
    if not cofactor > 0:
        raise InputError(f"a cofactor of {cofactor:g} makes no scale", hint="Use 150 or 5.")
    x = np.asarray(median, dtype=np.float64)
    y = np.asarray(reference, dtype=np.float64)
    found: Floats = np.arcsinh(x / cofactor) - np.arcsinh(y / cofactor)
    return found


def fold_change(median: ArrayLike, reference: ArrayLike) -> Floats:
    """Return ``median / reference``; NaN where the reference is not above zero.

    Compensation can take an unstimulated median to zero or below, where a ratio means nothing;
    the arcsinh ratio does not have this limit.
    """
    x = np.asarray(median, dtype=np.float64)
    y = np.asarray(reference, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(y > 0, x / y, np.nan)
    return found


def positive_threshold(negative: ArrayLike, percentile: float = 99.0) -> float:
    """Return the value above which an event counts as positive.

    Parameters
    ----------
    negative : (n_events,) float64
        The same population in the negative control: the FMO, or unstimulated cells.
    percentile
        Of the negative control, between 50 and 100.

    Raises
    ------
    InputError
        If the control has too few events for the percentile: fewer than five would lie above it.
    """
    x = np.asarray(negative, dtype=np.float64)
    x = x[np.isfinite(x)]
    if not 50.0 <= percentile < 100.0:
        raise InputError(f"the percentile {percentile:g} is not between 50 and 100")
    needed = int(np.ceil(5.0 / (1.0 - percentile / 100.0) - 1e-9))
    if x.size < needed:
        raise InputError(
            f"the negative control holds {x.size} events, too few for its {percentile:g} per cent "
            f"point",
            hint=f"At least {needed} are needed; pool control wells, or take a lower percentile.",
        )
    return float(np.percentile(x, percentile))


def percent_positive(values: ArrayLike, threshold: float) -> float:
    """Return the per cent of events above a threshold; NaN without events."""
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    return float(100.0 * np.mean(x > threshold)) if x.size else np.nan


def overton_positive(values: ArrayLike, negative: ArrayLike) -> float:
    """Return the per cent positive by subtracting the negative control's distribution.

    The greatest vertical distance between the two cumulative distributions, in the direction of
    brighter cells: Overton's cumulative subtraction (Cytometry 1988, doi 10.1002/cyto.990090617),
    without bins. Unlike a threshold it also counts the positive cells that overlap the control,
    and unlike it, is above 0 for two equal populations by chance: about 89 / sqrt(n) per cent for
    n events each.

    Returns
    -------
    float
        NaN where either has no events.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    y = np.sort(np.asarray(negative, dtype=np.float64))
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    if not x.size or not y.size:
        return np.nan
    at = np.concatenate([x, y])
    below = np.searchsorted(y, at, side="right") / y.size
    distance = below - np.searchsorted(x, at, side="right") / x.size
    return float(100.0 * max(distance.max(), 0.0))
