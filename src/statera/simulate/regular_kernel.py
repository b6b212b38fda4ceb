"""Rows and repeated doses of a linear system with modes, in one loop, compiled.

Between two events the outputs are sums of exponentials of the time since the last event, so rows
need no steps of their own: the state stays where it is, and does not depend on which times are
observed. With modes z and constant input u at the start of a run of rows::

    y(s) = d + sum_m w_m exp(l_m s) z_m + sum_m w_m u_m (exp(l_m s) - 1) / l_m

The exponentials of a run are kept in a table over rows: equal steps multiply, and the next run at
the same distances (the next dosing interval) takes the table as it is. What is left per row is
one product a mode, in a loop over neighbouring memory that the processor does several at a time.

All of it is one function without views of arrays: a call or a view costs reference counts, and
those cost more than the arithmetic.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.pending import (
    AMOUNT,
    COMPARTMENT,
    FIRST,
    INTERVAL,
    LEFT,
    NUMBER,
    PROCESS,
    RATE,
    STOPS,
    TIME,
    earliest,
)

__all__ = ["new_tables", "run_ends", "run_regular"]

BLOCK = 64
"""Rows of a table; longer runs take several, each from its own start."""

_ROUNDING = 5e-16
"""Distances from the start of a run that differ by this much of the time itself are equal: times
such as 0.1 and 24.1 - 24 carry that rounding already."""

GRID, LINE, POWERS = range(3)
"""Rows of the table: distances, a line of output, then exponentials and their integrals."""

RATES, GROWN, FED, START = range(4)
"""Rows of the modes' work array: rates of the table, step's exponential and integral, start."""


@compiled
def new_tables(n):
    """Return the table over rows and the work array of n modes, both empty."""
    return np.full((2 + 2 * n, BLOCK), -1.0), np.full((4, n), np.nan)


@compiled
def run_ends(first, last, evid, row_of):
    """Return, for records ``first`` to ``last``, where a run of observations from there ends.

    ``(last - first,)`` int64, record numbers; rows of a run follow each other. The last record is
    in no run: the state itself must get there.
    """
    ends = np.empty(last - first, dtype=np.int64)
    for r in range(last - 1, first - 1, -1):
        if evid[r] != 0 or row_of[r] < 0 or r == last - 1:
            ends[r - first] = r
        elif ends[r + 1 - first] == r + 1 or row_of[r + 1] != row_of[r] + 1:
            ends[r - first] = r + 1
        else:
            ends[r - first] = ends[r + 1 - first]
    return ends


@compiled
def _tabulate(lam, count, table):
    """Fill the table for its distances; equal steps multiply, others take the exponential."""
    n = lam.size
    for m in range(n):
        rate, i, j = lam[m], POWERS + m, POWERS + n + m
        step = -1.0
        grown = power = 0.0
        for k in range(count):
            length = table[GRID, k] - table[GRID, k - 1] if k > 0 else table[GRID, k]
            if rate == 0.0:
                table[i, k] = 1.0
                table[j, k] = table[GRID, k]
                continue
            if abs(length - step) <= _ROUNDING * table[GRID, k]:
                table[i, k] = table[i, k - 1] * power
                table[j, k] = table[j, k - 1] * power + grown
                continue
            direct = np.expm1(rate * table[GRID, k])
            table[i, k] = np.exp(rate * table[GRID, k]) if direct < -0.5 else 1.0 + direct
            table[j, k] = direct / rate
            following = -1.0
            if k > 0 and k + 1 < count:
                following = table[GRID, k + 1] - table[GRID, k]
            if abs(following - length) <= _ROUNDING * table[GRID, k]:
                step = length
                change = np.expm1(rate * step)
                power = 1.0 + change
                grown = change / rate


@compiled
def run_regular(
    s, slot, r, first, ends, t, free, time, row_of, lam, left, weights, offset, z, u,
    f, kind, pending, count, table, modes, y,
):  # fmt: skip
    """Fill rows of ``y[slot]`` and give plain boluses from r on, while nothing else happens.

    Rows are filled before the next pending event; that event is carried out where it is the only
    one pending, a bolus, not later than `free` (the opening of a window) nor than the next
    record. ``ends`` is from `run_ends` and starts at record `first`.

    Returns
    -------
    record, time
        The first record that was not dealt with, and the time of the state z.
    """
    n, n_out = z.size, offset.shape[1]
    last = first + ends.size
    fed = False
    for m in range(n):
        fed = fed or u[m] != 0.0
        if modes[RATES, m] != lam[s, m]:
            table[GRID, 0] = -1.0
            modes[RATES, m] = lam[s, m]
    h_ready = -1.0
    due = np.inf
    for k in range(count[0]):
        due = min(due, pending[k, TIME])
    while True:
        near = earliest(due) if due < np.inf else due
        origin = t
        for m in range(n):
            modes[START, m] = z[m]
        while r < last and ends[r - first] > r and time[r] < near:
            rows = 0
            most = min(BLOCK, ends[r - first] - r)
            while rows < most and time[r + rows] < near:
                rows += 1
            differ = 0
            for k in range(rows):
                differ += abs(time[r + k] - origin - table[GRID, k]) > _ROUNDING * time[r + k]
            if differ > 0:
                for k in range(rows):
                    table[GRID, k] = time[r + k] - origin
                _tabulate(lam[s], rows, table)
                if rows < BLOCK:
                    table[GRID, rows] = -1.0  # ends the table: no distance is negative
            row = row_of[r]
            for o in range(n_out):
                for k in range(rows):
                    table[LINE, k] = offset[s, o]
                for m in range(n):
                    factor = weights[o, m] * modes[START, m]
                    for k in range(rows):
                        table[LINE, k] += factor * table[POWERS + m, k]
                if fed:
                    for m in range(n):
                        factor = weights[o, m] * u[m]
                        for k in range(rows):
                            table[LINE, k] += factor * table[POWERS + n + m, k]
                for k in range(rows):
                    y[slot, row + k, o] = table[LINE, k]
            r += rows
            if rows == BLOCK and r < last and ends[r - first] > r:
                origin += table[GRID, rows - 1]
                for m in range(n):
                    modes[START, m] = (
                        table[POWERS + m, rows - 1] * modes[START, m]
                        + table[POWERS + n + m, rows - 1] * u[m]
                    )
        if count[0] != 1 or r >= last or not near <= time[r] or due > free:
            return r, t
        process = int(pending[0, PROCESS])
        plain = pending[0, STOPS] == 0.0 and pending[0, RATE] == 0.0 and kind[process] == 0
        amount = f[s, process] * pending[0, AMOUNT]
        if not plain or not np.isfinite(amount):
            return r, t
        h = due - t
        if h > 0.0:
            if h != h_ready:
                h_ready = h
                for m in range(n):
                    change = np.expm1(lam[s, m] * h)
                    modes[GROWN, m] = 1.0 + change
                    modes[FED, m] = h if lam[s, m] == 0.0 else change / lam[s, m]
            for m in range(n):
                z[m] = modes[GROWN, m] * z[m] + modes[FED, m] * u[m]
            t = due
        state = int(pending[0, COMPARTMENT])
        for m in range(n):
            z[m] += left[s, m, state] * amount
        # a dose given at once changes no running input; its next is ordered in place
        if pending[0, LEFT] > 0.0:
            pending[0, LEFT] -= 1.0
            pending[0, NUMBER] += 1.0
            pending[0, TIME] = pending[0, FIRST] + pending[0, NUMBER] * pending[0, INTERVAL]
            due = pending[0, TIME]
        else:
            count[0] = 0
            due = np.inf
