"""Expressions as MathML, the way SBML has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import sympy as sp

from statera.errors import InputError
from statera.pathway.network import TIME

__all__ = ["math_element"]

_MATHML = "http://www.w3.org/1998/Math/MathML"
_TIME = "http://www.sbml.org/sbml/symbols/time"
_FUNCTIONS = {
    "exp": "exp", "log": "ln", "Abs": "abs", "floor": "floor", "ceiling": "ceiling",
    "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "Min": "min", "Max": "max", "And": "and", "Or": "or", "Not": "not",
    "StrictLessThan": "lt", "LessThan": "leq", "StrictGreaterThan": "gt", "GreaterThan": "geq",
    "Equality": "eq", "Unequality": "neq",
}  # fmt: skip
_CONSTANTS = {
    sp.E: "exponentiale",
    sp.pi: "pi",
    sp.true: "true",
    sp.false: "false",
    sp.nan: "notanumber",
    sp.oo: "infinity",
}


def math_element(formula: Any) -> ET.Element:
    """Return the element ``math`` of an expression or a condition.

    Raises
    ------
    InputError
        If the formula holds a function that SBML has not.
    """
    element = ET.Element("math", xmlns=_MATHML)
    element.append(_node(formula))
    return element


def _element(tag: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.Element(tag, attributes)
    element.text = text or None
    return element


def _apply(tag: str, arguments: Sequence[Any]) -> ET.Element:
    element = _element("apply")
    element.append(_element(tag))
    element.extend(a if isinstance(a, ET.Element) else _node(a) for a in arguments)
    return element


def _node(formula: Any) -> ET.Element:
    if formula == TIME:
        return _element("csymbol", "time", encoding="text", definitionURL=_TIME)
    if formula.is_Symbol:
        return _element("ci", formula.name)
    if formula in _CONSTANTS:
        return _element(_CONSTANTS[formula])
    if formula.is_Number:
        return _number(formula)
    if formula.is_Add:
        return _sum(formula)
    if formula.is_Mul:
        return _product(formula)
    if formula.is_Pow:
        return _power(formula)
    if isinstance(formula, sp.Piecewise):
        return _piecewise(formula)
    name = formula.func.__name__
    if name == "exp" and isinstance(formula.args[0], sp.loggamma):
        return _apply("factorial", [formula.args[0].args[0] - 1])
    if name == "loggamma":
        return _apply("ln", [_apply("factorial", [formula.args[0] - 1])])
    if name not in _FUNCTIONS:
        raise InputError(f"SBML has no function '{name}'", where=str(formula)[:60])
    return _apply(_FUNCTIONS[name], formula.args)


def _number(value: sp.Expr) -> ET.Element:
    if value == -sp.oo:
        return _apply("minus", [sp.oo])
    if value.is_Integer:
        return _element("cn", str(value), type="integer")
    if value.is_Rational:
        return _in_two(str(value.p), str(value.q), "rational")
    written = repr(float(value))
    if "e" in written:
        digits, _, exponent = written.partition("e")
        return _in_two(digits, exponent, "e-notation")
    return _element("cn", written)


def _in_two(first: str, second: str, kind: str) -> ET.Element:
    element = _element("cn", first, type=kind)
    separator = ET.SubElement(element, "sep")
    separator.tail = str(int(second))
    return element


def _sum(formula: sp.Expr) -> ET.Element:
    terms = list(formula.as_ordered_terms())
    if len(terms) == 2 and terms[1].could_extract_minus_sign():
        return _apply("minus", [terms[0], -terms[1]])
    return _apply("plus", terms)


def _product(formula: sp.Expr) -> ET.Element:
    coefficient, rest = formula.as_coeff_Mul()
    if coefficient == -1:
        return _apply("minus", [rest])
    above: list[sp.Expr] = []
    below: list[sp.Expr] = []
    for factor in formula.args:
        if factor.is_Pow and factor.exp.is_Number and factor.exp.is_negative:
            below.append(factor.base if factor.exp == -1 else sp.Pow(factor.base, -factor.exp))
        elif factor.is_Rational and not factor.is_Integer:
            above += [sp.Integer(factor.p)] if factor.p != 1 else []
            below.append(sp.Integer(factor.q))
        else:
            above.append(factor)
    if not below:
        return _apply("times", above)
    top = _node(sp.Integer(1)) if not above else _times(above)
    return _apply("divide", [top, _times(below)])


def _times(factors: Sequence[sp.Expr]) -> ET.Element:
    return _node(factors[0]) if len(factors) == 1 else _apply("times", factors)


def _power(formula: sp.Expr) -> ET.Element:
    base, exponent = formula.args
    if exponent == -1:
        return _apply("divide", [sp.Integer(1), base])
    if exponent == sp.Rational(1, 2):
        return _apply("root", [base])
    return _apply("power", [base, exponent])


def _piecewise(formula: sp.Expr) -> ET.Element:
    element = _element("piecewise")
    for value, condition in formula.args:
        if condition == sp.true:
            if value is not sp.nan:
                last = ET.SubElement(element, "otherwise")
                last.append(_node(value))
            break
        piece = ET.SubElement(element, "piece")
        piece.extend([_node(value), _node(condition)])
    return element
