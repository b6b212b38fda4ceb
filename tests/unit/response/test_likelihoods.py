"""Derivatives of every likelihood and form against differences; values against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.effect_forms import FORMS, EffectForm
from statera.response.hazards import HAZARDS, Hazard
from statera.response.ordinal import Ordinal
from statera.response.problem import Problem
from statera.response.time_to_event import TimeToEvent

N = 50
RNG = np.random.default_rng(1)
X = np.where(RNG.random(N) < 0.2, 0.0, 3.0 * RNG.lognormal(size=N))
COVARIATES = RNG.normal(size=(N, 2))
PEOPLE = np.arange(N)
ENTRY = np.where(RNG.random(N) < 0.5, 0.0, 0.3 * RNG.random(N))
TIME = np.round(ENTRY + RNG.exponential(size=N), 1) + 0.35
EVENT = RNG.random(N) < 0.6
RIGHT = np.where(EVENT, TIME, np.inf)
RIGHT = np.where(EVENT & (RNG.random(N) < 0.4), TIME + 0.5, RIGHT)
DRAWS = X[:, None] * np.exp(0.3 * RNG.normal(size=(N, 3)))


def hazard(name: str) -> Hazard:
    return Hazard(name, (0.5, 1.0) if name == "piecewise" else ())  # type: ignore[arg-type]


OUTCOMES = {
    "binary": Binary.of(RNG.random(N) < 0.4),
    "ordinal": Ordinal(RNG.integers(0, 4, N), tuple("abcd"), PEOPLE),
    "cox": Cox(ENTRY, TIME, EVENT, PEOPLE),
    **{name: TimeToEvent(ENTRY, TIME, RIGHT, PEOPLE, hazard(name)) for name in HAZARDS},
}


# a partial likelihood is no product over rows: Cox's model takes no draws
CASES = [
    (kind, draws) for kind in OUTCOMES for draws in (False, True) if kind != "cox" or not draws
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "draws"), CASES)
def test_derivatives(kind: str, form: str, draws: bool) -> None:
    exposure = DRAWS if draws else X[:, None]
    effect = EffectForm(form, 2.0)  # type: ignore[arg-type]
    problem = Problem(OUTCOMES[kind], exposure, COVARIATES, ("a", "b"), effect)  # type: ignore[arg-type]
    theta = 0.3 * np.random.default_rng(2).normal(size=len(problem.parameters))
    if kind == "ordinal":
        theta[-3:] = [-1.0, 0.1, 1.2]
    at = problem.evaluate(theta)
    h = 1e-5
    either = [(problem.evaluate(theta + h * d), problem.evaluate(theta - h * d))
              for d in np.eye(theta.size)]  # fmt: skip
    slope = np.array([(a.value - b.value) / (2 * h) for a, b in either])
    curve = np.array([(a.gradient - b.gradient) / (2 * h) for a, b in either])
    assert at.gradient == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert at.hessian == pytest.approx(curve, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "baseline", "law"),
    [
        ("exponential", [], stats.expon(scale=np.exp(-0.3))),
        ("weibull", [0.4], stats.weibull_min(np.exp(0.4), scale=np.exp(-0.3 / np.exp(0.4)))),
        ("gompertz", [0.7], stats.gompertz(np.exp(0.3) / 0.7, scale=1 / 0.7)),
        ("log-logistic-odds", [0.4], stats.fisk(np.exp(0.4), scale=np.exp(-0.3 / np.exp(0.4)))),
    ],
)
def test_hazards_are_those_of_the_laws(
    name: str, baseline: list[float], law: stats.rv_frozen
) -> None:
    t = np.array([0.05, 0.4, 1.3, 3.0])
    eta, a = np.full(4, 0.3), np.array(baseline)
    h = hazard(name)
    assert h.cumulative(t, eta, a).value == pytest.approx(-law.logsf(t), rel=1e-10)
    assert h.log_hazard(t, eta, a).value == pytest.approx(law.logpdf(t) - law.logsf(t), rel=1e-10)


def test_log_logistic_baseline_and_pieces() -> None:
    t = np.array([0.05, 0.4, 1.3, 3.0])
    zero = np.zeros(4)
    law = stats.fisk(np.exp(0.4), scale=np.exp(0.2))
    h = hazard("log-logistic")
    assert h.cumulative(t, zero, np.array([0.2, 0.4])).value == pytest.approx(-law.logsf(t))
    pieces = hazard("piecewise")
    rates = np.log([1.0, 2.0, 3.0])
    by_hand = [0.05, 0.4, 0.5 + 1.0 + 0.9, 0.5 + 1.0 + 6.0]
    assert pieces.cumulative(t, zero, rates).value == pytest.approx(by_hand)
    assert pieces.log_hazard(t, zero, rates).value == pytest.approx(np.log([1.0, 1.0, 3.0, 3.0]))


def test_gompertz_about_a_rate_of_zero_is_exponential() -> None:
    t = np.array([0.5, 2.0])
    for rate in (0.0, 1e-9, -1e-9):
        found = hazard("gompertz").cumulative(t, np.zeros(2), np.array([rate]))
        assert found.value == pytest.approx(t, rel=1e-8)
        assert found.slope[:, 1] == pytest.approx(t**2 / 2, rel=1e-8)
        assert found.curve[:, 1, 1] == pytest.approx(t**3 / 3, rel=1e-8)


def test_draws_that_agree_are_one_exposure() -> None:
    theta = np.array([-0.5, 0.1, 0.2, 1.0, 0.5])
    one = Problem(OUTCOMES["binary"], X[:, None], COVARIATES, ("a", "b"), EffectForm("emax"))  # type: ignore[arg-type]
    many = Problem(OUTCOMES["binary"], np.repeat(X[:, None], 4, axis=1), COVARIATES, ("a", "b"),
                   EffectForm("emax"))  # type: ignore[arg-type]  # fmt: skip
    a, b = one.evaluate(theta), many.evaluate(theta)
    assert b.value == pytest.approx(a.value)
    assert b.gradient == pytest.approx(a.gradient)
    assert b.hessian == pytest.approx(a.hessian)


def test_start_stop_rows_add_up_to_one() -> None:
    """A row cut in two at a time without an event has the same likelihood, also Cox's."""
    cut = 0.5 * (ENTRY + TIME)
    entry, time = np.concatenate([ENTRY, cut]), np.concatenate([cut, TIME])
    event = np.concatenate([np.zeros(N, dtype=bool), EVENT])
    people = np.concatenate([PEOPLE, PEOPLE])
    eta = 0.4 * COVARIATES[:, 0]
    twice = np.concatenate([eta, eta])
    for name in ("weibull", "gompertz", "log-logistic", "piecewise"):
        h = hazard(name)
        a = 0.2 * np.arange(1.0, len(h.baseline) + 1)
        whole = TimeToEvent(ENTRY, TIME, np.where(EVENT, TIME, np.inf), PEOPLE, h)
        parts = TimeToEvent(entry, time, np.where(event, time, np.inf), people, h)
        assert parts.rows(twice, a).value.sum() == pytest.approx(whole.rows(eta, a).value.sum())
    slope = COVARIATES
    one, _ = Cox(ENTRY, TIME, EVENT, PEOPLE).partial(eta, slope)
    two, _ = Cox(entry, time, event, people).partial(twice, np.vstack([slope, slope]))
    assert two.value == pytest.approx(one.value)
    assert two.gradient == pytest.approx(one.gradient, abs=1e-10)
