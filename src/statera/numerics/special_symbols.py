"""Special functions as symbols of formulas, and their derivatives.

Log-gamma and its derivatives are those of sympy. `statera.numerics.special` computes them all for
single numbers, `statera.numerics.special_arrays` for arrays.
"""

from __future__ import annotations

import math
from typing import Any

import sympy as sp

__all__ = ["SPECIAL_NAMES", "LogNormCdf", "NormCdf", "special_derivative"]

SPECIAL_NAMES = {
    "loggamma": "lgamma",
    "polygamma": "polygamma",
    "NormCdf": "normcdf",
    "LogNormCdf": "lognormcdf",
}
"""Name of each symbol in the modules that compute it."""


class NormCdf(sp.Function):  # type: ignore[misc]  # sympy has no types
    """The standard normal distribution function, as a symbol of formulas."""

    nargs = 1


class LogNormCdf(sp.Function):  # type: ignore[misc]  # sympy has no types
    """Logarithm of the standard normal distribution function, as a symbol of formulas."""

    nargs = 1


def special_derivative(node: Any) -> sp.Expr:
    """Return the derivative of a special function by its last argument.

    That of the logarithm of the normal distribution function is written by that logarithm, and so
    keeps its digits far below zero.
    """
    x = node.args[-1]
    name = node.func.__name__
    if name == "loggamma":
        return sp.polygamma(0, x)
    if name == "polygamma":
        return sp.polygamma(node.args[0] + 1, x)
    density = -x * x / 2 - sp.Float(0.5 * math.log(2.0 * math.pi))
    return sp.exp(density) if name == "NormCdf" else sp.exp(density - node)
