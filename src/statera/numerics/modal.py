"""Real modes of small linear systems: eigenvalues with left and right vectors, in bulk.

For ``x' = A x`` with distinct real eigenvalues, ``exp(A h) = sum_m exp(l_m h) P_m`` where the
spectral projectors are ``P_m = prod_{j != m} (A - l_j I) / (l_m - l_j)``, each of rank one,
``P_m = r_m l_m^T``. The products lose digits where eigenvalues crowd; one step of inverse
iteration on either side restores most of them, and what is still lost is measured. Compartment
systems that are trees (mammillary, catenary, absorption before them, metabolites after them)
always have real eigenvalues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.numerics.compiled import compiled
from statera.numerics.expm import solve

__all__ = ["Modes", "decompose", "strong_blocks"]

MIN_GAP = 1e-5
"""Smallest product of a mode's relative distances to all others at which modes are used. Rounding
is amplified by its inverse, so results keep about ten digits; several rates that are each a little
apart (a chain of transit compartments) amplify as much as two that nearly coincide."""

_LOSS = 1e-11
"""Largest error of the sum of the projectors at which modes are used."""

_ZERO = 1e-14
"""An eigenvalue this small against the largest of its block is zero: what is left is rounding."""

_SHIFT = 4e-16
"""Distance of the shift of inverse iteration from the eigenvalue, against the largest."""

Modes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]


def strong_blocks(pattern: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the strongly connected components of the flow graph.

    Parameters
    ----------
    pattern : (n, n) bool
        True where ``A[i, j]`` may be non-zero.

    Returns
    -------
    members : (n,) int64
        States grouped by component.
    bounds : (n_blocks + 1,) int64
        Where each component starts in `members`. The eigenvalues of A are those of its diagonal
        blocks on these components, whatever their order.
    """
    n = pattern.shape[0]
    reach = _reach(pattern)
    both = reach & reach.T
    members: list[int] = []
    bounds = [0]
    for i in range(n):
        if i not in members:
            members.extend(int(j) for j in np.flatnonzero(both[i]))
            bounds.append(len(members))
    return np.array(members, dtype=np.int64), np.array(bounds, dtype=np.int64)


def _reach(pattern: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where ``[i, j]``: what is in state j comes to state i, at last."""
    reach: NDArray[np.bool_] = pattern | np.eye(pattern.shape[0], dtype=bool)
    for k in range(pattern.shape[0]):
        reach |= np.outer(reach[:, k], reach[k, :])
    return reach


def decompose(
    a: NDArray[np.float64], members: NDArray[np.int64], bounds: NDArray[np.int64]
) -> Modes:
    """Return the modes of many systems of one structure.

    Parameters
    ----------
    a : (n_systems, n, n) float64
    members, bounds
        From `strong_blocks`.

    Returns
    -------
    rates : (n_systems, n) float64
        Eigenvalues.
    right : (n_systems, n, n) float64
        ``right[s, :, m]`` is the right vector of mode m.
    left : (n_systems, n, n) float64
        ``left[s, m, :]`` is the left vector, with ``left @ right = I``.
    real : (n_systems,) bool
        False where eigenvalues are complex or too close: use the matrix exponential there.
    """
    systems, n = a.shape[0], a.shape[1]
    rates = np.zeros((systems, n))
    right = np.zeros((systems, n, n))
    left = np.zeros((systems, n, n))
    real = np.zeros(systems, dtype=np.bool_)
    if int(np.diff(bounds).max(initial=0)) <= 3:
        _decompose(np.ascontiguousarray(a), members, bounds, rates, right, left, real)
        return rates, right, left, real
    finite = np.isfinite(a).all(axis=(1, 2))
    for s in np.flatnonzero(finite):
        values, vectors = np.linalg.eig(a[s])
        if np.abs(values.imag).max() > 0.0 or _too_close(values.real.copy()):
            continue
        rates[s], right[s] = values.real, vectors.real
        rates[s, np.abs(rates[s]) < _ZERO * np.abs(rates[s]).max()] = 0.0
        left[s] = np.linalg.inv(vectors.real)
        real[s] = _complete(a[s], right[s], left[s], np.empty((n, n)))
    return rates, right, left, real


@compiled
def _too_close(values):
    for i in range(values.size):
        gap = 1.0
        for j in range(values.size):
            if j != i:
                scale = max(abs(values[i]), abs(values[j]))
                gap *= abs(values[i] - values[j]) / scale if scale > 0.0 else 0.0
        if not gap > MIN_GAP:
            return True
    return False


@compiled
def _block_rates(b, size, out):
    """Write the eigenvalues of a block of 1 to 3 states; return False where they are complex."""
    if size == 1:
        out[0] = b[0, 0]
        return True
    if size == 2:
        half = 0.5 * (b[0, 0] + b[1, 1])
        det = b[0, 0] * b[1, 1] - b[0, 1] * b[1, 0]
        disc = (0.5 * (b[0, 0] - b[1, 1])) ** 2 + b[0, 1] * b[1, 0]
        if disc < 0.0:
            return False
        # the larger root in size first; the other from the product, without cancellation
        first = half - np.sqrt(disc) if half < 0.0 else half + np.sqrt(disc)
        out[0] = first
        out[1] = det / first if first != 0.0 else 0.0
        return True
    trace = b[0, 0] + b[1, 1] + b[2, 2]
    minor = (
        b[0, 0] * b[1, 1] - b[0, 1] * b[1, 0]
        + b[0, 0] * b[2, 2] - b[0, 2] * b[2, 0]
        + b[1, 1] * b[2, 2] - b[1, 2] * b[2, 1]
    )  # fmt: skip
    det = (
        b[0, 0] * (b[1, 1] * b[2, 2] - b[1, 2] * b[2, 1])
        - b[0, 1] * (b[1, 0] * b[2, 2] - b[1, 2] * b[2, 0])
        + b[0, 2] * (b[1, 0] * b[2, 1] - b[1, 1] * b[2, 0])
    )
    shift = trace / 3.0
    p = minor - trace * trace / 3.0
    q = -2.0 * trace**3 / 27.0 + trace * minor / 3.0 - det
    if p >= 0.0:
        return False
    radius = np.sqrt(-p / 3.0)
    cosine = -q / (2.0 * radius**3)
    if abs(cosine) > 1.0:
        return False
    angle = np.arccos(cosine)
    for k in range(3):
        x = shift + 2.0 * radius * np.cos((angle - 2.0 * np.pi * k) / 3.0)
        for _ in range(3):
            slope = (3.0 * x - 2.0 * trace) * x + minor
            if slope == 0.0:
                break
            x -= (((x - trace) * x + minor) * x - det) / slope
        out[k] = x
    return True


@compiled
def _sharpen(a, shift, mode, work, vector):
    """Improve an eigenvector by one step of inverse iteration, in place."""
    n = mode.size
    for i in range(n):
        for j in range(n):
            work[i, j] = a[i, j] - shift if i == j else a[i, j]
        vector[i, 0] = mode[i]
    solve(work, vector)
    largest = 0.0
    for i in range(n):
        if not np.isfinite(vector[i, 0]):
            return
        if abs(vector[i, 0]) > abs(largest):
            largest = vector[i, 0]
    if largest != 0.0:
        for i in range(n):
            mode[i] = vector[i, 0] / largest


@compiled
def _complete(a, right, left, reply):
    """Return whether the projectors sum to the identity: what crowded modes lose is seen here.

    States may stand in different units: an error in state i after a unit in state j is weighed
    against what arrives there, the largest product of flows over outflows along a path.
    """
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            through = i != j and a[j, j] != 0.0
            reply[i, j] = abs(a[i, j] / a[j, j]) if through else 0.0
    for k in range(n):
        for i in range(n):
            for j in range(n):
                reply[i, j] = max(reply[i, j], reply[i, k] * reply[k, j])
    for i in range(n):
        for j in range(n):
            total = -1.0 if i == j else 0.0
            for m in range(n):
                total += right[i, m] * left[m, j]
            if not abs(total) <= _LOSS * (max(1.0, reply[i, j]) if i != j else 1.0):
                return False
    return True


@compiled
def _reached(a, reach):
    """Write where ``[i, j]``: what is in state j comes to state i; of one system, by itself."""
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            reach[i, j] = i == j or a[i, j] != 0.0
    for k in range(n):
        for i in range(n):
            for j in range(n):
                reach[i, j] = reach[i, j] or (reach[i, k] and reach[k, j])


@compiled
def _decompose(a, members, bounds, rates, right, left, real):
    systems, n = a.shape[0], a.shape[1]
    block = np.empty((3, 3))
    found = np.empty(3)
    p = np.empty((n, n))
    q = np.empty((n, n))
    vector = np.empty((n, 1))
    reach = np.empty((n, n), dtype=np.bool_)
    for s in range(systems):
        good = True
        for k in range(bounds.size - 1):
            lo = bounds[k]
            size = bounds[k + 1] - lo
            for i in range(size):
                for j in range(size):
                    block[i, j] = a[s, members[lo + i], members[lo + j]]
            good = good and _block_rates(block, size, found)
            largest = 0.0
            for i in range(size):
                largest = max(largest, abs(found[i]))
            for i in range(size):
                rates[s, lo + i] = found[i] if abs(found[i]) > _ZERO * largest else 0.0
        if not good or _too_close(rates[s]):
            continue
        largest_rate = np.abs(rates[s]).max()
        _reached(a[s], reach)
        for m in range(n):
            for i in range(n):
                for j in range(n):
                    p[i, j] = 1.0 if i == j else 0.0
            for o in range(n):
                if o == m:
                    continue
                scale = 1.0 / (rates[s, m] - rates[s, o])
                for i in range(n):
                    for j in range(n):
                        total = -rates[s, o] * p[i, j]
                        for k in range(n):
                            total += p[i, k] * a[s, k, j]
                        q[i, j] = total * scale
                p, q = q, p
            pivot = 0
            for i in range(1, n):
                if abs(p[i, i]) > abs(p[pivot, pivot]):
                    pivot = i
            for i in range(n):
                right[s, i, m] = p[i, pivot]
                left[s, m, i] = p[pivot, i] / p[pivot, pivot]
            shift = rates[s, m] + _SHIFT * largest_rate
            _sharpen(a[s], shift, right[s, :, m], p, vector)
            _sharpen(a[s].T, shift, left[s, m], p, vector)
            product = 0.0
            for i in range(n):
                product += left[s, m, i] * right[s, i, m]
            # a mode touches what its block reaches and is fed by what reaches its block: exactly
            block_state = members[m]
            for i in range(n):
                left[s, m, i] = left[s, m, i] / product if reach[block_state, i] else 0.0
                if not reach[i, block_state]:
                    right[s, i, m] = 0.0
        real[s] = _complete(a[s], right[s], left[s], p)
