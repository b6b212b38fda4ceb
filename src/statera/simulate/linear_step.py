"""Exact steps of a linear system, by its modes or by the matrix exponential, compiled.

Within an interval of constant input ``u`` a mode obeys ``z' = l z + u``, so that after ``h``::

    z(h)        = exp(l h) z + phi(h) u        phi(h) = (exp(l h) - 1) / l
    int_0^h z   = phi(h) z + psi(h) u          psi(h) = (phi(h) - h) / l

Where modes do not exist, the same holds with matrices in place of ``exp``, ``phi`` and ``psi``.
Derivations: ``docs/closed-forms.md``.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.expm import expm_integrals

__all__ = ["advance", "integral", "prepare", "value_at"]


@compiled
def prepare(modal, lam, a, h, e, phi, psi, big_e, big_phi, big_psi):
    """Write the propagators for a step of length h."""
    if modal:
        for m in range(lam.size):
            x = lam[m] * h
            if lam[m] == 0.0:
                e[m] = 1.0
                phi[m] = h
                psi[m] = 0.5 * h * h
                continue
            grown = np.expm1(x)
            e[m] = 1.0 + grown
            phi[m] = grown / lam[m]
            if abs(x) < 1e-2:
                series = 1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0)))
                psi[m] = 0.5 * h * h * series
            else:
                psi[m] = (phi[m] - h) / lam[m]
    else:
        expm_integrals(a, h, big_e, big_phi, big_psi)


@compiled
def advance(modal, z, u, e, phi, big_e, big_phi, work):
    """Advance the state by the prepared step, in place."""
    n = z.size
    if modal:
        for m in range(n):
            z[m] = e[m] * z[m] + phi[m] * u[m]
        return
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += big_e[i, j] * z[j] + big_phi[i, j] * u[j]
        work[i] = total
    for i in range(n):
        z[i] = work[i]


@compiled
def integral(modal, w, z, u, phi, psi, big_phi, big_psi):
    """Return the integral of ``w . state`` over the prepared step, from its start."""
    total = 0.0
    n = z.size
    for m in range(n):
        if modal:
            total += w[m] * (phi[m] * z[m] + psi[m] * u[m])
        else:
            part = 0.0
            for j in range(n):
                part += big_phi[m, j] * z[j] + big_psi[m, j] * u[j]
            total += w[m] * part
    return total


@compiled
def value_at(modal, lam, a, w, z, u, s):
    """Return ``w . state`` and its time derivative, a time s after the state z."""
    value = 0.0
    slope = 0.0
    n = z.size
    if modal:
        for m in range(n):
            if u[m] == 0.0:
                grown = np.exp(lam[m] * s)
                value += w[m] * grown * z[m]
                slope += w[m] * grown * lam[m] * z[m]
                continue
            grown = np.expm1(lam[m] * s)
            phi = s if lam[m] == 0.0 else grown / lam[m]
            value += w[m] * ((1.0 + grown) * z[m] + phi * u[m])
            slope += w[m] * (1.0 + grown) * (lam[m] * z[m] + u[m])
        return value, slope
    e, phi_s, psi_s = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    expm_integrals(a, s, e, phi_s, psi_s)
    state = np.empty(n)
    for i in range(n):
        state[i] = 0.0
        for j in range(n):
            state[i] += e[i, j] * z[j] + phi_s[i, j] * u[j]
    for i in range(n):
        change = u[i]
        for j in range(n):
            change += a[i, j] * state[j]
        value += w[i] * state[i]
        slope += w[i] * change
    return value, slope
