"""A border between two populations along one axis, found over all wells of a plate.

The densities of the wells are laid over each other, each moved within bounds to where it agrees
best with the sum; the valley of the sum is the border. A well then takes it back with its shift,
drawn towards its own valley as far as its own events speak for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from statera.numerics.density import Histogram, Valley, density, find_valleys, plug_in_bandwidth
from statera.numerics.gaussian_mixture import GaussianMixture, fit_gaussian_mixture

__all__ = ["BorderOptions", "PlateBorder", "WellBorder", "align_wells", "clearest", "plate_border"]

Floats = NDArray[np.float64]
Choice = Callable[[list[Valley]], Valley | None]

BINS = 1024


@dataclass(frozen=True)
class BorderOptions:
    """How borders are sought.

    Attributes
    ----------
    min_depth
        A valley shallower than this is none.
    low_depth
        A border in a valley shallower than this has low confidence.
    max_shift
        Most that a well may move a border, as a share of the distance between the two peaks.
    min_shift
        A smaller move than this share is not made.
    few_events
        A well with fewer takes the border of the plate.
    min_share
        Least share of a population that has a border of its own.
    separation
        Least distance of the components of a mixture, in standard deviations.
    """

    min_depth: float = 0.1
    low_depth: float = 0.5
    max_shift: float = 0.3
    min_shift: float = 0.02
    few_events: int = 200
    min_share: float = 0.002
    separation: float = 2.5


@dataclass(frozen=True)
class WellBorder:
    """The border in one well.

    Attributes
    ----------
    position
    shift
        Against that of the plate.
    method
        ``valley`` where the well shows one of its own, else ``pooled``.
    depth
        Of its own valley; 0 without one.
    n
        Events of the well that it was sought in.
    crowded
        Share of these that lies within a tenth of the peaks' distance of the border.
    bounded
        Whether its own valley lies further off than it may move.
    high_share
        Share of the well's events above the border.
    """

    position: float
    shift: float
    method: Literal["valley", "pooled"]
    depth: float
    n: int
    crowded: float
    bounded: bool
    high_share: float


@dataclass(frozen=True)
class PlateBorder:
    """The border of a plate, and in each of its wells.

    Attributes
    ----------
    position
    method
        ``valley``, or ``mixture`` where the sum of the wells shows none.
    depth
        Of the valley, 0 to 1; 0 for a mixture.
    low_peak, high_peak
        Peaks on either side, or means of the mixture.
    low_share, high_share
        Share of events on either side.
    valleys
        How many there are to choose from.
    n
        Events.
    wells
    """

    position: float
    method: Literal["valley", "mixture"]
    depth: float
    low_peak: float
    high_peak: float
    low_share: float
    high_share: float
    valleys: int
    n: int
    wells: Mapping[str, WellBorder]

    @property
    def clarity(self) -> float:
        """Depth, less where one side is rare: to compare borders found in different parents."""
        rare = min(self.low_share, self.high_share) / 0.02
        return float(self.depth * np.sqrt(min(1.0, rare)))


def clearest(valleys: list[Valley]) -> Valley | None:
    """Return the deepest valley; one with under 2 per cent of events on a side counts less."""
    if not valleys:
        return None

    def worth(valley: Valley) -> float:
        rare = min(valley.left_share, valley.right_share) / 0.02
        return valley.depth * float(np.sqrt(min(1.0, rare)))

    return max(valleys, key=worth)


def plate_border(
    values: Mapping[str, Floats],
    options: BorderOptions,
    *,
    choose: Choice = clearest,
    mixture: bool = True,
    wells: bool = True,
) -> PlateBorder | None:
    """Return a border, None where nothing in the data speaks for one.

    Parameters
    ----------
    values : (n_events,) float64 by well
        On the scale of the gate; without what lies at the limits of the channel.
    options
    choose
        Picks one of several valleys, or none.
    mixture
        Whether a mixture of two Gaussian distributions may stand in for a valley.
    wells
        Whether the border is sought in each well too.
    """
    present = {well: x[np.isfinite(x)] for well, x in values.items()}
    everything = np.concatenate([*present.values(), np.zeros(0)])
    if everything.size < 100:
        return None
    low, high = np.quantile(everything, [0.0005, 0.9995])
    if not high > low:
        return None
    margin = 0.1 * (high - low)
    frame = (float(low - margin), float(high + margin))
    counts = {w: Histogram.of(x, *frame, BINS) for w, x in present.items() if x.size}
    laid = _overlay(counts, 0.1 * float(high - low), options, choose)
    pool, width, valley, shifts = laid.pool, laid.width, laid.valley, laid.shifts
    method: Literal["valley", "mixture"] = "valley"
    if valley is None and mixture:
        moved = np.concatenate([present[w] - shifts[w] * pool.step for w in counts])
        valley, method = _mixture(moved, options), "mixture"
    if valley is None:
        return None
    each: dict[str, WellBorder] = {}
    if wells:
        for well, histogram in counts.items():
            # kernels widen with the fifth root, as events get fewer
            own = width * (pool.total / max(histogram.total, 1.0)) ** 0.2
            each[well] = _well(histogram, own, valley, shifts[well] * pool.step, options)
    return PlateBorder(
        position=valley.position,
        method=method,
        depth=valley.depth,
        low_peak=valley.left_peak,
        high_peak=valley.right_peak,
        low_share=valley.left_share,
        high_share=valley.right_share,
        valleys=laid.valleys,
        n=int(pool.total),
        wells=each,
    )


@dataclass(frozen=True)
class _Overlay:
    """Wells laid over each other: their sum, its kernel and valley, and the shifts in bins."""

    pool: Histogram
    width: float
    valley: Valley | None
    valleys: int
    shifts: Mapping[str, int]


def _overlay(
    counts: Mapping[str, Histogram], reach: float, options: BorderOptions, choose: Choice
) -> _Overlay:
    """Lay wells over each other; `reach` bounds their shifts where there is no valley."""
    shifts = dict.fromkeys(counts, 0)
    # wells are moved twice, as the first sum is blurred by their shifts
    for turn in range(3):
        pool = _pool(counts, shifts)
        narrow = _bandwidth(pool)
        # a sharp peak asks for a kernel too narrow for a rare wide one, which then falls to pieces
        for width in (narrow, 2.0 * narrow, 4.0 * narrow):
            valleys = find_valleys(pool, width, depth=options.min_depth, share=options.min_share)
            valley = choose(valleys)
            if valley is not None:
                break
        if turn < 2:
            bound = reach
            if valley is not None:
                bound = options.max_shift * (valley.right_peak - valley.left_peak)
            shifts = align_wells(counts, pool, width, bound)
    return _Overlay(pool, width, valley, len(valleys), shifts)


def _bandwidth(histogram: Histogram) -> float:
    return max(plug_in_bandwidth(histogram), 3.0 * histogram.step)


def _pool(counts: Mapping[str, Histogram], shifts: Mapping[str, int]) -> Histogram:
    first = next(iter(counts.values()))
    total = np.zeros(first.counts.size)
    for well, histogram in counts.items():
        total += _moved(histogram.counts, -shifts[well])
    return Histogram(first.low, first.step, total)


def _moved(counts: Floats, by: int) -> Floats:
    """Return counts moved by bins; what leaves at an end is left out."""
    if by == 0:
        return counts
    out = np.zeros_like(counts)
    if by > 0:
        out[by:] = counts[:-by]
    else:
        out[:by] = counts[-by:]
    return out


def align_wells(
    counts: Mapping[str, Histogram], pool: Histogram, width: float, reach: float
) -> dict[str, int]:
    """Return the shift of each well in bins: the likeliest, given the density of all wells.

    A normal prior with half the reach as standard deviation keeps wells with few events where
    they are. The median of the shifts is taken off, so that the plate itself does not move.
    """
    bins = int(min(reach / pool.step, pool.counts.size // 4))
    if bins < 1:
        return dict.fromkeys(counts, 0)
    f = density(pool, width)
    log_density = np.log(f + 1e-4 * f.max())
    floor = float(log_density.min())
    steps = np.arange(-bins, bins + 1)
    prior = -0.5 * (steps / (0.5 * bins)) ** 2
    padded = np.pad(log_density, bins, constant_values=floor)
    windows = np.lib.stride_tricks.sliding_window_view(padded, f.size)[::-1]
    found = {w: int(steps[np.argmax(windows @ h.counts + prior)]) for w, h in counts.items()}
    large = [s for w, s in found.items() if counts[w].total >= 50]
    centre = int(np.median(large)) if large else 0
    return {w: int(np.clip(s - centre, -bins, bins)) for w, s in found.items()}


def _well(
    histogram: Histogram, width: float, valley: Valley, shift: float, options: BorderOptions
) -> WellBorder:
    n = histogram.total
    distance = valley.right_peak - valley.left_peak
    reach = options.max_shift * distance
    if n < options.few_events:
        shift = 0.0
    expected = valley.position + shift
    own: Valley | None = None
    bounded = False
    if n >= options.few_events:
        near = find_valleys(histogram, width, depth=options.min_depth, errors=3.0, events=10.0)
        nearest = min(near, key=lambda v: abs(v.position - expected), default=None)
        if nearest is not None:
            bounded = abs(nearest.position - valley.position) > reach
            own = None if bounded else nearest
    if own is not None:
        rarer = min(own.left_share, own.right_share) * n
        wanted = expected + (own.position - expected) * rarer / (rarer + 200.0)
        expected = valley.position + float(np.clip(wanted - valley.position, -reach, reach))
    if abs(expected - valley.position) < options.min_shift * distance:
        expected = valley.position
    close = np.abs(histogram.centres - expected) < 0.1 * distance
    return WellBorder(
        position=expected,
        shift=expected - valley.position,
        method="valley" if own is not None else "pooled",
        depth=own.depth if own is not None else 0.0,
        n=int(n),
        crowded=float(histogram.counts[close].sum() / n) if n else 0.0,
        bounded=bounded,
        high_share=float(histogram.counts[histogram.centres >= expected].sum() / n) if n else 0.0,
    )


def _mixture(values: Floats, options: BorderOptions) -> Valley | None:
    """Return where two Gaussian distributions are equally likely, if one does not do as well."""
    # quantiles stand for the events: the fit needs no more than some thousand of them
    inner = np.quantile(values, np.linspace(0.001, 0.999, min(values.size, 4000)))
    two = fit_gaussian_mixture(inner, 2, starts=2, steps=150, tolerance=1e-6)
    one = fit_gaussian_mixture(inner, 1, starts=1)
    if not two.bic < one.bic - 20.0 or two.weights.min() < 0.02:
        return None
    if two.separation(0, 1) < options.separation:
        return None
    if _misfit(two, inner) > 0.015:
        return None  # neither one nor two: an even spread, say, would be cut in its middle
    low, high = float(two.means[0, 0]), float(two.means[1, 0])
    at = np.linspace(low, high, 2001)
    change = np.flatnonzero(two.probabilities(at)[:, 1] >= 0.5)
    if not change.size or change[0] == 0:
        return None
    border = float(at[change[0]])
    below = float(np.mean(values < border))
    return Valley(border, 0.0, low, high, below, 1.0 - below)


def _misfit(mixture: GaussianMixture, ordered: Floats) -> float:
    """Return the greatest distance between a mixture's distribution and that of ordered values."""
    expected = np.zeros(ordered.size)
    for weight, mean, variance in zip(
        mixture.weights, mixture.means[:, 0], mixture.covariances[:, 0, 0], strict=True
    ):
        expected += weight * ndtr((ordered - mean) / np.sqrt(variance))
    found = (np.arange(ordered.size) + 0.5) / ordered.size
    return float(np.abs(expected - found).max())
