"""The event loop for linear systems, compiled: exact from event to event, cost linear in rows."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.doses import NOT_FINITE, order_dose, take_entry
from statera.simulate.linear_step import advance, prepare
from statera.simulate.pending import (
    TIME,
    clear,
    earliest,
    new_table,
    next_index,
    running_rates,
)
from statera.simulate.regular_kernel import forget, new_tables, run_ends, run_regular
from statera.simulate.steady_state import add_steady_state, constant_state
from statera.simulate.windows import reset, watch

__all__ = ["run_linear"]


@compiled
def _project(modal, left, vector, out):
    """Write the coordinates in which the state is carried: modes, or the states themselves."""
    n = vector.size
    for m in range(n):
        if modal:
            total = 0.0
            for j in range(n):
                total += left[m, j] * vector[j]
            out[m] = total
        else:
            out[m] = vector[m]


@compiled
def _free_until(windows, t):
    """Return the time until which no window is open; t itself inside a window."""
    free = np.inf
    for k in range(windows.shape[0]):
        if windows[k, 1] > t:
            free = min(free, max(windows[k, 0], t))
    return free


@compiled
def _weigh(modal, c, right, weights):
    """Write the weights of the outputs in the coordinates in which the state is carried."""
    n_out, n = weights.shape
    for o in range(n_out):
        for m in range(n):
            total = c[o, m]
            if modal:
                total = 0.0
                for j in range(n):
                    total += c[o, j] * right[j, m]
            weights[o, m] = total


@compiled
def _switch(q, new, systems, table, count, rates, weights, z, u, work):
    """Carry the state and the running inputs over from system q to another; return the other."""
    is_modal, right, left, c, endogenous = systems
    n = z.size
    for i in range(n):
        if is_modal[q]:
            total = 0.0
            for m in range(n):
                total += right[q, i, m] * z[m]
            work[i] = total
        else:
            work[i] = z[i]
    _project(is_modal[new], left[new], work, z)
    running_rates(table, count, rates)
    for m in range(n):
        rates[m] += endogenous[new, m]
    _project(is_modal[new], left[new], rates, u)
    _weigh(is_modal[new], c[new], right[new], weights)
    return new


@compiled
def _begin(q, modal, left, right, initial, endogenous, c, z, u, weights):
    """Write state, input and weights of a subject, in its modes where it has them."""
    n = z.size
    for m in range(n):
        if not modal:
            z[m] = initial[q, m]
            u[m] = endogenous[q, m]
            for o in range(c.shape[1]):
                weights[o, m] = c[q, o, m]
            continue
        state = fed = 0.0
        for j in range(n):
            state += left[q, m, j] * initial[q, j]
            fed += left[q, m, j] * endogenous[q, j]
        z[m] = state
        u[m] = fed
        for o in range(c.shape[1]):
            total = 0.0
            for j in range(n):
                total += c[q, o, j] * right[q, j, m]
            weights[o, m] = total


@compiled
def run_linear(
    s_first, s_last, during, at, offsets, time, evid, amt, rate, ii, addl, ss, key,
    key_start, compartment, kind, f, lag, duration, modelled_rate,
    a, lam, right, left, is_modal, endogenous, initial, c, d,
    windows, breaks, row_of, y, measures, statuses,
):  # fmt: skip
    """Simulate the subjects ``s_first`` to ``s_last``.

    Records (``time`` to ``key``) belong to subject s from ``offsets[s]``; a single group is
    shared by all. Arrays of parameters (``f`` to ``modelled_rate``, ``a`` to ``d``) have a row q
    a subject. Where ``during`` is not empty they have a row a segment of a subject:
    ``during[r]`` holds in the interval that record r closes, ``at[r]`` at the record itself.
    Row ``row_of[r]`` of ``y[s]`` receives the outputs of observation record r; a single ``y[0]``
    takes the rows of all subjects.
    """
    n, n_out = a.shape[1], c.shape[1]
    shared, varying = offsets.size == 2, during.size > 0
    z, u, work, jump, rates = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    e, phi, psi = np.zeros(n), np.zeros(n), np.zeros(n)
    big_e, big_phi, big_psi = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    weights = np.zeros((n_out, n))
    status = np.zeros(1, dtype=np.int64)
    table, count = new_table(16)
    rows, modes = new_tables(n)
    systems = (is_modal, right, left, c, endogenous)
    ends = np.empty(0, dtype=np.int64)
    together = shared and not varying and windows.shape[0] == 0
    ahead = s_first
    while ahead < s_last:
        s = ahead
        lo, hi = (offsets[0], offsets[1]) if shared else (offsets[s], offsets[s + 1])
        q = during[lo] if varying else s  # row of the parameters
        slot = min(s, y.shape[0] - 1)
        modal = is_modal[q]
        _begin(q, modal, left, right, initial, endogenous, c, z, u, weights)
        if windows.shape[0] > 0:
            reset(measures[s])
        status[0], count[0] = statuses[s], 0
        if not shared or s == s_first:
            ends = run_ends(lo, hi, evid, row_of)
        t = time[lo] if hi > lo else 0.0
        forget(rows, n)  # nothing of another subject, so that parts do not matter
        due, near, h_ready, r = np.inf, np.inf, -1.0, lo - 1
        while r + 1 < hi and status[0] == 0:
            r += 1
            if varying and during[r] != q:
                q = _switch(q, during[r], systems, table, count, rates, weights, z, u, work)
                modal, h_ready = is_modal[q], -1.0
            if modal and not varying:
                until = s_last if together else s + 1
                s, r, t = run_regular(
                    s, until, r, lo, ends, t, _free_until(windows, t), time,
                    evid, amt, rate, ii, addl, ss, key, row_of, key_start, compartment, kind, f,
                    lag, duration, modelled_rate, lam, right, left, is_modal, endogenous, initial,
                    c, d, weights, z, u, table, count, rows, modes, y, statuses,
                )  # fmt: skip
                if s != q:  # all before it are done
                    q, slot, h_ready = s, min(s, y.shape[0] - 1), -1.0
                if r >= hi:
                    break
                k = next_index(table, count)
                due = table[k, TIME] if k >= 0 else np.inf
                near = earliest(due) if k >= 0 else np.inf
            target = time[r]
            again = False
            while True:
                # events strictly inside come first; a dose that is due at the record as well
                stop = due if near <= target else target
                for b in breaks:
                    if t < b and earliest(b) < stop:
                        stop = b
                        break
                h = stop - t
                if h > 0.0:
                    if h != h_ready:
                        prepare(modal, lam[q], a[q], h, e, phi, psi, big_e, big_phi, big_psi)
                        h_ready = h
                    if windows.shape[0] > 0:
                        watch(
                            measures[s], windows, t, h, modal, lam[q], a[q], weights, d[q], z, u,
                            phi, psi, big_phi, big_psi,
                        )  # fmt: skip
                    advance(modal, z, u, e, phi, big_e, big_phi, work)
                    t = stop
                if near <= t:
                    jump[:] = 0.0
                    table = take_entry(
                        table, count, next_index(table, count), status, compartment, kind, f[q],
                        duration[q], modelled_rate[q], jump,
                    )  # fmt: skip
                    _enter(modal, left[q], jump, table, count, rates, endogenous[q], z, u, work)
                    k = next_index(table, count)
                    due = table[k, TIME] if k >= 0 else np.inf
                    near = earliest(due) if k >= 0 else np.inf
                    again = modal and not varying
                    if again:
                        break  # the rest may be regular
                elif t >= target:
                    break
            if again:
                r -= 1
                continue
            if varying and at[r] != q:
                q = _switch(q, at[r], systems, table, count, rates, weights, z, u, work)
                modal, h_ready = is_modal[q], -1.0
            if evid[r] == 0:
                if row_of[r] >= 0:
                    for o in range(n_out):
                        total = d[q, o]
                        for m in range(n):
                            total += weights[o, m] * z[m]
                        y[slot, row_of[r], o] = total
                continue
            if evid[r] == 2:
                continue
            if evid[r] >= 3:
                t = time[r]  # only at a reset may time go back
            if evid[r] >= 3 or ss[r] == 1:
                clear(count)
                _project(modal, left[q], initial[q], z)
            jump[:] = 0.0
            if evid[r] == 1 or evid[r] == 4:
                first, last = key_start[key[r]], key_start[key[r] + 1]
                constant = ss[r] >= 1 and ii[r] == 0.0
                if ss[r] == 1:
                    z[:] = 0.0
                    _project(modal, left[q], endogenous[q], u)
                    constant_state(modal, lam[q], a[q], u, z, status)
                if constant:
                    for p in range(first, last):
                        jump[compartment[p]] += rate[r]
                    _project(modal, left[q], jump, u)
                    constant_state(modal, lam[q], a[q], u, z, status)
                    jump[:] = 0.0
                elif ss[r] >= 1:
                    table = add_steady_state(
                        table, count, status, t, amt[r], rate[r], ii[r], first, last,
                        compartment, kind, f[q], lag[q], duration[q], modelled_rate[q],
                        modal, lam[q], left[q], a[q], z,
                    )  # fmt: skip
                if not constant:
                    table = order_dose(
                        table, count, status, t, amt[r], rate[r], float(addl[r]), ii[r], first,
                        last, True, compartment, kind, f[q], lag[q], duration[q],
                        modelled_rate[q], jump,
                    )  # fmt: skip
            _enter(modal, left[q], jump, table, count, rates, endogenous[q], z, u, work)
            k = next_index(table, count)
            due = table[k, TIME] if k >= 0 else np.inf
            near = earliest(due) if k >= 0 else np.inf
        for m in range(n):
            if status[0] == 0 and not np.isfinite(z[m]):
                status[0] = NOT_FINITE
        statuses[s] = status[0]
        ahead = s + 1


@compiled
def _enter(modal, left, jump, table, count, rates, endogenous, z, u, work):
    """Add amounts given at once and count the running inputs anew."""
    _project(modal, left, jump, work)
    for m in range(z.size):
        z[m] += work[m]
    running_rates(table, count, rates)
    for m in range(z.size):
        rates[m] += endogenous[m]
    _project(modal, left, rates, u)
