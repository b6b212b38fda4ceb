"""Locally weighted straight lines through scattered points.

Cleveland 1979 (doi 10.1080/01621459.1979.10481038): at each x a line is fitted to the nearest
points with tricube weights; fits are repeated with points that lie far off weighted down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["lowess"]

Floats = NDArray[np.float64]


def lowess(
    x: Floats, y: Floats, at: Floats, *, share: float = 2.0 / 3.0, robust: int = 3
) -> Floats:
    """Return the smooth curve at given abscissae.

    Parameters
    ----------
    x, y : (n,) float64
        Points; those that are not finite are left out.
    at : (m,) float64
        Where the curve is wanted.
    share
        Share of the points that take part in each line.
    robust
        Repetitions with weights by the size of the residuals.

    Returns
    -------
    (m,) float64
        NaN where fewer than 3 points are known.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if x.size < 3:
        return np.full(at.size, np.nan)
    nearest = min(x.size, max(3, int(np.ceil(share * x.size))))
    weight = np.ones(x.size)
    # robustness weights come from the curve on at most 200 abscissae, read off in between: the
    # curve is smooth, and thousands of points would make thousands of lines
    grid = np.unique(x if x.size <= 200 else np.quantile(x, np.linspace(0.0, 1.0, 200)))
    for _ in range(robust):
        rest = np.abs(y - np.interp(x, grid, _lines(x, y, weight, grid, nearest)))
        middle = float(np.median(rest))
        if middle <= 1e-12 * max(float(np.abs(y).max()), 1e-300):
            break
        weight = np.clip(1.0 - (rest / (6.0 * middle)) ** 2, 0.0, None) ** 2
    return _lines(x, y, weight, at, nearest)


def _lines(x: Floats, y: Floats, robust: Floats, at: Floats, nearest: int) -> Floats:
    out = np.empty(at.size)
    for k, centre in enumerate(at):
        distance = np.abs(x - centre)
        reach = np.partition(distance, nearest - 1)[nearest - 1]
        reach = max(float(reach), 1e-12 * max(abs(float(centre)), 1.0)) * (1.0 + 1e-9)
        w = np.clip(1.0 - (distance / reach) ** 3, 0.0, None) ** 3 * robust
        total = w.sum()
        if total <= 0.0:
            out[k] = np.nan
            continue
        mean_x, mean_y = (w @ x) / total, (w @ y) / total
        spread = w @ (x - mean_x) ** 2
        flat = spread <= 1e-12 * total * max(reach, 1e-300) ** 2
        slope = 0.0 if flat else (w @ ((x - mean_x) * (y - mean_y))) / spread
        out[k] = mean_y + slope * (centre - mean_x)
    return out
