"""The Rodas5P method: one Rosenbrock step of order 5(4) for stiff systems, compiled.

Coefficients and the interpolant are those of Steinebach 2023, doi 10.1007/s10543-023-00967-x, in
the form without products by the Jacobian: with ``W = I/(h gamma) - J`` stage s solves

    W k_s = f(t + c_s h, u_s) + h d_s f_t + sum_j C_sj k_j/h,    u_s = x + sum_j a_sj k_j

and the solution is ``u_8 + k_8``, the last stage being the error of the embedded order 4. The
method is L-stable and stiffly accurate. One factorisation serves the eight stages.
"""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.tsit5 import FLOOR, FUNCTION

__all__ = [
    "COUPLING",
    "DENSE",
    "FACTOR",
    "FACTOR_CALL",
    "GAMMA",
    "JACOBIAN",
    "NODES",
    "SOLVE",
    "SOLVE_CALL",
    "SOLVE_COLUMNS",
    "SOLVE_COLUMNS_CALL",
    "STAGES",
    "TIME_SLOPES",
    "WEIGHTS",
    "dense_output",
    "factor_dense",
    "interpolate_stiff",
    "no_columns",
    "no_factor",
    "no_jacobian",
    "no_solve",
    "rodas5p_step",
    "solve_dense",
]

_F, _V = types.float64, types.float64[::1]
JACOBIAN = types.FunctionType(FUNCTION)
"""``jac(t, x, p, out, 0)`` writes the entries of J in the order of its pattern, then f_t."""
FACTOR_CALL = types.int64(_F, _V, _V)
SOLVE_CALL = types.void(_V, _V, types.int64)
SOLVE_COLUMNS_CALL = types.void(_V, _V, types.int64, types.int64, types.int64, types.int64)
SOLVE_COLUMNS = types.FunctionType(SOLVE_COLUMNS_CALL)
FACTOR, SOLVE = types.FunctionType(FACTOR_CALL), types.FunctionType(SOLVE_CALL)
"""Factorisation and solution written out for the pattern, see `statera.numerics.sparse_lu`."""

GAMMA = 0.21193756319429014
NODES = np.array(
    [
        0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664,
        1.0, 1.0, 1.0,
    ]
)  # fmt: skip
TIME_SLOPES = np.array(
    [
        0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734,
        2.325825639765069, 0.0, 0.0, 0.0,
    ]
)  # fmt: skip
WEIGHTS = np.zeros((8, 8))
WEIGHTS[1, :1] = [3.0]
WEIGHTS[2, :2] = [2.849394379747939, 0.45842242204463923]
WEIGHTS[3, :3] = [-6.954028509809101, 2.489845061869568, -10.358996098473584]
WEIGHTS[4, :4] = [
    2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641
]  # fmt: skip
WEIGHTS[5:, :5] = [
    -7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
    0.030198172008377946,
]  # fmt: skip
WEIGHTS[6:, 5] = 1.0
WEIGHTS[7, 6] = 1.0
COUPLING = np.zeros((8, 8))
COUPLING[1, :1] = [-14.155112264123755]
COUPLING[2, :2] = [-17.97296035885952, -2.859693295451294]
COUPLING[3, :3] = [147.12150275711716, -1.41221402718213, 71.68940251302358]
COUPLING[4, :4] = [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306]
COUPLING[5, :5] = [
    24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125,
    -0.6610691825249471,
]  # fmt: skip
COUPLING[6, :6] = [
    30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783,
    -19.097331116725623, -28.087943162872662,
]  # fmt: skip
COUPLING[7, :7] = [
    37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047,
    -40.06618937091002, -54.66780262877968, -9.48861652309627,
]  # fmt: skip
DENSE = np.array(
    [
        [
            25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204,
            0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493,
        ],
        [
            -9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796,
            20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372,
        ],
        [
            11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643,
            -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722,
        ],
    ]
)  # fmt: skip
STAGES = 11
"""Rows of n that the stages and the interpolant need: eight and three."""


@compiled(FUNCTION)
def no_jacobian(t, x, p, out, base):
    """Stand in where no stiff code is needed."""
    return


@compiled(FACTOR_CALL)
def no_factor(shift, j, lu):
    """Stand in where no stiff code is needed: the dense factorisation is taken."""
    return 1


@compiled(SOLVE_CALL)
def no_solve(lu, b, base):
    """Stand in where no stiff code is needed."""
    return


@compiled(SOLVE_COLUMNS_CALL)
def no_columns(lu, b, base, m, first, last):
    """Stand in where no stiff code is needed."""
    return


@compiled
def factor_dense(shift, j, rows, columns, w, pivots):
    """Factor ``shift I - J`` with exchange of rows; returns whether that is possible."""
    n = w.shape[0]
    w[:, :] = 0.0
    for i in range(n):
        w[i, i] = shift
    for q in range(rows.size):
        w[rows[q], columns[q]] -= j[q]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(w[i, k]) > abs(w[pivot, k]):
                pivot = i
        pivots[k] = pivot
        if not abs(w[pivot, k]) > 0.0:
            return False
        if pivot != k:
            for q in range(n):
                w[k, q], w[pivot, q] = w[pivot, q], w[k, q]
        for i in range(k + 1, n):
            if w[i, k] != 0.0:
                w[i, k] /= w[k, k]
                for q in range(k + 1, n):
                    w[i, q] -= w[i, k] * w[k, q]
    return True


@compiled
def solve_dense(w, pivots, b, base):
    """Solve for ``b[base:base + n]`` in place with the factors of `factor_dense`."""
    n = w.shape[0]
    for k in range(n):
        pivot = base + pivots[k]
        b[base + k], b[pivot] = b[pivot], b[base + k]
    for k in range(n):
        for q in range(k):
            b[base + k] -= w[k, q] * b[base + q]
    for k in range(n - 1, -1, -1):
        for q in range(k + 1, n):
            b[base + k] -= w[k, q] * b[base + q]
        b[base + k] /= w[k, k]


@compiled
def _drop_infinite(j):
    for q in range(j.size):
        if not np.isfinite(j[q]):
            j[q] = 0.0


@compiled
def dense_output(n, k):
    """Write the coefficients of the interpolant behind the stages."""
    for r in range(3):
        for i in range(n):
            total = 0.0
            for s in range(8):
                total += DENSE[r, s] * k[s * n + i]
            k[(8 + r) * n + i] = total


@compiled
def rodas5p_step(
    f, jac, factor, solve, rows, columns, t, h, x, p, rates, k, x_new, j, lu, w, pivots,
    peak, rtol, atol,
):  # fmt: skip
    """Take one step and return its error relative to the tolerance (accept up to 1).

    An accepted step is followed by the coefficients of its interpolant. Arguments as in
    `statera.numerics.tsit5.looped_step`, with ``k`` (11 n,) for the stages and
    the interpolant. ``rows`` and ``columns`` (entries,) are the pattern of J, ``j`` (entries + n,)
    takes its entries and f_t; ``lu``, ``w`` (n, n) and ``pivots`` (n,) the factors. The error is
    measured as in Tsit5. A slope that is not finite counts as zero: the order falls for that step
    and the estimate of the error holds it in check.
    """
    n = x.size
    entries = rows.size
    jac(t, x, p, j, 0)
    _drop_infinite(j)
    shift = 1.0 / (h * GAMMA)
    dense = factor(shift, j, lu) != 0
    if dense and not factor_dense(shift, j, rows, columns, w, pivots):
        return np.inf
    inverse = 1.0 / h
    for s in range(8):
        base = s * n
        for i in range(n):
            u = x[i]
            for q in range(s):
                u += WEIGHTS[s, q] * k[q * n + i]
            x_new[i] = u
        f(t + NODES[s] * h, x_new, p, k, base)
        for i in range(n):
            coupled = 0.0
            for q in range(s):
                coupled += COUPLING[s, q] * k[q * n + i]
            k[base + i] += rates[i] + h * TIME_SLOPES[s] * j[entries + i] + inverse * coupled
        if dense:
            solve_dense(w, pivots, k, base)
        else:
            solve(lu, k, base)
    total = 0.0
    for i in range(n):
        part = k[7 * n + i]
        x_new[i] += part
        scale = atol + rtol * max(abs(x[i]), abs(x_new[i]), FLOOR * peak[i])
        part = part / scale
        # a state that has always been zero has no scale and no error
        total += part * part if scale > 0.0 else x_new[i] * x_new[i]
    error = np.sqrt(total / n)
    if error <= 1.0:
        dense_output(n, k)
    return error


@compiled
def interpolate_stiff(theta, x, x_new, k, out):
    """Write the state at the fraction theta of the step, to order 4, after an accepted one."""
    n = x.size
    rest = 1.0 - theta
    for i in range(n):
        inner = k[8 * n + i] + theta * (k[9 * n + i] + theta * k[10 * n + i])
        out[i] = rest * x[i] + theta * (x_new[i] + rest * inner)
