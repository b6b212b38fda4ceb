"""Axes of plots of events: scale, ends and ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.automatic_scale import marker_scale, scatter_scale
from statera.cytometry.compensation import Spillover
from statera.cytometry.gates import FROM_FILE, UNCOMPENSATED, Dimension, Ratio
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.scales import Linear, Scale
from statera.plate.compensation import compensated_channel
from statera.web.tasks.plate_strategy import dimension_json

__all__ = ["PlotAxis", "axis_of", "choose_dimension"]

Floats = NDArray[np.float64]

_NEAR = 0.055
"""Labels closer than this share of the axis would touch."""

_LINEAR_TICKS = 5
_FIRST, _LAST = -1, 8
"""Powers of ten that may be labelled, the last one not among them."""


@dataclass(frozen=True)
class PlotAxis:
    """One axis.

    Attributes
    ----------
    dimension
    label
        Channel and marker.
    low, high
        Ends on the scale of the dimension.
    ticks
        Places on the scale with their labels; minor ones have an empty label.
    """

    dimension: Dimension
    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "dimension": dimension_json(self.dimension),
            "label": self.label,
            "low": self.low,
            "high": self.high,
            "ticks": [{"at": at, "label": label} for at, label in self.ticks],
        }


def choose_dimension(
    file: FcsFile, channel: str, spillover: Spillover | None, named: str = ""
) -> Dimension:
    """Return a channel on a scale that suits it.

    Parameters
    ----------
    file
    channel
    spillover
        What the well is compensated with; None for nothing.
    named
        The matrix by its name among the gates; empty for the file's own.

    Raises
    ------
    UnknownNameError
        If the file has no such channel.
    """
    found = file.channels[file.index(channel)]
    plain = found.name.upper().startswith(("FSC", "SSC")) or found.is_time
    if plain:
        return Dimension(found.name, scatter_scale(found), UNCOMPENSATED)
    inside = spillover is not None and spillover.row_of(found.name, file) is not None
    values = compensated_channel(file, found.name, spillover if inside else None)
    matrix = (named or FROM_FILE) if inside else UNCOMPENSATED
    return Dimension(found.name, marker_scale(values, found), matrix)


def axis_of(file: FcsFile, dimension: Dimension, values: Floats) -> PlotAxis:
    """Return the axis of a dimension.

    Parameters
    ----------
    file
    dimension
    values : (n,) float64
        On the scale, of all events of the well: the axis does not move from gate to gate.
    """
    scale = dimension.scale
    finite = values[np.isfinite(values)]
    if scale is None or isinstance(scale, Linear):
        low, high = _linear_ends(finite, scale)
        ticks = _linear_ticks(low, high, scale)
    else:
        low, high = _ends(finite, scale)
        ticks = _decades(low, high, scale)
    return PlotAxis(dimension, _label(file, dimension), low, high, ticks)


def _label(file: FcsFile, dimension: Dimension) -> str:
    channel = dimension.channel
    if isinstance(channel, Ratio):
        return f"{channel.numerator} / {channel.denominator}"
    try:
        found = file.channels[file.index(channel)]
    except ValueError:
        return channel
    return f"{found.label} ({found.name})" if found.label else found.name


def _linear_ends(values: Floats, scale: Linear | None) -> tuple[float, float]:
    """Return ends on the scale: from 0 to a round value above all but the last events."""
    plain = values if scale is None else scale.inverse(values)
    top = float(np.quantile(plain, 0.997)) * 1.1 if plain.size else 1.0
    bottom = min(0.0, float(np.quantile(plain, 0.003))) if plain.size else 0.0
    step = _step(max(top, 1e-9), 10)
    ends = np.array([bottom, math.ceil(max(top, 1e-9) / step) * step])
    low, high = ends if scale is None else scale(ends)
    return float(low), float(high)


def _step(span: float, parts: int) -> float:
    rough = span / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)


def _linear_ticks(low: float, high: float, scale: Linear | None) -> tuple[tuple[float, str], ...]:
    ends = np.array([low, high])
    first, last = ends if scale is None else scale.inverse(ends)
    step = _step(float(last - first), _LINEAR_TICKS)
    at = np.arange(math.ceil(first / step), math.floor(last / step) + 1) * step
    places = at if scale is None else scale(at)
    return tuple((float(p), _number(float(v))) for p, v in zip(places, at, strict=True))


def _number(value: float) -> str:
    if value and value % 1000 == 0:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def _ends(values: Floats, scale: Scale) -> tuple[float, float]:
    """Return ends that hold zero, a decade below it and all but the outermost events."""
    zero = float(scale(np.array([0.0]))[0])
    if not values.size:
        return (0.0, 1.0) if not math.isfinite(zero) else (zero, zero + 1.0)
    low, high = (float(v) for v in np.quantile(values, [0.002, 0.998]))
    if math.isfinite(zero):
        low = min(low, zero)
    span = max(high - low, 1e-6)
    return low - 0.05 * span, high + 0.06 * span


def _decades(low: float, high: float, scale: Scale) -> tuple[tuple[float, str], ...]:
    """Return 0 and powers of ten of both signs, with minor ticks between them."""
    powers = 10.0 ** np.arange(_FIRST, _LAST)
    names = [_raised(k) for k in range(_FIRST, _LAST)]
    major = np.concatenate([[0.0], powers, -powers])
    labels = ["0", *(f"10{n}" for n in names), *(f"\N{MINUS SIGN}10{n}" for n in names)]
    places = scale(major)
    found: list[tuple[float, str]] = []
    smallest = math.inf
    # zero first, then the largest: near zero there is no room for all
    for k in sorted(range(major.size), key=lambda k: -abs(major[k]) if major[k] else -math.inf):
        at = float(places[k])
        if not (math.isfinite(at) and low <= at <= high):
            continue
        if all(abs(at - other) > _NEAR * (high - low) for other, _ in found):
            found.append((at, labels[k]))
            smallest = min(smallest, abs(major[k]) or math.inf)
    minor = np.outer(np.arange(2, 10), np.concatenate([powers, -powers])).ravel()
    minor = scale(minor[np.abs(minor) >= smallest])
    found += [(float(at), "") for at in minor[(minor >= low) & (minor <= high)]]
    return tuple(sorted(found))


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
