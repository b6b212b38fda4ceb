"""Where equations change their form: comparisons of states and time, taken out as flags.

A comparison inside a `Piecewise` or the trigger of an event makes a right-hand side jump. Each
becomes a flag, a number that the solver holds constant during a step and turns where the quantity
compared with zero changes its sign. Steps then never straddle a jump.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import sympy as sp
from sympy.logic.boolalg import Boolean

from statera.errors import InputError
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.pathway.network import TIME

__all__ = ["Flags", "Switch", "flag_name"]


def flag_name(index: int) -> str:
    """Return the name of a flag; it holds a space, which no name of a network can."""
    return f"flag {index}"


@dataclass(frozen=True)
class Switch:
    """A flag that holds where `quantity` is above zero.

    Attributes
    ----------
    quantity
        What changes its sign, over time, states, parameters and other flags.
    strict
        Whether the flag is false where the quantity is exactly zero and stays there.
    timed
        Whether it is a straight line in time without states: its instant is known beforehand.
    """

    quantity: sp.Expr
    strict: bool
    timed: bool


@dataclass
class Flags:
    """Comparisons found so far.

    Parameters
    ----------
    states
        Names of the states; what depends neither on them nor on time is no switch.
    """

    states: Collection[str]
    switches: list[Switch] = field(default_factory=list)
    _known: dict[tuple[sp.Expr, bool], sp.Symbol] = field(default_factory=dict)

    def without(self, expression: sp.Basic) -> sp.Basic:
        """Return the expression with its comparisons replaced by flags."""
        changing = {TIME, *(symbol(s) for s in self.states)}
        written: dict[sp.Basic, Boolean] = {}
        # inner comparisons first: a quantity may itself hold a `Piecewise`
        found = sorted(expression.atoms(sp.core.relational.Relational), key=sp.default_sort_key)
        for comparison in sorted(found, key=lambda c: c.count_ops()):
            if not comparison.free_symbols.isdisjoint(changing):
                flag = self._flag(comparison, changing, written)
                if flag is not None:
                    written[comparison] = flag
        return expression.xreplace(written) if written else expression

    def _flag(
        self,
        comparison: sp.Basic,
        changing: Collection[sp.Symbol],
        written: dict[sp.Basic, Boolean],
    ) -> Boolean | None:
        if isinstance(comparison, sp.Eq | sp.Ne):
            return None  # holds at an instant at most: computed where it stands
        quantity = (comparison.lhs - comparison.rhs).xreplace(written)
        positive = isinstance(comparison, sp.StrictGreaterThan | sp.GreaterThan)
        strict = isinstance(comparison, sp.StrictGreaterThan | sp.LessThan)
        # of the two ways of writing a difference one is taken, so that `a < b` and `b <= a` turn
        # together: between them no branch might hold
        if quantity.could_extract_minus_sign():
            quantity, positive, strict = -quantity, not positive, not strict
        flag = self._known.get((quantity, strict))
        if flag is None:
            flag = self._known[quantity, strict] = symbol(flag_name(len(self.switches)))
            slope = derivative(quantity, TIME)
            timed = changing & quantity.free_symbols <= {TIME} and not slope.free_symbols & {
                TIME,
                *(symbol(flag_name(i)) for i in range(len(self.switches))),
            }
            timed = timed and not any(s.name.startswith("flag ") for s in quantity.free_symbols)
            self.switches.append(Switch(quantity, strict, timed))
        on = sp.Gt(flag, sp.Rational(1, 2))
        return on if positive else sp.Not(on)

    def trigger(self, condition: sp.Basic, event: str) -> sp.Basic:
        """Return the trigger of an event over flags.

        Raises
        ------
        InputError
            Where it compares for equality, which no step can find.
        """
        condition = condition.replace(
            lambda node: (
                isinstance(node, sp.Eq | sp.Ne)
                and not node.free_symbols.isdisjoint({TIME, *(symbol(s) for s in self.states)})
            ),
            lambda node: _refuse(event, node),
        )
        return self.without(condition)


def _refuse(event: str, node: sp.Basic) -> sp.Basic:
    raise InputError(
        f"the trigger of event '{event}' asks whether '{node}'; equality at an instant cannot be "
        "found by a solver",
        hint="write it by '<' or '>='",
    )


def quantities(switches: Sequence[Switch]) -> list[sp.Expr]:
    """Return what changes its sign at each switch."""
    return [s.quantity for s in switches]
