"""Formulas of single numbers, written out as plain Python: for one subject at a time.

A line of arithmetic on Python floats takes a tenth of the time that numpy takes for an array of
one element, and no machine code has to be made first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from statera.numerics.codegen import generated_module
from statera.numerics.expression import symbol
from statera.numerics.printing import assignments

__all__ = ["SCALAR_ERRORS", "Scalar", "scalar"]

SCALAR_ERRORS = (ArithmeticError, ValueError, TypeError)
"""What arithmetic on single numbers raises where arrays would hold an infinity or no number."""


class Scalar:
    """Several formulas as one function of single numbers.

    Attributes
    ----------
    count
        Number of formulas.
    """

    def __init__(self, expressions: Sequence[sp.Expr], names: Sequence[str]) -> None:
        self.count = len(expressions)
        read = {symbol(n): f"a[{i}]" for i, n in enumerate(names)}
        results = [f"_r{i}" for i in range(self.count)]
        lines = assignments(list(expressions), read, results)
        text = "\n".join(
            [
                "import math",
                "",
                "from statera.numerics import special",
                "",
                "",
                "def formulas(a):",
                *lines,
                f"    return [{', '.join(results)}]",
                "",
            ]
        )
        self._function: Any = generated_module(text).formulas

    def __call__(self, values: Sequence[float]) -> list[float]:
        """Return the formulas at the values of all names, in their order.

        Raises
        ------
        ArithmeticError, ValueError, TypeError
            Where a value is not defined, see `SCALAR_ERRORS`.
        """
        found: list[float] = self._function(values)
        return found


def scalar(expressions: Sequence[sp.Expr], names: Sequence[str]) -> Scalar:
    """Return the formulas as one function of single numbers.

    Parameters
    ----------
    expressions
        Over the names, as `statera.numerics.expression.parse` makes them.
    names
        Names that may occur, in the order in which values are given.
    """
    return Scalar(expressions, names)
