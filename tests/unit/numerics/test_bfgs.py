"""Minimisation: known minima, functions that fail, and reports that stop."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.numerics.bfgs import minimise

Floats = NDArray[np.float64]


def rosenbrock(x: Floats) -> tuple[float, Floats]:
    a, b = x
    value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
    return float(value), np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])


def test_a_curved_valley_is_followed_to_its_end() -> None:
    found = minimise(rosenbrock, np.array([-1.2, 1.0]), tolerance=1e-10)
    assert found.status == "converged"
    np.testing.assert_allclose(found.x, [1.0, 1.0], atol=1e-5)
    assert found.evaluations < 120


def test_a_quadratic_with_its_own_curvature_takes_one_step() -> None:
    a = np.array([[3.0, 1.0], [1.0, 2.0]])

    def function(x: Floats) -> tuple[float, Floats]:
        return float(0.5 * x @ a @ x), a @ x

    found = minimise(function, np.array([0.4, -0.3]), inverse=np.linalg.inv(a))
    assert found.iterations <= 2
    np.testing.assert_allclose(found.x, 0.0, atol=1e-12)


def test_points_that_cannot_be_evaluated_are_stepped_around() -> None:
    def function(x: Floats) -> tuple[float, Floats]:
        if x[0] <= 0.0:
            return np.inf, np.full(1, np.nan)
        return float(x[0] - np.log(x[0])), 1.0 - 1.0 / x

    found = minimise(function, np.array([5.0]), inverse=np.eye(1) * 100.0, longest=50.0)
    assert found.x[0] == pytest.approx(1.0, abs=1e-2)


def test_one_flat_direction_does_not_stop_the_others() -> None:
    def function(x: Floats) -> tuple[float, Floats]:
        return float(x[0] ** 2 + 1e-9 * x[1]), np.array([2 * x[0], 1e-9])

    steps: list[float] = []
    minimise(
        function,
        np.array([3.0, 0.0]),
        inverse=np.diag([0.5, 1e12]),
        max_iterations=8,
        report=lambda _i, x, _v, _g: bool(steps.append(abs(float(x[0])))),
    )
    # a coordinate moves by 1 at most: 3, 2, 1, and then the rest
    assert steps[4] < 0.1


def test_a_report_can_stop_and_a_wrong_gradient_is_no_progress() -> None:
    stopped = minimise(rosenbrock, np.array([-1.2, 1.0]), report=lambda i, _x, _v, _g: i >= 3)
    assert (stopped.status, stopped.iterations) == ("stopped", 3)

    def wrong(x: Floats) -> tuple[float, Floats]:
        return float(x @ x), -2.0 * x

    assert minimise(wrong, np.array([1.0, 2.0])).status == "no progress"
