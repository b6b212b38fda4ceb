"""Linear mixed models against the dense normal density, and the gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from statera.numerics.linear_mixed import (
    CrossProducts,
    cross_products,
    log_likelihood,
    log_likelihood_gradient,
    solve_mixed,
)

GENERATOR = np.random.default_rng(6)
M, N, P, Q = 5, 7, 3, 2
X = GENERATOR.normal(size=(M, N, P))
Z = GENERATOR.normal(size=(M, N, Q))
Y = GENERATOR.normal(size=(M, N)) + X @ np.array([1.0, -2.0, 0.5])
L = np.array([[0.8, 0.0], [-0.3, 0.5]])


def sums(weight: float = 1.0) -> CrossProducts:
    return cross_products(X, Z, Y, np.full((M, N), weight))


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_the_likelihood_is_the_normal_density(weight: float) -> None:
    s = sums(weight)
    solution = solve_mixed(s, L)
    variance = solution.sum_of_squares / (M * N)
    covariance = [Z[i] @ L @ L.T @ Z[i].T + np.eye(N) / weight for i in range(M)]
    inverse = [np.linalg.inv(c) for c in covariance]
    a = sum(X[i].T @ inverse[i] @ X[i] for i in range(M))
    b = sum(X[i].T @ inverse[i] @ Y[i] for i in range(M))
    beta = np.linalg.solve(np.asarray(a), np.asarray(b))
    np.testing.assert_allclose(solution.beta, beta, rtol=1e-10)
    dense = sum(
        multivariate_normal.logpdf(Y[i], X[i] @ beta, variance * covariance[i]) for i in range(M)
    )
    assert log_likelihood(s, solution) == pytest.approx(dense, rel=1e-12)
    assert log_likelihood(s, solution, sigma=variance**0.5) == pytest.approx(dense, rel=1e-12)
    assert log_likelihood(s, solution, sigma=1.1 * variance**0.5) < dense


def test_the_restricted_likelihood_is_that_of_contrasts() -> None:
    s = sums()
    solution = solve_mixed(s, L)
    x, y = X.reshape(-1, P), Y.ravel()
    contrasts = np.linalg.svd(x.T)[2][P:]
    covariance = np.zeros((M * N, M * N))
    for i in range(M):
        part = slice(i * N, (i + 1) * N)
        covariance[part, part] = Z[i] @ L @ L.T @ Z[i].T + np.eye(N)
    variance = solution.sum_of_squares / (M * N - P)
    dense = multivariate_normal.logpdf(
        contrasts @ y, cov=variance * contrasts @ covariance @ contrasts.T
    )
    constant = 0.5 * np.linalg.slogdet(x.T @ x)[1]
    assert log_likelihood(s, solution, reml=True) + constant == pytest.approx(dense, rel=1e-10)


@pytest.mark.parametrize("reml", [False, True])
def test_the_gradient_is_that_of_differences(reml: bool) -> None:
    s = sums()
    slopes = log_likelihood_gradient(s, L, solve_mixed(s, L), reml)
    for i, j in ((0, 0), (1, 0), (1, 1)):
        values = []
        for h in (1e-6, -1e-6):
            factor = L.copy()
            factor[i, j] += h
            values.append(log_likelihood(s, solve_mixed(s, factor), reml))
        assert slopes[i, j] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-6)


def test_effects_of_variance_zero_are_zero() -> None:
    s = sums()
    solution = solve_mixed(s, np.zeros((Q, Q)))
    np.testing.assert_allclose(solution.effects, 0.0)
    plain = np.linalg.lstsq(X.reshape(-1, P), Y.ravel(), rcond=None)[0]
    np.testing.assert_allclose(solution.beta, plain, rtol=1e-10)
