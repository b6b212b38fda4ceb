"""Gates on bins of the plot, as FlowJo evaluates polygons and ellipses.

FlowJo keeps rectangles exact and evaluates other gates on a grid of 256 bins a side
(``gateResolution`` in its files): all events of a bin are in or out together, and what lies off
the plot falls into its outermost bins. Where in a bin FlowJo tests is not documented. The
defaults are a hypothesis: they give the two counts of polygons and ellipses that could be held
against stored ones, and more events than exact gates do, as FlowJo is reported to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.gates import Dimension, EllipsoidGate, Gate, PolygonGate
from statera.cytometry.scales import Scale
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError

__all__ = ["BinOptions", "Binned", "GridPolygonGate", "binned_strategy", "plot_range"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_NEAR = 1e-3
"""How near to an edge is on it, in bins; more than single precision loses."""


@dataclass(frozen=True)
class BinOptions:
    """How the plot is cut into bins, and where a bin is tested.

    Attributes
    ----------
    bins
        Bins along each side of the plot.
    offset
        Where the first bin begins, in bins: 0 has its lower edge on the plot's edge, -0.5 its
        middle (values are rounded to the nearest bin).
    point
        Where in a bin gates are tested: 0 at its lower edge, 1 at its upper.
    round_vertices
        Whether vertices of polygons are moved to whole bins.
    edges_inside
        Whether all edges of a polygon belong to it, not the left and lower ones alone.
    """

    bins: int = 256
    offset: float = -0.5
    point: float = 0.5
    round_vertices: bool = True
    edges_inside: bool = True

    def __post_init__(self) -> None:
        if self.bins < 1 or not -1 < self.offset < 1 or not 0 <= self.point <= 1:
            raise InputError(
                f"{self.bins} bins, an offset of {self.offset:g} and a point of {self.point:g} "
                "make no grid",
                hint="Needed: a bin at least, an offset within -1 and 1, a point from 0 to 1.",
            )


@dataclass(frozen=True)
class Binned(Scale):
    """A scale whose values are moved to the point at which their bin is tested.

    Attributes
    ----------
    scale
        The scale that is binned.
    low, high
        Ends of the plot on that scale.
    options
    """

    scale: Scale
    low: float
    high: float
    options: BinOptions

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`."""
        o = self.options
        width = (self.high - self.low) / o.bins
        place = (self.scale(values) - self.low) / width - o.offset
        first, last = math.floor(-o.offset), math.ceil(o.bins - o.offset) - 1
        found: Floats = np.clip(np.floor(place), first, last)
        return self.low + (found + o.offset + o.point) * width

    def inverse(self, scaled: ArrayLike) -> Floats:
        """Return values that lie where a bin is tested."""
        return self.scale.inverse(scaled)


@dataclass(frozen=True)
class GridPolygonGate(PolygonGate):
    """A polygon on a grid of bins, to which all of its edges belong.

    Attributes
    ----------
    unit
        Width and height of a bin.
    """

    unit: tuple[float, float] = (1.0, 1.0)

    def inside(self, values: list[Floats]) -> Mask:
        """Return which events lie inside or on an edge, from values by dimension."""
        found = super().inside(values)
        # points of the grid lie on an edge or far from it, in parts of a bin
        x, y = (v / u for v, u in zip(values, self.unit, strict=True))
        points = np.array(self.vertices) / np.array(self.unit)
        for (x1, y1), (x2, y2) in zip(points, np.roll(points, -1, axis=0), strict=True):
            length = math.hypot(x2 - x1, y2 - y1)
            if length == 0.0:
                continue
            along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length
            beside = ((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / length
            found |= (abs(beside) <= _NEAR) & (along >= -_NEAR) & (along <= length + _NEAR)
        return found


def plot_range(scale: Scale) -> tuple[float, float]:
    """Return the ends of FlowJo's plot on a scale."""
    return (0.0, 4096.0) if isinstance(scale, Biexponential) else (0.0, 1.0)


def binned_strategy(strategy: GatingStrategy, options: BinOptions) -> GatingStrategy:
    """Return gates whose polygons and ellipsoids are evaluated on bins.

    Dimensions without a scale have no plot and stay exact, as rectangles do.
    """
    gates: list[Gate] = []
    for gate in strategy.gates:
        if isinstance(gate, PolygonGate):
            gates.append(_polygon(gate, options))
        elif isinstance(gate, EllipsoidGate):
            dimensions = tuple(_binned(d, options) for d in gate.dimensions)
            gates.append(replace(gate, dimensions=dimensions))
        else:
            gates.append(gate)
    return GatingStrategy(tuple(gates), strategy.spillovers)


def _polygon(gate: PolygonGate, options: BinOptions) -> PolygonGate:
    scales = [d.scale for d in gate.dimensions]
    dimensions = tuple(_binned(d, options) for d in gate.dimensions)
    if any(scale is None for scale in scales):
        return replace(gate, dimensions=dimensions)
    ends = np.array([plot_range(scale) for scale in scales if scale is not None])
    unit = (ends[:, 1] - ends[:, 0]) / options.bins
    points = (np.array(gate.vertices) - ends[:, 0]) / unit
    if options.round_vertices:
        points = np.floor(points + 0.5)
    points = ends[:, 0] + points * unit
    vertices = tuple((float(x), float(y)) for x, y in points)
    if not options.edges_inside:
        return replace(gate, dimensions=dimensions, vertices=vertices)
    size = (float(unit[0]), float(unit[1]))
    return GridPolygonGate(gate.name, dimensions, vertices, gate.parent, size)


def _binned(dimension: Dimension, options: BinOptions) -> Dimension:
    if dimension.scale is None:
        return dimension
    low, high = plot_range(dimension.scale)
    return replace(dimension, scale=Binned(dimension.scale, low, high, options))
