"""Adaptive integration between two events, with observations from the dense output, compiled."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.rodas5p import rodas5p_step
from statera.numerics.tsit5 import FLOOR, A, looped_step
from statera.numerics.variational import FIRST_NODE, SECOND_NODE, carry, slopes_at
from statera.simulate.answers_dense import answer_dense
from statera.simulate.doses import NOT_FINITE, STEP_TOO_SMALL, TOO_MANY_STEPS
from statera.simulate.ode_dense import RODAS5P, TSIT5, WATCHED, between
from statera.simulate.pending import earliest
from statera.simulate.windows import AREA, HIGHEST, LAST, LOWEST, N_MEASURES, WHEN

__all__ = ["RODAS5P", "STIFF", "TSIT5", "WATCHED", "advance_to", "first_step"]

STIFF = 100
"""Status of a subject that Tsit5 gave up: it is solved anew by Rodas5P."""

# Rules of giving up, see docs/solvers.md. Tsit5 is stable to 3.5 on the negative real axis.
_BOUND = 3.0
_LEISURE, _EVERY, _ENOUGH, _CALM = 20, 4, 4, 4
_WORTHWHILE = 400.0
_LAST_TWO = A[6] - A[5]

# Gauss-Legendre nodes and weights on [0, 1], exact to degree 7: above the interpolant's order.
_NODES = np.array(
    [0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263]
)
_WEIGHTS = np.array(
    [0.17392742256872692, 0.32607257743127307, 0.32607257743127307, 0.17392742256872692]
)
_GOLDEN = 0.6180339887498949


@compiled
def _size_of_slope(x, k, peak, rtol, atol):
    """Return h times the largest rate of change that the last two stages of Tsit5 show.

    Both stages stand at the end of the step: the difference of their derivatives over that of
    their states is a slope (Hairer and Wanner, Solving Ordinary Differential Equations II, IV.2).
    """
    n = x.size
    top = 0.0
    bottom = 0.0
    for i in range(n):
        scale = atol + rtol * max(abs(x[i]), FLOOR * peak[i])
        if scale > 0.0:
            moved = 0.0
            for q in range(6):
                moved += _LAST_TWO[q] * k[q * n + i]
            turned = (k[6 * n + i] - k[5 * n + i]) / scale
            moved /= scale
            top += turned * turned
            bottom += moved * moved
    return np.sqrt(top / bottom) if bottom > 0.0 else 0.0


@compiled
def _is_stiff(clock, x, k, peak, rtol, atol):
    """Return whether looks have found steps held down by stability often enough.

    ``clock[3]`` counts the looks that found it, ``clock[4]`` those since then that did not.
    """
    if _size_of_slope(x, k, peak, rtol, atol) > _BOUND:
        clock[3] += 1.0
        clock[4] = 0.0
        return clock[3] >= _ENOUGH
    clock[4] += 1.0
    if clock[4] == _CALM:
        clock[3] = 0.0
    return False


@compiled
def _carry(method, jac, pattern, work, t, h, x, x_new, p, k, state, tangent):
    """Carry the derivative with respect to the start over the step just taken."""
    n = x.size
    first, second = np.empty((n, n)), np.empty((n, n))
    between(method, FIRST_NODE, h, x, x_new, k, state)
    slopes_at(jac, pattern[0], pattern[1], t + FIRST_NODE * h, state, p, work[0], first)
    between(method, SECOND_NODE, h, x, x_new, k, state)
    slopes_at(jac, pattern[0], pattern[1], t + SECOND_NODE * h, state, p, work[0], second)
    if not carry(h, first, second, tangent):
        tangent[:, :] = np.nan


@compiled
def first_step(x, k, peak, rtol, atol):
    """Return a cautious first step from the size of the state and its derivative.

    After Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.4.
    """
    size = 0.0
    speed = 0.0
    for i in range(x.size):
        scale = atol + rtol * max(abs(x[i]), FLOOR * peak[i])
        if scale > 0.0:
            size = max(size, abs(x[i]) / scale)
            speed = max(speed, abs(k[i]) / scale)
    if size < 1e-5 or speed < 1e-5:
        return 1e-6 if speed > 0.0 else 1.0
    return 0.01 * size / speed


@compiled
def _watch(measures, windows, method, t, h, g, p, x, x_new, k, state, values):
    """Update window measures over one accepted step, from its dense output."""
    for w in range(windows.shape[0]):
        if t < windows[w, 0] - 1e-12 or t + h > windows[w, 1] + 1e-12:
            continue
        for q in range(4):
            between(method, _NODES[q], h, x, x_new, k, state)
            g(t + _NODES[q] * h, state, p, values, 0)
            for o in range(values.size):
                measures[w, o, AREA] += h * _WEIGHTS[q] * values[o]
        if measures.shape[2] > N_MEASURES:
            answer_dense(measures[w], N_MEASURES, method, g, t, h, p, x, x_new, k, state, values)
        for o in range(values.size):
            row = measures[w, o]
            best = 0
            top = -np.inf
            for q in range(9):
                between(method, q / 8.0, h, x, x_new, k, state)
                g(t + q / 8.0 * h, state, p, values, 0)
                row[LOWEST] = min(row[LOWEST], values[o])
                if values[o] > top:
                    top = values[o]
                    best = q
                if q == 8:
                    row[LAST] = values[o]
            low, high = max(best - 1, 0) / 8.0, min(best + 1, 8) / 8.0
            for _ in range(40):
                left = high - _GOLDEN * (high - low)
                right = low + _GOLDEN * (high - low)
                between(method, left, h, x, x_new, k, state)
                g(t + left * h, state, p, values, 0)
                at_left = values[o]
                between(method, right, h, x, x_new, k, state)
                g(t + right * h, state, p, values, 0)
                if at_left > values[o]:
                    high = right
                else:
                    low = left
            when = best / 8.0
            middle = 0.5 * (low + high)
            between(method, middle, h, x, x_new, k, state)
            g(t + middle * h, state, p, values, 0)
            if values[o] > top:
                top = values[o]
                when = middle
            if top > row[HIGHEST]:
                row[HIGHEST] = top
                row[WHEN] = t + when * h


@compiled
def _restart(f, t, clock, x, p, rates, k, peak, rtol, atol):
    """Take the derivative after an event, and a cautious step from it."""
    f(t, x, p, k, 0)
    for i in range(x.size):
        k[i] += rates[i]
    clock[1] = first_step(x, k, peak, rtol, atol)
    clock[2], clock[3], clock[4] = 1.0, 0.0, 0.0


@compiled
def advance_to(
    f, g, step, jac, factor, solve, pattern, work, method, tangent,
    stop, strict, clock, x, p, rates, k, x_new, peak, state, values,
    rtol, atol, max_steps, r, last, evid, time, row_of, y, windows, measures, status,
):  # fmt: skip
    """Integrate from ``clock[0]`` to stop.

    ``clock[1]`` is the next step; ``clock[2]`` says whether the first stage is ready. Observation
    records from r on are filled as the steps pass them, those at stop only where `strict` is
    False. Returns the first record that was not filled. ``pattern`` holds rows and columns of the
    Jacobian and ``work`` the arrays of `rodas5p_step`; ``step`` holds a Tsit5 step written out for
    the system and whether there is one, to the last bit the same as the step in loops. Where
    ``tangent`` is (n, n) and not empty, it is multiplied by the derivative of the solution with
    respect to its start.
    """
    n, t = x.size, clock[0]
    edge = earliest(stop) if strict else np.inf
    # counted in this function, because a call on every step would cost a tenth of it
    look = _LEISURE if method == WATCHED else -1
    if stop - t <= 1e-13 * max(abs(stop), 1e-3):
        # event times that differ by rounding only, such as II and F*AMT/RATE: no step fits between
        t = stop
    for _ in range(max_steps):
        if t >= stop:
            break
        if clock[2] == 0.0:
            _restart(f, t, clock, x, p, rates, k, peak, rtol, atol)
        h = min(clock[1], stop - t)
        if h < 1e-14 * max(abs(t), 1e-3):
            status[0] = STEP_TOO_SMALL
            return r
        if method == RODAS5P:
            error = rodas5p_step(
                f, jac, factor, solve, pattern[0], pattern[1], t, h, x, p, rates, k, x_new,
                work[0], work[1], work[2], work[3], peak, rtol, atol,
            )  # fmt: skip
        elif step[1]:
            error = step[0](t, h, x, p, rates, k, x_new, peak, rtol, atol)
        else:
            error = looped_step(f, t, h, x, p, rates, k, x_new, peak, rtol, atol)
        if not error <= 1.0:
            if not np.isfinite(error) and h < 1e-10:
                status[0] = NOT_FINITE
                return r
            clock[1] = h * max(0.2, 0.9 * error**-0.2) if np.isfinite(error) else 0.1 * h
            continue
        t_new = stop if t + h >= stop - 1e-14 * abs(stop) else t + h
        while r < last and evid[r] == 0 and time[r] <= t_new and time[r] < edge:
            if row_of[r] >= 0:
                between(method, (time[r] - t) / h, h, x, x_new, k, state)
                g(time[r], state, p, values, 0)
                for o in range(values.size):
                    y[row_of[r], o] = values[o]
            r += 1
        if windows.shape[0] > 0:
            _watch(measures, windows, method, t, h, g, p, x, x_new, k, state, values)
        if tangent.shape[0] > 0:
            _carry(method, jac, pattern, work, t, h, x, x_new, p, k, state, tangent)
        look -= 1
        if look == 0:
            look = _EVERY
            if stop - t > _WORTHWHILE * h and _is_stiff(clock, x, k, peak, rtol, atol):
                status[0] = STIFF
                return r
        t = t_new
        for i in range(n):
            x[i], k[i] = x_new[i], k[6 * n + i]
            peak[i] = max(peak[i], abs(x_new[i]))
        growth = 5.0 if error == 0.0 else min(5.0, 0.9 * error**-0.2)
        # a step cut short by an event says nothing against the longer one before it
        clock[1] = max(clock[1], h * growth) if h < clock[1] else h * growth
    clock[0] = t
    if t < stop:
        status[0] = TOO_MANY_STEPS
    return r
