"""Variances between rows: definitions, invariances, the boundary and coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, multivariate_normal

from statera.errors import InputError
from statera.numerics.random_effects_mean import random_effects_mean
from statera.numerics.tau_squared import TauSquaredMethod, tau_squared, weighted_fit

Y = np.array([0.1, 0.9, -0.4, 1.6, 0.5, 2.2])
V = np.array([0.05, 0.2, 0.1, 0.3, 0.08, 0.15])


def test_likelihoods_are_at_their_highest() -> None:
    """Against the dense normal density, restricted likelihood as density of contrasts."""
    contrasts = np.linalg.svd(np.ones((1, Y.size)))[2][1:]

    def restricted(t: float) -> float:
        covariance = contrasts @ np.diag(V + t) @ contrasts.T
        return float(multivariate_normal.logpdf(contrasts @ Y, cov=covariance))

    def full(t: float) -> float:
        w = 1.0 / (V + t)
        mean = np.sum(w * Y) / np.sum(w)
        return float(multivariate_normal.logpdf(Y, np.full(Y.size, mean), np.diag(V + t)))

    for method, density in (("REML", restricted), ("ML", full)):
        best = tau_squared(Y, V, method).value
        assert all(density(best) > density(best * (1 + h)) for h in (-0.01, 0.01))


def test_q_profile_and_paule_mandel_solve_their_equations() -> None:
    found = tau_squared(Y, V, "PM")
    x = np.ones((Y.size, 1))
    assert weighted_fit(Y, V, x, found.value).q == pytest.approx(Y.size - 1, rel=1e-10)
    for end, share in zip(found.interval, (0.975, 0.025), strict=True):
        assert weighted_fit(Y, V, x, end).q == pytest.approx(chi2.ppf(share, 5), rel=1e-10)


@given(shift=st.floats(-10, 10), scale=st.floats(0.1, 10.0))
@settings(max_examples=20, deadline=None)
def test_shift_and_unit_do_not_matter(shift: float, scale: float) -> None:
    for method in TauSquaredMethod:
        a = tau_squared(Y, V, method).value
        b = tau_squared(Y * scale + shift, V * scale**2, method).value
        assert b == pytest.approx(a * scale**2, rel=1e-6)


def test_equal_variances_make_all_unbiased_estimators_one() -> None:
    v = np.full(Y.size, 0.1)
    expected = float(np.var(Y, ddof=1)) - 0.1
    for method in ("REML", "DL", "PM", "HE"):
        assert tau_squared(Y, v, method).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", ["REML", "ML", "DL", "PM", "HE", "HS"])
def test_no_spread_is_zero_and_said(method: str) -> None:
    found = tau_squared([1.0, 1.01, 0.99], [0.1, 0.2, 0.3], method)
    assert found.value == 0.0
    assert found.truncated
    assert found.interval[0] == 0.0


def test_pooled_intervals_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(3)
    n, k = 600, 8
    v = generator.uniform(0.005, 0.03, (n, k))
    y = 3.0 + generator.normal(0.0, 0.3, (n, k)) + generator.normal(size=(n, k)) * np.sqrt(v)
    held = new = 0
    for row, variance in zip(y, v, strict=True):
        found = random_effects_mean(row, variance)
        held += found.interval[0] <= 3.0 <= found.interval[1]
        fresh = generator.normal(3.0, 0.3)
        new += found.prediction[0] <= fresh <= found.prediction[1]
    assert 0.925 <= held / n <= 0.975
    assert 0.925 <= new / n <= 0.975


@pytest.mark.parametrize(
    ("y", "v", "said"),
    [
        ([1.0, 2.0], [1.0], "2 estimates, 1 variances"),
        ([1.0, np.nan], [1.0, 1.0], "no number"),
        ([1.0, 2.0], [1.0, 0.0], "row 1 is not above 0"),
        ([1.0], [1.0], "1 rows cannot show a variance"),
    ],
)
def test_impossible_rows_are_named(y: list[float], v: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        tau_squared(y, v)


def test_unknown_estimators_and_designs_are_named() -> None:
    with pytest.raises(InputError, match="'XX' is no estimator"):
        tau_squared(Y, V, "XX")
    with pytest.raises(InputError, match="depend on each other"):
        tau_squared(Y, V, "REML", np.ones((6, 2)))
