"""Derivatives of formulas, switches and zeros included."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from statera.numerics.derivative import derivative, steps_on
from statera.numerics.expression import evaluate, parse, symbol

NAMES = ("x", "y", "h")
POINTS = {"x": 0.7, "y": 1.9, "h": 2.3}


@pytest.mark.parametrize(
    "text",
    [
        "x^h*y/(y^h + x^h)",
        "exp(-x*y)*log(y) + sqrt(x)",
        "expit(x - y) + logit(x)",
        "min(x*y, h) + max(x, y, h)*abs(x - y)",
        "where(x > y, x*h, where(h > 2, x^2*y, y))*x",
        "where(x < y, 1, 2)*x",
        "max(x, 0.2)^h",
        "x^2*y + x^-1",
        "y^x + x^y",
        "min(x, y, 2)*x",
        "abs(x - 3)*y",
        "7",
    ],
)
def test_against_differences(text: str) -> None:
    expression = parse(text, NAMES)
    for name in NAMES:
        step = 1e-3

        def at(k: int, name: str = name, step: float = step) -> float:
            return float(evaluate(expression, POINTS | {name: POINTS[name] + k * step}))

        expected = (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + at(3) - at(-3)) / (60 * step)
        found = float(evaluate(derivative(expression, symbol(name)), POINTS))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("exponent", ["h", "2", "1.5"])
def test_powers_of_zero_have_derivatives(exponent: str) -> None:
    hill = parse(f"x^{exponent}/(y^{exponent} + x^{exponent})", NAMES)
    at_zero = {"x": 0.0, "y": 1.9, "h": 2.3}
    for name in NAMES:
        assert float(evaluate(derivative(hill, symbol(name)), at_zero)) == 0.0


def test_switches_over_arrays() -> None:
    expression = parse("max(x, y)*2 + abs(x)", NAMES)
    found = evaluate(derivative(expression, symbol("x")), {"x": np.array([-3.0, 2.0]), "y": 1.0})
    np.testing.assert_array_equal(found, [-1.0, 3.0])


def test_a_step_is_recognised() -> None:
    assert steps_on(parse("where(x > 1, y, h)", NAMES), [symbol("x")])
    assert not steps_on(parse("where(y > 1, x, h)", NAMES), [symbol("x")])
    assert not steps_on(parse("max(x, y)", NAMES), [symbol("x")])


@pytest.mark.parametrize("exponent", ["h", "3"])
def test_second_derivatives_follow_the_same_rules(exponent: str) -> None:
    expression = parse(f"where(x > y, 0, x^{exponent})*max(x, h) + abs(x - y)^2", NAMES)
    for one in NAMES:
        for two in NAMES:
            slope = derivative(expression, symbol(one))
            step = 1e-3

            def at(k: int, slope: sp.Expr = slope, two: str = two, step: float = step) -> float:
                return float(evaluate(slope, POINTS | {two: POINTS[two] + k * step}))

            wanted = (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + at(3) - at(-3)) / (60 * step)
            found = float(evaluate(derivative(slope, symbol(two)), POINTS))
            assert found == pytest.approx(wanted, rel=1e-8, abs=1e-9)
            at_zero = evaluate(derivative(slope, symbol(two)), POINTS | {"x": 0.0})
            assert np.isfinite(at_zero)


@pytest.mark.parametrize(
    "name",
    ["sin", "cos", "tan", "asin", "acos", "atan",
     "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"],
)  # fmt: skip
def test_circular_and_hyperbolic_functions(name: str) -> None:
    x = symbol("x")
    at = 1.7 if name == "acosh" else 0.3
    inner = x**2 + x - at**2  # at itself where x is at
    ours = derivative(getattr(sp, name)(inner), x).subs(x, at)
    assert float(ours) == pytest.approx(float(sp.diff(getattr(sp, name)(inner), x).subs(x, at)))


def test_steps_are_flat() -> None:
    x = symbol("x")
    assert derivative(x * sp.floor(2 * x) + sp.ceiling(x), x) == sp.floor(2 * x)
