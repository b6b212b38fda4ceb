"""Smoothed densities in one dimension, their peaks and the valleys between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq
from scipy.signal import find_peaks

__all__ = ["Histogram", "Valley", "density", "find_valleys", "plug_in_bandwidth"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """Counts in bins of equal width.

    Attributes
    ----------
    low, step
        Lower end of the first bin, and the width of a bin.
    counts : (n_bins,) float64
    """

    low: float
    step: float
    counts: Floats

    @classmethod
    def of(cls, values: Floats, low: float, high: float, bins: int = 1024) -> Histogram:
        """Return the counts of values in [low, high); others are left out."""
        counts, _ = np.histogram(values, bins=bins, range=(low, high))
        return cls(low, (high - low) / bins, counts.astype(np.float64))

    @property
    def centres(self) -> Floats:
        """Middle of each bin, (n_bins,)."""
        return self.low + self.step * (np.arange(self.counts.size, dtype=np.float64) + 0.5)

    @property
    def total(self) -> float:
        """Number of values."""
        return float(self.counts.sum())


@dataclass(frozen=True)
class Valley:
    """A border between two peaks of a density.

    Attributes
    ----------
    position
        The middle of the valley's floor.
    depth
        1 less the density of the floor over that of the lower peak beside it: 1 where empty.
    left_peak, right_peak
        Where the highest peaks on either side lie, up to the next valley.
    left_share, right_share
        Share of all values on either side.
    """

    position: float
    depth: float
    left_peak: float
    right_peak: float
    left_share: float
    right_share: float


def plug_in_bandwidth(histogram: Histogram) -> float:
    """Return the bandwidth of a Gaussian kernel by the improved Sheather-Jones rule.

    Botev, Grotowski and Kroese, Annals of Statistics 2010, doi 10.1214/10-AOS799: it holds for
    densities of several peaks, which rules that assume one peak smooth away. Silverman's rule
    where its equation has no root.
    """
    n = histogram.total
    if n < 2:
        return 2.0 * histogram.step
    size = histogram.counts.size
    waves = dct(histogram.counts / n, type=2, norm=None)[1:] / 2.0
    squares = np.arange(1, size, dtype=np.float64) ** 2
    power = waves**2

    def residue(t: float) -> float:
        return t - _fixed_point(t, n, squares, power)

    span = size * histogram.step
    grid = np.geomspace(1e-8, 0.1, 40)
    signs = np.array([residue(t) for t in grid])
    turn = np.flatnonzero((signs[:-1] < 0) & (signs[1:] >= 0))
    if turn.size:
        t = brentq(residue, grid[turn[0]], grid[turn[0] + 1], xtol=1e-12)
        return max(math.sqrt(t) * span, histogram.step)
    return max(_silverman(histogram), histogram.step)


def _fixed_point(t: float, n: float, squares: Floats, power: Floats) -> float:
    """Return the rule's next squared bandwidth, on an axis of length 1, with seven stages."""
    norm = 2.0 * math.pi**14 * float(np.sum(squares**7 * power * _decay(squares, t)))
    for stage in range(6, 1, -1):
        odd = math.prod(range(1, 2 * stage, 2)) / math.sqrt(2.0 * math.pi)
        factor = (1.0 + 0.5 ** (stage + 0.5)) / 3.0
        time = (2.0 * factor * odd / (n * norm)) ** (2.0 / (3.0 + 2.0 * stage))
        spread = float(np.sum(squares**stage * power * _decay(squares, time)))
        norm = 2.0 * math.pi ** (2 * stage) * spread
        if norm <= 0.0:
            return math.inf
    return float((2.0 * n * math.sqrt(math.pi) * norm) ** (-0.4))


def _decay(squares: Floats, t: float) -> Floats:
    return np.exp(-np.minimum(squares * math.pi**2 * t, 700.0))


def _silverman(histogram: Histogram) -> float:
    centres, weight = histogram.centres, histogram.counts / histogram.total
    mean = float(np.sum(centres * weight))
    sd = math.sqrt(float(np.sum((centres - mean) ** 2 * weight)))
    cumulative = np.cumsum(weight)
    quarters = np.interp([0.25, 0.75], cumulative, centres)
    spread = min(sd, float(quarters[1] - quarters[0]) / 1.34) or sd
    return float(0.9 * spread * histogram.total**-0.2)


def density(histogram: Histogram, bandwidth: float) -> Floats:
    """Return the smoothed density at the middle of each bin, (n_bins,); it is mirrored at the ends.

    Parameters
    ----------
    histogram
    bandwidth
        Standard deviation of the Gaussian kernel.
    """
    total = histogram.total
    if total == 0:
        return np.zeros(histogram.counts.size)
    smooth: Floats = gaussian_filter1d(
        histogram.counts, bandwidth / histogram.step, mode="reflect", truncate=5.0
    )
    return np.maximum(smooth, 0.0) / (total * histogram.step)


def find_valleys(
    histogram: Histogram,
    bandwidth: float,
    *,
    depth: float = 0.1,
    errors: float = 4.0,
    share: float = 0.002,
    events: float = 30.0,
) -> list[Valley]:
    """Return the valleys of a smoothed density, from the left.

    Parameters
    ----------
    histogram
    bandwidth
        Standard deviation of the Gaussian kernel.
    depth
        A peak counts if it stands over the higher of the valleys beside it by so much of its
        height ...
    errors
        ... and by so many standard errors of the density's difference.
    share, events
        Least share and number of values of a peak, from valley to valley.
    """
    n = histogram.total
    if n < 2 * events:
        return []
    f = density(histogram, bandwidth)
    peaks, found = find_peaks(np.concatenate([[0.0], f, [0.0]]), prominence=0.0)
    peaks = peaks - 1
    rise = found["prominences"]
    height = f[peaks]
    # the variance of a density smoothed by a Gaussian is f / (2 sqrt(pi) h n)
    noise = np.sqrt((2.0 * height - rise) / (2.0 * math.sqrt(math.pi) * bandwidth * n))
    kept = list(peaks[(rise >= depth * height) & (rise >= errors * noise)])
    cumulative = np.concatenate([[0.0], np.cumsum(histogram.counts)])
    least = max(share * n, events)
    while len(kept) > 1:
        floors = [a + int(np.argmin(f[a : b + 1])) for a, b in pairwise(kept)]
        ends = np.array([0, *floors, f.size])
        sizes = np.diff(cumulative[ends])
        small = int(np.argmin(sizes))
        if sizes[small] >= least:
            return [
                _valley(histogram, f, kept[i], kept[i + 1], cumulative, bandwidth)
                for i in range(len(floors))
            ]
        del kept[small]
    return []


def _valley(
    histogram: Histogram, f: Floats, left: int, right: int, cumulative: Floats, bandwidth: float
) -> Valley:
    between = f[left : right + 1]
    lower = min(f[left], f[right])
    floor = float(between.min())
    # a wide floor has no lowest point beyond chance: take the middle of what chance allows
    n = histogram.total
    noise = math.sqrt(floor / (2.0 * math.sqrt(math.pi) * bandwidth * n))
    flat = np.flatnonzero(between <= floor + max(noise, 0.005 * lower))
    at = left + int(np.argmin(between))
    run = flat + left
    start = stop = at
    members = set(run.tolist())
    while start - 1 in members:
        start -= 1
    while stop + 1 in members:
        stop += 1
    middle = (start + stop) / 2.0
    centres = histogram.centres
    below = float(np.interp(middle + 0.5, np.arange(cumulative.size), cumulative)) / n
    return Valley(
        position=float(centres[0] + middle * histogram.step),
        depth=float(1.0 - floor / lower),
        left_peak=float(centres[left]),
        right_peak=float(centres[right]),
        left_share=below,
        right_share=1.0 - below,
    )
