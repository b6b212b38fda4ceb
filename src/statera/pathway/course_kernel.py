"""The course of one condition: steps, and what happens at instants; compiled."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.lanes import LANES
from statera.numerics.rodas5p_columns import state_step
from statera.pathway.event_kernel import is_on, read_flags, turn, turn_due
from statera.pathway.event_queue_kernel import AT_START, settle, soonest
from statera.pathway.step_kernel import (
    carry_columns,
    column_error,
    first_step,
    locate,
    state_error,
    write_rows,
)

__all__ = ["follow"]

OK, TOO_MANY_STEPS, STEP_TOO_SMALL, NOT_FINITE, ENDLESS_EVENTS, BAD_START = range(6)
"""How a condition ended, see `statera.pathway.status`."""

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 8.0
_TURNS = 10_000  # crossings without a step between them


@compiled
def _begin_flags(
    roots, root_slopes, table, root_first, n, n_p, n_flags, strict, timed, t, x, p, work, quantity,
    switch_time,
):  # fmt: skip
    """Set the flags as they are at the start, and the instants of those that time turns.

    An instant that is the start itself is marked by NaN: `_lean_flags` sees to it.
    """
    for q in range(n_flags):
        p[n_p + q] = 0.0
        switch_time[q] = np.inf
    for _ in range(n_flags):  # flags may stand in quantities
        roots(t, x, 0, p, quantity, 0)
        for q in range(n_flags):
            p[n_p + q] = is_on(quantity[q], strict[q])
    root_slopes(0.0, x, 0, p, work, 0)
    begin = table[root_first]
    for q in range(n_flags):
        for e in range(table[root_first + q], table[root_first + q + 1]):
            value = work[n_flags + e - begin]
            if timed[q] and table[e] == n + n_p and value != 0.0:
                instant = -work[q] / value
                if instant > t:
                    switch_time[q] = instant
                p[n_p + q] = 1.0 if (value > 0.0) == (instant <= t) else 0.0
                if instant == t:
                    switch_time[q] = np.nan
                    p[n_p + q] = is_on(0.0, strict[q])


@compiled
def _lean_flags(
    rates, roots, root_slopes, table, root_first, n, n_p, n_flags, timed, t, x, p, slope, work,
    quantity, switch_time,
):  # fmt: skip
    """Turn flags whose quantity is zero at the start to what they are just after it.

    Triggers have seen them as written by then. Returns whether any turned.
    """
    roots(t, x, 0, p, quantity, 0)
    rates(t, x, 0, p, slope, 0)
    root_slopes(t, x, 0, p, work, 0)
    begin = table[root_first]
    turned = False
    for q in range(n_flags):
        at_zero = np.isnan(switch_time[q]) if timed[q] else quantity[q] == 0.0
        speed = 0.0
        for e in range(table[root_first + q], table[root_first + q + 1]):
            value = work[n_flags + e - begin]
            if table[e] == n + n_p:
                speed += value
            elif table[e] < n:
                speed += value * slope[table[e]]
        if at_zero:
            if timed[q]:
                switch_time[q] = np.inf
            after = 1.0 if speed > 0.0 else 0.0
            if speed != 0.0 and p[n_p + q] != after:
                p[n_p + q] = after
                turned = True
    return turned


@compiled
def _bad(values, n):
    """Return the first number that is not finite, or -1."""
    for i in range(n):
        if not np.isfinite(values[i]):
            return i
    return -1


@compiled
def _bad_start(x, n, p, n_p):
    """Return the first state that is not finite, or n and the first such parameter, or -1."""
    wrong = _bad(x, n)
    if wrong < 0:
        wrong = _bad(p, n_p)
        wrong = n + wrong if wrong >= 0 else -1
    return wrong


@compiled
def _bad_stage(rates, n, wide, t, u, p, slope):
    """Return the first derivative that is not finite at the stages of a failed step, or -1."""
    for stage in range(8):
        rates(t, u, stage * wide, p, slope, 0)
        wrong = _bad(slope, n)
        if wrong >= 0:
            return wrong
    return -1


@compiled
def _give(dose, last, time, state, amount, slopes, n, t, x, s, m, active):
    """Give the doses that are due; return the next one."""
    while dose < last and time[dose] <= t:
        i = state[dose]
        x[i] += amount[dose]
        for a in range(m):
            s[LANES * ((a // LANES) * n + i) + a % LANES] += slopes[dose, active[a]]
        dose += 1
    return dose


@compiled
def _rows_now(n, t, times, row, last, x, s, m, active, states, slopes):
    """Write the rows of this instant; return the next row."""
    while row < last and times[row] <= t:
        for i in range(n):
            states[row, i] = x[i]
            for a in range(m):
                slopes[row, i, active[a]] = s[LANES * ((a // LANES) * n + i) + a % LANES]
        row += 1
    return row


@compiled
def _keep(tape, kept, c, t, h, n, x, p, n_p):
    """Write an accepted step to the tape, where there is room."""
    at = kept[c]
    kept[c] += 1
    if at < tape.shape[1]:
        tape[c, at, 0] = t
        tape[c, at, 1] = h
        for i in range(n):
            tape[c, at, 2 + i] = x[i]
        for q in range(n_p, p.size):
            tape[c, at, 2 + n + q - n_p] = p[q]


@compiled
def follow(
    rates, jacobian, linear_at, curvature, factor, solve, roots, root_slopes, triggers,
    urgencies, assign, delays, table, rows, columns, bend_own, n, n_p, n_flags, n_events,
    n_assigned, root_row, assign_row, delay_row, group, strict, timed, kinds, assign_first,
    assign_state, width, bend_entries, entries, own, wide, m, blocks,
    times, row, row_end, start, dose, dose_end, dose_time, dose_state, dose_amount, dose_slopes,
    active, weight, rtol, atol, max_steps, control, any_root, states, slopes,
    x, x_new, p, u, k, j, lu, w, pivots, point, quantity, before, after, work, weights,
    lanes, coupled, places, tall_places, s, s_new, u_block, k_block, dp, linear, bends,
    lower, upper, pivot, own_first, own_order, own_place, instant, rest, switch_time, was,
    waits, number, waiting_time, waiting_instant, waiting_values, waiting_slopes, tape, kept, c,
):  # fmt: skip
    """Follow one condition; return its status, where it stopped, what is not finite, and steps.

    Accepted steps are counted in ``kept[c]``, and their start, size, states and flags written to
    ``tape[c]`` as far as there is room.
    """
    t = start
    wrong = _bad_start(x, n, p, n_p)
    if wrong >= 0:
        return BAD_START, t, wrong, 0
    if n_flags > 0:
        _begin_flags(roots, root_slopes, table, root_row, n, n_p, n_flags, strict, timed, t, x, p,
                     work, quantity, switch_time)  # fmt: skip
    waits[:] = -1
    number[:] = 0
    for e in range(n_events):
        was[e] = kinds[e] & AT_START != 0
    end = times[row_end - 1] if row_end > row else t
    crossed, restart, begun, opening = -1, True, False, n_flags > 0
    h, usual, taken, total, turns, failed = 0.0, 0.0, 0, 0, 0, False
    while True:
        # the instant: flags that turn, doses, events, rows
        instant[:] = 0.0
        if crossed >= 0:
            turn(rates, roots, root_slopes, table, root_row, n, n_p, n_flags, group, strict, timed,
                 crossed, t, x, p, s, dp, m, instant, before, after, work, quantity,
                 rest)  # fmt: skip
            restart, crossed = True, -1
        restart = turn_due(
            rates, roots, root_slopes, table, root_row, n, n_p, n_flags, group, strict, timed,
            switch_time, restart, t, x, p, s, dp, m, instant, before, after, work, quantity, rest,
        )  # fmt: skip
        if dose < dose_end and dose_time[dose] <= t:
            roots(t, x, 0, p, rest, 0)
            dose = _give(dose, dose_end, dose_time, dose_state, dose_amount, dose_slopes, n, t, x,
                         s, m, active)  # fmt: skip
            read_flags(roots, t, x, p, n_p, n_flags, strict, timed, rest, quantity)
            restart = True
        if n_events > 0:
            ran = settle(
                rates, roots, triggers, urgencies, assign, delays, table, assign_row, delay_row, n,
                n_p, n_flags, n_events, n_assigned, kinds, assign_first, assign_state, strict,
                timed, t, x, p, s, dp, m, instant, was, before, quantity, work, rest, waits,
                waiting_time, waiting_instant, width, waiting_values, waiting_slopes, number,
            )  # fmt: skip
            if ran < 0:
                return ENDLESS_EVENTS, t, 0, total
            restart = restart or ran > 0
        if opening:
            opening = False
            if _lean_flags(rates, roots, root_slopes, table, root_row, n, n_p, n_flags, timed, t,
                           x, p, before, work, quantity, switch_time):  # fmt: skip
                continue
        row = _rows_now(n, t, times, row, row_end, x, s, m, active, states, slopes)
        if row == row_end:
            return OK, t, 0, total
        stop = end
        if dose < dose_end:
            stop = min(stop, dose_time[dose])
        for q in range(n_flags):
            stop = min(stop, switch_time[q])
        stop = min(stop, soonest(waits, waiting_time))
        if restart:
            rates(t, x, 0, p, before, 0)
            wrong = _bad(before, n)
            if wrong >= 0:
                return NOT_FINITE, t, wrong, total
            h = max(first_step(n, x, before, rtol, atol), usual if begun else 0.0)
            taken, restart = 0, False
        fresh, halted = True, taken == 0
        while t < stop:  # steps up to the next instant that is known
            if fresh:
                jacobian(t, x, 0, p, j, 0)
                for q in range(entries + n):
                    if not np.isfinite(j[q]):
                        j[q] = 0.0
                fresh = False
            landing = t + 1.001 * h >= stop
            size = stop - t if landing else h
            if taken >= max_steps:
                return TOO_MANY_STEPS, t, 0, total
            if t + size == t:
                wrong = _bad_stage(rates, n, wide, t, u, p, before) if failed else -1
                if wrong >= 0:
                    return NOT_FINITE, t, wrong, total
                return STEP_TOO_SMALL, t, 0, total
            taken += 1
            total += 1
            found = state_step(rates, factor, solve, n, t, size, x, p, u, k, x_new, j, entries,
                               rows, columns, lu, w, pivots, places, coupled)  # fmt: skip
            error = np.inf if found == 2 else state_error(n, x, x_new, k, 7 * wide, rtol, atol)
            failed = not np.isfinite(error)
            if failed:
                h = 0.1 * size
                continue
            shorter = size
            if error <= 1.0 and any_root:
                theta, crossed = locate(roots, n, n_p, n_flags, timed, t, size, x, x_new, k, wide,
                                        p, weights, point, quantity)  # fmt: skip
                if crossed >= 0:
                    turns += 1
                    if turns > _TURNS:
                        return ENDLESS_EVENTS, t, 0, total
                    shorter = theta * size
                    if t + shorter == t or theta < 1e-9:
                        break
                    if shorter < size:
                        found = state_step(rates, factor, solve, n, t, shorter, x, p, u, k, x_new,
                                           j, entries, rows, columns, lu, w, pivots, places,
                                           coupled)  # fmt: skip
                        landing = False
            if m > 0 and error <= 1.0:
                carry_columns(
                    linear_at, curvature, table, n, n_p, entries, own, bend_entries, bend_own, t,
                    shorter, p, wide, u, k, linear, bends, lu, lower, upper, pivot, found == 1, w,
                    pivots, coupled, tall_places, blocks, s, s_new, u_block, k_block, own_first,
                    own_order, own_place, dp,
                )  # fmt: skip
                if control:
                    off = column_error(n, m, s, s_new, k_block, rtol, atol, weight)
                    error = max(error, off) if shorter == size or off > 1.0 else error
            factor_h = _SAFETY * max(error, 1e-12) ** -0.2
            if error > 1.0:
                h = shorter * max(_SHRINK, factor_h) if np.isfinite(error) else 0.1 * shorter
                crossed = -1
                continue
            if halted:
                usual, halted, begun = shorter, False, True
            row = write_rows(
                n, t, shorter, stop if landing else np.inf, times, row, row_end, x, x_new, k, wide,
                weights, point, blocks, m, s, s_new, k_block, tall_places, active, lanes, states,
                slopes,
            )  # fmt: skip
            _keep(tape, kept, c, t, shorter, n, x, p, n_p)
            t = stop if landing else t + shorter
            for i in range(n):
                x[i] = x_new[i]
            for a in range(blocks * LANES * n):
                s[a] = s_new[a]
            grown = size * min(_GROW, max(_SHRINK, factor_h))
            h = max(h, grown) if landing else grown
            fresh = True
            if crossed >= 0:
                break
            turns = 0
