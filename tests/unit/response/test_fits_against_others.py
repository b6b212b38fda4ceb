"""Estimates against other programs and other routes.

statsmodels and lifelines are a second opinion and skip where they are absent; scipy's general
optimiser on likelihoods written anew here is always there.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from tests.unit.response.data import simulated

from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.fit import FitOptions, fit_response
from statera.response.hazards import Hazard
from statera.response.kaplan_meier import log_rank
from statera.response.ordinal import Ordinal
from statera.response.time_to_event import TimeToEvent

S = simulated()
N = S.exposure.size
PEOPLE = np.arange(N)
DESIGN = np.column_stack([S.age, S.exposure])


def foreign(name: str) -> Any:
    """Import another library, whose own warnings are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            pytest.skip(f"{name} is not installed")


def weibull(right: np.ndarray, entry: np.ndarray | None = None) -> TimeToEvent:
    start = np.zeros(N) if entry is None else entry
    return TimeToEvent(start, S.time, right, PEOPLE, Hazard("weibull"))


def test_logit_of_statsmodels() -> None:
    discrete = foreign("statsmodels.discrete.discrete_model")
    theirs = discrete.Logit(S.response.astype(float), np.column_stack([np.ones(N), DESIGN]))
    found = theirs.fit(disp=0, method="newton", tol=1e-12)
    ours = fit_response(Binary.of(S.response), S.exposure, {"age": S.age}, FitOptions("linear"))
    assert ours.theta == pytest.approx(found.params, rel=1e-7)
    assert ours.standard_errors == pytest.approx(found.bse, rel=1e-7)
    assert ours.log_likelihood == pytest.approx(found.llf, rel=1e-10)
    assert ours.aic == pytest.approx(found.aic, rel=1e-10)


def test_ordered_model_of_statsmodels() -> None:
    ordinal = foreign("statsmodels.miscmodels.ordinal_model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ordinal.OrderedModel(S.grade, DESIGN, distr="logit").fit(
            disp=0, method="bfgs", gtol=1e-9, maxiter=500
        )
    ours = fit_response(
        Ordinal(S.grade, tuple("abcd"), PEOPLE), S.exposure, {"age": S.age}, FitOptions("linear")
    )
    assert ours.log_likelihood == pytest.approx(found.llf, rel=1e-9)
    assert ours.theta[:2] == pytest.approx(found.params[:2], rel=1e-4)
    # their thresholds are the first and logarithms of the gaps
    cuts = np.cumsum([found.params[2], *np.exp(found.params[3:])])
    assert ours.theta[2:] == pytest.approx(cuts, rel=1e-4)
    assert ours.standard_errors[:2] == pytest.approx(found.bse[:2], rel=1e-3)


def test_weibull_and_cox_of_lifelines() -> None:
    lifelines = foreign("lifelines")
    pandas = foreign("pandas")
    time = np.ceil(S.time * 4.0) / 4.0  # with ties
    frame = pandas.DataFrame({"t": time, "e": S.event, "age": S.age, "x": S.exposure})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cox = lifelines.CoxPHFitter().fit(frame, "t", "e")
        aft = lifelines.WeibullAFTFitter().fit(frame, "t", "e")
    ours = fit_response(
        Cox(np.zeros(N), time, S.event, PEOPLE), S.exposure, {"age": S.age}, FitOptions("linear")
    )
    assert ours.theta == pytest.approx(cox.params_.to_numpy(), rel=1e-5)
    assert ours.standard_errors == pytest.approx(cox.standard_errors_.to_numpy(), rel=1e-5)
    assert ours.log_likelihood == pytest.approx(cox.log_likelihood_, rel=1e-9)
    outcome = TimeToEvent(
        np.zeros(N), time, np.where(S.event, time, np.inf), PEOPLE, Hazard("weibull")
    )
    fit = fit_response(outcome, S.exposure, {"age": S.age}, FitOptions("linear"))
    assert fit.log_likelihood == pytest.approx(aft.log_likelihood_, rel=1e-7)
    # accelerated times: proportional hazards divided by minus the shape
    shape = np.exp(fit.estimate("ln shape"))
    theirs = aft.params_["lambda_"]
    assert -fit.estimate("slope") / shape == pytest.approx(theirs["x"], rel=1e-3)
    assert -fit.estimate("intercept") / shape == pytest.approx(theirs["Intercept"], rel=1e-3)


def test_cox_with_delayed_entry_of_lifelines() -> None:
    lifelines = foreign("lifelines")
    pandas = foreign("pandas")
    entry = 0.3 * S.time * np.random.default_rng(4).random(N)
    frame = pandas.DataFrame({"a": entry, "t": S.time, "e": S.event, "age": S.age, "x": S.exposure})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.CoxPHFitter().fit(frame, "t", "e", entry_col="a")
    ours = fit_response(
        Cox(entry, S.time, S.event, PEOPLE), S.exposure, {"age": S.age}, FitOptions("linear")
    )
    assert ours.theta == pytest.approx(theirs.params_.to_numpy(), rel=1e-5)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, rel=1e-9)


def test_interval_censored_weibull_of_lifelines() -> None:
    lifelines = foreign("lifelines")
    pandas = foreign("pandas")
    lower = np.floor(S.time * 2.0) / 2.0
    upper = np.where(S.event, lower + 0.5, np.inf)
    lower = np.where(S.event, lower, S.time)
    frame = pandas.DataFrame({"l": lower, "u": upper, "age": S.age, "x": S.exposure})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.WeibullAFTFitter().fit_interval_censoring(frame, "l", "u")
    outcome = TimeToEvent(np.zeros(N), lower, upper, PEOPLE, Hazard("weibull"))
    ours = fit_response(outcome, S.exposure, {"age": S.age}, FitOptions("linear"))
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, rel=1e-7)
    shape = np.exp(ours.estimate("ln shape"))
    assert shape == pytest.approx(np.exp(theirs.params_["rho_"]["Intercept"]), rel=1e-3)


def _best(negative: Any, start: list[float]) -> Any:
    first = minimize(negative, start, method="Nelder-Mead", options={"maxiter": 8000})
    return minimize(negative, first.x, method="Nelder-Mead",
                    options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 8000})  # fmt: skip


def test_emax_on_the_odds_by_another_optimiser() -> None:
    x, y = S.exposure, S.response

    def negative(p: np.ndarray) -> float:
        eta = p[0] + p[1] * S.age + p[2] * x / (np.exp(p[3]) + x)
        return float(np.logaddexp(0.0, np.where(y, -eta, eta)).sum())

    theirs = _best(negative, [0.0, 0.0, 1.0, 0.0])
    ours = fit_response(Binary.of(y), x, {"age": S.age}, FitOptions("emax"))
    assert ours.status == "ok"
    assert ours.log_likelihood == pytest.approx(-theirs.fun, abs=1e-8)
    assert ours.theta == pytest.approx(theirs.x, abs=1e-4)


def test_emax_on_the_hazard_by_another_optimiser() -> None:
    x = S.exposure

    def negative(p: np.ndarray) -> float:
        eta = p[0] + p[1] * x / (np.exp(p[2]) + x)
        shape = np.exp(p[3])
        ln_hazard = np.log(shape) + (shape - 1.0) * np.log(S.time) + eta
        return float((np.exp(eta) * S.time**shape - S.event * ln_hazard).sum())

    theirs = _best(negative, [0.0, 1.0, 0.0, 0.0])
    ours = fit_response(weibull(S.right), x, options=FitOptions("emax"))
    assert ours.log_likelihood == pytest.approx(-theirs.fun, abs=1e-8)
    assert ours.theta == pytest.approx(theirs.x, abs=1e-4)


def test_cox_with_an_emax_effect_by_another_optimiser() -> None:
    x = S.exposure

    def negative(p: np.ndarray) -> float:
        eta = p[0] * x / (np.exp(p[1]) + x)
        risk = np.array([np.exp(eta[S.time >= t]).sum() for t in S.time[S.event]])
        return float(np.log(risk).sum() - eta[S.event].sum())

    theirs = _best(negative, [1.0, 0.0])
    ours = fit_response(Cox(np.zeros(N), S.time, S.event, PEOPLE), x, options=FitOptions("emax"))
    assert ours.log_likelihood == pytest.approx(-theirs.fun, abs=1e-8)
    assert ours.theta == pytest.approx(theirs.x, abs=1e-4)


def test_firth_of_a_fourfold_table_adds_a_half_to_each_cell() -> None:
    """The penalty of a saturated logistic model is Haldane's correction (Firth 1993)."""
    treated = np.repeat([0.0, 1.0], [12, 9])
    response = np.concatenate([np.zeros(12, dtype=bool), np.arange(9) < 5])
    fit = fit_response(Binary.of(response), treated, options=FitOptions("linear", firth=True))
    low = np.log(0.5 / 12.5)
    assert fit.theta == pytest.approx([low, np.log(5.5 / 4.5) - low], rel=1e-8)


def test_leukaemia_remissions() -> None:
    """Weeks in remission under 6-mercaptopurine and placebo.

    Data: Freireich and others, Blood 1963;21:699-716, as printed by Cox 1972. The estimates are
    those that textbooks print for them: log hazard ratio 1.57 with standard error 0.41 (Efron)
    and log-rank 16.79; constant hazards are events over weeks.
    """
    drug = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    time = np.array([*drug, *placebo], dtype=float)
    event = np.array([True] * 9 + [False] * 12 + [True] * 21)
    arm = np.repeat([0.0, 1.0], 21)
    people = np.arange(42)
    fit = fit_response(Cox(np.zeros(42), time, event, people), arm, options=FitOptions("linear"))
    assert fit.estimate("slope") == pytest.approx(1.572, abs=5e-4)
    assert float(fit.standard_errors[0]) == pytest.approx(0.412, abs=5e-4)
    outcome = TimeToEvent(
        np.zeros(42), time, np.where(event, time, np.inf), people, Hazard("exponential")
    )
    constant = fit_response(outcome, arm, options=FitOptions("linear"))
    rates = np.array([9 / time[:21].sum(), 21 / time[21:].sum()])
    assert np.exp(constant.estimate("slope")) == pytest.approx(rates[1] / rates[0], rel=1e-8)
    assert log_rank(np.zeros(42), time, event, arm.astype(int)).statistic == pytest.approx(
        16.79, abs=0.005
    )


def test_exposure_drawn_with_error_recovers_what_the_typical_one_flattens() -> None:
    """With Berkson's error the integrated likelihood is nearer to the truth on the average."""
    plain, integrated = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        typical = np.repeat([0.0, 0.5, 1.0, 2.0, 4.0, 8.0], 150)
        true = typical * np.exp(0.9 * rng.normal(size=typical.size))
        response = rng.random(true.size) < expit(-2.0 + 5.0 * true / (2.0 + true))
        draws = typical[:, None] * np.exp(0.9 * rng.normal(size=(typical.size, 40)))
        plain.append(fit_response(Binary.of(response), typical).estimate("Emax"))
        integrated.append(fit_response(Binary.of(response), draws).estimate("Emax"))
    assert abs(np.median(integrated) - 5.0) < abs(np.median(plain) - 5.0)
    assert np.median(plain) < 5.0
