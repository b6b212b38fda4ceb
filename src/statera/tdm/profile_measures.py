"""Measures of one dosing interval from values at nodes, for many draws and any dose, compiled.

The interval is divided where an input begins or ends; within a piece of length L from a, nodes
stand at ``a + L (j / J)^2``, close together where the concentration changes fast. Integrals are
Simpson's rule in j / J, maxima are those of parabolas through three nodes, and crossings are found
on straight lines of the logarithm, which decaying exponentials are.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["areas", "highest", "inhibited", "times_above"]


@compiled
def areas(profile, length, steps, out):
    """Write areas, (n_draws,).

    Parameters
    ----------
    profile : (n_pieces * (steps + 1), n_draws) float64
    length : (n_pieces, n_draws) float64
    """
    n_pieces, n = length.shape
    for i in range(n):
        total = 0.0
        for p in range(n_pieces):
            size = length[p, i]
            found = 0.0
            for j in range(1, steps + 1):
                weight = 1.0 if j == steps else (4.0 if j % 2 == 1 else 2.0)
                found += weight * (j / steps) * profile[p * (steps + 1) + j, i]
            total += found * 2.0 * size / (3.0 * steps)
        out[i] = total


@compiled
def highest(profile, length, steps, out):
    """Write largest values, (n_draws,)."""
    n_pieces, n = length.shape
    for i in range(n):
        best = -np.inf
        for p in range(n_pieces):
            if length[p, i] <= 0.0:
                continue
            row = p * (steps + 1)
            for j in range(steps + 1):
                value = profile[row + j, i]
                best = max(best, value)
                if 0 < j < steps:
                    left, right = profile[row + j - 1, i], profile[row + j + 1, i]
                    if value >= left and value >= right:
                        bend = left - 2.0 * value + right
                        if bend < 0.0:
                            best = max(best, value - 0.125 * (right - left) ** 2 / bend)
        out[i] = best


@compiled
def times_above(profile, length, steps, level, out):
    """Write the times above a level, (n_draws,); `level` is one for each draw."""
    n_pieces, n = length.shape
    for i in range(n):
        total = 0.0
        limit = level[i]
        for p in range(n_pieces):
            size = length[p, i]
            if size <= 0.0:
                continue
            for j in range(steps):
                a, b = profile[p * (steps + 1) + j, i], profile[p * (steps + 1) + j + 1, i]
                low, high = (j / steps) ** 2, ((j + 1) / steps) ** 2
                if a > limit and b > limit:
                    total += size * (high - low)
                elif a > limit or b > limit:
                    if a > 0.0 and b > 0.0 and limit > 0.0 and a != b:
                        cut = np.log(limit / a) / np.log(b / a)
                    else:
                        cut = (limit - a) / (b - a)
                    total += size * (high - low) * (cut if a > limit else 1.0 - cut)
        out[i] = total


@compiled
def inhibited(profile, length, steps, ic50, base, dose, out):
    """Write integrals of ``C / (IC50 + C)`` with ``C = base + dose * profile``, (n_draws,)."""
    n_pieces, n = length.shape
    for i in range(n):
        total = 0.0
        for p in range(n_pieces):
            size = length[p, i]
            found = 0.0
            for j in range(1, steps + 1):
                weight = 1.0 if j == steps else (4.0 if j % 2 == 1 else 2.0)
                value = max(0.0, base[i] + dose * profile[p * (steps + 1) + j, i])
                found += weight * (j / steps) * value / (ic50 + value)
            total += found * 2.0 * size / (3.0 * steps)
        out[i] = total
