"""Events of a network: triggered, waiting, executed; compiled.

Rules are those of SBML Level 3: an event starts as its trigger turns true, runs after its delay,
takes its values at either instant, and of several at one instant the one with the highest priority
is first, after which triggers are looked at again.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.lanes import LANES
from statera.pathway.event_kernel import along, read_flags, shift_states

__all__ = ["AT_START", "AT_TRIGGER", "DELAYED", "PERSISTENT", "settle", "soonest"]

AT_START, PERSISTENT, AT_TRIGGER, DELAYED = 1, 2, 4, 8
"""Bits of the kind of an event."""
_MOST = 10_000  # executions at one instant: more are events that cause each other without end


@compiled
def soonest(waits, waiting_time):
    """Return when the next waiting event runs, or infinity."""
    found = np.inf
    for q in range(waits.size):
        if waits[q] >= 0:
            found = min(found, waiting_time[q])
    return found


@compiled
def _values(
    rates, assign, table, first_row, n, n_p, n_assigned, one, other, t, x, p, s, dp, m, instant,
    slope, work, rest, values, slopes, at,
):  # fmt: skip
    """Write what the assignments from `one` to `other` set, and how it moves with the columns."""
    assign(t, x, 0, p, work, 0)
    for a in range(one, other):
        values[at + a - one] = work[a]
    if m == 0:
        return
    rates(t, x, 0, p, slope, 0)
    shift_states(n, slope, 1.0, instant, m, s)
    begin = table[first_row]
    for a in range(one, other):
        along(table, table[first_row + a], table[first_row + a + 1], work, n_assigned - begin, n,
              n_p, s, dp, instant, m, rest)  # fmt: skip
        for j in range(m):
            slopes[(at + a - one) * m + j] = rest[j]
    shift_states(n, slope, -1.0, instant, m, s)


@compiled
def _schedule(
    rates, delays, assign, table, delay_row, assign_row, n, n_p, n_events, n_assigned, e, kind,
    one, other, t, x, p, s, dp, m, instant, slope, work, rest, waits, waiting_time, waiting_instant,
    width, values, slopes, number,
):  # fmt: skip
    """Put an event into the queue; return whether there was room."""
    free = -1
    for q in range(waits.size):
        if waits[q] < 0:
            free = q
            break
    if free < 0:
        return False
    waiting_time[free] = t
    for j in range(m):
        waiting_instant[free * m + j] = instant[j]
    if kind & DELAYED:
        delays(t, x, 0, p, work, 0)
        waiting_time[free] = t + max(work[e], 0.0)
        if m > 0:
            rates(t, x, 0, p, slope, 0)
            shift_states(n, slope, 1.0, instant, m, s)
            begin = table[delay_row]
            along(table, table[delay_row + e], table[delay_row + e + 1], work, n_events - begin, n,
                  n_p, s, dp, instant, m, rest)  # fmt: skip
            for j in range(m):
                waiting_instant[free * m + j] += rest[j]
            shift_states(n, slope, -1.0, instant, m, s)
    if kind & AT_TRIGGER:
        _values(rates, assign, table, assign_row, n, n_p, n_assigned, one, other, t, x, p, s, dp,
                m, instant, slope, work, rest, values, slopes, free * width)  # fmt: skip
    waits[free] = e
    number[free] = number[waits.size]  # first come, first served
    number[waits.size] += 1
    return True


@compiled
def _first_due(urgencies, n_events, t, x, p, waits, waiting_time, number, work):
    """Return the place of the due event to be run first, or -1."""
    best = -1
    urgencies(t, x, 0, p, work, 0)
    for q in range(waits.size):
        if waits[q] < 0 or waiting_time[q] > t:
            continue
        if best < 0:
            best = q
            continue
        mine, theirs = work[waits[q]], work[waits[best]]
        if mine > theirs or (mine == theirs and number[q] < number[best]):
            best = q
    return best


@compiled
def settle(
    rates, roots, triggers, urgencies, assign, delays, table, assign_row, delay_row, n, n_p,
    n_flags, n_events, n_assigned, kinds, assign_first, assign_state, strict, timed, t, x, p, s,
    dp, m, instant, was, slope, quantity, work, rest, waits, waiting_time, waiting_instant, width,
    values, slopes, number,
):  # fmt: skip
    """Run all events that are due at an instant; return how many ran, or -1 where they never end.

    `instant` (m,) is the derivative of the instant at which triggers now turn true.
    """
    for ran in range(_MOST):
        triggers(t, x, 0, p, work, 0)
        for e in range(n_events):
            now = work[e] > 0.5
            quantity[n_flags + e] = 1.0 if now else 0.0
        for e in range(n_events):
            now, before = quantity[n_flags + e] > 0.5, was[e]
            was[e] = now
            if now and not before:
                if not _schedule(
                    rates, delays, assign, table, delay_row, assign_row, n, n_p, n_events,
                    n_assigned, e, kinds[e], assign_first[e], assign_first[e + 1], t, x, p, s, dp,
                    m, instant, slope, work, rest, waits, waiting_time, waiting_instant, width,
                    values, slopes, number,
                ):  # fmt: skip
                    return -1
            elif before and not now and not kinds[e] & PERSISTENT:
                for q in range(waits.size):
                    if waits[q] == e:
                        waits[q] = -1
        best = _first_due(urgencies, n_events, t, x, p, waits, waiting_time, number, work)
        if best < 0:
            return ran
        e = waits[best]
        waits[best] = -1
        for j in range(m):
            instant[j] = waiting_instant[best * m + j]
        one, other = assign_first[e], assign_first[e + 1]
        if not kinds[e] & AT_TRIGGER:
            _values(rates, assign, table, assign_row, n, n_p, n_assigned, one, other, t, x, p, s,
                    dp, m, instant, slope, work, rest, values, slopes, best * width)  # fmt: skip
        if m > 0:
            rates(t, x, 0, p, slope, 0)
            shift_states(n, slope, 1.0, instant, m, s)
        roots(t, x, 0, p, rest, 0)
        for a in range(one, other):
            i = assign_state[a]
            x[i] = values[best * width + a - one]
            for j in range(m):
                place = LANES * ((j // LANES) * n + i) + j % LANES
                s[place] = slopes[(best * width + a - one) * m + j]
        read_flags(roots, t, x, p, n_p, n_flags, strict, timed, rest, quantity)
        if m > 0:
            rates(t, x, 0, p, slope, 0)
            shift_states(n, slope, -1.0, instant, m, s)
    return -1
