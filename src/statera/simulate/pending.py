"""Doses that have been ordered and have not happened yet, compiled.

A small table of pending starts and stops of inputs. Running infusions are their pending stops:
the total rate is counted anew from them at every change, so that no rounding trickle is left
when the last one stops. Rules of order are in ``docs/events.md``.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.transit import FIELDS, STAGES_OF_INPUT, log_scale, stage_of

__all__ = [
    "SAME",
    "append",
    "clear",
    "earliest",
    "new_table",
    "next_index",
    "next_stage",
    "push",
    "running_rates",
    "running_transits",
    "start_transit",
]

# Columns of the table. STOPS is 0 for a dose to come, 1 for the end of an infusion and 2 for a dose
# that is on its way through transit compartments: its AMOUNT, n as INPUT_RATE, ktr as RATE and the
# stage as LEFT. Repeated doses start at FIRST + NUMBER * INTERVAL: adding the interval
# again and again would drift away from the times at which they are observed.
TIME, STOPS, PROCESS, AMOUNT, RATE, LEFT, INTERVAL, COMPARTMENT, INPUT_RATE, FIRST, NUMBER = range(
    11
)
COLUMNS = 11

SAME = 1e-12
"""Times closer than this, relative, are one instant: windows end, then doses land, then records
are read."""


@compiled
def earliest(time):
    """Return the time from which on an instant counts as `time`."""
    return time - SAME * max(1.0, time)


@compiled
def new_table(capacity):
    """Return an empty table and its count (kept in an array so that it can change)."""
    return np.empty((capacity, COLUMNS)), np.zeros(1, dtype=np.int64)


@compiled
def append(table, count, entry):
    """Add a copy of an entry; the table grows where it is full."""
    k = count[0]
    if k == table.shape[0]:
        larger = np.empty((2 * k, COLUMNS))
        larger[:k] = table
        table = larger
    table[k] = entry
    count[0] = k + 1
    return table


@compiled
def push(
    table, count, stops, process, amount, rate, left, interval, compartment, input_rate, first,
    number,
):  # fmt: skip
    """Add an entry at ``first + number * interval``; the table grows where it is full."""
    k = count[0]
    if k == table.shape[0]:
        larger = np.empty((2 * k, COLUMNS))
        for i in range(k):
            for j in range(COLUMNS):
                larger[i, j] = table[i, j]
        table = larger
    table[k, TIME] = first + number * interval
    table[k, STOPS] = stops
    table[k, PROCESS] = process
    table[k, AMOUNT] = amount
    table[k, RATE] = rate
    table[k, LEFT] = left
    table[k, INTERVAL] = interval
    table[k, COMPARTMENT] = compartment
    table[k, INPUT_RATE] = input_rate
    table[k, FIRST] = first
    table[k, NUMBER] = number
    count[0] = k + 1
    return table


@compiled
def next_index(table, count):
    """Return the index of the earliest entry, the first pushed among equals; -1 if none."""
    best = -1
    for k in range(count[0]):
        if best < 0 or table[k, TIME] < table[best, TIME]:
            best = k
    return best


@compiled
def drop(table, count, index):
    """Remove an entry and keep the order of the others."""
    for k in range(index, count[0] - 1):
        for j in range(COLUMNS):
            table[k, j] = table[k + 1, j]
    count[0] -= 1


@compiled
def clear(count):
    """Forget everything pending: outstanding doses and running infusions."""
    count[0] = 0


@compiled
def running_rates(table, count, rates):
    """Write the sum of the running input rates of every compartment."""
    rates[:] = 0.0
    for k in range(count[0]):
        if table[k, STOPS] == 1.0:
            rates[int(table[k, COMPARTMENT])] += table[k, INPUT_RATE]


@compiled
def start_transit(table, count, time, amount, n, ktr, compartment):
    """Add a dose that enters a state through transit compartments from `time` on."""
    stage = 0.0
    while stage_of(stage, n, ktr) == 0.0:
        stage += 1.0
    return push(
        table, count, 2.0, 0, amount, ktr, stage, stage_of(stage, n, ktr), compartment, n, time,
        1.0,
    )  # fmt: skip


@compiled
def next_stage(table, count, index):
    """Move a dose in transit to its next stage, or forget it after the last."""
    stage = table[index, LEFT] + 1.0
    if stage >= STAGES_OF_INPUT:
        drop(table, count, index)
        return
    table[index, LEFT] = stage
    after = stage_of(stage, table[index, INPUT_RATE], table[index, RATE])
    table[index, INTERVAL] = after
    table[index, TIME] = table[index, FIRST] + after


@compiled
def running_transits(table, count, p, base, peak):
    """Write all doses in transit behind the constants p; returns p, a larger one where it is full.

    A state must expect what is on its way to it: its error is measured against that size.
    """
    p[base] = 0.0
    for k in range(count[0]):
        if table[k, STOPS] != 2.0:
            continue
        first = base + 1 + FIELDS * int(p[base])
        if first + FIELDS > p.size:
            larger = np.zeros(2 * p.size + FIELDS)
            larger[: p.size] = p
            p = larger
        state = int(table[k, COMPARTMENT])
        p[first] = state
        p[first + 1] = table[k, FIRST]
        p[first + 2] = log_scale(table[k, AMOUNT], table[k, INPUT_RATE], table[k, RATE])
        p[first + 3] = table[k, INPUT_RATE]
        p[first + 4] = table[k, RATE]
        p[base] += 1.0
        peak[state] = max(peak[state], table[k, AMOUNT])
    return p
