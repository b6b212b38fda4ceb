"""Single cells: height against area of forward scatter, by a robust line.

Two cells in one pulse have the area of two and the height of one. The line is fitted as by the
robust regression of openCyto's singlet gate (RGLab/openCyto), with Tukey's bisquare weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.numerics.density import Histogram, find_valleys, plug_in_bandwidth

__all__ = ["SingletBand", "singlet_band"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SingletBand:
    """Single cells lie within a band about a line of height on area.

    Attributes
    ----------
    intercept, slope
        Of the line.
    spread
        Standard deviation about it, by the median of absolute deviations.
    growth
        Of the spread with the area: it is ``spread + growth * area``.
    below, above
        Edges of the band, in spreads from the line.
    depth
        Of the valley towards doublets, where the lower edge lies in it; 0 without one.
    outside
        Share of events outside.
    """

    intercept: float
    slope: float
    spread: float
    growth: float
    below: float
    above: float
    depth: float
    outside: float

    def distance(self, area: Floats, height: Floats) -> Floats:
        """Return the distance from the line in spreads, (n_events,)."""
        scale = np.maximum(self.spread + self.growth * area, 1e-12)
        found: Floats = (height - self.intercept - self.slope * area) / scale
        return found

    def corners(self, low: float, high: float) -> tuple[tuple[float, float], ...]:
        """Return the corners of the band between two areas."""

        def edge(area: float, spreads: float) -> tuple[float, float]:
            scale = max(self.spread + self.growth * area, 0.0)
            return area, self.intercept + self.slope * area + spreads * scale

        return (
            edge(low, self.below),
            edge(high, self.below),
            edge(high, self.above),
            edge(low, self.above),
        )


def singlet_band(area: Floats, height: Floats, mads: float = 5.0) -> SingletBand | None:
    """Return the band of single cells, None where too few events rise along a line.

    Parameters
    ----------
    area, height : (n_events,) float64
        Of forward scatter, pooled over wells, without what lies at the limits.
    mads
        Half the width of the band, in standard deviations by the median of absolute deviations. A
        valley towards doublets between half of that and all of it takes the place of the lower
        edge.
    """
    good = np.isfinite(area) & np.isfinite(height) & (area > 0) & (height > 0)
    x, y = area[good], height[good]
    if x.size < 100:
        return None
    line = _line(x, y)
    if line is None:
        return None
    intercept, slope = line
    off = y - intercept - slope * x
    spread, growth = _spread(x, off)
    band = SingletBand(intercept, slope, spread, growth, -mads, mads, 0.0, 0.0)
    z = band.distance(x, y)
    edge, depth = -mads, 0.0
    histogram = Histogram.of(z, -6.0 * mads, 3.0 * mads)
    if histogram.total > 0:
        width = max(plug_in_bandwidth(histogram), 2.0 * histogram.step)
        for valley in find_valleys(histogram, width, share=0.001):
            if -mads <= valley.position <= -0.5 * mads:
                edge, depth = valley.position, valley.depth
    outside = float(np.mean((z < edge) | (z > mads)))
    return SingletBand(intercept, slope, spread, growth, edge, mads, depth, outside)


def _line(x: Floats, y: Floats) -> tuple[float, float] | None:
    """Return intercept and slope, from the ratio's main peak and then by reweighting."""
    ratio = y / x
    low, high = np.quantile(ratio, [0.005, 0.995])
    if not high > low:
        return 0.0, float(np.median(ratio))
    histogram = Histogram.of(ratio, float(low), float(high))
    width = max(plug_in_bandwidth(histogram), 2.0 * histogram.step)
    kernel = np.exp(-0.5 * (np.arange(-64, 65) * histogram.step / width) ** 2)
    peak = histogram.centres[np.argmax(np.convolve(histogram.counts, kernel, mode="same"))]
    intercept, slope = 0.0, float(peak)
    for _ in range(30):
        off = (y - intercept - slope * x) / x
        scale = 1.4826 * float(np.median(np.abs(off)))
        if scale <= 0.0:
            break
        u = np.minimum(np.abs(off) / (4.685 * scale), 1.0)
        weight = (1.0 - u**2) ** 2 / x**2
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        variance = np.average((x - mean_x) ** 2, weights=weight)
        if variance <= 0.0:
            return None
        new = float(np.average((x - mean_x) * (y - mean_y), weights=weight) / variance)
        if not new > 0.0:
            return None
        settled = abs(new - slope) < 1e-9 * slope
        slope, intercept = new, float(mean_y - new * mean_x)
        if settled:
            break
    return intercept, slope


def _spread(x: Floats, off: Floats) -> tuple[float, float]:
    """Return the spread at area 0 and its growth, from the deviations of tenths of the events."""
    order = np.argsort(x, kind="stable")
    groups = [g for g in np.array_split(order, 10) if g.size >= 10]
    # doublets gather among the largest events, debris among the smallest
    inner = groups[1:-1] if len(groups) > 4 else groups
    at = np.array([np.median(x[g]) for g in inner])
    size = np.array([1.4826 * np.median(np.abs(off[g])) for g in inner])
    middle = max(float(np.median(size)), 1e-9 * float(np.median(x)))
    ratio = max(float(np.median(size / at)), 1e-9)
    # proportional to the area unless a constant spread describes it better
    proportional = float(np.sum((size - ratio * at) ** 2))
    constant = float(np.sum((size - middle) ** 2))
    return (0.0, ratio) if proportional <= constant else (middle, 0.0)
