from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from statera.numerics.left_censored import left_censored_normal


def draw(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    full = rng.normal(rng.normal(5, 2, m), rng.uniform(0.5, 3, m), (n, m))
    limits = np.quantile(full, np.linspace(0.05, 0.8, m), axis=0).diagonal() * np.ones((n, 1))
    censored = full < limits
    return np.where(censored, np.nan, full), limits, censored


def test_estimates_are_the_maximum_of_the_likelihood() -> None:
    values, limits, censored = draw(60, 8)
    found = left_censored_normal(values, limits, censored)
    assert set(found.status) == {"ok"}
    for j in range(8):
        cut = censored[:, j]

        def minus(p: np.ndarray, j: int = j, cut: np.ndarray = cut) -> float:
            seen = norm.logpdf(values[~cut, j], p[0], np.exp(p[1])).sum()
            return -float(seen + norm.logcdf(limits[cut, j], p[0], np.exp(p[1])).sum())

        start = [np.nanmean(values[:, j]), 0.0]
        best = minimize(minus, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
        assert found.mean[j] == pytest.approx(best.x[0], abs=1e-6)
        assert found.sd[j] == pytest.approx(np.exp(best.x[1]), abs=1e-6)


def test_without_censoring_it_is_mean_and_standard_deviation() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(3, 2, (50, 3))
    values[0, 0] = np.nan
    none = np.zeros(values.shape, dtype=bool)
    found = left_censored_normal(values, np.full(values.shape, np.nan), none)
    np.testing.assert_allclose(found.mean, np.nanmean(values, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.sd, np.nanstd(values, axis=0), rtol=1e-12)
    n = (~np.isnan(values)).sum(axis=0)
    np.testing.assert_allclose(found.se_mean, found.sd / np.sqrt(n), rtol=1e-12)


def test_columns_that_cannot_be_estimated_are_named() -> None:
    values = np.array([[1.0, 2.0, np.nan], [1.0, 3.0, np.nan], [1.0, np.nan, np.nan]])
    censored = np.isnan(values)
    limits = np.full(values.shape, np.nan)
    limits[:, 2] = 1.0
    found = left_censored_normal(values, limits, censored)
    assert found.status == (
        "fewer than two distinct values", "limit missing", "fewer than two distinct values"
    )  # fmt: skip
    assert np.isnan(found.mean).all()
