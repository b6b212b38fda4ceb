"""Derivatives of formulas, written so that they hold where a state or a parameter is zero.

Powers keep their base: ``d/dx x^h`` is ``h x^(h-1)``, where general differentiation gives
``h x^h / x``, no number at zero, where most states begin; for the same reason ``d/dh x^h`` is 0 at
a base of zero. A ``where``, ``min``, ``max`` or ``abs`` is differentiated branch by branch; the
branch that the formula itself takes decides. Where two meet, that is the derivative from one side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sympy as sp

from statera.numerics.special_symbols import SPECIAL_NAMES, special_derivative
from statera.numerics.transit import TransitSlope

__all__ = ["derivative", "steps_on"]


@lru_cache(maxsize=4096)
def derivative(expression: sp.Expr, by: sp.Symbol) -> sp.Expr:
    """Return the derivative of an expression by a symbol.

    Parameters
    ----------
    expression
        An expression of `statera.numerics.expression`.
    by
        The symbol; see `statera.numerics.expression.symbol`.
    """
    if by not in expression.free_symbols:
        return sp.Integer(0)
    if expression == by:
        return sp.Integer(1)
    return _RULES[expression.func.__name__](expression, by)


def _sum(node: Any, by: sp.Symbol) -> sp.Expr:
    return sp.Add(*(derivative(term, by) for term in node.args))


def _product(node: Any, by: sp.Symbol) -> sp.Expr:
    factors = node.args
    return sp.Add(
        *(
            sp.Mul(derivative(factor, by), *factors[:i], *factors[i + 1 :])
            for i, factor in enumerate(factors)
            if by in factor.free_symbols
        )
    )


def _power(node: Any, by: sp.Symbol) -> sp.Expr:
    base, exponent = node.args
    total = exponent * base ** (exponent - 1) * derivative(base, by)
    if by in exponent.free_symbols:
        grows = _pieces([(node * sp.log(base), sp.Gt(base, 0)), (sp.Integer(0), sp.true)])
        total += grows * derivative(exponent, by)
    return total


def _where(node: Any, by: sp.Symbol) -> sp.Expr:
    return _pieces([(derivative(value, by), condition) for value, condition in node.args])


def _absolute(node: Any, by: sp.Symbol) -> sp.Expr:
    inner = derivative(node.args[0], by)
    return _pieces([(inner, sp.Ge(node.args[0], 0)), (-inner, sp.true)])


def _extreme(node: Any, by: sp.Symbol) -> sp.Expr:
    first, *others = node.args
    rest = node.func(*others)
    wins = sp.Ge(first, rest) if isinstance(node, sp.Max) else sp.Le(first, rest)
    return _pieces([(derivative(first, by), wins), (derivative(rest, by), sp.true)])


def _special(node: Any, by: sp.Symbol) -> sp.Expr:
    return special_derivative(node) * derivative(node.args[-1], by)


def _flat(node: Any, by: sp.Symbol) -> sp.Expr:
    return sp.Integer(0)


def _chain(outer: Callable[[sp.Expr], sp.Expr]) -> Callable[[Any, sp.Symbol], sp.Expr]:
    return lambda node, by: outer(node.args[0]) * derivative(node.args[0], by)


_RULES: dict[str, Callable[[Any, sp.Symbol], sp.Expr]] = {
    "Add": _sum,
    "Mul": _product,
    "Pow": _power,
    "exp": lambda node, by: node * derivative(node.args[0], by),
    "log": lambda node, by: derivative(node.args[0], by) / node.args[0],
    "Piecewise": _where,
    "Abs": _absolute,
    "Min": _extreme,
    "Max": _extreme,
    "floor": _flat,  # but at its steps
    "ceiling": _flat,
    "sin": _chain(sp.cos),
    "cos": _chain(lambda x: -sp.sin(x)),
    "tan": _chain(lambda x: 1 + sp.tan(x) ** 2),
    "asin": _chain(lambda x: 1 / sp.sqrt(1 - x**2)),
    "acos": _chain(lambda x: -1 / sp.sqrt(1 - x**2)),
    "atan": _chain(lambda x: 1 / (1 + x**2)),
    "sinh": _chain(sp.cosh),
    "cosh": _chain(sp.sinh),
    "tanh": _chain(lambda x: 1 - sp.tanh(x) ** 2),
    "asinh": _chain(lambda x: 1 / sp.sqrt(1 + x**2)),
    "acosh": _chain(lambda x: 1 / (sp.sqrt(x - 1) * sp.sqrt(x + 1))),
    "atanh": _chain(lambda x: 1 / (1 - x**2)),
    "TransitInput": lambda node, by: TransitSlope(*node.args) * derivative(node.args[0], by),
    **dict.fromkeys(SPECIAL_NAMES, _special),
}


def _pieces(pieces: Sequence[tuple[sp.Expr, Any]]) -> sp.Expr:
    """Return a switch between the pieces, kept as it is: merged conditions are not evaluated."""
    if all(value == 0 for value, _ in pieces):
        return sp.Integer(0)
    kept: list[tuple[sp.Expr, Any]] = []
    for value, condition in pieces:
        if condition == sp.false:
            continue
        kept.append((value, condition))
        if condition == sp.true:
            break
    return kept[0][0] if kept[0][1] == sp.true else sp.Piecewise(*kept, evaluate=False)


def steps_on(expression: sp.Expr, symbols: Sequence[sp.Symbol]) -> bool:
    """Return True where the condition of a ``where`` depends on one of the symbols.

    Unlike ``min``, ``max`` and ``abs``, it may jump there, and the instant of the jump may move
    with the parameters: a derivative branch by branch does not see that.
    """
    return any(not names.isdisjoint(symbols) for names in _conditions(expression))


@lru_cache(maxsize=1024)
def _conditions(expression: sp.Expr) -> tuple[frozenset[sp.Symbol], ...]:
    """Return the symbols of every condition; looked up, since estimation asks again and again."""
    return tuple(
        frozenset(condition.free_symbols)
        for switch in expression.atoms(sp.Piecewise)
        for _, condition in switch.args
        if condition != sp.true
    )
