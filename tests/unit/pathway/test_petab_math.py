from __future__ import annotations

import math

import pytest
import sympy as sp

from statera.numerics.expression import ExpressionError, symbol
from statera.pathway.petab_math import parse_petab

VALUES = {"a": 2.0, "b": 3.0, "lambda": 0.5}


def value(text: str) -> float:
    found = parse_petab(text, VALUES)
    return float(found.subs({symbol(n): v for n, v in VALUES.items()} | {symbol("t"): 7.0}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b*lambda", 3.5),
        ("-a^2", -4.0),
        ("a^-b", 0.125),
        ("a^b^a", 512.0),
        ("2**3", 8.0),
        ("6/2/3", 1.0),
        ("a - -b", 5.0),
        ("1.5e1 + .5", 15.5),
        ("time/7", 1.0),
        ("log(exp(a))", 2.0),
        ("ln(a)", math.log(2.0)),
        ("log(8, 2)", 3.0),
        ("log10(1000)", 3.0),
        ("log2(b)", math.log2(3.0)),
        ("pow(a, b)", 8.0),
        ("min(a, b) + max(a, b, 4)", 6.0),
        ("piecewise(1, a > b, 2, a == 2 && b > 2, 3)", 2.0),
        ("piecewise(1, a > b || !(b > a), 3)", 3.0),
        ("(a < b) + (a > b)", 1.0),
        ("true + 1", 2.0),
        ("abs(-a)*sign(-b)", -2.0),
        ("tanh(a) + arcsin(lambda)", math.tanh(2.0) + math.asin(0.5)),
    ],
)
def test_a_formula_means_what_the_format_says(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("a + c", "'c' is not defined", 5),
        ("a b", "'b' is not expected here", 3),
        ("(a + b", "the formula ends where ')' is expected", 7),
        ("a + ", "the formula ends where a number or a name is expected", 4),
        ("foo(a)", "'foo' is not a known function", 1),
        ("exp(a, b)", "'exp' takes 1 arguments, 2 given", 1),
        ("a / 0", "division by zero", 3),
        ("a $ b", "'$' is not allowed in a formula", 3),
        ("9^9^9^9", "this power has no real and finite value", 4),
        ("piecewise(1, a > b, 2, a > 1)", "'piecewise' needs a last value for all other cases", 1),
        ("a.__class__", "'.' is not allowed in a formula", 2),
    ],
)
def test_a_bad_formula_is_named_with_its_column(text: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_petab(text, VALUES)
    assert str(caught.value) == message
    assert caught.value.column == column


def test_deep_nesting_ends_in_a_sentence() -> None:
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse_petab("(" * 5000 + "a" + ")" * 5000, VALUES)
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse_petab("-" * 5000 + "a", VALUES)


def test_a_name_that_python_keeps_for_itself_is_a_name() -> None:
    assert parse_petab("lambda", VALUES) == symbol("lambda")
    assert isinstance(parse_petab("a < b", VALUES), sp.Piecewise)
