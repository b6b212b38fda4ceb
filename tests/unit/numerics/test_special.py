"""Special functions: compiled, of arrays, in formulas, and their derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
from scipy import special as reference

from statera.numerics import special, special_arrays
from statera.numerics.codegen import compile_system
from statera.numerics.derivative import derivative
from statera.numerics.expression import ExpressionError, evaluate, parse, symbol


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_polygamma_agrees_with_scipy(order: int) -> None:
    for x in (1e-3, 0.2, 1.0, 1.4616, 2.5, 7.0, 14.99, 40.0, 1e4):
        expected = reference.psi(x) if order == 0 else reference.polygamma(order, x)
        assert special.polygamma(order, x) == pytest.approx(float(expected), rel=2e-14, abs=1e-15)
    assert math.isnan(special.polygamma(order, -0.5))
    assert math.isnan(special.polygamma(order, math.nan))


def test_normal_distribution_agrees_with_scipy_far_into_both_tails() -> None:
    for x in (-300.0, -37.6, -30.0, -29.9, -8.0, -1.0, 0.0, 0.7, 4.9, 5.1, 9.0):
        expected = float(reference.log_ndtr(x))
        assert special.lognormcdf(x) == pytest.approx(expected, rel=1e-12)
        assert special.normcdf(x) == pytest.approx(float(reference.ndtr(x)), rel=1e-13)


def test_formulas_hold_them() -> None:
    x = np.array([0.3, 1.0, 6.5])
    for name in ("lgamma", "normcdf", "lognormcdf"):
        formula = parse(f"2*{name}(1.5*x)", ["x"])
        compiled_ = np.array([getattr(special, name)(1.5 * v) for v in x])
        np.testing.assert_allclose(evaluate(formula, {"x": x}), 2 * compiled_, rtol=1e-13)
    assert float(parse("lgamma(5)", [])) == pytest.approx(math.log(24))
    assert float(parse("normcdf(0)", [])) == 0.5
    with pytest.raises(ExpressionError, match="no real and finite value"):
        parse("lgamma(0)", [])
    with pytest.raises(ExpressionError, match="takes 1 argument"):
        parse("normcdf(1, 2)", [])


@pytest.mark.parametrize("name", ["lgamma", "normcdf", "lognormcdf"])
def test_derivatives_to_the_second_order(name: str) -> None:
    formula = parse(f"{name}(x^2 - 0.4)", ["x"])
    x, h = symbol("x"), 1e-5
    points = np.array([0.9, 1.3, 2.0])
    node = formula
    for _ in range(2):
        up, down = (evaluate(node, {"x": points + d}) for d in (h, -h))
        node = derivative(node, x)
        found = evaluate(node, {"x": points})
        np.testing.assert_allclose(found, (up - down) / (2 * h), rtol=1e-7, atol=1e-9)


def test_derivative_of_the_logarithm_holds_where_the_function_underflows() -> None:
    found = evaluate(derivative(parse("lognormcdf(x)", ["x"]), symbol("x")), {"x": -100.0})
    assert float(found) == pytest.approx(100.0 + 1 / 100.0, rel=1e-5)


def test_compiled_systems_hold_them() -> None:
    text = "lgamma(a*x + 1) + normcdf(x) - lognormcdf(x)"
    formula = parse(text, ["x", "a"])
    by_a = derivative(formula, symbol("a"))
    system = compile_system([sp.Integer(0), sp.Integer(0)], [formula, by_a], ["x", "y"], ["a"])
    out = np.zeros(2)
    system.outputs(0.0, np.array([0.8, 0.0]), np.array([2.5]), out, 0)
    expected = [float(evaluate(e, {"x": 0.8, "a": 2.5})) for e in (formula, by_a)]
    np.testing.assert_allclose(out, expected, rtol=1e-13)


def test_arrays_are_not_numbers_outside_of_the_domain() -> None:
    found = special_arrays.polygamma(0, np.array([-1.5, 2.0]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0.42278433509846713, rel=1e-14)
