"""How likely samples are before the fit, and how unusual patients are after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from statera.model import Model
from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Outcome
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.plausibility import (
    SampleCheck,
    check_samples,
    how_unusual,
    plausibility_remarks,
    prior_percentiles,
)
from statera.tdm.request import Options, Patient, Request, Sample


def _checks(model: Model, patient: Patient) -> tuple[SampleCheck, ...]:
    return check_samples(model, patient, prepare_patient(model, patient), Options())


def _request(patient: Patient) -> Request:
    return Request("request", ("small",), patient)


def test_percentiles_are_those_of_simulated_samples(small: Model, patient: Patient) -> None:
    problem = prepare_patient(small, patient)
    source = np.random.default_rng(7)
    etas = source.multivariate_normal(np.zeros(3), small.omega, 4000)
    below = np.zeros(3)
    for e in etas:
        x, _ = problem.individuals.prepared.states(problem.theta, e[None, :])
        values = problem.individuals.prepared.system_values(problem.theta, e[None, :])
        f, v = problem.individuals.observations.predict(x, values)
        below += f + np.sqrt(v) * source.standard_normal(3) < [70.0, 80.0, 9.0]
    np.testing.assert_allclose(prior_percentiles(problem, 4000), below / 40.0, atol=3.5)


def test_usual_samples_need_no_remark(small: Model, patient: Patient) -> None:
    checks = _checks(small, patient)
    assert all(1.0 < c.percentile < 99.0 and not c.unlikely for c in checks)
    assert plausibility_remarks(checks, None, _request(patient)) == ()


@pytest.mark.parametrize(
    ("sample", "word"),
    [
        (Sample(76.0, 0.08), "a thousand times as large"),
        (Sample(76.0, 80000.0), "a thousand times as small"),
        (Sample(76.0, 9.0), "missed"),
        (Sample(71.5, 85.0), "check the time"),
    ],
)
def test_what_may_explain_an_unlikely_sample(
    small: Model, patient: Patient, sample: Sample, word: str
) -> None:
    other = replace(patient, samples=(sample,))
    (check,) = _checks(small, other)
    assert check.unlikely
    assert any(word in hint for hint in check.hints)
    remarks = plausibility_remarks([check], None, _request(other))
    assert [r.outcome for r in remarks] == [Outcome.UNLIKELY_SAMPLE, Outcome.NO_LIKELY_SAMPLE]
    assert "check" in remarks[0].sentence or "missed" in remarks[0].sentence
    assert f" at {sample.time:g} h lies " in remarks[0].sentence
    dated = replace(_request(other), origin=datetime(2026, 3, 1, 8))
    (first, _) = plausibility_remarks([check], None, dated)
    assert " at 2026-03-04 " in first.sentence


def test_a_value_below_the_limit_is_not_unlikely_for_being_high(
    small: Model, patient: Patient
) -> None:
    (check,) = _checks(small, replace(patient, samples=(Sample(76.0, 900.0, censored="below"),)))
    assert check.percentile == 99.0
    assert not check.unlikely


def test_distance_of_a_patient(small: Model, patient: Patient) -> None:
    problem = prepare_patient(small, patient)
    usual = how_unusual(problem, map_estimate(problem))
    assert usual.percentile < 90
    far = replace(patient, samples=tuple(replace(s, value=s.value * 6) for s in patient.samples))
    problem = prepare_patient(small, far)
    unusual = how_unusual(problem, map_estimate(problem))
    found = map_estimate(problem)
    assert unusual.distance == pytest.approx(
        np.sqrt(found.etas @ np.linalg.inv(small.omega) @ found.etas)
    )
    assert unusual.percentile > 99
    (remark,) = plausibility_remarks((), unusual, _request(far))
    assert remark.outcome is Outcome.UNUSUAL_PATIENT
