"""Estimates of one patient: against brute force, and what each part of a request does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from statera.model import Model, build_model
from statera.tdm.map_estimate import map_estimate, map_many
from statera.tdm.outcome import Outcome
from statera.tdm.patient_problem import PatientProblem, prepare_patient
from statera.tdm.request import CovariateValue, DoseTaken, Options, Patient, Sample

from .conftest import spec


def _objective(problem: PatientProblem, etas: np.ndarray) -> float:
    value = problem.individuals.values(problem.theta, etas[None, :])[0][0]
    return float(value + etas @ problem.prior.precision @ etas)


def test_the_minimum_is_found(small: Model, patient: Patient) -> None:
    problem = prepare_patient(small, patient)
    found = map_estimate(problem)
    brute = minimize(lambda e: _objective(problem, e), np.zeros(3), method="BFGS", tol=1e-10)
    np.testing.assert_allclose(found.etas, brute.x, atol=2e-5)
    assert found.objective == pytest.approx(brute.fun, abs=1e-9)
    assert found.status is None
    step = 1e-3
    for i in range(3):
        e = step * np.eye(3)[i]
        ends = [_objective(problem, found.etas + s * e) for s in (1, -1)]
        bend = (sum(ends) - 2 * found.objective) / step**2
        assert 0.5 * bend == pytest.approx(found.hessian[i, i], rel=1e-4)
    np.testing.assert_allclose(found.covariance @ found.hessian, np.eye(3), atol=1e-10)
    v = 80.0 * np.exp(found.etas[1])
    assert found.parameters["V"] == pytest.approx(v)
    assert found.parameters["CL"] == pytest.approx(10 * (80 / 70) ** 0.75 * np.exp(found.etas[0]))


def test_without_samples_the_prior_is_the_answer(small: Model, patient: Patient) -> None:
    found = map_estimate(prepare_patient(small, replace(patient, samples=())))
    assert (found.etas == 0).all()
    assert found.objective == 0.0
    np.testing.assert_allclose(found.covariance, small.omega, atol=1e-12)
    nobody = map_estimate(prepare_patient(small, Patient("P2")))
    assert nobody.status is None


def test_a_weak_prior_lets_samples_speak(small: Model, patient: Patient) -> None:
    distance = [
        float(np.linalg.norm(map_estimate(
            prepare_patient(small, patient, Options(prior_weight=w))).etas))
        for w in (10.0, 1.0, 0.1)
    ]  # fmt: skip
    assert distance[0] < distance[1] < distance[2]


def test_a_sample_of_weight_two_is_two_samples(small: Model, patient: Patient) -> None:
    last = patient.samples[-1]
    twice = replace(patient, samples=(*patient.samples, last))
    heavy = replace(patient, samples=(*patient.samples[:-1], replace(last, weight=2.0)))
    one = map_estimate(prepare_patient(small, twice))
    two = map_estimate(prepare_patient(small, heavy))
    np.testing.assert_allclose(one.etas, two.etas, atol=1e-9)
    assert one.objective == pytest.approx(two.objective)


def test_values_below_a_limit_count_by_their_probability(small: Model, patient: Patient) -> None:
    below = replace(patient.samples[-1], value=3.0, censored="below")
    changed = replace(patient, samples=(*patient.samples[:-1], below))
    problem = prepare_patient(small, changed)
    found = map_estimate(problem)
    brute = minimize(lambda e: _objective(problem, e), np.zeros(3), method="BFGS", tol=1e-10)
    np.testing.assert_allclose(found.etas, brute.x, atol=2e-5)
    left_out = map_estimate(prepare_patient(small, changed, Options(blq="M1")))
    assert left_out.ipred.size == 2
    assert found.parameters["CL"] > left_out.parameters["CL"]
    same = replace(patient.samples[-1], value=2.0, lloq=3.0)
    again = replace(patient, samples=(*patient.samples[:-1], same))
    np.testing.assert_allclose(map_estimate(prepare_patient(small, again)).etas, found.etas)


def test_an_uncertain_time_is_averaged_over(small: Model) -> None:
    """Against many times of drawing, each weighed by its probability."""
    sd, at, y = 0.4, 25.5, 60.0
    patient = Patient(
        "P1", (DoseTaken(0.0, 10.0, interval=24.0, additional=3),), (Sample(at, y, time_sd=sd),)
    )
    problem = prepare_patient(small, patient)
    times = at + sd * np.linspace(-3.7, 3.7, 401)
    many = prepare_patient(small, replace(patient, samples=tuple(Sample(t, y) for t in times)))
    chance = np.exp(-0.5 * ((times - at) / sd) ** 2)
    chance /= chance.sum()

    def objective(etas: np.ndarray) -> float:
        of = many.individuals
        x, _ = of.prepared.states(many.theta, etas[None, :])
        values = of.prepared.system_values(many.theta, etas[None, :])
        f, v = of.observations.predict(x, values)
        rho = np.log(v) + (y - f) ** 2 / v
        data = -2 * np.log((chance * np.exp(-0.5 * rho)).sum())
        return float(data + etas @ many.prior.precision @ etas)

    brute = minimize(objective, np.zeros(3), method="BFGS", tol=1e-9)
    found = map_estimate(problem)
    np.testing.assert_allclose(found.etas, brute.x, atol=5e-3)
    assert found.objective == pytest.approx(brute.fun, abs=5e-3)
    certain = map_estimate(prepare_patient(small, replace(patient, samples=(Sample(at, y),))))
    assert np.abs(found.etas - certain.etas).max() > 0.02
    step = 1e-3
    for i in range(3):
        e = step * np.eye(3)[i]
        ends = [_objective(problem, found.etas + s * e) for s in (1, -1)]
        bend = (sum(ends) - 2 * found.objective) / step**2
        assert 0.5 * bend == pytest.approx(found.hessian[i, i], rel=1e-3)


@pytest.mark.parametrize("rule", ["locf", "nocb"])
def test_covariates_change_from_or_up_to_their_time(small: Model, rule: str) -> None:
    """Half the weight from 48 h on: elimination between 24 and 48 h tells the rules apart."""
    changing = (CovariateValue("WT", 80.0, time=0.0), CovariateValue("WT", 40.0, time=48.0))
    patient = Patient(
        "P1", (DoseTaken(0.0, 10.0),), (Sample(24.0, 8.0), Sample(48.0, 1.0)), changing
    )
    problem = prepare_patient(
        small, patient, Options(covariate_interpolation="locf" if rule == "locf" else "nocb")
    )
    weights = problem.individuals.prepared.segments.covariates["WT"]
    at = problem.individuals.prepared.row_system
    assert weights[at[0]] == (80.0 if rule == "locf" else 40.0)
    found = map_estimate(problem)
    assert found.status is None
    ratio = problem.natural(problem.individuals.values(problem.theta, np.zeros((1, 3)))[1])
    k = np.log(ratio[0] / ratio[1]) / 24.0
    weight = 80.0 if rule == "locf" else 40.0
    assert k == pytest.approx(10 * (weight / 70) ** 0.75 / 80.0, rel=1e-6)


def test_molar_units_are_converted_where_the_drug_is_known(patient: Patient) -> None:
    model = build_model({**spec(), "drug": "baricitinib"})
    grams = prepare_patient(model, replace(patient, samples=(Sample(76.0, 37.141, "ng/mL"),)))
    molar = prepare_patient(model, replace(patient, samples=(Sample(76.0, 100.0, "nM"),)))
    assert molar.data.dv[0] == pytest.approx(grams.data.dv[0], rel=1e-3)


def test_two_minima_are_both_said() -> None:
    """Absorption and elimination can change places where the prior is wide."""
    model = build_model(
        spec(
            random_effects={"e_CL": {"variance": 1.5}, "e_V": {"variance": 1.5},
                            "e_KA": {"variance": 1.5}},
            covariances=[],
            parameters={"TVCL": {"value": 10.0}, "TVV": {"value": 40.0}, "TVKA": {"value": 0.4}},
            residual={"C": {"proportional": 0.05}},
        )
    )  # fmt: skip
    true = {"KA": 0.9, "k": 0.15, "V": 60.0}
    t = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0])
    c = 1e4 / true["V"] * true["KA"] / (true["KA"] - true["k"])
    y = c * (np.exp(-true["k"] * t) - np.exp(-true["KA"] * t))
    samples = tuple(Sample(float(a), float(b)) for a, b in zip(t, y, strict=True))
    patient = Patient("P1", (DoseTaken(0.0, 10.0),), samples)
    found = map_estimate(prepare_patient(model, patient), explore=True)
    assert found.status is Outcome.SEVERAL_MODES
    assert len(found.modes) == 2
    assert (
        found.modes[0].objective
        <= found.modes[1].objective
        == pytest.approx(_objective(prepare_patient(model, patient), found.modes[1].etas))
    )
    rates = []
    for mode in found.modes:
        p = prepare_patient(model, patient).parameters(mode.etas[None, :])
        rates.append(sorted([float(p["KA"][0]), float(p["CL"][0] / p["V"][0])]))
    np.testing.assert_allclose(rates[0], rates[1], rtol=0.2)


def test_a_model_that_must_be_integrated(patient: Patient) -> None:
    model = build_model(
        spec(dynamics={"gut": "-KA*gut", "body": "KA*gut - CL*body/(V + 0.05*body)"})
    )
    problem = prepare_patient(model, patient)
    found = map_estimate(problem)
    brute = minimize(lambda e: _objective(problem, e), np.zeros(3), method="BFGS", tol=1e-8)
    np.testing.assert_allclose(found.etas, brute.x, atol=1e-4)


def test_many_patients_and_one_that_cannot_be_solved(small: Model, patient: Patient) -> None:
    model = build_model(spec(residual={"C": {"proportional": 0.1}}))
    early = replace(patient, samples=(Sample(-1.0, 5.0),))
    found = map_many([prepare_patient(model, p) for p in (patient, early, patient)])
    assert [f.status for f in found] == [None, Outcome.NOT_SOLVED, None]
    np.testing.assert_array_equal(found[0].etas, found[2].etas)
