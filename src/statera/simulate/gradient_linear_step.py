"""Exact steps of a linear system and its sensitivities, compiled.

In the coordinates ``z = L x`` of the modes, with ``G_j = L (dA/dw_j) R``, sensitivities obey
``s_j' = Lambda s_j + G_j z + w_j``: the vectors L and R stay as they are, no derivative of them is
needed. With constant inputs u and w_j over a step of length h::

    s_a(h) = e^(l_a h) s_a + phi_a w_a + sum_b G_ab (psi_ab z_b + omega_ab u_b)

``psi`` and ``omega`` are divided differences of the exponential (`statera.numerics.divided`).
Second derivatives obey ``s_jk' = Lambda s_jk + G_jk z + w_jk + G_j s_k + G_k s_j`` and are further
columns: the first terms act on them as on all others, and the last two add differences of the next
order. Without modes the blocks of ``exp [[A, 0], [dA_j, A]] h`` and of its like for two names do
the same (Van Loan 1978, doi 10.1109/TAC.1978.1101743). Derivations: ``docs/sensitivities.md``.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.divided import first_difference, second_difference, third_difference
from statera.numerics.expm import expm

__all__ = ["advance_gradient", "new_steps", "prepare_gradient"]


@compiled
def new_steps(n, n_first, n_pairs, all_modal):
    """Return room for the propagators of a step.

    ``e``, ``phi``, ``psi`` and ``omega`` (n, n); the differences of the next order ``third`` and
    ``fourth`` (n, n, n), empty without pairs; ``d_e`` and ``d_phi`` (n_first, n, n), empty where
    all systems have modes.
    """
    deep, wide = n if n_pairs > 0 else 0, 0 if all_modal else n_first
    return (
        np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty((n, n)),
        np.empty((deep, n, n)), np.empty((deep, n, n)), np.empty((wide, n, n)),
        np.empty((wide, n, n)),
    )  # fmt: skip


@compiled
def prepare_gradient(modal, lam, a, g, acts, h, steps):
    """Write the propagators of a step of length h into ``steps``, made by `new_steps`.

    By modes: ``e`` and ``phi`` hold diagonals in their first rows. Otherwise they are matrices
    and ``d_e``, ``d_phi`` (n_first, n, n) their derivatives.
    """
    if modal:
        _prepare_modes(lam, g.shape[0] > 0, h, steps)
    else:
        _prepare_matrices(a, g, acts, h, steps)


@compiled
def _prepare_modes(lam, any_columns, h, steps):
    e, phi, psi, omega, third, fourth, _, _ = steps
    n = lam.size
    for i in range(n):
        x = lam[i] * h
        e[0, i] = np.exp(x)
        phi[0, i] = h * first_difference(x, 0.0)
        for k in range(i + 1 if any_columns else 0):
            psi[i, k] = psi[k, i] = h * first_difference(x, lam[k] * h)
            omega[i, k] = omega[k, i] = h * h * second_difference(x, lam[k] * h)
    for i in range(third.shape[0]):
        for k in range(i + 1):
            for q in range(k + 1):
                _spread(third, i, k, q, h * h * _of_three(lam[i] * h, lam[k] * h, lam[q] * h))
                value = third_difference(lam[i] * h, lam[k] * h, lam[q] * h)
                _spread(fourth, i, k, q, h * h * h * value)


@compiled
def _prepare_matrices(a, g, acts, h, steps):
    e, phi, d_e, d_phi = steps[0], steps[1], steps[6], steps[7]
    n = a.shape[0]
    for j in range(max(1, d_e.shape[0])):
        column = j < d_e.shape[0]
        if j > 0 and not acts[j]:
            d_e[j] = 0.0
            d_phi[j] = 0.0
            continue
        big = np.zeros((4 * n, 4 * n))
        for i in range(n):
            for k in range(n):
                big[i, k] = big[n + i, n + k] = a[i, k] * h
                big[n + i, k] = g[j, i, k] * h if column else 0.0
        for i in range(2 * n):
            big[i, 2 * n + i] = h
        full = expm(big)
        e[:], phi[:] = full[:n, :n], full[:n, 2 * n : 3 * n]
        if column:
            d_e[j], d_phi[j] = full[n : 2 * n, :n], full[n : 2 * n, 2 * n : 3 * n]


@compiled
def _of_three(a, b, c):
    """Return the second divided difference of the exponential at three arguments."""
    top = max(a, b, c)
    low = min(a, b, c)
    return np.exp(top) * second_difference(low - top, a + b + c - low - 2.0 * top)


@compiled
def _spread(values, i, k, q, value):
    """Write an entry of a symmetric array."""
    values[i, k, q] = values[i, q, k] = values[k, i, q] = value
    values[k, q, i] = values[q, i, k] = values[q, k, i] = value


@compiled
def advance_gradient(modal, a, g, acts, one, two, h, z, u, s, w, steps, fed, work):
    """Advance the state ``z`` (n,) and the columns ``s`` (n_columns, n) in place.

    ``u`` (n,) and ``w`` (n_columns, n) are the inputs, ``acts`` (n_columns,) says which matrices
    of ``g`` are not zero; ``one`` and ``two`` (n_pairs,) are the columns that the last ones are
    second derivatives by; ``fed`` (n, n) and ``work`` (n,) are work space.
    """
    e, phi, psi, omega, third, fourth, d_e, d_phi = steps
    if modal:
        _by_modes(g, acts, one, two, z, u, s, w, e, phi, psi, omega, third, fourth, fed)
    else:
        if one.size > 0:
            _pairs_by_blocks(a, g, one, two, h, z, u, s, w)
        _by_matrices(s.shape[0] - one.size, z, u, s, w, e, phi, d_e, d_phi, work)


@compiled
def _by_modes(g, acts, one, two, z, u, s, w, e, phi, psi, omega, third, fourth, fed):
    n, m = z.size, s.shape[0] - one.size
    for i in range(n):
        for k in range(n):
            fed[i, k] = psi[i, k] * z[k] + omega[i, k] * u[k]
    for j in range(s.shape[0] - 1, -1, -1):  # second derivatives first: they need the others
        for i in range(n):
            s[j, i] = e[0, i] * s[j, i] + phi[0, i] * w[j, i]
        if acts[j]:
            for i in range(n):
                for k in range(n):
                    s[j, i] += g[j, i, k] * fed[i, k]
        if j >= m:
            first, second = one[j - m], two[j - m]
            if acts[first]:
                _cross(g[first], g[second], acts[second], z, u, s[second], w[second], psi, omega,
                       third, fourth, s[j])  # fmt: skip
            if acts[second]:
                _cross(g[second], g[first], acts[first], z, u, s[first], w[first], psi, omega,
                       third, fourth, s[j])  # fmt: skip
    for i in range(n):
        z[i] = e[0, i] * z[i] + phi[0, i] * u[i]


@compiled
def _cross(g, g_other, other_acts, z, u, s, w, psi, omega, third, fourth, out):
    """Add what one matrix makes of the sensitivity to the other name, and of its growth."""
    n = z.size
    for i in range(n):
        total = 0.0
        for k in range(n):
            total += g[i, k] * (psi[i, k] * s[k] + omega[i, k] * w[k])
            if other_acts:
                for q in range(n):
                    grown = third[i, k, q] * z[q] + fourth[i, k, q] * u[q]
                    total += g[i, k] * g_other[k, q] * grown
        out[i] += total


@compiled
def _pairs_by_blocks(a, g, one, two, h, z, u, s, w):
    """Advance the second derivatives: the last block of one exponential each.

    Inputs are the last column of each block, of a state that stays 1.
    """
    n, m = z.size, s.shape[0] - one.size
    wide = n + 1
    for c in range(one.size):
        j, k = one[c], two[c]
        big, start = np.zeros((4 * wide, 4 * wide)), np.zeros(4 * wide)
        for i in range(n):
            for q in range(n):
                for b in range(4):
                    big[b * wide + i, b * wide + q] = a[i, q] * h
                big[wide + i, q] = big[3 * wide + i, 2 * wide + q] = g[j, i, q] * h
                big[2 * wide + i, q] = big[3 * wide + i, wide + q] = g[k, i, q] * h
                big[3 * wide + i, q] = g[m + c, i, q] * h
            for b in range(4):
                big[b * wide + i, b * wide + n] = u[i] * h
            big[wide + i, n] = big[3 * wide + i, 2 * wide + n] = w[j, i] * h
            big[2 * wide + i, n] = big[3 * wide + i, wide + n] = w[k, i] * h
            big[3 * wide + i, n] = w[m + c, i] * h
            start[i], start[wide + i], start[2 * wide + i] = z[i], s[j, i], s[k, i]
            start[3 * wide + i] = s[m + c, i]
        start[n] = 1.0
        full = expm(big)
        for i in range(n):
            total = 0.0
            for q in range(4 * wide):
                total += full[3 * wide + i, q] * start[q]
            s[m + c, i] = total


@compiled
def _by_matrices(m, z, u, s, w, e, phi, d_e, d_phi, work):
    n = z.size
    for j in range(m):
        for i in range(n):
            total = 0.0
            for k in range(n):
                total += e[i, k] * s[j, k] + phi[i, k] * w[j, k]
                total += d_e[j, i, k] * z[k] + d_phi[j, i, k] * u[k]
            work[i] = total
        s[j] = work
    for i in range(n):
        total = 0.0
        for k in range(n):
            total += e[i, k] * z[k] + phi[i, k] * u[k]
        work[i] = total
    z[:] = work
