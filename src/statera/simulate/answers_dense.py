"""Time above a level and integral of inhibition over a solver's step, compiled.

The same questions as in `statera.simulate.answers`, put to the dense output: a crossing is looked
for between neighbours of nine points and bisected; the inhibition is integrated by Gauss's rule of
four points on each of four parts. The error is that of the interpolant, as for other endpoints of
a step; an output that goes above a level and back between two neighbours is not seen.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.answers import (
    ABOVE,
    INHIBITION,
    KIND,
    LEVEL,
    POWER,
    TOTAL,
    WIDTH,
    inhibition_at,
)
from statera.simulate.ode_dense import between

__all__ = ["answer_dense"]

_NODES = np.array(
    [0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263]
)
_WEIGHTS = np.array(
    [0.17392742256872692, 0.32607257743127307, 0.32607257743127307, 0.17392742256872692]
)


@compiled
def _passes(low, high, level, rising, o, method, g, t, h, p, x, x_new, k, state, values):
    """Return the fraction of the step at which output o passes the level, by bisection."""
    for _ in range(45):
        middle = 0.5 * (low + high)
        between(method, middle, h, x, x_new, k, state)
        g(t + middle * h, state, p, values, 0)
        if (values[o] > level) == rising:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@compiled
def _add_times(measures, first, method, g, t, h, p, x, x_new, k, state, values):
    n_out = values.size
    before = np.empty(n_out)
    g(t, x, p, values, 0)
    for o in range(n_out):
        before[o] = values[o]
    for piece in range(1, 9):
        low, high = (piece - 1) / 8.0, piece / 8.0
        for o in range(n_out):
            # anew for each output: a search for a crossing leaves other values behind
            between(method, high, h, x, x_new, k, state)
            g(t + high * h, state, p, values, 0)
            after = values[o]
            for q in range(first, measures.shape[1], WIDTH):
                level = measures[o, q + LEVEL]
                if measures[o, q + KIND] != ABOVE or max(before[o], after) <= level:
                    continue
                if min(before[o], after) > level:
                    measures[o, q + TOTAL] += (high - low) * h
                    continue
                rising = after > level
                when = _passes(
                    low, high, level, rising, o, method, g, t, h, p, x, x_new, k, state, values
                )
                measures[o, q + TOTAL] += (high - when if rising else when - low) * h
            before[o] = after


@compiled
def answer_dense(measures, first, method, g, t, h, p, x, x_new, k, state, values):
    """Add one accepted step to the questions of one window, (n_outputs, n_measures)."""
    _add_times(measures, first, method, g, t, h, p, x, x_new, k, state, values)
    for part in range(4):
        for node in range(4):
            s = 0.25 * (part + _NODES[node])
            between(method, s, h, x, x_new, k, state)
            g(t + s * h, state, p, values, 0)
            for o in range(values.size):
                for q in range(first, measures.shape[1], WIDTH):
                    if measures[o, q + KIND] != INHIBITION:
                        continue
                    measures[o, q + TOTAL] += (
                        0.25
                        * h
                        * _WEIGHTS[node]
                        * inhibition_at(values[o], measures[o, q + LEVEL], measures[o, q + POWER])
                    )
