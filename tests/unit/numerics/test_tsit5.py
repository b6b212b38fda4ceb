"""Tsit5 against the order conditions of Runge-Kutta methods, and its measured order."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning

from statera.numerics.codegen import compile_system
from statera.numerics.expression import symbol
from statera.numerics.tsit5 import ERROR, A, B, C, interpolate, looped_step


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


class Stepper:
    """One step of a system, written out for it or in loops over its right-hand side."""

    def __init__(self, derivatives: list[sp.Expr], states: list[str], looped: bool) -> None:
        system = compile_system(derivatives, derivatives, states, [])
        self.rhs = system.rhs
        self.step = partial(looped_step, system.rhs) if looped else system.step

    def __call__(
        self, t: float, h: float, x: Any, rates: Any, rtol: float, atol: float
    ) -> tuple[Any, float, Any]:
        n = len(x)
        state, new, k, p = np.array(x, dtype=float), np.zeros(n), np.zeros(7 * n), np.zeros(1)
        inputs = np.array(rates, dtype=float)
        self.rhs(t, state, p, k, 0)
        k[:n] += inputs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
            error = self.step(t, h, state, p, inputs, k, new, np.abs(state), rtol, atol)
        return new, float(error), k


@pytest.fixture(scope="module", params=[False, True], ids=["written out", "looped"])
def looped(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def problem(looped: bool) -> Stepper:
    """The equation x' = -x + t^2."""
    x, t = symbol("x"), symbol("t")
    return Stepper([-x + t * t], ["x"], looped)


def _exact(t: float) -> float:
    """Solution of x' = -x + t^2 with x(0) = 1."""
    return t * t - 2 * t + 2 - math.exp(-t)


def _step(problem: Stepper, h: float) -> tuple[float, float, Any]:
    new, error, k = problem(0.0, h, [1.0], [0.0], 0.0, 1.0)
    return float(new[0]), error, k


def test_error_of_a_step_falls_with_the_sixth_power(problem: Stepper) -> None:
    errors = [abs(_step(problem, h)[0] - _exact(h)) for h in (0.2, 0.1)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(6.0, abs=0.25)


def test_estimate_is_that_of_order_four(problem: Stepper) -> None:
    estimates = [_step(problem, h)[1] for h in (0.2, 0.1)]
    assert np.log2(estimates[0] / estimates[1]) == pytest.approx(5.0, abs=0.25)


def test_interpolant_joins_the_ends_and_keeps_order_four(problem: Stepper) -> None:
    out = np.zeros(1)
    h = 0.3
    new, _, k = _step(problem, h)
    interpolate(0.0, h, np.array([1.0]), k, out)
    assert out[0] == 1.0
    interpolate(1.0, h, np.array([1.0]), k, out)
    assert out[0] == pytest.approx(new, abs=1e-14)
    worst = []
    for size in (0.2, 0.1):
        k = _step(problem, size)[2]
        errors = []
        for theta in np.linspace(0, 1, 21):
            interpolate(theta, size, np.array([1.0]), k, out)
            errors.append(abs(out[0] - _exact(theta * size)))
        worst.append(max(errors))
    assert np.log2(worst[0] / worst[1]) == pytest.approx(5.0, abs=0.4)


def test_constant_input_is_added_to_the_derivative(looped: bool) -> None:
    stepper = Stepper([sp.Integer(0)], ["x"], looped)
    new, error, _ = stepper(0.0, 2.0, [1.0], [2.5], 1e-6, 1e-6)
    assert new[0] == pytest.approx(6.0, rel=1e-14)
    assert error < 1e-6


def test_state_that_is_not_finite_is_never_accepted(looped: bool) -> None:
    stepper = Stepper([1 / symbol("x")], ["x"], looped)
    _, error, _ = stepper(0.0, 1.0, [0.0], [0.0], 1e-6, 1e-6)
    assert not error <= 1.0


def test_a_step_written_out_is_the_step_in_loops() -> None:
    x, y, z, t = (symbol(name) for name in "xyzt")
    derivatives = [-x * y + sp.sin(0) + t, x * y - z / (1 + z), z - y**2]
    both = [Stepper(derivatives, ["x", "y", "z"], looped) for looped in (False, True)]
    results = [s(0.5, 0.2, [1.0, 2.0, 3.0], [0.1, 0.0, 0.3], 1e-6, 1e-8) for s in both]
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
