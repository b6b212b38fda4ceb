"""Polygons that touch the edge of a plot: they take what lies beyond it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["extend_over_edges"]

Point = tuple[float, float]
_NEAR = 1e-4
"""How near to an edge is on it, as a part of the plot's side."""
_FAR = 1e6
"""How far a gate reaches beyond, in sides of the plot."""


def extend_over_edges(
    points: Sequence[Point], x_range: Point, y_range: Point
) -> tuple[tuple[Point, ...], bool]:
    """Return a polygon that reaches far beyond each edge of the plot that it lies on.

    It is the set of points whose nearest point of the plot lies in the polygon: first the polygon
    is cut to the plot, then each side on an edge is moved outwards.

    Parameters
    ----------
    points
        Vertices in order.
    x_range, y_range
        Ends of the plot.

    Returns
    -------
    tuple
        The vertices, and whether the polygon touches an edge; they are as given if not.
    """
    ends = (x_range, y_range)
    unit = [
        ((p[0] - ends[0][0]) / _length(ends[0]), (p[1] - ends[1][0]) / _length(ends[1]))
        for p in points
    ]
    if all(_NEAR < v < 1 - _NEAR for p in unit for v in p):
        return tuple(points), False
    cut = unit
    for axis in (0, 1):
        cut = _clip(cut, axis, 0.0, above=True)
        cut = _clip(cut, axis, 1.0, above=False)
    if len(cut) < 3:
        return tuple(points), False  # beside the plot altogether
    moved = _moved(cut)
    back = tuple(
        (ends[0][0] + x * _length(ends[0]), ends[1][0] + y * _length(ends[1])) for x, y in moved
    )
    return back, True


def _length(ends: Point) -> float:
    return ends[1] - ends[0]


def _clip(points: list[Point], axis: int, edge: float, *, above: bool) -> list[Point]:
    """Cut a polygon at a line, vertices near it being put on it (Sutherland and Hodgman)."""
    snapped = [
        tuple(edge if k == axis and abs(v - edge) <= _NEAR else v for k, v in enumerate(p))
        for p in points
    ]
    found: list[Point] = []
    for i, here in enumerate(snapped):
        there = snapped[(i + 1) % len(snapped)]
        inside = [(p[axis] >= edge) if above else (p[axis] <= edge) for p in (here, there)]
        if inside[0]:
            found.append((here[0], here[1]))
        if inside[0] != inside[1]:
            t = (edge - here[axis]) / (there[axis] - here[axis])
            crossing = [a + t * (b - a) for a, b in zip(here, there, strict=True)]
            crossing[axis] = edge
            found.append((crossing[0], crossing[1]))
    return found


def _outward(p: Point, q: Point) -> Point | None:
    """Return the way out of the plot of a side that lies on its edge."""
    for axis in (0, 1):
        if p[axis] == q[axis] and p[axis] in (0.0, 1.0):
            step = -_FAR if p[axis] == 0.0 else _FAR
            return (step, 0.0) if axis == 0 else (0.0, step)
    return None


def _moved(points: list[Point]) -> list[Point]:
    distinct = [p for i, p in enumerate(points) if p != points[i - 1]]
    sides = [_outward(p, distinct[(i + 1) % len(distinct)]) for i, p in enumerate(distinct)]
    found: list[Point] = []
    for i, p in enumerate(distinct):
        before, after = sides[i - 1], sides[i]
        if before is None and after is None:
            found.append(p)
            continue
        if before is not None:
            found.append((p[0] + before[0], p[1] + before[1]))
        if before is not None and after is not None and before != after:
            both = (before[0] + after[0], before[1] + after[1])
            # round the corner of the plot; a side that turns back meets itself
            found.append((p[0] + both[0], p[1] + both[1]))
        if before is None:
            found.append(p)
        if after is None:
            found.append(p)
        else:
            found.append((p[0] + after[0], p[1] + after[1]))
    return [p for i, p in enumerate(found) if p != found[i - 1]]
