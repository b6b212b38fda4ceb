"""The equations of a network, with their derivatives, as source text for the compiler.

All functions have the type `MODEL` of `statera.numerics.equation_call`:
``f(t, x, at, p, out, base)`` reads states from ``x[at]`` on and parameters, then flags, from ``p``,
and writes from ``out[base]`` on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.numerics.powers import floored
from statera.numerics.printing import assignments
from statera.numerics.sparse_lu import factor_source
from statera.pathway.network import TIME
from statera.pathway.switches import flag_name

__all__ = ["Formulas", "Pattern", "slope"]

HEAD = (
    "from statera.numerics.compiled import generated\n"
    "from statera.numerics.equation_call import MODEL_CALL\n"
    "from statera.numerics.rodas5p import FACTOR_CALL, SOLVE_CALL\n"
    "from statera.numerics.straight_line import straight_line, straight_line_of_three"
)

_MODEL = "t, x, at, p, out, base"

Pattern = list[tuple[int, int]]
"""Row and column of each entry, in the order in which a function writes them."""


def slope(expression: sp.Expr, by: sp.Symbol) -> sp.Expr:
    """Return a derivative, by general rules where a function has no own one."""
    try:
        return derivative(expression, by)
    except KeyError:
        return sp.diff(expression, by)


@dataclass
class Formulas:
    """What is written out: right-hand sides over states, parameters and flags.

    Attributes
    ----------
    rates
        d state / d time.
    states, parameters
        Names, in the order of ``x`` and ``p``.
    n_flags
        Number of flags behind the parameters.
    """

    rates: Sequence[sp.Expr]
    states: Sequence[str]
    parameters: Sequence[str]
    n_flags: int

    def __post_init__(self) -> None:
        self._changing = frozenset([TIME, *(symbol(s) for s in self.states)])
        self._floored: dict[sp.Basic, sp.Basic] = {}
        self.read = {symbol(s): f"x[at + {i}]" for i, s in enumerate(self.states)}
        self.read |= {symbol(p): f"p[{i}]" for i, p in enumerate(self.parameters)}
        first = len(self.parameters)
        self.read |= {symbol(flag_name(k)): f"p[{first + k}]" for k in range(self.n_flags)}
        x, p = [symbol(s) for s in self.states], [symbol(c) for c in self.parameters]
        self.by_state = _entries(self.rates, x)
        self.by_parameter = _entries(self.rates, p)
        self.by_time = [slope(e, TIME) for e in self.rates]

    def function(self, name: str, values: Sequence[sp.Expr], first: str = "base") -> str:
        """Return a function that writes the values one after another."""
        ready = [floored(value, self._changing, self._floored) for value in values]
        targets = [f"out[{first} + {i}]" for i in range(len(ready))]
        lines = assignments(ready, self.read, targets) or ["    return"]
        text = "\n".join([f"def {name}({_MODEL}):", *lines])
        return _called(text, name, _MODEL, "MODEL_CALL", "straight_line", "")

    def with_slopes(self, name: str, values: Sequence[sp.Expr]) -> tuple[str, Pattern]:
        """Return a function that writes values and then their slopes, and the slopes' pattern.

        Columns are states, then parameters, then time.
        """
        by = [symbol(s) for s in (*self.states, *self.parameters)] + [TIME]
        entries = _entries(values, by)
        return self.function(name, [*values, *entries.values()]), list(entries)

    def curvature(self) -> tuple[str, Pattern, list[int]]:
        """Return the function of the derivatives of ``J v + w f_t``.

        ``v`` is read from ``out[base]``, ``w`` from behind it; behind that are written the
        derivatives by states, at the returned pattern, and those by parameters, at the returned
        numbers of entries of `by_parameter`.
        """
        n = len(self.states)
        turned = [
            sp.Add(
                *(
                    entry * symbol(f"v {k}")
                    for (row, k), entry in self.by_state.items()
                    if row == i
                ),
                self.by_time[i] * symbol("w 0"),
            )
            for i in range(n)
        ]
        extra = {symbol(f"v {k}"): f"out[base + {k}]" for k in range(n)}
        extra[symbol("w 0")] = f"out[base + {n}]"
        by_state = _entries(turned, [symbol(s) for s in self.states])
        by_parameter = _entries(turned, [symbol(p) for p in self.parameters])
        known = {place: q for q, place in enumerate(self.by_parameter)}
        read, self.read = self.read, {**self.read, **extra}
        text = self.function(
            "curvature", [*by_state.values(), *by_parameter.values()], f"base + {n + 1}"
        )
        self.read = read
        return text, list(by_state), [known[place] for place in by_parameter]

    def dynamics(self) -> tuple[list[str], dict[str, list[list[int]] | list[int] | int]]:
        """Return the functions of a step, and their tables."""
        n = len(self.states)
        pattern = list(self.by_state)
        factor, solve, n_factors = factor_source(pattern, n)
        bend, bend_pattern, bend_places = self.curvature()
        slopes = [*self.by_state.values()]
        three = "straight_line_of_three"
        texts = [
            self.function("rates", self.rates),
            self.function("jacobian", [*slopes, *self.by_time]),
            self.function("linear", [*slopes, *self.by_parameter.values()]),
            bend,
            _called(factor, "factor", "shift, j, lu", "FACTOR_CALL", three, "return "),
            _called(solve, "solve", "lu, b, base", "SOLVE_CALL", three, ""),
        ]
        return texts, {
            "by_state": [list(place) for place in pattern],
            "by_parameter": [list(place) for place in self.by_parameter],
            "bend": [list(place) for place in bend_pattern],
            "bend_parameters": bend_places,
            "n_factors": n_factors,
        }


def _called(text: str, name: str, arguments: str, kind: str, how: str, result: str) -> str:
    """Return the source of a compiled function that does what `text` says."""
    return (
        f'_{name} = {how}(\n    """\n{text}\n"""\n)\n\n\n'
        f"@generated({kind})\ndef {name}({arguments}):\n    {result}_{name}({arguments})"
    )


def _entries(
    expressions: Sequence[sp.Expr], symbols: Sequence[sp.Symbol]
) -> dict[tuple[int, int], sp.Expr]:
    """Return the slopes that are not zero, by row and column."""
    column = {s: j for j, s in enumerate(symbols)}
    found = {}
    for i, expression in enumerate(expressions):
        for j in sorted(column[s] for s in expression.free_symbols if s in column):
            entry = slope(expression, symbols[j])
            if entry != 0:
                found[i, j] = entry
    return found
