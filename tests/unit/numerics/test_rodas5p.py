"""Rodas5P against the order conditions of Rosenbrock methods, and its measured order."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning

from statera.numerics.codegen import compile_stiff, compile_system
from statera.numerics.expression import parse, symbol
from statera.numerics.rodas5p import (
    COUPLING,
    DENSE,
    GAMMA,
    NODES,
    STAGES,
    TIME_SLOPES,
    WEIGHTS,
    dense_output,
    factor_dense,
    interpolate_stiff,
    no_factor,
    rodas5p_step,
    solve_dense,
)

ONE = np.ones(8)
# back to the form of the theory: Gamma, alpha and b
GAMMAS = np.linalg.inv(np.eye(8) / GAMMA - COUPLING)
ALPHA = WEIGHTS @ GAMMAS
LAST = WEIGHTS[7].copy()
B = (LAST + np.eye(8)[7]) @ GAMMAS
EMBEDDED = LAST @ GAMMAS


def _conditions() -> list[tuple[int, Any, float]]:
    """Order, elementary weight over stages and value for all trees to order 5.

    A vertex with one child takes beta = alpha + gamma, one with several takes alpha (Hairer and
    Wanner, Solving Ordinary Differential Equations II, IV.7).
    """
    a, beta = ALPHA, ALPHA + GAMMAS
    c, d = a @ ONE, beta @ ONE
    ad, ac2, bd = a @ d, a @ c**2, beta @ d
    return [
        (1, ONE, 1.0),
        (2, d, 1 / 2),
        (3, c**2, 1 / 3), (3, bd, 1 / 6),
        (4, c**3, 1 / 4), (4, c * ad, 1 / 8), (4, beta @ c**2, 1 / 12), (4, beta @ bd, 1 / 24),
        (5, c**4, 1 / 5), (5, c**2 * ad, 1 / 10), (5, ad**2, 1 / 20), (5, c * ac2, 1 / 15),
        (5, beta @ c**3, 1 / 20), (5, c * (a @ bd), 1 / 30), (5, beta @ (c * ad), 1 / 40),
        (5, beta @ (beta @ c**2), 1 / 60), (5, beta @ (beta @ bd), 1 / 120),
    ]  # fmt: skip


def test_nodes_and_slopes_by_time_are_row_sums() -> None:
    np.testing.assert_allclose(ALPHA @ ONE, NODES, atol=1e-13)
    np.testing.assert_allclose(GAMMAS @ ONE, TIME_SLOPES, atol=1e-13)


def test_weights_satisfy_all_17_conditions_to_order_5() -> None:
    conditions = _conditions()
    assert len(conditions) == 17
    for order, weight, value in conditions:
        assert B @ weight == pytest.approx(value, abs=1e-13), order


def test_embedded_weights_satisfy_the_conditions_to_order_4_and_no_more() -> None:
    for order, weight, value in _conditions():
        if order <= 4:
            assert EMBEDDED @ weight == pytest.approx(value, abs=1e-13)
    assert max(abs(EMBEDDED @ w - v) for o, w, v in _conditions() if o == 5) > 1e-5


def test_stages_of_the_interpolant_satisfy_its_conditions_to_order_4() -> None:
    """b(theta) with the weight theta^order instead of one, at every theta."""
    for theta in np.linspace(0.1, 0.9, 5):
        rest = 1 - theta
        inner = DENSE[0] + theta * (DENSE[1] + theta * DENSE[2])
        b = theta * (LAST + np.eye(8)[7] + rest * inner) @ GAMMAS
        for order, weight, value in _conditions():
            if order <= 4:
                assert b @ weight == pytest.approx(value * theta**order, abs=1e-12), order


def _stability(z: complex) -> complex:
    """Return the factor by which one step of x' = lambda x multiplies x, for z = h lambda."""
    k = np.zeros(8, dtype=complex)
    for s in range(8):
        k[s] = (z * (1 + WEIGHTS[s, :s] @ k[:s]) + COUPLING[s, :s] @ k[:s]) / (1 / GAMMA - z)
    return complex(1 + LAST @ k + k[7])


def test_method_is_l_stable() -> None:
    assert abs(_stability(-1e9)) < 1e-7
    assert max(abs(_stability(1j * y)) for y in np.geomspace(1e-2, 1e4, 200)) <= 1 + 1e-12


class Stepper:
    """One step of a system; `dense` makes it take the factorisation with exchange of rows."""

    def __init__(self, derivatives: list[sp.Expr], states: list[str], dense: bool = False) -> None:
        self.rhs = compile_system(derivatives, derivatives, states, []).rhs
        self.code = compile_stiff(derivatives, states, [])
        self.n = len(states)
        self.factor = no_factor if dense else self.code.factor

    def __call__(
        self, t: float, h: float, x: Any, rates: Any, rtol: float, atol: float
    ) -> tuple[Any, float, Any]:
        n, code = self.n, self.code
        state, new, k = np.array(x, dtype=float), np.zeros(n), np.zeros(STAGES * n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
            error = rodas5p_step(
                self.rhs, code.jacobian, self.factor, code.solve, code.rows, code.columns, t, h,
                state, np.zeros(1), np.array(rates, dtype=float), k, new,
                np.zeros(code.rows.size + n), np.zeros(code.n_factors), np.zeros((n, n)),
                np.zeros(n, dtype=np.int64), np.abs(state), rtol, atol,
            )  # fmt: skip
        dense_output(n, k)
        return new, float(error), k


@pytest.fixture(scope="module")
def problem() -> Stepper:
    """The equation x' = -x^2 + t, whose slope by time and second derivatives both matter."""
    x, t = symbol("x"), symbol("t")
    return Stepper([-x * x + t], ["x"])


def _exact(t: float) -> float:
    """Return the solution from x(0) = 1 by its Taylor series, to order 11."""
    c = [1.0]
    for n in range(12):
        square = sum(c[i] * c[n - i] for i in range(n + 1))
        c.append((-square + (1.0 if n == 1 else 0.0)) / (n + 1))
    return sum(v * t**i for i, v in enumerate(c))


def test_error_of_a_step_falls_with_the_sixth_power(problem: Stepper) -> None:
    errors = [abs(problem(0.0, h, [1.0], [0.0], 0.0, 1.0)[0][0] - _exact(h)) for h in (0.05, 0.025)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(6.0, abs=0.4)


def test_estimate_is_that_of_order_four(problem: Stepper) -> None:
    estimates = [problem(0.0, h, [1.0], [0.0], 0.0, 1.0)[1] for h in (0.1, 0.05)]
    assert np.log2(estimates[0] / estimates[1]) == pytest.approx(5.0, abs=0.4)


def test_interpolant_joins_the_ends_and_keeps_order_four(problem: Stepper) -> None:
    out, start, worst = np.zeros(1), np.array([1.0]), []
    for h in (0.1, 0.05):
        new, _, k = problem(0.0, h, [1.0], [0.0], 0.0, 1.0)
        for theta, end in ((0.0, 1.0), (1.0, new[0])):
            interpolate_stiff(theta, start, new, k, out)
            assert out[0] == pytest.approx(end, abs=1e-15)
        errors = []
        for theta in np.linspace(0, 1, 21):
            interpolate_stiff(theta, start, new, k, out)
            errors.append(abs(out[0] - _exact(theta * h)))
        worst.append(max(errors))
    assert np.log2(worst[0] / worst[1]) == pytest.approx(5.0, abs=0.4)


def test_constant_input_is_added_to_the_derivative() -> None:
    new, error, _ = Stepper([-symbol("x")], ["x"])(0.0, 0.1, [1.0], [2.5], 1e-3, 1e-3)
    assert new[0] == pytest.approx(2.5 - 1.5 * math.exp(-0.1), rel=1e-7)
    assert error < 1


def test_state_that_is_not_finite_is_never_accepted() -> None:
    _, error, _ = Stepper([1 / symbol("x")], ["x"])(0.0, 1.0, [0.0], [0.0], 1e-6, 1e-6)
    assert not error <= 1.0


def test_slope_of_a_power_at_zero_is_finite() -> None:
    """Most systems start at zero, where h x^h/x would not be a number."""
    names = {"x", "y", "h"}
    rhs = [parse("1 - x^2.5/(1 + x^2.5)", names), parse("x^1.5 - y", names)]
    new, error, _ = Stepper(rhs, ["x", "y"])(0.0, 0.01, [0.0, 0.0], [0.0, 0.0], 1e-4, 1e-4)
    assert error < 1
    assert new[0] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("dense", [False, True])
def test_both_factorisations_give_one_step(dense: bool) -> None:
    x, y, z, t = (symbol(name) for name in "xyzt")
    rhs = [-100 * x * y + t, 100 * x * y - z / (1 + z), z - y**2]
    new, error, _ = Stepper(rhs, ["x", "y", "z"], dense)(
        0.5, 0.2, [1.0, 2.0, 3.0], [0.1, 0.0, 0.3], 1e-6, 1e-8
    )
    written, estimate, _ = Stepper(rhs, ["x", "y", "z"])(
        0.5, 0.2, [1.0, 2.0, 3.0], [0.1, 0.0, 0.3], 1e-6, 1e-8
    )
    np.testing.assert_allclose(new, written, rtol=1e-12)
    assert error == pytest.approx(estimate, rel=1e-9)


def test_dense_factorisation_exchanges_rows() -> None:
    random = np.random.default_rng(3)
    for n in (1, 2, 5, 9):
        matrix = random.normal(size=(n, n))
        matrix[0, 0] = 0.0 if n > 1 else 1.0
        rows, columns = (a.ravel().astype(np.int64) for a in np.indices((n, n)))
        w, pivots = np.zeros((n, n)), np.zeros(n, dtype=np.int64)
        assert factor_dense(0.0, -matrix.ravel(), rows, columns, w, pivots)
        b = random.normal(size=n + 2)
        expected = np.linalg.solve(matrix, b[2:])
        solve_dense(w, pivots, b, 2)
        np.testing.assert_allclose(b[2:], expected, rtol=1e-10)
    none = np.zeros(0, dtype=np.int64)
    assert not factor_dense(0.0, np.zeros(0), none, none, np.zeros((2, 2)), np.zeros(2, np.int64))
