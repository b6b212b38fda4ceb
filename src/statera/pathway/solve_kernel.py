"""The loop over the conditions of a network; compiled."""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.equation_call import MODEL
from statera.numerics.lanes import LANES
from statera.numerics.rodas5p import FACTOR, SOLVE
from statera.pathway.course_kernel import follow

__all__ = ["solve_conditions"]

_F, _I = types.float64, types.int64
_SIGNATURE = types.void(
    MODEL, MODEL, MODEL, MODEL, FACTOR, SOLVE, MODEL, MODEL, MODEL, MODEL, MODEL, MODEL,
    _I[::1], _I[::1], _I[::1], _I[::1], _I[::1], _I[::1], _I[::1],
    _I, _I,
    _F[:, ::1], _F[:, ::1], _F[:, :, ::1], _F[:, :, ::1], _F[::1], _F[::1], _I[::1],
    _I[::1], _F[::1], _I[::1], _F[::1], _F[:, ::1],
    _F, _F, _I, types.boolean,
    _F[:, ::1], _F[:, :, ::1], _I[::1], _F[::1], _I[::1], _I[::1], _F[:, :, ::1], _I[::1],
)  # fmt: skip


@compiled
def _seed(values_seed, initial_seed, active, weight, values, initial, m, s, dp):
    """Lay out the columns that matter in blocks of eight, and weigh their absolute tolerance."""
    n_p, n = values_seed.shape[0], initial_seed.shape[0]
    s[:] = 0.0
    dp[:] = 0.0
    for j in range(m):
        block, lane = j // LANES, j % LANES
        weight[j] = 0.0
        for c in range(n_p):
            seed = values_seed[c, active[j]]
            if seed != 0.0:
                dp[LANES * (block * n_p + c) + lane] = seed
                size = abs(values[c]) if values[c] != 0.0 else 1.0
                weight[j] = max(weight[j], abs(seed) / size)
        for i in range(n):
            seed = initial_seed[i, active[j]]
            if seed != 0.0:
                s[LANES * (block * n + i) + lane] = seed
                size = abs(initial[i]) if initial[i] != 0.0 else 1.0
                weight[j] = max(weight[j], abs(seed) / size)


@compiled
def _own_entries(n, n_p, blocks, own_rows, own_columns, dp, own_first, own_order, own_place):
    """List, for each block, the slopes by parameters that have a column in it."""
    count = 0
    for block in range(blocks):
        e = 0
        for i in range(n):
            own_first[block * (n + 1) + i] = count
            while e < own_rows.size and own_rows[e] == i:
                at = LANES * (block * n_p + own_columns[e])
                for lane in range(LANES):
                    if dp[at + lane] != 0.0:
                        own_order[count] = e
                        own_place[count] = LANES * own_columns[e]
                        count += 1
                        break
                e += 1
        own_first[block * (n + 1) + n] = count


@compiled(_SIGNATURE)
def solve_conditions(
    rates, jacobian, linear_at, curvature, factor, solve, roots, root_slopes, triggers, urgencies,
    assign, delays,
    table, layout, rows, columns, own_rows, own_columns, bend_own,
    first, last,
    values, initial, value_seeds, initial_seeds, times, start, row_first,
    dose_first, dose_time, dose_state, dose_amount, dose_slopes,
    rtol, atol, max_steps, control,
    states, slopes, status, stopped, where, steps, tape, kept,
):  # fmt: skip
    """Solve the conditions from `first` to `last`; arrays as in `statera.pathway.solve`.

    ``layout`` holds sizes and where tables begin in ``table``, see
    `statera.pathway.compiled_network`. A condition that fails keeps the rows before its end.
    """
    n, n_p, n_flags, n_events, n_assigned = layout[0], layout[1], layout[2], layout[3], layout[4]
    n_factors, root_row, assign_row, delay_row = layout[5], layout[6], layout[7], layout[8]
    group, strict = table[layout[9] : layout[9] + n_flags], table[layout[10] : layout[10] + n_flags]
    timed = table[layout[11] : layout[11] + n_flags]
    kinds = table[layout[12] : layout[12] + n_events]
    assign_first = table[layout[13] : layout[13] + n_events + 1]
    assign_state = table[layout[14] : layout[14] + n_assigned]
    work_size, width, bend_entries = layout[15], layout[16], layout[17]
    entries, own = rows.size, own_rows.size
    m_all = value_seeds.shape[2]
    most = (m_all + LANES - 1) // LANES
    wide = LANES * ((n + LANES - 1) // LANES)
    x, x_new, p = np.zeros(wide), np.zeros(wide), np.zeros(n_p + n_flags)
    u, k, j = np.zeros(8 * wide), np.zeros(8 * wide), np.zeros(entries + n)
    lu, w, pivots = np.zeros(n_factors), np.zeros((n, n)), np.zeros(n, dtype=np.int64)
    point, quantity = np.zeros(wide + n_flags), np.zeros(n_flags + n_events)
    before, after, work = np.zeros(wide), np.zeros(wide), np.zeros(work_size)
    weights, lanes, coupled = np.zeros(8), np.zeros(LANES), np.zeros(64)
    places, tall_places = np.arange(8) * wide, np.arange(8) * (LANES * n)
    s, s_new = np.zeros(most * LANES * n), np.zeros(most * LANES * n)
    u_block, k_block = np.zeros(LANES * n), np.zeros(8 * most * LANES * n)
    dp = np.zeros(most * LANES * n_p)
    linear, bends = (
        np.zeros(8 * (entries + own)),
        np.zeros(8 * (n + 1 + bend_entries + bend_own.size)),
    )
    lower, upper, pivot = np.zeros(n_factors), np.zeros(n_factors), np.zeros(n)
    own_first, own_order = np.zeros(most * (n + 1), np.int64), np.zeros(most * own + 1, np.int64)
    own_place = np.zeros(most * own + 1, np.int64)
    active, weight = np.zeros(m_all + 1, np.int64), np.zeros(m_all)
    instant, rest = np.zeros(most * LANES), np.zeros(most * LANES + n_flags + 1)
    switch_time, was = np.zeros(n_flags), np.zeros(n_events, np.bool_)
    room = 16 * n_events
    waits, number = np.full(room, -1), np.zeros(room + 1, np.int64)
    waiting_time, waiting_instant = np.zeros(room), np.zeros(room * m_all)
    waiting_values, waiting_slopes = np.zeros(room * width), np.zeros(room * width * m_all)
    any_root = False
    for q in range(n_flags):
        any_root = any_root or not timed[q]

    for c in range(first, last):
        m = 0
        for column in range(m_all):
            seen = False
            for i in range(n_p):
                seen = seen or value_seeds[c, i, column] != 0.0
            for i in range(n):
                seen = seen or initial_seeds[c, i, column] != 0.0
            for d in range(dose_first[c], dose_first[c + 1]):
                seen = seen or dose_slopes[d, column] != 0.0
            if seen:
                active[m] = column
                m += 1
        blocks = (m + LANES - 1) // LANES
        x[:n], p[:n_p] = initial[c], values[c]
        _seed(value_seeds[c], initial_seeds[c], active, weight, p, x, m, s, dp)
        _own_entries(n, n_p, blocks, own_rows, own_columns, dp, own_first, own_order, own_place)
        status[c], stopped[c], where[c], steps[c] = follow(
            rates, jacobian, linear_at, curvature, factor, solve, roots, root_slopes, triggers,
            urgencies, assign, delays, table, rows, columns, bend_own, n, n_p, n_flags, n_events,
            n_assigned, root_row, assign_row, delay_row, group, strict, timed, kinds, assign_first,
            assign_state, width, bend_entries, entries, own, wide, m, blocks,
            times, row_first[c], row_first[c + 1], start[c], dose_first[c], dose_first[c + 1],
            dose_time, dose_state, dose_amount, dose_slopes, active, weight,
            rtol, atol, max_steps, control, any_root, states, slopes,
            x, x_new, p, u, k, j, lu, w, pivots, point, quantity, before, after, work, weights,
            lanes, coupled, places, tall_places, s, s_new, u_block, k_block, dp, linear, bends,
            lower, upper, pivot, own_first, own_order, own_place, instant, rest, switch_time, was,
            waits, number, waiting_time, waiting_instant, waiting_values, waiting_slopes,
            tape, kept, c,
        )  # fmt: skip
