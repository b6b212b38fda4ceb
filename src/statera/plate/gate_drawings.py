"""Samples of events with the outlines of gates, for drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
)
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.strategy import GatingStrategy, apply_gates, gate_values
from statera.cytometry.subsample import subsample
from statera.plate.gating import PlateGates
from statera.plate.plate_map import Well
from statera.plate.result import GateShown
from statera.plate.settings import PlateSettings

__all__ = ["draw_samples", "gate_outline"]

Floats = NDArray[np.float64]

_EVENTS = 4000
_ROUND = 73


def draw_samples(
    wells: Sequence[Well],
    files: Mapping[str, Path],
    settings: PlateSettings,
    gates: PlateGates,
) -> tuple[GateShown, ...]:
    """Return every gate of one or two dimensions over some events of every well."""
    found: list[GateShown] = []
    for well in wells:
        file = subsample(read_fcs(files[well.name]), _EVENTS, settings.gating.seed)
        found += _of_file(well.name, file, gates.of(well.name))
    return tuple(found)


def _of_file(well: str, file: FcsFile, strategy: GatingStrategy) -> list[GateShown]:
    masks = apply_gates(strategy, file)
    shown = []
    for gate in strategy.gates:
        if isinstance(gate, BooleanGate):
            continue
        values = gate_values(strategy, file, gate.dimensions[:2])
        parent = masks[gate.parent] if gate.parent else np.ones(file.n_events, dtype=bool)
        x = values[0][parent]
        y = values[1][parent] if len(values) > 1 else np.zeros(0)
        names = [axis_name(d) for d in gate.dimensions[:2]]
        inside = (
            masks[gate.name]
            if not isinstance(gate, QuadrantGate)
            else np.logical_or.reduce([masks[name] for name, _ in gate.quadrants])
        )
        count = int((inside & parent).sum())
        shown.append(
            GateShown(
                well,
                gate.name,
                gate.parent,
                names[0],
                names[1] if len(names) > 1 else "",
                x,
                y,
                gate_outline(gate),
                count / x.size if x.size else np.nan,
                count,
            )
        )
    return shown


def axis_name(dimension: Dimension) -> str:
    """Return what an axis is called."""
    channel = dimension.channel
    if isinstance(channel, Ratio):
        return f"{channel.numerator} / {channel.denominator}"
    return channel


def gate_outline(gate: Gate) -> Floats:
    """Return corners of a gate in its first two dimensions, (n, 2); NaN rows part the pieces."""
    if isinstance(gate, RectangleGate):
        low, high = gate.low, gate.high
        if len(low) == 1:
            return np.array([[low[0], np.nan], [high[0], np.nan]])
        corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
        return np.array([*corners, corners[0]], dtype=np.float64)
    if isinstance(gate, PolygonGate):
        return np.array([*gate.vertices, gate.vertices[0]], dtype=np.float64)
    if isinstance(gate, EllipsoidGate):
        matrix = np.array(gate.covariance)[:2, :2] * gate.distance_square
        angle = np.linspace(0.0, 2.0 * np.pi, _ROUND)
        circle = np.stack([np.cos(angle), np.sin(angle)])
        found: Floats = (np.linalg.cholesky(matrix) @ circle).T + np.array(gate.mean)[:2]
        return found
    if isinstance(gate, QuadrantGate):
        lines: list[tuple[float, float]] = []
        for value in gate.dividers[0]:
            lines += [(value, -np.inf), (value, np.inf), (np.nan, np.nan)]
        for value in gate.dividers[1] if len(gate.dividers) > 1 else ():
            lines += [(-np.inf, value), (np.inf, value), (np.nan, np.nan)]
        return np.array(lines, dtype=np.float64).reshape(-1, 2)
    return np.zeros((0, 2))
