"""From a request to its answer, and the plain data that others read."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from statera.model import Model
from statera.tdm.averaging import Member, average, model_weights
from statera.tdm.batch import ANSWERED, FAILED, forecast_many
from statera.tdm.forecast import Parts, forecast
from statera.tdm.future import carried_etas, covariates_at, with_doses
from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.posterior import posterior
from statera.tdm.request import (
    CovariateValue,
    DoseTaken,
    Metric,
    Options,
    Patient,
    Question,
    Request,
    Sample,
    Target,
)
from statera.tdm.sampling_advice import expected_variance

from .drawn_models import GUT, ORAL, TWO, drawn, model_of, one_effect, saturable, with_occasions

PATIENT = Patient(
    "P",
    (DoseTaken(0.0, 100.0, interval=24.0, additional=2),),
    (Sample(50.0, 1.9), Sample(60.0, 0.6)),
)
QUESTION = Question(time=72.0, targets=(Target(Metric.AUC24, 15.0, 25.0),), strengths=(50.0, 100.0))
REQUEST = Request("r", ("m",), PATIENT, QUESTION, Options(draws=4000))


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return {
        "m": model_of(ORAL, GUT), "other": model_of(ORAL, TWO | {"gut": "-KA*gut",
            "body": "KA*gut - CL/V*body - Q/V*body + Q/V2*deep"}),
        "occasions": with_occasions(), "saturable": saturable(), "one": one_effect(),
    }  # fmt: skip


def test_the_answer_is_the_same_to_the_last_bit(models) -> None:
    one, two = (json.dumps(forecast(REQUEST, models).to_dict()) for _ in range(2))
    assert one == two
    other = replace(REQUEST, options=Options(draws=4000, seed=2))
    assert json.dumps(forecast(other, models).to_dict()) != one


def test_what_the_answer_holds(models) -> None:
    found = forecast(REQUEST, models)
    data = found.to_dict()
    json.dumps(data, allow_nan=False)
    assert data["schema"] == "statera.forecast/1"
    assert [b["label"] for b in data["course"]["bands"]] == [
        "population", "a priori", "a posteriori"
    ]  # fmt: skip
    assert data["models"][0]["posterior"]["effective_draws"] > 400
    assert data["later"]["basis"] == "advised"
    assert data["later"]["doses"][0]["time"] == 72.0
    assert data["samples"][0]["predicted_individual"] == pytest.approx(1.9, rel=0.2)
    assert 1.0 <= data["samples"][0]["percentile"] <= 99.0
    assert data["advice"]["reached"]
    assert {c["rank"] for c in data["advice"]["candidates"]} == set(range(1, 9))
    assert data["sampling"]["singles"][0]["share"] <= data["sampling"]["singles"][-1]["share"]
    assert found.manifest["seed"] == 1
    assert Outcome.NO_VALIDATED_TARGET in found.outcomes


def test_bands_narrow_and_agree_with_the_samples(models) -> None:
    course = forecast(REQUEST, models).courses
    assert course is not None
    width = [np.nanmean(np.log(b.high[5:] / b.low[5:])) for b in course.bands]
    assert width[2] < 0.6 * width[1]
    at = int(np.argmin(np.abs(course.time - 50.0)))
    assert course.bands[2].low[at] < 1.9 < course.bands[2].high[at]
    assert set(np.round([50.0, 60.0], 6)) <= set(course.time)
    for band in course.bands:
        assert (band.low <= band.median).all()
        assert (band.median <= band.high).all()


def test_population_and_patient_differ_by_covariates(models) -> None:
    patient = replace(PATIENT, samples=(), covariates=(CovariateValue("WT", 120.0, "kg"),))
    found = forecast(replace(REQUEST, patient=patient), models)
    assert found.courses is not None
    population, before, after = found.courses.bands
    assert before.typical[-1] < 0.9 * population.typical[-1]
    np.testing.assert_allclose(after.typical, before.typical)
    assert Outcome.NO_SAMPLES in found.outcomes
    assert found.members[0].posterior.method == "prior"


@pytest.mark.parametrize("name", ["occasions", "saturable", "other"])
def test_other_kinetics(models, name: str) -> None:
    doses = tuple(DoseTaken(24.0 * k, 100.0, occasion=str(k)) for k in range(3))
    request = replace(
        REQUEST, models=(name,), patient=replace(PATIENT, doses=doses), options=Options(draws=500),
        question=replace(QUESTION, strengths=(100.0,), most_tablets=2),
    )  # fmt: skip
    data = forecast(request, models, parts=Parts(sampling=name != "saturable")).to_dict()
    assert data["advice"]["candidates"]
    assert all(v is not None for v in data["course"]["bands"][2]["p50"])


def test_a_dose_for_somebody_without_any_record(models) -> None:
    request = Request("r", ("m",), Patient("new"), replace(QUESTION, time=None))
    found = forecast(request, models)
    assert found.advice is not None
    assert found.advice.candidates[0].probability > 0.3
    assert found.later_basis in ("advised", "best candidate")


def test_without_a_target_the_last_regimen_goes_on(models) -> None:
    found = forecast(replace(REQUEST, question=Question()), models)
    assert (found.advice, found.sampling) == (None, None)
    assert found.later_basis == "as before"
    assert (found.later[0].time, found.later[0].amount) == (72.0, 100.0)


def test_several_models_are_weighed(models) -> None:
    request = replace(REQUEST, models=("m", "other"))
    found = forecast(request, models)
    weights = [m.weight for m in found.members]
    assert sum(weights) == pytest.approx(1.0)
    evidence = [m.posterior.log_evidence for m in found.members]
    assert weights[0] / weights[1] == pytest.approx(np.exp(evidence[0] - evidence[1]))
    by_map = forecast(replace(request, options=Options(draws=4000, averaging="map-ofv")), models)
    assert [m.weight for m in by_map.members] == [m.map_weight for m in found.members]
    single = [forecast(replace(REQUEST, models=(n,)), models).advice for n in ("m", "other")]
    assert found.advice is not None
    by_dose = {str(c.candidate): c.probability for c in found.advice.candidates}
    parts = [{str(c.candidate): c.probability for c in a.candidates} for a in single if a]
    for dose, probability in by_dose.items():
        mixed = sum(w * p[dose] for w, p in zip(weights, parts, strict=True))
        assert probability == pytest.approx(mixed, abs=3e-4)


def test_weights_of_models() -> None:
    np.testing.assert_allclose(model_weights([-1000.0, -1000.0 - np.log(3.0)]), [0.75, 0.25])
    np.testing.assert_allclose(model_weights([-np.inf, -5.0]), [0.0, 1.0])
    np.testing.assert_allclose(model_weights([np.nan, np.nan]), [0.5, 0.5])


def test_models_of_other_samples_are_not_compared(models) -> None:
    members = []
    for samples in (PATIENT.samples, PATIENT.samples[:1]):
        problem = prepare_patient(models["m"], replace(PATIENT, samples=samples))
        found = map_estimate(problem)
        members.append(Member(problem, found, posterior(problem, found)))
    with pytest.raises(RequestError, match="do not use the same samples"):
        average(members)


def test_one_failing_request_stops_no_other(models) -> None:
    bad_sample = replace(PATIENT, samples=(Sample(-5.0, 1.0),))
    requests = [
        REQUEST,
        replace(REQUEST, id="bad", patient=bad_sample),
        replace(REQUEST, id="unknown", models=("nothing",)),
        replace(REQUEST, id="last"),
    ]
    parts = Parts(plausibility=False, courses=False, sampling=False)
    rows = forecast_many(requests, models, parts=parts, workers=2)
    assert [r.request_id for r in rows] == ["r", "bad", "unknown", "last"]
    assert [r.outcome for r in rows] == [
        ANSWERED, str(Outcome.SAMPLE_BEFORE_FIRST_DOSE), FAILED, ANSWERED
    ]  # fmt: skip
    assert rows[1].sentence
    assert rows[1].forecast is None
    assert rows[3].forecast is not None
    assert rows[3].forecast.courses is None
    alone = forecast_many(requests[:1], models, parts=parts)
    assert rows[0].forecast is not None
    assert alone[0].forecast is not None
    assert rows[0].forecast.to_dict() == alone[0].forecast.to_dict()


def test_runs_are_cut_where_later_doses_begin(models) -> None:
    later = (DoseTaken(30.0, 50.0),)
    found = with_doses(models["m"], PATIENT, later)
    assert [(d.time, d.last_time) for d in found.doses] == [(0.0, 24.0), (30.0, 30.0)]
    exactly = with_doses(models["m"], PATIENT, (DoseTaken(24.0, 50.0),))
    assert exactly.doses[0].last_time == 0.0


def test_new_occasions_are_drawn_from_their_prior(models) -> None:
    model = models["occasions"]
    problem, post = drawn(model, PATIENT)
    planned = with_doses(model, PATIENT, (DoseTaken(72.0, 100.0),))
    to = prepare_patient(model, planned)
    etas = carried_etas(post, to)
    assert to.eta_occasions == (-1, -1, 0, 1)
    np.testing.assert_array_equal(etas[:, :3], post.etas)
    assert np.std(etas[:, 3]) == pytest.approx(0.5, rel=0.03)
    assert abs(np.corrcoef(etas[:, 2], etas[:, 3])[0, 1]) < 0.03
    assert problem.n_etas == 3


def test_covariates_known_at_a_time() -> None:
    weights = (CovariateValue("WT", 70.0), CovariateValue("WT", 80.0, time=10.0))
    patient = Patient("P", covariates=weights)
    assert covariates_at(patient, 5.0)[0].value == 70.0
    assert covariates_at(patient, 10.0)[0].value == 80.0


def test_expected_variance_of_a_normal_model() -> None:
    """A measurement with as much error as the prior spread halves the variance."""
    rng = np.random.default_rng(4)
    g = rng.standard_normal(4000)
    y = g[:400] + rng.standard_normal(400)
    logs = -0.5 * (y[:, None] - g) ** 2
    assert expected_variance(logs, g) / g.var() == pytest.approx(0.5, abs=0.02)


def test_sampling_advice_knows_what_clearance_shows_in(models) -> None:
    """With clearance alone unknown, a late sample says more of the area than an early one."""
    found = forecast(
        replace(REQUEST, models=("one",), patient=replace(PATIENT, samples=())), models
    )
    sampling = found.sampling
    assert sampling is not None
    shares = {c.times[0]: c.share for c in sampling.singles}
    assert shares[8.0] < 0.5 * shares[0.5]
    assert sampling.pairs[0].share <= sampling.singles[0].share + 0.01
    assert sampling.singles[0].sd <= sampling.sd
