"""Derivatives of formulas against differences of their values."""

from __future__ import annotations

import numpy as np
import pytest

from statera.numerics.expression import evaluate, parse, symbol
from statera.numerics.slopes import slope

FORMULAS = [
    "a*x + b*x*y - t", "x^2*y + x^-1", "x^h/(a^h + x^h)", "exp(-a*x)*log(b + x)", "sqrt(x*y)",
    "a^x", "x^y", "min(x, y, 2)*x", "max(a*x, y)", "abs(x - 3)*y", "where(x < y, x^2, y*x)",
    "expit(x) + logit(0.2*x)", "7",
]  # fmt: skip
VALUES = {"x": 1.3, "y": 0.7, "a": 0.9, "b": 2.0, "h": 2.5, "t": 0.4}


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("name", ["x", "y", "t"])
def test_agrees_with_differences(formula: str, name: str) -> None:
    expression = parse(formula, VALUES)
    step = 1e-5
    above, below = ({**VALUES, name: VALUES[name] + d} for d in (step, -step))
    expected = (evaluate(expression, above) - evaluate(expression, below)) / (2 * step)
    found = evaluate(slope(expression, symbol(name)), VALUES)
    assert float(found) == pytest.approx(float(expected), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("exponent", "expected"), [("h", 0.0), ("2", 0.0), ("1.5", 0.0)])
def test_slope_of_a_power_at_zero_is_a_number(exponent: str, expected: float) -> None:
    found = slope(parse(f"x^{exponent}/(1 + x^{exponent})", VALUES), symbol("x"))
    assert np.asarray(evaluate(found, VALUES | {"x": 0.0})) == expected
