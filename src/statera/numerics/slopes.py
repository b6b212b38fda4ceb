"""Derivatives of formulas, written so that they hold where a state is zero.

``d/dx x^h`` is written ``h x^(h-1)``: as ``h x^h/x``, which general differentiation gives, it would
not be a number for a state of zero, where most systems start. The slope of a ``where``, ``min``,
``max`` or ``abs`` is that of the branch in force; the jump between branches has none.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from statera.numerics.special_symbols import SPECIAL_NAMES, special_derivative

__all__ = ["slope"]


def slope(expression: sp.Expr, by: sp.Symbol) -> sp.Expr:
    """Return the derivative of an expression of `statera.numerics.expression`."""
    if by not in expression.free_symbols:
        return sp.Integer(0)
    if expression == by:
        return sp.Integer(1)
    return _RULES[expression.func.__name__](expression, by)


def _add(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    return sp.Add(*(slope(a, by) for a in e.args))


def _mul(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    terms = []
    for i, factor in enumerate(e.args):
        if by in factor.free_symbols:
            others = [a for j, a in enumerate(e.args) if j != i]
            terms.append(sp.Mul(slope(factor, by), *others))
    return sp.Add(*terms)


def _pow(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    base, exponent = e.args
    found = exponent * base ** (exponent - 1) * slope(base, by)
    if by in exponent.free_symbols:
        found += e * sp.log(base) * slope(exponent, by)
    return found


def _piecewise(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    return sp.Piecewise(*((slope(value, by), condition) for value, condition in e.args))


def _abs(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    inner = slope(e.args[0], by)
    return sp.Piecewise((inner, e.args[0] >= 0), (-inner, True))


def _extreme(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    first, rest = e.args[0], e.func(*e.args[1:])
    chosen = first <= rest if isinstance(e, sp.Min) else first >= rest
    return sp.Piecewise((slope(first, by), chosen), (slope(rest, by), True))


def _special(e: sp.Expr, by: sp.Symbol) -> sp.Expr:
    return special_derivative(e) * slope(e.args[-1], by)


_RULES: dict[str, Callable[[sp.Expr, sp.Symbol], sp.Expr]] = {
    "Add": _add,
    "Mul": _mul,
    "Pow": _pow,
    "exp": lambda e, by: e * slope(e.args[0], by),
    "log": lambda e, by: slope(e.args[0], by) / e.args[0],
    "Piecewise": _piecewise,
    "Abs": _abs,
    "Min": _extreme,
    "Max": _extreme,
    **dict.fromkeys(SPECIAL_NAMES, _special),
}
