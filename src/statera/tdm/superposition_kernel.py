"""States of one subject's records under many draws of its parameters, by superposition, compiled.

The event loop of the engine steps from event to event, because covariates, resets and subjects
differ. Here the records are the same for all draws and nothing but plain doses happens, so that
the state at an observation is a sum over the doses before it, and a run of equal doses is a
geometric series however long it is. With the modes of a linear system, a run of doses every II, the
last of them s before the observation and n of them in all::

    sum_k exp(l (s + k II)) = exp(l s) (1 - exp(l n II)) / (1 - exp(l II)),   k = 0 ... n - 1

and with n without end the steady state. Infusions that still run are added one by one.

Courses ask at the same distances after every dose. Where a row has a twin one dosing interval
before it, its exponential is the twin's, or that times ``exp(l II)`` after the last dose of a run.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.simulate.doses import BAD_INPUT, LAG_TOO_LONG, NO_STEADY_STATE, input_of, usable

__all__ = ["ENDLESS", "superpose"]

ENDLESS = 1e15
"""Number of further doses that stands for a steady state."""

_SAME = 1e-10
_NOTHING = -60.0
_ROUNDING = 2e-15
"""Times that differ by this much of themselves are equal."""


@compiled
def _series(rate, interval, count, decay):
    """Return ``sum exp(rate k interval)`` for k from 0 to count - 1; decay is 1 - exp(rate II)."""
    if count <= 1.0 or interval <= 0.0:
        return max(count, 0.0)
    if rate == 0.0:
        return count
    if count >= ENDLESS:
        return 1.0 / decay
    return -np.expm1(rate * interval * count) / decay


@compiled
def _running(rate, since, interval, count, decay):
    """Return the response to inputs of rate 1 that still run, the last begun `since` ago."""
    if count <= 1.0:
        return since if rate == 0.0 else np.expm1(rate * since) / rate
    if rate == 0.0:
        return count * since + 0.5 * interval * count * (count - 1.0)
    return (np.exp(rate * since) * _series(rate, interval, count, decay) - count) / rate


@compiled
def _given(when, start, interval, further, endless, slack):
    """Return how long ago the last dose of a run was given, and how many there were till then."""
    ago = when - start
    given = 1.0
    if interval > 0.0 and further > 0.0 and ago > 0.0:
        given = min(np.floor((ago + slack) / interval), further) + 1.0
        ago -= (given - 1.0) * interval
    if endless:
        given = ENDLESS
        if ago < -slack:  # the record's own dose has not landed yet
            ago += interval
    return ago, given


@compiled
def _lay_out(
    i, d, p, e, amount, record_rate, interval, endless, compartment, kind, f, lag, duration,
    modelled_rate, lam, left, size, whole, decay, length,
):  # fmt: skip
    """Write what one input of a draw adds to each mode; return its status."""
    if not usable(f[i, p], lag[i, p]):
        return BAD_INPUT
    at_once, strength, long = input_of(
        kind[p], amount[d], record_rate[d], f[i, p], duration[i, p], modelled_rate[i, p]
    )
    if not (np.isfinite(at_once) and np.isfinite(strength)):
        return BAD_INPUT
    if endless[d] > 0.0 and lag[i, p] >= interval[d]:
        return LAG_TOO_LONG
    bolus = strength == 0.0 or long == 0.0
    length[e] = 0.0 if bolus else long
    for m in range(lam.shape[1]):
        rate = lam[i, m]
        size[e, m] = left[i, m, compartment[p]] * (at_once if bolus else strength)
        if endless[d] > 0.0 and rate >= 0.0 and size[e, m] != 0.0:
            return NO_STEADY_STATE
        decay[e, m] = -np.expm1(rate * interval[d])
        whole[e, m] = 1.0
        if not bolus:
            whole[e, m] = long if rate == 0.0 else np.expm1(rate * long) / rate
    return 0


@compiled
def _twins(times, interval, further):
    """Return the row one dosing interval before each row, (n_rows, n_doses) int64; -1 for none."""
    found = np.full((times.shape[1], interval.size), -1)
    if times.shape[0] > 1:
        return found
    for d in range(interval.size):
        if interval[d] <= 0.0 or further[d] <= 0.0:
            continue
        before = 0
        for k in range(times.shape[1]):
            wanted = times[0, k] - interval[d]
            slack = _ROUNDING * abs(times[0, k])
            while before < k and times[0, before] < wanted - slack:
                before += 1
            if before < k and abs(times[0, before] - wanted) <= slack:
                found[k, d] = before
    return found


@compiled
def _grown(k, twin, e, m, rate, after, interval, slack, afters, grown, step):
    """Return ``exp(rate after)`` by the row's twin where it has one; both are kept for others."""
    afters[e, k] = after
    if twin >= 0 and grown[e, twin, m] >= 0.0:
        later = after - afters[e, twin]
        if abs(later) <= slack:
            grown[e, k, m] = grown[e, twin, m]
            return grown[e, k, m]
        if abs(later - interval) <= slack:
            if step[e, m] < 0.0:
                step[e, m] = np.exp(rate * interval)
            grown[e, k, m] = grown[e, twin, m] * step[e, m]
            return grown[e, k, m]
    grown[e, k, m] = np.exp(rate * after)
    return grown[e, k, m]


@compiled
def superpose(
    times, first_time, known, dose_time, amount, record_rate, interval, further, endless,
    process_start, compartment, kind, f, lag, duration, modelled_rate,
    lam, right, left, production, initial, out, statuses,
):  # fmt: skip
    """Write states, (n_rows, n_states, n_draws).

    Parameters
    ----------
    times : (1 or n_draws, n_rows) float64
        When the state is asked for; `known` is the number of doses recorded before each row.
    dose_time, amount, record_rate, interval, further, endless : (n_doses,) float64
        Runs of doses; an endless one has been given long before, and clears what was there.
    process_start : (n_doses, 2) int64
        First input process of each dose, and the one after its last.
    f, lag, duration, modelled_rate : (n_draws, n_processes) float64
    lam, right, left
        Modes, see `statera.numerics.modal`.
    production, initial : (n_draws, n_states) float64
    """
    n_draws, n = lam.shape
    n_rows, n_doses = times.shape[1], dose_time.size
    n_inputs = 0
    for d in range(n_doses):
        n_inputs += process_start[d, 1] - process_start[d, 0]
    z, made, begun = np.empty(n), np.empty(n), np.empty(n)
    size, whole, decay = (
        np.empty((n_inputs, n)), np.empty((n_inputs, n)), np.empty((n_inputs, n))
    )  # fmt: skip
    length, series_of = np.empty(n_inputs), np.empty(n_inputs)
    series, step = np.empty((n_inputs, n)), np.empty((n_inputs, n))
    afters, grown = np.empty((n_inputs, n_rows)), np.empty((n_inputs, n_rows, n))
    twins = _twins(times, interval, further)
    steady = n_doses > 0 and endless[0] > 0.0
    for i in range(n_draws):
        e = 0
        for d in range(n_doses):
            for p in range(process_start[d, 0], process_start[d, 1]):
                if statuses[i] == 0:
                    statuses[i] = _lay_out(
                        i, d, p, e, amount, record_rate, interval, endless, compartment, kind, f,
                        lag, duration, modelled_rate, lam, left, size, whole, decay, length,
                    )  # fmt: skip
                e += 1
        if statuses[i] != 0:
            continue
        for m in range(n):
            made[m] = begun[m] = 0.0
            for j in range(n):
                made[m] += left[i, m, j] * production[i, j]
                begun[m] += left[i, m, j] * initial[i, j]
            if steady:
                begun[m] = 0.0
                if made[m] != 0.0:
                    if lam[i, m] >= 0.0:
                        statuses[i] = NO_STEADY_STATE
                    begun[m] = -made[m] / lam[i, m]
        series_of[:] = step[:] = grown[:] = -1.0
        for k in range(n_rows):
            when = times[min(i, times.shape[0] - 1), k]
            since = when - first_time
            slack = _SAME * max(1.0, abs(when))
            for m in range(n):
                rate = lam[i, m]
                z[m] = begun[m] * np.exp(rate * since) if begun[m] != 0.0 else 0.0
                if made[m] != 0.0:
                    z[m] += made[m] * (since if rate == 0.0 else np.expm1(rate * since) / rate)
            e = 0
            for d in range(min(n_doses, known[k])):
                for p in range(process_start[d, 0], process_start[d, 1]):
                    ago, given = _given(
                        when, dose_time[d] + lag[i, p], interval[d], further[d], endless[d] > 0.0,
                        slack,
                    )  # fmt: skip
                    if ago < -slack:
                        e += 1
                        continue
                    ago = max(ago, 0.0)
                    running = 0.0
                    if ago < length[e]:
                        running = 1.0
                        if interval[d] > 0.0:
                            running = min(given, np.ceil((length[e] - ago) / interval[d]))
                    done = given if given >= ENDLESS else given - running
                    after = ago + running * interval[d] - length[e]
                    for m in range(n):
                        if size[e, m] == 0.0:
                            continue
                        rate, found = lam[i, m], 0.0
                        if running > 0.0:
                            found = _running(rate, ago, interval[d], running, decay[e, m])
                        if done > 0.0 and rate * after > _NOTHING:
                            if series_of[e] != done:
                                for j in range(n):
                                    series[e, j] = _series(
                                        lam[i, j], interval[d], done, decay[e, j]
                                    )
                                series_of[e] = done
                            found += (
                                whole[e, m] * series[e, m]
                                * _grown(
                                    k, twins[k, d], e, m, rate, after, interval[d],
                                    _ROUNDING * abs(when), afters, grown, step,
                                )
                            )  # fmt: skip
                        z[m] += size[e, m] * found
                    e += 1
            for j in range(n):
                total = 0.0
                for m in range(n):
                    total += right[i, j, m] * z[m]
                out[k, j, i] = total
