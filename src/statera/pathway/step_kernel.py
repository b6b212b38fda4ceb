"""One step of states and sensitivities, its error, and what lies inside it; compiled."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.lanes import LANES, add_rows
from statera.numerics.rodas5p import NODES, TIME_SLOPES
from statera.numerics.rodas5p_columns import arrange_factors, column_step, dense_weights

__all__ = [
    "carry_columns",
    "column_error",
    "first_step",
    "inside",
    "locate",
    "stage_matrices",
    "state_error",
    "write_rows",
]

_ONE = np.ones(2)
_HERE = np.zeros(2, dtype=np.int64)
_LOOKS = (0.25, 0.5, 0.75, 1.0)  # where in a step a quantity's sign is looked at


@compiled
def first_step(n, x, slope, rtol, atol):
    """Return a cautious first step from the size of the states and their derivatives.

    After Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.4.
    """
    size = 0.0
    speed = 0.0
    for i in range(n):
        scale = atol + rtol * abs(x[i])
        size = max(size, abs(x[i]) / scale)
        speed = max(speed, abs(slope[i]) / scale)
    if speed == 0.0:
        return np.inf
    return 0.01 * max(size, 1.0) / speed


@compiled
def state_error(n, x, x_new, k, at, rtol, atol):
    """Return the error of a step relative to the tolerance: a root mean square over the states."""
    total = 0.0
    for i in range(n):
        part = k[at + i] / (atol + rtol * max(abs(x[i]), abs(x_new[i])))
        total += part * part
    return np.sqrt(total / n)


@compiled
def column_error(n, m, s, s_new, k, rtol, atol, weight):
    """Return the largest error among the columns, each measured as the states are.

    `weight` (m,) scales the absolute tolerance of each.
    """
    worst = 0.0
    tall = LANES * n
    for j in range(m):
        block, lane = j // LANES, j % LANES
        total = 0.0
        for i in range(n):
            at = block * tall + LANES * i + lane
            size = max(abs(s[at]), abs(s_new[at]))
            part = k[(8 * block + 7) * tall + LANES * i + lane] / (atol * weight[j] + rtol * size)
            total += part * part
        if not np.isfinite(total):
            return np.inf
        worst = max(worst, total)
    return np.sqrt(worst / n)


@compiled
def _finite_or_zero(values, first, last):
    for q in range(first, last):
        if not np.isfinite(values[q]):
            values[q] = 0.0


@compiled
def stage_matrices(
    linear_at, curvature, table, n, entries, own_entries, bend_entries, bend_own, t, h, p, wide, u,
    k, linear, bends, lu, lower, upper, pivot, dense,
):  # fmt: skip
    """Write J, P with G added, and H of every stage of the step that the states have just taken."""
    n_linear = entries + own_entries
    n_bends = n + 1 + bend_entries + bend_own.size
    for stage in range(8):
        at = stage * n_linear
        linear_at(t + NODES[stage] * h, u, stage * wide, p, linear, at)
        _finite_or_zero(linear, at, at + n_linear)
        if n_bends > n + 1:
            base = stage * n_bends
            for i in range(n):
                bends[base + i] = k[stage * wide + i]
            bends[base + n] = h * TIME_SLOPES[stage]
            curvature(t, u, 0, p, bends, base)  # the first stage stands at the start of the step
            _finite_or_zero(bends, base + n + 1, base + n_bends)
            for q in range(bend_own.size):
                linear[at + entries + bend_own[q]] += bends[base + n + 1 + bend_entries + q]
    if not dense:
        arrange_factors(table, n, lu, lower, upper, pivot)


@compiled
def carry_columns(
    linear_at, curvature, table, n, n_p, entries, own_entries, bend_entries, bend_own, t, h, p,
    wide, u, k, linear, bends, lu, lower, upper, pivot, dense, w, pivots, coupled, tall_places,
    blocks, s, s_new, u_block, k_block, own_first, own_order, own_place, dp,
):  # fmt: skip
    """Carry the sensitivities over the step that the states have just taken."""
    stage_matrices(
        linear_at, curvature, table, n, entries, own_entries, bend_entries, bend_own, t, h, p,
        wide, u, k, linear, bends, lu, lower, upper, pivot, dense,
    )  # fmt: skip
    n_linear = entries + own_entries
    n_bends = n + 1 + bend_entries + bend_own.size
    column_step(
        table, n, blocks, s, s_new, u_block, k_block, linear, n_linear, entries, bends, n_bends,
        lower, upper, pivot, dense, w, pivots, coupled, tall_places, own_first, own_order,
        own_place, dp, n_p,
    )  # fmt: skip


@compiled
def inside(n, theta, x, x_new, k, wide, weights, out):
    """Write the states at a fraction of the step."""
    dense_weights(theta, weights)
    for i in range(n):
        total = (1.0 - theta) * x[i] + theta * x_new[i]
        for stage in range(8):
            total += weights[stage] * k[stage * wide + i]
        out[i] = total


@compiled
def _columns_inside(n, theta, blocks, m, s, s_new, k, weights, places, active, rows, out, row):
    """Write the sensitivities at a fraction of the step, for which `weights` were made."""
    tall = LANES * n
    for block in range(blocks):
        for i in range(n):
            at = block * tall + LANES * i
            add_rows(rows, 0, s, at, 1.0 - theta, weights, 0, places, 0, 8, k,
                     8 * block * tall + LANES * i)  # fmt: skip
            for lane in range(min(LANES, m - LANES * block)):
                out[row, i, active[LANES * block + lane]] = rows[lane] + theta * s_new[at + lane]


@compiled
def write_rows(
    n, t, h, stop, times, row, last, x, x_new, k, wide, weights, point, blocks, m, s, s_new,
    k_block, places, active, lanes, states, slopes,
):  # fmt: skip
    """Write the rows inside a step, before its end; return the next row."""
    while row < last and times[row] < t + h and times[row] < stop:
        theta = (times[row] - t) / h
        inside(n, theta, x, x_new, k, wide, weights, point)
        for i in range(n):
            states[row, i] = point[i]
        if m > 0:
            _columns_inside(n, theta, blocks, m, s, s_new, k_block, weights, places, active, lanes,
                            slopes, row)  # fmt: skip
        row += 1
    return row


@compiled
def locate(
    roots, n, n_p, n_flags, timed, t, h, x, x_new, k, wide, p, weights, point, quantity,
):  # fmt: skip
    """Return the first crossing in a step: its fraction and flag, or 2 and -1 where there is none.

    Each flag's quantity is looked at four times in a step; a crossing between two looks is found by
    bisection on the interpolant.
    """
    earliest = 2.0
    which = -1
    before = 0.0
    for look in range(4):
        theta = _LOOKS[look]
        inside(n, theta, x, x_new, k, wide, weights, point)
        roots(t + theta * h, point, 0, p, quantity, 0)
        for q in range(n_flags):
            sign = 1.0 if p[n_p + q] > 0.5 else -1.0
            if timed[q] or not sign * quantity[q] < 0.0:
                continue
            low, high = before, theta
            for _ in range(60):
                middle = 0.5 * (low + high)
                if middle in (low, high):
                    break
                inside(n, middle, x, x_new, k, wide, weights, point)
                roots(t + middle * h, point, 0, p, point, n)
                if sign * point[n + q] < 0.0:
                    high = middle
                else:
                    low = middle
            if high < earliest:
                earliest, which = high, q
        if which >= 0:
            return earliest, which
        before = theta
    return earliest, which
