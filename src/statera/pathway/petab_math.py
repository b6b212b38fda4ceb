"""Formulas of PEtab, parsed into symbolic expressions.

The grammar is that of the format: ``+ - * / ^`` (``**`` too), comparisons, ``&& || !``, and the
functions of `FUNCTIONS`; ``log`` without a base is the natural one. ``time`` is the model's time.
Nothing is ever evaluated as program text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import sympy as sp

from statera.numerics.expression import ExpressionError, symbol

__all__ = ["FUNCTIONS", "parse_petab"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|&&|\|\||[-+*/^(),<>!]))"
)
_COMPARE: Mapping[str, Any] = {
    "<": sp.StrictLessThan,
    "<=": sp.LessThan,
    ">": sp.StrictGreaterThan,
    ">=": sp.GreaterThan,
    "==": sp.Eq,
    "!=": sp.Ne,
}
_DEEPEST = 100


def _log(x: sp.Expr, base: sp.Expr | None = None) -> sp.Expr:
    return sp.log(x) if base is None else sp.log(x) / sp.log(base)


def _power(base: sp.Expr, exponent: sp.Expr, column: int) -> sp.Expr:
    """Return a power; one of numbers as a float, since exact powers could take for ever."""
    if not (base.is_number and exponent.is_number):
        return base**exponent
    try:
        value = float(base) ** float(exponent)
    except (OverflowError, ZeroDivisionError, TypeError):
        value = math.nan
    if isinstance(value, complex) or not math.isfinite(value):
        raise ExpressionError("this power has no real and finite value", column)
    return sp.Integer(int(value)) if value.is_integer() and abs(value) < 2**53 else sp.Float(value)


def _piecewise(*parts: Any) -> Any:
    pairs = [(_value(parts[i]), _truth(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]
    return sp.Piecewise(*pairs, (_value(parts[-1]), True))


_ONE: Mapping[str, Callable[..., Any]] = {
    "exp": sp.exp,
    "sqrt": sp.sqrt,
    "ln": sp.log,
    "log2": lambda x: sp.log(x) / sp.log(2),
    "log10": lambda x: sp.log(x) / sp.log(10),
    "abs": sp.Abs,
    "sign": lambda x: sp.Piecewise((1, x > 0), (-1, x < 0), (0, True)),
    "sin": sp.sin, "cos": sp.cos, "tan": sp.tan,
    "cot": lambda x: 1 / sp.tan(x), "sec": lambda x: 1 / sp.cos(x), "csc": lambda x: 1 / sp.sin(x),
    "sinh": sp.sinh, "cosh": sp.cosh, "tanh": sp.tanh,
    "coth": lambda x: 1 / sp.tanh(x), "sech": lambda x: 1 / sp.cosh(x),
    "csch": lambda x: 1 / sp.sinh(x),
    "arcsin": sp.asin, "arccos": sp.acos, "arctan": sp.atan,
    "asin": sp.asin, "acos": sp.acos, "atan": sp.atan,
    "arcsinh": sp.asinh, "arccosh": sp.acosh, "arctanh": sp.atanh,
}  # fmt: skip
FUNCTIONS: Mapping[str, tuple[int, int | None]] = {
    **dict.fromkeys(_ONE, (1, 1)),
    "log": (1, 2),
    "pow": (2, 2),
    "min": (2, None),
    "max": (2, None),
    "piecewise": (3, None),
}
"""Least and largest number of arguments of every function; None where there is no largest."""

_MANY: Mapping[str, Callable[..., Any]] = {
    "log": _log,
    "pow": lambda x, y: _power(x, y, 1),
    "min": sp.Min,
    "max": sp.Max,
}


def parse_petab(text: str, names: Collection[str]) -> sp.Expr:
    """Parse a formula.

    Parameters
    ----------
    text
        The formula.
    names
        Names that may occur besides ``time``.

    Returns
    -------
    An expression over the symbols of `statera.numerics.expression.symbol`; the time is ``t``.

    Raises
    ------
    ExpressionError
        If the formula is malformed or uses an unknown name; the column is given.
    """
    if len(text) > 20000:
        raise ExpressionError("the formula is longer than 20000 characters", 20000)
    reader = _Reader(text, frozenset(names))
    found = _value(reader.disjunction(0))
    reader.end()
    return found


def _value(node: Any) -> Any:
    """Return a truth as 1 or 0, a number as it is."""
    if node in (sp.true, sp.false):
        return sp.Integer(1 if node == sp.true else 0)
    return sp.Piecewise((1, node), (0, True)) if isinstance(node, sp.logic.boolalg.Boolean) and (
        not isinstance(node, sp.Symbol)
    ) else node  # fmt: skip


def _truth(node: Any) -> Any:
    """Return a number as a truth: all but zero are true."""
    if isinstance(node, sp.Expr):
        return sp.Ne(node, 0)
    return node


class _Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self._names = names
        self._tokens: list[tuple[str, str, int]] = []
        place = 0
        text = text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                shown = text[place:].lstrip()
                column = len(text) - len(shown) + 1
                raise ExpressionError(f"'{shown[0]}' is not allowed in a formula", column)
            kind = str(match.lastgroup)
            self._tokens.append((kind, match.group(kind), match.start(kind) + 1))
            place = match.end()
        self._tokens.append(("end", "", len(text) + 1))
        self._next = 0

    def _peek(self, *signs: str) -> bool:
        kind, text, _ = self._tokens[self._next]
        return kind == "sign" and text in signs

    def _take(self) -> tuple[str, str, int]:
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, sign: str) -> None:
        _, text, column = self._tokens[self._next]
        if not self._peek(sign):
            shown = f"'{text}' stands" if text else "the formula ends"
            raise ExpressionError(f"{shown} where '{sign}' is expected", column)
        self._next += 1

    def end(self) -> None:
        kind, text, column = self._tokens[self._next]
        if kind != "end":
            raise ExpressionError(f"'{text}' is not expected here", column)

    def disjunction(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ExpressionError("the formula is nested too deeply", self._tokens[self._next][2])
        left = self._comparison(depth)
        while self._peek("&&", "||"):
            _, sign, _ = self._take()
            right = self._comparison(depth)
            left = (sp.And if sign == "&&" else sp.Or)(_truth(left), _truth(right))
        return left

    def _comparison(self, depth: int) -> Any:
        left = self._sum(depth)
        while self._peek(*_COMPARE):
            _, sign, _ = self._take()
            left = _COMPARE[sign](_value(left), _value(self._sum(depth)))
        return left

    def _sum(self, depth: int) -> Any:
        left = self._product(depth)
        while self._peek("+", "-"):
            _, sign, _ = self._take()
            right = _value(self._product(depth))
            left = _value(left) + (right if sign == "+" else -right)
        return left

    def _product(self, depth: int) -> Any:
        left = self._signed(depth)
        while self._peek("*", "/"):
            _, sign, column = self._take()
            right = _value(self._signed(depth))
            if sign == "/" and right.is_zero:
                raise ExpressionError("division by zero", column)
            left = _value(left) * (right if sign == "*" else 1 / right)
        return left

    def _signed(self, depth: int) -> Any:
        if self._peek("+", "-", "!"):
            _, sign, column = self._take()
            if depth > _DEEPEST:
                raise ExpressionError("the formula is nested too deeply", column)
            inner = self._signed(depth + 1)
            if sign == "!":
                return sp.Not(_truth(inner))
            return -_value(inner) if sign == "-" else _value(inner)
        return self._power(depth)

    def _power(self, depth: int) -> Any:
        base = self._atom(depth)
        if self._peek("^", "**"):
            _, _, column = self._take()
            return _power(_value(base), _value(self._signed(depth + 1)), column)
        return base

    def _atom(self, depth: int) -> Any:
        kind, text, column = self._take()
        if kind == "number":
            return sp.Integer(int(text)) if text.isdigit() else sp.Float(text)
        if kind == "name":
            if self._peek("("):
                return self._call(text, column, depth)
            return self._name(text, column)
        if (kind, text) == ("sign", "("):
            inner = self.disjunction(depth + 1)
            self._expect(")")
            return inner
        shown = f"'{text}' stands" if text else "the formula ends"
        raise ExpressionError(f"{shown} where a number or a name is expected", column)

    def _name(self, text: str, column: int) -> Any:
        if text in self._names:
            return symbol(text)
        if text == "time":
            return symbol("t")
        if text in ("true", "false"):
            return sp.true if text == "true" else sp.false
        raise ExpressionError(f"'{text}' is not defined", column)

    def _call(self, name: str, column: int, depth: int) -> Any:
        if name not in FUNCTIONS:
            raise ExpressionError(f"'{name}' is not a known function", column)
        self._expect("(")
        parts = [self.disjunction(depth + 1)]
        while self._peek(","):
            self._take()
            parts.append(self.disjunction(depth + 1))
        self._expect(")")
        least, most = FUNCTIONS[name]
        if len(parts) < least or (most is not None and len(parts) > most):
            wanted = f"{least}" if most == least else f"{least} or more"
            raise ExpressionError(f"'{name}' takes {wanted} arguments, {len(parts)} given", column)
        if name == "piecewise":
            if len(parts) % 2 == 0:
                raise ExpressionError("'piecewise' needs a last value for all other cases", column)
            return _piecewise(*parts)
        return {**_ONE, **_MANY}[name](*map(_value, parts))
