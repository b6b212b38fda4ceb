"""The event loop for linear systems with their sensitivities, compiled: exact between events."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.expm import solve
from statera.simulate.doses import NO_STEADY_STATE, NOT_FINITE
from statera.simulate.gradient_linear_step import advance_gradient, prepare_gradient
from statera.simulate.gradient_schedule import (
    ADD_CONSTANT,
    ADD_STEADY,
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

__all__ = ["run_linear_gradient"]


@compiled
def _give(
    modal, lam, a, columns, compartment, action, moves, d_when, d_size, running, z, u, s, w, u_0,
    w_0, rates, d_rates,
):  # fmt: skip
    """Carry out a bolus, or the start or stop of an infusion.

    Row c of ``columns`` is what a unit amount in state c is in the coordinates of ``z``;
    ``rates`` (n,) and ``d_rates`` (n_wrt, n) sum what runs, state by state. An event whose time
    moves by dT shifts the sensitivities by the difference of the derivatives before and after
    it, times dT.
    """
    n, m = z.size, s.shape[0]
    kind, size = int(action[KIND]), action[SIZE]
    target = compartment[int(action[SOURCE])]
    if kind == BOLUS:
        for i in range(n):
            share = columns[target, i]
            if moves:
                change = lam[i] * share
                if not modal:
                    change = 0.0
                    for k in range(n):
                        change += a[i, k] * columns[target, k]
                for j in range(m):
                    s[j, i] -= change * size * d_when[j]
            for j in range(m):
                s[j, i] += share * d_size[j]
            z[i] += share * size
        return
    sign = -1.0 if kind == STOP else 1.0
    running[0] += int(sign)
    rates[target] += sign * size
    for j in range(m):
        d_rates[j, target] += sign * d_size[j]
    for i in range(n):
        share = sign * columns[target, i]
        for j in range(m):
            s[j, i] -= size * share * d_when[j]
            w[j, i] += share * d_size[j]
        u[i] += share * size
    if running[0] == 0:
        # nothing is left of what was added and subtracted, not even its rounding
        u[:], w[:] = u_0, w_0
        rates[:] = 0.0
        d_rates[:] = 0.0


@compiled
def _held(modal, lam, a, z, g, s, status):
    """Add the state that a constant input holds for ever: the solution of ``A x = -u``.

    On entry ``z`` is the input and ``s`` its sensitivities; on return they are the state's.
    """
    n = z.size
    if modal:
        for i in range(n):
            if z[i] != 0.0:
                z[i] = -z[i] / lam[i]
        for j in range(s.shape[0]):
            for i in range(n):
                for k in range(n):
                    s[j, i] += g[j, i, k] * z[k]
                if s[j, i] != 0.0:
                    s[j, i] = -s[j, i] / lam[i]
        for i in range(n):
            fed = z[i] != 0.0
            for j in range(s.shape[0]):
                fed = fed or s[j, i] != 0.0
            if lam[i] >= 0.0 and fed:
                status[0] = NO_STEADY_STATE
        return
    held = np.empty((n, 1))
    held[:, 0] = -z
    solve(a.copy(), held)
    z[:] = held[:, 0]
    for j in range(s.shape[0]):
        for i in range(n):
            held[i, 0] = -s[j, i]
            for k in range(n):
                held[i, 0] -= g[j, i, k] * z[k]
        solve(a.copy(), held)
        s[j] = held[:, 0]
    for i in range(n):
        if not abs(z[i]) < 1e15:
            status[0] = NO_STEADY_STATE


@compiled
def _close(modal, lam, a, interval, x, wide, status):
    """Solve ``(I - exp(A II)) y = x`` in place for every row of ``x`` (rows, n)."""
    n = x.shape[1]
    if modal:
        for r in range(x.shape[0]):
            for i in range(n):
                if x[r, i] == 0.0:
                    continue
                if lam[i] >= 0.0:
                    status[0] = NO_STEADY_STATE
                x[r, i] /= -np.expm1(lam[i] * interval)
        return
    for r in range(x.shape[0]):
        left, right = np.empty((n, n)), np.empty((n, 1))
        for i in range(n):
            for k in range(n):
                left[i, k] = (1.0 if i == k else 0.0) - wide[i, k]
            right[i, 0] = x[r, i]
        solve(left, right)
        for i in range(n):
            x[r, i] = right[i, 0]
            if not abs(right[i, 0]) < 1e15:
                status[0] = NO_STEADY_STATE


@compiled
def _over_period(
    modal, lam, a, g, acts, columns, compartment, plan, interval, z, s, u_0, w_0, d_whens, d_sizes,
    e, phi, psi, omega, d_e, d_phi, fed, work,
):  # fmt: skip
    """Advance state and sensitivities over one period of repeated inputs, in place."""
    u, w = u_0.copy(), w_0.copy()
    rates, d_rates = np.zeros(z.size), np.zeros(s.shape)
    running = np.ones(1, dtype=np.int64)  # never back to none: a period ends as it begins
    t = 0.0
    for k in range(plan.shape[0] + 1):
        stop = interval if k == plan.shape[0] else min(plan[k, WHEN], interval)
        if stop > t:
            prepare_gradient(modal, lam, a, g, stop - t, e, phi, psi, omega, d_e, d_phi)
            advance_gradient(modal, g, acts, z, u, s, w, e, phi, psi, omega, d_e, d_phi, fed, work)
            t = stop
        if k < plan.shape[0]:
            _give(
                modal, lam, a, columns, compartment, plan[k], True, d_whens[k], d_sizes[k],
                running, z, u, s, w, u_0, w_0, rates, d_rates,
            )  # fmt: skip


@compiled
def _add_repeated(
    modal, lam, a, g, acts, columns, action, u_0, w_0, z, s, status, compartment, kind, f, d_f,
    lag, d_lag, duration, d_duration, rate, d_rate, e, phi, psi, omega, d_e, d_phi, fed, work,
):  # fmt: skip
    """Add the steady state of a repeated dose and of the production u_0, and its sensitivities.

    One period from the empty state gives what it adds, and the geometric series of all periods
    the state x. One period from x without sensitivities gives what those gain in it, and the
    same series all of them.
    """
    interval = action[PERIOD]
    plan = period_schedule(
        action[GIVEN], action[RECORD_RATE], interval, int(action[SOURCE]), int(action[ROW]),
        int(action[STARTED_BY]), kind, f, lag, duration, rate,
    )  # fmt: skip
    n, m = z.size, s.shape[0]
    d_whens, d_sizes = np.zeros((plan.shape[0], m)), np.zeros((plan.shape[0], m))
    for k in range(plan.shape[0]):
        action_tangents(
            plan[k], kind, f, d_f, duration, d_duration, rate, d_rate, d_lag, d_whens[k], d_sizes[k]
        )
    prepare_gradient(modal, lam, a, g, interval, e, phi, psi, omega, d_e, d_phi)
    wide = e.copy()
    state, gained = np.zeros((1, n)), np.zeros((m, n))
    for _ in range(2):
        _close(modal, lam, a, interval, state, wide, status)
        before = state.copy()
        gained[:] = 0.0
        _over_period(
            modal, lam, a, g, acts, columns, compartment, plan, interval, state[0], gained, u_0,
            w_0, d_whens, d_sizes, e, phi, psi, omega, d_e, d_phi, fed, work,
        )  # fmt: skip
    _close(modal, lam, a, interval, gained, wide, status)
    for i in range(n):
        z[i] += before[0, i]
        for j in range(m):
            s[j, i] += gained[j, i]


@compiled
def _observe(c, d_c, z, s, offset, d_offset, y, dy):
    """Write the outputs (n_out,) and their sensitivities (n_out, n_wrt)."""
    for o in range(c.shape[0]):
        total = offset[o]
        for i in range(z.size):
            total += c[o, i] * z[i]
        y[o] = total
        for j in range(s.shape[0]):
            total = d_offset[j, o]
            for i in range(z.size):
                total += c[o, i] * s[j, i] + d_c[j, o, i] * z[i]
            dy[o, j] = total


@compiled
def _turn(modal, left, vector, out):
    """Write a vector in the coordinates in which the state is carried: modes, or the states."""
    n = vector.size
    for i in range(n):
        if modal:
            total = 0.0
            for k in range(n):
                total += left[i, k] * vector[k]
            out[i] = total
        else:
            out[i] = vector[i]


@compiled
def _weigh(modal, right, weights, out):
    """Write the weights of the outputs, (n_out, n), in the same coordinates."""
    n = right.shape[0]
    for o in range(weights.shape[0]):
        for i in range(n):
            if modal:
                total = 0.0
                for k in range(n):
                    total += weights[o, k] * right[k, i]
                out[o, i] = total
            else:
                out[o, i] = weights[o, i]


@compiled
def _slopes(modal, left, right, matrix, half, out):
    """Write a derivative of the matrix in the same coordinates; return whether it is not zero."""
    n = left.shape[0]
    acts = False
    for i in range(n):
        for k in range(n):
            acts = acts or matrix[i, k] != 0.0
            out[i, k] = matrix[i, k]
    if not (modal and acts):
        return acts
    for i in range(n):
        for k in range(n):
            total = 0.0
            for q in range(n):
                total += matrix[i, q] * right[q, k]
            half[i, k] = total
    for i in range(n):
        for k in range(n):
            total = 0.0
            for q in range(n):
                total += left[i, q] * half[q, k]
            out[i, k] = total
    return acts


@compiled
def _enter(
    modal, left, right, d_a, endogenous, d_endogenous, c, d_c, columns, g, acts, u_0, w_0, seen,
    d_seen, half,
):  # fmt: skip
    """Write what the steps of one system need, in the coordinates of its modes if it has them."""
    n = left.shape[0]
    for i in range(n):
        for k in range(n):
            columns[k, i] = left[i, k] if modal else (1.0 if i == k else 0.0)
    _turn(modal, left, endogenous, u_0)
    _weigh(modal, right, c, seen)
    for j in range(d_a.shape[0]):
        acts[j] = _slopes(modal, left, right, d_a[j], half, g[j])
        _turn(modal, left, d_endogenous[j], w_0[j])
        _weigh(modal, right, d_c[j], d_seen[j])


@compiled
def _carry(modal, left, old_modal, old_right, vector, work):
    """Carry a vector over from the coordinates of one system to those of another, in place."""
    _turn(old_modal, old_right, vector, work)
    _turn(modal, left, work, vector)


@compiled
def run_linear_gradient(
    s_first, s_last, during, at, offsets, time, evid, amt, rate, ii, addl, ss, key, row_of,
    key_start, compartment, kind, f, lag, duration, modelled_rate,
    d_f, d_lag, d_duration, d_modelled_rate,
    a_all, lam_all, right, left, is_modal, endogenous, initial, c_all, offset,
    d_a, d_endogenous, d_initial, d_c, d_offset, y, dy, statuses,
):  # fmt: skip
    """Solve the subjects ``s_first`` to ``s_last`` with their sensitivities.

    Records, and systems (rows of parameters) with ``during`` and ``at``, as in
    `statera.simulate.linear_kernel.run_linear`; ``d_...`` as in `LinearTangents` and
    `InputTangents`, a row a system. Row ``row_of[r]`` of ``y[s]`` (n_subjects, n_rows, n_out) and
    ``dy[s]`` (.., n_out, n_wrt) is filled; a single ``y[0]`` takes the rows of all subjects.
    Subjects whose status is not 0 on entry are left out.
    """
    n, m, n_out = a_all.shape[1], d_a.shape[1], c_all.shape[1]
    shared, varying = offsets.size == 2, during.size > 0
    status, running = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    z, u, s, w = np.zeros(n), np.zeros(n), np.zeros((m, n)), np.zeros((m, n))
    u_0, w_0, rates, d_rates = np.zeros(n), np.zeros((m, n)), np.zeros(n), np.zeros((m, n))
    e, phi, psi, omega = np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    wide = 0 if is_modal.all() else m
    d_e, d_phi = np.empty((wide, n, n)), np.empty((wide, n, n))
    fed, work, half = np.empty((n, n)), np.empty(n), np.empty((n, n))
    columns, g, acts = np.empty((n, n)), np.empty((m, n, n)), np.zeros(m, dtype=np.bool_)
    seen, d_seen = np.empty((n_out, n)), np.empty((m, n_out, n))
    d_when, d_size = np.zeros(m), np.zeros(m)
    actions, used = new_actions(64), np.zeros(1, dtype=np.int64)
    table, count = new_table(16)
    for subject in range(s_first, s_last):
        status[0] = statuses[subject]
        lo, hi = (offsets[0], offsets[1]) if shared else (offsets[subject], offsets[subject + 1])
        if status[0] != 0 or hi <= lo:
            continue
        q = during[lo] if varying else subject
        slot = min(subject, y.shape[0] - 1)
        actions, table = schedule(
            actions, used, table, count, lo, hi, q, during, at, time, evid, amt, rate, ii, addl,
            ss, key, row_of, key_start, kind, f, lag, duration, modelled_rate, status,
        )  # fmt: skip
        new, modal = q, is_modal[q]
        t, ready = time[lo], -1.0
        for k in range(-1, used[0]):  # the start acts as a reset does
            action = actions[max(k, 0)]
            what = RESET if k < 0 else int(action[KIND])
            h = action[WHEN] - t if k >= 0 else 0.0
            if h > 0.0:
                if h != ready:
                    prepare_gradient(
                        modal, lam_all[q], a_all[q], g, h, e, phi, psi, omega, d_e, d_phi
                    )
                    ready = h
                advance_gradient(
                    modal, g, acts, z, u, s, w, e, phi, psi, omega, d_e, d_phi, fed, work
                )
                t = action[WHEN]
            if k < 0 or what == CHANGE:
                new = q if k < 0 else int(action[SOURCE])
                modal = is_modal[new]
                _enter(
                    modal, left[new], right[new], d_a[new], endogenous[new], d_endogenous[new],
                    c_all[new], d_c[new], columns, g, acts, u_0, w_0, seen, d_seen, half,
                )  # fmt: skip
                ready = -1.0
            if what == OBSERVE:
                row = int(action[ROW])
                if row >= 0:
                    _observe(
                        seen, d_seen, z, s, offset[q], d_offset[q], y[slot, row], dy[slot, row]
                    )
            elif what == CHANGE:
                _carry(modal, left[new], is_modal[q], right[q], z, work)
                _turn(modal, left[new], rates, u)
                for i in range(n):
                    u[i] += u_0[i]
                for j in range(m):
                    _carry(modal, left[new], is_modal[q], right[q], s[j], work)
                    _turn(modal, left[new], d_rates[j], w[j])
                    for i in range(n):
                        w[j, i] += w_0[j, i]
                q = new
            elif what == RESET:
                if k >= 0:
                    t = action[WHEN]  # after a reset the clock may start again
                _turn(modal, left[q], initial[q], z)
                for j in range(m):
                    _turn(modal, left[q], d_initial[q, j], s[j])
                u[:], w[:] = u_0, w_0
                rates[:] = 0.0
                d_rates[:] = 0.0
                running[0] = 0
            elif what in (CONSTANT, ADD_CONSTANT):
                held, d_held = u_0.copy(), w_0.copy()
                if what == CONSTANT:
                    z[:] = 0.0
                    s[:] = 0.0
                else:
                    held[:] = 0.0
                    d_held[:] = 0.0
                for p in range(int(action[SOURCE]), int(action[ROW])):
                    held += columns[compartment[p]] * action[RECORD_RATE]
                _held(modal, lam_all[q], a_all[q], held, g, d_held, status)
                z += held
                s += d_held
            elif what in (STEADY, ADD_STEADY):
                u_1, w_1 = u_0.copy(), w_0.copy()
                if what == STEADY:
                    z[:] = 0.0
                    s[:] = 0.0
                else:
                    u_1[:] = 0.0
                    w_1[:] = 0.0
                _add_repeated(
                    modal, lam_all[q], a_all[q], g, acts, columns, action, u_1, w_1, z, s, status,
                    compartment, kind, f, d_f, lag, d_lag, duration, d_duration, modelled_rate,
                    d_modelled_rate, e, phi, psi, omega, d_e, d_phi, fed, work,
                )  # fmt: skip
                ready = -1.0
            else:
                moves = action_tangents(
                    action, kind, f, d_f, duration, d_duration, modelled_rate, d_modelled_rate,
                    d_lag, d_when, d_size,
                )  # fmt: skip
                _give(
                    modal, lam_all[q], a_all[q], columns, compartment, action, moves, d_when,
                    d_size, running, z, u, s, w, u_0, w_0, rates, d_rates,
                )  # fmt: skip
        for i in range(n):
            proper = np.isfinite(z[i])
            for j in range(m):
                proper = proper and np.isfinite(s[j, i])
            if status[0] == 0 and not proper:
                status[0] = NOT_FINITE
        statuses[subject] = status[0]
