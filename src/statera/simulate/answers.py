"""Time above a level and integral of inhibition over a step, compiled.

Each question has four columns behind the measures of a window: its kind, its level (or IC50), its
exponent, and the sum so far. Between two turning points an output crosses a level at most once,
and the crossing is found to all but the last digits; the inhibition ``c^g / (k^g + c^g)`` is
integrated by Gauss and Kronrod's pair of 7 and 15 points on halves of halves, until the pair
agrees to 1e-9 of the piece.

Nodes and weights: Piessens, de Doncker-Kapenga, Ueberhuber and Kahaner, QUADPACK, 1983.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.linear_step import value_at

__all__ = [
    "ABOVE", "CLOSE", "INHIBITION", "KIND", "LEVEL", "POWER", "TOTAL", "WIDTH", "answer",
    "inhibition_at",
]  # fmt: skip

KIND, LEVEL, POWER, TOTAL = range(4)
WIDTH = 4
ABOVE, INHIBITION = 1.0, 2.0

CLOSE = 1e-14
"""Relative width at which a crossing or a turning point is found."""
_MOST_STEPS = 200

_AGREED = 1e-9
_DEEPEST = 40

_NODES = np.array(
    [
        0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
        0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
        0.586087235467691130294144691693013, 0.405845151377397166906606412076961,
        0.207784955007898467600689403773245, 0.0,
    ]
)  # fmt: skip
_KRONROD = np.array(
    [
        0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
        0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
        0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
        0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
    ]
)  # fmt: skip
_GAUSS = np.array(
    [
        0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
        0.381830050505118944950369775488975, 0.417959183673469387755102040816327,
    ]
)  # fmt: skip


@compiled
def inhibition_at(value, ic50, power):
    """Return the inhibited fraction; a value below zero inhibits nothing."""
    if value <= 0.0:
        return 0.0
    if power == 1.0:
        return value / (ic50 + value)
    return 1.0 / (1.0 + (ic50 / value) ** power)


@compiled
def _crossing(modal, lam, a, w, z, u, level, low, high, at_low, at_high):
    """Return where the value passes the level; at both ends it is known less the level.

    By false position, as turning points are found in `statera.simulate.windows`.
    """
    above = at_low > 0.0
    side = 0
    for k in range(_MOST_STEPS):
        if high - low <= CLOSE * high:
            break
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if k % 4 == 3 or not low < middle < high:
            middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        value, _ = value_at(modal, lam, a, w, z, u, middle)
        value -= level
        if (value > 0.0) == above:
            low, at_low = middle, value
            at_high *= 0.5 if side == 1 else 1.0
            side = 1
        else:
            high, at_high = middle, value
            at_low *= 0.5 if side == -1 else 1.0
            side = -1
    return 0.5 * (low + high)


@compiled
def _inhibited(modal, lam, a, w, offset, z, u, ic50, power, low, high):
    """Return the integral of the inhibited fraction from low to high."""
    total = 0.0
    start = low
    size = high - low
    depth = 0
    # left to right through a binary tree: `index` is the place among pieces of this depth
    index = 0
    while True:
        length = size / 2.0**depth
        start = low + index * length
        centre, half = start + 0.5 * length, 0.5 * length
        fine = coarse = 0.0
        for k in range(8):
            reach = half * _NODES[k]
            value, _ = value_at(modal, lam, a, w, z, u, centre + reach)
            found = inhibition_at(offset + value, ic50, power)
            if k < 7:
                value, _ = value_at(modal, lam, a, w, z, u, centre - reach)
                found += inhibition_at(offset + value, ic50, power)
            fine += _KRONROD[k] * found
            if k % 2 == 1:
                coarse += _GAUSS[k // 2] * found
        if abs(fine - coarse) > _AGREED and depth < _DEEPEST:
            depth += 1
            index *= 2
            continue
        total += half * fine
        index += 1
        while index % 2 == 0 and depth > 0:
            index //= 2
            depth -= 1
        if depth == 0:
            return total


@compiled
def answer(row, first, modal, lam, a, w, offset, z, u, low, high, at_low, at_high):
    """Add a piece on which the output rises or falls throughout; values without the offset."""
    for q in range(first, row.size, WIDTH):
        if row[q + KIND] == ABOVE:
            level = row[q + LEVEL] - offset
            if at_low > level and at_high > level:
                row[q + TOTAL] += high - low
            elif at_low > level or at_high > level:
                rising = at_high > level
                when = _crossing(
                    modal, lam, a, w, z, u, level, low, high, at_low - level, at_high - level
                )
                row[q + TOTAL] += high - when if rising else when - low
        elif row[q + KIND] == INHIBITION:
            row[q + TOTAL] += _inhibited(
                modal, lam, a, w, offset, z, u, row[q + LEVEL], row[q + POWER], low, high
            )
