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
    STEADY,
    STOP,
    WHEN,
    action_tangents,
    period_schedule,
    schedule,
)

__all__ = ["run_linear_gradient"]


@compiled
def _give(modal, lam, a, column, action, d_when, d_size, running, z, u, s, w, u_0, w_0):
    """Carry out a bolus, or the start or stop of an infusion, into ``column`` (n,).

    An event whose time moves by dT shifts the sensitivities by the difference of the derivatives
    before and after it, times dT.
    """
    n = z.size
    kind = int(action[KIND])
    size = action[SIZE]
    if kind == BOLUS:
        for i in range(n):
            change = lam[i] * column[i]
            if not modal:
                change = 0.0
                for k in range(n):
                    change += a[i, k] * column[k]
            for j in range(s.shape[0]):
                s[j, i] += column[i] * d_size[j] - change * size * d_when[j]
            z[i] += column[i] * size
        return
    sign = -1.0 if kind == STOP else 1.0
    running[0] += int(sign)
    for i in range(n):
        for j in range(s.shape[0]):
            s[j, i] -= sign * size * column[i] * d_when[j]
            w[j, i] += sign * column[i] * d_size[j]
        u[i] += sign * column[i] * size
    if running[0] == 0:
        # nothing is left of what was added and subtracted, not even its rounding
        u[:] = u_0
        w[:] = w_0


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
            if lam[i] >= 0.0 and (z[i] != 0.0 or np.abs(s[:, i]).max() > 0.0):
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
    modal, lam, a, g, columns, compartment, plan, interval, z, s, u_0, w_0, d_whens, d_sizes,
    e, phi, psi, omega, d_e, d_phi, fed, work,
):  # fmt: skip
    """Advance state and sensitivities over one period of repeated inputs, in place."""
    u, w = u_0.copy(), w_0.copy()
    running = np.ones(1, dtype=np.int64)  # never back to none: a period ends as it begins
    t = 0.0
    for k in range(plan.shape[0] + 1):
        stop = interval if k == plan.shape[0] else min(plan[k, WHEN], interval)
        if stop > t:
            prepare_gradient(modal, lam, a, g, stop - t, e, phi, psi, omega, d_e, d_phi)
            advance_gradient(modal, g, z, u, s, w, e, phi, psi, omega, d_e, d_phi, fed, work)
            t = stop
        if k < plan.shape[0]:
            column = columns[compartment[int(plan[k, SOURCE])]]
            _give(
                modal, lam, a, column, plan[k], d_whens[k], d_sizes[k], running,
                z, u, s, w, u_0, w_0,
            )  # fmt: skip


@compiled
def _add_repeated(
    modal, lam, a, g, columns, action, u_0, w_0, z, s, status, compartment, kind, f, d_f, lag,
    d_lag, duration, d_duration, rate, d_rate, e, phi, psi, omega, d_e, d_phi, fed, work,
):  # fmt: skip
    """Add the steady state of a repeated dose and of the production u_0, and its sensitivities.

    One period from the empty state gives what it adds, and the geometric series of all periods
    the state x. One period from x without sensitivities gives what those gain in it, and the
    same series all of them.
    """
    interval = action[PERIOD]
    plan = period_schedule(
        action[GIVEN], action[RECORD_RATE], interval, int(action[SOURCE]), int(action[ROW]),
        kind, f, lag, duration, rate,
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
            modal, lam, a, g, columns, compartment, plan, interval, state[0], gained, u_0, w_0,
            d_whens, d_sizes, e, phi, psi, omega, d_e, d_phi, fed, work,
        )  # fmt: skip
    _close(modal, lam, a, interval, gained, wide, status)
    for i in range(n):
        z[i] += before[0, i]
        for j in range(m):
            s[j, i] += gained[j, i]


@compiled
def _observe(modal, c, d_c, z, s, offset, d_offset, y, dy):
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
def _times(a, b):
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for k in range(b.shape[0]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out


@compiled
def _rotate(modal, left, right, vectors, matrices, rows):
    """Return vectors (k, n), matrices (m, n, n) and rows (.., n) in the coordinates of the modes.

    Without modes they are returned as they are.
    """
    if not modal:
        return vectors.copy(), matrices.copy(), rows.copy()
    turned = np.empty(matrices.shape)
    for j in range(matrices.shape[0]):
        turned[j] = _times(left, _times(matrices[j], right))
    n = left.shape[0]
    flipped = np.empty((n, n))
    for i in range(n):
        for k in range(n):
            flipped[i, k] = left[k, i]
    return _times(vectors, flipped), turned, _times(rows, right)


@compiled
def run_linear_gradient(
    s_first, s_last, offsets, time, evid, amt, rate, ii, addl, ss, key, row_of,
    key_start, compartment, kind, f, lag, duration, modelled_rate,
    d_f, d_lag, d_duration, d_modelled_rate,
    a_all, lam_all, right, left, is_modal, endogenous, initial, c_all, offset,
    d_a, d_endogenous, d_initial, d_c, d_offset, y, dy, statuses,
):  # fmt: skip
    """Solve the subjects ``s_first`` to ``s_last`` with their sensitivities.

    Records as in `statera.simulate.linear_kernel.run_linear`; ``d_...`` as in `LinearTangents` and
    `InputTangents`. ``y`` (n_subjects, n_rows, n_out) and ``dy`` (.., n_out, n_wrt) are filled.
    """
    n, m, n_out = a_all.shape[1], d_a.shape[1], c_all.shape[1]
    shared = offsets.size == 2
    status, running = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    z, u, s, w = np.zeros(n), np.zeros(n), np.zeros((m, n)), np.zeros((m, n))
    e, phi, psi, omega = np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    d_e, d_phi, fed, work = np.empty((m, n, n)), np.empty((m, n, n)), np.empty((n, n)), np.empty(n)
    d_when, d_size = np.zeros(m), np.zeros(m)
    vectors, rows = np.empty((2 + 2 * m + n, n)), np.empty(((1 + m) * n_out, n))
    for subject in range(s_first, s_last):
        status[0] = statuses[subject]
        lo, hi = (offsets[0], offsets[1]) if shared else (offsets[subject], offsets[subject + 1])
        actions = schedule(
            lo, hi, time, evid, amt, rate, ii, addl, ss, key, row_of, key_start, kind, f[subject],
            lag[subject], duration[subject], modelled_rate[subject], status,
        )  # fmt: skip
        if status[0] != 0 or hi <= lo:
            statuses[subject] = status[0]
            continue
        modal, lam, a = is_modal[subject], lam_all[subject], a_all[subject]
        vectors[0], vectors[1] = endogenous[subject], initial[subject]
        vectors[2 : 2 + m], vectors[2 + m : 2 + 2 * m] = d_endogenous[subject], d_initial[subject]
        vectors[2 + 2 * m :] = np.eye(n)
        rows[:n_out] = c_all[subject]
        for j in range(m):
            rows[(1 + j) * n_out : (2 + j) * n_out] = d_c[subject, j]
        turned, g, seen = _rotate(modal, left[subject], right[subject], vectors, d_a[subject], rows)
        u_0, z_0, w_0, s_0 = turned[0], turned[1], turned[2 : 2 + m], turned[2 + m : 2 + 2 * m]
        columns, d_seen = turned[2 + 2 * m :], seen[n_out:].copy().reshape((m, n_out, n))
        z[:], s[:], u[:], w[:] = z_0, s_0, u_0, w_0
        running[0] = 0
        t, ready = time[lo], -1.0
        for k in range(actions.shape[0]):
            action = actions[k]
            h = action[WHEN] - t
            if h > 0.0:
                if h != ready:
                    prepare_gradient(modal, lam, a, g, h, e, phi, psi, omega, d_e, d_phi)
                    ready = h
                advance_gradient(modal, g, z, u, s, w, e, phi, psi, omega, d_e, d_phi, fed, work)
                t = action[WHEN]
            what = int(action[KIND])
            if what == OBSERVE:
                row = int(action[ROW])
                if row >= 0:
                    _observe(
                        modal, seen[:n_out], d_seen, z, s, offset[subject], d_offset[subject],
                        y[subject, row], dy[subject, row],
                    )  # fmt: skip
            elif what == RESET:
                t = action[WHEN]  # after a reset the clock may start again
                z[:], s[:], u[:], w[:] = z_0, s_0, u_0, w_0
                running[0] = 0
            elif what in (CONSTANT, ADD_CONSTANT):
                held, d_held = u_0.copy(), w_0.copy()
                if what == CONSTANT:
                    z[:] = 0.0
                    s[:] = 0.0
                else:
                    held[:] = 0.0
                    d_held[:] = 0.0
                for q in range(int(action[SOURCE]), int(action[ROW])):
                    held += columns[compartment[q]] * action[RECORD_RATE]
                _held(modal, lam, a, held, g, d_held, status)
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
                    modal, lam, a, g, columns, action, u_1, w_1, z, s, status, compartment, kind,
                    f[subject], d_f[subject], lag[subject], d_lag[subject], duration[subject],
                    d_duration[subject], modelled_rate[subject], d_modelled_rate[subject],
                    e, phi, psi, omega, d_e, d_phi, fed, work,
                )  # fmt: skip
                ready = -1.0
            else:
                action_tangents(
                    action, kind, f[subject], d_f[subject], duration[subject], d_duration[subject],
                    modelled_rate[subject], d_modelled_rate[subject], d_lag[subject],
                    d_when, d_size,
                )  # fmt: skip
                column = columns[compartment[int(action[SOURCE])]]
                _give(modal, lam, a, column, action, d_when, d_size, running, z, u, s, w, u_0, w_0)
        for i in range(n):
            if status[0] == 0 and not (np.isfinite(z[i]) and np.isfinite(s[:, i]).all()):
                status[0] = NOT_FINITE
        statuses[subject] = status[0]
