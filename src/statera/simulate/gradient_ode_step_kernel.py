"""Steps and events of states and sensitivities between which an event loop chooses, compiled.

States and sensitivities lie in one vector (`statera.numerics.sensitivity`).
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.rodas5p import dense_output, interpolate_stiff
from statera.numerics.sensitivity_step import column_error, first_step, held_down, stiff_step
from statera.numerics.transit_columns import enter, expect, start
from statera.numerics.tsit5 import interpolate, looped_step
from statera.simulate.doses import NOT_FINITE, STEP_TOO_SMALL, TOO_MANY_STEPS
from statera.simulate.gradient_schedule import BOLUS, KIND, OBSERVE, PERIOD, ROW, SIZE, STOP, WHEN

__all__ = [
    "RODAS5P", "STIFF", "TSIT5", "WATCHED", "advance", "enter_transit", "fill", "give", "pack",
    "put", "room",
]  # fmt: skip

TSIT5, RODAS5P, WATCHED = 0, 1, 2
"""Methods; the last is Tsit5 that gives up where the system is stiff."""

STIFF = 100
"""Status of a subject that Tsit5 gave up: it is solved anew by Rodas5P."""


@compiled
def pack(p, d_p, one, two, extra, packed):
    """Write constants, the columns of their derivatives and the pairs into one vector.

    Doses in transit, which stand between these, stay. `extra` columns of zeros stand between those
    of first and those of second derivatives.
    """
    n_q, m = d_p.shape
    pairs = one.size
    w = m + extra
    packed[: n_q * (1 + w)] = 0.0
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
def room(n_q, columns, pairs):
    """Return an empty vector for `_pack`."""
    return np.zeros(n_q * (1 + columns) + 1 + 2 * pairs + 1)


@compiled
def put(initial, d_initial, x):
    """Write initial states (n,) and their derivatives (n, n_wrt) into the vector of both."""
    n, m = d_initial.shape
    for i in range(n):
        x[i] = initial[i]
        for j in range(m):
            x[n + i * m + j] = d_initial[i, j]


@compiled
def advance(
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
            fill(g, when, state, p, values, n_out, int(actions[index, ROW]), y, dy)
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
def fill(g, t, x, p, values, n_out, row, y, dy):
    """Write outputs and their sensitivities into a row; none where it is negative."""
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
def give(
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
    alone = np.zeros(constants.size + 2)  # what is in transit is the same before and after
    if kind == BOLUS:
        if moves:
            alone[: constants.size] = constants
            f(t, x[:n], alone, before, 0)
        x[column] += size
        for j in range(d_size.size):
            x[start + j] += d_size[j]
        if moves:
            f(t, x[:n], alone, after, 0)
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
def enter_transit(
    p, base, n, pairs, x, peak, action, state, extra, n_transit, ktr, d_when, d_size, d_n, d_ktr,
    status,
):  # fmt: skip
    """Let a dose enter through transit compartments from now on; returns p, larger if need be.

    Where n < 1 and its time moves, the second derivative by that has no integrable form.
    """
    w = x.size // n - 1
    first = d_when.size - pairs
    for j in range(first if pairs > 0 and n_transit < 1.0 else 0):
        if d_when[j] != 0.0:
            status[0] = NOT_FINITE
    p = enter(
        p, base, w, pairs, state, action[PERIOD], action[SIZE], n_transit, ktr, extra, d_when,
        d_size, d_n, d_ktr,
    )  # fmt: skip
    if action[PERIOD] >= action[WHEN]:
        start(p, base, n, w, pairs, x)
    expect(p, base, n, w, pairs, peak)
    return p
