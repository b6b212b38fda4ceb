"""Steady state of a system that is not linear: the fixed point of its period map, compiled.

``Phi(x)`` is the state one dosing period after x. Newton's method solves ``Phi(x) = x`` with the
derivative of Phi from the variational equations; where its matrix is singular or its steps fail
the period is repeated, as patients do, until the state no longer changes.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.rodas5p import solve_dense
from statera.numerics.transit import STAGES_OF_INPUT, stage_of
from statera.simulate.doses import (
    LAG_TOO_LONG,
    NO_STEADY_STATE,
    NOT_PERIODIC,
    input_of,
    order_dose,
    take_entry,
)
from statera.simulate.ode_step import advance_to
from statera.simulate.pending import (
    FIRST,
    STOPS,
    TIME,
    append,
    clear,
    drop,
    new_table,
    next_index,
    running_rates,
    running_transits,
)

__all__ = ["meet_steady_state"]

_SINGULAR = 1e-11
"""Pivot of ``I - dPhi/dx`` below which a direction counts as conserved."""
_RUNAWAY, _FAR = 1e5, 1e3
_MOST_NEWTON = 60
_GONE = 1e-15  # a state below this part of its largest size has died away and is settled


@compiled
def _periods_to_fill(amount, record_rate, interval, first, last, kind, fr, lag, duration, rate):
    """Return the number of periods after which the infusions running are the same in each."""
    filled = 1
    for q in range(first, last):
        if kind[q] == 3:
            length = stage_of(STAGES_OF_INPUT, duration[q], rate[q])
        else:
            _, _, length = input_of(kind[q], amount, record_rate, fr[q], duration[q], rate[q])
        reach = (lag[q] + length) / interval
        if reach < 1e6:
            filled = max(filled, int(reach) + 1)
    return filled


@compiled
def _correction(tangent, before, x, delta, pivots):
    """Write Newton's correction of `before`; returns False where the matrix is singular."""
    n = x.size
    for i in range(n):
        delta[i] = x[i] - before[i]
        for q in range(n):
            tangent[i, q] = (1.0 if i == q else 0.0) - tangent[i, q]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(tangent[i, k]) > abs(tangent[pivot, k]):
                pivot = i
        pivots[k] = pivot
        for q in range(n):
            tangent[k, q], tangent[pivot, q] = tangent[pivot, q], tangent[k, q]
        largest = 1.0
        for q in range(k, n):
            largest = max(largest, abs(tangent[k, q]))
        if not abs(tangent[k, k]) > _SINGULAR * largest:
            return False
        for i in range(k + 1, n):
            tangent[i, k] /= tangent[k, k]
            for q in range(k + 1, n):
                tangent[i, q] -= tangent[i, k] * tangent[k, q]
    solve_dense(tangent, pivots, delta, 0)
    return True


@compiled
def _relative(change, one, other, peak):
    """Return the largest change relative to the state."""
    found = 0.0
    for i in range(change.size):
        scale = max(abs(one[i]), abs(other[i]))
        if scale > _GONE * peak[i]:
            part = abs(change[i]) / scale
            found = part if not part <= found else found
    return found


@compiled
def _newton_state(before, x, delta):
    """Move x to the state that Newton's method proposes, without turning a state negative.

    Returns False where that is not possible; x is then left as it is.
    """
    if not np.isfinite(delta).all():
        return False
    for i in range(x.size):
        proposed = before[i] + delta[i]
        if before[i] >= 0.0 and x[i] >= 0.0:
            proposed = max(proposed, 0.1 * min(before[i], x[i]))
        x[i] = proposed
    return True


@compiled
def _begin(
    table, count, status, amount, record_rate, interval, first, last, compartment, kind, fr,
    lag, duration, modelled_rate, clock, rates, jump,
):  # fmt: skip
    """Order the dose without end; returns the table and the periods to repeat before Newton."""
    clock[0] = 0.0
    clock[2] = 0.0
    if interval == 0.0:
        rates[:] = 0.0
        for q in range(first, last):
            rates[compartment[q]] += record_rate
        return table, 1
    for q in range(first, last):
        if lag[q] >= interval:
            status[0] = LAG_TOO_LONG
            return table, 1
    jump[:] = 0.0
    table = order_dose(
        table, count, status, 0.0, amount, record_rate, 1e18, interval, first, last, False,
        compartment, kind, fr, lag, duration, modelled_rate, jump,
    )  # fmt: skip
    hold = _periods_to_fill(
        amount, record_rate, interval, first, last, kind, fr, lag, duration, modelled_rate
    )
    return table, hold


@compiled
def meet_steady_state(
    adds, start, accumulates, f, g, step, jac, factor, solve, pattern, work, method, table, count,
    status, time, amount, record_rate, interval, first, last, compartment,
    kind, fr, lag, duration, modelled_rate, clock, x, p, base,
    rates, k, x_new, peak, state, values, jump, rtol, atol, max_steps,
    periods, period_rtol,
):  # fmt: skip
    """Put x at the steady state of a repeated dose, or add it where `adds` is set; returns p.

    What is added is the steady state of this dose alone less the state `start` that the system has
    without any dose. The doses outstanding stay then; else they are forgotten.
    """
    if not adds:
        clear(count)
        x[:] = start
        return _reach_steady_state(
            accumulates, f, g, step, jac, factor, solve, pattern, work, method, table, count,
            status, time, amount, record_rate, interval, first, last, compartment, kind, fr, lag,
            duration, modelled_rate, clock, x, p, base, rates, k, x_new, peak, state, values, jump,
            rtol, atol, max_steps, periods, period_rtol,
        )  # fmt: skip
    other, other_count = new_table(16)
    alone = start.copy()
    other, p = _reach_steady_state(
        accumulates, f, g, step, jac, factor, solve, pattern, work, method, other, other_count,
        status, time, amount, record_rate, interval, first, last, compartment, kind, fr, lag,
        duration, modelled_rate, clock, alone, p, base, rates, k, x_new, peak, state, values, jump,
        rtol, atol, max_steps, periods, period_rtol,
    )  # fmt: skip
    for i in range(x.size):
        x[i] += alone[i] - start[i]
    for index in range(other_count[0]):
        table = append(table, count, other[index])
    return table, p


@compiled
def _reach_steady_state(
    accumulates, f, g, step, jac, factor, solve, pattern, work, method, table, count,
    status, time, amount, record_rate, interval, first, last, compartment,
    kind, fr, lag, duration, modelled_rate, clock, x, p, base,
    rates, k, x_new, peak, state, values, jump, rtol, atol, max_steps,
    periods, period_rtol,
):  # fmt: skip
    """Bring x to the steady state of a repeated dose, on a clock of its own.

    Newton's method starts when the infusions that overlap are the same in every period. It has
    arrived where its correction, an estimate of the distance, is within ten times `period_rtol`, or
    within `rtol`: a period that is not integrated better leaves no smaller one, and the correction
    has been made by then.
    Repetition has arrived where the change is within `period_rtol` and the distance estimated
    from the ratio of two changes is within ten times that. A state that only accumulates has no
    steady state and holds up none: it keeps the value it started with.
    """
    n = x.size
    constant = interval == 0.0
    length = 24.0 if constant else interval
    if constant:  # at rest steps grow to the bound of stability, and errors of their size remain
        rtol = 0.01 * rtol
    table, hold = _begin(
        table, count, status, amount, record_rate, interval, first, last, compartment, kind, fr,
        lag, duration, modelled_rate, clock, rates, jump,
    )  # fmt: skip
    if status[0] != 0:
        return table, p
    p = running_transits(table, count, p, base, peak)
    none, full = np.zeros((0, 0)), np.zeros((n, n))
    before, delta, early = np.zeros(n), np.zeros(n), np.zeros(n)
    # plain periods left, Newton's attempts, change of the period before
    course = np.array([float(hold), 0.0, np.inf])
    if pattern[0].size == 0:
        course[0] = np.inf
    for period in range(periods):
        tangent = full if course[0] == 0.0 else none
        for i in range(n):
            before[i] = x[i]
            for q in range(tangent.shape[0]):
                tangent[i, q] = 1.0 if i == q else 0.0
        table, p = _one_period(
            f, g, step, jac, factor, solve, pattern, work, method, tangent, table, count, status,
            (period + 1) * length, compartment, kind, fr, duration, modelled_rate, clock, x, p,
            base, rates, k, x_new, peak, state, values, jump, rtol, atol, max_steps,
        )  # fmt: skip
        if status[0] != 0:
            return table, p
        _forget(accumulates, before, x, tangent)
        for i in range(n):
            delta[i] = x[i] - before[i]
        if tangent.shape[0] == 0:
            arrived = _repeated(course, delta, before, x, peak, early, period_rtol)
        else:
            arrived = _newton(
                course, tangent, delta, before, x, peak, early, work[3], clock,
                max(period_rtol, 0.1 * rtol), status,
            )  # fmt: skip
        if status[0] != 0:
            return table, p
        if arrived:
            _leave(table, count, time, constant, clock, rates)
            return table, p
    status[0] = NOT_PERIODIC
    return table, p


@compiled
def _forget(accumulates, before, x, tangent):
    """Put back the states that only accumulate: nothing depends on them."""
    for i in range(x.size):
        if accumulates[i] == 0:
            continue
        x[i] = before[i]
        for q in range(tangent.shape[0]):
            tangent[i, q] = 0.0
            tangent[q, i] = 0.0


@compiled
def _repeated(course, delta, before, x, peak, early, period_rtol):
    """Judge a period that was repeated: it has arrived where the state stopped changing."""
    change = _relative(delta, x, before, peak)
    ratio = change / course[2] if course[2] > 0.0 else 0.0
    left = change * ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
    course[2] = change
    course[0] = max(0.0, course[0] - 1.0)
    if course[1] == 0.0:
        for i in range(x.size):
            early[i] = peak[i]
    return change == 0.0 or (change < period_rtol and left < period_rtol * 10.0)


@compiled
def _newton(course, tangent, delta, before, x, peak, early, pivots, clock, period_rtol, status):
    """Judge a period carried with its derivative, and move x on by Newton's method.

    A system without a steady state is told by corrections as large as the state, while the state
    is already `_RUNAWAY` times the largest it was in the first periods; or by a state that is far
    above that and still grows, although its size no longer holds its growth back.
    """
    change = _relative(delta, x, before, peak)
    course[1] += 1.0
    if course[1] > _MOST_NEWTON or not _correction(tangent, before, x, delta, pivots):
        if course[1] > 1.0:
            for i in range(x.size):
                if abs(x[i]) > _FAR * early[i] > 0.0 and delta[i] > early[i] / _FAR:
                    status[0] = NO_STEADY_STATE
        course[0] = np.inf
        course[2] = np.inf
        return False
    distance = _relative(delta, x, before, peak)
    if change > 4.0 * course[2] or not _newton_state(before, x, delta):
        course[0] = 2.0
        course[2] = np.inf
        return False
    course[2] = change
    if distance <= period_rtol * 10.0:
        return True
    clock[2] = 0.0
    for i in range(x.size):
        if course[1] > 3.0 and distance > 0.1 and abs(x[i]) > _RUNAWAY * early[i] > 0.0:
            status[0] = NO_STEADY_STATE
        if x[i] != 0.0:  # one that starts every period at zero keeps the size it is known to reach
            peak[i] = abs(x[i])
    return False


@compiled
def _one_period(
    f, g, step, jac, factor, solve, pattern, work, method, tangent, table, count, status,
    end, compartment, kind, fr, duration, modelled_rate, clock, x, p, base,
    rates, k, x_new, peak, state, values, jump, rtol, atol, max_steps,
):  # fmt: skip
    """Integrate to the end of the period, with the doses and stops inside it."""
    none_i, none_f = np.zeros(0, dtype=np.int64), np.zeros(0)
    none_y, none_w, none_m = np.zeros((0, 0)), np.zeros((0, 2)), np.zeros((0, 0, 0))
    while status[0] == 0:
        index = next_index(table, count)
        due = table[index, TIME] if index >= 0 else np.inf
        # a start at the end of the period belongs to the next one
        stop = min(due, end)
        if stop > clock[0]:
            advance_to(
                f, g, step, jac, factor, solve, pattern, work, method, tangent, stop, False, clock,
                x, p, rates, k, x_new, peak, state, values, rtol, atol, max_steps, 0, 0, none_i,
                none_f, none_i, none_y, none_w, none_m, status,
            )  # fmt: skip
        if due >= end - 1e-9:
            break
        jump[:] = 0.0
        table = take_entry(
            table, count, index, status, compartment, kind, fr, duration, modelled_rate, jump
        )
        for i in range(x.size):
            x[i] += jump[i]
            peak[i] = max(peak[i], abs(x[i]))
        running_rates(table, count, rates)
        p = running_transits(table, count, p, base, peak)
        clock[2] = 0.0
    return table, p


@compiled
def _leave(table, count, time, constant, clock, rates):
    """Go back to the subject's clock: what is entering stays, virtual doses go."""
    for index in range(count[0] - 1, -1, -1):
        if table[index, STOPS] >= 1.0:
            table[index, TIME] += time - clock[0]
            table[index, FIRST] += time - clock[0]
        else:
            drop(table, count, index)
    if constant:
        rates[:] = 0.0
    clock[0] = time
    clock[2] = 0.0
