"""Move what does not change during integration out of the equations.

A right-hand side is evaluated thousands of times a subject, its constants once. Sub-expressions
without states and time become named constants, and slopes of states are gathered, so that what is
left is mostly multiplication and addition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy as sp

from statera.numerics.expression import switches_on, symbol

__all__ = ["Hoisted", "hoist"]


@dataclass
class _Constants:
    """Constants found so far, by expression."""

    changing: frozenset[sp.Symbol]
    names: dict[sp.Expr, sp.Symbol] = field(default_factory=dict)

    def is_constant(self, expression: sp.Expr) -> bool:
        return not (expression.free_symbols & self.changing)

    def name(self, expression: sp.Expr) -> sp.Expr:
        """Return a symbol for a constant expression, or itself where it is a plain one.

        Its name holds a space, which no name of a model can.
        """
        if expression.is_Number or expression.is_Symbol:
            return expression
        if expression not in self.names:
            self.names[expression] = symbol(f"constant {len(self.names)}")
        return self.names[expression]


@dataclass(frozen=True)
class Hoisted:
    """Equations over states and constants, and the formulas of the constants by name."""

    expressions: tuple[sp.Expr, ...]
    constants: tuple[tuple[str, sp.Expr], ...]


def hoist(expressions: Sequence[sp.Expr], states: Sequence[str]) -> Hoisted:
    """Return equivalent expressions with constants taken out.

    Parameters
    ----------
    expressions
        Right-hand sides or outputs over states, ``t`` and constants.
    states
        Names of the states.
    """
    symbols = [symbol(s) for s in states]
    constants = _Constants(frozenset([*symbols, symbol("t")]))
    results = tuple(_rewrite(_gather(e, symbols, constants), constants) for e in expressions)
    return Hoisted(results, tuple((s.name, e) for e, s in constants.names.items()))


def _gather(expression: sp.Expr, states: list[sp.Symbol], constants: _Constants) -> sp.Expr:
    """Gather the slope of every state in which the expression is linear with a constant slope."""
    rest = expression
    terms = []
    for state in states:
        if state not in rest.free_symbols or switches_on(rest, [state]):
            continue
        slope = sp.diff(rest, state)
        if constants.is_constant(slope):
            terms.append(slope * state)
            rest = rest.subs(state, 0)
    return sp.Add(rest, *terms, evaluate=True) if not terms else _sum(rest, terms, constants)


def _sum(rest: sp.Expr, terms: list[sp.Expr], constants: _Constants) -> sp.Expr:
    named = []
    for term in terms:
        slope, state = term.as_independent(*(term.free_symbols & constants.changing))
        named.append(constants.name(slope) * state)
    return sp.Add(rest, *named)


def _rewrite(expression: sp.Expr, constants: _Constants) -> sp.Expr:
    if constants.is_constant(expression):
        return constants.name(expression)
    if not expression.args:
        return expression
    if expression.is_Mul or expression.is_Add:
        still = [a for a in expression.args if constants.is_constant(a)]
        moving = [_rewrite(a, constants) for a in expression.args if not constants.is_constant(a)]
        if len(still) > 1:
            still = [constants.name(expression.func(*still))]
        else:
            still = [constants.name(a) for a in still]
        return expression.func(*still, *moving)
    if isinstance(expression, sp.Piecewise):
        return expression
    return expression.func(*(_rewrite(a, constants) for a in expression.args))
