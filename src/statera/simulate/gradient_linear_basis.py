"""A linear system and its derivatives in the coordinates in which they are carried, compiled."""

from __future__ import annotations

from statera.numerics.compiled import compiled

__all__ = ["carry", "enter", "observe", "turn"]


@compiled
def observe(c, d_c, one, two, z, s, offset, d_offset, y, dy):
    """Write the outputs (n_out,) and their derivatives (n_out, n_columns)."""
    m = s.shape[0] - one.size
    for o in range(c.shape[0]):
        total = offset[o]
        for i in range(z.size):
            total += c[o, i] * z[i]
        y[o] = total
        for j in range(s.shape[0]):
            total = d_offset[j, o]
            for i in range(z.size):
                total += c[o, i] * s[j, i] + d_c[j, o, i] * z[i]
            if j >= m:
                first, second = one[j - m], two[j - m]
                for i in range(z.size):
                    total += d_c[first, o, i] * s[second, i] + d_c[second, o, i] * s[first, i]
            dy[o, j] = total


@compiled
def turn(modal, left, vector, out):
    """Write a vector in the coordinates in which the state is carried: modes, or the states."""
    n = vector.size
    for i in range(n):
        if modal:
            total = 0.0
            for k in range(n):
                total += left[i, k] * vector[k]
            out[i] = total
        else:
            out[i] = vector[i]


@compiled
def _weigh(modal, right, weights, out):
    """Write the weights of the outputs, (n_out, n), in the same coordinates."""
    n = right.shape[0]
    for o in range(weights.shape[0]):
        for i in range(n):
            if modal:
                total = 0.0
                for k in range(n):
                    total += weights[o, k] * right[k, i]
                out[o, i] = total
            else:
                out[o, i] = weights[o, i]


@compiled
def _slopes(modal, left, right, matrix, half, out):
    """Write a derivative of the matrix in the same coordinates; return whether it is not zero."""
    n = left.shape[0]
    acts = False
    for i in range(n):
        for k in range(n):
            acts = acts or matrix[i, k] != 0.0
            out[i, k] = matrix[i, k]
    if not (modal and acts):
        return acts
    for i in range(n):
        for k in range(n):
            total = 0.0
            for q in range(n):
                total += matrix[i, q] * right[q, k]
            half[i, k] = total
    for i in range(n):
        for k in range(n):
            total = 0.0
            for q in range(n):
                total += left[i, q] * half[q, k]
            out[i, k] = total
    return acts


@compiled
def enter(
    modal, left, right, d_a, endogenous, d_endogenous, c, d_c, columns, g, acts, u_0, w_0, seen,
    d_seen, half,
):  # fmt: skip
    """Write what the steps of one system need, in the coordinates of its modes if it has them."""
    n = left.shape[0]
    for i in range(n):
        for k in range(n):
            columns[k, i] = left[i, k] if modal else (1.0 if i == k else 0.0)
    turn(modal, left, endogenous, u_0)
    _weigh(modal, right, c, seen)
    for j in range(d_a.shape[0]):
        acts[j] = _slopes(modal, left, right, d_a[j], half, g[j])
        turn(modal, left, d_endogenous[j], w_0[j])
        _weigh(modal, right, d_c[j], d_seen[j])


@compiled
def carry(modal, left, old_modal, old_right, vector, work):
    """Carry a vector over from the coordinates of one system to those of another, in place."""
    turn(old_modal, old_right, vector, work)
    turn(modal, left, work, vector)
