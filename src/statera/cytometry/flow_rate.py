"""Anomalies of the flow: bursts, gaps and stretches of another rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, median_filter

__all__ = ["FlowAnomaly", "find_flow_anomalies"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_EVENTS = 1000
_PER_BIN, _MOST_BINS, _WINDOW = 100, 500, 11


@dataclass(frozen=True)
class FlowAnomaly:
    """A stretch of time with another rate of events.

    Attributes
    ----------
    kind
        ``burst`` or ``gap`` against the bins around; ``step`` for a longer stretch at another
        level.
    start, end
        Seconds, as far as the file's time step is right.
    rate
        Of the stretch, as a share of the usual rate.
    removed
        Whether its events are left out: not those of a step that lasts over a quarter of the time,
        which cannot be told from the usual rate.
    """

    kind: str
    start: float
    end: float
    rate: float
    removed: bool


def find_flow_anomalies(
    time: Floats, *, deviations: float = 5.0, step: float = 0.4
) -> tuple[Mask, list[FlowAnomaly]]:
    """Return which events lie in anomalies of the flow, and the anomalies.

    Events are counted in bins of equal time, about 100 in each. Square roots of counts, whose
    standard deviation does not depend on the rate (Anscombe, Biometrika 1948), are held against
    their running median over eleven bins.

    Parameters
    ----------
    time : (n_events,) float64
        Any order; finite.
    deviations
        Standard deviations from the running median that make a burst or a gap.
    step
        Change of the running median, as a share of its median, that makes a step.

    Returns
    -------
    tuple of (n_events,) bool and list
        Nothing for fewer than 1000 events or a time that stands still.
    """
    none = np.zeros(time.size, dtype=bool)
    low, high = (float(time.min()), float(time.max())) if time.size else (0.0, 0.0)
    if time.size < MIN_EVENTS or not high > low:
        return none, []
    width = _bin_width(time, low, high)
    n_bins = max(int(np.ceil((high - low) / width * (1.0 - 1e-12))), 1)
    if n_bins < 2 * _WINDOW:
        return none, []
    place = np.minimum(((time - low) / width).astype(np.intp), n_bins - 1)
    counts = np.bincount(place, minlength=n_bins).astype(np.float64)
    full = np.ones(n_bins)
    full[-1] = max((high - low) / width - (n_bins - 1), 0.05)  # the last bin ends with the file
    counts /= full
    root = 2.0 * np.sqrt(counts + 0.375)
    around = median_filter(root, _WINDOW, mode="nearest")
    off = root - around
    noise = max(1.0, 1.4826 * float(np.median(np.abs(off))))
    off[-1] *= np.sqrt(full[-1])
    usual = float(np.median(around))
    level = (around / usual) ** 2
    steps = np.abs(level - 1.0) > step
    found: list[FlowAnomaly] = []
    bad = np.zeros(n_bins, dtype=bool)
    for kind, mask in (
        ("burst", (off > deviations * noise) & ~steps),
        ("gap", (off < -deviations * noise) & ~steps),
        ("step", steps),
    ):
        for run in _runs(mask):
            if kind == "step" and run.size < 3:
                continue
            removed = kind != "step" or run.size <= n_bins / 4
            rate = float(np.mean(counts[run]) / (0.25 * usual**2))
            start, end = low + width * run[0], low + width * (run[-1] + 1)
            found.append(FlowAnomaly(kind, start, min(end, high), rate, removed))
            if removed:
                bad[run] = True
    found.sort(key=lambda a: a.start)
    return bad[place], found


def _bin_width(time: Floats, low: float, high: float) -> float:
    """Return the width of a bin: whole ticks of a clock that is coarse."""
    bins = int(np.clip(time.size / _PER_BIN, 2 * _WINDOW, _MOST_BINS))
    width = (high - low) / bins
    ticks = np.unique(time)
    if ticks.size > 1:
        tick = float(np.median(np.diff(ticks)))
        if ticks.size < 0.5 * time.size and tick > 0.01 * width:
            width = max(np.ceil(width / tick), 1.0) * tick
    return float(width)


def _runs(mask: Mask) -> list[NDArray[np.intp]]:
    numbered, n = label(mask)
    return [np.flatnonzero(numbered == k) for k in range(1, n + 1)]
