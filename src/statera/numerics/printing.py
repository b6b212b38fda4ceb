"""Symbolic expressions as lines of arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

__all__ = ["assignments"]


class _Printer(PythonCodePrinter):  # type: ignore[misc]  # sympy has no types
    """Prints expressions with the functions of the math module, and small powers as products."""

    def _print_Pow(self, expr: Any, **options: Any) -> str:
        if expr.exp.is_Integer and 2 <= int(expr.exp) <= 4:
            base = self.parenthesize(expr.base, 50)
            return "(" + "*".join([base] * int(expr.exp)) + ")"
        return str(super()._print_Pow(expr, **options))

    def _print_Piecewise(self, expr: Any) -> str:
        text = f"({self._print(expr.args[-1][0])})"
        for yes, condition in reversed(expr.args[:-1]):
            text = f"(({self._print(yes)}) if ({self._print(condition)}) else {text})"
        return text

    def _print_TransitInput(self, expr: Any) -> str:
        return f"transit_input({self._print(expr.args[0])}, p, {expr.args[1]}, {expr.args[2]})"

    def _print_TransitSlope(self, expr: Any) -> str:
        return f"transit_slope({self._print(expr.args[0])}, p, {expr.args[1]}, {expr.args[2]})"

    def _print_Min(self, expr: Any) -> str:
        return f"min({', '.join(self._print(a) for a in expr.args)})"

    def _print_Max(self, expr: Any) -> str:
        return f"max({', '.join(self._print(a) for a in expr.args)})"


def assignments(
    expressions: Sequence[sp.Expr],
    read: Mapping[sp.Symbol, str],
    targets: Sequence[str],
    prefix: str = "_c",
) -> list[str]:
    """Return indented lines that assign expressions to targets, common parts first.

    Parameters
    ----------
    expressions
        What is computed.
    read
        How each symbol is written.
    targets
        What each expression is assigned to.
    prefix
        Start of the names of common parts.
    """
    printer = _Printer({"fully_qualified_modules": True})
    written = {key: sp.Symbol(text) for key, text in read.items()}
    common, results = sp.cse(list(expressions), symbols=sp.numbered_symbols(prefix), order="none")
    lines = [f"    {name} = {printer.doprint(value.xreplace(written))}" for name, value in common]
    for target, value in zip(targets, results, strict=True):
        lines.append(f"    {target} = {printer.doprint(value.xreplace(written))}")
    return lines
