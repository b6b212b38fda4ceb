"""Squared distances from the centre of an ellipsoid, in its own measure."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["squared_distances"]

_BLOCK = 1024


@compiled
def squared_distances(values, mean, precision, out):
    """Fill in ``(x - mean)' P (x - mean)``.

    Parameters
    ----------
    values : (n_dimensions, n) float64
    mean : (n_dimensions,) float64
    precision : (n_dimensions, n_dimensions) float64
    out : (n,) float64
    """
    dimensions, n = values.shape
    off = np.empty((dimensions, _BLOCK))
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        distance = out[start : start + size]
        distance[:] = 0.0
        for d in range(dimensions):
            for i in range(size):
                off[d, i] = values[d, start + i] - mean[d]
        for a in range(dimensions):
            for b in range(dimensions):
                factor = precision[a, b]
                for i in range(size):
                    distance[i] += factor * off[a, i] * off[b, i]
