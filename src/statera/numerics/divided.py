"""Divided differences of the exponential, compiled.

They are what the derivative of ``exp(A h)`` is made of where A is diagonal (Najfeld and Havel
1995, doi 10.1006/aama.1995.1017). Where arguments are close the quotients lose all digits; here
they keep nearly all of them for any arguments.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["first_difference", "second_difference"]

_WIDE = 1.0
"""Spread of the arguments above which a quotient loses less than a digit."""

_TERMS = 20
"""Terms of the series below that spread: the first one left out is below 1e-18 of the sum."""

_FACTORS = tuple(1.0 / factorial(k + 2) for k in range(_TERMS))


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
