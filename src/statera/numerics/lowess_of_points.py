"""Locally weighted straight lines through every point, by the rules of Cleveland's own program.

Lines are fitted at abscissae more than `delta` apart and read off straight between them; the
windows, the weights that are cut to 0 and 1, and the robustness weights from the median residual
are those of the published program (Cleveland, Am Stat 1981;35:54, doi 10.2307/2683591), on which
results of other software rest. `statera.numerics.lowess` smooths at any abscissae instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["lowess_of_points"]

Floats = NDArray[np.float64]


def lowess_of_points(
    x: Floats, y: Floats, *, share: float, robust: int = 3, delta: float | None = None
) -> Floats:
    """Return the smooth curve (n,) at the points.

    Parameters
    ----------
    x, y : (n,) float64
        Finite points.
    share
        Share of the points in each window.
    robust
        Repetitions with weights by the size of the residuals.
    delta
        Distance within which lines are not fitted anew; a hundredth of the range if not given.
    """
    n = x.size
    order = np.argsort(x, kind="stable")
    own, values = x[order], y[order]
    reach = 0.01 * float(own[-1] - own[0]) if delta is None else delta
    count = max(2, min(n, int(share * n + 1e-7)))
    weight = np.ones(n)
    smooth = _pass(own, values, weight, count, reach)
    for _ in range(robust):
        rest = np.abs(values - smooth)
        middle = 6.0 * float(np.median(rest))
        if middle < 1e-7 * float(rest.mean()):
            break
        part = rest / middle
        weight = np.where(
            rest <= 0.001 * middle, 1.0,
            np.where(rest <= 0.999 * middle, (1.0 - np.minimum(part, 1.0) ** 2) ** 2, 0.0),
        )  # fmt: skip
        smooth = _pass(own, values, weight, count, reach)
    found = np.empty(n)
    found[order] = smooth
    return found


def _pass(x: Floats, y: Floats, weight: Floats, count: int, delta: float) -> Floats:
    """Return the curve at sorted points, for given robustness weights."""
    n = x.size
    smooth = np.empty(n)
    left, last, place = 0, -1, 0
    while True:
        while left + count < n and x[place] - x[left] > x[left + count] - x[place]:
            left += 1
        smooth[place] = _line(x, y, weight, place, left, count)
        if last < place - 1:  # points passed over lie straight between the two lines
            width = x[place] - x[last]
            inner = np.arange(last + 1, place)
            part = (x[inner] - x[last]) / width
            smooth[inner] = part * smooth[place] + (1.0 - part) * smooth[last]
        last = place
        cut = x[last] + delta
        place = last + 1
        while place < n and x[place] <= cut:
            if x[place] == x[last]:
                smooth[place] = smooth[last]
                last = place
            place += 1
        if last >= n - 1:
            return smooth
        place = max(last + 1, place - 1)


def _line(x: Floats, y: Floats, weight: Floats, place: int, left: int, count: int) -> float:
    """Return the weighted line at one point; its own value where nothing has weight."""
    right = left + count - 1
    reach = max(x[place] - x[left], x[right] - x[place])
    end = int(np.searchsorted(x, x[place] + 0.999 * reach, side="right"))
    some = slice(left, max(end, right + 1))
    distance = np.abs(x[some] - x[place])
    share = np.minimum(distance / max(reach, 1e-300), 1.0)
    near = np.where(distance <= 0.001 * reach, 1.0, (1.0 - share**3) ** 3)
    w = np.where(distance <= 0.999 * reach, near, 0.0) * weight[some]
    total = float(w.sum())
    if total <= 0.0:
        return float(y[place])
    w = w / total
    centre = float(w @ x[some])
    gap = float(x[place] - centre)
    spread = float(w @ (x[some] - centre) ** 2)
    if reach > 0.0 and np.sqrt(spread) > 0.001 * float(x[-1] - x[0]):
        w = w * (1.0 + gap / spread * (x[some] - centre))
    return float(w @ y[some])
