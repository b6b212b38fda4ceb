"""Rodas5P steps of states, and then of sensitivities in blocks of eight columns, compiled.

The method and its coefficients are those of `statera.numerics.rodas5p`. A step of the states is
taken first and keeps the points of its stages. The sensitivities S of an accepted step follow from
them as the exact derivative of the step: with U_s = S + sum_j a_sj K_j, stage s solves

    W K_s = J(u_s) U_s + P(u_s) dp + H_s S + G_s dp + sum_j C_sj K_j/h

where P = df/dp, and H and G are the derivatives of ``J k_s + h d_s f_t`` by states and parameters.
The matrices are sparse and the same for every column, so that they are computed once for all, and
one loop over their tables serves every system (`statera.numerics.lanes`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.numerics.compiled import compiled
from statera.numerics.lanes import LANES, add_rows, add_rows_by
from statera.numerics.rodas5p import (
    COUPLING,
    DENSE,
    GAMMA,
    NODES,
    TIME_SLOPES,
    WEIGHTS,
    factor_dense,
    solve_dense,
)
from statera.numerics.sparse_lu import LARGEST_WRITTEN_OUT, plan

__all__ = [
    "BENDS",
    "LOWER",
    "ORDER",
    "SLOPES",
    "UPPER",
    "arrange_factors",
    "column_step",
    "column_table",
    "dense_weights",
    "state_step",
]

_WEIGHTS, _COUPLING = WEIGHTS.ravel().copy(), COUPLING.ravel().copy()
_ONE = np.ones(1)
_HERE = np.zeros(1, dtype=np.int64)
_NOTHING = np.zeros(LANES)

SLOPES, BENDS, LOWER, UPPER, PIVOTS, ORDER, LOWER_IN, UPPER_IN = range(8)
"""Numbers of a table that say where its parts begin."""


def column_table(
    by_state: Sequence[tuple[int, int]], bends: Sequence[tuple[int, int]], n: int
) -> NDArray[np.int64]:
    """Return the tables of a system's sparse matrices as one array.

    Parameters
    ----------
    by_state
        Rows and columns of the Jacobian's entries, row after row.
    bends
        Those of its derivative along a direction, row after row.
    n
        Number of states.
    """
    steps = plan(by_state, n)
    written = len(steps.place) <= LARGEST_WRITTEN_OUT
    at = {k: q for q, k in enumerate(steps.order)}
    lower: list[list[int]] = [[] for _ in range(n)]
    upper: list[list[int]] = [[] for _ in range(n)]
    for k, below, right in zip(steps.order, steps.below, steps.right, strict=True):
        for i in below:
            lower[at[i]].append(k)
        upper[at[k]] = list(right)
    order = steps.order
    rows: list[list[list[int]]] = [
        [[j for i, j in by_state if i == row] for row in range(n)],
        [[j for i, j in bends if i == row] for row in range(n)],
        lower,
        upper,
    ]
    inside = [
        [steps.place[k, k] for k in order],
        list(order),
        [steps.place[order[q], k] for q in range(n) for k in lower[q]],
        [steps.place[order[q], j] for q in range(n) for j in upper[q]],
    ]
    if not written:
        inside[0], inside[2], inside[3] = [0] * n, [0] * len(inside[2]), [0] * len(inside[3])
    head, body, begin = [], [], 8
    for part in rows:
        head.append(begin)
        firsts = np.cumsum([0, *map(len, part)]) + begin + n + 1
        body += [*firsts.tolist(), *(LANES * j for row in part for j in row)]
        begin = 8 + len(body)
    for flat in inside:
        head.append(begin)
        body += flat
        begin = 8 + len(body)
    return np.array(head + body, dtype=np.int64)


@compiled
def state_step(
    f, factor, solve, n, t, h, x, p, u, k, x_new, j, entries, rows, columns, lu, w, pivots,
    places, coupled,
):  # fmt: skip
    """Take one step of the states.

    Returns 0, or 1 where the factors are dense ones, or 2 where the matrix could not be factored.

    Parameters
    ----------
    x, x_new : (wide,) float64
        States before and after, padded with zeros to a multiple of eight.
    u, k : (8 wide,) float64
        Take the points of the stages and the stages.
    j : (n_entries + n,) float64
        Jacobian at the start, then the slopes by time.
    lu, w : (n_factors,), (n, n) float64
        Take the factors written out, or the dense ones with their `pivots`.
    places : (8,) int64
        Where each stage begins in `k`.
    coupled : (64,) float64
        Takes the coefficients C/h.
    """
    wide = x.size
    shift = 1.0 / (h * GAMMA)
    dense = factor(shift, j, lu) != 0
    if dense and not factor_dense(shift, j, rows, columns, w, pivots):
        return 2
    inverse = 1.0 / h
    for q in range(64):
        coupled[q] = inverse * _COUPLING[q]
    for s in range(8):
        base = s * wide
        for b in range(0, wide, LANES):
            if s < 6:
                add_rows(u, base + b, x, b, 1.0, _WEIGHTS, 8 * s, places, 0, s, k, b)
            else:
                add_rows(u, base + b, u, base - wide + b, 1.0, _ONE, 0, _HERE, 0, 1, k,
                         base - wide + b)  # fmt: skip
        f(t + NODES[s] * h, u, base, p, k, base)
        slope = h * TIME_SLOPES[s]
        for i in range(n):
            k[base + i] += slope * j[entries + i]
        for b in range(0, wide, LANES):
            add_rows(k, base + b, k, base + b, 1.0, coupled, 8 * s, places, 0, s, k, b)
        if dense:
            solve_dense(w, pivots, k, base)
        else:
            solve(lu, k, base)
    last = 7 * wide
    for i in range(wide):
        x_new[i] = u[last + i] + k[last + i]
    return 1 if dense else 0


@compiled
def dense_weights(theta, weights):
    """Write the weight of each stage in the interpolant's bend at a fraction of the step."""
    rest = theta * (1.0 - theta)
    for s in range(8):
        weights[s] = rest * (DENSE[0, s] + theta * (DENSE[1, s] + theta * DENSE[2, s]))


@compiled
def arrange_factors(table, n, lu, lower, upper, pivot):
    """Write the factors in the order in which `column_step` reads them."""
    first, last = table[table[LOWER]], table[table[LOWER] + n]
    at = table[LOWER_IN]
    for e in range(last - first):
        lower[e] = -lu[table[at + e]]
    at = table[UPPER_IN]
    begin = table[table[UPPER]]
    for q in range(n):
        inverse = lu[table[table[PIVOTS] + q]]
        pivot[q] = inverse
        for e in range(table[table[UPPER] + q] - begin, table[table[UPPER] + q + 1] - begin):
            upper[e] = -inverse * lu[table[at + e]]


@compiled
def _solve_block(table, n, lower, upper, pivot, dense, w, pivots, k, base):
    """Solve for the eight columns of one stage in place."""
    if dense:
        _solve_dense_block(w, pivots, k, base)
        return
    first = table[table[LOWER]]
    for q in range(1, n):
        row = base + LANES * table[table[ORDER] + q]
        add_rows(k, row, k, row, 1.0, lower, -first, table, table[table[LOWER] + q],
                 table[table[LOWER] + q + 1], k, base)  # fmt: skip
    first = table[table[UPPER]]
    for q in range(n - 1, -1, -1):
        row = base + LANES * table[table[ORDER] + q]
        add_rows(k, row, k, row, pivot[q], upper, -first, table, table[table[UPPER] + q],
                 table[table[UPPER] + q + 1], k, base)  # fmt: skip


@compiled
def _solve_dense_block(w, pivots, k, base):
    n = w.shape[0]
    for i in range(n):
        one, other = base + LANES * i, base + LANES * pivots[i]
        if one != other:
            for c in range(LANES):
                k[one + c], k[other + c] = k[other + c], k[one + c]
    for i in range(n):
        for q in range(i):
            if w[i, q] != 0.0:
                for c in range(LANES):
                    k[base + LANES * i + c] -= w[i, q] * k[base + LANES * q + c]
    for i in range(n - 1, -1, -1):
        for q in range(i + 1, n):
            if w[i, q] != 0.0:
                for c in range(LANES):
                    k[base + LANES * i + c] -= w[i, q] * k[base + LANES * q + c]
        for c in range(LANES):
            k[base + LANES * i + c] /= w[i, i]


@compiled
def column_step(
    table, n, blocks, s, s_new, u, k, linear, n_linear, entries, bends, n_bends,
    lower, upper, pivot, dense, w, pivots, coupled, places,
    own_first, own_order, own_place, dp, n_p,
):  # fmt: skip
    """Carry sensitivities over a step of the states that was accepted.

    Parameters
    ----------
    table
        See `column_table`.
    s, s_new : (blocks n 8,) float64
        Sensitivities before and after: block after block, in it state after state.
    u : (8 n,) float64
        Work space.
    k : (blocks 64 n,) float64
        Takes the stages, in each block one after another.
    linear : (8 n_linear,) float64
        For each stage the `entries` of J, then those of P with G added.
    bends : (8 n_bends,) float64
        For each stage n + 1 numbers that are not read, then the entries of H.
    own_first, own_order, own_place
        For each block the entries of P that matter to it, row after row: where rows begin, which
        entries, and where in `dp` their rows stand.
    dp : (blocks n_p 8,) float64
        Derivatives of the parameters.
    """
    tall = LANES * n
    slopes, curves = table[SLOPES], table[BENDS]
    j_begin, h_begin = table[slopes], table[curves]
    for block in range(blocks):
        at, kb = block * tall, 8 * block * tall
        for stage in range(8):
            base = kb + stage * tall
            j_shift = stage * n_linear - j_begin
            h_shift = stage * n_bends + n + 1 - h_begin
            for i in range(n):
                row = LANES * i
                if stage < 6:
                    add_rows(u, row, s, at + row, 1.0, _WEIGHTS, 8 * stage, places, 0, stage, k,
                             kb + row)  # fmt: skip
                else:
                    add_rows(u, row, u, row, 1.0, _ONE, 0, _HERE, 0, 1, k, base - tall + row)
            for i in range(n):
                row = base + LANES * i
                own = block * (n + 1) + i
                add_rows_by(k, row, _NOTHING, 0, 0.0, linear, stage * n_linear + entries,
                            own_order, own_place, own_first[own], own_first[own + 1], dp,
                            block * n_p * LANES)  # fmt: skip
                add_rows(k, row, k, row, 1.0, linear, j_shift, table, table[slopes + i],
                         table[slopes + i + 1], u, 0)  # fmt: skip
                add_rows(k, row, k, row, 1.0, bends, h_shift, table, table[curves + i],
                         table[curves + i + 1], s, at)  # fmt: skip
                add_rows(k, row, k, row, 1.0, coupled, 8 * stage, places, 0, stage, k,
                         kb + LANES * i)  # fmt: skip
            _solve_block(table, n, lower, upper, pivot, dense, w, pivots, k, base)
        last = kb + 7 * tall
        for i in range(n):
            add_rows(s_new, at + LANES * i, u, LANES * i, 1.0, _ONE, 0, _HERE, 0, 1, k,
                     last + LANES * i)  # fmt: skip
