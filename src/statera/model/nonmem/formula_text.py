"""An expression written in the grammar of model files."""

from __future__ import annotations

from typing import Any

import sympy as sp

from statera.numerics.special_symbols import SPECIAL_NAMES

__all__ = ["formula_text"]

_FUNCTIONS = {"exp": "exp", "log": "log", "Abs": "abs", "Min": "min", "Max": "max"}
_TESTS = {
    sp.StrictLessThan: "<", sp.LessThan: "<=", sp.StrictGreaterThan: ">", sp.GreaterThan: ">=",
    sp.Equality: "==",
}  # fmt: skip


def formula_text(node: Any) -> str:
    """Return the formula of an expression of `statera.numerics.expression`."""
    name = node.func.__name__
    if node.is_Symbol:
        return str(node.name)
    if node.is_Integer or node.is_Float:
        text = str(int(node)) if node.is_Integer else repr(float(node))
        return f"({text})" if text.startswith("-") else text
    if node.is_number and not node.args:
        return (
            f"({formula_text(sp.Integer(node.p))}/{node.q})"
            if node.is_Rational
            else repr(float(node))
        )
    if isinstance(node, sp.Piecewise):
        text = formula_text(node.args[-1][0])
        for value, condition in reversed(node.args[:-1]):
            left, right = (formula_text(a) for a in condition.args)
            test = _TESTS[condition.func]
            text = f"where({left} {test} {right}, {formula_text(value)}, {text})"
        return text
    if node.is_Add:
        text = " + ".join(formula_text(a) for a in node.args)
        return f"({text.replace('+ -', '- ')})"
    if node.is_Mul:
        return _product(node)
    parts = [formula_text(a) for a in node.args]
    if node.is_Pow:
        if node.exp.is_Integer and node.exp < 0:
            return _product(node)
        if node.exp == sp.Rational(1, 2):
            return f"sqrt({parts[0][1:-1] if node.base.is_Add else parts[0]})"
        base = parts[0] if node.base.is_Symbol or node.base.is_Add else f"({parts[0]})"
        exponent = parts[1] if node.exp.is_Symbol or node.exp.is_Integer else f"({parts[1]})"
        return f"{base}^{exponent}"
    name = _FUNCTIONS.get(name) or SPECIAL_NAMES[name]
    inside = [p[1:-1] if a.is_Add else p for p, a in zip(parts, node.args, strict=True)]
    return f"{name}({', '.join(inside)})"


def _product(node: Any) -> str:
    """Return a product as a fraction, its sign in front."""
    over: list[str] = []
    under: list[str] = []
    sign = ""
    for factor in node.args if node.is_Mul else (node,):
        if factor.is_Number and not factor.is_Float:
            sign = "-" if factor < 0 else ""
            over += [str(abs(factor.p))] if abs(factor.p) != 1 else []
            under += [str(factor.q)] if factor.q != 1 else []
        elif factor.is_Pow and factor.exp.is_Integer and factor.exp < 0:
            under.append(formula_text(factor.base ** (-factor.exp)))
        else:
            over.append(formula_text(factor))
    below = f"/({'*'.join(under)})" if len(under) > 1 else f"/{under[0]}" if under else ""
    return sign + ("*".join(over) or "1") + below
