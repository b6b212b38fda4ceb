"""Doses that have been ordered and have not happened yet, compiled.

A small table of pending starts and stops of inputs. Running infusions are their pending stops:
the total rate is counted anew from them at every change, so that no rounding trickle is left
when the last one stops. Rules of order are in ``docs/events.md``.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["SAME", "clear", "earliest", "new_table", "next_index", "push", "running_rates"]

# Columns of the table. Repeated doses start at FIRST + NUMBER * INTERVAL: adding the interval
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
