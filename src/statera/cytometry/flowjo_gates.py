"""Populations of FlowJo's workspaces as gates.

FlowJo writes ends of rectangles and vertices of polygons in units of the data, and ellipses by
their foci and four points of their edge in a plot of 256 units a side. Sides of polygons are
straight on the scale of the plot. A gate that touches the plot's edge takes what lies beyond.
"""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.flowjo_bins import plot_range
from statera.cytometry.flowjo_parameters import Parameters
from statera.cytometry.flowjo_scales import local, number
from statera.cytometry.gates import (
    FROM_FILE,
    Dimension,
    EllipsoidGate,
    PolygonGate,
    RectangleGate,
)
from statera.cytometry.plot_edges import extend_over_edges
from statera.cytometry.scales import Scale
from statera.errors import InputError

__all__ = ["read_gate"]

Element = ElementTree.Element
Floats = NDArray[np.float64]
Region = RectangleGate | PolygonGate | EllipsoidGate

_DISPLAY = 256.0
_NEAR = 0.01
"""Units of the display within which an end counts as on the plot's edge."""


def read_gate(
    element: Element, name: str, parent: str, parameters: Parameters
) -> tuple[Region, str]:
    """Return a gate, and a remark on how it was taken over where one is due.

    Parameters
    ----------
    element
        Such as ``RectangleGate``.
    name, parent
        Paths of the population and of the one that it lies in.
    parameters

    Raises
    ------
    InputError
        If it cannot be expressed.
    """
    kind = local(element.tag)
    makers = {"RectangleGate": _rectangle, "PolygonGate": _polygon, "EllipsoidGate": _ellipse}
    if kind not in makers:
        raise InputError(f"is a {kind}, whose form is not known")
    sides = [e for e in element if local(e.tag) == "dimension"]
    names = [_name(side) for side in sides]
    if not names or not all(names):
        raise InputError("names no parameter")
    dimensions = tuple(parameters.dimension(n) for n in names)
    refused = {n: parameters.refused[n] for n in names if n in parameters.refused}
    if kind != "RectangleGate" and len(names) != 2:
        raise InputError(f"has {len(names)} dimensions in place of two")
    if refused and kind != "RectangleGate":
        raise InputError(f"lies on a scale that is not known: {next(iter(refused.values()))}")
    with np.errstate(over="ignore", invalid="ignore"):  # a scale of absurd numbers; found below
        gate, remark = makers[kind](element, dimensions)
    if any(d.compensation == FROM_FILE for d in dimensions):
        remark = "; ".join(filter(None, [remark, "is compensated by the file's own matrix"]))
    if refused:
        remark = f"taken in units of the data, as the scale of {', '.join(refused)} is not known"
    return replace(gate, name=name, parent=parent), remark


def _name(side: Element) -> str:
    for child in side:
        if local(child.tag) in ("fcs-dimension", "parameter"):
            return next((v for k, v in child.attrib.items() if local(k) == "name"), "")
    return ""


def _rectangle(element: Element, dimensions: tuple[Dimension, ...]) -> tuple[Region, str]:
    low, high = [], []
    for side, dimension in zip(
        (e for e in element if local(e.tag) == "dimension"), dimensions, strict=True
    ):
        below, above = _end(side, "min"), _end(side, "max")
        if dimension.scale is not None:
            ends = plot_range(dimension.scale)
            near = _NEAR / _DISPLAY * (ends[1] - ends[0])
            below, above = _scaled(dimension.scale, below), _scaled(dimension.scale, above)
            below = below if below > ends[0] + near else -math.inf
            above = above if above < ends[1] - near else math.inf
        low.append(below)
        high.append(above)
    # quarters of a plot are rectangles with an open end: half-open, they share no event
    quarter = any(math.isinf(a) != math.isinf(b) for a, b in zip(low, high, strict=True))
    gate = RectangleGate("", dimensions, tuple(low), tuple(high), closed=not quarter)
    return gate, ""


def _scaled(scale: Scale, end: float) -> float:
    if math.isinf(end):
        return end
    found = float(scale([end])[0])
    if math.isnan(found):
        raise InputError("has an end that its scale cannot place")
    return found


def _end(side: Element, name: str) -> float:
    if any(local(k) == name for k in side.attrib):
        return number(side, name)
    return -math.inf if name == "min" else math.inf


def _points(element: Element) -> Floats:
    """Return the vertices among an element's children, (n_vertices, 2)."""
    rows = [
        [number(c, "value") for c in vertex if local(c.tag) == "coordinate"]
        for vertex in element
        if local(vertex.tag) == "vertex"
    ]
    if any(len(row) != 2 for row in rows):
        raise InputError("has a vertex without two coordinates")
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2)


def _polygon(element: Element, dimensions: tuple[Dimension, ...]) -> tuple[Region, str]:
    points = _points(element)
    if len(points) < 3:
        raise InputError(f"has {len(points)} vertices")
    for axis, dimension in enumerate(dimensions):
        if dimension.scale is not None:
            points[:, axis] = dimension.scale(points[:, axis])
    if not np.isfinite(points).all():
        raise InputError("has a vertex that its scale cannot place")
    return _over_edges(points, dimensions)


def _over_edges(points: Floats, dimensions: tuple[Dimension, ...]) -> tuple[PolygonGate, str]:
    vertices = tuple((float(x), float(y)) for x, y in points)
    scales = [d.scale for d in dimensions]
    if scales[0] is None or scales[1] is None:
        return PolygonGate("", dimensions, vertices), ""
    vertices, touched = extend_over_edges(vertices, plot_range(scales[0]), plot_range(scales[1]))
    said = "touches the edge of the plot and takes what lies beyond it" if touched else ""
    return PolygonGate("", dimensions, vertices), said


def _ellipse(element: Element, dimensions: tuple[Dimension, ...]) -> tuple[Region, str]:
    parts = {local(e.tag): _points(e) for e in element if local(e.tag) in ("foci", "edge")}
    foci, edge = parts.get("foci", np.zeros((0, 2))), parts.get("edge", np.zeros((0, 2)))
    if len(foci) != 2 or len(edge) != 4:
        raise InputError("is an ellipse without two foci and four points of its edge")
    if any(d.scale is None for d in dimensions):
        raise InputError("is an ellipse on a plot whose scale is not given")
    centre, half = foci.mean(axis=0), (foci[1] - foci[0]) / 2
    # ends of the long axis and then of the short one; the short ones are rounded, so it follows
    # from the foci
    lengths = [float(np.hypot(*(edge[k + 1] - edge[k]))) / 2 for k in (0, 2)]
    a, c = max(lengths), float(np.hypot(*half))
    b = math.sqrt(a * a - c * c) if a > c else 0.0
    if b == 0.0:
        raise InputError("is an ellipse whose foci lie outside it")
    long = half / c if c > 0 else np.array([1.0, 0.0])
    short = np.array([-long[1], long[0]])
    covariance = a * a * np.outer(long, long) + b * b * np.outer(short, short)
    ends = np.array([plot_range(d.scale) for d in dimensions if d.scale is not None])
    unit = (ends[:, 1] - ends[:, 0]) / _DISPLAY
    reach = np.sqrt(np.diag(covariance))
    if (centre - reach <= _NEAR).any() or (centre + reach >= _DISPLAY - _NEAR).any():
        turn = 2 * np.pi * np.arange(360)[:, None] / 360
        points = centre + a * np.cos(turn) * long + b * np.sin(turn) * short
        gate, said = _over_edges(ends[:, 0] + points * unit, dimensions)
        return gate, f"is an ellipse that {said}: a polygon of 360 vertices" if said else ""
    mean = ends[:, 0] + centre * unit
    matrix = covariance * np.outer(unit, unit)
    rows = tuple((float(r[0]), float(r[1])) for r in matrix)
    return EllipsoidGate("", dimensions, (float(mean[0]), float(mean[1])), rows), ""
