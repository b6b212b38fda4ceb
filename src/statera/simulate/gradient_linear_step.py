"""Exact steps of a linear system and its sensitivities, compiled.

In the coordinates ``z = L x`` of the modes, with ``G_j = L (dA/dw_j) R``, sensitivities obey
``s_j' = Lambda s_j + G_j z + w_j``: the vectors L and R stay as they are, no derivative of them is
needed. With constant inputs u and w_j over a step of length h::

    s_a(h) = e^(l_a h) s_a + phi_a w_a + sum_b G_ab (psi_ab z_b + omega_ab u_b)

``psi`` and ``omega`` are divided differences of the exponential (`statera.numerics.divided`).
Without modes the blocks of ``exp [[A, 0], [dA_j, A]] h`` do the same (Van Loan 1978,
doi 10.1109/TAC.1978.1101743). Derivations: ``docs/sensitivities.md``.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.divided import first_difference, second_difference
from statera.numerics.expm import expm

__all__ = ["advance_gradient", "prepare_gradient"]


@compiled
def prepare_gradient(modal, lam, a, g, h, e, phi, psi, omega, d_e, d_phi):
    """Write the propagators of a step of length h.

    By modes: ``e`` and ``phi`` hold diagonals in their first rows. Otherwise they are matrices
    and ``d_e``, ``d_phi`` (n_wrt, n, n) their derivatives.
    """
    n = lam.size
    if modal:
        for i in range(n):
            x = lam[i] * h
            e[0, i] = np.exp(x)
            phi[0, i] = h * first_difference(x, 0.0)
            for k in range(i + 1 if g.shape[0] > 0 else 0):
                psi[i, k] = h * first_difference(x, lam[k] * h)
                omega[i, k] = h * h * second_difference(x, lam[k] * h)
                psi[k, i] = psi[i, k]
                omega[k, i] = omega[i, k]
        return
    for j in range(max(1, g.shape[0])):
        big = np.zeros((4 * n, 4 * n))
        for i in range(n):
            for k in range(n):
                big[i, k] = a[i, k] * h
                big[n + i, n + k] = a[i, k] * h
                if j < g.shape[0]:
                    big[n + i, k] = g[j, i, k] * h
        for i in range(2 * n):
            big[i, 2 * n + i] = h
        full = expm(big)
        for i in range(n):
            for k in range(n):
                e[i, k] = full[i, k]
                phi[i, k] = full[i, 2 * n + k]
                if j < g.shape[0]:
                    d_e[j, i, k] = full[n + i, k]
                    d_phi[j, i, k] = full[n + i, 2 * n + k]


@compiled
def advance_gradient(modal, g, acts, z, u, s, w, e, phi, psi, omega, d_e, d_phi, fed, work):
    """Advance the state ``z`` (n,) and the sensitivities ``s`` (n_wrt, n) in place.

    ``u`` (n,) and ``w`` (n_wrt, n) are the inputs, ``acts`` (n_wrt,) says which matrices of ``g``
    are not zero; ``fed`` (n, n) and ``work`` (n,) are work space.
    """
    if modal:
        _by_modes(g, acts, z, u, s, w, e, phi, psi, omega, fed)
    else:
        _by_matrices(z, u, s, w, e, phi, d_e, d_phi, work)


@compiled
def _by_modes(g, acts, z, u, s, w, e, phi, psi, omega, fed):
    n = z.size
    for i in range(n):
        for k in range(n):
            fed[i, k] = psi[i, k] * z[k] + omega[i, k] * u[k]
    for j in range(s.shape[0]):
        for i in range(n):
            s[j, i] = e[0, i] * s[j, i] + phi[0, i] * w[j, i]
        if acts[j]:
            for i in range(n):
                for k in range(n):
                    s[j, i] += g[j, i, k] * fed[i, k]
    for i in range(n):
        z[i] = e[0, i] * z[i] + phi[0, i] * u[i]


@compiled
def _by_matrices(z, u, s, w, e, phi, d_e, d_phi, work):
    n = z.size
    for j in range(s.shape[0]):
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
