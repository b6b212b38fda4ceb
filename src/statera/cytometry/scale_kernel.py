"""Values by a table whose knots are found from the bits of a number, without a logarithm.

A floating-point number is an exponent and a fraction. Its leading bits therefore count knots that
divide every octave into equal parts, and the bits left over say how far it lies between two of
them: what costs a logarithm with knots at even steps of one is a shift here.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["by_table"]


@compiled
def by_table(values, offset, knots, first, shift, turned, out):
    """Interpolate an odd function of values, and return how many lie outside the table.

    Parameters
    ----------
    values : (n,) float64
    offset
        Added to sizes, above 0: the function is nearly straight up to there.
    knots : (n_knots,) float64
        The function at sizes whose bits, with the offset added and shifted, count up.
    first
        The first of these counts.
    shift
        Bits between two knots.
    turned
        Twice the function at 0: below 0 it is `turned` less that of the size.
    out : (n,) float64
        Filled; left as it is for values outside the table and for what is no number.
    """
    fraction_bits = (1 << shift) - 1
    unit = 1.0 / (1 << shift)
    last = knots.shape[0] - 1
    outside = 0
    for i in range(values.shape[0]):
        x = values[i]
        bits = np.float64(abs(x) + offset).view(np.int64)
        k = (bits >> shift) - first
        if k < last:
            left = knots[k]
            y = left + (bits & fraction_bits) * unit * (knots[k + 1] - left)
            out[i] = y if x >= 0.0 else turned - y
        else:
            outside += 1
    return outside


@compiled
def by_steps(values, table, above, below, offset, first, shift, out):
    """Fill in the place of values in a rising table, from 0 to its last index.

    Parts of a step are its share, and values beyond the ends lie at the ends.

    Parameters
    ----------
    values : (n,) float64
    table : (n_table,) float64
        Rising.
    above, below : (n_starts,) int64
        For sizes whose bits, with the offset added and shifted, count up from `first`: the last
        index that is not above any value of this size, where values are above 0 and below.
    offset, first, shift
        See `by_table`.
    out : (n,) float64
    """
    last = table.shape[0] - 1
    for i in range(values.shape[0]):
        x = values[i]
        if x <= table[0]:
            out[i] = 0.0
        elif x >= table[last]:
            out[i] = last
        elif not np.isnan(x):
            bits = np.float64(abs(x) + offset).view(np.int64)
            k = (bits >> shift) - first
            j = above[k] if x >= 0.0 else below[k]
            while table[j + 1] <= x:
                j += 1
            out[i] = 1.0 / (table[j + 1] - table[j]) * (x - table[j]) + j
        else:
            out[i] = np.nan
