"""Which points lie inside a polygon, by the even-odd rule."""

from __future__ import annotations

from statera.numerics.compiled import compiled

__all__ = ["inside_polygon"]

_BLOCK = 1024
"""Points that are taken through all edges together, so that they stay in the cache."""


@compiled
def inside_polygon(x, y, vertices, found):
    """Mark points inside; left and lower edges belong to the polygon.

    Parameters
    ----------
    x, y : (n,) float64
        Points; what is no number is outside.
    vertices : (n_vertices, 2) float64
        In order; the last joins the first.
    found : (n,) bool
        Filled.
    """
    n, corners = x.shape[0], vertices.shape[0]
    for start in range(0, n, _BLOCK):
        px, py = x[start : start + _BLOCK], y[start : start + _BLOCK]
        inside = found[start : start + _BLOCK]
        inside[:] = False
        for corner in range(corners):
            x1, y1 = vertices[corner]
            x2, y2 = vertices[(corner + 1) % corners]
            if y1 == y2:
                continue
            wide, high = x2 - x1, y2 - y1
            sign = 1.0 if y2 > y1 else -1.0
            for i in range(px.shape[0]):
                # left of the edge, by a product: a quotient would round points off their edge
                side = wide * (py[i] - y1) - (px[i] - x1) * high
                inside[i] ^= ((y1 > py[i]) != (y2 > py[i])) & (sign * side > 0.0)
