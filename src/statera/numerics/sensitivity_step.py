"""Steps of states and sensitivities together, and what their error is measured by, compiled.

Tsit5 steps the joint system as it is. Rodas5P needs the Jacobian of the joint system, which is
block triangular: below J stands the derivative of ``J v`` along S. One factorisation of
``I/(h gamma) - J`` therefore serves the states and every column, and the result is the exact
derivative of the step.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.rodas5p import (
    COUPLING,
    GAMMA,
    NODES,
    TIME_SLOPES,
    WEIGHTS,
    factor_dense,
    solve_dense,
)
from statera.numerics.tsit5 import ERROR, FLOOR, A

__all__ = ["COLUMN_FLOOR", "column_error", "first_step", "held_down", "stiff_step"]

_E1, _E2, _E3, _E4, _E5, _E6, _E7 = ERROR
_LAST_TWO = A[6] - A[5]

COLUMN_FLOOR = 0.1
"""Part of the largest size a sensitivity has had below which its error is not measured against
less. With the floor of the states, a thousandth, steps are more and results no better: the
derivative of a state is of use next to its largest values."""

_BOUND = 3.0  # Tsit5 is stable to 3.5 on the negative real axis
_LEISURE, _ENOUGH, _CALM = 20, 10, 10  # steps before looking, at the bound, and away from it
_GLANCE, _HOPELESS = (
    6,
    20_000.0,
)  # a first look, and a number of steps at the bound that is too many
_WORTHWHILE = 200.0  # steps left at which a change of the method pays


@compiled
def first_step(x, k, peak, rtol, atol):
    """Return a cautious first step from the size of the state and its derivative.

    After Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.4.
    """
    size = 0.0
    speed = 0.0
    for i in range(x.size):
        scale = atol + rtol * max(abs(x[i]), FLOOR * peak[i])
        if scale > 0.0:
            size = max(size, abs(x[i]) / scale)
            speed = max(speed, abs(k[i]) / scale)
    if size < 1.0 or speed < 1e-5:  # a state below its tolerance is as good as zero
        return 1e-6 if speed > 0.0 else 1.0
    return 0.01 * size / speed


@compiled
def held_down(n, clock, left, h, x, k, peak, rtol, atol):
    """Return whether steps have been held down by stability and many more would be.

    The last two stages of Tsit5 both stand at the end of the step: the difference of their
    derivatives over that of their states is a slope (Hairer and Wanner, Solving Ordinary
    Differential Equations II, IV.2). The states alone are looked at: J is the same for every
    column. ``clock[3:6]`` counts the steps since the last event, those at the bound of stability
    and those after them that were not.
    """
    size = x.size
    clock[3] += 1.0
    if clock[3] <= _GLANCE:
        return False
    top = 0.0
    bottom = 0.0
    for i in range(n):
        scale = atol + rtol * max(abs(x[i]), FLOOR * peak[i])
        if scale > 0.0:
            moved = 0.0
            for q in range(6):
                moved += _LAST_TWO[q] * k[q * size + i]
            top += ((k[6 * size + i] - k[5 * size + i]) / scale) ** 2
            bottom += (moved / scale) ** 2
    if clock[3] <= _LEISURE:
        # steps as long as stability allows would not get there
        far = _HOPELESS * _BOUND * h
        return bottom > 0.0 and top * left * left > far * far * bottom
    if bottom > 0.0 and top > _BOUND * _BOUND * bottom:
        clock[4] += 1.0
        clock[5] = 0.0
        return clock[4] >= _ENOUGH and left > _WORTHWHILE * h
    clock[5] += 1.0
    if clock[5] == _CALM:
        clock[4] = 0.0
    return False


@compiled
def column_error(n, h, x, x_new, k, peak, weights, rtol, atol, totals, stiff):
    """Return the largest error of a step among the states and each column of sensitivities.

    Each is judged as the states alone are in a simulation: many columns must not water down the
    error of the states. ``weights`` (m,) scale the absolute tolerance of a column, and leave it
    out where they are not finite; ``totals`` (m + 1,) is work space. Behind the stages, ``k`` takes
    the errors.
    """
    size = x.size
    m = size // n - 1
    totals[:] = 0.0
    at = 7 * size
    if not stiff:
        for i in range(size):
            k[at + i] = h * (
                _E1 * k[i] + _E2 * k[size + i] + _E3 * k[2 * size + i] + _E4 * k[3 * size + i]
                + _E5 * k[4 * size + i] + _E6 * k[5 * size + i] + _E7 * k[6 * size + i]
            )  # fmt: skip
    for i in range(n):
        scale = atol + rtol * max(abs(x[i]), abs(x_new[i]), FLOOR * peak[i])
        part = k[at + i] / scale
        totals[0] += part * part if scale > 0.0 else x_new[i] * x_new[i]
    for i in range(n):
        row = n + i * m
        for j in range(m):
            size_now = max(abs(x[row + j]), abs(x_new[row + j]), COLUMN_FLOOR * peak[row + j])
            scale = atol * weights[j] + rtol * size_now
            part = k[at + row + j] / scale
            totals[1 + j] += part * part if scale > 0.0 else x_new[row + j] * x_new[row + j]
    worst = 0.0
    for column in range(m + 1):
        if not np.isfinite(totals[column]):
            return np.inf
        worst = max(worst, totals[column])
    return np.sqrt(worst / n)


@compiled
def _combine(weights, s, factor, k, n, out, base):
    """Add ``factor`` times the sum of the s stages before it to ``out[base:base + n]``.

    Each number of stages has a loop of its own: one pass over memory, several numbers at once.
    """
    if base < 0 or s == 0:
        return
    a, b, c = factor * weights[s, 0], factor * weights[s, 1], factor * weights[s, 2]
    d, e = factor * weights[s, 3], factor * weights[s, 4]
    f, g = factor * weights[s, 5], factor * weights[s, 6]
    if s == 1:
        for i in range(n):
            out[base + i] += a * k[i]
    elif s == 2:
        for i in range(n):
            out[base + i] += a * k[i] + b * k[n + i]
    elif s == 3:
        for i in range(n):
            out[base + i] += a * k[i] + b * k[n + i] + c * k[2 * n + i]
    elif s == 4:
        for i in range(n):
            out[base + i] += a * k[i] + b * k[n + i] + c * k[2 * n + i] + d * k[3 * n + i]
    elif s == 5:
        for i in range(n):
            out[base + i] += (
                a * k[i] + b * k[n + i] + c * k[2 * n + i] + d * k[3 * n + i] + e * k[4 * n + i]
            )
    elif s == 6:
        for i in range(n):
            out[base + i] += (
                a * k[i] + b * k[n + i] + c * k[2 * n + i] + d * k[3 * n + i] + e * k[4 * n + i]
                + f * k[5 * n + i]
            )  # fmt: skip
    else:
        for i in range(n):
            out[base + i] += (
                a * k[i] + b * k[n + i] + c * k[2 * n + i] + d * k[3 * n + i] + e * k[4 * n + i]
                + f * k[5 * n + i] + g * k[6 * n + i]
            )  # fmt: skip


@compiled
def _solve_columns(w, pivots, b, base, m, first, last):
    """Solve for the columns from `first` to `last` of m, ``b[base + i m + c]``, in place.

    ``w`` and ``pivots`` are the factors of `factor_dense`.
    """
    n = w.shape[0]
    for k in range(n):
        one, other = base + k * m, base + pivots[k] * m
        if one != other:
            for c in range(first, last):
                b[one + c], b[other + c] = b[other + c], b[one + c]
    for k in range(n):
        for q in range(k):
            if w[k, q] != 0.0:
                for c in range(first, last):
                    b[base + k * m + c] -= w[k, q] * b[base + q * m + c]
    for k in range(n - 1, -1, -1):
        for q in range(k + 1, n):
            if w[k, q] != 0.0:
                for c in range(first, last):
                    b[base + k * m + c] -= w[k, q] * b[base + q * m + c]
        inverse = 1.0 / w[k, k]
        for c in range(first, last):
            b[base + k * m + c] *= inverse


@compiled
def _solve_either(dense, solve_columns, lu, w, pivots, b, base, m, first, last):
    """Solve for columns with the factors written out, or the dense ones."""
    if dense:
        _solve_columns(w, pivots, b, base, m, first, last)
    else:
        solve_columns(lu, b, base, m, first, last)


@compiled
def _finite_or_zero(values):
    for q in range(values.size):
        if not np.isfinite(values[q]):
            values[q] = 0.0


@compiled
def stiff_step(f, stiff, n_pairs, n, t, h, x, p, rates, k, x_new, j, slope, lu, w, pivots):
    """Take one Rodas5P step of the joint system; return whether the matrix could be factored.

    ``stiff`` holds the functions of `statera.numerics.sensitivity.StiffVariational`, ``bending`` of
    `StiffSecondVariational` and the pattern of J. ``k`` (11 size,) takes the stages and the
    interpolant; ``j`` (entries + n,), ``slope`` (size,), ``lu``, ``w`` (n, n) and ``pivots`` (n,)
    are work space. The last ``n_pairs`` columns are second derivatives, which ``bending`` serves
    from the first ones. Where the factorisation written out meets a small pivot, a dense one with
    exchange of rows is taken. A slope that is not finite counts as zero.
    """
    jacobian, factor, solve, solve_columns, by_time, curvature, bending, rows, columns, _ = stiff
    size = x.size
    m = size // n - 1
    jacobian(t, x, p, j, 0)
    by_time(t, x, p, slope, 0)
    _finite_or_zero(j)
    _finite_or_zero(slope)
    shift = 1.0 / (h * GAMMA)
    dense = factor(shift, j, lu) != 0
    if dense and not factor_dense(shift, j, rows, columns, w, pivots):
        return False
    for s in range(8):
        base = s * size
        for i in range(size):
            x_new[i] = x[i]
        _combine(WEIGHTS, s, 1.0, k, size, x_new, 0)
        f(t + NODES[s] * h, x_new, p, k, base)
        for i in range(size):
            k[base + i] += rates[i] + h * TIME_SLOPES[s] * slope[i]
        _combine(COUPLING, s, 1.0 / h, k, size, k, base)
        if dense:
            solve_dense(w, pivots, k, base)
        else:
            solve(lu, k, base)
        if m > 0:
            curvature(t, x, p, k, base)
            first, at = m - n_pairs, base + n
            _solve_either(dense, solve_columns, lu, w, pivots, k, at, m, 0, first)
            if n_pairs > 0:
                bending(t, x, p, k, base)
                _solve_either(dense, solve_columns, lu, w, pivots, k, at, m, first, m)
    for i in range(size):
        x_new[i] += k[7 * size + i]
    return True
