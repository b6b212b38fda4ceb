"""Every function of SBML's formulas, against the math module."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import sympy as sp
from tests.network_course import functions
from tests.sbml_texts import mathml, sbml

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.network import TIME
from statera.pathway.sbml_functions import AVOGADRO
from statera.pathway.sbml_read import read_sbml

_CASES: dict[str, Callable[[float, float], float]] = {
    "x + y + 1": lambda x, y: x + y + 1,
    "x - y": lambda x, y: x - y,
    "-x": lambda x, y: -x,
    "x * y / 3": lambda x, y: x * y / 3,
    "x^y": lambda x, y: x**y,
    "sqr(x)": lambda x, y: x * x,
    "sqrt(x)": lambda x, y: math.sqrt(x),
    "root(3, x)": lambda x, y: x ** (1 / 3),
    "abs(x - 5)": lambda x, y: abs(x - 5),
    "exp(x)": lambda x, y: math.exp(x),
    "ln(x)": lambda x, y: math.log(x),
    "log10(x)": lambda x, y: math.log10(x),
    "log(3, x)": lambda x, y: math.log(x, 3),
    "floor(x * 3)": lambda x, y: math.floor(x * 3),
    "ceil(x * 3)": lambda x, y: math.ceil(x * 3),
    "factorial(4)": lambda x, y: 24,
    "factorial(x)": lambda x, y: math.gamma(x + 1),
    "min(x, y, 2)": lambda x, y: min(x, y, 2),
    "max(x, y, 2)": lambda x, y: max(x, y, 2),
    "rem(7 * x, 2 * y)": lambda x, y: math.fmod(7 * x, 2 * y),
    "rem(-7 * x, 2 * y)": lambda x, y: math.fmod(-7 * x, 2 * y),
    "quotient(7 * x, 2 * y)": lambda x, y: math.trunc(7 * x / (2 * y)),
    "quotient(-7 * x, 2 * y)": lambda x, y: math.trunc(-7 * x / (2 * y)),
    "sin(x)": lambda x, y: math.sin(x),
    "cos(x)": lambda x, y: math.cos(x),
    "tan(x)": lambda x, y: math.tan(x),
    "sec(x)": lambda x, y: 1 / math.cos(x),
    "csc(x)": lambda x, y: 1 / math.sin(x),
    "cot(x)": lambda x, y: 1 / math.tan(x),
    "sinh(x)": lambda x, y: math.sinh(x),
    "cosh(x)": lambda x, y: math.cosh(x),
    "tanh(x)": lambda x, y: math.tanh(x),
    "sech(x)": lambda x, y: 1 / math.cosh(x),
    "csch(x)": lambda x, y: 1 / math.sinh(x),
    "coth(x)": lambda x, y: 1 / math.tanh(x),
    "arcsin(y)": lambda x, y: math.asin(y),
    "arccos(y)": lambda x, y: math.acos(y),
    "arctan(x)": lambda x, y: math.atan(x),
    "arcsec(x)": lambda x, y: math.acos(1 / x),
    "arccsc(x)": lambda x, y: math.asin(1 / x),
    "arccot(x)": lambda x, y: math.atan(1 / x),
    "arcsinh(x)": lambda x, y: math.asinh(x),
    "arccosh(x)": lambda x, y: math.acosh(x),
    "arctanh(y)": lambda x, y: math.atanh(y),
    "arcsech(y)": lambda x, y: math.acosh(1 / y),
    "arccsch(x)": lambda x, y: math.asinh(1 / x),
    "arccoth(x)": lambda x, y: math.atanh(1 / x),
    "pi + exponentiale": lambda x, y: math.pi + math.e,
    "avogadro * 1e-23": lambda x, y: AVOGADRO * 1e-23,
    "time + x": lambda x, y: 2.0 + x,
    "x > y": lambda x, y: 1,
    "piecewise(1, x < y, 2, x > y, 3)": lambda x, y: 2,
    "piecewise(1, x < y, 5)": lambda x, y: 5,
    "piecewise(1, x > y && y > 0 && !(x > 9), 2)": lambda x, y: 1,
    "piecewise(1, x < y || y > 0, 2)": lambda x, y: 1,
    "piecewise(1, xor(x > y, y > 0, x > 0), 2)": lambda x, y: 1,
    "piecewise(1, xor(x > y, y > 0), 2)": lambda x, y: 2,
    "piecewise(1, implies(x > y, y < 0), 2)": lambda x, y: 2,
    "piecewise(1, implies(x < y, y < 0), 2)": lambda x, y: 1,
    "piecewise(1, x == 1.5, 2)": lambda x, y: 1,
    "piecewise(1, x != 1.5, 2)": lambda x, y: 2,
    "piecewise(1, x >= y, 2) + piecewise(1, x <= y, 2)": lambda x, y: 3,
    "piecewise(1, (x > y) == (y > 0), 2)": lambda x, y: 1,
    "piecewise(1, (x > y) != (y > 0), 2)": lambda x, y: 2,
    "piecewise(1, piecewise(x > y, y > 0, x < y), 2)": lambda x, y: 1,
    "piecewise(1, x - 1.5, 2)": lambda x, y: 2,
    "piecewise(3, true, 2) + piecewise(3, false, 2)": lambda x, y: 5,
    "6e23 * 1e-23": lambda x, y: 6.0,
}


def _formula(text: str) -> sp.Expr:
    return read_sbml(_text(mathml(text))).assigned["z"]


def _text(formula: str) -> str:
    return sbml(
        '<parameter id="x" value="1.5"/><parameter id="y" value="0.5"/><parameter id="z"'
        f' constant="false"/><assignmentRule variable="z">{formula}</assignmentRule>'
    )


@pytest.mark.parametrize("text", _CASES)
def test_value(text: str) -> None:
    network = read_sbml(_text(mathml(text)))
    found = functions(network, [symbol("z")])(2.0, [])[0]
    assert found == pytest.approx(_CASES[text](1.5, 0.5), rel=1e-14)


def test_conditions_are_relations_joined_by_and_and_or() -> None:
    formula = _formula("piecewise(1, !(xor(x > y, implies(y > 0, x == 2))), 0)")
    logic = formula.atoms(sp.Not, sp.Xor, sp.Implies, sp.ITE)
    assert not logic
    assert formula.atoms(sp.Or, sp.And)


def test_nothing_said_of_otherwise_is_no_number() -> None:
    formula = _formula("piecewise(1, x > time)")
    assert formula.args[0] == (1, symbol("x") > TIME)
    assert formula.args[1] == (sp.nan, sp.true)


@pytest.mark.parametrize(
    ("inner", "value"),
    [
        ("<lt/><cn>1</cn><cn>3</cn><cn>2</cn>", 0),
        ("<lt/><cn>1</cn><cn>2</cn><cn>3</cn>", 1),
        ("<eq/><cn>2</cn><cn>2</cn><ci>y</ci>", 0),
        ("<plus/>", 0),
        ("<times/>", 1),
        ("<and/>", 1),
        ("<or/>", 0),
        ("<xor/>", 0),
    ],
)
def test_any_number_of_arguments(inner: str, value: float) -> None:
    text = f'<math xmlns="http://www.w3.org/1998/Math/MathML"><apply>{inner}</apply></math>'
    assert functions(read_sbml(_text(text)), [symbol("z")])(0.0, [])[0] == value


def test_sums_are_not_multiplied_out() -> None:
    x, y = symbol("x"), symbol("y")
    assert _formula("x * (x + y) * (x - y)^3") == x * (x + y) * (x - y) ** 3


def test_numbers_are_kept_to_the_last_digit() -> None:
    written = '<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/>{}</apply></math>'
    parts = '<cn type="e-notation">6.02214<sep/>23</cn><cn type="rational">1<sep/>3</cn>'
    network = read_sbml(_text(written.format(parts + "<ci>x</ci>")))
    assert network.assigned["z"] == sp.Float(6.02214e23) + sp.Rational(1, 3) + symbol("x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x + nothing", "uses 'nothing', which is not defined"),
        ("f(x)", "calls 'f', which is no function of this file"),
        ("delay(x, 1)", "uses 'delay', which is not supported"),
        ("1 / 0", "has a formula without a real value"),
        ("sqrt(-2)", "has a formula without a real value"),
    ],
)
def test_what_is_not_supported_is_named(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        _formula(text)
    assert f"assignment rule of 'z' {says}" in caught.value.what
    assert str(caught.value.where).startswith("<text>:")


@pytest.mark.parametrize(
    ("text", "value"),
    [("floor(exp(exp(exp(9))))", sp.oo), ("2^(3^(4^5))", sp.oo), ("factorial(1e6)", sp.oo),
     ("rem(7, -2)", 1), ("exp(1) - exponentiale", 0), ("sin(pi / 2)", 1)],
)  # fmt: skip
def test_functions_of_numbers_come_to_an_end(text: str, value: sp.Expr) -> None:
    assert _formula(text) == value


def test_powers_of_products_come_to_an_end() -> None:
    assert _formula("(0.5 * x + 2 * x)^1e9").has(symbol("x"))


def test_functions_that_call_themselves_are_refused() -> None:
    body = '<functionDefinition id="f"><m>lambda(a, g(a))</m></functionDefinition>'
    body += '<functionDefinition id="g"><m>lambda(a, f(a))</m></functionDefinition>'
    body += '<parameter id="z" constant="false"/>'
    body += '<assignmentRule variable="z"><m>f(2)</m></assignmentRule>'
    with pytest.raises(InputError, match="'z' calls the function 'f', which calls itself"):
        read_sbml(sbml(body))


def test_functions_are_called_with_as_many_arguments_as_they_take() -> None:
    body = '<functionDefinition id="f"><m>lambda(a, b, a * b)</m></functionDefinition>'
    body += '<parameter id="z" constant="false"/>'
    body += '<assignmentRule variable="z"><m>f(2)</m></assignmentRule>'
    with pytest.raises(InputError, match="calls 'f' with 1 arguments where it takes 2"):
        read_sbml(sbml(body))
