"""Formulas as text, parsed by a restricted grammar into symbolic expressions.

Allowed are numbers, names, ``+ - * / ^``, parentheses, comparisons inside ``where`` and the
functions of `FUNCTIONS`. Nothing is ever evaluated as program text.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.numerics import special_arrays
from statera.numerics.special_symbols import SPECIAL_NAMES, LogNormCdf, NormCdf

__all__ = [
    "FUNCTIONS",
    "ExpressionError",
    "evaluate",
    "free_names",
    "parse",
    "switches_on",
    "symbol",
]

FUNCTIONS: Mapping[str, int | None] = {
    "exp": 1,
    "log": 1,
    "sqrt": 1,
    "expit": 1,
    "logit": 1,
    "abs": 1,
    "lgamma": 1,
    "normcdf": 1,
    "lognormcdf": 1,
    "min": None,
    "max": None,
    "where": 3,
}
"""Function names and their number of arguments; None for two or more."""

_CONSTANT: Mapping[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "expit": lambda x: 1.0 / (1.0 + math.exp(-x)),
    "logit": lambda x: math.log(x / (1.0 - x)),
    "abs": abs,
    "lgamma": math.lgamma,
    "normcdf": lambda x: float(special_arrays.normcdf(x)),
    "lognormcdf": lambda x: float(special_arrays.lognormcdf(x)),
    "min": min,
    "max": max,
}
"""What each function of constants is, as a float."""

_COMPARE = {
    ast.Lt: sp.StrictLessThan,
    ast.LtE: sp.LessThan,
    ast.Gt: sp.StrictGreaterThan,
    ast.GtE: sp.GreaterThan,
    ast.Eq: sp.Eq,
}


class ExpressionError(ValueError):
    """A formula cannot be read.

    Attributes
    ----------
    column
        Position in the formula, counted from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


def symbol(name: str) -> sp.Symbol:
    """Return the real symbol used for `name` in every expression."""
    return sp.Symbol(name, real=True)


def parse(text: str, names: Collection[str]) -> sp.Expr:
    """Parse a formula over the given names.

    Parameters
    ----------
    text
        The formula; ``^`` and ``**`` both mean power.
    names
        Names that may occur.

    Raises
    ------
    ExpressionError
        If the formula is malformed or uses an unknown name; the column is given.
    """
    if len(text) > 2000:
        raise ExpressionError("the formula is longer than 2000 characters", 2000)
    if "#" in text:
        raise ExpressionError("a comment is not allowed in a formula", text.index("#") + 1)
    source, columns = _readable(text)
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = getattr(error, "offset", None) or len(source) + 1  # 0 where the end is missing
        column = columns[min(len(source[: offset - 1].encode()), len(columns) - 1)]
        raise ExpressionError("the formula is not complete or not well formed", column) from None
    try:
        found = _build(tree.body, frozenset(names))
    except ExpressionError as error:
        column = columns[min(error.column - 1, len(columns) - 1)]
        raise ExpressionError(str(error), column) from None
    except RecursionError:
        raise ExpressionError("the formula is nested too deeply", 1) from None
    if found.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise ExpressionError("a part of the formula has no real and finite value", 1)
    return found


def _readable(text: str) -> tuple[str, list[int]]:
    """Return the formula as Python writes it, and the column in `text` of each of its bytes."""
    pieces: list[str] = []
    columns: list[int] = []
    start = len(text) - len(text.lstrip())
    for index, char in enumerate(text[start:].rstrip(), start + 1):
        piece = {"^": "**", "\n": " ", "\r": " ", "\t": " "}.get(char, char)
        pieces.append(piece)
        columns += [index] * len(piece.encode())
    return "".join(pieces), [*columns, len(text.rstrip()) + 1]


def _build(node: ast.expr, names: frozenset[str]) -> sp.Expr:
    column = node.col_offset + 1
    match node:
        case ast.Constant(value=bool()):
            raise ExpressionError("only numbers and names are allowed", column)
        case ast.Constant(value=int() as value):
            return sp.Integer(value)
        case ast.Constant(value=float() as value) if math.isfinite(value):
            return sp.Float(value)
        case ast.Name(id=name):
            if name not in names:
                raise ExpressionError(f"'{name}' is not defined{_nearest(name, names)}", column)
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_build(operand, names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _build(operand, names)
        case ast.BinOp(left=left, op=op, right=right):
            return _binary(op, _build(left, names), _build(right, names), column)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _call(name, args, names, column)
        case _:
            raise ExpressionError("this is not allowed in a formula", column)


def _nearest(name: str, known: Iterable[str]) -> str:
    by_lower = {n.lower(): n for n in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3)
    return f"; nearest: {', '.join(by_lower[n] for n in near)}" if near else ""


def _binary(op: ast.operator, left: sp.Expr, right: sp.Expr, column: int) -> sp.Expr:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            if right.is_zero:
                raise ExpressionError("division by zero", column)
            return left / right
        case ast.Pow():
            if right.is_number and not (right.is_real and abs(float(right)) <= 64):
                raise ExpressionError("an exponent above 64 is not allowed", column)
            if left.is_number and right.is_number:
                return _number(lambda: float(left) ** float(right), column)
            return left**right
        case _:
            raise ExpressionError("this operator is not allowed in a formula", column)


def _number(compute: Callable[[], Any], column: int) -> sp.Expr:
    """Return a value of constants as a float: exact powers of powers would take for ever."""
    try:
        value = compute()
    except (OverflowError, ZeroDivisionError, ValueError, TypeError):
        value = math.nan
    if not isinstance(value, float) or not math.isfinite(value):
        raise ExpressionError("this has no real and finite value", column)
    return sp.Integer(int(value)) if value.is_integer() and abs(value) < 2**53 else sp.Float(value)


def _call(name: str, args: list[ast.expr], names: frozenset[str], column: int) -> sp.Expr:
    if name not in FUNCTIONS:
        near = _nearest(name, FUNCTIONS)
        raise ExpressionError(f"'{name}' is not a known function{near}", column)
    wanted = FUNCTIONS[name]
    if (wanted is None and len(args) < 2) or (wanted is not None and len(args) != wanted):
        number = "two or more arguments" if wanted is None else f"{wanted} argument(s)"
        raise ExpressionError(f"'{name}' takes {number}, {len(args)} given", column)
    if name == "where":
        return _where(args, names)
    values = [_build(arg, names) for arg in args]
    x = values[0]
    table: dict[str, Any] = {
        "exp": lambda: sp.exp(x),
        "log": lambda: sp.log(x),
        "sqrt": lambda: sp.sqrt(x),
        "expit": lambda: 1 / (1 + sp.exp(-x)),
        "logit": lambda: sp.log(x / (1 - x)),
        "abs": lambda: sp.Abs(x),
        "lgamma": lambda: sp.loggamma(x),
        "normcdf": lambda: NormCdf(x),
        "lognormcdf": lambda: LogNormCdf(x),
        "min": lambda: sp.Min(*values),
        "max": lambda: sp.Max(*values),
    }
    if all(value.is_number for value in values):
        return _number(lambda: float(_CONSTANT[name](*map(float, values))), column)
    return table[name]()


def _where(args: list[ast.expr], names: frozenset[str]) -> sp.Expr:
    test = args[0]
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _COMPARE):
        raise ExpressionError(
            "the first argument of 'where' must be one comparison", test.col_offset + 1
        )
    relation = _COMPARE[type(test.ops[0])]
    condition = relation(_build(test.left, names), _build(test.comparators[0], names))
    return sp.Piecewise((_build(args[1], names), condition), (_build(args[2], names), True))


def free_names(expression: sp.Expr) -> frozenset[str]:
    """Return the names that occur in an expression."""
    return frozenset(s.name for s in expression.free_symbols)


def switches_on(expression: sp.Expr, symbols: Collection[sp.Symbol]) -> bool:
    """Return True where a ``where``, ``min``, ``max`` or ``abs`` depends on one of the symbols.

    The derivative of a step is zero almost everywhere: a slope does not show such a dependence.
    """
    switches = expression.atoms(sp.Piecewise, sp.Min, sp.Max, sp.Abs)
    return any(not switch.free_symbols.isdisjoint(symbols) for switch in switches)


Array = NDArray[np.float64]


def evaluate(expression: sp.Expr, values: Mapping[str, Array | float]) -> Array:
    """Evaluate an expression over arrays, element by element.

    Parameters
    ----------
    expression
        An expression of this module.
    values
        Values by name: scalars or arrays that broadcast.

    Returns
    -------
    float64 array of the broadcast shape. Invalid operations give NaN or infinity, silently: the
    caller checks finiteness where it knows what the value means.
    """
    with np.errstate(all="ignore"):
        return np.asarray(_value(expression, values), dtype=np.float64)


def _value(node: Any, values: Mapping[str, Array | float]) -> Any:
    if node.is_Symbol:
        return values[node.name]
    if node.is_Number or node.is_NumberSymbol:
        return float(node)
    if isinstance(node, sp.Piecewise):
        found = _value(node.args[-1][0], values)
        for yes, condition in reversed(node.args[:-1]):
            found = np.where(_test(condition, values), _value(yes, values), found)
        return found
    parts = [_value(arg, values) for arg in node.args]
    if node.is_Pow:
        return _power(node, parts)
    if node.is_Add or node.is_Mul or isinstance(node, sp.Min | sp.Max):
        combine = {
            "Add": np.add,
            "Mul": np.multiply,
            "Min": np.minimum,
            "Max": np.maximum,
        }[node.func.__name__]
        total = parts[0]
        for part in parts[1:]:
            total = combine(total, part)
        return total
    if node.func.__name__ in SPECIAL_NAMES:
        return getattr(special_arrays, SPECIAL_NAMES[node.func.__name__])(*parts)
    function = {"exp": np.exp, "log": np.log, "Abs": np.abs}[node.func.__name__]
    return function(parts[0])


def _power(node: Any, parts: list[Any]) -> Any:
    if node.exp == -1:
        return np.divide(1.0, parts[0])
    if node.exp == sp.Rational(1, 2):
        return np.sqrt(parts[0])
    return np.power(np.asarray(parts[0], dtype=np.float64), parts[1])


def _test(condition: Any, values: Mapping[str, Array | float]) -> Any:
    if condition in (sp.true, sp.false):
        return bool(condition)
    left, right = (_value(arg, values) for arg in condition.args)
    return {
        sp.StrictLessThan: np.less,
        sp.LessThan: np.less_equal,
        sp.StrictGreaterThan: np.greater,
        sp.GreaterThan: np.greater_equal,
        sp.Equality: np.equal,
    }[condition.func](left, right)
