"""Rows and repeated doses of a linear system with modes, in one loop, compiled.

Between two events the outputs are sums of exponentials of the time since the last event, so rows
need no steps of their own: the state stays where it is, and does not depend on which times are
observed. With modes z and constant input u at the start of a run of rows::

    y(s) = d + sum_m w_m exp(l_m s) z_m + sum_m w_m u_m (exp(l_m s) - 1) / l_m

The exponentials of a run are kept in a table over rows: equal steps multiply, and the next run at
the same distances (the next dosing interval) takes the table as it is. There are two tables, one
for runs with a constant input and one for those without: where doses are infused the two take
turns. What is left per row is one product a mode, in a loop over neighbouring memory that the
processor does several at a time.

All of it is one function without views of arrays: a call or a view costs reference counts, and
those cost more than the arithmetic.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.doses import NOT_FINITE, input_of
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

__all__ = ["forget", "new_tables", "run_ends", "run_regular"]

BLOCK = 64
"""Rows of a table; longer runs take several, each from its own start."""

_ROUNDING = 5e-16
"""Distances from the start of a run that differ by this much of the time itself are equal: times
such as 0.1 and 24.1 - 24 carry that rounding already."""

GRID, LINE, POWERS = range(3)
"""Rows of the first table: distances, a line of output, then exponentials. Behind them those of the
second, for runs with an input: the same, and then the integrals of the exponentials."""

RATES, GROWN, FED, START = 0, 1, 3, 4
"""Rows of the modes' work array: rates of the tables; the exponential of a step without an input
and of one with it, the integral of the latter; start."""


@compiled
def new_tables(n):
    """Return the tables over rows and the work array of n modes, all empty."""
    return np.full((4 + 3 * n, BLOCK), -1.0), np.full((5, n), np.nan)


@compiled
def forget(table, n):
    """Empty both tables: they are of another subject."""
    table[GRID, 0] = table[GRID + 2 + n, 0] = -1.0


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
def _tabulate(modes, count, base, table):
    """Fill the table from row `base` on for its distances.

    Equal steps multiply, others take the exponential. Only the second table has integrals.
    """
    n = modes.shape[1]
    fed = base > 0
    grid = base + GRID
    for m in range(n):
        rate, i, j = modes[RATES, m], base + POWERS + m, base + POWERS + n + m
        step = -1.0
        grown = power = 0.0
        for k in range(count):
            length = table[grid, k] - table[grid, k - 1] if k > 0 else table[grid, k]
            if rate == 0.0:
                table[i, k] = 1.0
                if fed:
                    table[j, k] = table[grid, k]
                continue
            if abs(length - step) <= _ROUNDING * table[grid, k]:
                table[i, k] = table[i, k - 1] * power
                if fed:
                    table[j, k] = table[j, k - 1] * power + grown
                continue
            table[i, k] = np.exp(rate * table[grid, k])
            if fed:
                table[j, k] = np.expm1(rate * table[grid, k]) / rate
            following = -1.0
            if k > 0 and k + 1 < count:
                following = table[grid, k + 1] - table[grid, k]
            if abs(following - length) <= _ROUNDING * table[grid, k]:
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
def _feed(s, into, strength, left, endogenous, u):
    """Write the constant input of a subject in its modes; return whether there is one."""
    n = u.size
    fed = False
    for m in range(n):
        total = 0.0
        for j in range(n):
            total += left[s, m, j] * ((strength if j == into else 0.0) + endogenous[s, j])
        u[m] = total
        fed = fed or total != 0.0
    return fed


@compiled
def _stop(pending, when, process, into, strength, length):
    """Write the end of the only input that runs, which stands before the next dose."""
    pending[0, STOPS], pending[0, PROCESS] = 1.0, process
    pending[0, AMOUNT] = pending[0, RATE] = pending[0, LEFT] = pending[0, INTERVAL] = 0.0
    pending[0, COMPARTMENT], pending[0, INPUT_RATE] = into, strength
    pending[0, FIRST] = pending[0, TIME] = when + length
    pending[0, NUMBER] = 0.0


@compiled
def _earliest_of(pending, count):
    due = np.inf
    for k in range(count[0]):
        due = min(due, pending[k, TIME])
    return due


@compiled
def _ordered(
    pending, count, when, process, amount, rate, additional, interval, into, strength, length
):  # fmt: skip
    """Note the end of a recorded dose and the next of its run; return when either is due."""
    if strength > 0.0:
        _stop(pending, when, process, into, strength, length)
        count[0] = 1
    if additional > 0:
        k = count[0]
        pending[k, STOPS] = pending[k, INPUT_RATE] = 0.0
        pending[k, PROCESS], pending[k, COMPARTMENT] = process, into
        pending[k, AMOUNT], pending[k, RATE] = amount, rate
        pending[k, LEFT], pending[k, INTERVAL] = additional - 1.0, interval
        pending[k, FIRST], pending[k, NUMBER] = when, 1.0
        pending[k, TIME] = when + interval
        count[0] = k + 1
    return _earliest_of(pending, count)


@compiled
def _taken(pending, count, which, strength, length):
    """Note the end of a dose that was pending and the next of its run; return what is due then.

    With ``strength`` 0 the dose was given at once, or the entry was the end of an input.
    """
    when, process = pending[which, TIME], int(pending[which, PROCESS])
    into = int(pending[which, COMPARTMENT])
    if pending[which, LEFT] > 0.0:
        pending[which, LEFT] -= 1.0
        pending[which, NUMBER] += 1.0
        pending[which, TIME] = (
            pending[which, FIRST] + pending[which, NUMBER] * pending[which, INTERVAL]
        )
    else:
        count[0] -= 1
        if which == 0 and count[0] == 1:
            for column in range(pending.shape[1]):
                pending[0, column] = pending[1, column]
    if strength > 0.0:
        if count[0] == 1:
            for column in range(pending.shape[1]):
                pending[1, column] = pending[0, column]
        _stop(pending, when, process, into, strength, length)
        count[0] += 1
    return _earliest_of(pending, count)


@compiled
def run_regular(
    s, s_last, r, first, ends, t, free, time, evid, amt, rate, ii, addl, ss, key, row_of,
    key_start, compartment, kind, f, lag, duration, modelled_rate, lam, right, left, is_modal,
    endogenous, initial, c, offset, weights, z, u, pending, count, table, modes, y, statuses,
):  # fmt: skip
    """Fill rows of subject s and give plain doses from r on, while nothing else happens.

    Rows are filled before the next event; that event is carried out where it is a record of one
    dose without lag, the only dose pending, the end of the only input that runs, or a record that
    gives nothing, not later than `free` (the opening of a window). Doses are plain that are given
    at once, or at a constant rate while no other input runs. ``ends`` is from `run_ends` and starts
    at record `first`; arguments as in `run_linear`. Where a subject is done, the next ones up to
    `s_last` follow in the same call if they have modes and the same records: a call costs as much
    as a few rows.

    Returns
    -------
    subject, record, time
        The subject that was reached, all before it being done; the first of its records that was
        not dealt with, and the time of its state z.
    """
    n, n_out = z.size, offset.shape[1]
    last, slot = first + ends.size, min(s, y.shape[0] - 1)
    fed = False
    for m in range(n):
        fed = fed or u[m] != 0.0
        if modes[RATES, m] != lam[s, m]:
            forget(table, n)
            modes[RATES, m] = lam[s, m]
    h_free = h_fed = -1.0  # steps whose exponentials are at hand, without and with an input
    due = _earliest_of(pending, count)
    while True:
        if r >= last:
            if s + 1 >= s_last or not is_modal[s + 1] or statuses[s + 1] != 0:
                return s, r, t
            for m in range(n):
                if not np.isfinite(z[m]):
                    statuses[s] = NOT_FINITE
            s, r, t = s + 1, first, time[first]
            slot, h_free, h_fed = min(s, y.shape[0] - 1), -1.0, -1.0
            due, count[0] = np.inf, 0
            forget(table, n)
            fed = _begin(s, lam, right, left, initial, endogenous, c, weights, z, u, modes)
        near = earliest(due) if due < np.inf else due
        origin, base = t, 2 + n if fed else 0
        grid, line, powers = base + GRID, base + LINE, base + POWERS
        for m in range(n):
            modes[START, m] = z[m]
        while r < last and ends[r - first] > r and time[r] < near:
            rows, most = 0, min(BLOCK, ends[r - first] - r)
            while rows < most and time[r + rows] < near:
                rows += 1
            differ = 0
            for k in range(rows):
                differ += abs(time[r + k] - origin - table[grid, k]) > _ROUNDING * time[r + k]
            if differ > 0:
                for k in range(rows):
                    table[grid, k] = time[r + k] - origin
                _tabulate(modes, rows, base, table)
                if rows < BLOCK:
                    table[grid, rows] = -1.0  # ends the table: no distance is negative
            row = row_of[r]
            for o in range(n_out):
                for k in range(rows):
                    table[line, k] = offset[s, o]
                for m in range(n):
                    factor = weights[o, m] * modes[START, m]
                    for k in range(rows):
                        table[line, k] += factor * table[powers + m, k]
                if fed:
                    for m in range(n):
                        factor = weights[o, m] * u[m]
                        for k in range(rows):
                            table[line, k] += factor * table[powers + n + m, k]
                for k in range(rows):
                    y[slot, row + k, o] = table[line, k]
            r += rows
            if rows == BLOCK and r < last and ends[r - first] > r:
                origin += table[grid, rows - 1]
                for m in range(n):
                    modes[START, m] *= table[powers + m, rows - 1]
                    if fed:
                        modes[START, m] += table[powers + n + m, rows - 1] * u[m]
        if r >= last:
            continue
        # what is next: a dose record, or what is pending; anything else is not done here
        recorded = evid[r] == 1 and ss[r] == 0 and time[r] < near
        when, process, which, stops = due, 0, 0, False
        amount = strength = length = 0.0
        if recorded:
            process = key_start[key[r]]
            if key_start[key[r] + 1] != process + 1 or lag[s, process] != 0.0:
                return s, r, t
            if addl[r] > 0 and count[0] > 0:
                return s, r, t
            when = time[r]
        elif count[0] > 0 and near <= time[r]:
            several = count[0] == 2 and pending[0, STOPS] + pending[1, STOPS] != 1.0
            if several or count[0] > 2 or pending[0, STOPS] > 1.0:
                return s, r, t
            which = 1 if count[0] == 2 and pending[1, TIME] < pending[0, TIME] else 0
            process, stops = int(pending[which, PROCESS]), pending[which, STOPS] == 1.0
        elif (evid[r] == 0 or evid[r] == 2) and time[r] < near:
            when = time[r]
        else:
            return s, r, t
        only_time = not recorded and when < near
        if not (only_time or stops):
            amount, strength, length = input_of(
                kind[process], amt[r] if recorded else pending[which, AMOUNT],
                rate[r] if recorded else pending[which, RATE], f[s, process],
                duration[s, process], modelled_rate[s, process],
            )  # fmt: skip
            plain = kind[process] < 3 and 0.0 <= amount < np.inf and 0.0 <= strength < np.inf
            if not (plain and f[s, process] >= 0.0):
                return s, r, t
            strength = strength if length > 0.0 else 0.0
            alone = count[0] == (0 if recorded else 1)
            if strength > 0.0 and not alone:
                return s, r, t
        if when > free:
            return s, r, t
        h = when - t
        if h > 0.0:
            grown = GROWN + 1 if fed else GROWN
            if abs(h - (h_fed if fed else h_free)) > _ROUNDING * when:
                h_fed, h_free = h if fed else h_fed, h_free if fed else h
                for m in range(n):
                    modes[grown, m] = np.exp(lam[s, m] * h)
                    if fed:
                        modes[FED, m] = (
                            h if lam[s, m] == 0.0 else np.expm1(lam[s, m] * h) / lam[s, m]
                        )
            for m in range(n):
                z[m] *= modes[grown, m]
                if fed:
                    z[m] += modes[FED, m] * u[m]
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
        if stops or strength > 0.0:
            fed = _feed(s, into, strength, left, endogenous, u)
        else:
            for m in range(n):
                z[m] += left[s, m, into] * amount
        if recorded:
            due = _ordered(
                pending, count, when, process, amt[r], rate[r], addl[r], ii[r], into, strength,
                length,
            )  # fmt: skip
            r += 1
        else:
            due = _taken(pending, count, which, strength, length)
