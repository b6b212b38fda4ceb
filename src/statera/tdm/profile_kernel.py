"""Measures of one dosing interval from values at nodes, for many draws and any dose, compiled.

The interval is divided where an input begins or ends; within a piece of length L from a, nodes
stand at ``a + L (j / J)^2``, close together where the concentration changes fast. Integrals are
Simpson's rule in j / J, maxima are those of parabolas through three nodes, and crossings are found
on straight lines of the logarithm, which decaying exponentials are.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["highest", "inhibited", "times_above"]


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
        for j in range(steps[p] + 1):
            for i in range(out.size):
                if length[p, i] <= 0.0:
                    continue
                value = profile[row + j, i]
                out[i] = max(out[i], value)
                if 0 < j < steps[p]:
                    left, right = profile[row + j - 1, i], profile[row + j + 1, i]
                    bend = left - 2.0 * value + right
                    if value >= left and value >= right and bend < 0.0:
                        out[i] = max(out[i], value - 0.125 * (right - left) ** 2 / bend)
        row += steps[p] + 1


@compiled
def times_above(profile, length, steps, level, out):
    """Write the times above a level, (n_draws,); `level` is one for each draw."""
    out[:] = 0.0
    row = 0
    for p in range(steps.size):
        for j in range(steps[p]):
            size = (2.0 * j + 1.0) / steps[p] ** 2
            for i in range(out.size):
                a, b, limit = profile[row + j, i], profile[row + j + 1, i], level[i]
                if a > limit and b > limit:
                    out[i] += length[p, i] * size
                elif a > limit or b > limit:
                    if a > 0.0 and b > 0.0 and limit > 0.0:
                        cut = np.log(limit / a) / np.log(b / a)
                    else:
                        cut = (limit - a) / (b - a)
                    out[i] += length[p, i] * size * (cut if a > limit else 1.0 - cut)
        row += steps[p] + 1


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
