"""What one dose record does to the pending inputs, compiled; shared by all solvers."""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.pending import (
    AMOUNT,
    FIRST,
    INTERVAL,
    LEFT,
    NUMBER,
    PROCESS,
    RATE,
    STOPS,
    TIME,
    drop,
    next_stage,
    push,
    start_transit,
)

__all__ = ["input_of", "order_dose", "start_input", "take_entry", "usable"]

# Statuses of a subject; the sentences stand in `statera.simulate.status`.
OK = 0
BAD_INPUT = 1
NO_STEADY_STATE = 2
LAG_TOO_LONG = 3
NOT_FINITE = 4
TOO_MANY_STEPS = 5
STEP_TOO_SMALL = 6
NOT_PERIODIC = 7


@compiled
def input_of(kind, amount, record_rate, f, duration, modelled_rate):
    """Return (amount at once, rate, duration) of an input.

    A positive record rate is kept and bioavailability scales the duration; -1 takes the modelled
    rate, -2 the modelled duration; 0 leaves it to the model. A duration of zero is a bolus.
    """
    total = f * amount
    if record_rate > 0.0:
        return 0.0, record_rate, total / record_rate
    by_rate = record_rate == -1.0 or (record_rate == 0.0 and kind == 2)
    by_duration = record_rate == -2.0 or (record_rate == 0.0 and kind == 1)
    if by_rate:
        if modelled_rate > 0.0 and np.isfinite(modelled_rate):
            return 0.0, modelled_rate, total / modelled_rate
        return np.nan, 0.0, 0.0
    if by_duration:
        if duration > 0.0 and np.isfinite(duration):
            return 0.0, total / duration, duration
        if duration == 0.0:
            return total, 0.0, 0.0
        return np.nan, 0.0, 0.0
    return total, 0.0, 0.0


@compiled
def usable(f, lag):
    """Return whether bioavailability and lag are finite and not negative."""
    return f >= 0.0 and lag >= 0.0 and np.isfinite(f) and np.isfinite(lag)


@compiled
def order_dose(
    table, count, status, time, amount, record_rate, left, interval, first, last, immediate,
    compartment, kind, f, lag, duration, modelled_rate, jump,
):  # fmt: skip
    """Order the doses of one record, for the processes ``first`` to ``last``.

    Doses without lag take effect now where `immediate` is set: amounts given at once are added
    to `jump`, infusions become pending stops. All others become pending starts.
    """
    for p in range(first, last):
        if not usable(f[p], lag[p]):
            status[0] = BAD_INPUT
            return table
        if immediate and lag[p] == 0.0:
            table = start_input(
                table, count, status, time, amount, record_rate, p,
                compartment, kind, f, duration, modelled_rate, jump,
            )  # fmt: skip
            if left > 0:
                table = push(
                    table, count, 0.0, p, amount, record_rate, left - 1.0, interval,
                    compartment[p], 0.0, time, 1.0,
                )  # fmt: skip
        else:
            table = push(
                table, count, 0.0, p, amount, record_rate, left, interval, compartment[p], 0.0,
                time + lag[p], 0.0,
            )  # fmt: skip
    return table


@compiled
def start_input(
    table, count, status, time, amount, record_rate, p,
    compartment, kind, f, duration, modelled_rate, jump,
):  # fmt: skip
    """Start one input: add to `jump`, or push the stop of an infusion or a dose in transit.

    Through transit compartments (kind 3) `duration` is their number and `modelled_rate` their rate.
    """
    if kind[p] == 3:
        n, ktr = duration[p], modelled_rate[p]
        if not (n >= 0.0 and ktr > 0.0 and np.isfinite(n) and np.isfinite(ktr)):
            status[0] = BAD_INPUT
        elif f[p] * amount > 0.0:
            table = start_transit(table, count, time, f[p] * amount, n, ktr, compartment[p])
        return table
    at_once, rate, length = input_of(
        kind[p], amount, record_rate, f[p], duration[p], modelled_rate[p]
    )
    if not (np.isfinite(at_once) and np.isfinite(rate)):
        status[0] = BAD_INPUT
        return table
    if rate > 0.0 and length > 0.0:
        table = push(
            table, count, 1.0, p, 0.0, 0.0, 0.0, 0.0, compartment[p], rate, time + length, 0.0
        )
    else:
        jump[compartment[p]] += at_once
    return table


@compiled
def take_entry(table, count, index, status, compartment, kind, f, duration, modelled_rate, jump):
    """Carry out a pending entry: stop an infusion, or start an input and order the next."""
    time = table[index, TIME]
    stops = table[index, STOPS]
    if stops == 2.0:
        next_stage(table, count, index)
        return table
    p = int(table[index, PROCESS])
    amount = table[index, AMOUNT]
    rate = table[index, RATE]
    left = table[index, LEFT]
    interval = table[index, INTERVAL]
    started = table[index, FIRST]
    number = table[index, NUMBER]
    drop(table, count, index)
    if stops == 1.0:
        return table
    table = start_input(
        table, count, status, time, amount, rate, p, compartment, kind, f, duration,
        modelled_rate, jump,
    )  # fmt: skip
    if left > 0.0:
        table = push(
            table, count, 0.0, p, amount, rate, left - 1.0, interval, compartment[p], 0.0,
            started, number + 1.0,
        )  # fmt: skip
    return table
