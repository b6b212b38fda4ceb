"""Cells, single cells, lymphocytes and monocytes of a plate, by scatter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.automatic_scale import scatter_scale
from statera.cytometry.gate_builder import GateBuilder
from statera.cytometry.gate_confidence import GateConfidence, border_confidence
from statera.cytometry.gates import Dimension, PolygonGate, RectangleGate
from statera.cytometry.plate_border import BINS, align_wells, plate_border
from statera.cytometry.scales import Linear
from statera.cytometry.scatter_gates import (
    ScatterPeak,
    debris_valley,
    leukocyte_peaks,
    scatter_peaks,
)
from statera.cytometry.singlet_gate import singlet_band
from statera.numerics.density import Histogram, Valley, plug_in_bandwidth

__all__ = ["add_cells", "add_leukocytes", "add_singlets"]

Floats = NDArray[np.float64]

FORWARD, HEIGHT, SIDE = "fsc_area", "fsc_height", "ssc_area"


def _values(builder: GateBuilder, role: str, parent: str) -> dict[str, Floats]:
    """Return linear values of a scatter channel within a gate and its limits, by well."""
    found = {}
    for well, mask in builder.masks[parent].items():
        x = builder.events.raw(well, role)
        if x is not None:
            found[well] = x[mask & builder.events.within_limits(well, role)]
    return found


def add_cells(builder: GateBuilder, parent: str) -> str:
    """Add the gate of cells above debris; return the name of the gate to go on in."""
    channel = builder.events.channel(FORWARD)
    if channel is None:
        builder.notes.append("No forward scatter: debris is not told from cells.")
        return parent
    scale = scatter_scale(channel)
    linear = isinstance(scale, Linear)
    ratio = builder.options.debris_ratio

    def choose(valleys: list[Valley]) -> Valley | None:
        if linear:
            return debris_valley(valleys, ratio=ratio)
        for v in valleys:
            if float(scale.inverse(v.left_peak)) < ratio * float(scale.inverse(v.right_peak)):
                return v
        return None

    values = {w: scale(x) for w, x in _values(builder, FORWARD, parent).items()}
    border = plate_border(values, builder.options.border, choose=choose, mixture=False)
    if border is None:
        mixed = plate_border(values, builder.options.border, choose=lambda _: None)
        low = None if mixed is None else float(scale.inverse(mixed.low_peak))
        if mixed is not None and low is not None:
            border = mixed if low < ratio * float(scale.inverse(mixed.high_peak)) else None
    if border is None:
        builder.refused["cells"] = (
            f"no peak of debris is seen on {channel.name}: no border is drawn, all events go on"
        )
        return parent
    dimension = Dimension(channel.name, scale)
    gate = RectangleGate("cells", (dimension,), (border.position,), (np.inf,), parent)
    own = {
        well: replace(gate, low=(b.position,)) for well, b in border.wells.items() if b.shift != 0.0
    }
    builder.add(gate, (FORWARD,), own, builder.events.raw)
    builder.confidence += border_confidence(
        "cells",
        channel.name,
        scale,
        border,
        builder.options.border,
        "the lowest that parts debris,",
    )
    return "cells"


def add_singlets(builder: GateBuilder, parent: str) -> str:
    """Add the gate of single cells; return the name of the gate to go on in."""
    events = builder.events
    area, height = events.channel(FORWARD), events.channel(HEIGHT)
    if area is None or height is None:
        builder.notes.append(
            "No height and area of forward scatter: doublets are not told from single cells."
        )
        return parent
    xs, ys = [np.zeros(0)], [np.zeros(0)]
    for well, mask in builder.masks[parent].items():
        x, y = events.raw(well, FORWARD), events.raw(well, HEIGHT)
        if x is not None and y is not None:
            good = mask & events.within_limits(well, FORWARD) & events.within_limits(well, HEIGHT)
            xs.append(x[good])
            ys.append(y[good])
    x, y = np.concatenate(xs), np.concatenate(ys)
    band = singlet_band(x, y, builder.options.singlet_mads)
    if band is None:
        builder.refused["singlets"] = (
            f"{height.name} does not rise along a line with {area.name}: no band of single cells "
            "is drawn"
        )
        return parent
    # far beyond the range, so that the ends of the band cut nothing off
    corners = band.corners(0.0, 4.0 * float(max(x.max(), area.range)))
    dimensions = (Dimension(area.name), Dimension(height.name))
    gate = PolygonGate("singlets", dimensions, corners, parent)
    builder.add(gate, (FORWARD, HEIGHT), {}, events.raw)
    said = f"band of {builder.options.singlet_mads:g} standard deviations about the line of "
    said += f"{height.name} on {area.name}, {100 * band.outside:.1f} % of events outside"
    if band.depth > 0.0:
        said += f"; its lower edge lies in a valley of depth {band.depth:.2f} towards doublets."
    else:
        said += "."
    low = band.outside > 0.3
    if low:
        said += " That is many: look at this gate."
    builder.confidence.append(
        GateConfidence(
            "singlets", "", "valley" if band.depth > 0.0 else "mad", band.depth, 0.0, low, said
        )
    )
    return "singlets"


def add_leukocytes(builder: GateBuilder, parent: str, wanted: set[str]) -> None:
    """Add the gates of lymphocytes and monocytes that are wanted."""
    events = builder.events
    forward, side = events.channel(FORWARD), events.channel(SIDE)
    if forward is None or side is None:
        for name in sorted(wanted):
            builder.refused[name] = "forward and side scatter are needed, and one is not there"
        return
    scales = scatter_scale(forward), scatter_scale(side)
    within: dict[str, tuple[Floats, Floats]] = {}
    for well, mask in builder.masks[parent].items():
        x, y = events.raw(well, FORWARD), events.raw(well, SIDE)
        if x is not None and y is not None:
            good = mask & events.within_limits(well, FORWARD) & events.within_limits(well, SIDE)
            within[well] = scales[0](x[good]), scales[1](y[good])
    shifts = [_axis_shifts({w: v[axis] for w, v in within.items()}) for axis in (0, 1)]
    xs = [v[0] - shifts[0][w] for w, v in within.items()]
    ys = [v[1] - shifts[1][w] for w, v in within.items()]
    peaks = scatter_peaks(np.concatenate([*xs, np.zeros(0)]), np.concatenate([*ys, np.zeros(0)]))
    found = dict(zip(("lymphocytes", "monocytes"), leukocyte_peaks(peaks), strict=True))
    dimensions = (Dimension(forward.name, scales[0]), Dimension(side.name, scales[1]))
    for name in ("lymphocytes", "monocytes"):
        if name not in wanted:
            continue
        peak = found[name]
        if peak is None:
            builder.refused[name] = (
                f"no peak of {name} is seen on {forward.name} and {side.name}: no gate is drawn"
            )
            continue
        gate = PolygonGate(name, dimensions, _corners(peak, 0.0, 0.0), parent)
        own = {
            w: replace(gate, vertices=_corners(peak, shifts[0][w], shifts[1][w]))
            for w in within
            if shifts[0][w] != 0.0 or shifts[1][w] != 0.0
        }
        builder.add(gate, (FORWARD, SIDE), own, events.raw)
        builder.confidence.append(_peak_confidence(name, peak, len(peaks)))


def _corners(peak: ScatterPeak, x: float, y: float) -> tuple[tuple[float, float], ...]:
    return tuple((float(a) + x, float(b) + y) for a, b in peak.outline)


def _peak_confidence(name: str, peak: ScatterPeak, n_peaks: int) -> GateConfidence:
    others = "the only peak" if n_peaks == 1 else f"one of {n_peaks} peaks"
    low = n_peaks == 1 or peak.depth < 0.5
    said = f"outline about {others} of forward and side scatter, {100 * peak.share:.0f} % of events"
    if n_peaks > 1 and peak.depth < 1.0:
        said += f", parted from the next by a valley of depth {peak.depth:.2f}"
    said += ". Look at this gate." if low else "."
    depth = 0.0 if n_peaks == 1 else peak.depth
    return GateConfidence(name, "", "valley", depth, 0.0, low, said)


def _axis_shifts(values: Mapping[str, Floats]) -> dict[str, float]:
    """Return the shift of each well along an axis, at most a twentieth of the spread of all."""
    everything = np.concatenate([*values.values(), np.zeros(0)])
    none = dict.fromkeys(values, 0.0)
    if everything.size < 200:
        return none
    low, high = (float(q) for q in np.quantile(everything, [0.002, 0.998]))
    if not high > low:
        return none
    counts = {w: Histogram.of(x, low, high, BINS) for w, x in values.items()}
    total = np.sum([h.counts for h in counts.values()], axis=0)
    pool = Histogram(low, (high - low) / BINS, total)
    width = max(plug_in_bandwidth(pool), 3.0 * pool.step)
    steps = align_wells(counts, pool, width, 0.05 * (high - low))
    few = 200
    return {w: s * pool.step if counts[w].total >= few else 0.0 for w, s in steps.items()}
