"""Extremes and areas of an output over time windows, exact between events, compiled."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.answers import CLOSE, TOTAL, WIDTH, answer
from statera.simulate.linear_step import integral, value_at

__all__ = ["AREA", "HIGHEST", "LAST", "LOWEST", "N_MEASURES", "WHEN", "reset", "watch"]

HIGHEST, WHEN, AREA, LOWEST, LAST = range(5)
N_MEASURES = 5

_MOST_STEPS = 200
_TOGETHER = 5
"""Pieces without a turning point that are asked about at once."""


@compiled
def reset(measures):
    """Prepare the measures of one subject, (n_windows, n_outputs, 5 and more).

    Behind the five stand questions, of four columns each: see `statera.simulate.answers`.
    """
    measures[:, :, HIGHEST] = -np.inf
    measures[:, :, WHEN] = np.nan
    measures[:, :, AREA] = 0.0
    measures[:, :, LOWEST] = np.inf
    measures[:, :, LAST] = np.nan
    for q in range(N_MEASURES, measures.shape[2], WIDTH):
        measures[:, :, q + TOTAL] = 0.0


@compiled
def _turning_point(modal, lam, a, w, z, u, low, high, at_low, at_high):
    """Return where the slope, of which both ends are given, changes its sign.

    By false position where halved weights keep both ends moving (Illinois); bisection now and then
    bounds the number of steps.
    """
    rising = at_low > 0.0
    side = 0
    for k in range(_MOST_STEPS):
        if high - low <= CLOSE * high:
            break
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if k % 4 == 3 or not low < middle < high:
            middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        _, slope = value_at(modal, lam, a, w, z, u, middle)
        if (slope > 0.0) == rising:
            low, at_low = middle, slope
            at_high *= 0.5 if side == 1 else 1.0
            side = 1
        else:
            high, at_high = middle, slope
            at_low *= 0.5 if side == -1 else 1.0
            side = -1
    return 0.5 * (low + high)


@compiled
def _note(row, value, time):
    if value > row[HIGHEST]:
        row[HIGHEST] = value
        row[WHEN] = time
    row[LOWEST] = min(row[LOWEST], value)


@compiled
def _outside(start, end, t, h):
    return t < start - 1e-12 * max(1.0, start) or t + h > end + 1e-12 * max(1.0, end) or h <= 0.0


@compiled
def _fastest(modal, lam, a):
    """Return the largest rate of the system, or a bound for it."""
    largest = 0.0
    for i in range(lam.size):
        if modal:
            largest = max(largest, abs(lam[i]))
        else:
            total = 0.0
            for j in range(lam.size):
                total += abs(a[i, j])
            largest = max(largest, total)
    return largest


@compiled
def watch(
    measures, windows, t, h, modal, lam, a, weights, offset, z, u,
    phi, psi, big_phi, big_psi,
):  # fmt: skip
    """Update the measures for a step from t to t + h without events inside.

    A sum of real exponentials has few turning points; they are bracketed on pieces that grow
    from a tenth of the fastest time constant to the whole step. Questions are asked about a few
    pieces at once, between turning points.
    """
    inside = False
    for k in range(windows.shape[0]):
        inside = inside or not _outside(windows[k, 0], windows[k, 1], t, h)
    if not inside:
        return
    stretch = 10.0 * h * _fastest(modal, lam, a)
    pieces = 4 + int(1.5 * np.log2(1.0 + min(stretch, 1e18)))
    first = 1.0 / max(stretch, pieces)
    ratio = (1.0 / first) ** (1.0 / (pieces - 1))
    for k in range(windows.shape[0]):
        if _outside(windows[k, 0], windows[k, 1], t, h):
            continue
        for o in range(weights.shape[0]):
            row = measures[k, o]
            w = weights[o]
            row[AREA] += offset[o] * h + integral(modal, w, z, u, phi, psi, big_phi, big_psi)
            earlier, before = value_at(modal, lam, a, w, z, u, 0.0)
            value = earlier
            _note(row, offset[o] + value, t)
            low = since = 0.0
            asked = 0
            reach = h * first
            for piece in range(1, pieces + 1):
                high = h if piece == pieces else reach
                reach *= ratio
                value, after = value_at(modal, lam, a, w, z, u, high)
                if before * after < 0.0:
                    s = _turning_point(modal, lam, a, w, z, u, low, high, before, after)
                    turn, _ = value_at(modal, lam, a, w, z, u, s)
                    _note(row, offset[o] + turn, t + s)
                    if row.size > N_MEASURES:
                        answer(row, N_MEASURES, modal, lam, a, w, offset[o], z, u, since, s,
                               earlier, turn)  # fmt: skip
                    since, earlier, asked = s, turn, piece
                if row.size > N_MEASURES and (piece == pieces or piece - asked >= _TOGETHER):
                    answer(row, N_MEASURES, modal, lam, a, w, offset[o], z, u, since, high,
                           earlier, value)  # fmt: skip
                    since, earlier, asked = high, value, piece
                low = high
                before = after
            _note(row, offset[o] + value, t + h)
            row[LAST] = offset[o] + value
