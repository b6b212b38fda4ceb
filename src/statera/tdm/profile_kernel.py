"""Measures of one dosing interval from values at nodes, for many draws and any dose, compiled.

The interval is divided where an input begins or ends; within a piece of length L from a, nodes
stand at ``a + L (j / J)^2``, close together where the concentration changes fast. Integrals are
Simpson's rule in j / J, maxima are those of quartics through five nodes, and crossings are found on
cubics through four.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["highest", "inhibited", "times_above"]

_PARTS = 8
"""Parts of a step in which crossings are looked for."""


@compiled
def _top(far_left, left, value, right, far_right, at):
    """Return the largest value of the quartic through five equidistant nodes near place `at`.

    Nodes stand at -2 to 2; `at` is the node with the largest value.
    """
    a = (far_left - 8.0 * left + 8.0 * right - far_right) / 12.0
    b = (-far_left + 16.0 * left - 30.0 * value + 16.0 * right - far_right) / 24.0
    c = (-far_left + 2.0 * left - 2.0 * right + far_right) / 12.0
    d = (far_left - 4.0 * left + 6.0 * value - 4.0 * right + far_right) / 24.0
    low, high = at - 1.0, at + 1.0
    for _ in range(5):
        slope = a + at * (2.0 * b + at * (3.0 * c + 4.0 * at * d))
        bend = 2.0 * b + at * (6.0 * c + 12.0 * at * d)
        if bend >= 0.0:
            break
        at = min(high, max(low, at - slope / bend))
    return value + at * (a + at * (b + at * (c + at * d)))


@compiled
def highest(profile, length, steps, out):
    """Write largest values, (n_draws,).

    Parameters
    ----------
    profile : (sum of steps + 1, n_draws) float64
        Values at the nodes of all pieces.
    length : (n_pieces, n_draws) float64
    steps : (n_pieces,) int64
        Steps of each piece; its nodes are one more.
    """
    out[:] = -np.inf
    row = 0
    for p in range(steps.size):
        last = steps[p]
        for j in range(last + 1):
            for i in range(out.size):
                if length[p, i] <= 0.0:
                    continue
                value = profile[row + j, i]
                out[i] = max(out[i], value)
                if not 0 < j < last:
                    continue
                left, right = profile[row + j - 1, i], profile[row + j + 1, i]
                if value < left or value < right:
                    continue
                k = row + min(max(j, 2), last - 2)
                top = _top(
                    profile[k - 2, i], profile[k - 1, i], profile[k, i], profile[k + 1, i],
                    profile[k + 2, i], float(row + j - k),
                )  # fmt: skip
                out[i] = max(out[i], top)
        row += last + 1


@compiled
def _cubic(y0, y1, y2, y3, s):
    """Return the cubic through values at -1, 0, 1 and 2."""
    return (
        -y0 * s * (s - 1.0) * (s - 2.0) / 6.0
        + y1 * (s + 1.0) * (s - 1.0) * (s - 2.0) / 2.0
        - y2 * (s + 1.0) * s * (s - 2.0) / 2.0
        + y3 * (s + 1.0) * s * (s - 1.0) / 6.0
    )


@compiled
def _part_above(profile, row, i, j, last, limit):
    """Return how much of the step from node j, in squares of nodes, lies above a level."""
    k = min(max(j, 1), last - 2)
    y0, y1 = profile[row + k - 1, i] - limit, profile[row + k, i] - limit
    y2, y3 = profile[row + k + 1, i] - limit, profile[row + k + 2, i] - limit
    total = 0.0
    before = _cubic(y0, y1, y2, y3, float(j - k))
    for part in range(_PARTS):
        start, end = j + part / _PARTS, j + (part + 1.0) / _PARTS
        after = _cubic(y0, y1, y2, y3, end - k)
        if before > 0.0 and after > 0.0:
            total += end * end - start * start
        elif before > 0.0 or after > 0.0:
            cut = start + (end - start) * before / (before - after)
            total += cut * cut - start * start if before > 0.0 else end * end - cut * cut
        before = after
    return total


@compiled
def times_above(profile, length, steps, level, out):
    """Write the times above a level, (n_draws,); `level` is one for each draw."""
    out[:] = 0.0
    row = 0
    for p in range(steps.size):
        last = steps[p]
        for j in range(last):
            for i in range(out.size):
                if length[p, i] <= 0.0:
                    continue
                limit = level[i]
                a, b = profile[row + j, i], profile[row + j + 1, i]
                above = a > limit
                turns = False  # a top or bottom between the nodes may pass the level and come back
                if 0 < j < last - 1:
                    out_left, out_right = profile[row + j - 1, i], profile[row + j + 2, i]
                    turns = (a > out_left and b > out_right) or (a < out_left and b < out_right)
                share = 2.0 * j + 1.0 if above else 0.0
                if above != (b > limit) or turns:
                    share = _part_above(profile, row, i, j, last, limit)
                out[i] += length[p, i] * share / last**2
        row += last + 1


@compiled
def inhibited(profile, length, steps, ic50, base, dose, out):
    """Write integrals of ``C / (IC50 + C)`` with ``C = base + dose * profile``, (n_draws,)."""
    out[:] = 0.0
    row = 0
    for p in range(steps.size):
        for j in range(1, steps[p] + 1):
            weight = 1.0 if j == steps[p] else (4.0 if j % 2 == 1 else 2.0)
            weight *= 2.0 * j / (3.0 * steps[p] ** 2)
            for i in range(out.size):
                value = max(0.0, base[i] + dose * profile[row + j, i])
                out[i] += weight * length[p, i] * value / (ic50 + value)
        row += steps[p] + 1
