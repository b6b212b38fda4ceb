"""Drift of a signal over the time of acquisition."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from statera.numerics.density import Histogram, find_valleys, plug_in_bandwidth

__all__ = ["Drift", "find_drift"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_BINS = 10
_PER_BIN, _MOST_BINS = 150, 500


@dataclass(frozen=True)
class Drift:
    """Bins in which a signal lies off.

    Attributes
    ----------
    bins
        Number of bins that lie off.
    largest
        Greatest deviation, in the units of the signal.
    share
        Of events in these bins.
    """

    bins: int
    largest: float
    share: float


def find_drift(
    signal: Floats,
    order: NDArray[np.intp],
    *,
    deviations: float = 6.0,
    run: int = 5,
    least: float = 0.1,
) -> tuple[Mask, Drift | None]:
    """Return which events lie in bins where a signal drifts off, and how far.

    Events in order of time are cut into bins of equal numbers, 150 or more in each and 500 bins at
    most (as in PeacoQC, doi 10.1002/cyto.a.24501). Medians of bins are held against their median.
    Where the signal has two peaks each is followed by itself, as the median of both together jumps
    between them. The noise is taken from differences between neighbouring bins: a slow drift would
    widen the spread of all bins, and hide in it.

    Parameters
    ----------
    signal : (n_events,) float64
        On a scale of logarithms, or asinh: 0.1 stands for 10 per cent.
    order
        Events by time.
    deviations
        Standard deviations of an average, by the median of absolute differences between bins.
    run
        Neighbouring bins that are averaged.
    least
        Deviation below which none is a drift.

    Returns
    -------
    tuple
        Mask (n_events,), and None where there is no drift.
    """
    n = order.size
    none = np.zeros(signal.size, dtype=bool)
    if n < MIN_BINS * _PER_BIN:
        return none, None
    size = -(-n // min(n // _PER_BIN, _MOST_BINS))
    bins = -(-n // size)
    off = np.zeros(bins, dtype=bool)
    largest = 0.0
    ordered = signal[order]
    for low, high in _parts(signal):
        medians = _medians(ordered, low, high, size, bins)
        if medians is None:
            continue
        deviation = medians - np.median(medians)
        noise = 1.4826 * float(np.median(np.abs(np.diff(medians)))) / np.sqrt(2.0)
        noise = max(noise, _chance(ordered, low, high, bins))
        limit = max(deviations * noise / np.sqrt(run), least)
        averages = np.convolve(deviation, np.full(run, 1.0 / run), mode="valid")
        before = run // 2
        centred = np.pad(averages, (before, run - 1 - before), mode="edge")
        found = np.abs(centred) > limit
        if found.any():
            off |= found
            largest = max(largest, float(np.abs(centred[found]).max()))
    if not off.any():
        return none, None
    mask = none
    mask[order] = np.repeat(off, size)[:n]
    return mask, Drift(int(off.sum()), largest, float(mask.mean()))


def _parts(signal: Floats) -> list[tuple[float, float]]:
    """Return the ends of each peak of a signal."""
    low, high = np.quantile(signal, [0.001, 0.999])
    if not high > low:
        return []
    histogram = Histogram.of(signal, float(low), float(high), 256)
    width = max(plug_in_bandwidth(histogram), 1.5 * histogram.step)
    valleys = find_valleys(histogram, width, depth=0.3, share=0.1)
    ends = [-np.inf, *(v.position for v in valleys), np.inf]
    return list(pairwise(ends))


def _chance(ordered: Floats, low: float, high: float, bins: int) -> float:
    """Return the standard deviation that medians of bins have by chance, for a normal peak.

    With few bins their differences alone would at times promise too little noise.
    """
    inside = ordered[(ordered >= low) & (ordered < high)]
    quarters = np.quantile(inside, [0.25, 0.75])
    return float(1.2533 * (quarters[1] - quarters[0]) / 1.349 / np.sqrt(inside.size / bins))


def _medians(ordered: Floats, low: float, high: float, size: int, bins: int) -> Floats | None:
    """Return medians by bin of the events of a peak, None where a bin holds too few of them."""
    padded = np.full(bins * size, np.inf)
    padded[: ordered.size] = np.where((ordered >= low) & (ordered < high), ordered, np.inf)
    table = np.sort(padded.reshape(bins, size), axis=1)
    counts = np.isfinite(table).sum(axis=1)
    if counts[:-1].min() < 10:
        return None
    # the last bin may be nearly empty: it then repeats the one before it
    full = counts >= 10
    rows = np.where(full, np.arange(bins), bins - 2)
    used = counts[rows]
    found: Floats = 0.5 * (table[rows, (used - 1) // 2] + table[rows, used // 2])
    return found
