"""Matrix exponential of small matrices with its integrals, compiled.

Padé approximant of order 13 with scaling and squaring (Higham 2005, doi 10.1137/04061101X).
Plain loops: for a handful of states they are as fast as library calls and compile much faster.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["expm", "expm_integrals", "solve"]

_B13 = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
    40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_THETA13 = 5.371920351148152


@compiled
def _multiply(a, b, out):
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += a[i, k] * b[k, j]
            out[i, j] = total


@compiled
def solve(a, b):
    """Solve ``a x = b`` in place by elimination with row pivoting: b becomes x, a is spent.

    A singular matrix gives values that are not finite.
    """
    n, width = b.shape
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[pivot, k]):
                pivot = i
        if pivot != k:
            for j in range(n):
                a[k, j], a[pivot, j] = a[pivot, j], a[k, j]
            for j in range(width):
                b[k, j], b[pivot, j] = b[pivot, j], b[k, j]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= factor * a[k, j]
            for j in range(width):
                b[i, j] -= factor * b[k, j]
    for k in range(n - 1, -1, -1):
        for j in range(width):
            total = b[k, j]
            for i in range(k + 1, n):
                total -= a[k, i] * b[i, j]
            b[k, j] = total / a[k, k]


@compiled
def expm(a):
    """Return ``exp(a)`` of a square matrix, (n, n) float64."""
    n = a.shape[0]
    norm = 0.0
    for j in range(n):
        total = 0.0
        for i in range(n):
            total += abs(a[i, j])
        norm = max(norm, total)
    squarings = 0
    scale = 1.0
    while norm * scale > _THETA13:
        scale *= 0.5
        squarings += 1
    m, m2, m4, m6 = np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    for i in range(n):
        for j in range(n):
            m[i, j] = a[i, j] * scale
    _multiply(m, m, m2)
    _multiply(m2, m2, m4)
    _multiply(m4, m2, m6)
    odd, even, work = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    for i in range(n):
        for j in range(n):
            odd[i, j] = _B13[13] * m6[i, j] + _B13[11] * m4[i, j] + _B13[9] * m2[i, j]
            even[i, j] = _B13[12] * m6[i, j] + _B13[10] * m4[i, j] + _B13[8] * m2[i, j]
    _multiply(m6, odd, work)
    for i in range(n):
        for j in range(n):
            work[i, j] += _B13[7] * m6[i, j] + _B13[5] * m4[i, j] + _B13[3] * m2[i, j]
        work[i, i] += _B13[1]
    _multiply(m, work, odd)
    _multiply(m6, even, work)
    for i in range(n):
        for j in range(n):
            work[i, j] += _B13[6] * m6[i, j] + _B13[4] * m4[i, j] + _B13[2] * m2[i, j]
        work[i, i] += _B13[0]
    for i in range(n):
        for j in range(n):
            even[i, j] = work[i, j] - odd[i, j]
            work[i, j] += odd[i, j]
    solve(even, work)
    for _ in range(squarings):
        _multiply(work, work, even)
        work, even = even, work
    return work


@compiled
def expm_integrals(a, h, e, phi, psi):
    """Write ``exp(a h)``, its integral over [0, h] and the integral of that, each (n, n).

    All three are blocks of one exponential (Van Loan 1978, doi 10.1109/TAC.1978.1101743), so a
    singular `a` needs no special case.
    """
    n = a.shape[0]
    big = np.zeros((3 * n, 3 * n))
    for i in range(n):
        for j in range(n):
            big[i, j] = a[i, j] * h
        big[i, n + i] = h
        big[n + i, 2 * n + i] = h
    full = expm(big)
    for i in range(n):
        for j in range(n):
            e[i, j] = full[i, j]
            phi[i, j] = full[i, n + j]
            psi[i, j] = full[i, 2 * n + j]
