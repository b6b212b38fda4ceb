"""Bands, groups, survival without a model, and the test of proportional odds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from tests.unit.response.data import simulated
from tests.unit.response.test_fits_against_others import foreign

from statera.errors import InputError
from statera.numerics.intervals_exact import binomial_exact
from statera.response.analysis import AnalysisOptions, analyse_response, dose_size
from statera.response.binary import Binary
from statera.response.bootstrap import bootstrap_band
from statera.response.cox import Cox
from statera.response.exposure_groups import exposure_groups, observed_shares
from statera.response.fit import FitOptions, fit_response
from statera.response.hazards import Hazard
from statera.response.kaplan_meier import kaplan_meier, log_rank
from statera.response.ordinal import Ordinal
from statera.response.outcomes import Outcome
from statera.response.predict import chances, hazard_ratio, predict, predict_group
from statera.response.profile import profile_interval
from statera.response.proportional_odds import proportional_odds_test
from statera.response.time_to_event import TimeToEvent

S = simulated()
N = S.exposure.size
X = S.exposure
PEOPLE = np.arange(N)
BINARY = Binary.of(S.response)
TIMES = TimeToEvent(np.zeros(N), S.time, S.right, PEOPLE, Hazard("weibull"))


def test_band_of_two_groups_is_that_of_the_log_odds() -> None:
    treated = (X > 0).astype(float)
    fit = fit_response(BINARY, treated, options=FitOptions("linear"))
    found = predict(fit, np.array([0.0, 1.0]))
    for k, arm in enumerate((0.0, 1.0)):
        own = S.response[treated == arm]
        error = 1.959964 / np.sqrt(own.size * own.mean() * (1.0 - own.mean()))
        assert found.estimate[k] == pytest.approx(own.mean())
        assert found.low[k] == pytest.approx(expit(logit(own.mean()) - error), rel=1e-6)
        assert found.high[k] == pytest.approx(expit(logit(own.mean()) + error), rel=1e-6)


KINDS = ((BINARY, None), (TIMES, 1.0), (Ordinal(S.grade, tuple("abcd"), PEOPLE), 2.0))


@pytest.mark.parametrize(("outcome", "at"), KINDS, ids=["binary", "time", "ordinal"])
def test_slopes_of_chances_against_differences(outcome: Outcome, at: float | None) -> None:
    fit = fit_response(outcome, X, {"age": S.age}, FitOptions("emax"))
    x, rows = np.array([0.0, 2.0, 6.0]), fit.problem.covariates[:3]
    _, slope = chances(fit.problem, fit.theta, x, rows, at)
    h = 1e-6
    for k, unit in enumerate(np.eye(fit.theta.size)):
        up, down = (chances(fit.problem, fit.theta + s * h * unit, x, rows, at)[0] for s in (1, -1))
        assert slope[:, k] == pytest.approx((up - down) / (2 * h), abs=1e-8)


@pytest.mark.parametrize(("outcome", "at"), KINDS, ids=["binary", "time", "ordinal"])
def test_delta_band_against_draws_of_the_estimates(outcome: Outcome, at: float | None) -> None:
    fit = fit_response(outcome, X, {"age": S.age}, FitOptions("log"))
    x = np.array([0.0, 2.0, 6.0])
    band = predict(fit, x, at)
    draws = np.random.default_rng(5).multivariate_normal(fit.theta, fit.covariance, 1500)
    rows = np.repeat(x, N), np.tile(fit.problem.covariates, (3, 1))
    lines = [chances(fit.problem, t, *rows, at)[0].reshape(3, N).mean(axis=1) for t in draws]
    low, high = np.quantile(lines, [0.025, 0.975], axis=0)
    assert band.low == pytest.approx(low, abs=0.012)
    assert band.high == pytest.approx(high, abs=0.012)


def test_mean_of_a_group_is_the_mean_of_its_members() -> None:
    fit = fit_response(BINARY, X, {"age": S.age}, FitOptions("linear"))
    own = np.flatnonzero(X > 4.0)
    group = predict_group(fit, X[own], fit.problem.covariates[own])
    intercept, age, slope = fit.theta
    assert group.estimate[0] == pytest.approx(
        expit(intercept + age * S.age[own] + slope * X[own]).mean()
    )
    # in a logistic fit the fitted chances of all add up to the answers
    everyone = predict_group(fit, X, fit.problem.covariates)
    assert everyone.estimate[0] == pytest.approx(S.response.mean())


def test_chance_of_an_event_needs_its_time() -> None:
    fit = fit_response(TIMES, X, options=FitOptions("linear"))
    with pytest.raises(InputError, match="needs the time"):
        predict(fit, X)
    found = predict(fit, np.array([2.0]), at=1.5)
    rate = np.exp(fit.estimate("intercept") + 2.0 * fit.estimate("slope"))
    gone = 1.0 - np.exp(-rate * 1.5 ** np.exp(fit.estimate("ln shape")))
    assert found.estimate[0] == pytest.approx(gone)
    assert found.low[0] < gone < found.high[0]


def test_bootstrap_is_near_the_delta_method_and_reproducible() -> None:
    fit = fit_response(BINARY, X, options=FitOptions("log"))
    x = np.array([0.0, 2.0, 6.0])
    one, again = (bootstrap_band(fit, x, samples=200, seed=4) for _ in range(2))
    band = predict(fit, x)
    assert np.array_equal(one.low, again.low)
    assert one.failed == 0
    assert one.low == pytest.approx(band.low, abs=0.035)
    assert one.high == pytest.approx(band.high, abs=0.035)


def test_bootstrap_of_cox_draws_whole_subjects() -> None:
    half = 0.5 * S.time
    entry, time = np.concatenate([np.zeros(N), half]), np.concatenate([half, S.time])
    event = np.concatenate([np.zeros(N, dtype=bool), S.event])
    both = np.concatenate([PEOPLE, PEOPLE])
    rows = fit_response(Cox(entry, time, event, both), np.concatenate([X, X]),
                        options=FitOptions("linear"))  # fmt: skip
    single = fit_response(Cox(np.zeros(N), S.time, S.event, PEOPLE), X,
                          options=FitOptions("linear"))  # fmt: skip
    assert rows.theta == pytest.approx(single.theta)
    x = np.array([3.0])
    cut = bootstrap_band(rows, x, samples=60, seed=1)
    whole = bootstrap_band(single, x, samples=60, seed=1)
    assert cut.low == pytest.approx(whole.low)
    assert hazard_ratio(single, x).estimate[0] > cut.low[0]


def test_profile_interval_of_a_mean() -> None:
    """Without an effect the profile of the intercept is that of one proportion."""
    fit = fit_response(BINARY, X, options=FitOptions("none"))
    low, high = profile_interval(fit, "intercept")
    y, n = int(S.response.sum()), N

    def deviance(p: float) -> float:
        at = y * np.log(p) + (n - y) * np.log(1.0 - p)
        return float(2.0 * (fit.log_likelihood - at))

    assert deviance(float(expit(low))) == pytest.approx(3.841459, abs=1e-5)
    assert deviance(float(expit(high))) == pytest.approx(3.841459, abs=1e-5)


def test_groups_and_exact_shares() -> None:
    groups = exposure_groups(X, 4)
    assert groups.names == ("placebo", "Q1", "Q2", "Q3", "Q4")
    counts = np.bincount(groups.group)
    assert counts[0] == (X == 0).sum()
    assert np.ptp(counts[1:]) <= 1
    shares = observed_shares(S.response, groups)
    for k, share in enumerate(shares):
        exact = binomial_exact(int(S.response[groups.group == k].sum()), int(counts[k]))
        assert (share.low, share.high) == (exact.low, exact.high)
    ties = exposure_groups(np.array([0.0, 1, 1, 1, 1, 2]), 4)
    assert ties.names == ("placebo", "Q1", "Q2")
    assert exposure_groups(np.array([0.0, 5.0, 5.0])).names == ("placebo", "treated")
    with pytest.raises(InputError):
        exposure_groups(X, 0)


def test_kaplan_meier_and_log_rank_of_scipy() -> None:
    censored = stats.CensoredData.right_censored
    time = np.ceil(S.time * 8.0) / 8.0
    ours = kaplan_meier(np.zeros(N), time, S.event)
    theirs = stats.ecdf(censored(time, ~S.event)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        band = theirs.confidence_interval(method="log-log")
    for t in (0.25, 1.0, 2.125):
        kept, low, high = ours.at(t)
        assert kept == pytest.approx(float(theirs.evaluate(t)))
        assert low == pytest.approx(float(band.low.evaluate(t)))
        assert high == pytest.approx(float(band.high.evaluate(t)))
    group = (X > 2.0).astype(np.int64)
    test = log_rank(np.zeros(N), time, S.event, group)
    a, b = (censored(time[group == k], ~S.event[group == k]) for k in (0, 1))
    expected = stats.logrank(a, b)
    assert test.statistic == pytest.approx(expected.statistic**2)
    assert test.p_value == pytest.approx(expected.pvalue)
    assert test.expected.sum() == pytest.approx(test.observed.sum())


def test_delayed_entry_and_many_groups_of_lifelines() -> None:
    lifelines = foreign("lifelines")
    statistics = foreign("lifelines.statistics")
    entry = 0.4 * S.time * np.random.default_rng(4).random(N)
    ours = kaplan_meier(entry, S.time, S.event)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.KaplanMeierFitter().fit(S.time, S.event, entry=entry)
        test = statistics.multivariate_logrank_test(S.time, exposure_groups(X).group, S.event)
    # at the very first times few have entered, and lifelines carries on from an estimate of 0
    for t in (0.5, 1.5):
        after = ours.at(t)[0] / ours.at(0.2)[0]
        known = float(theirs.predict(t)) / float(theirs.predict(0.2))
        assert after == pytest.approx(known, rel=1e-9)
    mine = log_rank(np.zeros(N), S.time, S.event, exposure_groups(X).group)
    assert mine.statistic == pytest.approx(test.test_statistic, rel=1e-9)
    assert mine.df == 4
    with pytest.raises(InputError):
        log_rank(np.zeros(N), S.time, S.event, np.zeros(N, dtype=np.int64))


def test_proportional_odds_hold_where_simulated_and_fail_where_not() -> None:
    fit = fit_response(Ordinal(S.grade, tuple("abcd"), PEOPLE), X, {"age": S.age})
    held = proportional_odds_test(fit)
    assert held.df == 4
    assert held.p_value > 0.05
    rng = np.random.default_rng(8)
    one = rng.random(N) < expit(-1.0 + 0.6 * X)
    two = one & (rng.random(N) < expit(0.4 - 0.5 * X))
    broken = fit_response(
        Ordinal(one.astype(np.int64) + two, tuple("abc"), PEOPLE), X, options=FitOptions("linear")
    )
    assert proportional_odds_test(broken).p_value < 1e-3
    with pytest.raises(InputError, match="three ordered grades"):
        proportional_odds_test(fit_response(BINARY, X))


def test_size_of_brants_test() -> None:
    rejected = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x = rng.exponential(size=150)
        grade = (rng.logistic(size=150) + 0.7 * x > np.array([[0.0], [1.2]])).sum(axis=0)
        fit = fit_response(
            Ordinal(grade, tuple("abc"), np.arange(150)), x, options=FitOptions("linear")
        )
        rejected += proportional_odds_test(fit).p_value < 0.05
    assert rejected / 100 == pytest.approx(0.05, abs=0.06)


def test_an_analysis_holds_everything_for_its_kind() -> None:
    dose = tuple("placebo" if x == 0 else "2 mg" if x < 3 else "10 mg" for x in X)
    options = AnalysisOptions(bootstrap=20, permutations=19)
    found = analyse_response(BINARY, X, {"age": S.age}, options, dose=dose)
    assert [row.dose for row in found.doses[0]] == ["placebo", "2 mg", "10 mg"]
    assert [row.name for row in found.parameters] == ["intercept", "age", "Emax", "EC50"]
    ec50 = found.parameters[-1]
    assert 0.0 < ec50.low < ec50.estimate < ec50.high
    assert found.band is not None
    assert found.permutation is not None
    assert found.permutation[1] == pytest.approx(0.05)
    assert found.survival == ()
    timed = analyse_response(TIMES, X, None, AnalysisOptions("linear"), dose=dose)
    assert timed.at == pytest.approx(np.median(S.time))
    assert "Events are counted by" in timed.notes[0]
    assert timed.log_rank is not None
    row = timed.doses[0][0]
    kept, low, high = kaplan_meier(
        np.zeros(N)[X == 0], S.time[X == 0], S.event[X == 0]
    ).at(timed.at)  # fmt: skip
    assert row.observed == pytest.approx((1 - kept, 1 - high, 1 - low))
    graded = analyse_response(Ordinal(S.grade, tuple("abcd"), PEOPLE), X)
    assert len(graded.curves) == len(graded.observed) == 3
    assert graded.proportional_odds is not None
    assert dose_size("placebo") < dose_size("0") < dose_size("2 mg q24h") < dose_size("high")


def test_an_analysis_goes_on_where_its_form_cannot_be_fitted() -> None:
    found = analyse_response(BINARY, np.where(X > 0, 4.0, 0.0))
    assert found.fit is None
    assert found.curves == ()
    assert "could not be fitted" in found.notes[0]
    assert found.comparison.best is not None
    with pytest.raises(InputError, match="nothing can be estimated"):
        analyse_response(Binary.of(np.ones(N, dtype=bool)), X)
