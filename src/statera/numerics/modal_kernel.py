"""Modes of linear systems whose components have one or two states, by substitution, compiled.

The vectors of a mode start in its own component and go on to the components behind it (right) or
before it (left), with one division each. Within two states [[a, b], [c, d]] with g = (a - d)/2 and
R = sqrt(g^2 + b c), differences such as l - a are written as g + R or R - g, whichever does not
cancel, so that entries keep their digits however small they are.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.modal_checks import ZERO, complete, too_close

__all__ = ["substitute"]


@compiled
def substitute(a, members, bounds, rates, right, left, real):
    """Write modes of systems with components of one or two states, in the order of the flow."""
    systems, n = a.shape[0], a.shape[1]
    n_blocks = bounds.size - 1
    b, x, y, reply = np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    rate, half_gap, root = np.empty(n), np.empty(n), np.empty(n)
    for s in range(systems):
        # of one system, its states in the order of the flow
        for i in range(n):
            for j in range(n):
                b[i, j] = a[s, members[i], members[j]]
                x[i, j] = y[i, j] = 0.0
        good = True
        for block in range(n_blocks):
            i = bounds[block]
            if bounds[block + 1] == i + 1:
                rate[i] = b[i, i]
                continue
            half = 0.5 * (b[i, i] + b[i + 1, i + 1])
            half_gap[i] = 0.5 * (b[i, i] - b[i + 1, i + 1])
            square = half_gap[i] ** 2 + b[i, i + 1] * b[i + 1, i]
            good = good and not square < 0.0
            root[i] = np.sqrt(square)
            # the larger in size first; the other from the product, without cancellation
            first = half - root[i] if half < 0.0 else half + root[i]
            product = b[i, i] * b[i + 1, i + 1] - b[i, i + 1] * b[i + 1, i]
            second = product / first if first != 0.0 else 0.0
            rate[i] = first
            rate[i + 1] = second if abs(second) > ZERO * abs(first) else 0.0
        for m in range(n):
            rates[s, m] = rate[m]
        if not good or too_close(rate):
            continue
        for block in range(n_blocks):
            i, end = bounds[block], bounds[block + 1]
            for m in range(i, end):
                if end == i + 1:
                    x[i, m] = y[m, i] = 1.0
                else:
                    g, larger = half_gap[i], root[i]
                    if rate[i] < rate[i + 1] if m == i else rate[i + 1] < rate[i]:
                        larger = -larger
                    # l - d is g + larger, l - a is larger - g
                    if (g >= 0.0) == (larger > 0.0):
                        x[i, m], x[i + 1, m] = g + larger, b[i + 1, i]
                        y[m, i], y[m, i + 1] = g + larger, b[i, i + 1]
                    else:
                        x[i, m], x[i + 1, m] = b[i, i + 1], larger - g
                        y[m, i], y[m, i + 1] = b[i + 1, i], larger - g
                product = 0.0
                for k in range(i, end):
                    product += y[m, k] * x[k, m]
                for k in range(i, end):
                    y[m, k] /= product
                for other in range(block + 1, n_blocks):
                    k = bounds[other]
                    one = two = 0.0
                    for j in range(i, k):
                        one += b[k, j] * x[j, m]
                    if bounds[other + 1] == k + 1:
                        x[k, m] = one / (rate[m] - b[k, k])
                        continue
                    for j in range(i, k):
                        two += b[k + 1, j] * x[j, m]
                    scale = 1.0 / ((rate[k] - rate[m]) * (rate[m] - rate[k + 1]))
                    x[k, m] = scale * ((b[k + 1, k + 1] - rate[m]) * one - b[k, k + 1] * two)
                    x[k + 1, m] = scale * ((b[k, k] - rate[m]) * two - b[k + 1, k] * one)
                for other in range(block - 1, -1, -1):
                    k, after = bounds[other], bounds[other + 1]
                    one = two = 0.0
                    for j in range(after, end):
                        one += y[m, j] * b[j, k]
                    if after == k + 1:
                        y[m, k] = one / (rate[m] - b[k, k])
                        continue
                    for j in range(after, end):
                        two += y[m, j] * b[j, k + 1]
                    scale = 1.0 / ((rate[k] - rate[m]) * (rate[m] - rate[k + 1]))
                    y[m, k] = scale * ((b[k + 1, k + 1] - rate[m]) * one - b[k + 1, k] * two)
                    y[m, k + 1] = scale * ((b[k, k] - rate[m]) * two - b[k, k + 1] * one)
        real[s] = complete(b, x, y, reply)
        for i in range(n):
            for m in range(n):
                right[s, members[i], m] = x[i, m]
                left[s, m, members[i]] = y[m, i]
