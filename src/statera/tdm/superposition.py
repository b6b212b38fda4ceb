"""States of one subject's records under many draws of its parameters, by superposition, compiled.

The event loop of the engine steps from event to event, because covariates, resets and subjects
differ. Here the records are the same for all draws and nothing but plain doses happens, so that
the state at an observation is a sum over the doses before it, and a run of equal doses is a
geometric series however long it is. With the modes of a linear system, a run of doses every II, the
last of them s before the observation and n of them in all::

    sum_k exp(l (s + k II)) = exp(l s) (1 - exp(l n II)) / (1 - exp(l II)),   k = 0 ... n - 1

and with n without end the steady state. Infusions that still run are added one by one.
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


@compiled
def _series(rate, interval, count):
    """Return ``sum exp(rate k interval)`` for k from 0 to count - 1."""
    if count <= 1.0 or interval <= 0.0:
        return max(count, 0.0)
    if rate == 0.0:
        return count
    decay = -np.expm1(rate * interval)
    if count >= ENDLESS:
        return 1.0 / decay
    return -np.expm1(rate * interval * count) / decay


@compiled
def _input(rate, strength, at_once, length, since, interval, count):
    """Return one mode's response to `count` equal inputs, the last begun `since` ago."""
    if at_once:
        if rate * since < _NOTHING:
            return 0.0
        return strength * np.exp(rate * since) * _series(rate, interval, count)
    found = 0.0
    while count > 0.0 and since < length:
        found += since if rate == 0.0 else np.expm1(rate * since) / rate
        since += interval
        count -= 1.0
        if interval <= 0.0:
            return strength * found
    if count > 0.0 and rate * (since - length) > _NOTHING:
        whole = length if rate == 0.0 else np.expm1(rate * length) / rate
        found += whole * np.exp(rate * (since - length)) * _series(rate, interval, count)
    return strength * found


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
    z, made, begun = np.empty(n), np.empty(n), np.empty(n)
    steady = n_doses > 0 and endless[0] > 0.0
    for i in range(n_draws):
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
        for k in range(n_rows):
            when = times[min(i, times.shape[0] - 1), k]
            since = when - first_time
            for m in range(n):
                rate = lam[i, m]
                z[m] = begun[m] * np.exp(rate * since) if begun[m] != 0.0 else 0.0
                if made[m] != 0.0:
                    z[m] += made[m] * (since if rate == 0.0 else np.expm1(rate * since) / rate)
            for d in range(min(n_doses, known[k])):
                for p in range(process_start[d, 0], process_start[d, 1]):
                    if not usable(f[i, p], lag[i, p]):
                        statuses[i] = BAD_INPUT
                        break
                    at_once, strength, length = input_of(
                        kind[p], amount[d], record_rate[d], f[i, p], duration[i, p],
                        modelled_rate[i, p],
                    )  # fmt: skip
                    if not (np.isfinite(at_once) and np.isfinite(strength)):
                        statuses[i] = BAD_INPUT
                        break
                    if endless[d] > 0.0 and lag[i, p] >= interval[d]:
                        statuses[i] = LAG_TOO_LONG
                        break
                    ago = when - dose_time[d] - lag[i, p]
                    slack = _SAME * max(1.0, abs(when))
                    given = 1.0
                    if interval[d] > 0.0 and further[d] > 0.0 and ago > 0.0:
                        passed = np.floor((ago + slack) / interval[d])
                        given = min(passed, further[d]) + 1.0
                    ago -= (given - 1.0) * interval[d]
                    if endless[d] > 0.0:
                        if ago < -slack:  # the record's own dose has not landed yet
                            ago += interval[d]
                        given = ENDLESS
                    if ago < -slack:
                        continue
                    ago = max(ago, 0.0)
                    into = compartment[p]
                    bolus = strength == 0.0 or length == 0.0
                    for m in range(n):
                        size = left[i, m, into] * (at_once if bolus else strength)
                        if size == 0.0:
                            continue
                        if endless[d] > 0.0 and lam[i, m] >= 0.0:
                            statuses[i] = NO_STEADY_STATE
                            break
                        z[m] += _input(lam[i, m], size, bolus, length, ago, interval[d], given)
            for j in range(n):
                total = 0.0
                for m in range(n):
                    total += right[i, j, m] * z[m]
                out[k, j, i] = total
