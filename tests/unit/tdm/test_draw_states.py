"""Superposition against the engine that steps from event to event."""

from __future__ import annotations

import numpy as np
import pytest

from statera.model import Model
from statera.tdm.draw_likelihood import DrawLikelihood
from statera.tdm.draw_states import DrawStates, runs_of_doses
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.request import CovariateValue, DoseTaken, Patient, Sample

from .drawn_models import DUAL, GUT, ORAL, TWO, ZERO, model_of, saturable, with_occasions

TIMES = (0.1, 0.3, 1.7, 5.0, 24.0, 26.0, 49.0, 60.0, 71.9)
REGIMENS = {
    "single": (DoseTaken(0.0, 100.0),),
    "run": (DoseTaken(0.0, 100.0, interval=12.0, additional=5),),
    "one by one": tuple(DoseTaken(12.0 * k, 100.0) for k in range(6)),
    "steady state": (DoseTaken(0.0, 100.0, interval=12.0, steady_state=True),),
    "steady and on": (DoseTaken(0.0, 80.0, interval=24.0, additional=2, steady_state=True),),
    "infusions": (
        DoseTaken(0.0, 100.0, route="iv", duration=2.0),
        DoseTaken(20.0, 50.0, route="iv", duration=30.0, interval=10.0, additional=4),
    ),
    "infusion at steady state": (
        DoseTaken(0.0, 60.0, route="iv", duration=15.0, interval=6.0, steady_state=True),
    ),
    "mixed": (DoseTaken(0.0, 100.0), DoseTaken(10.0, 40.0, route="iv"), DoseTaken(30.0, 70.0)),
}  # fmt: skip
IV = {"iv": [{"kind": "bolus", "into": "body"}]}


def _model(kind: str) -> Model:
    if kind == "oral":
        return model_of(ORAL | IV, GUT)
    if kind == "zero order, two compartments":
        return model_of(ZERO | IV, TWO)
    if kind == "baseline":
        grown = {"gut": "-KA*gut", "body": "KA*gut - CL/V*body + 3"}
        return model_of(ORAL | IV, grown, initial={"body": "7"})
    return model_of(DUAL | IV, GUT)


def _both(model: Model, patient: Patient, n: int = 40) -> tuple[np.ndarray, np.ndarray, DrawStates]:
    problem = prepare_patient(model, patient)
    etas = problem.prior.draw(np.random.default_rng(3), n)
    states = DrawStates(problem.individuals.prepared)
    stepped, _ = states._stepped(problem.theta, etas)
    return states(problem.theta, etas)[0], stepped, states


def _asked(doses: tuple[DoseTaken, ...], **more: object) -> Patient:
    return Patient("P", doses, tuple(Sample(t, 1.0) for t in TIMES), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("regimen", REGIMENS)
@pytest.mark.parametrize("kind", ["oral", "zero order, two compartments", "dual", "baseline"])
def test_superposition_is_exact(kind: str, regimen: str) -> None:
    fast, stepped, states = _both(_model(kind), _asked(REGIMENS[regimen]))
    assert states.runs is not None
    assert np.isfinite(stepped).all()
    np.testing.assert_allclose(fast, stepped, rtol=1e-9, atol=1e-9 * np.abs(stepped).max())


def test_equal_doses_become_one_run() -> None:
    problem = prepare_patient(model_of(ORAL, GUT), Patient("P", REGIMENS["one by one"], (
        Sample(70.0, 1.0),)))  # fmt: skip
    runs = runs_of_doses(problem.individuals.prepared.events)
    assert runs is not None
    assert runs.time.tolist() == [0.0]
    assert runs.further.tolist() == [5.0]
    assert runs.interval.tolist() == [12.0]


def test_covariates_that_change_are_stepped() -> None:
    covariates = (CovariateValue("WT", 70.0), CovariateValue("WT", 90.0, time=30.0))
    fast, stepped, states = _both(
        model_of(ORAL, GUT), _asked(REGIMENS["run"], covariates=covariates)
    )
    assert states.runs is None
    np.testing.assert_array_equal(fast, stepped)


def test_many_doses_before_another_steady_state_are_stepped() -> None:
    doses = (DoseTaken(0.0, 10.0), DoseTaken(20.0, 100.0, interval=12.0, steady_state=True))
    _, _, states = _both(model_of(ORAL, GUT), _asked(doses))
    assert states.runs is None


@pytest.mark.parametrize("make", [saturable, with_occasions])
def test_likelihood_of_draws_is_that_of_estimation(make) -> None:
    doses = (DoseTaken(0.0, 100.0, occasion="a"), DoseTaken(24.0, 100.0, occasion="b"))
    samples = (
        Sample(2.0, 1.8), Sample(20.0, 0.4, lloq=0.5, censored="below"), Sample(26.0, 2.5),
        Sample(30.0, 1.0, weight=0.5), Sample(40.0, 0.4, time_sd=0.5),
    )  # fmt: skip
    problem = prepare_patient(make(), Patient("P", doses, samples))
    etas = problem.prior.draw(np.random.default_rng(3), 12)
    found = DrawLikelihood(problem.individuals, problem.theta).minus_two_log(etas)
    expected = [problem.individuals.values(problem.theta, e[None, :])[0][0] for e in etas]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_a_draw_without_a_solution_has_no_likelihood() -> None:
    problem = prepare_patient(model_of(ORAL, GUT), _asked(REGIMENS["single"]))
    etas = np.array([[0.0, 0.0], [800.0, 0.0], [np.nan, 0.0]])
    found = DrawLikelihood(problem.individuals, problem.theta).minus_two_log(etas)
    assert np.isfinite(found[0])
    assert np.isinf(found[1:]).all()


@pytest.mark.parametrize("interval", [24.0, 7.3])
@pytest.mark.parametrize("kind", ["oral", "zero order, two compartments", "dual", "baseline"])
def test_rows_that_repeat_every_interval_are_exact(kind: str, interval: float) -> None:
    # such rows share exponentials: during a run, and in the intervals after its last dose
    after = np.array([0.0, 0.4, 1.1, 3.0, 6.9])
    times = np.round((np.arange(12)[:, None] * interval + after).ravel(), 6)
    doses = (DoseTaken(0.0, 100.0, interval=interval, additional=6),
             DoseTaken(8.0 * interval, 60.0, interval=interval, additional=1))  # fmt: skip
    patient = Patient("P", doses, tuple(Sample(t, 1.0) for t in times.tolist()))
    found, stepped, states = _both(_model(kind), patient)
    assert states.runs is not None
    np.testing.assert_allclose(found, stepped, rtol=1e-9, atol=1e-12)
