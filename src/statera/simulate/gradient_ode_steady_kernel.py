"""Steady states with their sensitivities of systems that need a solver, compiled."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.expm import solve
from statera.simulate.doses import NO_STEADY_STATE, NOT_PERIODIC
from statera.simulate.gradient_ode_step_kernel import advance, enter_transit, give, pack, room
from statera.simulate.gradient_schedule import (
    ADD_CONSTANT,
    CONSTANT,
    GIVEN,
    KIND,
    PASS,
    PERIOD,
    RECORD_RATE,
    ROW,
    SOURCE,
    STARTED_BY,
    TRANSIT,
    WHEN,
    action_tangents,
    new_actions,
    period_schedule,
)

__all__ = ["meet_steady"]

_CONSTANT_PERIOD = 24.0
"""Length of the pieces in which a constant infusion is followed to its steady state."""

_GONE = 1e-15
"""A state below this part of its largest size has died away and is settled."""

_ROUNDS = 2
"""Newton steps to a fixed point that periods came close to; each squares the distance."""


@compiled
def _period(
    stiff, method, f, g, flow, n, one, two, x, p, constants, plan, interval, constant, compartment,
    d_whens, d_sizes, passage, weights, peak, rtol, atol, max_steps, status,
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
    at, extra = constants.size * (size // n), n if size > n else 0  # of the doses in transit
    own = np.zeros(m - extra, dtype=np.int64)
    for j in range(m - extra):
        own[j] = j if j < m - extra - one.size else j + extra
    numbers, speeds, d_numbers, d_speeds = passage
    p[at] = 0.0
    for a in range(plan.shape[0] + 1):
        stop = interval if a == plan.shape[0] else min(plan[a, WHEN], interval)
        if stop > clock[0]:
            advance(
                stiff, method, f, stop, clock, n, one.size, x, p, rates, k, x_new, peak, weights,
                totals, rtol, atol, max_steps, g, state, values, 0, none, 0, y, dy, status,
            )  # fmt: skip
        if status[0] != 0:
            return
        if a == plan.shape[0] or int(plan[a, KIND]) == PASS:
            continue
        column = compartment[int(plan[a, SOURCE])]
        if int(plan[a, KIND]) == TRANSIT:
            p = enter_transit(
                p, at, n, one.size, x, peak, plan[a], column, extra, numbers[a], speeds[a],
                d_whens[a, own], d_sizes[a, own], d_numbers[a, own], d_speeds[a, own], status,
            )  # fmt: skip
        else:
            give(
                f, flow, clock[0], n, x, p, constants, rates, plan[a], column, one, two, m > 0,
                d_whens[a, :m], d_sizes[a, :m], running, base, before, after,
            )  # fmt: skip
        for i in range(size):
            peak[i] = max(peak[i], abs(x[i]))
        clock[1] = 0.0


@compiled
def _settle(
    stiff, method, f, g, flow, n, no_pairs, x, p, constants, plan, interval, constant, compartment,
    none, passage, accumulates, weights, peak, rtol, atol, max_steps, periods, period_rtol, status,
):  # fmt: skip
    """Repeat the period until the state hardly changes: Newton's method does the rest.

    Below ten times `rtol` changes may be those of the steps alone and never end.
    """
    change_before = np.inf
    small = max(period_rtol, 10.0 * rtol)
    for _ in range(periods):
        before = x.copy()
        _period(
            stiff, method, f, g, flow, n, no_pairs, no_pairs, x, p, constants, plan, interval,
            constant, compartment, none, none, passage, weights, peak, rtol, atol, max_steps,
            status,
        )  # fmt: skip
        if status[0] != 0:
            return
        change = 0.0
        for i in range(n):
            if accumulates[i] == 1:
                x[i] = before[i]
            scale = max(abs(x[i]), abs(before[i]))
            if scale > _GONE * peak[i]:
                change = max(change, abs(x[i] - before[i]) / scale)
        ratio = change / change_before if change_before > 0.0 else 0.0
        left = change * ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
        if (change < small and left < 10.0 * small) or change == 0.0:
            return
        change_before = change
    status[0] = NOT_PERIODIC


@compiled
def meet_steady(
    stiff, method, f, g, flow, n, one, two, x, p, d_p, action, compartment, kind, fr, d_fr, lag,
    d_lag, duration, d_duration, rate, d_rate, accumulates, weights, rtol, atol, max_steps, periods,
    period_rtol, status,
):  # fmt: skip
    """Write the steady state and its sensitivities into x, starting from the states in it.

    Of the map Phi of one period ``dx/dw = (I - Phi_x)^-1 Phi_w`` by the implicit function theorem;
    both derivatives are sensitivities over one period, and a Newton step removes what periods left.
    One more period, from the first derivatives, gives what the second ones gain in it. States that
    only accumulate keep what they start with.
    """
    constant, held = np.zeros(n), int(action[KIND]) in (CONSTANT, ADD_CONSTANT)
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
    numbers, speeds = np.zeros(plan.shape[0]), np.zeros(plan.shape[0])
    d_numbers, d_speeds = np.zeros_like(d_whens), np.zeros_like(d_whens)
    passage = (numbers, speeds, d_numbers, d_speeds)
    for a in range(plan.shape[0]):
        source, by = int(plan[a, SOURCE]), int(plan[a, STARTED_BY])
        numbers[a], speeds[a] = duration[by, source], rate[by, source]
        d_numbers[a, :m] = d_duration[by, source, :m]
        d_numbers[a, m + n :] = d_duration[by, source, m:]
        d_speeds[a, :m], d_speeds[a, m + n :] = d_rate[by, source, :m], d_rate[by, source, m:]
        action_tangents(
            plan[a], one, two, kind, fr, d_fr, duration, d_duration, rate, d_rate, d_lag, d_when,
            d_size,
        )  # fmt: skip
        d_whens[a, :m], d_whens[a, m + n :] = d_when[:m], d_when[m:]
        d_sizes[a, :m], d_sizes[a, m + n :] = d_size[:m], d_size[m:]
    state = x[:n].copy()
    none = np.zeros((plan.shape[0], 0))
    plain = (numbers, speeds, none, none)
    alone, packed = room(n_q, 0, 0), room(n_q, columns, pairs)
    pack(p, d_p[:, :0], one[:0], two[:0], 0, alone)
    _settle(
        stiff, method, f, g, flow, n, one[:0], state, alone, p[:n_q], plan, interval, constant,
        compartment, none, plain, accumulates, weights, np.abs(state), rtol, atol, max_steps,
        periods, period_rtol, status,
    )  # fmt: skip
    pack(p, d_p, one, two, n, packed)
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
            constant, compartment, d_whens, d_sizes, passage, all_weights, np.abs(wide), rtol,
            atol, max_steps, status,
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
            if accumulates[i] == 1:
                left[i], right[i] = 0.0, 0.0
                left[i, i] = 1.0
        solve(left, right)
        for i in range(n):
            if accumulates[i] == 1:
                continue
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
