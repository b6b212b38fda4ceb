"""What the functions and operators of SBML mean, as sympy expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import pairwise
from typing import Any

import sympy as sp

from statera.pathway.network import TIME
from statera.pathway.sbml_file import sbml_library

__all__ = [
    "AVOGADRO",
    "as_condition",
    "as_number",
    "builders",
    "constants",
    "number",
    "piecewise",
]

_LARGEST_WHOLE = 64

AVOGADRO = 6.02214179e23
"""The value that SBML level 3 fixes for its symbol ``avogadro``."""


def number(value: float) -> sp.Expr:
    """Return a number: integers stay exact, so that powers of them stay products."""
    if math.isnan(value):
        return sp.nan
    if math.isinf(value):
        return sp.oo if value > 0 else -sp.oo
    if value == int(value) and abs(value) < 2**53:
        return sp.Integer(int(value))
    return sp.Float(value)


def _is_condition(value: Any) -> bool:
    return isinstance(value, sp.logic.boolalg.Boolean) and not value.is_Symbol


def _not(condition: Any) -> Any:
    """Return the opposite, written without a negation."""
    return sp.to_nnf(sp.Not(condition), simplify=False)


def as_number(value: Any) -> sp.Expr:
    """Return a value as a number: a condition counts 1 where it holds, else 0."""
    if not _is_condition(value):
        return value
    return piecewise([sp.Integer(1), value, sp.Integer(0)])


def as_condition(value: Any) -> sp.Basic:
    """Return a value as a condition: a number holds where it is not 0."""
    return value if _is_condition(value) else sp.Ne(value, 0)


def piecewise(parts: Sequence[Any]) -> Any:
    """Return value, condition, value, condition, ..., and what holds otherwise.

    Where nothing is said of otherwise it is no number, as SBML leaves it undefined. Conditions are
    kept as they are: merging them takes long and gains nothing.
    """
    pairs = [(parts[i], as_condition(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]
    pairs.append((parts[-1] if len(parts) % 2 else sp.nan, sp.true))
    if all(_is_condition(value) for value, _ in pairs if value is not sp.nan):
        return _choice_of_conditions(pairs)
    kept: list[tuple[sp.Expr, Any]] = []
    for value, condition in pairs:
        if condition == sp.false:
            continue
        kept.append((as_number(value), condition))
        if condition == sp.true:
            break
    return kept[0][0] if len(kept) == 1 else sp.Piecewise(*kept, evaluate=False)


def _choice_of_conditions(pairs: Sequence[tuple[Any, Any]]) -> Any:
    chosen: Any = sp.false
    for value, condition in reversed(pairs):
        if value is not sp.nan:
            chosen = sp.Or(sp.And(condition, value), sp.And(_not(condition), chosen))
    return chosen


def _computed(function: Callable[..., float], *arguments: sp.Expr) -> sp.Expr:
    """Return a function of numbers as a float: kept exact, some would never come to an end."""
    try:
        value = function(*(float(a) for a in arguments))
    except OverflowError:
        return sp.oo
    except (ValueError, ZeroDivisionError, TypeError):
        return sp.I  # refused: no real value
    return number(value) if isinstance(value, float | int) else sp.I


def _power(parts: Sequence[Any]) -> sp.Expr:
    base, exponent = (as_number(part) for part in parts)
    if base.is_number and exponent.is_number:
        return _computed(lambda a, b: a**b, base, exponent)
    if exponent.is_Integer and abs(exponent) > _LARGEST_WHOLE:
        exponent = sp.Float(exponent)  # 2^n of (2 x)^n would be computed to all its digits
    return base**exponent


def _root(parts: Sequence[Any]) -> sp.Expr:
    degree, inner = parts if len(parts) == 2 else (sp.Integer(2), parts[0])
    return _power([inner, sp.Integer(1) / as_number(degree)])


def _log(inner: sp.Expr) -> sp.Expr:
    return _computed(math.log, inner) if inner.is_number else sp.log(inner)


def _logarithm(parts: Sequence[Any]) -> sp.Expr:
    base, inner = parts if len(parts) == 2 else (sp.Integer(10), parts[0])
    return _log(as_number(inner)) / _log(as_number(base))


def _minus(parts: Sequence[Any]) -> sp.Expr:
    if len(parts) == 1:
        return -as_number(parts[0])
    return as_number(parts[0]) - as_number(parts[1])


def _quotient(parts: Sequence[Any]) -> sp.Expr:
    """Return the whole part of a ratio: towards zero."""
    ratio = _divide(parts)
    if ratio.is_number:
        return _computed(math.trunc, ratio)
    return piecewise([sp.floor(ratio), sp.Ge(ratio, 0), sp.ceiling(ratio)])


def _remainder(parts: Sequence[Any]) -> sp.Expr:
    first, second = (as_number(part) for part in parts)
    return first - second * _quotient(parts)


def _factorial(parts: Sequence[Any]) -> sp.Expr:
    inner = as_number(parts[0])
    if inner.is_number:
        return _computed(lambda x: math.gamma(x + 1.0), inner)
    return sp.exp(sp.loggamma(inner + 1))


def _negation(parts: Sequence[Any]) -> Any:
    (inner,) = parts
    return _not(as_condition(inner))


def _implication(parts: Sequence[Any]) -> Any:
    first, second = (as_condition(part) for part in parts)
    return sp.Or(_not(first), second)


def _divide(parts: Sequence[Any]) -> sp.Expr:
    first, second = (as_number(part) for part in parts)
    return first / second


def _relation(relation: Any) -> Callable[[Sequence[Any]], Any]:
    def build(parts: Sequence[Any]) -> Any:
        values = [as_number(part) for part in parts]
        return sp.And(*(relation(a, b) for a, b in pairwise(values)))

    return build


def _equal(parts: Sequence[Any]) -> Any:
    if any(_is_condition(part) for part in parts):
        conditions = [as_condition(part) for part in parts]
        return sp.Or(sp.And(*conditions), sp.And(*(_not(c) for c in conditions)))
    return _relation(sp.Eq)(parts)


def _different(parts: Sequence[Any]) -> Any:
    first, second = parts
    if _is_condition(first) or _is_condition(second):
        return _exclusive(parts)
    return sp.Ne(first, second)


def _exclusive(parts: Sequence[Any]) -> Any:
    def either(first: Any, second: Any) -> Any:
        return sp.Or(sp.And(first, _not(second)), sp.And(_not(first), second))

    return reduce(either, (as_condition(part) for part in parts), sp.false)


def _of_one(function: Callable[..., Any], name: str) -> Callable[[Sequence[Any]], sp.Expr]:
    def build(parts: Sequence[Any]) -> sp.Expr:
        (inner,) = (as_number(part) for part in parts)
        if inner.is_number:
            return _computed(_OF_NUMBERS[name], inner)
        return function(inner)

    return build


def _of_all(function: Callable[..., Any]) -> Callable[[Sequence[Any]], sp.Expr]:
    return lambda parts: function(*(as_number(part) for part in parts))


_ONE_ARGUMENT: Mapping[str, Callable[[sp.Expr], sp.Expr]] = {
    "ABS": sp.Abs,
    "FLOOR": sp.floor,
    "CEILING": sp.ceiling,
    "EXP": sp.exp,
    "LN": sp.log,
    "SIN": sp.sin,
    "COS": sp.cos,
    "TAN": sp.tan,
    "SEC": lambda x: 1 / sp.cos(x),
    "CSC": lambda x: 1 / sp.sin(x),
    "COT": lambda x: 1 / sp.tan(x),
    "SINH": sp.sinh,
    "COSH": sp.cosh,
    "TANH": sp.tanh,
    "SECH": lambda x: 1 / sp.cosh(x),
    "CSCH": lambda x: 1 / sp.sinh(x),
    "COTH": lambda x: 1 / sp.tanh(x),
    "ARCSIN": sp.asin,
    "ARCCOS": sp.acos,
    "ARCTAN": sp.atan,
    "ARCSEC": lambda x: sp.acos(1 / x),
    "ARCCSC": lambda x: sp.asin(1 / x),
    "ARCCOT": lambda x: sp.atan(1 / x),
    "ARCSINH": sp.asinh,
    "ARCCOSH": sp.acosh,
    "ARCTANH": sp.atanh,
    "ARCSECH": lambda x: sp.acosh(1 / x),
    "ARCCSCH": lambda x: sp.asinh(1 / x),
    "ARCCOTH": lambda x: sp.atanh(1 / x),
}

_OF_NUMBERS: Mapping[str, Callable[[float], float]] = {
    "ABS": abs,
    "FLOOR": math.floor,
    "CEILING": math.ceil,
    "EXP": math.exp,
    "LN": math.log,
    "SIN": math.sin,
    "COS": math.cos,
    "TAN": math.tan,
    "SEC": lambda x: 1.0 / math.cos(x),
    "CSC": lambda x: 1.0 / math.sin(x),
    "COT": lambda x: 1.0 / math.tan(x),
    "SINH": math.sinh,
    "COSH": math.cosh,
    "TANH": math.tanh,
    "SECH": lambda x: 1.0 / math.cosh(x),
    "CSCH": lambda x: 1.0 / math.sinh(x),
    "COTH": lambda x: 1.0 / math.tanh(x),
    "ARCSIN": math.asin,
    "ARCCOS": math.acos,
    "ARCTAN": math.atan,
    "ARCSEC": lambda x: math.acos(1.0 / x),
    "ARCCSC": lambda x: math.asin(1.0 / x),
    "ARCCOT": lambda x: math.atan(1.0 / x),
    "ARCSINH": math.asinh,
    "ARCCOSH": math.acosh,
    "ARCTANH": math.atanh,
    "ARCSECH": lambda x: math.acosh(1.0 / x),
    "ARCCSCH": lambda x: math.asinh(1.0 / x),
    "ARCCOTH": lambda x: math.atanh(1.0 / x),
}


@lru_cache(maxsize=1)
def constants() -> Mapping[int, Any]:
    """Return what the constants of libsbml's trees mean, by type of node."""
    lib = sbml_library()
    return {
        lib.AST_NAME_TIME: TIME,
        lib.AST_NAME_AVOGADRO: sp.Float(AVOGADRO),
        lib.AST_CONSTANT_E: sp.Float(math.e),
        lib.AST_CONSTANT_PI: sp.Float(math.pi),
        lib.AST_CONSTANT_TRUE: sp.true,
        lib.AST_CONSTANT_FALSE: sp.false,
    }


@lru_cache(maxsize=1)
def builders() -> Mapping[int, Callable[[Sequence[Any]], Any]]:
    """Return what builds an expression from its arguments, by type of node."""
    lib = sbml_library()
    by_name = {f"FUNCTION_{name}": _of_one(build, name) for name, build in _ONE_ARGUMENT.items()}
    by_name |= {
        "PLUS": _of_all(sp.Add),
        "TIMES": _of_all(sp.Mul),
        "MINUS": _minus,
        "DIVIDE": _divide,
        "POWER": _power,
        "FUNCTION_POWER": _power,
        "FUNCTION_ROOT": _root,
        "FUNCTION_LOG": _logarithm,
        "FUNCTION_FACTORIAL": _factorial,
        "FUNCTION_MIN": _of_all(sp.Min),
        "FUNCTION_MAX": _of_all(sp.Max),
        "FUNCTION_QUOTIENT": _quotient,
        "FUNCTION_REM": _remainder,
        "RELATIONAL_EQ": _equal,
        "RELATIONAL_NEQ": _different,
        "RELATIONAL_LT": _relation(sp.StrictLessThan),
        "RELATIONAL_LEQ": _relation(sp.LessThan),
        "RELATIONAL_GT": _relation(sp.StrictGreaterThan),
        "RELATIONAL_GEQ": _relation(sp.GreaterThan),
        "LOGICAL_AND": lambda parts: sp.And(*map(as_condition, parts)),
        "LOGICAL_OR": lambda parts: sp.Or(*map(as_condition, parts)),
        "LOGICAL_XOR": _exclusive,
        "LOGICAL_NOT": _negation,
        "LOGICAL_IMPLIES": _implication,
    }
    return {getattr(lib, f"AST_{name}"): build for name, build in by_name.items()}
