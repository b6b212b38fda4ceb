"""Left-censored regression against a direct maximisation and known cases."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats

from statera.biomarker.censored import fit_censored
from statera.errors import InputError

RNG = np.random.default_rng(9)
X = np.column_stack([np.ones(60), np.repeat([0.0, 1.0], 30)])
Y = X @ [1.0, 0.7] + RNG.normal(size=60)


def test_maximum_and_errors_by_direct_maximisation() -> None:
    limit = 0.6
    below = limit > Y
    fit = fit_censored(Y, np.array([limit]), X)

    def objective(t: NDArray[np.float64]) -> float:
        mean, sigma = X @ t[:2], np.exp(t[2])
        seen = np.sum(stats.norm.logpdf(Y[~below], mean[~below], sigma))
        return -float(seen + np.sum(stats.norm.logcdf(limit, mean[below], sigma)))

    best = optimize.minimize(objective, np.zeros(3), method="BFGS", tol=1e-10)
    assert fit.status == ("ok",)
    assert fit.n_censored[0] == below.sum() > 5
    assert fit.coefficients[0] == pytest.approx(best.x[:2], abs=1e-5)
    assert fit.sigma[0] == pytest.approx(np.exp(best.x[2]), rel=1e-5)
    assert fit.log_likelihood[0] == pytest.approx(-best.fun, abs=1e-8)
    h = 1e-3
    steps = h * np.eye(3)
    hessian = np.array(
        [
            [
                sum(a * b * objective(best.x + a * p + b * q) for a in (1, -1) for b in (1, -1))
                for p in steps
            ]
            for q in steps
        ]
    ) / (4 * h * h)
    errors = np.sqrt(np.diag(np.linalg.inv(hessian)))[:2]
    assert fit.standard_errors[0] == pytest.approx(errors, rel=1e-4)


def test_without_censoring_it_is_least_squares() -> None:
    fit = fit_censored(Y, np.array([np.nan]), X)
    assert fit.coefficients[0] == pytest.approx(np.linalg.lstsq(X, Y, rcond=None)[0], rel=1e-9)
    assert fit.n_censored[0] == 0


def test_substitution_is_biased_where_the_likelihood_is_not() -> None:
    rng = np.random.default_rng(2)
    values = X[:, 1] * 1.5 + rng.normal(size=(300, 60))
    fit = fit_censored(values, np.zeros(300), X)
    put_in = np.maximum(values, 0.0)
    naive = (put_in[:, 30:].mean(axis=1) - put_in[:, :30].mean(axis=1)).mean()
    assert fit.coefficients[:, 1].mean() == pytest.approx(1.5, abs=0.08)
    assert naive < 1.3


def test_rows_that_cannot_be_fitted_keep_their_place() -> None:
    group = Y.copy()
    group[30:] = -5.0
    batch = np.vstack([Y, np.full(60, -9.0), np.full(60, np.nan), group, np.full(60, 3.0)])
    fit = fit_censored(batch, np.full(5, -3.0), X)
    assert fit.status == (
        "ok",
        "all values are below the limit of detection",
        "too few values",
        "a group has all its values below the limit of detection",
        "no variation left after the fixed effects",
    )
    assert np.isnan(fit.coefficients[1:]).all()
    with pytest.raises(InputError, match="length"):
        fit_censored(np.ones((1, 3)), np.zeros(1), X)
    with pytest.raises(InputError, match="limits"):
        fit_censored(Y, np.zeros(7), X)
