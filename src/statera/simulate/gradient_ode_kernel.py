"""The event loop for systems that need a solver, with their sensitivities, compiled.

States and sensitivities lie in one vector (`statera.numerics.sensitivity`). Steps land on events.
"""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.expm import solve
from statera.numerics.pointers import Pointer
from statera.numerics.rodas5p import (
    FACTOR,
    FACTOR_CALL,
    SOLVE,
    SOLVE_CALL,
    SOLVE_COLUMNS,
    SOLVE_COLUMNS_CALL,
    dense_output,
    interpolate_stiff,
    no_columns,
    no_factor,
    no_jacobian,
    no_solve,
)
from statera.numerics.sensitivity_step import column_error, first_step, held_down, stiff_step
from statera.numerics.tsit5 import FUNCTION, RHS, interpolate, looped_step
from statera.simulate.doses import (
    NO_STEADY_STATE,
    NOT_FINITE,
    NOT_PERIODIC,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
)
from statera.simulate.gradient_schedule import (
    BOLUS,
    CHANGE,
    CONSTANT,
    GIVEN,
    KIND,
    OBSERVE,
    PERIOD,
    RECORD_RATE,
    RESET,
    ROW,
    SIZE,
    SOURCE,
    STARTED_BY,
    STEADY,
    STOP,
    WHEN,
    action_tangents,
    new_actions,
    period_schedule,
    schedule,
)
from statera.simulate.pending import new_table

__all__ = ["GIVEN_UP", "NOTHING", "NOT_STIFF", "RODAS5P", "TSIT5", "WATCHED", "run_ode_gradient"]

TSIT5, RODAS5P, WATCHED = 0, 1, 2
"""Methods; the last is Tsit5 that gives up where the system is stiff."""

STIFF = 100
"""Status of a subject that Tsit5 gave up: it is solved anew by Rodas5P."""

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
    _F[:, ::1], _F[:, :, ::1], _F[:, ::1], _F[:, :, ::1], _F[::1],
    _F, _F, _I, _I, _F,
    _F[:, :, ::1], _F[:, :, :, ::1], _I[::1],
)  # fmt: skip

_CONSTANT_PERIOD = 24.0
"""Length of the pieces in which a constant infusion is followed to its steady state."""

_GONE = 1e-15
"""A state below this part of its largest size has died away and is settled."""

_ROUNDS = 2
"""Newton steps to a fixed point that periods came close to; each squares the distance."""


@compiled
def _pack(p, d_p, one, two, extra, packed):
    """Write constants, the columns of their derivatives and the pairs into one vector.

    `extra` columns of zeros stand between those of first and those of second derivatives.
    """
    n_q, m = d_p.shape
    pairs = one.size
    w = m + extra
    packed[:] = 0.0
    for c in range(n_q):
        packed[c] = p[c]
        for j in range(m):
            packed[n_q + c * w + (j if j < m - pairs else j + extra)] = d_p[c, j]
    tail = packed.size - 1 - 2 * pairs
    for c in range(pairs):
        packed[tail + c] = one[c]
        packed[tail + pairs + c] = two[c]
    packed[packed.size - 1] = pairs


@compiled
def _room(n_q, columns, pairs):
    """Return an empty vector for `_pack`."""
    return np.zeros(max(1, n_q) + n_q * columns + 2 * pairs + 1)


@compiled
def _put(initial, d_initial, x):
    """Write initial states (n,) and their derivatives (n, n_wrt) into the vector of both."""
    n, m = d_initial.shape
    for i in range(n):
        x[i] = initial[i]
        for j in range(m):
            x[n + i * m + j] = d_initial[i, j]


@compiled
def _advance(
    stiff, method, f, stop, clock, n, n_pairs, x, p, rates, k, x_new, peak, weights, totals, rtol,
    atol, max_steps, g, state, values, n_out, actions, index, y, dy, status,
):  # fmt: skip
    """Integrate from ``clock[0]`` to stop; return the index of the first action not filled.

    Observations from ``actions[index]`` on that lie before `stop` are filled from the dense
    output. ``clock[1]`` is the next step, 0 where the first stage must be computed anew;
    ``clock[3:6]`` count for the watch on stiffness. ``stiff`` holds the functions of Rodas5P.
    """
    t = clock[0]
    clock[3:6] = 0.0
    if stop - t <= 1e-13 * abs(stop):
        t = stop
    size = x.size
    implicit = method == RODAS5P
    side = n if implicit else 0
    j, slope, w = np.zeros(stiff[7].size + side), np.zeros(size), np.zeros((side, side))
    pivots, lu = np.zeros(side, dtype=np.int64), np.zeros(stiff[9])
    for _ in range(max_steps):
        if t >= stop:
            break
        if clock[1] == 0.0:
            f(t, x, p, k, 0)
            for i in range(size):
                k[i] += rates[i]
            clock[1] = first_step(x, k, peak, rtol, atol)
        h = min(clock[1], stop - t)
        if h < 1e-14 * max(abs(t), 1e-3):
            status[0] = STEP_TOO_SMALL
            return index
        error = np.inf
        if not implicit:
            looped_step(f, t, h, x, p, rates, k, x_new, peak, rtol, atol)
            error = column_error(n, h, x, x_new, k, peak, weights, rtol, atol, totals, False)
        elif stiff_step(
            f, stiff, n_pairs, n, t, h, x, p, rates, k, x_new, j, slope, lu, w, pivots
        ):  # fmt: skip
            error = column_error(n, h, x, x_new, k, peak, weights, rtol, atol, totals, True)
        if not error <= 1.0:
            if not np.isfinite(error) and h < 1e-10:
                status[0] = NOT_FINITE
                return index
            clock[1] = h * max(0.2, 0.9 * error**-0.2) if np.isfinite(error) else 0.1 * h
            continue
        t_new = stop if t + h >= stop - 1e-14 * abs(stop) else t + h
        ready = False
        while index < actions.shape[0] and int(actions[index, KIND]) == OBSERVE:
            when = actions[index, WHEN]
            if when >= t_new:
                break
            if implicit:
                if not ready:
                    dense_output(size, k)
                    ready = True
                interpolate_stiff((when - t) / h, x, x_new, k, state)
            else:
                interpolate((when - t) / h, h, x, k, state)
            _fill(g, when, state, p, values, n_out, int(actions[index, ROW]), y, dy)
            index += 1
        if method == WATCHED and held_down(n, clock, stop - t, h, x, k, peak, rtol, atol):
            status[0] = STIFF
            return index
        t = t_new
        for i in range(size):
            x[i] = x_new[i]
            if not implicit:
                k[i] = k[6 * size + i]
            peak[i] = max(peak[i], abs(x_new[i]))
        growth = 5.0 if error == 0.0 else min(5.0, 0.9 * error**-0.2)
        # a step cut short by an event says nothing against the longer one before it
        clock[1] = max(clock[1], h * growth) if h < clock[1] else h * growth
    clock[0] = t
    if t < stop:
        status[0] = TOO_MANY_STEPS
    return index


@compiled
def _fill(g, t, x, p, values, n_out, row, y, dy):
    if row < 0:
        return
    g(t, x, p, values, 0)
    m = dy.shape[2]
    for o in range(n_out):
        y[row, o] = values[o]
        for j in range(m):
            dy[row, o, j] = values[n_out + o * m + j]


@compiled
def _motion(f, flow, n, t, x, p, rates, constants):
    """Return the time derivatives of all of x, and behind them the second ones of the states."""
    size, n_q = x.size, constants.size
    out, turned = np.zeros(size + n), np.zeros(2 * n)
    f(t, x, p, out, 0)
    for i in range(size):
        out[i] += rates[i]
    packed, along = np.zeros(2 * (n_q + 1)), np.zeros(2 * n)
    packed[:n_q], packed[n_q], packed[2 * n_q + 1] = constants, t, 1.0
    along[:n], along[n:] = x[:n], out[:n]
    flow(t, along, packed, turned, 0)
    out[size:] = turned[n:]
    return out


@compiled
def _give(
    f, flow, t, n, x, p, constants, rates, action, column, one, two, moves, d_when, d_size,
    running, base, before, after,
):  # fmt: skip
    """Carry out an action into the state ``column``; see the same of linear systems."""
    columns = x.size // n - 1
    kind = int(action[KIND])
    size = action[SIZE]
    start = n + column * columns
    bends = moves and one.size > 0
    motion = _motion(f, flow, n, t, x, p, rates, constants) if bends else np.zeros(0)
    if kind == BOLUS:
        if moves:
            f(t, x[:n], p, before, 0)
        x[column] += size
        for j in range(d_size.size):
            x[start + j] += d_size[j]
        if moves:
            f(t, x[:n], p, after, 0)
            for i in range(n):
                for j in range(d_when.size):
                    x[n + i * columns + j] += (before[i] - after[i]) * d_when[j]
    else:
        sign = -1.0 if kind == STOP else 1.0
        running[0] += int(sign)
        rates[column] += sign * size
        for j in range(d_size.size):
            rates[start + j] += sign * d_size[j]
            x[start + j] -= sign * size * d_when[j]
        if running[0] == 0:
            rates[:] = base
    if bends:
        motion -= _motion(f, flow, n, t, x, p, rates, constants)
        for c in range(one.size):
            j, k = one[c], two[c]
            for i in range(n):
                at = n + i * columns
                x[at + columns - one.size + c] += (
                    motion[at + j] * d_when[k] + motion[at + k] * d_when[j]
                    + motion[x.size + i] * d_when[j] * d_when[k]
                )  # fmt: skip


@compiled
def _period(
    stiff, method, f, g, flow, n, one, two, x, p, constants, plan, interval, constant, compartment,
    d_whens, d_sizes, weights, peak, rtol, atol, max_steps, status,
):  # fmt: skip
    """Advance over one period of repeated inputs, or over a piece of a constant one, in place."""
    size = x.size
    k, x_new, rates, totals = np.zeros(11 * size), np.zeros(size), np.zeros(size), np.zeros(size)
    base, before, after = np.zeros(size), np.zeros(n), np.zeros(n)
    for i in range(n):
        rates[i] = constant[i]
    none, state, values = new_actions(0), np.zeros(0), np.zeros(0)
    y, dy = np.zeros((0, 0)), np.zeros((0, 0, 0))
    clock = np.zeros(6)
    running = np.ones(1, dtype=np.int64)  # never back to none: a period ends as it begins
    m = d_whens.shape[1] if size > n else 0
    for a in range(plan.shape[0] + 1):
        stop = interval if a == plan.shape[0] else min(plan[a, WHEN], interval)
        if stop > clock[0]:
            _advance(
                stiff, method, f, stop, clock, n, one.size, x, p, rates, k, x_new, peak, weights,
                totals, rtol, atol, max_steps, g, state, values, 0, none, 0, y, dy, status,
            )  # fmt: skip
        if status[0] != 0:
            return
        if a < plan.shape[0]:
            column = compartment[int(plan[a, SOURCE])]
            _give(
                f, flow, clock[0], n, x, p, constants, rates, plan[a], column, one, two, m > 0,
                d_whens[a, :m], d_sizes[a, :m], running, base, before, after,
            )  # fmt: skip
            for i in range(size):
                peak[i] = max(peak[i], abs(x[i]))
            clock[1] = 0.0


@compiled
def _settle(
    stiff, method, f, g, flow, n, no_pairs, x, p, constants, plan, interval, constant, compartment,
    none, weights, peak, rtol, atol, max_steps, periods, period_rtol, status,
):  # fmt: skip
    """Repeat the period until the state no longer changes, as the simulation does."""
    change_before = np.inf
    for _ in range(periods):
        before = x.copy()
        _period(
            stiff, method, f, g, flow, n, no_pairs, no_pairs, x, p, constants, plan, interval,
            constant, compartment, none, none, weights, peak, rtol, atol, max_steps, status,
        )  # fmt: skip
        if status[0] != 0:
            return
        change = 0.0
        for i in range(n):
            scale = max(abs(x[i]), abs(before[i]))
            if scale > _GONE * peak[i]:
                change = max(change, abs(x[i] - before[i]) / scale)
        ratio = change / change_before if change_before > 0.0 else 0.0
        left = change * ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
        if (change < period_rtol and left < period_rtol * 10.0) or change == 0.0:
            return
        change_before = change
    status[0] = NOT_PERIODIC


@compiled
def _steady(
    stiff, method, f, g, flow, n, one, two, x, p, d_p, action, compartment, kind, fr, d_fr, lag,
    d_lag, duration, d_duration, rate, d_rate, weights, rtol, atol, max_steps, periods,
    period_rtol, status,
):  # fmt: skip
    """Write the steady state and its sensitivities into x, starting from the states in it.

    Of the map Phi of one period ``dx/dw = (I - Phi_x)^-1 Phi_w`` by the implicit function theorem;
    both derivatives are sensitivities over one period, and a Newton step removes what periods left.
    One more period, from the first derivatives, gives what the second ones gain in it.
    """
    constant, held = np.zeros(n), int(action[KIND]) == CONSTANT
    first, last = int(action[SOURCE]), int(action[ROW])
    interval = _CONSTANT_PERIOD if held else action[PERIOD]
    plan = new_actions(0)
    if held:
        for q in range(first, last):
            constant[compartment[q]] += action[RECORD_RATE]
    else:
        plan = period_schedule(
            action[GIVEN], action[RECORD_RATE], interval, first, last, int(action[STARTED_BY]),
            kind, fr, lag, duration, rate,
        )  # fmt: skip
    n_q, size = d_p.shape
    pairs = one.size
    m, columns = size - pairs, size + n
    d_whens, d_sizes = np.zeros((plan.shape[0], columns)), np.zeros((plan.shape[0], columns))
    d_when, d_size = np.zeros(size), np.zeros(size)
    for a in range(plan.shape[0]):
        action_tangents(
            plan[a], one, two, kind, fr, d_fr, duration, d_duration, rate, d_rate, d_lag, d_when,
            d_size,
        )  # fmt: skip
        d_whens[a, :m], d_whens[a, m + n :] = d_when[:m], d_when[m:]
        d_sizes[a, :m], d_sizes[a, m + n :] = d_size[:m], d_size[m:]
    state = x[:n].copy()
    none = np.zeros((plan.shape[0], 0))
    alone, packed = _room(n_q, 0, 0), _room(n_q, columns, pairs)
    _pack(p, d_p[:, :0], one[:0], two[:0], 0, alone)
    _settle(
        stiff, method, f, g, flow, n, one[:0], state, alone, p[:n_q], plan, interval, constant,
        compartment, none, weights, np.abs(state), rtol, atol, max_steps, periods, period_rtol,
        status,
    )  # fmt: skip
    _pack(p, d_p, one, two, n, packed)
    wide, all_weights = np.zeros(n * (1 + columns)), np.ones(columns)
    all_weights[:m], all_weights[m + n :] = weights[:m], weights[m:]
    found = np.zeros((n, m))
    for turn in range(_ROUNDS + (1 if pairs > 0 else 0)):
        if status[0] != 0:
            return
        wide[:] = 0.0
        wide[:n] = state
        for i in range(n):
            wide[n + i * columns + m + i] = 1.0
            for j in range(m if turn == _ROUNDS else 0):
                wide[n + i * columns + j] = found[i, j]
        _period(
            stiff, method, f, g, flow, n, one, two, wide, packed, p[:n_q], plan, interval,
            constant, compartment, d_whens, d_sizes, all_weights, np.abs(wide), rtol, atol,
            max_steps, status,
        )  # fmt: skip
        left, right = np.zeros((n, n)), np.zeros((n, 1 + size))
        for i in range(n):
            at = n + i * columns
            right[i, 0] = wide[i] - state[i]
            for j in range(m):
                right[i, 1 + j] = wide[at + j]
            for j in range(pairs):
                right[i, 1 + m + j] = wide[at + m + n + j]
            for k in range(n):
                left[i, k] = (1.0 if i == k else 0.0) - wide[at + m + k]
        solve(left, right)
        for i in range(n):
            for j in range(pairs):
                x[n + i * size + m + j] = right[i, 1 + m + j]
            if turn == _ROUNDS:
                continue
            state[i] += right[i, 0]
            for j in range(m):
                found[i, j] = x[n + i * size + j] = right[i, 1 + j]
    for i in range(n):
        x[i] = state[i]
    if status[0] == 0 and not np.isfinite(x).all():
        status[0] = NO_STEADY_STATE


@compiled(_SIGNATURE)
def run_ode_gradient(
    f, g, flow, jacobian, factor, solve_given, solve_columns, by_time, curvature, bending, rows,
    columns, n_factors, method, s_first, s_last, one, two, during, at, offsets, time, evid, amt,
    rate, ii, addl, ss, key, row_of, key_start, compartment, kind, fr, lag, duration, modelled_rate,
    d_fr, d_lag, d_duration, d_modelled_rate,
    constants, d_constants, initial, d_initial, weights,
    rtol, atol, max_steps, periods, period_rtol, y, dy, statuses,
):  # fmt: skip
    """Solve the subjects ``s_first`` to ``s_last`` with their sensitivities.

    ``f`` and ``g`` are those of `CompiledVariational`, ``jacobian`` to ``n_factors`` those of
    `StiffVariational`, used where the method is Rodas5P. With pairs (``one`` and ``two``, see
    `run_linear_gradient`) all are those of `SecondVariational` and `StiffSecondVariational`, which
    have ``flow`` and ``bending`` besides; ``constants`` (n_systems, n_q) with
    ``d_constants`` (.., n_q, n_wrt), ``initial`` (n_systems, n) with ``d_initial`` (.., n, n_wrt);
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
    p = _room(n_q, m, one.size)
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
        _pack(constants[q], d_constants[q], one, two, 0, p)
        _put(initial[q], d_initial[q], x)
        peak[:] = np.abs(x)
        rates[:] = 0.0
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
                index = _advance(
                    stiff, method, f, stop, clock, n, one.size, x, p, rates, k, x_new, peak,
                    weights, totals, rtol, atol, max_steps, g, state, values, n_out,
                    actions[:total], index, y[slot], dy[slot], status,
                )  # fmt: skip
                continue
            index += 1
            if what == OBSERVE:
                _fill(g, clock[0], x, p, values, n_out, int(action[ROW]), y[slot], dy[slot])
                continue
            if what == CHANGE:
                q = int(action[SOURCE])
                _pack(constants[q], d_constants[q], one, two, 0, p)
            elif what == RESET:
                clock[0] = action[WHEN]  # after a reset the clock may start again
                _put(initial[q], d_initial[q], x)
                rates[:] = 0.0
                running[0] = 0
            elif what in (CONSTANT, STEADY):
                _steady(
                    stiff, method, f, g, flow, n, one, two, x, constants[q], d_constants[q],
                    action, compartment, kind, fr, d_fr, lag, d_lag, duration, d_duration,
                    modelled_rate, d_modelled_rate, weights, rtol, atol, max_steps, periods,
                    period_rtol, status,
                )  # fmt: skip
            else:
                moves = action_tangents(
                    action, one, two, kind, fr, d_fr, duration, d_duration, modelled_rate,
                    d_modelled_rate, d_lag, d_when, d_size,
                )  # fmt: skip
                _give(
                    f, flow, clock[0], n, x, p, constants[q, :n_q], rates, action,
                    compartment[int(action[SOURCE])], one, two, moves, d_when, d_size, running,
                    base, before, after,
                )  # fmt: skip
            clock[1] = 0.0
            for i in range(size):
                peak[i] = max(peak[i], abs(x[i]))
        statuses[s] = status[0]
