"""Gates in the terms of Gating-ML 2.0: what it lacks is expressed by what it has, or refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.flowjo_scales import FlooredLog
from statera.cytometry.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
)
from statera.cytometry.scales import (
    LN10,
    Arcsinh,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    PlainArcsinh,
    Scale,
)
from statera.errors import InputError

__all__ = ["expressible"]

Floats = NDArray[np.float64]
_BELOW = "takes values at and below 0 on a log scale, which Gating-ML lacks"
_TOP = 262_144.0
"""Top of the scale that a plain arcsinh becomes, a channel of 18 bits."""


@dataclass(frozen=True)
class _Axis:
    """A dimension in terms of Gating-ML, where values become ``slope * value + shift``."""

    dimension: Dimension
    slope: float = 1.0
    shift: float = 0.0
    said: str = ""


def expressible(gate: Gate) -> tuple[Gate, tuple[str, ...]]:
    """Return a gate of the same events in terms of Gating-ML, and what was converted.

    Raises
    ------
    InputError
        If there is none.
    """
    if isinstance(gate, BooleanGate):
        return gate, ()
    if isinstance(gate, RectangleGate):
        return _rectangle(gate)
    if isinstance(gate, QuadrantGate):
        return _quadrant(gate)
    axes = [_axis(dimension) for dimension in gate.dimensions]
    dimensions = tuple(axis.dimension for axis in axes)
    slopes, shifts = np.array([a.slope for a in axes]), np.array([a.shift for a in axes])
    said = _said(axes)
    floors = np.array([isinstance(d.scale, FlooredLog) for d in gate.dimensions])
    if isinstance(gate, PolygonGate):
        if (floors & (np.array(gate.vertices).min(axis=0) <= 0)).any():
            raise InputError(_BELOW)
        if type(gate) is not PolygonGate:
            raise InputError("is a polygon on bins of a plot")
        points = np.array(gate.vertices)
        if said:
            points = points * slopes + shifts
        _check_finite(points)
        vertices = tuple((float(x), float(y)) for x, y in points)
        return replace(gate, dimensions=dimensions, vertices=vertices), said
    mean, covariance = np.array(gate.mean), np.array(gate.covariance)
    if said:
        mean, covariance = mean * slopes + shifts, covariance * np.outer(slopes, slopes)
    _check_finite(mean, covariance, np.array(gate.distance_square))
    reach = np.sqrt(np.abs(np.diag(covariance)) * gate.distance_square)
    if (floors & (mean - reach <= 0)).any():
        raise InputError(_BELOW)
    rows = tuple(tuple(map(float, row)) for row in covariance)
    made = EllipsoidGate(
        gate.name, dimensions, tuple(map(float, mean)), rows, gate.distance_square, gate.parent
    )
    return made, said


def _said(axes: Sequence[_Axis]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(axis.said for axis in axes if axis.said))


def _check_finite(*arrays: Floats) -> None:
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("has a value that is not finite")


def _rectangle(gate: RectangleGate) -> tuple[Gate, tuple[str, ...]]:
    dimensions, low, high, said = [], [], [], []
    for dimension, below, above in zip(gate.dimensions, gate.low, gate.high, strict=True):
        if math.isnan(below) or math.isnan(above) or below == math.inf or above == -math.inf:
            raise InputError(f"has the ends {below} and {above}")
        if gate.closed and above < math.inf:
            said.append("its upper ends, which belong to it, are moved up by the least step")
        moved, ends, converted = _ends(dimension, (below, above), closed=gate.closed)
        if converted:
            said.append(converted)
        dimensions.append(moved)
        low.append(ends[0])
        high.append(ends[1])
    made = replace(
        gate, dimensions=tuple(dimensions), low=tuple(low), high=tuple(high), closed=False
    )
    return made, tuple(dict.fromkeys(said))


def _ends(
    dimension: Dimension, ends: tuple[float, float], *, closed: bool
) -> tuple[Dimension, tuple[float, float], str]:
    if isinstance(dimension.scale, Biexponential):
        moved, put, said = _unscaled(dimension, dimension.scale)
        low = -math.inf if ends[0] <= 0 else put(ends[0])
        top = ends[1] > 4096 or (closed and ends[1] >= 4096)
        high = math.inf if top else put(ends[1])
        if ends[0] > 4096 or ends[1] < 0:
            raise InputError("has an end beyond its biexponential scale")
    else:
        axis = _axis(dimension)
        moved, said = axis.dimension, axis.said
        low, high = ((e * axis.slope + axis.shift if said else e) for e in ends)
        if isinstance(dimension.scale, FlooredLog) and low <= 0:
            low = -math.inf  # of all that lies at the floor
    if closed and high < math.inf:
        high = math.nextafter(high, math.inf)
    return moved, (low, high), said


def _quadrant(gate: QuadrantGate) -> tuple[Gate, tuple[str, ...]]:
    dimensions, dividers, said = [], [], []
    for dimension, values in zip(gate.dimensions, gate.dividers, strict=True):
        _check_finite(np.array(values))
        if isinstance(dimension.scale, FlooredLog) and min(values) <= 0:
            raise InputError(_BELOW)
        if isinstance(dimension.scale, Biexponential):
            if not all(0 < v <= 4096 for v in values):
                raise InputError("has a divider beyond its biexponential scale")
            moved, put, converted = _unscaled(dimension, dimension.scale)
            dividers.append(tuple(put(v) for v in values))
        else:
            axis = _axis(dimension)
            moved, converted = axis.dimension, axis.said
            dividers.append(
                tuple(v * axis.slope + axis.shift for v in values) if converted else values
            )
        dimensions.append(moved)
        if converted:
            said.append(converted)
    made = replace(gate, dimensions=tuple(dimensions), dividers=tuple(dividers))
    return made, tuple(dict.fromkeys(said))


def _unscaled(
    dimension: Dimension, scale: Scale
) -> tuple[Dimension, Callable[[float], float], str]:
    """Return a dimension without its scale: ends across an axis keep their events."""
    said = "its ends on a biexponential scale are given in units of the data"
    return replace(dimension, scale=None), lambda v: float(scale.inverse(v)), said


def _axis(dimension: Dimension) -> _Axis:
    scale = dimension.scale
    if scale is None or isinstance(scale, Logicle | Hyperlog):
        return _Axis(dimension)
    if isinstance(scale, Linear):
        if scale.T > 0 and 0 <= scale.A <= scale.T:
            return _Axis(dimension)
        said = f"a linear scale of A = {scale.A:g} is undone, as A must lie in 0 and T"
        return _Axis(replace(dimension, scale=None), scale.T + scale.A, -scale.A, said)
    if isinstance(scale, Log) and scale.T > 0 and scale.M > 0:
        return _Axis(replace(dimension, scale=Log(scale.T, scale.M)))
    if isinstance(scale, Arcsinh):
        if scale.T > 0 and scale.M > 0 and 0 <= scale.A <= scale.M:
            return _Axis(dimension)
        if scale.T > 0 and scale.M > 0 and scale.M + scale.A > 0:
            said = f"an arcsinh scale of A = {scale.A:g} is taken to A = 0"
            moved = replace(dimension, scale=Arcsinh(scale.T, scale.M))
            return _Axis(moved, (scale.M + scale.A) / scale.M, -scale.A / scale.M, said)
    if isinstance(scale, PlainArcsinh) and scale.cofactor > 0:
        decades = math.asinh(_TOP / scale.cofactor) / LN10
        said = f"arcsinh of x / {scale.cofactor:g} is written as fasinh, its values rescaled"
        moved = replace(dimension, scale=Arcsinh(_TOP, decades))
        return _Axis(moved, 1.0 / (decades * LN10), 0.0, said)
    raise InputError(f"lies on a scale that Gating-ML lacks: {scale}")
