"""The event loop for systems that need a solver, with their sensitivities, compiled.

States and sensitivities lie in one vector (`statera.numerics.sensitivity`). Steps land on events.
"""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.pointers import Pointer
from statera.numerics.rodas5p import (
    FACTOR,
    FACTOR_CALL,
    SOLVE,
    SOLVE_CALL,
    SOLVE_COLUMNS,
    SOLVE_COLUMNS_CALL,
    no_columns,
    no_factor,
    no_jacobian,
    no_solve,
)
from statera.numerics.transit_columns import leave
from statera.numerics.tsit5 import FUNCTION, RHS
from statera.simulate.doses import STEP_TOO_SMALL, TOO_MANY_STEPS
from statera.simulate.gradient_ode_steady_kernel import meet_steady
from statera.simulate.gradient_ode_step_kernel import (
    RODAS5P,
    STIFF,
    TSIT5,
    WATCHED,
    advance,
    enter_transit,
    fill,
    give,
    pack,
    put,
    room,
)
from statera.simulate.gradient_schedule import (
    ADD_CONSTANT,
    ADD_STEADY,
    CHANGE,
    CONSTANT,
    KIND,
    OBSERVE,
    PASS,
    RESET,
    ROW,
    SOURCE,
    STARTED_BY,
    STEADY,
    TRANSIT,
    WHEN,
    action_tangents,
    new_actions,
    schedule,
)
from statera.simulate.pending import new_table

__all__ = ["GIVEN_UP", "NOTHING", "NOT_STIFF", "RODAS5P", "TSIT5", "WATCHED", "run_ode_gradient"]

GIVEN_UP = (STIFF, TOO_MANY_STEPS, STEP_TOO_SMALL)
"""Statuses after which a subject is worth another try by Rodas5P."""

_NOWHERE = np.zeros(0, dtype=np.int64)
NOTHING = Pointer(no_jacobian, FUNCTION)
"""Stands in for a function that writes slopes."""
NOT_STIFF = (
    NOTHING, Pointer(no_factor, FACTOR_CALL), Pointer(no_solve, SOLVE_CALL),
    Pointer(no_columns, SOLVE_COLUMNS_CALL), NOTHING, NOTHING, NOTHING, _NOWHERE, _NOWHERE, 1,
)  # fmt: skip
"""Arguments that stand in where no stiff code is needed."""

_F, _I = types.float64, types.int64
_SIGNATURE = types.void(
    RHS, RHS, RHS, RHS, FACTOR, SOLVE, SOLVE_COLUMNS, RHS, RHS, RHS, _I[::1], _I[::1], _I,
    _I, _I, _I, _I[::1], _I[::1], _I[::1], _I[::1],
    _I[::1], _F[::1], _I[::1], _F[::1], _F[::1], _F[::1], _I[::1], _I[::1], _I[::1], _I[::1],
    _I[::1], _I[::1], _I[::1], _F[:, ::1], _F[:, ::1], _F[:, ::1], _F[:, ::1],
    _F[:, :, ::1], _F[:, :, ::1], _F[:, :, ::1], _F[:, :, ::1],
    _F[:, ::1], _F[:, :, ::1], _F[:, ::1], _F[:, :, ::1], _I[::1], _F[::1],
    _F, _F, _I, _I, _F,
    _F[:, :, ::1], _F[:, :, :, ::1], _I[::1],
)  # fmt: skip


@compiled(_SIGNATURE)
def run_ode_gradient(
    f, g, flow, jacobian, factor, solve_given, solve_columns, by_time, curvature, bending, rows,
    columns, n_factors, method, s_first, s_last, one, two, during, at, offsets, time, evid, amt,
    rate, ii, addl, ss, key, row_of, key_start, compartment, kind, fr, lag, duration, modelled_rate,
    d_fr, d_lag, d_duration, d_modelled_rate,
    constants, d_constants, initial, d_initial, accumulates, weights,
    rtol, atol, max_steps, periods, period_rtol, y, dy, statuses,
):  # fmt: skip
    """Solve the subjects ``s_first`` to ``s_last`` with their sensitivities.

    ``f`` and ``g`` are those of `CompiledVariational`, ``jacobian`` to ``n_factors`` those of
    `StiffVariational`, used where the method is Rodas5P. With pairs (``one`` and ``two``, see
    `run_linear_gradient`) all are those of `SecondVariational` and `StiffSecondVariational`, which
    have ``flow`` and ``bending`` besides; ``constants`` (n_systems, n_q) with
    ``d_constants`` (.., n_q, n_wrt), ``initial`` (n_systems, n) with ``d_initial`` (.., n, n_wrt);
    ``accumulates`` (n,) is 1 for states on which nothing else depends;
    ``weights`` (n_wrt,) scale the absolute tolerance. The rest as in `run_linear_gradient`.
    """
    n, m, n_out = initial.shape[1], d_initial.shape[2], y.shape[2]
    size = n * (1 + m)
    stiff = (
        jacobian, factor, solve_given, solve_columns, by_time, curvature, bending, rows, columns,
        n_factors,
    )  # fmt: skip
    n_q = d_constants.shape[1]
    shared, varying = offsets.size == 2, during.size > 0
    p, entering = room(n_q, m, one.size), n_q * (1 + m)
    actions, used = new_actions(64), np.zeros(1, dtype=np.int64)
    table, count = new_table(16)
    x, x_new, state, peak = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    rates, base, k = np.zeros(size), np.zeros(size), np.zeros(11 * size)
    values, totals = np.zeros(n_out * (1 + m)), np.zeros(1 + m)
    before, after = np.zeros(n), np.zeros(n)
    d_when, d_size, clock = np.zeros(m), np.zeros(m), np.zeros(6)
    status, running = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for s in range(s_first, s_last):
        status[0] = statuses[s]
        lo, hi = (offsets[0], offsets[1]) if shared else (offsets[s], offsets[s + 1])
        if status[0] != 0 or hi <= lo:
            continue
        q = during[lo] if varying else s
        slot = min(s, y.shape[0] - 1)
        actions, table = schedule(
            actions, used, table, count, lo, hi, q, during, at, time, evid, amt, rate, ii, addl,
            ss, key, row_of, key_start, kind, fr, lag, duration, modelled_rate, status,
        )  # fmt: skip
        total = used[0]
        pack(constants[q], d_constants[q], one, two, 0, p)
        put(initial[q], d_initial[q], x)
        peak[:] = np.abs(x)
        rates[:] = 0.0
        p[entering] = 0.0
        running[0] = 0
        clock[0] = time[lo]
        clock[1] = 0.0
        index = 0
        while index < total and status[0] == 0:
            action = actions[index]
            what = int(action[KIND])
            if what == OBSERVE and action[WHEN] > clock[0]:
                # on to the next event; observations before it come from within the steps
                following = index
                while following < total - 1 and int(actions[following, KIND]) == OBSERVE:
                    following += 1
                stop = actions[following, WHEN]
            else:
                stop = action[WHEN]
            if stop > clock[0]:
                index = advance(
                    stiff, method, f, stop, clock, n, one.size, x, p, rates, k, x_new, peak,
                    weights, totals, rtol, atol, max_steps, g, state, values, n_out,
                    actions[:total], index, y[slot], dy[slot], status,
                )  # fmt: skip
                continue
            index += 1
            if what == OBSERVE:
                fill(g, clock[0], x, p, values, n_out, int(action[ROW]), y[slot], dy[slot])
                continue
            if what == CHANGE:
                q = int(action[SOURCE])
                pack(constants[q], d_constants[q], one, two, 0, p)
            elif what == RESET:
                clock[0] = action[WHEN]  # after a reset the clock may start again
                put(initial[q], d_initial[q], x)
                rates[:] = 0.0
                p[entering] = 0.0
                running[0] = 0
            elif what in (CONSTANT, STEADY, ADD_CONSTANT, ADD_STEADY):
                # what SS=2 adds is the difference from the state without any dose
                adds = what in (ADD_CONSTANT, ADD_STEADY)
                alone = np.zeros(size) if adds else x
                if adds:
                    put(initial[q], d_initial[q], alone)
                    x -= alone
                meet_steady(
                    stiff, method, f, g, flow, n, one, two, alone, constants[q], d_constants[q],
                    action, compartment, kind, fr, d_fr, lag, d_lag, duration, d_duration,
                    modelled_rate, d_modelled_rate, accumulates, weights, rtol, atol, max_steps,
                    periods, period_rtol, status,
                )  # fmt: skip
                if adds:
                    x += alone
            elif what == PASS:
                leave(clock[0], p, entering, m)
                continue
            elif what == TRANSIT:
                source, by = int(action[SOURCE]), int(action[STARTED_BY])
                action_tangents(
                    action, one, two, kind, fr, d_fr, duration, d_duration, modelled_rate,
                    d_modelled_rate, d_lag, d_when, d_size,
                )  # fmt: skip
                p = enter_transit(
                    p, entering, n, one.size, x, peak, action, compartment[source], 0,
                    duration[by, source], modelled_rate[by, source], d_when, d_size,
                    d_duration[by, source], d_modelled_rate[by, source], status,
                )  # fmt: skip
            else:
                moves = action_tangents(
                    action, one, two, kind, fr, d_fr, duration, d_duration, modelled_rate,
                    d_modelled_rate, d_lag, d_when, d_size,
                )  # fmt: skip
                give(
                    f, flow, clock[0], n, x, p, constants[q, :n_q], rates, action,
                    compartment[int(action[SOURCE])], one, two, moves, d_when, d_size, running,
                    base, before, after,
                )  # fmt: skip
            clock[1] = 0.0
            for i in range(size):
                peak[i] = max(peak[i], abs(x[i]))
        statuses[s] = status[0]
