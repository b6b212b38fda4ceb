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
from statera.simulate.doses import NOT_FINITE
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

RATES, GROWN, FED, START, FILLED = range(5)
"""Rows of the modes' work array: rates of the table, step's exponential and integral, start;
whether the table holds integrals."""


@compiled
def new_tables(n):
    """Return the table over rows and the work array of n modes, both empty."""
    return np.full((2 + 2 * n, BLOCK), -1.0), np.full((5, n), np.nan)


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
def _tabulate(modes, count, fed, table):
    """Fill the table for its distances; equal steps multiply, others take the exponential.

    Integrals are left out where no constant input needs them.
    """
    n = modes.shape[1]
    modes[FILLED, 0] = 1.0 if fed else 0.0
    for m in range(n):
        rate, i, j = modes[RATES, m], POWERS + m, POWERS + n + m
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
                if fed:
                    table[j, k] = table[j, k - 1] * power + grown
                continue
            table[i, k] = np.exp(rate * table[GRID, k])
            if fed:
                table[j, k] = np.expm1(rate * table[GRID, k]) / rate
            following = -1.0
            if k > 0 and k + 1 < count:
                following = table[GRID, k + 1] - table[GRID, k]
            if abs(following - length) <= _ROUNDING * table[GRID, k]:
                step = length
                power = np.exp(rate * step)
                if fed:
                    grown = np.expm1(rate * step) / rate


@compiled
def _begin(s, lam, right, left, initial, endogenous, c, weights, z, u, modes):
    """Write state, input and weights of a subject in its modes; return whether it has an input."""
    n = z.size
    fed = False
    for m in range(n):
        modes[RATES, m] = lam[s, m]
        state = constant = 0.0
        for j in range(n):
            state += left[s, m, j] * initial[s, j]
            constant += left[s, m, j] * endogenous[s, j]
        z[m], u[m] = state, constant
        fed = fed or constant != 0.0
        for o in range(weights.shape[0]):
            total = 0.0
            for j in range(n):
                total += c[s, o, j] * right[s, j, m]
            weights[o, m] = total
    return fed


@compiled
def run_regular(
    s, s_last, r, first, ends, t, free, time, evid, amt, rate, ii, addl, ss, key, row_of,
    key_start, compartment, kind, f, lag, lam, right, left, is_modal, endogenous, initial, c,
    offset, weights, z, u, pending, count, table, modes, y, statuses,
):  # fmt: skip
    """Fill rows of subject s and give plain boluses from r on, while nothing else happens.

    Rows are filled before the next event; that event is carried out where it is a record of one
    bolus without lag, the only one pending and a bolus, or a record that gives nothing, not later
    than `free` (the opening of a window). ``ends`` is from `run_ends` and starts at record `first`;
    arguments as in `run_linear`. Where a subject is done, the next ones up to `s_last` follow in
    the same call if they have modes and the same records: a call costs as much as a few rows.

    Returns
    -------
    subject, record, time
        The subject that was reached, all before it being done; the first of its records that was
        not dealt with, and the time of its state z.
    """
    n, n_out = z.size, offset.shape[1]
    last = first + ends.size
    slot = min(s, y.shape[0] - 1)
    fed = False
    for m in range(n):
        fed = fed or u[m] != 0.0
        if modes[RATES, m] != lam[s, m]:
            table[GRID, 0] = -1.0
            modes[RATES, m] = lam[s, m]
    if fed and modes[FILLED, 0] != 1.0:
        table[GRID, 0] = -1.0
    h_ready = -1.0
    due = np.inf
    for k in range(count[0]):
        due = min(due, pending[k, TIME])
    while True:
        if r >= last:
            if s + 1 >= s_last or not is_modal[s + 1] or statuses[s + 1] != 0:
                return s, r, t
            for m in range(n):
                if not np.isfinite(z[m]):
                    statuses[s] = NOT_FINITE
            s, r, t = s + 1, first, time[first]
            slot, h_ready, due, count[0] = min(s, y.shape[0] - 1), -1.0, np.inf, 0
            table[GRID, 0] = -1.0
            fed = _begin(s, lam, right, left, initial, endogenous, c, weights, z, u, modes)
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
                _tabulate(modes, rows, fed, table)
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
        if r >= last:
            continue
        # what is next: a dose record, or the one pending dose; anything else is not done here
        recorded = evid[r] == 1 and ss[r] == 0 and rate[r] == 0.0 and time[r] < near
        when, amount, process = due, 0.0, 0
        if recorded:
            process = key_start[key[r]]
            if key_start[key[r] + 1] != process + 1 or lag[s, process] != 0.0:
                return s, r, t
            if addl[r] > 0 and count[0] > 0:
                return s, r, t
            when, amount = time[r], amt[r]
        elif count[0] == 1 and near <= time[r]:
            process = int(pending[0, PROCESS])
            if pending[0, STOPS] != 0.0 or pending[0, RATE] != 0.0:
                return s, r, t
            amount = pending[0, AMOUNT]
        elif (evid[r] == 0 or evid[r] == 2) and time[r] < near:
            when = time[r]
        else:
            return s, r, t
        only_time = not recorded and when < near
        if not only_time:
            amount *= f[s, process]
        plain = only_time or (kind[process] == 0 and 0.0 <= amount < np.inf)
        if when > free or not plain:
            return s, r, t
        h = when - t
        if h > 0.0:
            if h != h_ready:
                h_ready = h
                for m in range(n):
                    modes[GROWN, m] = np.exp(lam[s, m] * h)
                    modes[FED, m] = h
                    if fed and lam[s, m] != 0.0:
                        modes[FED, m] = np.expm1(lam[s, m] * h) / lam[s, m]
            for m in range(n):
                z[m] = modes[GROWN, m] * z[m] + modes[FED, m] * u[m]
            t = when
        if only_time:
            if evid[r] == 0 and row_of[r] >= 0:
                for o in range(n_out):
                    total = offset[s, o]
                    for m in range(n):
                        total += weights[o, m] * z[m]
                    y[slot, row_of[r], o] = total
            r += 1
            continue
        into = compartment[process]
        for m in range(n):
            z[m] += left[s, m, into] * amount
        # a dose given at once changes no running input; its next is ordered in place
        if recorded:
            if addl[r] > 0:
                pending[0, STOPS] = pending[0, RATE] = pending[0, INPUT_RATE] = 0.0
                pending[0, PROCESS] = process
                pending[0, AMOUNT] = amt[r]
                pending[0, LEFT] = addl[r] - 1.0
                pending[0, INTERVAL] = ii[r]
                pending[0, COMPARTMENT] = into
                pending[0, FIRST] = when
                pending[0, NUMBER] = 1.0
                due = pending[0, TIME] = when + ii[r]
                count[0] = 1
            r += 1
        elif pending[0, LEFT] > 0.0:
            pending[0, LEFT] -= 1.0
            pending[0, NUMBER] += 1.0
            pending[0, TIME] = pending[0, FIRST] + pending[0, NUMBER] * pending[0, INTERVAL]
            due = pending[0, TIME]
        else:
            count[0] = 0
            due = np.inf
