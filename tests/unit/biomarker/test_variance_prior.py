"""Priors of variances: recovered parameters, the trend, outliers, and moments by other routes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, interpolate, stats

from statera.biomarker.limma import fit_linear_models, moderate
from statera.biomarker.variance_prior import (
    _winsorised_moments,
    natural_spline,
    prior_of_variances,
    robust_prior,
)
from statera.errors import InputError, UsageError
from statera.numerics.lowess_of_points import lowess_of_points


def variances(m: int, df: float, prior_df: float, scale: float = 2.0, seed: int = 0):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(seed)
    true = scale * prior_df / random.chisquare(prior_df, m)
    return true * random.chisquare(df, m) / df, np.full(m, df)


@pytest.mark.parametrize("df", [3.0, 20.0])
def test_both_priors_recover_their_parameters(df: float) -> None:
    s2, own = variances(20_000, df, 6.0)
    for prior in (prior_of_variances, robust_prior):
        found = prior(s2, own)
        assert found.df == pytest.approx(6.0, rel=0.1)
        assert found.variance[0] == pytest.approx(2.0, rel=0.04)


def test_the_robust_prior_withstands_outliers_and_lets_them_go() -> None:
    s2, own = variances(4000, 10.0, 20.0, seed=3)
    s2[:100] *= 60.0
    plain, robust = prior_of_variances(s2, own), robust_prior(s2, own)
    assert plain.df < 8.0
    assert robust.df == pytest.approx(20.0, rel=0.25)
    assert robust.variance[0] == pytest.approx(2.0, rel=0.05)
    assert np.median(robust.row_df[:100]) < 0.2 * robust.df
    # an ordinary variance of tail probability p is an outlier with 0.025 / (p + 0.025): above
    # p = 0.1, where nine tenths of them lie, they keep four fifths of the prior
    assert (robust.row_df[100:] > 0.8 * robust.df).mean() > 0.88
    # the larger a variance, the fewer its degrees of freedom
    assert (np.diff(robust.row_df[np.argsort(s2)]) <= 1e-9).all()


def test_variances_that_differ_by_chance_have_a_single_prior() -> None:
    random = np.random.default_rng(1)
    s2 = 3.0 * random.chisquare(8.0, 500) / 8.0
    s2[0] = 90.0
    found = robust_prior(s2, np.full(500, 8.0))
    assert np.isinf(found.df)
    assert np.isfinite(found.row_df[0])
    assert np.isinf(np.median(found.row_df))
    assert found.variance[0] == pytest.approx(3.0, rel=0.08)


@pytest.mark.parametrize("prior_df", [3.0, 15.0, np.inf])
def test_winsorised_moments_by_integration_over_the_whole_line(prior_df: float) -> None:
    df = 7.0
    law = stats.f(df, prior_df) if np.isfinite(prior_df) else stats.chi2(df, scale=1.0 / df)
    low, high = np.log(law.ppf(0.05)), np.log(law.ppf(0.90))

    def moment(power: int, centre: float) -> float:
        # of the clipped logarithm, as an integral over probabilities
        def at(p: float) -> float:
            return float((np.clip(np.log(law.ppf(p)), low, high) - centre) ** power)

        inner = integrate.quad(at, 0.05, 0.90, epsabs=1e-12)[0]
        return float(inner + 0.05 * (low - centre) ** power + 0.10 * (high - centre) ** power)

    mean, variance = _winsorised_moments(df, prior_df)
    assert mean == pytest.approx(moment(1, 0.0), rel=1e-7)
    assert variance == pytest.approx(moment(2, mean), rel=1e-7)


def test_the_prior_follows_the_level() -> None:
    random = np.random.default_rng(5)
    level = random.uniform(0.0, 10.0, 6000)
    s2, own = variances(6000, 8.0, 12.0, 1.0)
    true = np.exp(1.0 - 0.3 * level)
    for prior in (prior_of_variances, robust_prior):
        flat, found = prior(s2 * true, own), prior(s2 * true, own, level)
        assert found.df == pytest.approx(12.0, rel=0.15)
        assert flat.df < 4.0
        inner = (level > 1.0) & (level < 9.0)
        assert np.abs(np.log(found.variance / true))[inner].max() < 0.12


def test_the_spline_spans_natural_cubics() -> None:
    x = np.sort(np.random.default_rng(2).normal(size=60))
    basis = natural_spline(x, 4)
    knots = np.quantile(x, [0.0, 1 / 3, 2 / 3, 1.0])
    for k in range(4):
        cardinal = interpolate.CubicSpline(knots, np.eye(4)[k], bc_type="natural")(x)
        fitted = basis @ np.linalg.lstsq(basis, cardinal, rcond=None)[0]
        np.testing.assert_allclose(fitted, cardinal, atol=1e-10)


def test_unequal_degrees_of_freedom_and_failed_rows() -> None:
    y = np.random.default_rng(8).normal(size=(300, 12)) * np.repeat([1.0, 2.0], 150)[:, None]
    y[:40, :3] = np.nan
    y[5] = 1.0
    x = np.column_stack([np.ones(12), np.arange(12) % 2])
    for trend in (False, True):
        fit = moderate(fit_linear_models(y, x), trend=trend, robust=True)
        assert np.isnan(fit.variance[5])
        assert np.isfinite(np.delete(fit.variance, 5)).all()
        assert np.isfinite(np.delete(fit.test(np.array([0.0, 1.0])).log_odds, 5)).all()


def test_refusals() -> None:
    with pytest.raises(InputError, match="more than half"):
        robust_prior(np.zeros(5), np.full(5, 3.0))
    from statera.biomarker.analysis import AnalysisOptions

    with pytest.raises(UsageError, match="belongs to limma"):
        AnalysisOptions("arm", "linear", robust=True)


def test_lines_of_lowess_reproduce_a_line_and_bend_like_their_definition() -> None:
    x = np.sort(np.random.default_rng(4).uniform(size=50))
    np.testing.assert_allclose(lowess_of_points(x, 3.0 * x - 1.0, share=0.4), 3.0 * x - 1.0)
    y = np.sin(6.0 * x)
    found = lowess_of_points(x, y, share=0.4, robust=0, delta=0.0)
    for i in (0, 20, 49):  # tricube weights to the 20th nearest point
        far = np.sort(np.abs(x - x[i]))[19]
        w = np.clip(1.0 - (np.abs(x - x[i]) / far) ** 3, 0.0, None) ** 3
        slope, level = np.polyfit(x, y, 1, w=np.sqrt(w))
        assert found[i] == pytest.approx(slope * x[i] + level, rel=1e-6)
    y[25] += 50.0
    assert abs(lowess_of_points(x, y, share=0.4)[24] - np.sin(6.0 * x[24])) < 0.4
