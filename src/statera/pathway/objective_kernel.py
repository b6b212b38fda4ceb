"""Compiled loops over measurements: predictions, their slopes and the log-likelihood.

Formulas of the noise models: PEtab specification, version 1, "Noise distributions".
"""

from __future__ import annotations

import math

import numpy as np

from statera.numerics.compiled import compiled
from statera.pathway.tape_kernel import backward, forward

__all__ = ["likelihood", "predict", "predict_slopes"]

LN10 = math.log(10.0)
HALF_LN_2PI = 0.5 * math.log(2.0 * math.pi)


@compiled
def predict(tape, room, kinds, times, points, settings, x, table, slots):
    """Return observables and noises.

    Parameters
    ----------
    tape, room
        Arrays of a `statera.pathway.formula_tape.Tape` with two formulas a group, and its room.
    kinds, points, settings : (n_rows,) int64
        Observable, row of `x` and row of `table` of each measurement.
    times : (n_rows,) float64
    x : (n_points, n_states) float64
        States.
    table : (n_settings, n_parameters) float64
        Parameters of each condition.
    slots : (n_rows, n_slots) float64
        Values of placeholders.

    Returns
    -------
    (2, n_rows) float64
    """
    first, roots, code, a, b, c, value = tape
    found = np.empty((2, len(kinds)))
    v = np.empty(room)
    for r in range(len(kinds)):
        k = kinds[r]
        forward(
            first[k], first[k + 1], code, a, b, c, value,
            times[r], x[points[r]], table[settings[r]], slots[r], v,
        )  # fmt: skip
        found[0, r] = v[roots[k, 0]]
        found[1, r] = v[roots[k, 1]]
    return found


@compiled
def predict_slopes(
    tape, room, kinds, times, points, settings, x, table, slots,
    slopes, columns, table_source, slot_source, grows, slopes_out,
):  # fmt: skip
    """Return observables and noises as `predict`, and write their derivatives by theta.

    Parameters
    ----------
    slopes : (n_points, n_states, n_columns) float64
        Derivatives of the states.
    columns : (n_points, n_columns) int64
        Position in theta of each column; -1 for one that is not used.
    table_source, slot_source : int64
        Position in theta of every entry of `table` and `slots`; -1 for a number.
    grows : (n_theta,) float64
        Derivatives of linear values by theta.
    slopes_out : (2, n_rows, n_theta) float64
        Derivatives of observables and noises; zero at the start.
    """
    first, roots, code, a, b, c, value = tape
    n_states = x.shape[1]
    n_parameters = table.shape[1]
    found = np.empty((2, len(kinds)))
    v = np.empty(room)
    w = np.empty(room)
    for r in range(len(kinds)):
        k = kinds[r]
        begin, end = first[k], first[k + 1]
        point, setting = points[r], settings[r]
        forward(
            begin, end, code, a, b, c, value,
            times[r], x[point], table[setting], slots[r], v,
        )  # fmt: skip
        for which in range(2):
            root = roots[k, which]
            found[which, r] = v[root]
            backward(begin, root, code, a, b, c, value, v, w)
            for i in range(root + 1):
                if code[begin + i] != 1 or w[i] == 0.0:
                    continue
                place = a[begin + i]
                if place < n_states:
                    for j in range(columns.shape[1]):
                        column = columns[point, j]
                        if column >= 0:
                            slopes_out[which, r, column] += w[i] * slopes[point, place, j]
                    continue
                place -= n_states
                if place < n_parameters:
                    column = table_source[setting, place]
                else:
                    column = slot_source[r, place - n_parameters]
                if column >= 0:
                    slopes_out[which, r, column] += w[i] * grows[column]
    return found


@compiled
def likelihood(found, measured, transformations, distributions):
    """Return what each measurement adds.

    Parameters
    ----------
    found : (2, n_rows) float64
        Observables and noises.
    measured : (n_rows,) float64
    transformations : (n_rows,) int64
        0 linear, 1 natural logarithm, 2 decadic logarithm.
    distributions : (n_rows,) int64
        0 normal, 1 Laplace.

    Returns
    -------
    (6, n_rows) float64: log-likelihood; weighted residual; derivatives of the log-likelihood by
    observable and noise; Fisher weights of observable and noise (their product with the outer
    product of the derivatives by theta). Where the noise is not above 0, or a logarithm does not
    exist, the log-likelihood is minus infinity.
    """
    n = found.shape[1]
    result = np.empty((6, n))
    for r in range(n):
        h, s, m = found[0, r], found[1, r], measured[r]
        change, extra = 1.0, 0.0
        if transformations[r] > 0:
            extra = math.log(m)
            factor = 1.0
            if transformations[r] == 2:
                extra += math.log(LN10)
                factor = 1.0 / LN10
            change = factor / h
            h = math.log(h) * factor if h > 0.0 else math.nan
            m = math.log(m) * factor
        residual = (h - m) / s
        if not s > 0.0 or not math.isfinite(residual):
            result[0, r] = -math.inf
            result[1, r] = residual
            result[2:, r] = math.nan
            continue
        result[1, r] = residual
        if distributions[r] == 0:
            result[0, r] = -HALF_LN_2PI - math.log(s) - 0.5 * residual * residual - extra
            result[2, r] = -residual / s * change
            result[3, r] = (residual * residual - 1.0) / s
            result[5, r] = 2.0 / (s * s)
        else:
            result[0, r] = -math.log(2.0 * s) - abs(residual) - extra
            sign = 1.0 if residual > 0.0 else (-1.0 if residual < 0.0 else 0.0)
            result[2, r] = -sign / s * change
            result[3, r] = (abs(residual) - 1.0) / s
            result[5, r] = 1.0 / (s * s)
        result[4, r] = change * change / (s * s)
    return result
