"""Formulas over arrays, written out as numpy code: for evaluations repeated many times.

`statera.numerics.expression.evaluate` walks the formula at every call; here it is walked once, and
common parts are computed once for all results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.numerics.codegen import generated_module
from statera.numerics.expression import symbol
from statera.numerics.printing import array_assignments

__all__ = ["Vectorised", "vectorise"]

Floats = NDArray[np.float64]


class Vectorised:
    """Several formulas as one function of arrays.

    Attributes
    ----------
    names
        Names that the formulas hold, in the order of the arguments.
    count
        Number of formulas.
    """

    def __init__(self, expressions: Sequence[sp.Expr], names: Sequence[str]) -> None:
        used = frozenset(s for e in expressions for s in e.free_symbols)
        self.names = tuple(n for n in names if symbol(n) in used)
        self.count = len(expressions)
        read = {symbol(n): f"a[{i}]" for i, n in enumerate(self.names)}
        lines = array_assignments(
            list(expressions), read, [f"out[{i}]" for i in range(len(expressions))]
        )
        text = "\n".join(
            [
                "import numpy",
                "",
                "from statera.numerics import special_arrays",
                "",
                "",
                "def formulas(a, out):",
                *lines,
                "",
            ]
        )
        self._function: Any = generated_module(text).formulas if expressions else None

    def __call__(self, values: Mapping[str, Floats | float], n: int | tuple[int, ...]) -> Floats:
        """Return the formulas, (count, n) float64; every value is a number or (n,).

        Instead of n a shape may be given, to which all values broadcast.
        """
        out = np.empty((self.count, n) if isinstance(n, int) else (self.count, *n))
        if self._function is not None:
            with np.errstate(all="ignore"):
                self._function([values[name] for name in self.names], out)
        return out


def vectorise(expressions: Sequence[sp.Expr], names: Sequence[str]) -> Vectorised:
    """Return the formulas as one function.

    Parameters
    ----------
    expressions
        Over the names, as `statera.numerics.expression.parse` makes them.
    names
        Names that may occur.
    """
    return Vectorised(expressions, names)
