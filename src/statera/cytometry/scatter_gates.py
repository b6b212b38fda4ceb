"""Debris, lymphocytes and monocytes by forward and side scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from statera.numerics.density import Histogram, Valley, plug_in_bandwidth

__all__ = ["ScatterPeak", "debris_valley", "leukocyte_peaks", "scatter_peaks"]

Floats = NDArray[np.float64]

_GRID, _RAYS = 128, 48


def debris_valley(valleys: Sequence[Valley], *, ratio: float = 0.45) -> Valley | None:
    """Return the valley between debris and cells on linear forward scatter, None without one.

    Lymphocytes have about six tenths of the forward scatter of monocytes, debris less than half
    of that of lymphocytes. So a peak is debris only where it lies below 0.45 of the next one: the
    valley between lymphocytes and monocytes is not taken for the border of debris.
    """
    for valley in valleys:
        if valley.left_peak < ratio * valley.right_peak:
            return valley
    return None


@dataclass(frozen=True)
class ScatterPeak:
    """A peak of the density over forward and side scatter.

    Attributes
    ----------
    forward, side
        Where it lies.
    depth
        1 less the density of the highest pass to a higher peak over its own; 1 for the highest.
    outline : (n_rays, 2) float64
        About it, along the valleys or where the density has fallen to a small part of the peak's.
    share
        Of events within the outline.
    """

    forward: float
    side: float
    depth: float
    outline: Floats
    share: float


def scatter_peaks(
    forward: Floats, side: Floats, *, depth: float = 0.15, edge: float = 0.01
) -> list[ScatterPeak]:
    """Return the peaks of a density over two axes, highest first, with outlines.

    Parameters
    ----------
    forward, side : (n_events,) float64
        Pooled over wells.
    depth
        Least depth of a peak.
    edge
        Density at which an outline ends where no valley does, as a share of the peak's.
    """
    good = np.isfinite(forward) & np.isfinite(side)
    x, y = forward[good], side[good]
    if x.size < 200:
        return []
    frames = [np.quantile(v, [0.002, 0.998]) for v in (x, y)]
    ranges = [(float(a - 0.1 * (b - a)), float(b + 0.1 * (b - a))) for a, b in frames]
    if any(not high > low for low, high in ranges):
        return []
    counts, _, _ = np.histogram2d(x, y, bins=_GRID, range=ranges)
    sigma = []
    for values, (low, high) in zip((x, y), ranges, strict=True):
        histogram = Histogram.of(values, low, high)
        # wider than along one axis: the events spread over a plane
        sigma.append(
            max(2.0 * plug_in_bandwidth(histogram) / ((high - low) / _GRID), 1.5)
            * (1.0 if x.size > 5000 else 1.5)
        )
    f = gaussian_filter(counts, sigma, mode="constant")
    noise = np.sqrt(max(f.max(), 1e-300) / (4.0 * np.pi * sigma[0] * sigma[1]))
    peaks = _separate(f, depth, noise)
    found = []
    for i, j, passage in peaks:
        outline = _outline(f, (i, j), edge, 4.0 * np.pi * sigma[0] * sigma[1])
        steps = np.array([(high - low) / _GRID for low, high in ranges])
        origin = np.array([low for low, _ in ranges])
        points = origin + (outline + 0.5) * steps
        found.append(
            ScatterPeak(
                float(origin[0] + (i + 0.5) * steps[0]),
                float(origin[1] + (j + 0.5) * steps[1]),
                1.0 - passage / float(f[i, j]),
                points,
                _share_inside(f, outline, (i, j)),
            )
        )
    return found


def _separate(f: Floats, depth: float, noise: float) -> list[tuple[int, int, float]]:
    """Return peaks (row, column, density of the pass to a higher one), highest first.

    Grid points are flooded from the top: where two pools meet lies the pass.
    """
    tops = (f == maximum_filter(f, size=3)) & (f > 0.002 * f.max())
    order = np.argsort(-f, axis=None, kind="stable")
    label = np.full(f.shape, -1)
    owner: list[int] = []
    peaks: list[tuple[int, int]] = []
    passage: dict[int, float] = {}

    def root(k: int) -> int:
        while owner[k] != k:
            k = owner[k]
        return k

    for flat in order:
        i, j = divmod(int(flat), f.shape[1])
        if f[i, j] <= 0.002 * f.max():
            break
        around = label[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        near = sorted({root(int(k)) for k in around.ravel() if k >= 0})
        if not near:
            if not tops[i, j]:
                continue
            owner.append(len(owner))
            peaks.append((i, j))
            label[i, j] = len(owner) - 1
            continue
        near.sort(key=lambda k: -f[peaks[k]])
        label[i, j] = near[0]
        for lower in near[1:]:
            passage[lower] = float(f[i, j])
            owner[lower] = near[0]
    found = []
    for k, (i, j) in enumerate(peaks):
        low = passage.get(k, 0.0)
        if 1.0 - low / f[i, j] >= depth and f[i, j] - low >= 4.0 * noise * np.sqrt(
            f[i, j] / f.max()
        ):
            found.append((i, j, low))
    return sorted(found, key=lambda p: -f[p[0], p[1]])


def _outline(f: Floats, peak: tuple[int, int], edge: float, kernel: float) -> Floats:
    """Return points about a peak, (n_rays, 2) in grid units, smoothed along the ring.

    A ray ends where the density has fallen to the edge, or where it rises by more than chance: the
    variance of a density smoothed by a Gaussian is that density over ``kernel`` = 4 pi s_x s_y.
    """
    height = f[peak]
    radii = np.empty(_RAYS)
    angles = np.linspace(0.0, 2.0 * np.pi, _RAYS, endpoint=False)
    for k, angle in enumerate(angles):
        step = np.array([np.cos(angle), np.sin(angle)])
        lowest, at = height, 0.0
        r = 0.0
        while True:
            r += 0.5
            point = np.array(peak) + r * step
            i, j = np.round(point).astype(int)
            if not (0 <= i < f.shape[0] and 0 <= j < f.shape[1]):
                break
            value = f[i, j]
            if value < lowest:
                lowest, at = value, r
            rise = max(0.05 * height, 5.0 * np.sqrt(value / kernel))
            if value < edge * height or value > lowest + rise:
                break
        radii[k] = max(at, 1.0)
    # a ray that slips through a pass, or is stopped by chance, would leave a spike
    ring = np.stack([np.roll(radii, s) for s in (-2, -1, 0, 1, 2)])
    radii = np.median(ring, axis=0)
    points: Floats = np.array(peak) + radii[:, None] * np.stack(
        [np.cos(angles), np.sin(angles)], axis=1
    )
    return points


def _share_inside(f: Floats, outline: Floats, peak: tuple[int, int]) -> float:
    i, j = np.indices(f.shape)
    angle = np.arctan2(j - peak[1], i - peak[0]) % (2.0 * np.pi)
    radius = np.hypot(i - peak[0], j - peak[1])
    edges = np.hypot(outline[:, 0] - peak[0], outline[:, 1] - peak[1])
    place = angle / (2.0 * np.pi) * _RAYS
    limit = np.interp(place, np.arange(_RAYS + 1), np.append(edges, edges[0]))
    return float(f[radius <= limit].sum() / f.sum())


def leukocyte_peaks(
    peaks: Sequence[ScatterPeak],
) -> tuple[ScatterPeak | None, ScatterPeak | None]:
    """Return the peaks of lymphocytes and of monocytes, None where they are not seen.

    Lymphocytes have the lowest side scatter; monocytes are the next peak that is higher in side
    scatter by a third and not lower in forward scatter.
    """
    if not peaks:
        return None, None
    kept = [p for p in peaks if p.share >= 0.01]
    if not kept:
        return None, None
    lymphocytes = min(kept, key=lambda p: p.side)
    above = [
        p for p in kept if p.side > 1.33 * lymphocytes.side and p.forward > lymphocytes.forward
    ]
    monocytes = min(above, key=lambda p: p.side, default=None)
    return lymphocytes, monocytes
