"""The closing assessment of a forecast, in words."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from statera.dosing import Patient, decide
from statera.dosing.decision_data import decision_data
from statera.patient_report import patient_report
from statera.patient_report.closing import Statement, closing_assessment, closing_section
from statera.report import render_html
from statera.report.check import problems

STORED = json.loads((Path(__file__).parent / "forecast.json").read_text(encoding="utf-8"))


@pytest.fixture
def result() -> dict[str, Any]:
    return copy.deepcopy(STORED)


def of(result: dict[str, Any], key: str, limit: float | None = None) -> Statement:
    return next(s for s in closing_assessment(result, limit) if s.key == key)


def test_an_unlikely_sample_is_not_expected(result: dict[str, Any]) -> None:
    for sample in result["samples"]:
        sample |= {"percentile": 40.0, "unlikely": False}
    result["unusual"] = {"distance": 1.0, "percentile": 50.0}
    assert of(result, "expectedness").status == "complete"
    result["samples"][0] |= {"percentile": 99.0, "unlikely": True}
    found = of(result, "expectedness")
    assert found.status == "warning"
    assert found.sentence.startswith("1 of 2 samples")


def test_expected_samples_may_make_an_unusual_patient(result: dict[str, Any]) -> None:
    for sample in result["samples"]:
        sample |= {"percentile": 40.0, "unlikely": False}
    result["unusual"] = {"distance": 5.0, "percentile": 99.8}
    assert "unusual patient" in of(result, "expectedness").sentence


def test_no_sample_says_less(result: dict[str, Any]) -> None:
    assert of(result | {"samples": []}, "expectedness").status == "missing"


def test_the_present_dose_is_judged_by_its_candidate(result: dict[str, Any]) -> None:
    candidate = result["advice"]["candidates"][-1]
    dose = dict(result["doses"][-1], amount=candidate["amount"], interval=candidate["interval"])
    result["doses"] = [dose]
    candidate |= {"reaches": False, "probability": 0.12, "above_label_maximum": False}
    found = of(result, "suitability")
    assert (found.status, "12 %" in found.sentence) == ("warning", True)
    candidate |= {"reaches": True, "probability": 0.9}
    assert of(result, "suitability").status == "complete"


def test_the_interval_of_single_doses_is_their_distance(result: dict[str, Any]) -> None:
    candidate = result["advice"]["candidates"][0]
    one = dict(result["doses"][0], time=0.0, amount=candidate["amount"], interval=0.0, additional=0)
    result["doses"] = [one, dict(one, time=candidate["interval"])]
    assert "probability" in of(result, "suitability").sentence
    result["doses"] = [one]
    assert of(result, "suitability").status == "missing"
    result["doses"] = [dict(one, amount=0.123), dict(one, amount=0.123, time=24.0)]
    assert "not among the doses searched" in of(result, "suitability").sentence


def test_the_prediction_is_that_of_the_dose_advised(result: dict[str, Any]) -> None:
    advice = result["advice"]
    chosen = advice["candidates"][1]
    advice |= {"chosen_rank": chosen["rank"], "reached": True}
    assert f"{chosen['expected'][0]['p50']:.3g}" in of(result, "prediction").sentence
    advice |= {"chosen_rank": None, "reached": False}
    assert of(result, "prediction").status == "warning"
    assert of(result | {"advice": None}, "prediction").status == "missing"


def test_a_limit_that_is_not_known_allows_nothing(result: dict[str, Any]) -> None:
    assert of(result, "label").status == "missing"
    result["advice"]["candidates"][0]["above_label_maximum"] = False
    result["advice"]["chosen_rank"] = 1
    assert of(result, "label", 4.0).status == "complete"
    result["advice"]["candidates"][0]["above_label_maximum"] = True
    assert of(result, "label", 4.0).status == "warning"
    assert len(closing_section(result).blocks[0].rows) == 5  # type: ignore[union-attr]


def test_a_sample_that_adds_little_is_said_to(result: dict[str, Any]) -> None:
    result["sampling"]["singles"][0]["share"] = 0.95
    assert "adds little" in of(result, "next_control").sentence
    result["sampling"]["singles"][0]["share"] = 0.4
    assert "leaves 40 %" in of(result, "next_control").sentence
    assert of(result | {"sampling": None}, "next_control").status == "missing"


def test_remarks_are_counted(result: dict[str, Any]) -> None:
    odd = {"outcome": "unlikely_sample", "sentence": "it is odd", "where": "samples[0]"}
    assert of(result | {"remarks": []}, "warnings").status == "complete"
    assert of(result | {"remarks": [odd]}, "warnings").sentence == "It is odd."
    assert of(result | {"remarks": [odd, odd]}, "warnings").sentence.startswith("2 remarks")


def test_the_page_holds_the_label_with_its_sources(result: dict[str, Any]) -> None:
    decision = decide("baricitinib", "EU", Patient(age=50), indication="RA")
    label = decision_data(decision)
    document = patient_report(result, {}, label=label)
    assert problems(document) == ()
    page = render_html(document)
    assert label["sentence"] in page
    assert label["deciding"][0]["source_title"].partition(" (")[0] in page
    assert [s.key for s in document.sections][:3] == ["advice", "label", "course"]


def test_the_page_holds_it_where_it_is_wanted(result: dict[str, Any]) -> None:
    document = patient_report(result, {}, closing=True)
    assert problems(document) == ()
    assert "Which sample next?" in render_html(document)
    assert "Which sample next?" not in render_html(patient_report(result, {}))
