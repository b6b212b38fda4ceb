"""The way back along the steps of a course, for derivatives by all parameters; compiled."""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled
from statera.numerics.equation_call import MODEL
from statera.numerics.lanes import LANES
from statera.numerics.rodas5p import COUPLING, FACTOR, SOLVE, WEIGHTS
from statera.numerics.rodas5p_columns import (
    BENDS,
    LOWER,
    ORDER,
    SLOPES,
    UPPER,
    dense_weights,
    state_step,
)
from statera.pathway.step_kernel import stage_matrices

__all__ = ["go_back"]

_F, _I = types.float64, types.int64
_SIGNATURE = types.void(
    MODEL, MODEL, MODEL, MODEL, FACTOR, SOLVE,
    _I[::1], _I[::1], _I[::1], _I[::1], _I[::1], _I[::1], _I[::1],
    _I, _I, _F[:, ::1], _F[::1], _I[::1], _F[:, :, ::1], _I[::1], _F[:, ::1],
    _F[:, ::1], _F[:, ::1],
)  # fmt: skip


@compiled
def _solve_transposed(table, n, lower, upper, pivot, dense, w, pivots, b, at):
    """Solve with the transposed matrix of a step for ``b[at:at + n]``, in place."""
    if dense:
        for i in range(n):
            for q in range(i):
                b[at + i] -= w[q, i] * b[at + q]
            b[at + i] /= w[i, i]
        for i in range(n - 1, -1, -1):
            for q in range(i + 1, n):
                b[at + i] -= w[q, i] * b[at + q]
        for i in range(n - 1, -1, -1):
            other = pivots[i]
            b[at + i], b[at + other] = b[at + other], b[at + i]
        return
    begin = table[table[UPPER]]
    for q in range(n):
        row = at + table[table[ORDER] + q]
        value = b[row]
        for e in range(table[table[UPPER] + q], table[table[UPPER] + q + 1]):
            b[at + table[e] // LANES] += upper[e - begin] * value
        b[row] = value * pivot[q]
    begin = table[table[LOWER]]
    for q in range(n - 1, -1, -1):
        value = b[at + table[table[ORDER] + q]]
        for e in range(table[table[LOWER] + q], table[table[LOWER] + q + 1]):
            b[at + table[e] // LANES] += lower[e - begin] * value


@compiled
def _step_back(
    table, n, h, entries, own_rows, own_columns, linear, n_linear, bends, n_bends, lower, upper,
    pivot, dense, w, pivots, after, before, stages, inner, by_parameter,
):  # fmt: skip
    """Take the derivatives by the states after a step, and by its stages, back to its start.

    Parameters
    ----------
    after, before : (n,) float64
        Derivatives by the states after the step, and those by the states before it, added to.
    stages : (8 n,) float64
        Derivatives by the stages, from rows inside the step; changed.
    inner : (n,) float64
        Work space.
    by_parameter : (n_parameters,) float64
        Added to.
    """
    slopes, curves = table[SLOPES], table[BENDS]
    for i in range(n):
        inner[i] = after[i]
        stages[7 * n + i] += after[i]
    for stage in range(7, -1, -1):
        y = stage * n
        _solve_transposed(table, n, lower, upper, pivot, dense, w, pivots, stages, y)
        shift = stage * n_linear - table[slopes]
        bend = stage * n_bends + n + 1 - table[curves]
        for i in range(n):
            value = stages[y + i]
            for e in range(table[slopes + i], table[slopes + i + 1]):
                inner[table[e] // LANES] += linear[shift + e] * value
            for e in range(table[curves + i], table[curves + i + 1]):
                before[table[e] // LANES] += bends[bend + e] * value
        for e in range(own_rows.size):
            slope = linear[stage * n_linear + entries + e]
            by_parameter[own_columns[e]] += slope * stages[y + own_rows[e]]
        for q in range(stage):
            weight = COUPLING[stage, q] / h
            for i in range(n):
                stages[q * n + i] += weight * stages[y + i]
        if stage >= 6:  # its point is the one of the stage before it, and that stage
            for i in range(n):
                stages[y - n + i] += inner[i]
        else:
            for q in range(stage):
                for i in range(n):
                    stages[q * n + i] += WEIGHTS[stage, q] * inner[i]
            for i in range(n):
                before[i] += inner[i]
                inner[i] = 0.0


@compiled(_SIGNATURE)
def go_back(
    rates, jacobian, linear_at, curvature, factor, solve,
    table, layout, rows, columns, own_rows, own_columns, bend_own,
    first, last, values, times, row_first, tape, kept, weights,
    by_values, by_initial,
):  # fmt: skip
    """Write the derivatives of ``sum weights states`` by values and initial states.

    Conditions from `first` to `last`; ``weights`` (n_rows, n_states) belong to the rows of the
    course, whose accepted steps stand in ``tape``.
    """
    n, n_p, n_flags, n_factors, bend_entries = (
        layout[0],
        layout[1],
        layout[2],
        layout[5],
        layout[17],
    )
    entries, own = rows.size, own_rows.size
    wide = LANES * ((n + LANES - 1) // LANES)
    n_linear, n_bends = entries + own, n + 1 + bend_entries + bend_own.size
    x, x_new, p = np.zeros(wide), np.zeros(wide), np.zeros(n_p + n_flags)
    u, k, j = np.zeros(8 * wide), np.zeros(8 * wide), np.zeros(entries + n)
    lu, w, pivots = np.zeros(n_factors), np.zeros((n, n)), np.zeros(n, dtype=np.int64)
    lower, upper, pivot = np.zeros(n_factors), np.zeros(n_factors), np.zeros(n)
    linear, bends = np.zeros(8 * n_linear), np.zeros(8 * n_bends)
    places, coupled, inside = np.arange(8) * wide, np.zeros(64), np.zeros(8)
    after, before, inner, stages = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(8 * n)
    for c in range(first, last):
        p[:n_p] = values[c]
        after[:] = 0.0
        row = row_first[c + 1] - 1
        end = times[row] if row >= row_first[c] else 0.0
        while row >= row_first[c] and times[row] >= end:
            for i in range(n):
                after[i] += weights[row, i]
            row -= 1
        for step in range(kept[c] - 1, -1, -1):
            t, h = tape[c, step, 0], tape[c, step, 1]
            x[:n] = tape[c, step, 2 : 2 + n]
            p[n_p:] = tape[c, step, 2 + n : 2 + n + n_flags]
            jacobian(t, x, 0, p, j, 0)
            for q in range(entries + n):
                if not np.isfinite(j[q]):
                    j[q] = 0.0
            dense = state_step(rates, factor, solve, n, t, h, x, p, u, k, x_new, j, entries, rows,
                               columns, lu, w, pivots, places, coupled) == 1  # fmt: skip
            stage_matrices(
                linear_at, curvature, table, n, entries, own, bend_entries, bend_own, t, h, p,
                wide, u, k, linear, bends, lu, lower, upper, pivot, dense,
            )  # fmt: skip
            stages[:] = 0.0
            before[:] = 0.0
            while row >= row_first[c] and times[row] > t:
                theta = (times[row] - t) / h
                dense_weights(theta, inside)
                for i in range(n):
                    weight = weights[row, i]
                    before[i] += (1.0 - theta) * weight
                    after[i] += theta * weight
                    for stage in range(8):
                        stages[stage * n + i] += inside[stage] * weight
                row -= 1
            _step_back(
                table, n, h, entries, own_rows, own_columns, linear, n_linear, bends, n_bends,
                lower, upper, pivot, dense, w, pivots, after, before, stages, inner, by_values[c],
            )  # fmt: skip
            for i in range(n):
                after[i] = before[i]
            while row >= row_first[c] and times[row] >= t:
                for i in range(n):
                    after[i] += weights[row, i]
                row -= 1
        for i in range(n):
            by_initial[c, i] = after[i]
