"""Every bad input has its own named outcome, a place and advice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from statera.model import Model, build_model
from statera.tdm.check_request import check_request
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_problem import prepare_patient
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

from .conftest import spec

Make = Callable[..., Request]


def test_a_good_request_has_nothing_to_say(small: Model, request_of: Make) -> None:
    assert check_request(request_of(), [small]) == ()


WT = (CovariateValue("WT", 80.0),)
DOSE = DoseTaken(0.0, 10.0)


@pytest.mark.parametrize(
    ("parts", "outcome", "where"),
    [
        ({"doses": ()}, Outcome.NO_DOSES, "doses"),
        ({"doses": (replace(DOSE, taken=False),)}, Outcome.NO_DOSES, "doses"),
        ({"doses": (replace(DOSE, time=200.0),), "question": Question(time=100.0)},
         Outcome.DOSE_IN_FUTURE, "doses[0]"),
        ({"doses": (DoseTaken(0.0, 10.0, interval=24.0, additional=9),),
          "question": Question(time=100.0)}, Outcome.DOSE_IN_FUTURE, "doses[0].additional"),
        ({"doses": (DoseTaken(0.0, 10.0, additional=3),)}, Outcome.CONTRADICTORY_DATES, "doses[0]"),
        ({"doses": (replace(DOSE, amount=-1.0),)}, Outcome.BAD_REQUEST, "doses[0].amount"),
        ({"doses": (replace(DOSE, route="skin"),)}, Outcome.BAD_REQUEST, "doses[0].route"),
        ({"samples": (Sample(-2.0, 30.0),)}, Outcome.SAMPLE_BEFORE_FIRST_DOSE, "samples[0]"),
        ({"samples": (Sample(90.0, 30.0),), "question": Question(time=80.0)},
         Outcome.SAMPLE_IN_FUTURE, "samples[0]"),
        ({"samples": (Sample(73.0, 30.0), Sample(73.0, 30.0))}, Outcome.DUPLICATE_SAMPLES,
         "samples[1]"),
        ({"samples": (Sample(73.0, np.nan),)}, Outcome.BAD_REQUEST, "samples[0].value"),
        ({"samples": (Sample(73.0, 3.0, unit="mg"),)}, Outcome.BAD_REQUEST, "samples[0]"),
        ({"samples": (Sample(73.0, 3.0, analyte="M"),)}, Outcome.BAD_REQUEST, "samples[0]"),
        ({"samples": (Sample(73.0, 3.0, censored="below"),), "options": Options(blq="M1")},
         Outcome.ALL_BELOW_LIMIT, "samples"),
        ({"covariates": (CovariateValue("weight", 800.0),)}, Outcome.COVARIATE_IMPOSSIBLE,
         "covariates[0]"),
        ({"covariates": (CovariateValue("WT", 80.0, "h"),)}, Outcome.BAD_REQUEST, "covariates[0]"),
        ({"covariates": (*WT, CovariateValue("WT", 90.0))}, Outcome.CONTRADICTORY_DATES,
         "covariates[1]"),
        ({"options": Options(prior_weight=0.0)}, Outcome.BAD_REQUEST, "options.prior_weight"),
        ({"options": Options(blq="M9")}, Outcome.BAD_REQUEST, "options.blq"),
        ({"question": Question(targets=(Target(Metric.AUC24, 5.0, 3.0),))}, Outcome.BAD_REQUEST,
         "question.targets[0]"),
        ({"question": Question(probability=1.5)}, Outcome.BAD_REQUEST, "question.probability"),
    ],
)  # fmt: skip
def test_what_stops_a_request(
    small: Model, request_of: Make, parts: dict[str, object], outcome: Outcome, where: str
) -> None:
    with pytest.raises(RequestError) as error:
        check_request(request_of(**parts), [small])
    assert error.value.outcome is outcome
    assert str(error.value.where) == where
    assert error.value.hint


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ({"samples": ()}, Outcome.NO_SAMPLES),
        ({"doses": (DOSE, replace(DOSE, time=24.0, taken=False))}, Outcome.DOSE_NOT_TAKEN),
        ({"doses": (DOSE, DOSE)}, Outcome.DUPLICATE_DOSES),
        ({"doses": (DoseTaken(0.0, 10.0, interval=24.0, additional=3), DoseTaken(48.0, 5.0))},
         Outcome.DUPLICATE_DOSES),
        ({"samples": (Sample(73.0, 30.0), Sample(73.0, 33.0))}, Outcome.DUPLICATE_SAMPLES),
        ({"samples": (Sample(73.0, 3.0, censored="below"),)}, Outcome.ALL_BELOW_LIMIT),
        ({"samples": (Sample(-2.0, 3.0, censored="below"), Sample(73.0, 30.0))},
         Outcome.SAMPLE_BEFORE_FIRST_DOSE),
        ({"samples": (Sample(73.0, 3.0, lloq=5.0), Sample(74.0, 30.0))},
         Outcome.SAMPLE_BELOW_ITS_LIMIT),
        ({"samples": (Sample(73.0, 0.0), Sample(74.0, 30.0))}, Outcome.SAMPLE_OF_ZERO),
        ({"samples": (Sample(73.0, 3.0, weight=0.0), Sample(74.0, 30.0))},
         Outcome.SAMPLE_LEFT_OUT),
        ({"covariates": ()}, Outcome.COVARIATE_MISSING),
        ({"covariates": (CovariateValue("Weight", 140.0),)}, Outcome.COVARIATE_OUTSIDE_DATA),
        ({"covariates": (*WT, CovariateValue("HAIR", 1.0))}, Outcome.COVARIATE_NOT_USED),
    ],
)  # fmt: skip
def test_what_is_said_and_used(
    small: Model, request_of: Make, parts: dict[str, object], outcome: Outcome
) -> None:
    remarks = check_request(request_of(**parts), [small])
    assert [r.outcome for r in remarks] == [outcome]
    assert remarks[0].where


def test_a_reference_is_not_taken_as_the_patient_s_value(small: Model, request_of: Make) -> None:
    (remark,) = check_request(request_of(covariates=()), [small])
    assert "70 kg" in remark.sentence
    assert "need not be this patient's" in remark.sentence


def test_dates_are_said_as_dates(small: Model, request_of: Make) -> None:
    origin = datetime(2026, 3, 1, 8)
    request = request_of(samples=(Sample(90.0, 30.0),), question=Question(time=80.0), origin=origin)
    with pytest.raises(RequestError, match="2026-03-05 02:00") as error:
        check_request(request, [small])
    assert error.value.outcome is Outcome.SAMPLE_IN_FUTURE


def test_a_baseline_may_be_measured_before_the_first_dose(request_of: Make) -> None:
    model = build_model(spec(initial={"body": "TVV/10"}))
    assert check_request(request_of(samples=(Sample(-2.0, 30.0),)), [model]) == ()


def test_doses_far_from_those_studied(request_of: Make) -> None:
    model = build_model(spec(dose={"soft": {"min": 1, "max": 5}, "hard": {"min": 0.1, "max": 50}}))
    (remark,) = check_request(request_of(), [model])
    assert remark.outcome is Outcome.DOSE_OUTSIDE_DATA
    with pytest.raises(RequestError) as error:
        check_request(request_of(doses=(replace(DOSE, amount=500.0),)), [model])
    assert error.value.outcome is Outcome.DOSE_IMPOSSIBLE


def test_zero_has_no_logarithm(request_of: Make) -> None:
    model = build_model(spec(residual={"C": {"additive": 0.2, "scale": "log"}}))
    with pytest.raises(RequestError) as error:
        check_request(request_of(samples=(Sample(73.0, 0.0),)), [model])
    assert error.value.outcome is Outcome.SAMPLE_OF_ZERO


def test_occasions_that_no_dose_names(request_of: Make) -> None:
    effects = {**spec()["random_effects"], "o": {"variance": 0.1, "level": "occasion"}}
    model = build_model(
        spec(random_effects=effects, individual={**spec()["individual"], "KA": "TVKA*exp(o)"})
    )
    (remark,) = check_request(request_of(), [model])
    assert remark.outcome is Outcome.ONE_OCCASION


def test_omega_that_is_no_covariance(patient: Patient) -> None:
    model = build_model(spec())
    object.__setattr__(model, "omega", np.array([[0.1, 0.2, 0], [0.2, 0.1, 0], [0, 0, 0.2]]))
    with pytest.raises(RequestError) as error:
        prepare_patient(model, patient)
    assert error.value.outcome is Outcome.OMEGA_NOT_POSITIVE
