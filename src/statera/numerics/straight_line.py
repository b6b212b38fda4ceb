"""Generated arithmetic straight to machine code, without inference of types.

A large right-hand side is thousands of lines of arithmetic on float64. Most of the time to compile
it as a general function goes into finding out just that. Here its lines, a small subset of Python,
are read as text and handed to the compiler's back end one by one.

What may stand in them: assignments to names and to numbers of arrays, ``+ - * / **``, comparisons,
``and or not``, ``a if b else c`` (both are computed), ``abs min max``, functions of ``math`` and of
`statera.numerics.special`, ``floored_power`` and ``floored_root``, and ``if c: return 1`` with
``return 0`` at the end, which together give whether any such c held. What is read from an array is
read once: a function must not read what it has written.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from statera.numerics import special
from statera.numerics.powers import LEAST_BASE

__all__ = ["straight_line", "straight_line_of_three"]

_F, _I, _B = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
_INTRINSIC = {"exp": "exp", "log": "log", "sqrt": "sqrt", "sin": "sin", "cos": "cos",
              "floor": "floor", "ceil": "ceil", "fabs": "fabs"}  # fmt: skip
_LARGEST_POWER = 32
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


class _Writer:
    """Writes the lines of one function.

    Parameters
    ----------
    context, builder
        Of the compiler.
    arguments
        Values of the function's arguments by name; arrays as pointers to their first number.
    """

    def __init__(self, context: Any, builder: Any, arguments: Mapping[str, Any]) -> None:
        self.context, self.builder = context, builder
        self.names: dict[str, Any] = dict(arguments)
        self.read: dict[str, Any] = {}
        self.failed = ir.Constant(_B, 0)

    def line(self, node: ast.stmt) -> None:
        """Write a statement."""
        match node:
            case ast.Assign(targets=[target], value=value):
                logical = isinstance(value, ast.Compare | ast.BoolOp) or (
                    isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
                )
                self.assign(target, self.truth(value) if logical else self.number(value))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                spelled = ast.BinOp(ast.Name(name, ast.Load()), op, value)
                self.names[name] = self.number(spelled)
            case ast.If(test=test, body=[ast.Return(value=ast.Constant(value=1))]):
                self.failed = self.builder.or_(self.failed, self.truth(test))
            case ast.Return(value=ast.Constant(value=1)):
                self.failed = ir.Constant(_B, 1)
            case ast.Return():
                return
            case _:
                raise _outside(node)

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
            return
        assert isinstance(target, ast.Subscript)
        self.builder.store(value, self.place(target))

    def place(self, node: ast.Subscript) -> Any:
        assert isinstance(node.value, ast.Name)
        return self.builder.gep(self.names[node.value.id], [self.whole(node.slice)], inbounds=True)

    def whole(self, node: ast.expr) -> Any:
        """Return an index."""
        match node:
            case ast.Constant(value=int() as value):
                return ir.Constant(_I, value)
            case ast.Name(id=name):
                return self.names[name]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.builder.add(self.whole(left), self.whole(right))
        raise _outside(node)

    def number(self, node: ast.expr) -> Any:
        """Return the value of an expression."""
        match node:
            case ast.Constant(value=value) if isinstance(value, int | float):
                return ir.Constant(_F, float(value))
            case ast.Name(id=name):
                return self.names[name]
            case ast.Attribute(attr=name):
                return ir.Constant(_F, float(getattr(math, name)))
            case ast.Subscript():
                key = ast.unparse(node)
                if key not in self.read:
                    self.read[key] = self.builder.load(self.place(node))
                return self.read[key]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.builder.fneg(self.number(operand))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self.power(left, right)
            case ast.BinOp(left=left, op=op, right=right):
                return self.combined(op, self.number(left), self.number(right))
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.builder.select(self.truth(test), self.number(body), self.number(other))
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, [self.number(a) for a in args])
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), args=args):
                return self.call(f"{module}.{name}", [self.number(a) for a in args])
        raise _outside(node)

    def combined(self, op: ast.operator, left: Any, right: Any) -> Any:
        build = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}[type(op)]
        return getattr(self.builder, build)(left, right)

    def power(self, left: ast.expr, right: ast.expr) -> Any:
        base = self.number(left)
        exponent = _constant(right)
        if exponent is None:
            return self.from_library("pow", [base, self.number(right)])
        if exponent.is_integer() and 0 < abs(exponent) <= _LARGEST_POWER:
            found = None
            count, square = abs(int(exponent)), base
            while count:
                if count & 1:
                    found = square if found is None else self.builder.fmul(found, square)
                count >>= 1
                if count:
                    square = self.builder.fmul(square, square)
            return found if exponent > 0 else self.builder.fdiv(ir.Constant(_F, 1.0), found)
        return self.from_library("pow", [base, ir.Constant(_F, exponent)])

    def truth(self, node: ast.expr) -> Any:
        """Return whether a condition holds."""
        match node:
            case ast.Constant(value=bool() as holds):
                return ir.Constant(_B, int(holds))
            case ast.Name(id=name):
                return self.names[name]
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.builder.not_(self.truth(operand))
            case ast.BoolOp(op=op, values=values):
                build = self.builder.and_ if isinstance(op, ast.And) else self.builder.or_
                found = self.truth(values[0])
                for value in values[1:]:
                    found = build(found, self.truth(value))
                return found
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                sign = _COMPARE[type(op)]
                compare = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
                return compare(sign, self.number(left), self.number(right))
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.builder.select(self.truth(test), self.truth(body), self.truth(other))
        raise _outside(node)

    def call(self, name: str, values: list[Any]) -> Any:
        b = self.builder
        if name in {"min", "max"}:
            found = values[0]
            for value in values[1:]:
                first = b.fcmp_ordered("<" if name == "min" else ">", value, found)
                found = b.select(first, value, found)
            return found
        if name == "abs":
            return self.from_library("fabs", values)
        if name in {"floored_power", "floored_root"}:
            least = ir.Constant(_F, LEAST_BASE if name == "floored_power" else 0.0)
            base = b.select(b.fcmp_ordered("<", values[0], least), least, values[0])
            if name == "floored_root":
                return self.from_library("sqrt", [base])
            return self.from_library("pow", [base, values[1]])
        module, function = name.split(".")
        if module == "math" and function in _INTRINSIC:
            return self.from_library(_INTRINSIC[function], values)
        signature = types.float64(*[types.float64] * len(values))
        return self.context.compile_internal(b, _called(module, function), signature, values)

    def from_library(self, name: str, values: list[Any]) -> Any:
        kind = ir.FunctionType(_F, [_F] * len(values))
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.f64")
        return self.builder.call(function, values)


def _constant(node: ast.expr) -> float | None:
    """Return an exponent that is written as a number."""
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _constant(operand)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = _constant(left), _constant(right)
            return above / below if above is not None and below else None
    return None


def _called(module: str, name: str) -> Callable[..., float]:
    """Return a function for the compiler that calls one of `math` or `special`."""
    function = getattr(special if module == "special" else math, name)
    if name in {"polygamma", "atan2", "fmod", "hypot", "pow"}:

        def two(x: float, y: float) -> float:
            return float(function(x, y))

        return two

    def one(x: float) -> float:
        return float(function(x))

    return one


def _emit(text: str, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    given = {}
    for name, kind, value in zip(function.args.args, signature.args, arguments, strict=True):
        if isinstance(kind, types.Array):
            value = context.make_array(kind)(context, builder, value).data  # noqa: PLW2901
        given[name.arg] = value
    writer = _Writer(context, builder, given)
    for node in function.body:
        writer.line(node)
    return builder.zext(writer.failed, _I)


def _outside(node: ast.AST) -> TypeError:
    """Return the error for a line that this subset of Python does not hold."""
    return TypeError(
        f"generated code holds '{ast.unparse(node)}', which is no straight-line arithmetic"
    )


def straight_line(text: str) -> Any:
    """Return what a compiled function of the type `MODEL_CALL` calls to do what `text` says.

    Parameters
    ----------
    text
        A function of ``t, x, at, p, out, base``.
    """

    @intrinsic
    def written(typing: Any, t: Any, x: Any, at: Any, p: Any, out: Any, base: Any) -> Any:
        signature = types.int64(t, x, at, p, out, base)
        return signature, lambda *given: _emit(text, *given)

    return written


def straight_line_of_three(text: str) -> Any:
    """Return what `straight_line` does for a function of three arguments."""

    @intrinsic
    def written(typing: Any, first: Any, second: Any, third: Any) -> Any:
        signature = types.int64(first, second, third)
        return signature, lambda *given: _emit(text, *given)

    return written
