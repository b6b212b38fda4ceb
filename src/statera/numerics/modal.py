"""Real modes of small linear systems: eigenvalues with left and right vectors, in bulk.

For ``x' = A x`` with distinct real eigenvalues, ``exp(A h) = sum_m exp(l_m h) P_m`` where the
spectral projectors are ``P_m = prod_{j != m} (A - l_j I) / (l_m - l_j)``, each of rank one,
``P_m = r_m l_m^T``. The products lose digits where eigenvalues crowd; one step of inverse
iteration on either side restores most of them, and what is still lost is measured. Compartment
systems that are trees (mammillary, catenary, absorption before them, metabolites after them)
always have real eigenvalues.

Where components have one or two states, vectors come by substitution instead
(`statera.numerics.modal_kernel`), which is five times as fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.numerics.compiled import compiled
from statera.numerics.expm import solve
from statera.numerics.modal_checks import ZERO, complete, too_close
from statera.numerics.modal_kernel import substitute

__all__ = ["Modes", "decompose", "strong_blocks"]

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
        blocks on these components. What flows into a component comes from those before it.
    """
    reach = _reach(pattern)
    both = reach & reach.T
    members: list[int] = []
    bounds = [0]
    # all that reaches a state also reaches what is behind it, and more: fewest first
    for i in map(int, np.argsort(reach.sum(axis=1), kind="stable")):
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
    a: NDArray[np.float64],
    members: NDArray[np.int64],
    bounds: NDArray[np.int64],
    out: Modes | None = None,
) -> Modes:
    """Return the modes of many systems of one structure.

    Parameters
    ----------
    a : (n_systems, n, n) float64
    members, bounds
        From `strong_blocks`.
    out
        Arrays to write into instead of new ones.

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
    if out is None:
        square = (systems, n, n)
        out = (np.empty(square[:2]), np.empty(square), np.empty(square), np.empty(systems, bool))
    rates, right, left, real = out
    rates[:] = right[:] = left[:] = real[:] = 0
    if int(np.diff(bounds).max(initial=0)) <= 2:
        substitute(np.ascontiguousarray(a), members, bounds, rates, right, left, real)
        return rates, right, left, real
    if int(np.diff(bounds).max(initial=0)) <= 3:
        _decompose(np.ascontiguousarray(a), members, bounds, rates, right, left, real)
        return rates, right, left, real
    finite = np.isfinite(a).all(axis=(1, 2))
    for s in np.flatnonzero(finite):
        values, vectors = np.linalg.eig(a[s])
        if np.abs(values.imag).max() > 0.0 or too_close(values.real.copy()):
            continue
        rates[s], right[s] = values.real, vectors.real
        rates[s, np.abs(rates[s]) < ZERO * np.abs(rates[s]).max()] = 0.0
        left[s] = np.linalg.inv(vectors.real)
        real[s] = complete(a[s], right[s], left[s], np.empty((n, n)))
    return rates, right, left, real


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
    # of one system: views of the arrays of all would cost more than copies
    b, x, y, rate = np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty(n)
    for s in range(systems):
        b[:] = a[s]
        good = True
        for k in range(bounds.size - 1):
            lo = bounds[k]
            size = bounds[k + 1] - lo
            for i in range(size):
                for j in range(size):
                    block[i, j] = b[members[lo + i], members[lo + j]]
            good = good and _block_rates(block, size, found)
            largest = 0.0
            for i in range(size):
                largest = max(largest, abs(found[i]))
            for i in range(size):
                rate[lo + i] = found[i] if abs(found[i]) > ZERO * largest else 0.0
        rates[s] = rate
        if not good or too_close(rate):
            continue
        largest_rate = np.abs(rate).max()
        _reached(b, reach)
        for m in range(n):
            for i in range(n):
                for j in range(n):
                    p[i, j] = 1.0 if i == j else 0.0
            for o in range(n):
                if o == m:
                    continue
                scale = 1.0 / (rate[m] - rate[o])
                for i in range(n):
                    for j in range(n):
                        total = -rate[o] * p[i, j]
                        for k in range(n):
                            total += p[i, k] * b[k, j]
                        q[i, j] = total * scale
                p[:] = q
            pivot = 0
            for i in range(1, n):
                if abs(p[i, i]) > abs(p[pivot, pivot]):
                    pivot = i
            for i in range(n):
                x[i, m] = p[i, pivot]
                y[m, i] = p[pivot, i] / p[pivot, pivot]
            shift = rate[m] + _SHIFT * largest_rate
            _sharpen(b, shift, x[:, m], p, vector)
            _sharpen(b.T, shift, y[m], p, vector)
            product = 0.0
            for i in range(n):
                product += y[m, i] * x[i, m]
            # a mode touches what its block reaches and is fed by what reaches its block: exactly
            block_state = members[m]
            for i in range(n):
                y[m, i] = y[m, i] / product if reach[block_state, i] else 0.0
                if not reach[i, block_state]:
                    x[i, m] = 0.0
        real[s] = complete(b, x, y, p)
        right[s] = x
        left[s] = y
