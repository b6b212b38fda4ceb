"""Tsit5 against the order conditions of Runge-Kutta methods, and its measured order."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning

from statera.numerics.codegen import compile_functions
from statera.numerics.expression import symbol
from statera.numerics.tsit5 import ERROR, A, B, C, interpolate, step


def _conditions() -> list[tuple[int, Any, float]]:
    """Order, elementary weight as a vector over stages, and 1/gamma of all trees to order 5."""
    square = np.hstack([A, np.zeros((7, 1))])
    c, one = C, np.ones(7)
    ac, ac2, ac3 = square @ c, square @ c**2, square @ c**3
    aac, aac2, aaac = square @ ac, square @ ac2, square @ (square @ ac)
    acac = square @ (c * ac)
    return [
        (1, one, 1.0),
        (2, c, 1 / 2),
        (3, c**2, 1 / 3), (3, ac, 1 / 6),
        (4, c**3, 1 / 4), (4, c * ac, 1 / 8), (4, ac2, 1 / 12), (4, aac, 1 / 24),
        (5, c**4, 1 / 5), (5, c**2 * ac, 1 / 10), (5, ac**2, 1 / 20), (5, c * ac2, 1 / 15),
        (5, ac3, 1 / 20), (5, c * aac, 1 / 30), (5, acac, 1 / 40), (5, aac2, 1 / 60),
        (5, aaac, 1 / 120),
    ]  # fmt: skip


def test_rows_sum_to_the_nodes() -> None:
    np.testing.assert_allclose(A.sum(axis=1), C, atol=1e-14)


def test_weights_satisfy_all_17_conditions_to_order_5() -> None:
    conditions = _conditions()
    assert len(conditions) == 17
    for order, weight, value in conditions:
        assert B @ weight == pytest.approx(value, abs=1e-13), order


def test_embedded_weights_satisfy_the_conditions_to_order_4_and_no_more() -> None:
    embedded = B - ERROR
    for order, weight, value in _conditions():
        if order <= 4:
            assert embedded @ weight == pytest.approx(value, abs=1e-13)
    fifth = [abs(embedded @ w - v) for o, w, v in _conditions() if o == 5]
    assert max(fifth) > 1e-5


@pytest.fixture(scope="module")
def problem() -> Any:
    """The equation x' = -x + t^2 as a generated function."""
    x, t = symbol("x"), symbol("t")
    return compile_functions({"rhs": [-x + t * t]}, ["x"], [])["rhs"]


def _exact(t: float) -> float:
    """Solution of x' = -x + t^2 with x(0) = 1."""
    return t * t - 2 * t + 2 - math.exp(-t)


def _step(rhs: Any, t: float, h: float, x: float) -> tuple[float, float, Any]:
    state, new, stage, k = np.array([x]), np.zeros(1), np.zeros(1), np.zeros((7, 1))
    p, rates = np.zeros(1), np.zeros(1)
    rhs(t, state, p, k[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        error = step(rhs, t, h, state, p, rates, k, stage, new, 0.0, 1.0)
    return float(new[0]), float(error), k


def test_error_of_a_step_falls_with_the_sixth_power(problem: Any) -> None:
    sizes = np.array([0.2, 0.1])
    errors = [abs(_step(problem, 0.0, h, 1.0)[0] - _exact(h)) for h in sizes]
    order = np.log(errors[0] / errors[1]) / np.log(2)
    assert order == pytest.approx(6.0, abs=0.25)


def test_estimate_is_that_of_order_four(problem: Any) -> None:
    estimates = [_step(problem, 0.0, h, 1.0)[1] for h in (0.2, 0.1)]
    assert np.log2(estimates[0] / estimates[1]) == pytest.approx(5.0, abs=0.25)


def test_interpolant_joins_the_ends_and_keeps_order_four(problem: Any) -> None:
    out = np.zeros(1)
    h = 0.3
    new, _, k = _step(problem, 0.0, h, 1.0)
    interpolate(0.0, h, np.array([1.0]), k, out)
    assert out[0] == 1.0
    interpolate(1.0, h, np.array([1.0]), k, out)
    assert out[0] == pytest.approx(new, abs=1e-14)
    worst = []
    for size in (0.2, 0.1):
        k = _step(problem, 0.0, size, 1.0)[2]
        errors = []
        for theta in np.linspace(0, 1, 21):
            interpolate(theta, size, np.array([1.0]), k, out)
            errors.append(abs(out[0] - _exact(theta * size)))
        worst.append(max(errors))
    assert np.log2(worst[0] / worst[1]) == pytest.approx(5.0, abs=0.4)


def test_constant_input_is_added_to_the_derivative() -> None:
    rhs = compile_functions({"rhs": [sp.Integer(0)]}, ["x"], [])["rhs"]
    k, new = np.zeros((7, 1)), np.zeros(1)
    k[0] = 2.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        error = step(
            rhs, 0.0, 2.0, np.array([1.0]), np.zeros(1), np.array([2.5]), k, np.zeros(1), new,
            1e-6, 1e-6,
        )  # fmt: skip
    assert new[0] == pytest.approx(6.0, rel=1e-14)
    assert error < 1e-6


def test_state_that_is_not_finite_has_an_infinite_error() -> None:
    rhs = compile_functions({"rhs": [1 / symbol("x")]}, ["x"], [])["rhs"]
    k, new = np.full((7, 1), np.inf), np.zeros(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        error = step(
            rhs, 0.0, 1.0, np.zeros(1), np.zeros(1), np.zeros(1), k, np.zeros(1), new, 1e-6, 1e-6
        )
    assert error == np.inf
