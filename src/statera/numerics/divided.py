"""Divided differences of the exponential, compiled.

They are what the derivative of ``exp(A h)`` is made of where A is diagonal (Najfeld and Havel
1995, doi 10.1006/aama.1995.1017). Where arguments are close the quotients lose all digits; here
they keep nearly all of them for any arguments.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["first_difference", "second_difference", "third_difference"]

_WIDE = 1.0
"""Spread of the arguments above which a quotient loses less than a digit."""

_TERMS = 20
"""Terms of the series below that spread: the first one left out is below 1e-18 of the sum."""

_FACTORS = tuple(1.0 / factorial(k + 2) for k in range(_TERMS + 1))


@compiled
def first_difference(a, b):
    """Return ``(exp(a) - exp(b)) / (a - b)``, and ``exp(a)`` where both are equal."""
    gap = abs(a - b)
    top = np.exp(max(a, b))
    if gap < 1e-8:
        return top * (1.0 - 0.5 * gap)
    return top * -np.expm1(-gap) / gap


@compiled
def second_difference(a, b):
    """Return the second divided difference of the exponential at ``a``, ``b`` and 0.

    It is the integral of ``exp(a (1 - s)) (exp(b s) - 1) / b`` over s from 0 to 1.
    """
    low, high = min(a, b, 0.0), max(a, b, 0.0)
    middle = a + b - low - high
    spread = high - low
    if spread > _WIDE:
        return (first_difference(middle, high) - first_difference(low, middle)) / spread
    # sum over k of the complete symmetric polynomial of degree k over (k + 2)!, of the arguments
    # less the largest one, by which that one drops out
    x, y = low - high, middle - high
    power = 1.0
    complete = 1.0
    total = 0.5
    for k in range(1, _TERMS):
        power *= x
        complete = y * complete + power
        total += _FACTORS[k] * complete
    return np.exp(high) * total


@compiled
def _difference(a, b, c):
    """Return the second divided difference at ``a``, ``b`` and ``c``, the largest of them."""
    return np.exp(c) * second_difference(a - c, b - c)


@compiled
def third_difference(a, b, c):
    """Return the third divided difference of the exponential at ``a``, ``b``, ``c`` and 0."""
    x0, x1 = min(a, b), max(a, b)
    x2, x3 = max(c, 0.0), 0.0
    low = min(c, 0.0)
    # merge two sorted pairs
    bottom = min(x0, low)
    top = max(x1, x2)
    inner, other = max(x0, low), min(x1, x2)
    x0, x1, x2, x3 = bottom, min(inner, other), max(inner, other), top
    spread = x3 - x0
    if spread > _WIDE:
        return (_difference(x1, x2, x3) - _difference(x0, x1, x2)) / spread
    y0, y1, y2 = x0 - x3, x1 - x3, x2 - x3
    power = two = three = 1.0
    total = _FACTORS[1]
    for k in range(1, _TERMS):
        power *= y0
        two = y1 * two + power
        three = y2 * three + two
        total += _FACTORS[k + 1] * three
    return np.exp(x3) * total
