"""Moderated variances: recovered priors, limits, blocks and bad rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from statera.biomarker.limma import block_correlation, fit_linear_models, moderate
from statera.errors import InputError

X = np.column_stack([np.ones(12), np.repeat([0.0, 1.0], 6)])


def test_prior_is_recovered() -> None:
    rng = np.random.default_rng(3)
    variance = 2.0 * 8.0 / rng.chisquare(8.0, 20_000)
    fit = moderate(fit_linear_models(np.sqrt(variance)[:, None] * rng.normal(size=(20_000, 12)), X))
    assert fit.prior_df == pytest.approx(8.0, rel=0.1)
    assert fit.prior_variance == pytest.approx(2.0, rel=0.03)
    p = fit.test(np.array([0.0, 1.0])).p_value
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 20_000))
    f, p_all = fit.test_all(np.array([[0.0, 1.0]]))
    assert p_all == pytest.approx(p)
    assert f == pytest.approx(fit.test(np.array([0.0, 1.0])).statistic ** 2)


def test_equal_variances_have_an_infinite_prior() -> None:
    y = np.tile(np.random.default_rng(1).normal(size=12), (5, 1))
    y[:, 6:] += np.arange(5.0)[:, None]
    fit = moderate(fit_linear_models(y, X))
    assert np.isinf(fit.prior_df)
    # the pooled variance, which is the maximum likelihood where variances are equal
    assert fit.variance == pytest.approx(np.full(5, fit.fit.variance[0]))
    assert fit.df == pytest.approx(np.full(5, 50.0))
    test = fit.test(np.array([0.0, 1.0]))
    assert test.p_value == pytest.approx(2 * stats.t.sf(np.abs(test.statistic), 50))
    assert np.isfinite(test.log_odds).all()


def test_correlation_of_blocks_may_be_negative() -> None:
    rng = np.random.default_rng(7)
    blocks = np.repeat(np.arange(30), 2)
    for rho in (-0.5, 0.4):
        root = np.linalg.cholesky([[1.0, rho], [rho, 1.0]])
        values = (rng.normal(size=(300, 30, 2)) @ root.T).reshape(300, 60)
        found = block_correlation(values, np.ones((60, 1)), blocks)
        assert found == pytest.approx(rho, abs=0.03)
    with pytest.raises(InputError, match="no protein"):
        block_correlation(values, np.ones((60, 1)), np.arange(60))


def test_blocks_are_generalised_least_squares() -> None:
    y = np.random.default_rng(2).normal(size=(1, 12))
    blocks = np.repeat(np.arange(4), 3)
    v = np.where(blocks[:, None] == blocks, 0.3, 0.0) + 0.7 * np.eye(12)
    inverse = np.linalg.inv(v)
    spread = np.linalg.inv(X.T @ inverse @ X)
    fit = fit_linear_models(y, X, blocks, 0.3)
    assert fit.unscaled[0] == pytest.approx(spread)
    assert fit.coefficients[0] == pytest.approx(spread @ X.T @ inverse @ y[0])
    with pytest.raises(InputError, match="not possible"):
        fit_linear_models(y, X, blocks, -0.6)


def test_bad_rows() -> None:
    y = np.random.default_rng(5).normal(size=(6, 12))
    y[1], y[2], y[3, 6:], y[4, 0] = 7.0, np.nan, np.nan, np.nan
    fit = fit_linear_models(y, X)
    assert fit.status == (
        "ok",
        "no variation left after the fixed effects",
        "too few values",
        "the design cannot be estimated from the values present",
        "ok",
        "ok",
    )
    test = moderate(fit).test(np.array([0.0, 1.0]))
    assert list(np.isfinite(test.adjusted_p)) == [True, False, False, False, True, True]
    with pytest.raises(InputError, match="two or more"):
        moderate(fit_linear_models(y[:3], X))
