"""Matrix exponential against scipy and mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from statera.numerics.expm import expm, expm_integrals, solve


def _random(n: int, size: float, seed: int) -> NDArray[np.float64]:
    return size * np.random.default_rng(seed).standard_normal((n, n))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("size", [1e-8, 0.1, 1.0, 8.0])
def test_agrees_with_scipy(n: int, size: float) -> None:
    a = _random(n, size, n)
    expected = scipy.linalg.expm(a)
    np.testing.assert_allclose(expm(a), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_defective_matrix_against_its_closed_form() -> None:
    rate = 3.0
    a = np.array([[-rate, 0, 0], [rate, -rate, 0], [0, rate, -rate]])
    decay = np.exp(-rate)
    expected = decay * np.array([[1, 0, 0], [rate, 1, 0], [rate**2 / 2, rate, 1]])
    np.testing.assert_allclose(expm(a), expected, rtol=1e-14)


def test_zero_matrix_gives_identity() -> None:
    np.testing.assert_array_equal(expm(np.zeros((3, 3))), np.eye(3))


def test_matrix_that_is_not_finite_gives_values_that_are_not_finite() -> None:
    assert not np.isfinite(expm(np.array([[np.nan, 0.0], [0.0, 1.0]]))).all()
    assert not np.isfinite(expm(np.array([[np.inf, 0.0], [0.0, 1.0]]))).all()


def test_solves_a_system_that_needs_pivoting() -> None:
    a = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 3.0], [4.0, 1.0, 0.0]])
    b = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    expected = np.linalg.solve(a, b)
    solve(a.copy(), b)
    np.testing.assert_allclose(b, expected, rtol=1e-13)


def test_singular_system_gives_values_that_are_not_finite() -> None:
    b = np.array([[1.0], [1.0]])
    solve(np.array([[1.0, 1.0], [1.0, 1.0]]), b)
    assert not np.isfinite(b).all()


@pytest.mark.parametrize("h", [1e-6, 0.5, 24.0])
def test_integrals_against_exact_ones(h: float) -> None:
    # transfer out of one compartment into another from which nothing leaves: A is singular
    k = 0.3
    a = np.array([[-k, 0.0], [k, 0.0]])
    e, phi, psi = np.empty((2, 2)), np.empty((2, 2)), np.empty((2, 2))
    expm_integrals(a, h, e, phi, psi)
    with mpmath.workdps(40):
        x = mpmath.mpf(k) * mpmath.mpf(h)
        lost = float((1 - mpmath.exp(-x)) / k)  # integral of exp(-k s)
        twice = float((x - 1 + mpmath.exp(-x)) / mpmath.mpf(k) ** 2)  # and of that
        gone = float(1 - mpmath.exp(-x))
    np.testing.assert_allclose(e, [[np.exp(-k * h), 0], [gone, 1]], rtol=1e-13)
    np.testing.assert_allclose(phi, [[lost, 0], [k * twice, h]], rtol=1e-12)
    np.testing.assert_allclose(psi[:, 1], [0, h * h / 2], rtol=1e-13)
    assert psi[0, 0] == pytest.approx(twice, rel=1e-12)
