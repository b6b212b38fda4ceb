"""Weighted sums of chi-squares against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from statera.numerics.quadratic_forms import weighted_chi_square_above
from statera.numerics.tau_squared import tau_squared


@pytest.mark.parametrize("m", [1, 2, 7, 40])
@pytest.mark.parametrize("level", [1e-6, 0.05, 0.5, 0.95])
def test_equal_scales_are_chi_square(m: int, level: float) -> None:
    q = 3.0 * float(chi2.ppf(level, m))
    found = weighted_chi_square_above(q, np.full(m, 3.0))
    assert found == pytest.approx(1.0 - level, abs=1e-12)


def test_pairs_of_scales_are_a_mixture_of_exponentials() -> None:
    a, b, q = 1.0, 5.0, 7.0
    expected = (a * np.exp(-q / (2 * a)) - b * np.exp(-q / (2 * b))) / (a - b)
    found = weighted_chi_square_above(q, np.array([a, a, b, b]))
    assert found == pytest.approx(expected, rel=1e-12)


def test_nothing_lies_below_zero() -> None:
    assert weighted_chi_square_above(0.0, np.ones(3)) == 1.0


def test_the_median_unbiased_estimate_is_above_as_often_as_below() -> None:
    generator = np.random.default_rng(11)
    v = np.array([0.02, 0.05, 0.1, 0.2, 0.4])
    above = sum(
        tau_squared(generator.standard_normal(5) * np.sqrt(v + 0.3), v, "GENQM").value > 0.3
        for _ in range(400)
    )
    assert 0.42 < above / 400 < 0.58


def test_equal_variances_make_both_median_unbiased_estimators_one() -> None:
    y, v = [0.1, 0.9, -0.4, 1.6, 0.5], [0.1] * 5
    assert tau_squared(y, v, "GENQM").value == pytest.approx(
        tau_squared(y, v, "PMM").value, rel=1e-9
    )


def test_too_little_spread_is_zero() -> None:
    found = tau_squared([1.0, 1.01, 0.99], [0.1, 0.2, 0.3], "GENQM")
    assert (found.value, found.truncated) == (0.0, True)
