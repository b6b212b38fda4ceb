"""Derivative of a solution with respect to its start, carried along accepted steps, compiled.

The variational equation ``M' = J(x(t)) M`` is linear, so each step multiplies M by the exponential
of the Magnus series, here to order 4 with two Gauss nodes (Blanes, Casas, Oteo and Ros 2009, doi
10.1016/j.physrep.2008.11.001). It needs J along the dense output only, so it serves every method,
is exact for linear systems and does not overshoot for stiff ones.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.expm import expm

__all__ = ["FIRST_NODE", "SECOND_NODE", "carry", "slopes_at"]

FIRST_NODE = 0.5 - np.sqrt(3.0) / 6.0
SECOND_NODE = 0.5 + np.sqrt(3.0) / 6.0
_COMMUTATOR = np.sqrt(3.0) / 12.0


@compiled
def slopes_at(jac, rows, columns, t, x, p, j, out):
    """Write the Jacobian as a matrix; a slope that is not finite counts as zero."""
    jac(t, x, p, j, 0)
    out[:, :] = 0.0
    for q in range(rows.size):
        if np.isfinite(j[q]):
            out[rows[q], columns[q]] = j[q]


@compiled
def carry(h, first, second, tangent):
    """Carry ``tangent`` (n, n) over a step of h, with J at the two nodes.

    Returns False where the result is not finite.
    """
    n = tangent.shape[0]
    omega = np.empty((n, n))
    for i in range(n):
        for q in range(n):
            swap = 0.0
            for m in range(n):
                swap += second[i, m] * first[m, q] - first[i, m] * second[m, q]
            omega[i, q] = h * (0.5 * (first[i, q] + second[i, q]) + _COMMUTATOR * h * swap)
            if not abs(omega[i, q]) < 1e100:
                return False
    grown = expm(omega)
    for i in range(n):
        for q in range(n):
            total = 0.0
            for m in range(n):
                total += grown[i, m] * tangent[m, q]
            omega[i, q] = total
    for i in range(n):
        for q in range(n):
            tangent[i, q] = omega[i, q]
            if not np.isfinite(omega[i, q]):
                return False
    return True
