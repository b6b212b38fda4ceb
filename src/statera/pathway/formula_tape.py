"""Formulas as tables of operations that one loop computes: nothing is built for a new model.

Each formula is written as operations on earlier results, common parts once. Derivatives come from
the same table, read backwards (reverse differentiation), so that all derivatives of a formula cost
little more than its value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.errors import InputError

__all__ = ["OPERATIONS", "Tape", "write_tape"]

Ints = NDArray[np.int64]

OPERATIONS: Mapping[str, int] = {
    name: code
    for code, name in enumerate(
        (
            "number", "argument", "time", "add", "multiply", "power", "minimum", "maximum",
            "choose", "less", "less_equal", "equal", "both", "either", "negate",
            "reciprocal", "fixed_power",
            "exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh",
            "asin", "acos", "atan", "asinh", "acosh", "atanh", "floor", "ceiling", "loggamma",
        )
    )
}  # fmt: skip
"""Codes of operations, known to `statera.pathway.objective_kernel`."""

_NAMES = {"Abs": "abs"}  # where sympy writes a name otherwise


@dataclass(frozen=True, eq=False)
class Tape:
    """Operations of several groups of formulas.

    Attributes
    ----------
    first : (n_groups + 1,) int64
        Where the operations of each group begin.
    roots : (n_groups, n_formulas) int64
        Which operation of the group is each formula's result.
    code, a, b, c : (n_operations,) int64
        Operation and its operands: operations of the same group counted from its first; of an
        argument, its position.
    value : (n_operations,) float64
        Of numbers and fixed exponents.
    """

    first: Ints
    roots: Ints
    code: Ints
    a: Ints
    b: Ints
    c: Ints
    value: NDArray[np.float64]

    @property
    def room(self) -> int:
        """Largest number of operations of a group."""
        return int(np.diff(self.first).max(initial=1))

    @property
    def parts(self) -> tuple[Any, ...]:
        """All arrays, in the order of their names."""
        return self.first, self.roots, self.code, self.a, self.b, self.c, self.value


@dataclass
class _Writer:
    """The operations of one group while they are written."""

    positions: Mapping[str, int]
    rows: list[tuple[int, int, int, int, float]] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def add(self, name: str, a: int = -1, b: int = -1, c: int = -1, value: float = 0.0) -> int:
        row = (OPERATIONS[name], a, b, c, value)
        if row not in self.known:
            self.known[row] = len(self.rows)
            self.rows.append(row)
        return self.known[row]

    def write(self, node: Any) -> int:
        """Write a formula or condition, and return its operation."""
        if node not in self.known:
            self.known[node] = self._written(node)
        return self.known[node]

    def _written(self, node: Any) -> int:
        if node in (sp.true, sp.false):
            return self.add("number", value=float(node == sp.true))
        if node.is_Symbol:
            if node.name in self.positions:
                return self.add("argument", self.positions[node.name])
            return self.add("time") if node.name == "t" else self._unknown(node)
        if node.is_number and not node.is_Relational:
            value = complex(node) if node.is_finite is not False else float(node)
            return self.add("number", value=value.real if value.imag == 0.0 else np.nan)
        if node.is_Pow:
            return self._power(node)
        if isinstance(node, sp.Piecewise):
            return self._choice(node)
        kind = node.func.__name__
        joined = {"Add": "add", "Mul": "multiply", "Min": "minimum", "Max": "maximum",
                  "And": "both", "Or": "either"}.get(kind)  # fmt: skip
        if joined:
            return self._joined(joined, [self.write(part) for part in node.args])
        if node.is_Relational:
            return self._relation(kind, *(self.write(part) for part in node.args))
        name = "negate" if kind == "Not" else _NAMES.get(kind, kind)
        if name not in OPERATIONS or len(node.args) != 1:
            return self._unknown(node)
        return self.add(name, self.write(node.args[0]))

    def _joined(self, name: str, parts: Sequence[int]) -> int:
        found = parts[0]
        for part in parts[1:]:
            found = self.add(name, found, part)
        return found

    def _power(self, node: Any) -> int:
        base, exponent = node.args
        if base == sp.E:
            return self.add("exp", self.write(exponent))
        if exponent == -1:
            return self.add("reciprocal", self.write(base))
        if exponent == sp.Rational(1, 2):
            return self.add("sqrt", self.write(base))
        if exponent.is_number:
            return self.add("fixed_power", self.write(base), value=float(exponent))
        return self.add("power", self.write(base), self.write(exponent))

    def _choice(self, node: Any) -> int:
        pairs = list(node.args)
        last = pairs.pop()
        found = self.write(last[0])
        if last[1] != sp.true:
            nothing = self.add("number", value=np.nan)
            found = self.add("choose", self.write(last[1]), found, nothing)
        for value, condition in reversed(pairs):
            found = self.add("choose", self.write(condition), self.write(value), found)
        return found

    def _relation(self, kind: str, left: int, right: int) -> int:
        if kind in ("StrictGreaterThan", "GreaterThan"):
            left, right = right, left
        if kind in ("StrictLessThan", "StrictGreaterThan"):
            return self.add("less", left, right)
        if kind in ("LessThan", "GreaterThan"):
            return self.add("less_equal", left, right)
        equal = self.add("equal", left, right)
        return self.add("negate", equal) if kind == "Unequality" else equal

    def _unknown(self, node: Any) -> int:
        raise InputError(
            f"'{node}' cannot be computed in a formula of observables",
            hint="Write it with the functions of the format.",
        )


def write_tape(groups: Sequence[tuple[Sequence[sp.Expr], Mapping[str, int]]]) -> Tape:
    """Write formulas as operations.

    Parameters
    ----------
    groups
        Formulas, as many in each group, and the position of each name that they hold; ``t`` is
        the time where it has no position.

    Raises
    ------
    InputError
        If a formula holds a function or a name that is not known.
    """
    first, roots = [0], []
    rows: list[tuple[int, int, int, int, float]] = []
    for formulas, positions in groups:
        writer = _Writer(positions)
        roots.append([writer.write(sp.sympify(formula)) for formula in formulas])
        rows += writer.rows
        first.append(len(rows))
    whole = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
    code, a, b, c = (np.ascontiguousarray(whole[:, i]) for i in range(4))
    return Tape(
        np.array(first, dtype=np.int64),
        np.array(roots, dtype=np.int64).reshape(len(groups), -1),
        code, a, b, c,
        np.array([row[4] for row in rows], dtype=np.float64),
    )  # fmt: skip
