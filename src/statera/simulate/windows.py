"""Extremes and areas of an output over time windows, exact between events, compiled."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.answers import TOTAL, WIDTH, answer
from statera.simulate.linear_step import integral, value_at

__all__ = ["AREA", "HIGHEST", "LAST", "LOWEST", "N_MEASURES", "WHEN", "reset", "watch"]

HIGHEST, WHEN, AREA, LOWEST, LAST = range(5)
N_MEASURES = 5


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
def _turning_point(modal, lam, a, w, z, u, low, high, rising):
    """Return where the derivative changes sign between low and high, by bisection."""
    for _ in range(60):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        _, slope = value_at(modal, lam, a, w, z, u, middle)
        if (slope > 0.0) == rising:
            low = middle
        else:
            high = middle
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
    from a tenth of the fastest time constant to the whole step, and then bisected.
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
            low = 0.0
            for piece in range(1, pieces + 1):
                high = h if piece == pieces else h * first * ratio ** (piece - 1)
                value, after = value_at(modal, lam, a, w, z, u, high)
                if before * after < 0.0:
                    s = _turning_point(modal, lam, a, w, z, u, low, high, before > 0.0)
                    turn, _ = value_at(modal, lam, a, w, z, u, s)
                    _note(row, offset[o] + turn, t + s)
                    if row.size > N_MEASURES:
                        answer(row, N_MEASURES, modal, lam, a, w, offset[o], z, u, low, s,
                               earlier, turn)  # fmt: skip
                    low = s
                    earlier = turn
                if row.size > N_MEASURES:
                    answer(row, N_MEASURES, modal, lam, a, w, offset[o], z, u, low, high,
                           earlier, value)  # fmt: skip
                low = high
                earlier = value
                before = after
            _note(row, offset[o] + value, t + h)
            row[LAST] = offset[o] + value
