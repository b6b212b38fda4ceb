"""What happens to one subject, in order, as a list of actions, compiled.

The rules of order are those of the simulation (``docs/events.md``). An action keeps the dose
record and the input process that it stems from, because the derivatives of its time and its size
follow from them.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.transit import STAGES_OF_INPUT, stage_of
from statera.simulate.doses import BAD_INPUT, LAG_TOO_LONG, input_of, usable
from statera.simulate.pending import (
    AMOUNT,
    COMPARTMENT,
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
    next_index,
    push,
)

__all__ = ["action_tangents", "new_actions", "period_schedule", "schedule"]

# Kinds of actions.
(
    OBSERVE, BOLUS, START, STOP, RUNNING, RESET, STEADY, ADD_STEADY, CONSTANT, ADD_CONSTANT, CHANGE,
    TRANSIT, PASS,
) = range(13)  # fmt: skip

# Columns: time, kind, amount or rate given, process (the first one of a steady state; the new
# system of a change), amount and RATE of the record, II of a steady state, the row of an
# observation (of a steady state, the end of its processes), and the systems (rows of parameters)
# that gave the lag and all other parameters of an input. A dose through transit compartments has
# its amount as SIZE and the time it was given as PERIOD; solvers stop where it passes a stage.
WHEN, KIND, SIZE, SOURCE, GIVEN, RECORD_RATE, PERIOD, ROW, LAGGED_BY, STARTED_BY = range(10)
_COLUMNS = 10

SAME = 1e-12
"""Times closer than this, relative, are one instant: doses land, then records are read."""

_MOST_OVERLAPS = 100_000


@compiled
def new_actions(capacity):
    """Return an empty list of actions."""
    return np.empty((capacity, _COLUMNS))


@compiled
def _emit(actions, used, when, kind, size, source, given, record_rate, period, row, lagged, by):
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
    actions[k, LAGGED_BY] = lagged
    actions[k, STARTED_BY] = by
    used[0] = k + 1
    return actions


@compiled
def _stage_after(table, count, reached, p, q, given, stage, n, ktr):
    """Order the first stage, from `stage` on, of a dose in transit that ends later than reached."""
    while stage < STAGES_OF_INPUT - 1 and stage_of(stage, n, ktr) <= reached:
        stage += 1.0
    return push(
        table, count, 2.0, p, 0.0, float(q), stage, stage_of(stage, n, ktr), 0, 0.0, given, 1.0
    )


@compiled
def _start(
    actions, used, table, count, status, when, planned, p, amount, record_rate, lagged, q,
    kind, f, duration, modelled_rate,
):  # fmt: skip
    """Start one input at `when` in system q; an infusion stops its length after the planned time.

    What is pending of it keeps the systems that gave its lag and its length, in columns that
    pending stops do not use.
    """
    if kind[p] == 3:
        n, ktr = duration[q, p], modelled_rate[q, p]
        if not (n >= 0.0 and ktr > 0.0 and np.isfinite(n) and np.isfinite(ktr)):
            status[0] = BAD_INPUT
            return actions, table
        actions = _emit(
            actions, used, when, TRANSIT, f[q, p] * amount, p, amount, record_rate, when, -1,
            lagged, q,
        )  # fmt: skip
        return actions, _stage_after(table, count, 0.0, p, q, when, 0.0, n, ktr)
    at_once, rate, length = input_of(
        kind[p], amount, record_rate, f[q, p], duration[q, p], modelled_rate[q, p]
    )
    if not (np.isfinite(at_once) and np.isfinite(rate)):
        status[0] = BAD_INPUT
    elif rate > 0.0 and length > 0.0:
        actions = _emit(
            actions, used, when, START, rate, p, amount, record_rate, 0.0, -1, lagged, q
        )
        table = push(
            table, count, 1.0, p, amount, record_rate, float(q), 0.0, lagged, rate,
            planned + length, 0.0,
        )  # fmt: skip
    else:
        actions = _emit(
            actions, used, when, BOLUS, at_once, p, amount, record_rate, 0.0, -1, lagged, q
        )
    return actions, table


@compiled
def _due(
    actions, used, table, count, status, target, q, kind, f, duration, modelled_rate
):  # fmt: skip
    """Carry out what is pending up to the target time, in system q."""
    while status[0] == 0:
        k = next_index(table, count)
        if k < 0 or table[k, TIME] - SAME * max(1.0, table[k, TIME]) > target:
            break
        when = min(table[k, TIME], target)
        planned, stops, p = table[k, TIME], table[k, STOPS], int(table[k, PROCESS])
        amount, record_rate, left = table[k, AMOUNT], table[k, RATE], table[k, LEFT]
        interval, first, number = table[k, INTERVAL], table[k, FIRST], table[k, NUMBER]
        rate, lagged = table[k, INPUT_RATE], int(table[k, COMPARTMENT])
        drop(table, count, k)
        if stops == 2.0:
            actions = _emit(actions, used, when, PASS, 0.0, p, 0.0, 0.0, 0.0, -1, q, q)
            if left < STAGES_OF_INPUT - 1:
                by = int(record_rate)
                table = _stage_after(
                    table, count, interval, p, by, first, left + 1.0, duration[by, p],
                    modelled_rate[by, p],
                )  # fmt: skip
            continue
        if stops == 1.0:
            actions = _emit(
                actions, used, when, STOP, rate, p, amount, record_rate, 0.0, -1, lagged,
                int(left),
            )  # fmt: skip
            continue
        actions, table = _start(
            actions, used, table, count, status, when, planned, p, amount, record_rate, lagged, q,
            kind, f, duration, modelled_rate,
        )  # fmt: skip
        if left > 0.0:
            table = push(
                table, count, 0.0, p, amount, record_rate, left - 1.0, interval, lagged, 0.0,
                first, number + 1.0,
            )  # fmt: skip
    return actions, table


@compiled
def _steady(
    actions, used, table, count, status, t, ss, amount, record_rate, interval, first, last, q,
    kind, f, lag, duration, modelled_rate,
):  # fmt: skip
    """Order a steady state just before the record's own dose; earlier infusions may still run."""
    which = STEADY if ss == 1 else ADD_STEADY
    actions = _emit(actions, used, t, which, 0.0, first, amount, record_rate, interval, last, q, q)
    for p in range(first, last):
        if not usable(f[q, p], lag[q, p]):
            status[0] = BAD_INPUT
            return actions, table
        if lag[q, p] >= interval:
            status[0] = LAG_TOO_LONG
            return actions, table
        at_once, rate, length = input_of(
            kind[p], amount, record_rate, f[q, p], duration[q, p], modelled_rate[q, p]
        )
        proper = np.isfinite(at_once) and np.isfinite(rate)
        if kind[p] == 3:
            n, ktr = duration[q, p], modelled_rate[q, p]
            proper = n >= 0.0 and ktr > 0.0 and np.isfinite(n) and np.isfinite(ktr)
            length = stage_of(STAGES_OF_INPUT, n, ktr) if proper else 0.0
        if not proper or length > _MOST_OVERLAPS * interval:
            status[0] = BAD_INPUT
            return actions, table
        tau = interval - lag[q, p]
        while kind[p] == 3 and tau < length:
            actions = _emit(
                actions, used, t, TRANSIT, f[q, p] * amount, p, amount, record_rate, t - tau, -1,
                q, q,
            )  # fmt: skip
            table = _stage_after(
                table, count, tau, p, q, t - tau, 0.0, duration[q, p], modelled_rate[q, p]
            )
            tau += interval
        while rate > 0.0 and tau < length:
            actions = _emit(actions, used, t, RUNNING, rate, p, amount, record_rate, 0.0, -1, q, q)
            table = push(
                table, count, 1.0, p, amount, record_rate, float(q), 0.0, q, rate,
                t + length - tau, 0.0,
            )  # fmt: skip
            tau += interval
    return actions, table


@compiled
def _order(
    actions, used, table, count, status, t, amount, record_rate, interval, addl, first, last, q,
    kind, f, lag, duration, modelled_rate,
):  # fmt: skip
    """Start the inputs of a record that have no lag; all others and further doses are pending."""
    for p in range(first, last):
        if not usable(f[q, p], lag[q, p]):
            status[0] = BAD_INPUT
            break
        left = float(addl)
        number = 0.0
        if lag[q, p] == 0.0:
            actions, table = _start(
                actions, used, table, count, status, t, t, p, amount, record_rate, q, q,
                kind, f, duration, modelled_rate,
            )  # fmt: skip
            number = 1.0
        if number == 0.0 or left > 0.0:
            table = push(
                table, count, 0.0, p, amount, record_rate, left - number, interval, q, 0.0,
                t + lag[q, p], number,
            )  # fmt: skip
    return actions, table


@compiled
def schedule(
    actions, used, table, count, lo, hi, q, during, at, time, evid, amt, rate, ii, addl, ss, key,
    row_of, key_start, kind, f, lag, duration, modelled_rate, status,
):  # fmt: skip
    """Write the actions of the records ``lo`` to ``hi``; return the list and the pending table.

    ``used[0]`` is their number; ``actions``, ``table`` and ``count`` are work space and grow.
    ``f`` to ``modelled_rate`` (n_systems, n_processes) are those of all systems; the subject
    starts in system q, and ``during`` and ``at`` (empty where nothing changes) order the others
    as in `statera.simulate.segments.Segments`. A dose takes its lag from the system of its record
    and all else from the one in force when it starts. Where an input cannot be used the status
    says so.
    """
    used[0] = 0
    clear(count)
    varying = during.size > 0
    for r in range(lo, hi):
        if status[0] != 0:
            break
        t = time[r]
        if varying and during[r] != q:
            q = during[r]
            actions = _emit(actions, used, time[r - 1], CHANGE, 0.0, q, 0.0, 0.0, 0.0, -1, q, q)
        actions, table = _due(
            actions, used, table, count, status, t, q, kind, f, duration, modelled_rate
        )
        if varying and at[r] != q:
            q = at[r]
            actions = _emit(actions, used, t, CHANGE, 0.0, q, 0.0, 0.0, 0.0, -1, q, q)
        if evid[r] == 0:
            actions = _emit(actions, used, t, OBSERVE, 0.0, 0, 0.0, 0.0, 0.0, row_of[r], q, q)
            continue
        if evid[r] == 2:
            continue
        if evid[r] >= 3 or ss[r] == 1:
            clear(count)
            actions = _emit(actions, used, t, RESET, 0.0, 0, 0.0, 0.0, 0.0, -1, q, q)
        if evid[r] == 3:
            continue
        first, last = key_start[key[r]], key_start[key[r] + 1]
        if ss[r] >= 1 and ii[r] == 0.0:
            which = CONSTANT if ss[r] == 1 else ADD_CONSTANT
            actions = _emit(actions, used, t, which, 0.0, first, 0.0, rate[r], 0.0, last, q, q)
            continue
        if ss[r] >= 1:
            actions, table = _steady(
                actions, used, table, count, status, t, ss[r], amt[r], rate[r], ii[r], first, last,
                q, kind, f, lag, duration, modelled_rate,
            )  # fmt: skip
        actions, table = _order(
            actions, used, table, count, status, t, amt[r], rate[r], ii[r], addl[r], first, last,
            q, kind, f, lag, duration, modelled_rate,
        )  # fmt: skip
    return actions, table


@compiled
def period_schedule(
    amount, record_rate, interval, first, last, q, kind, f, lag, duration, modelled_rate
):
    """Return the actions of one dosing period that repeats for ever, from 0 to its length.

    All parameters are those of system q. Every input starts at its lag. Infusions longer than the
    rest of the period run from earlier ones: so many are running when it begins, and one of them
    stops within it.
    """
    found, used = new_actions(8), np.zeros(1, dtype=np.int64)
    for p in range(first, last):
        at_once, rate, length = input_of(
            kind[p], amount, record_rate, f[q, p], duration[q, p], modelled_rate[q, p]
        )
        start = lag[q, p]
        if kind[p] == 3:
            found = _transit_period(
                found, used, start, f[q, p] * amount, p, amount, record_rate, q, interval,
                duration[q, p], modelled_rate[q, p],
            )  # fmt: skip
            continue
        what, size, ends = BOLUS, at_once, 0.0
        if rate > 0.0 and length > 0.0:
            running = int(np.ceil((start + length) / interval)) - 1
            what, size, ends = START, rate, start + length - running * interval
            for _ in range(running):
                found = _emit(
                    found, used, 0.0, RUNNING, rate, p, amount, record_rate, 0.0, -1, q, q
                )
        found = _emit(found, used, start, what, size, p, amount, record_rate, 0.0, -1, q, q)
        if what == START:
            found = _emit(found, used, ends, STOP, rate, p, amount, record_rate, 0.0, -1, q, q)
    order = np.argsort(found[: used[0], WHEN], kind="mergesort")
    return found[: used[0]][order]


@compiled
def _transit_period(
    found, used, start, size, p, amount, record_rate, q, interval, n, ktr
):  # fmt: skip
    """Add a dose through transit compartments and those of earlier periods that still enter."""
    earlier = int(np.ceil((start + stage_of(STAGES_OF_INPUT, n, ktr)) / interval)) - 1
    for back in range(earlier, -1, -1):
        given = start - back * interval
        found = _emit(
            found, used, max(0.0, given), TRANSIT, size, p, amount, record_rate, given, -1, q, q
        )
        for stage in range(STAGES_OF_INPUT):
            when = given + stage_of(stage, n, ktr)
            if 0.0 < when < interval and when > given:
                found = _emit(found, used, when, PASS, 0.0, p, 0.0, 0.0, 0.0, -1, q, q)
    return found


@compiled
def _slopes_of_input(
    j, p, q, amount, record_rate, kind, f, d_f, duration, d_duration, modelled_rate,
    d_modelled_rate,
):  # fmt: skip
    """Return the parts that column j has in the derivatives of amount, rate and length."""
    d_total = d_f[q, p, j] * amount
    if record_rate > 0.0:
        return d_total, 0.0, d_total / record_rate
    if record_rate == -1.0 or (record_rate == 0.0 and kind[p] == 2):
        rate, d_rate = modelled_rate[q, p], d_modelled_rate[q, p, j]
        return d_total, d_rate, (d_total - f[q, p] * amount / rate * d_rate) / rate
    if record_rate == -2.0 or (record_rate == 0.0 and kind[p] == 1):
        length, d_length = duration[q, p], d_duration[q, p, j]
        if length > 0.0:
            return d_total, (d_total - f[q, p] * amount / length * d_length) / length, d_length
        return d_total, 0.0, d_length
    return d_total, 0.0, 0.0


@compiled
def action_tangents(
    action, one, two, kind, f, d_f, duration, d_duration, modelled_rate, d_modelled_rate, d_lag,
    d_when, d_size,
):  # fmt: skip
    """Write the derivatives of the time and the size of an action, (n_columns,) each.

    ``f``, ``duration`` and ``modelled_rate`` are those of all systems, (n_systems, n_processes),
    and ``d_...`` their derivatives, (n_systems, n_processes, n_columns). The last columns are
    second derivatives by the columns ``one`` and ``two`` (n_pairs,), none where these are empty.

    Returns
    -------
    bool
        Whether the time depends on any of the names.
    """
    p, lagged, q = int(action[SOURCE]), int(action[LAGGED_BY]), int(action[STARTED_BY])
    amount, record_rate = action[GIVEN], action[RECORD_RATE]
    what = int(action[KIND])
    by_rate = record_rate == -1.0 or (record_rate == 0.0 and kind[p] == 2)
    by_duration = record_rate == -2.0 or (record_rate == 0.0 and kind[p] == 1)
    moves = False
    n_first = d_when.size - one.size
    for j in range(d_when.size):
        d_total, d_rate, d_length = _slopes_of_input(
            j, p, q, amount, record_rate, kind, f, d_f, duration, d_duration, modelled_rate,
            d_modelled_rate,
        )  # fmt: skip
        if j >= n_first and (by_rate or (by_duration and duration[q, p] > 0.0)):
            # L R = F AMT: the product rule leaves what the first derivatives of both make
            _, rate_1, length_1 = _slopes_of_input(
                one[j - n_first], p, q, amount, record_rate, kind, f, d_f, duration, d_duration,
                modelled_rate, d_modelled_rate,
            )  # fmt: skip
            _, rate_2, length_2 = _slopes_of_input(
                two[j - n_first], p, q, amount, record_rate, kind, f, d_f, duration, d_duration,
                modelled_rate, d_modelled_rate,
            )  # fmt: skip
            both = length_1 * rate_2 + length_2 * rate_1
            if by_rate:
                d_length -= both / modelled_rate[q, p]
            else:
                d_rate -= both / duration[q, p]
        when = d_lag[lagged, p, j]
        if what == TRANSIT:
            d_size[j] = d_total
        elif what == BOLUS:
            d_size[j] = d_total
            # a short infusion acts as a bolus in its middle
            when += 0.5 * d_length if by_duration and duration[q, p] == 0.0 else 0.0
        else:
            d_size[j] = d_rate
            if what == STOP:
                when += d_length
            elif what == RUNNING:
                when = 0.0
        d_when[j] = when
        moves = moves or when != 0.0
    return moves
