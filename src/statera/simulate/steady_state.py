"""Exact steady state of repeated inputs to a linear system, by the geometric series, compiled.

With doses every ``II`` the state a time ``s`` after a dose is the sum of the responses to all
earlier doses. For a mode this is a geometric series; for an infusion longer than ``II`` the doses
that are still running are summed one by one, and their stops stay pending.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.expm import expm_integrals, solve
from statera.simulate.doses import BAD_INPUT, LAG_TOO_LONG, NO_STEADY_STATE, input_of, usable
from statera.simulate.pending import push

__all__ = ["add_steady_state", "constant_state"]

_MOST_OVERLAPS = 100_000


@compiled
def constant_state(modal, lam, a, u, z, status):
    """Add the state that a constant input u holds for ever to z."""
    if modal:
        for m in range(lam.size):
            if u[m] == 0.0:
                continue
            if lam[m] >= 0.0:
                status[0] = NO_STEADY_STATE
                return
            z[m] -= u[m] / lam[m]
        return
    n = z.size
    held = np.empty((n, 1))
    for i in range(n):
        held[i, 0] = -u[i]
    solve(a.copy(), held)
    _take(held, z, status)


@compiled
def _add_mode(z, lam, g, rate, length, phase, interval, status):
    """Add one mode's response to a bolus g (rate 0) or to an infusion of g a time."""
    if g == 0.0:
        return z
    if lam >= 0.0:
        status[0] = NO_STEADY_STATE
        return z
    fill = -np.expm1(lam * interval)
    if rate == 0.0:
        return z + g * np.exp(lam * phase) / fill
    tau = phase
    while tau < length:
        z += g * np.expm1(lam * tau) / lam
        tau += interval
    return z + g * np.expm1(lam * length) / lam * np.exp(lam * (tau - length)) / fill


@compiled
def _take(held, z, status):
    """Add a solution to the state where it exists."""
    for i in range(z.size):
        if not abs(held[i, 0]) < 1e15:
            status[0] = NO_STEADY_STATE
            return
        z[i] += held[i, 0]


@compiled
def _add_matrix(z, a, compartment, strength, rate, length, phase, interval, status):
    """Add the response of the whole state, by matrix exponentials."""
    n = z.size
    e, phi, psi = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    filled, tail = np.zeros(n), np.zeros((n, 1))
    shift = phase
    if rate == 0.0:
        filled[compartment] = strength
    else:
        tau = phase
        while tau < length:
            expm_integrals(a, tau, e, phi, psi)
            for i in range(n):
                z[i] += phi[i, compartment] * strength
            tau += interval
        expm_integrals(a, length, e, phi, psi)
        for i in range(n):
            filled[i] = phi[i, compartment] * strength
        shift = tau - length
    expm_integrals(a, shift, e, phi, psi)
    for i in range(n):
        for j in range(n):
            tail[i, 0] += e[i, j] * filled[j]
    expm_integrals(a, interval, e, phi, psi)
    for i in range(n):
        for j in range(n):
            e[i, j] = (1.0 if i == j else 0.0) - e[i, j]
    solve(e, tail)
    _take(tail, z, status)


@compiled
def add_steady_state(
    table, count, status, time, amount, record_rate, interval, first, last,
    compartment, kind, f, lag, duration, modelled_rate,
    modal, lam, left, a, z,
):  # fmt: skip
    """Add to z the steady state of a repeated dose just before the record's own dose.

    A lag shifts the phase: at the record the last dose that landed did so ``II - lag`` ago.
    """
    n = z.size
    for p in range(first, last):
        if not usable(f[p], lag[p]):
            status[0] = BAD_INPUT
            return table
        if lag[p] >= interval:
            status[0] = LAG_TOO_LONG
            return table
        at_once, rate, length = input_of(
            kind[p], amount, record_rate, f[p], duration[p], modelled_rate[p]
        )
        proper = np.isfinite(at_once) and np.isfinite(rate)
        if not proper or length > _MOST_OVERLAPS * interval:
            status[0] = BAD_INPUT
            return table
        phase = interval - lag[p]
        strength = rate if rate > 0.0 else at_once
        if modal:
            for m in range(n):
                g = left[m, compartment[p]] * strength
                z[m] = _add_mode(z[m], lam[m], g, rate, length, phase, interval, status)
        else:
            _add_matrix(z, a, compartment[p], strength, rate, length, phase, interval, status)
        if rate > 0.0:
            tau = phase
            while tau < length:
                table = push(
                    table, count, 1.0, p, 0.0, 0.0, 0.0, 0.0, compartment[p], rate,
                    time + length - tau, 0.0,
                )  # fmt: skip
                tau += interval
    return table
