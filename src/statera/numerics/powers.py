"""Powers of states that a solver may carry a little below zero.

A state at -1e-18 is zero to rounding, but its power with an exponent that is no integer is no
number. Here the base is floored inside the power; the state itself is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection

import sympy as sp

__all__ = ["LEAST_BASE", "FlooredPower", "floored"]

LEAST_BASE = 1e-300
"""What a smaller base counts as: with a negative exponent the power is large, but a number."""


class FlooredPower(sp.Function):  # type: ignore[misc]  # sympy has no types
    """A power whose base counts as zero below zero, as a symbol of formulas."""

    nargs = 2


def floored(
    expression: sp.Expr, changing: Collection[sp.Symbol], known: dict[sp.Basic, sp.Basic]
) -> sp.Expr:
    """Return the expression with a floor in each power of what changes.

    Parameters
    ----------
    expression
        A formula.
    changing
        States and time.
    known
        Parts written before, which are looked up and added to.
    """
    found = known.get(expression)
    if found is not None:
        return found
    result = expression
    if expression.args:
        parts = [floored(part, changing, known) for part in expression.args]
        if (
            expression.is_Pow
            and not expression.exp.is_Integer
            and _moves(expression.base, changing)
        ):
            whole = expression.exp.is_Number and float(expression.exp).is_integer()
            result = parts[0] ** int(parts[1]) if whole else FlooredPower(*parts)
        elif any(new is not old for new, old in zip(parts, expression.args, strict=True)):
            if isinstance(expression, sp.Piecewise):
                result = sp.Piecewise(*parts, evaluate=False)
            else:
                result = expression.func(*parts)
    known[expression] = result
    return result


def _moves(base: sp.Expr, changing: Collection[sp.Symbol]) -> bool:
    return not base.free_symbols.isdisjoint(changing)
