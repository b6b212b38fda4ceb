"""The derivative of a solution with respect to its start, carried along."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from statera.numerics.variational import FIRST_NODE, SECOND_NODE, carry


def test_exact_for_a_linear_system() -> None:
    a = np.array([[-2.0, 0.5], [1.0, -300.0]])
    tangent = np.eye(2)
    for h in (0.1, 0.4, 0.02):
        assert carry(h, a, a, tangent)
    np.testing.assert_allclose(tangent, expm(a * 0.52), rtol=1e-10, atol=1e-14)


def test_error_of_a_step_falls_with_the_fifth_power() -> None:
    def slopes(t: float) -> np.ndarray:
        return np.array([[-1.0, t], [np.cos(t), -0.5 * t]])

    def after(steps: int) -> np.ndarray:
        tangent, h = np.eye(2), 1.0 / steps
        for i in range(steps):
            assert carry(h, slopes((i + FIRST_NODE) * h), slopes((i + SECOND_NODE) * h), tangent)
        return tangent

    fine = after(200)
    errors = [np.abs(after(n) - fine).max() for n in (4, 8)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4.0, abs=0.3)


def test_slopes_out_of_range_are_refused() -> None:
    big = np.full((1, 1), 1e200)
    assert not carry(1.0, big, big, np.eye(1))
