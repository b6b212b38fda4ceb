"""What happens to one subject, in order, as a list of actions, compiled.

The rules of order are those of the simulation (``docs/events.md``). An action keeps the dose
record and the input process that it stems from, because the derivatives of its time and its size
follow from them.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.doses import BAD_INPUT, LAG_TOO_LONG, input_of, usable
from statera.simulate.pending import (
    AMOUNT,
    FIRST,
    INPUT_RATE,
    INTERVAL,
    LEFT,
    NUMBER,
    PROCESS,
    RATE,
    STOPS,
    TIME,
    clear,
    drop,
    new_table,
    next_index,
    push,
)

__all__ = ["action_tangents", "period_schedule", "schedule"]

# Kinds of actions.
OBSERVE, BOLUS, START, STOP, RUNNING, RESET, STEADY, ADD_STEADY, CONSTANT, ADD_CONSTANT = range(10)

# Columns: time, kind, amount or rate given, process (the first one of a steady state), amount and
# RATE of the record, II of a steady state, and the row of an observation (of a steady state, the
# end of its processes).
WHEN, KIND, SIZE, SOURCE, GIVEN, RECORD_RATE, PERIOD, ROW = range(8)
_COLUMNS = 8

SAME = 1e-12
"""Times closer than this, relative, are one instant: doses land, then records are read."""

_MOST_OVERLAPS = 100_000


@compiled
def _emit(actions, used, when, kind, size, source, given, record_rate, period, row):
    """Add an action; the list grows where it is full."""
    k = used[0]
    if k == actions.shape[0]:
        larger = np.empty((2 * k, _COLUMNS))
        larger[:k] = actions
        actions = larger
    actions[k, WHEN] = when
    actions[k, KIND] = kind
    actions[k, SIZE] = size
    actions[k, SOURCE] = source
    actions[k, GIVEN] = given
    actions[k, RECORD_RATE] = record_rate
    actions[k, PERIOD] = period
    actions[k, ROW] = row
    used[0] = k + 1
    return actions


@compiled
def _start(
    actions, used, table, count, status, when, planned, q, amount, record_rate,
    kind, f, duration, modelled_rate,
):  # fmt: skip
    """Start one input at `when`; an infusion stops its length after the planned time."""
    at_once, rate, length = input_of(
        kind[q], amount, record_rate, f[q], duration[q], modelled_rate[q]
    )
    if not (np.isfinite(at_once) and np.isfinite(rate)):
        status[0] = BAD_INPUT
    elif rate > 0.0 and length > 0.0:
        actions = _emit(actions, used, when, START, rate, q, amount, record_rate, 0.0, -1)
        table = push(
            table, count, 1.0, q, amount, record_rate, 0.0, 0.0, 0, rate, planned + length, 0.0
        )
    else:
        actions = _emit(actions, used, when, BOLUS, at_once, q, amount, record_rate, 0.0, -1)
    return actions, table


@compiled
def _due(
    actions, used, table, count, status, target, kind, f, duration, modelled_rate
):  # fmt: skip
    """Carry out what is pending up to the target time."""
    while status[0] == 0:
        k = next_index(table, count)
        if k < 0 or table[k, TIME] - SAME * max(1.0, table[k, TIME]) > target:
            break
        when = min(table[k, TIME], target)
        planned, stops, q = table[k, TIME], table[k, STOPS], int(table[k, PROCESS])
        amount, record_rate, left = table[k, AMOUNT], table[k, RATE], table[k, LEFT]
        interval, first, number = table[k, INTERVAL], table[k, FIRST], table[k, NUMBER]
        rate = table[k, INPUT_RATE]
        drop(table, count, k)
        if stops == 1.0:
            actions = _emit(actions, used, when, STOP, rate, q, amount, record_rate, 0.0, -1)
            continue
        actions, table = _start(
            actions, used, table, count, status, when, planned, q, amount, record_rate,
            kind, f, duration, modelled_rate,
        )  # fmt: skip
        if left > 0.0:
            table = push(
                table, count, 0.0, q, amount, record_rate, left - 1.0, interval, 0, 0.0, first,
                number + 1.0,
            )  # fmt: skip
    return actions, table


@compiled
def _steady(
    actions, used, table, count, status, t, ss, amount, record_rate, interval, first, last,
    kind, f, lag, duration, modelled_rate,
):  # fmt: skip
    """Order a steady state just before the record's own dose; earlier infusions may still run."""
    which = STEADY if ss == 1 else ADD_STEADY
    actions = _emit(actions, used, t, which, 0.0, first, amount, record_rate, interval, last)
    for q in range(first, last):
        if not usable(f[q], lag[q]):
            status[0] = BAD_INPUT
            return actions, table
        if lag[q] >= interval:
            status[0] = LAG_TOO_LONG
            return actions, table
        at_once, rate, length = input_of(
            kind[q], amount, record_rate, f[q], duration[q], modelled_rate[q]
        )
        proper = np.isfinite(at_once) and np.isfinite(rate)
        if not proper or length > _MOST_OVERLAPS * interval:
            status[0] = BAD_INPUT
            return actions, table
        tau = interval - lag[q]
        while rate > 0.0 and tau < length:
            actions = _emit(actions, used, t, RUNNING, rate, q, amount, record_rate, 0.0, -1)
            table = push(
                table, count, 1.0, q, amount, record_rate, 0.0, 0.0, 0, rate, t + length - tau, 0.0
            )
            tau += interval
    return actions, table


@compiled
def schedule(
    lo, hi, time, evid, amt, rate, ii, addl, ss, key, row_of,
    key_start, kind, f, lag, duration, modelled_rate, status,
):  # fmt: skip
    """Return the actions of the records ``lo`` to ``hi`` for one subject, (n_actions, 8).

    ``f`` to ``modelled_rate`` (n_processes,) are the subject's. Where an input cannot be used the
    status says so.
    """
    actions, used = np.empty((64, _COLUMNS)), np.zeros(1, dtype=np.int64)
    table, count = new_table(16)
    for r in range(lo, hi):
        if status[0] != 0:
            break
        t = time[r]
        actions, table = _due(
            actions, used, table, count, status, t, kind, f, duration, modelled_rate
        )
        if evid[r] == 0:
            actions = _emit(actions, used, t, OBSERVE, 0.0, 0, 0.0, 0.0, 0.0, row_of[r])
            continue
        if evid[r] == 2:
            continue
        if evid[r] >= 3 or ss[r] == 1:
            clear(count)
            actions = _emit(actions, used, t, RESET, 0.0, 0, 0.0, 0.0, 0.0, -1)
        if evid[r] == 3:
            continue
        first, last = key_start[key[r]], key_start[key[r] + 1]
        if ss[r] >= 1 and ii[r] == 0.0:
            which = CONSTANT if ss[r] == 1 else ADD_CONSTANT
            actions = _emit(actions, used, t, which, 0.0, first, 0.0, rate[r], 0.0, last)
            continue
        if ss[r] >= 1:
            actions, table = _steady(
                actions, used, table, count, status, t, ss[r], amt[r], rate[r], ii[r], first, last,
                kind, f, lag, duration, modelled_rate,
            )  # fmt: skip
        for q in range(first, last):
            if not usable(f[q], lag[q]):
                status[0] = BAD_INPUT
                break
            left = float(addl[r])
            number = 0.0
            if lag[q] == 0.0:
                actions, table = _start(
                    actions, used, table, count, status, t, t, q, amt[r], rate[r],
                    kind, f, duration, modelled_rate,
                )  # fmt: skip
                number = 1.0
            if number == 0.0 or left > 0.0:
                table = push(
                    table, count, 0.0, q, amt[r], rate[r], left - number, ii[r], 0, 0.0,
                    t + lag[q], number,
                )  # fmt: skip
    return actions[: used[0]]


@compiled
def period_schedule(
    amount, record_rate, interval, first, last, kind, f, lag, duration, modelled_rate
):
    """Return the actions of one dosing period that repeats for ever, from 0 to its length.

    Every input starts at its lag. Infusions longer than the rest of the period run from earlier
    ones: so many are running when it begins, and one of them stops within it.
    """
    found, used = np.empty((8, _COLUMNS)), np.zeros(1, dtype=np.int64)
    for q in range(first, last):
        at_once, rate, length = input_of(
            kind[q], amount, record_rate, f[q], duration[q], modelled_rate[q]
        )
        if rate > 0.0 and length > 0.0:
            running = int(np.ceil((lag[q] + length) / interval)) - 1
            ends = lag[q] + length - running * interval
            for _ in range(running):
                found = _emit(found, used, 0.0, RUNNING, rate, q, amount, record_rate, 0.0, -1)
            found = _emit(found, used, lag[q], START, rate, q, amount, record_rate, 0.0, -1)
            found = _emit(found, used, ends, STOP, rate, q, amount, record_rate, 0.0, -1)
        else:
            found = _emit(found, used, lag[q], BOLUS, at_once, q, amount, record_rate, 0.0, -1)
    order = np.argsort(found[: used[0], WHEN], kind="mergesort")
    return found[: used[0]][order]


@compiled
def action_tangents(
    action, kind, f, d_f, duration, d_duration, modelled_rate, d_modelled_rate, d_lag,
    d_when, d_size,
):  # fmt: skip
    """Write the derivatives of the time and the size of an action, (n_wrt,) each.

    ``f``, ``duration`` and ``modelled_rate`` are the subject's, (n_processes,), and ``d_...`` their
    derivatives, (n_processes, n_wrt).
    """
    q = int(action[SOURCE])
    amount, record_rate = action[GIVEN], action[RECORD_RATE]
    what = int(action[KIND])
    by_rate = record_rate == -1.0 or (record_rate == 0.0 and kind[q] == 2)
    by_duration = record_rate == -2.0 or (record_rate == 0.0 and kind[q] == 1)
    for j in range(d_when.size):
        d_when[j] = d_lag[q, j]
        d_total = d_f[q, j] * amount
        d_rate = d_length = 0.0
        if record_rate > 0.0:
            d_length = d_total / record_rate
        elif by_rate:
            d_rate = d_modelled_rate[q, j]
            d_length = (d_total - f[q] * amount / modelled_rate[q] * d_rate) / modelled_rate[q]
        elif by_duration and duration[q] > 0.0:
            d_length = d_duration[q, j]
            d_rate = (d_total - f[q] * amount / duration[q] * d_length) / duration[q]
        elif by_duration:
            # a short infusion acts as a bolus in its middle
            d_when[j] += 0.5 * d_duration[q, j]
        if what == BOLUS:
            d_size[j] = d_total
        else:
            d_size[j] = d_rate
            if what == STOP:
                d_when[j] += d_length
            elif what == RUNNING:
                d_when[j] = 0.0
