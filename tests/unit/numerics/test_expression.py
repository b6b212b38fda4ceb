"""Formulas: what they mean, where errors stand, and that nothing else is let in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from statera.numerics.expression import ExpressionError, evaluate, free_names, parse

NAMES = {"a", "b", "WT"}
A, B = np.array([1.0, 2.0, 5.0]), 3.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b*2 - 1", A + 5),
        ("a^2", A**2),
        ("-a^2", -(A**2)),
        ("2^-1 * a", A / 2),
        ("(a/70)^0.75", (A / 70) ** 0.75),
        ("a^b^0.5", A ** (3**0.5)),
        ("exp(-a)", np.exp(-A)),
        ("log(a) + sqrt(a)", np.log(A) + np.sqrt(A)),
        ("expit(logit(0.3) + 0*a)", np.full(3, 0.3)),
        ("abs(a - 2)", np.abs(A - 2)),
        ("min(a, b, 2)", np.minimum(A, 2)),
        ("max(a, b)", np.maximum(A, 3)),
        ("where(a < b, 1, 0)", [1, 1, 0]),
        ("where(a <= 2, 1, 0)", [1, 1, 0]),
        ("where(a > 2, 1, 0)", [0, 0, 1]),
        ("where(a >= 2, 1, 0)", [0, 1, 1]),
        ("where(a == 2, 1, 0)", [0, 1, 0]),
        ("where(a < 2, 10, where(a < 4, 20, 30))", [10, 20, 30]),
        ("where(a < 4, where(a < 2, 10, 20), 30)", [10, 20, 30]),
        ("where(a < 2, 10, 20)*where(a < 2, 10, 20)", [100, 400, 400]),
        ("1/3 * a", A / 3),
        ("exp((exp(a)^0.501 - 1)/0.501)", np.exp((np.exp(A) ** 0.501 - 1) / 0.501)),
    ],
)
def test_meaning(text: str, expected: object) -> None:
    found = evaluate(parse(text, NAMES), {"a": A, "b": B})
    np.testing.assert_allclose(np.broadcast_to(found, (3,)), expected, rtol=1e-14)


def test_invalid_operations_give_values_that_are_not_finite() -> None:
    values = {"a": np.array([-1.0, 0.0]), "b": 1.0}
    assert np.isnan(evaluate(parse("log(a)", NAMES), values)[0])
    assert np.isinf(evaluate(parse("b/a", NAMES), values)[1])
    assert np.isnan(evaluate(parse("a^0.5", NAMES), values)[0])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a^2 + bb", 7),
        ("a**2 + bb", 8),
        ("  a + (c)", 8),
        ("a^2^1 + foo(a)", 9),
        ("a +\n zz", 6),
        ("a +", 4),
        ("a b", 3),
        ("(a", 1),
        ("1/0", 1),
        ("a + 1/0.0", 5),
        ("a + where(b, 1, 2)", 11),
        ("a + min(a)", 5),
        ("a + sqrt(-1)", 5),
        ("a + log(0)", 5),
        ("a + 1e999", 5),
        ("a + exp(exp(exp(9)))", 9),
        ("a + ((9^9)^9)^9 ^ 9", 5),
    ],
)
def test_column_of_the_error(text: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, NAMES)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "a.b", "a[0]", "[a]", "'a'", "a if b else 1", "lambda: 1", "a := 1", "a, b",
        "__import__('os')", "exp(x=1)", "exp(*a)", "a % b", "a // b", "a @ b", "a and b", "not a",
        "a < b", "a & b", "~a", "True", "None", "1j", "f'{a}'", "a\x00", "a; b", "a # b\nc",
        "where(a < b < 3, 1, 2)", "exp()", "exp(a, b)", "a^65", "(-8)^(1/3)", "0^-1", "b^" * 900,
        "(" * 900 + "a" + ")" * 900, "a" * 2001, "-" * 1900 + "a",
    ],
)  # fmt: skip
def test_what_is_not_a_formula_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text, NAMES)


def test_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(ExpressionError, match="nearest: WT"):
        parse("wT/70", NAMES)
    with pytest.raises(ExpressionError, match="nearest: sqrt"):
        parse("sqr(a)", NAMES)


def test_constants_keep_all_their_digits() -> None:
    for text in ("0.1", "2.897153057105493", "1e-300", "123456789012345678"):
        assert float(evaluate(parse(text, ()), {})) == float(text)
    assert float(evaluate(parse("2^0.5", ()), {})) == math.sqrt(2)


def test_free_names() -> None:
    assert free_names(parse("a*exp(b) + where(WT < 3, 1, 0)", NAMES)) == {"a", "b", "WT"}
