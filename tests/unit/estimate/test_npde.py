"""Prediction distribution errors and the simulations behind them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm

from statera.errors import InputError, UsageError
from statera.estimate import FitResult
from statera.estimate.npde import NpdeOptions, npde, npde_tests
from statera.estimate.replicates import simulate_replicates
from statera.estimate.residuals import residuals_of
from statera.estimate.rows import rows_of


def test_linear_model_npde_are_the_whitened_residuals(line_fit: FitResult) -> None:
    """In a linear normal model the simulated distribution is known: N(X b, V)."""
    found = npde(line_fit, NpdeOptions(n=4000, seed=3))
    exact = residuals_of(line_fit, "cholesky").wres
    inside = np.abs(exact) < 2
    # a share over 4 000 draws is known to 0.008 at most, its quantile to 0.03 near 0 and to 0.15
    # at 2; the estimated covariance adds about as much
    assert np.abs(found.npde - exact)[inside].max() < 0.25
    assert np.sqrt(np.mean((found.npde - exact)[inside] ** 2)) < 0.05
    rows = rows_of(line_fit.problem)
    x = np.stack([np.ones(rows.count), rows.time], axis=1)
    sd = np.sqrt(np.einsum("jk,kl,jl->j", x, line_fit.omega, x) + line_fit.theta[2] ** 2)
    z = (rows.dv - line_fit.theta[0] - line_fit.theta[1] * rows.time) / sd
    assert np.abs(found.npd - z)[np.abs(z) < 2].max() < 0.2


def test_simulations_have_the_moments_of_the_model(line_fit: FitResult) -> None:
    drawn = simulate_replicates(line_fit, 3000, 5)
    rows = rows_of(line_fit.problem)
    here = np.flatnonzero(rows.subject == 2)
    t = rows.time[here]
    x = np.stack([np.ones(t.size), t], axis=1)
    v = x @ line_fit.omega @ x.T + line_fit.theta[2] ** 2 * np.eye(t.size)
    y = drawn.y[:, here]
    error = np.sqrt(np.diag(v) / 3000)
    assert (np.abs(y.mean(axis=0) - x @ line_fit.theta[:2]) < 4 * error).all()
    spread = np.sqrt((v**2 + np.outer(np.diag(v), np.diag(v))) / 3000)
    assert (np.abs(np.cov(y, rowvar=False) - v) < 4.5 * spread).all()
    assert drawn.remarks == ()


def test_first_replicates_do_not_depend_on_their_number(decay_fit: FitResult) -> None:
    few, many = simulate_replicates(decay_fit, 3, 2), simulate_replicates(decay_fit, 6, 2)
    np.testing.assert_array_equal(few.y, many.y[:3])
    assert not np.array_equal(few.y, simulate_replicates(decay_fit, 3, 4).y)


def test_own_simulations_look_standard_normal(decay_fit: FitResult) -> None:
    found = npde(decay_fit, NpdeOptions(n=500))
    tests = npde_tests(found.npde)
    assert tests.n == 144
    assert tests.p_global > 0.001
    assert tests.p_global == pytest.approx(
        min(1, 3 * min(tests.p_mean, tests.p_variance, tests.p_normal))
    )


def test_tests_see_what_is_wrong() -> None:
    z = ndtri((np.arange(200) + 0.5) / 200)
    assert npde_tests(z).p_global > 0.5
    assert npde_tests(z + 0.5).p_mean < 1e-6
    assert npde_tests(1.5 * z).p_variance < 1e-6
    assert npde_tests(np.abs(z) - np.abs(z).mean()).p_normal < 1e-6
    assert np.isnan(npde_tests(z[:5]).p_mean)
    assert npde_tests(np.append(z, np.nan)).n == 200


def test_shares_stay_off_zero_and_one(decay_fit: FitResult) -> None:
    found = npde(decay_fit, NpdeOptions(n=100))
    assert np.isfinite(found.npde).all()
    assert np.abs(found.npde).max() <= ndtri(1 - 0.5 / 100) + 1e-12


def test_censored_values_are_drawn_below_their_share(censored_fit: FitResult) -> None:
    drawn = simulate_replicates(censored_fit, 400, 9)
    found = npde(censored_fit, NpdeOptions(seed=9), replicates=drawn)
    rows = rows_of(censored_fit.problem)
    assert (found.imputed == rows.below).all()
    for j in np.flatnonzero(rows.below):
        share = (drawn.y[:, j] < 0.5).mean()
        assert norm.cdf(found.npd[j]) <= max(share, 0.5 / 400) + 1e-9


def test_what_cannot_be_done(decay_fit: FitResult, answer_fit: FitResult) -> None:
    with pytest.raises(UsageError, match="5 replicates are too few"):
        npde(decay_fit, NpdeOptions(n=5))
    with pytest.raises(UsageError, match="cannot be held"):
        simulate_replicates(decay_fit, 10**8, 1)
    with pytest.raises(InputError, match=r"levels of answer add up to .* not to 1"):
        simulate_replicates(answer_fit, 2, 1, levels={"answer": [1.0]})
    few = npde(decay_fit, NpdeOptions(n=25))  # 6 observations a subject need 30
    assert np.isnan(few.npde).all()
    assert np.isfinite(few.npd).all()
    assert any("too many observations" in r for r in few.remarks)
