"""The event loop for systems that need a solver, compiled: steps land exactly on events."""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.pointers import Pointer
from statera.numerics.rodas5p import (
    FACTOR,
    FACTOR_CALL,
    JACOBIAN,
    SOLVE,
    SOLVE_CALL,
    STAGES,
    no_factor,
    no_jacobian,
    no_solve,
)
from statera.numerics.tsit5 import FUNCTION, RHS, STEP, STEPPER, no_step
from statera.simulate.doses import (
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    order_dose,
    take_entry,
)
from statera.simulate.ode_steady import meet_steady_state
from statera.simulate.ode_step import RODAS5P, STIFF, TSIT5, WATCHED, advance_to
from statera.simulate.pending import (
    TIME,
    clear,
    earliest,
    new_table,
    next_index,
    running_rates,
    running_transits,
)
from statera.simulate.windows import reset

__all__ = ["GIVEN_UP", "NOT_STIFF", "NOT_WRITTEN", "RODAS5P", "TSIT5", "WATCHED", "run_ode"]

GIVEN_UP = (STIFF, TOO_MANY_STEPS, STEP_TOO_SMALL)
"""Statuses after which a subject is worth another try by Rodas5P."""
_NOWHERE = np.zeros(0, dtype=np.int64)
NOT_STIFF = (
    Pointer(no_jacobian, FUNCTION), Pointer(no_factor, FACTOR_CALL), Pointer(no_solve, SOLVE_CALL),
    _NOWHERE, _NOWHERE, 1,
)  # fmt: skip
"""Arguments of `run_ode` that stand in where no stiff code is needed."""
NOT_WRITTEN = (Pointer(no_step, STEP), False)
"""Arguments that stand in where no step is written out."""

_F, _I, _B = types.float64, types.int64, types.boolean
_SIGNATURE = types.void(
    RHS, RHS, STEPPER, _B, JACOBIAN, FACTOR, SOLVE, _I[::1], _I[::1], _I, _I, _I, _I,
    _I[::1], _I[::1], _I[::1], _F[::1], _I[::1], _F[::1], _F[::1], _F[::1],
    _I[::1], _I[::1], _I[::1],
    _I[::1], _I[::1], _I[::1], _F[:, ::1], _F[:, ::1], _F[:, ::1], _F[:, ::1],
    _F[:, ::1], _F[:, ::1], _I[::1], _I,
    _F, _F, _I, _I, _F,
    _F[:, ::1], _F[::1], _I[::1], _F[:, :, ::1], _F[:, :, :, ::1], _I[::1],
)  # fmt: skip


@compiled(_SIGNATURE)
def run_ode(
    f, g, written, is_written, jac, factor, solve, rows, columns, n_factors, method,
    s_first, s_last, during, at, offsets, time, evid, amt, rate, ii, addl, ss, key,
    key_start, compartment, kind, fr, lag, duration, modelled_rate, parameters, initial,
    accumulates, n_out,
    rtol, atol, max_steps, periods, period_rtol, windows, breaks, row_of, y, measures, statuses,
):  # fmt: skip
    """Simulate the subjects ``s_first`` to ``s_last``; arguments as in `run_linear`.

    ``f`` is the right-hand side, ``g`` writes the outputs and ``written`` takes a Tsit5 step where
    ``is_written``. The Jacobian with its pattern and factorisation serves Rodas5P and Newton's
    method for the steady state; without it, ``rows`` is empty. Methods are those of
    `statera.simulate.ode_step`. ``accumulates`` (n,) is 1 for states on which nothing else depends.
    """
    n = initial.shape[1]
    base = parameters.shape[1]  # behind the constants stand the doses in transit
    shared = offsets.size == 2
    varying = during.size > 0
    x, x_new, state = np.zeros(n), np.zeros(n), np.zeros(n)
    peak = np.zeros(n)
    p = np.zeros(base + 1)
    rates, jump, values = np.zeros(n), np.zeros(n), np.zeros(n_out)
    k = np.zeros(STAGES * n)
    clock = np.zeros(5)
    step = (written, is_written)
    pattern = (rows, columns)
    work = (
        np.zeros(rows.size + n), np.zeros(n_factors), np.zeros((n, n)),
        np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    no_tangent = np.zeros((0, 0))
    status = np.zeros(1, dtype=np.int64)
    table, count = new_table(16)
    for s in range(s_first, s_last):
        lo, hi = (offsets[0], offsets[1]) if shared else (offsets[s], offsets[s + 1])
        q = during[lo] if varying else s  # row of the parameters
        p[:base] = parameters[q]
        p[base] = 0.0
        slot = min(s, y.shape[0] - 1)
        if windows.shape[0] > 0:
            reset(measures[s])
        status[0] = statuses[s]
        count[0] = 0
        for i in range(n):
            x[i] = initial[q, i]
            peak[i] = abs(x[i])
        rates[:] = 0.0
        clock[0] = time[lo] if hi > lo else 0.0
        clock[2] = 0.0
        due = near = np.inf
        r = lo
        upcoming = lo
        while r < hi and status[0] == 0:
            while r < hi and evid[r] == 0 and time[r] <= clock[0] and time[r] < near:
                if varying and at[r] != q:
                    q = at[r]
                    p[:base] = parameters[q]
                    clock[2] = 0.0
                if row_of[r] >= 0:
                    g(time[r], x, p, values, 0)
                    for o in range(n_out):
                        y[slot, row_of[r], o] = values[o]
                r += 1
            if r >= hi:
                break
            if varying and during[r] != q:
                q = during[r]
                p[:base] = parameters[q]
                clock[2] = 0.0
            upcoming = max(upcoming, r)
            while upcoming < hi - 1 and evid[upcoming] == 0:
                if time[upcoming + 1] < time[upcoming]:
                    break  # a reset with a clock of its own follows
                if varying and (at[upcoming] != q or during[upcoming + 1] != q):
                    break
                upcoming += 1
            stop = due if near <= time[upcoming] else time[upcoming]
            for b in breaks:
                if clock[0] < b and earliest(b) < stop:
                    stop = b
                    break
            strict = varying or near <= stop
            if stop > clock[0]:
                r = advance_to(
                    f, g, step, jac, factor, solve, pattern, work, method, no_tangent,
                    stop, strict, clock, x, p, rates, k, x_new, peak, state,
                    values, rtol, atol, max_steps, r, hi, evid, time, row_of, y[slot], windows,
                    measures[s], status,
                )  # fmt: skip
                if status[0] != 0 or r >= hi:
                    break
            if near <= clock[0]:
                jump[:] = 0.0
                table = take_entry(
                    table, count, next_index(table, count), status, compartment, kind, fr[q],
                    duration[q], modelled_rate[q], jump,
                )  # fmt: skip
            elif evid[r] == 0 or time[r] > clock[0]:
                continue
            else:
                jump[:] = 0.0
                if varying and at[r] != q:
                    q = at[r]
                    p[:base] = parameters[q]
                if evid[r] >= 3:
                    clock[0] = time[r]  # only at a reset may time go back
                if evid[r] >= 3:
                    clear(count)
                    for i in range(n):
                        x[i] = initial[q, i]
                if evid[r] == 1 or evid[r] == 4:
                    first, last = key_start[key[r]], key_start[key[r] + 1]
                    if ss[r] > 0:
                        table, p = meet_steady_state(
                            ss[r] == 2, initial[q], accumulates,
                            f, g, step, jac, factor, solve, pattern, work, method, table, count,
                            status, time[r], amt[r], rate[r], ii[r], first, last, compartment,
                            kind, fr[q], lag[q], duration[q], modelled_rate[q], clock, x, p,
                            base, rates, k, x_new, peak, state, values, jump, rtol, atol, max_steps,
                            periods, period_rtol,
                        )  # fmt: skip
                        jump[:] = 0.0
                    if not (ss[r] > 0 and ii[r] == 0.0):
                        table = order_dose(
                            table, count, status, time[r], amt[r], rate[r], float(addl[r]),
                            ii[r], first, last, True, compartment, kind, fr[q], lag[q],
                            duration[q], modelled_rate[q], jump,
                        )  # fmt: skip
                r += 1
            for i in range(n):
                x[i] += jump[i]
                peak[i] = max(peak[i], abs(x[i]))
            running_rates(table, count, rates)
            p = running_transits(table, count, p, base, peak)
            index = next_index(table, count)
            due = table[index, TIME] if index >= 0 else np.inf
            near = earliest(due) if index >= 0 else np.inf
            clock[2] = 0.0
        statuses[s] = status[0]
