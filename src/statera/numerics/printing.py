"""Symbolic expressions as lines of arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from statera.numerics.special_symbols import SPECIAL_NAMES

__all__ = ["array_assignments", "assignments"]


class _Printer(PythonCodePrinter):  # type: ignore[misc]  # sympy has no types
    """Prints expressions with the functions of the math module, and small powers as products."""

    special = "special"  # module of the functions that math has not

    def _print_Pow(self, expr: Any, **options: Any) -> str:
        if expr.exp.is_Integer and 2 <= int(expr.exp) <= 4:
            base = self.parenthesize(expr.base, 50)
            return "(" + "*".join([base] * int(expr.exp)) + ")"
        return str(super()._print_Pow(expr, **options))

    def _print_special(self, expr: Any) -> str:
        name = SPECIAL_NAMES[expr.func.__name__]
        return f"{self.special}.{name}({', '.join(self._print(a) for a in expr.args)})"

    _print_loggamma = _print_polygamma = _print_special
    _print_NormCdf = _print_LogNormCdf = _print_special

    def _print_FlooredPower(self, expr: Any) -> str:
        base, exponent = expr.args
        if exponent == sp.Rational(1, 2):
            return f"floored_root({self._print(base)})"
        return f"floored_power({self._print(base)}, {self._print(exponent)})"

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


class _ArrayPrinter(_Printer):
    """Prints expressions over arrays, with the functions of numpy."""

    special = "special_arrays"

    def _print_Piecewise(self, expr: Any) -> str:
        text = f"({self._print(expr.args[-1][0])})"
        for yes, condition in reversed(expr.args[:-1]):
            text = f"numpy.where({self._print(condition)}, {self._print(yes)}, {text})"
        return text

    def _print_Min(self, expr: Any) -> str:
        return self._nested("numpy.minimum", [self._print(a) for a in expr.args])

    def _print_Max(self, expr: Any) -> str:
        return self._nested("numpy.maximum", [self._print(a) for a in expr.args])

    @staticmethod
    def _nested(name: str, parts: list[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            text = f"{name}({text}, {part})"
        return text

    def _print_exp(self, expr: Any) -> str:
        return f"numpy.exp({self._print(expr.args[0])})"

    def _print_log(self, expr: Any) -> str:
        return f"numpy.log({self._print(expr.args[0])})"

    def _print_Abs(self, expr: Any) -> str:
        return f"numpy.abs({self._print(expr.args[0])})"

    def _print_Pow(self, expr: Any, **options: Any) -> str:
        if expr.exp == sp.Rational(1, 2):
            return f"numpy.sqrt({self._print(expr.base)})"
        if expr.exp == -1:
            return f"(1.0/{self.parenthesize(expr.base, 50)})"
        if expr.exp.is_Integer and 2 <= int(expr.exp) <= 4:
            return str(super()._print_Pow(expr, **options))
        return f"numpy.power({self._print(expr.base)}, {self._print(expr.exp)})"

    def _print_Rational(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Integer(self, expr: Any) -> str:
        return repr(float(expr))


def array_assignments(
    expressions: Sequence[sp.Expr],
    read: Mapping[sp.Symbol, str],
    targets: Sequence[str],
) -> list[str]:
    """Return lines as `assignments` does, over arrays: powers of negative integers stay real."""
    return _lines(_ArrayPrinter({"fully_qualified_modules": True}), expressions, read, targets)


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
    return _lines(printer, expressions, read, targets, prefix)


def _lines(
    printer: _Printer,
    expressions: Sequence[sp.Expr],
    read: Mapping[sp.Symbol, str],
    targets: Sequence[str],
    prefix: str = "_c",
) -> list[str]:
    written = {key: sp.Symbol(text) for key, text in read.items()}
    common, results = sp.cse(list(expressions), symbols=sp.numbered_symbols(prefix), order="none")
    lines = [f"    {name} = {printer.doprint(value.xreplace(written))}" for name, value in common]
    for target, value in zip(targets, results, strict=True):
        lines.append(f"    {target} = {printer.doprint(value.xreplace(written))}")
    return lines
