"""The event loop for systems that need a solver, compiled: steps land exactly on events."""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.tsit5 import RHS, STEPPER
from statera.simulate.doses import (
    BAD_INPUT,
    LAG_TOO_LONG,
    NOT_PERIODIC,
    order_dose,
    take_entry,
)
from statera.simulate.ode_step import advance_to
from statera.simulate.pending import (
    STOPS,
    TIME,
    clear,
    drop,
    earliest,
    new_table,
    next_index,
    running_rates,
)
from statera.simulate.windows import reset

__all__ = ["run_ode"]

_F, _I, _B = types.float64, types.int64, types.boolean
_SIGNATURE = types.void(
    RHS, RHS, STEPPER, _I, _I,
    _I[::1], _F[::1], _I[::1], _F[::1], _F[::1], _F[::1], _I[::1], _I[::1], _I[::1],
    _I[::1], _I[::1], _I[::1], _F[:, ::1], _F[:, ::1], _F[:, ::1], _F[:, ::1],
    _F[:, ::1], _F[:, ::1], _I,
    _F, _F, _I, _I, _F,
    _F[:, ::1], _F[::1], _I[::1], _F[:, :, ::1], _F[:, :, :, ::1], _I[::1],
)  # fmt: skip


@compiled
def _reach_steady_state(
    f, g, step, table, count, status, time, amount, record_rate, interval, first, last,
    compartment, kind, fr, lag, duration, modelled_rate,
    clock, x, p, rates, k, x_new, peak, state, values, jump,
    rtol, atol, max_steps, periods, period_rtol, none_i, none_f, none_y, none_w, none_m,
):  # fmt: skip
    """Repeat the dosing period on a clock of its own until the state no longer changes.

    The remaining error of a contracting sequence is estimated from the ratio of two changes.
    """
    n = x.size
    constant = interval == 0.0
    length = 24.0 if constant else interval
    for q in range(first, last):
        if not constant and lag[q] >= interval:
            status[0] = LAG_TOO_LONG
            return table
    before = np.zeros(n)
    clock[0] = 0.0
    clock[2] = 0.0
    if constant:
        rates[:] = 0.0
        for q in range(first, last):
            rates[compartment[q]] += record_rate
    else:
        jump[:] = 0.0
        table = order_dose(
            table, count, status, 0.0, amount, record_rate, 1e18, interval, first, last, False,
            compartment, kind, fr, lag, duration, modelled_rate, jump,
        )  # fmt: skip
    change_before = np.inf
    settled = False
    for period in range(periods):
        for i in range(n):
            before[i] = x[i]
        end = (period + 1) * length
        while status[0] == 0:
            index = next_index(table, count)
            due = table[index, TIME] if index >= 0 else np.inf
            # a start at the end of the period belongs to the next one
            stop = min(due, end)
            if stop > clock[0]:
                advance_to(
                    f, g, step, stop, False, clock, x, p, rates, k, x_new, peak, state, values,
                    rtol, atol, max_steps, 0, 0, none_i, none_f, none_i, none_y, none_w, none_m,
                    status,
                )  # fmt: skip
            if due >= end - 1e-9:
                break
            jump[:] = 0.0
            table = take_entry(
                table, count, index, status, compartment, kind, fr, duration, modelled_rate, jump
            )
            for i in range(n):
                x[i] += jump[i]
                peak[i] = max(peak[i], abs(x[i]))
            running_rates(table, count, rates)
            clock[2] = 0.0
        if status[0] != 0:
            return table
        change = 0.0
        for i in range(n):
            scale = max(abs(x[i]), abs(before[i]))
            if scale > 1e-15 * peak[i]:  # a state that dies away is settled when it is gone
                change = max(change, abs(x[i] - before[i]) / scale)
        ratio = change / change_before if change_before > 0.0 else 0.0
        left = change * ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
        if (change < period_rtol and left < period_rtol * 10.0) or change == 0.0:
            settled = True
            break
        change_before = change
    if not settled:
        status[0] = NOT_PERIODIC
        return table
    # back to the subject's clock: running infusions stay, virtual doses go
    for index in range(count[0] - 1, -1, -1):
        if table[index, STOPS] == 1.0:
            table[index, TIME] += time - clock[0]
        else:
            drop(table, count, index)
    if constant:
        rates[:] = 0.0
    clock[0] = time
    clock[2] = 0.0
    return table


@compiled(_SIGNATURE)
def run_ode(
    f, g, step, s_first, s_last, offsets, time, evid, amt, rate, ii, addl, ss, key,
    key_start, compartment, kind, fr, lag, duration, modelled_rate, parameters, initial, n_out,
    rtol, atol, max_steps, periods, period_rtol, windows, breaks, row_of, y, measures, statuses,
):  # fmt: skip
    """Simulate the subjects ``s_first`` to ``s_last``; arguments as in `run_linear`.

    ``f`` is the right-hand side, ``g`` writes the outputs and ``step`` takes a Tsit5 step.
    """
    n = initial.shape[1]
    shared = offsets.size == 2
    x, x_new, state = np.zeros(n), np.zeros(n), np.zeros(n)
    peak = np.zeros(n)
    rates, jump, values = np.zeros(n), np.zeros(n), np.zeros(n_out)
    k = np.zeros(7 * n)
    clock = np.zeros(3)
    status = np.zeros(1, dtype=np.int64)
    none_i, none_f = np.zeros(0, dtype=np.int64), np.zeros(0)
    none_y, none_w, none_m = np.zeros((0, 0)), np.zeros((0, 2)), np.zeros((0, 0, 0))
    table, count = new_table(16)
    for s in range(s_first, s_last):
        p = parameters[s]
        if windows.shape[0] > 0:
            reset(measures[s])
        status[0] = statuses[s]
        count[0] = 0
        for i in range(n):
            x[i] = initial[s, i]
            peak[i] = abs(x[i])
        rates[:] = 0.0
        lo, hi = (offsets[0], offsets[1]) if shared else (offsets[s], offsets[s + 1])
        clock[0] = time[lo] if hi > lo else 0.0
        clock[2] = 0.0
        due = near = np.inf
        r = lo
        upcoming = lo
        while r < hi and status[0] == 0:
            while r < hi and evid[r] == 0 and time[r] <= clock[0] and time[r] < near:
                if row_of[r] >= 0:
                    g(time[r], x, p, values, 0)
                    for o in range(n_out):
                        y[s, row_of[r], o] = values[o]
                r += 1
            if r >= hi:
                break
            upcoming = max(upcoming, r)
            while upcoming < hi - 1 and evid[upcoming] == 0:
                upcoming += 1
            stop = due if near <= time[upcoming] else time[upcoming]
            for b in breaks:
                if clock[0] < b and earliest(b) < stop:
                    stop = b
                    break
            if stop > clock[0]:
                r = advance_to(
                    f, g, step, stop, near <= stop, clock, x, p, rates, k, x_new, peak, state,
                    values, rtol, atol, max_steps, r, hi, evid, time, row_of, y[s], windows,
                    measures[s], status,
                )  # fmt: skip
                if status[0] != 0 or r >= hi:
                    break
            if near <= clock[0]:
                jump[:] = 0.0
                table = take_entry(
                    table, count, next_index(table, count), status, compartment, kind, fr[s],
                    duration[s], modelled_rate[s], jump,
                )  # fmt: skip
            elif evid[r] == 0 or time[r] > clock[0]:
                continue
            else:
                jump[:] = 0.0
                if evid[r] >= 3 or (evid[r] == 1 and ss[r] == 1):
                    clear(count)
                    for i in range(n):
                        x[i] = initial[s, i]
                if evid[r] == 1 or evid[r] == 4:
                    first, last = key_start[key[r]], key_start[key[r] + 1]
                    if ss[r] == 1:
                        table = _reach_steady_state(
                            f, g, step, table, count, status, time[r], amt[r], rate[r], ii[r],
                            first, last, compartment, kind, fr[s], lag[s], duration[s],
                            modelled_rate[s], clock, x, p, rates, k, x_new, peak, state,
                            values, jump, rtol, atol, max_steps, periods, period_rtol, none_i,
                            none_f, none_y, none_w, none_m,
                        )  # fmt: skip
                        jump[:] = 0.0
                    elif ss[r] == 2:
                        status[0] = BAD_INPUT
                    if not (ss[r] == 1 and ii[r] == 0.0):
                        table = order_dose(
                            table, count, status, time[r], amt[r], rate[r], float(addl[r]),
                            ii[r], first, last, True, compartment, kind, fr[s], lag[s],
                            duration[s], modelled_rate[s], jump,
                        )  # fmt: skip
                r += 1
            for i in range(n):
                x[i] += jump[i]
                peak[i] = max(peak[i], abs(x[i]))
            running_rates(table, count, rates)
            index = next_index(table, count)
            due = table[index, TIME] if index >= 0 else np.inf
            near = earliest(due) if index >= 0 else np.inf
            clock[2] = 0.0
        statuses[s] = status[0]
