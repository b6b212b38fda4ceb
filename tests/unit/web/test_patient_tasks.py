"""The tasks of the screen for one patient."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from statera.errors import InputError, UnknownNameError
from statera.tdm.read_request import read_request
from statera.web.answer import Answer
from statera.web.catalogue import CATALOGUE
from statera.web.requests.patient import (
    CandidateRequest,
    Case,
    CaseRequest,
    ForecastRequest,
    NoRequest,
    ReadRequest,
)
from statera.web.tasks import (
    patient_candidate,
    patient_facts,
    patient_forecast,
    patient_options,
    patient_read,
    patient_report,
)
from statera.web.tasks.patient_sample import sample_case

from .fake_work import FakeWork


def said(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.to_json())
    return found


def changed(**fields: Any) -> Case:
    return Case.model_validate({**sample_case().model_dump(), **fields})


def forecast_of(case: Case, detail: str = "full") -> dict[str, Any]:
    request = ForecastRequest.model_validate({"case": case.model_dump(), "detail": detail})
    return said(patient_forecast.run(request, FakeWork()))


def facts_of(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = said(patient_facts.run(CaseRequest(case=case), FakeWork()))["result"]
    return found


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    return forecast_of(sample_case())


def test_tasks_stand_in_the_catalogue() -> None:
    names = {name for name in CATALOGUE if name.startswith("patient-")}
    assert names == {
        "patient-options", "patient-facts", "patient-forecast", "patient-candidate",
        "patient-read", "patient-report",
    }  # fmt: skip
    assert CATALOGUE["patient-report"].job
    assert not any(CATALOGUE[n].cacheable for n in names - {"patient-options"})


def test_options_hold_a_case_that_can_be_read() -> None:
    found = said(patient_options.run(NoRequest(), FakeWork()))["result"]
    assert Case.model_validate(found["sample"]) == sample_case()
    assert any(row["metric"] == "AUC24" and row["url"] for row in found["exposures"]["baricitinib"])
    assert {m["id"] for m in found["models"] if not m["usable"]} == {"filgotinib/Namour_2015"}


def test_facts_of_the_sample_are_complete() -> None:
    found = facts_of(sample_case())
    assert [s["status"] for s in found["steps"].values()] == ["complete"] * 4 + ["missing"]
    by_name = {c["name"]: c for c in found["covariates"]}
    assert by_name["WT"]["value"] == 58
    schwartz = next(r for r in found["renal"]["rows"] if r["id"] == "schwartz-bedside")
    assert by_name["EGFR"]["value"] == pytest.approx(schwartz["indexed"], rel=1e-5)
    assert found["label"]["doses"][0]["mg"] == 4
    assert found["label"]["deciding"][0]["source_title"]


def test_absolute_renal_function_is_not_put_in_the_place_of_an_indexed_one() -> None:
    person = {"age": 60, "sex": "female", "weight_kg": 90, "height_cm": 160,
              "creatinine": "93 umol/L", "crcl": 71.0}  # fmt: skip
    case = changed(person=person, covariates=[], models=["baricitinib/Decker_2024"])
    indexed = next(c for c in facts_of(case)["covariates"] if c["name"] == "EGFR")
    assert indexed["words"] == "CKD-EPI 2021, creatinine"
    assert indexed["value"] != 71.0
    other = changed(person=person, covariates=[], models=["tofacitinib/Xie_2019"])
    absolute = next(c for c in facts_of(other)["covariates"] if c["name"] == "CRCL")
    assert (absolute["value"], absolute["words"]) == (71.0, "creatinine clearance as stated")


def test_a_converted_value_says_so() -> None:
    case = changed(
        person={"age": 60, "sex": "male", "weight_kg": 90, "height_cm": 180,
                "creatinine": "93 umol/L"},
        indexed="cockcroft-gault", covariates=[],
    )  # fmt: skip
    found = next(c for c in facts_of(case)["covariates"] if c["name"] == "EGFR")
    assert "converted to mL/min/1.73m2 by body surface" in found["words"]


def test_an_entered_covariate_comes_first() -> None:
    rows = [{"name": "weight", "value": 61, "unit": "kg"}]
    found = [c for c in facts_of(changed(covariates=rows))["covariates"] if c["name"] == "WT"]
    assert [(c["value"], c["origin"]) for c in found] == [(61, "entered")]


def test_what_is_not_known_is_missing_and_never_normal() -> None:
    found = facts_of(changed(person={}, covariates=[]))
    assert found["steps"]["patient"]["status"] == "missing"
    assert found["label"]["outcome"] == "cannot_be_decided"
    assert found["label"]["missing"]


def test_a_wrong_value_is_a_problem_at_its_step() -> None:
    found = facts_of(changed(person={"age": 15, "creatinine": "62"}))
    assert found["problem"]["step"] == "patient"
    assert found["steps"]["patient"]["status"] == "warning"
    late = [{"time": "2026-04-01T08:00", "value": 3}]
    found = facts_of(changed(samples=late))
    assert found["problem"]["step"] == "samples"
    assert found["problem"]["outcome"] == "sample_in_future"


def test_bands_narrow_as_facts_arrive(full: dict[str, Any]) -> None:
    course = full["result"]["forecast"]["course"]
    assert [b["label"] for b in course["bands"]] == ["a priori", "a posteriori"]
    middle = len(course["time"]) // 2
    widths = [b["p95"][middle] / b["p5"][middle] for b in course["bands"]]
    assert widths[1] < 0.7 * widths[0]


def test_a_quick_answer_has_bands_alone() -> None:
    found = forecast_of(sample_case(), "quick")["result"]
    assert [b["label"] for b in found["forecast"]["course"]["bands"]] == [
        "a priori",
        "a posteriori",
    ]
    assert found["forecast"]["advice"] is None
    none = forecast_of(changed(samples=[]), "quick")["result"]
    assert [b["label"] for b in none["forecast"]["course"]["bands"]] == ["a priori"]


def test_quick_and_full_bands_agree(full: dict[str, Any]) -> None:
    quick = forecast_of(sample_case(), "quick")["result"]["forecast"]["course"]["bands"][-1]
    course = full["result"]["forecast"]["course"]
    peak = max(range(len(course["time"])), key=lambda k: course["bands"][-1]["p50"][k])
    assert quick["p50"][0] is not None
    assert max(quick["p50"]) == pytest.approx(course["bands"][-1]["p50"][peak], rel=0.15)


def test_the_label_limits_the_search(full: dict[str, Any]) -> None:
    assert full["result"]["limit_daily_mg"] == 4
    above = [c for c in full["result"]["forecast"]["advice"]["candidates"] if c["daily"] > 4]
    assert above
    assert all(c["above_label_maximum"] and not c["reaches"] for c in above)
    free = forecast_of(changed(limit_by_label=False))["result"]
    assert free["limit_daily_mg"] is None
    label = next(s for s in free["closing"] if s["key"] == "label")
    assert label["status"] == "missing"


def test_a_label_that_cannot_be_decided_does_not_limit_and_says_so() -> None:
    found = forecast_of(changed(person={"weight_kg": 58}))
    assert found["result"]["limit_daily_mg"] is None
    assert any("not limited by the label" in w for w in found["warnings"])


def test_the_closing_assessment_answers_every_question(full: dict[str, Any]) -> None:
    keys = [s["key"] for s in full["result"]["closing"]]
    assert keys == [
        "expectedness", "suitability", "prediction", "label", "next_control", "warnings",
    ]  # fmt: skip
    sampling = forecast_of(sample_case(), "sampling")
    told = next(s for s in sampling["result"]["closing"] if s["key"] == "next_control")
    assert told["status"] == "complete"
    assert "h after the next dose" in told["sentence"]


def test_a_candidate_draws_its_course(full: dict[str, Any]) -> None:
    request = CandidateRequest(case=sample_case(), amount=2, interval=24)
    low = said(patient_candidate.run(request, FakeWork()))["result"]
    high = said(
        patient_candidate.run(
            CandidateRequest(case=sample_case(), amount=4, interval=24), FakeWork()
        )
    )["result"]
    assert low["time"][0] == full["result"]["forecast"]["time"]
    assert max(low["p50"]) < max(high["p50"])
    assert all(a <= b <= c for a, b, c in zip(low["p5"], low["p50"], low["p95"], strict=True))


def run_program(text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def test_the_copied_program_prints_the_same_numbers(full: dict[str, Any]) -> None:
    lines = run_program(full["copies"]["python"]).splitlines()
    candidates = full["result"]["forecast"]["advice"]["candidates"]
    assert lines[0] == full["result"]["forecast"]["advice"]["sentence"]
    assert float(lines[1].split()[-1]) == pytest.approx(candidates[0]["probability"], rel=1e-8)
    assert len(lines) == 1 + len(candidates)


def test_no_text_escapes_from_the_copies(tmp_path: Path) -> None:
    question = sample_case().question.model_dump()
    nasty = "'''; raise SystemExit(9) #\nEND\ntouch hit\n$(touch hit) \\"
    question["targets"][0]["basis"] = nasty
    found = forecast_of(changed(question=question))
    assert found["result"]["forecast"]["targets"][0]["basis"] == nasty
    lines = run_program(found["copies"]["python"]).splitlines()
    assert lines[0] == found["result"]["forecast"]["advice"]["sentence"]
    command = found["copies"]["command"].rpartition("\n")[0]
    subprocess.run(["bash", "-c", command], check=True, timeout=60, cwd=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["visit.toml"]
    assert read_request(tmp_path / "visit.toml").question.targets[0].basis == nasty


def test_the_copied_command_gives_the_same_numbers(full: dict[str, Any], tmp_path: Path) -> None:
    command = full["copies"]["command"].replace(
        "statera forecast", f"{sys.executable} -m statera forecast"
    )
    done = subprocess.run(
        ["bash", "-c", f"{command} --json --quiet"], capture_output=True, text=True, check=True,
        timeout=120, cwd=tmp_path,
    )  # fmt: skip
    found = json.loads(done.stdout)["result"]
    mine = full["result"]["forecast"]
    for key in ("models", "advice", "samples", "later"):
        assert found[key] == mine[key], key
    assert found["course"]["time"] == mine["course"]["time"]
    assert found["course"]["bands"][1:] == mine["course"]["bands"]  # the first is of anybody


def test_copied_facts_give_the_same_answers(tmp_path: Path) -> None:
    facts = said(patient_facts.run(CaseRequest(case=sample_case()), FakeWork()))
    lines = run_program(facts["copies"]["python"]).splitlines()
    assert lines[-1] == f"dose {facts['result']['label']['sentence']}"
    rows = {row["id"]: row for row in facts["result"]["renal"]["rows"]}
    bedside = next(line for line in lines if line.startswith("schwartz-bedside"))
    assert f"{rows['schwartz-bedside']['indexed']:.1f}" in bedside
    command = facts["copies"]["command"].replace("statera ", f"{sys.executable} -m statera ")
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=120,
        cwd=tmp_path,
    )  # fmt: skip
    assert f"{rows['schwartz-bedside']['indexed']:.1f}" in done.stdout
    assert facts["result"]["label"]["sentence"] in done.stdout


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_a_request_becomes_a_case(ending: str) -> None:
    toml = (Path(__file__).parents[3] / "examples" / "visit.toml").read_text(encoding="utf-8")
    text = toml if ending == "toml" else json.dumps(tomllib.loads(toml))
    found = said(patient_read.run(ReadRequest(name=f"visit.{ending}", text=text), FakeWork()))
    case = Case.model_validate(found["result"]["case"])
    assert case.models == ["baricitinib/Decker_2024"]
    assert [s.value for s in case.samples] == [71, 8.9]
    assert case.question.maximum_daily == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", "x ="),
        ("a.json", "[1"),
        ("a.json", "[]"),
        ("a.json", "{}"),
        ("a.json", "[" * 100_000),
        ("a.json", '{"schema":"statera.request/1","models":["/a.toml"],"patient":{"id":"x"}}'),
        ("a.json", '{"schema":"statera.request/1","models":["../m.toml"],"patient":{"id":"x"}}'),
        ("a.json", '{"resourceType":"Bundle","type":"history"}'),
    ],
)  # fmt: skip
def test_what_is_no_case_is_refused_in_words(name: str, text: str) -> None:
    with pytest.raises(InputError):
        patient_read.run(ReadRequest(name=name, text=text), FakeWork())


def test_a_bundle_becomes_a_case_with_what_was_left_out() -> None:
    entries: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "2011-01-01"},
        {
            "resourceType": "MedicationAdministration", "id": "d", "status": "completed",
            "subject": {"reference": "Patient/p"},
            "medicationCodeableConcept": {"text": "baricitinib"},
            "effectiveDateTime": "2026-03-01T08:00:00+01:00",
            "dosage": {"dose": {"value": 4, "unit": "mg", "code": "mg",
                                "system": "http://unitsofmeasure.org"}},
        },
        {
            "resourceType": "MedicationRequest", "id": "r", "status": "active",
            "intent": "order", "subject": {"reference": "Patient/p"},
            "medicationCodeableConcept": {"text": "baricitinib"},
        },
    ]  # fmt: skip
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in entries],
    }
    request = ReadRequest(
        name="bundle.json", text=json.dumps(bundle), model="baricitinib/Decker_2024"
    )
    found = said(patient_read.run(request, FakeWork()))["result"]
    case = Case.model_validate(found["case"])
    assert [d.amount for d in case.doses] == [4]
    assert [row["what"] for row in found["left_out"]] == ["plan, not intake"]


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("baricitinib/Deker_2024", "Nearest: baricitinib/Decker_2024"),
        ("a", "Known: "),
        ("/etc/passwd.toml", "Known: "),
        ("../x/y", "Known: "),
        ("a/b.toml", "Known: "),
    ],
)
def test_a_model_that_does_not_exist_is_answered_with_those_that_do(
    name: str, offered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a file of the user would be opened by the library's own function
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.toml").write_text('schema = "statera.model/1"')
    case = changed(models=[name])
    found = facts_of(case)
    assert found["problem"]["where"] == "models[0]"
    assert found["problem"]["step"] == "patient"
    assert found["steps"]["patient"]["status"] == "warning"
    assert f"is called '{name}'" in found["steps"]["patient"]["sentence"]
    assert offered in found["steps"]["patient"]["sentence"]
    for ask in (
        lambda: forecast_of(case, "quick"),
        lambda: patient_candidate.run(
            CandidateRequest(case=case, amount=2, interval=24), FakeWork()
        ),
        lambda: patient_report.run(CaseRequest(case=case), FakeWork()),
    ):
        with pytest.raises(UnknownNameError, match="no model is called") as caught:
            ask()
        assert caught.value.where == "models[0]"
        assert offered in caught.value.hint


def test_a_file_with_an_unknown_model_says_so_with_its_name() -> None:
    text = """
schema = "statera.request/1"
models = ["baricitinib/Deker_2024"]
[patient]
id = "P1"
"""
    with pytest.raises(UnknownNameError, match="no model is called") as caught:
        patient_read.run(ReadRequest(name="visit.toml", text=text), FakeWork())
    assert str(caught.value.where) == "visit.toml: models[0]"
    bundle = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": []})
    asked = ReadRequest(name="b.json", text=bundle, model="/etc/passwd.toml")
    with pytest.raises(UnknownNameError, match=r"'/etc/passwd.toml'"):
        patient_read.run(asked, FakeWork())


@pytest.mark.parametrize("value", ["abc", "4;4", "< LLOQ"])
def test_a_value_that_is_none_is_a_mistake_of_its_sample(value: str) -> None:
    samples = [dict(s) for s in sample_case().model_dump()["samples"]]
    samples[1]["value"] = value
    found = facts_of(changed(samples=samples))
    assert found["problem"]["where"] == "request: samples[1].value"
    assert found["problem"]["step"] == "samples"
    assert found["steps"]["samples"]["status"] == "warning"
    assert found["steps"]["patient"]["status"] == "complete"


def test_rows_are_counted_in_the_order_of_their_times() -> None:
    samples = sample_case().model_dump()["samples"][::-1]
    found = forecast_of(changed(samples=samples), "full")
    assert [s["value"] for s in found["result"]["forecast"]["samples"]] == [44, 2.6]
    samples[0]["value"] = -1.0  # the first row, and the second in time
    for value in (-1.0, "none"):
        samples[0]["value"] = value
        assert "samples[1].value" in facts_of(changed(samples=samples))["problem"]["where"]


def test_a_target_that_cannot_be_computed_is_told_at_its_step() -> None:
    question = sample_case().model_dump()["question"]
    question["targets"] = [{"metric": "time_above", "low": 6, "high": None, "unit": "h"}]
    found = facts_of(changed(question=question))
    assert found["problem"]["step"] == "target"
    assert "needs a concentration above 0" in found["steps"]["target"]["sentence"]


def test_words_name_what_is_meant() -> None:
    person = {**sample_case().model_dump()["person"], "creatinine": "62"}
    assert facts_of(changed(person=person))["problem"]["what"] == "creatinine has no unit"
    assert facts_of(sample_case())["steps"]["target"]["sentence"].startswith("AUC over 24 h 300")
    samples = [{"time": "2026-03-07T09:30", "value": 4400, "unit": "ng/mL"}]
    said_of = forecast_of(changed(samples=samples))["warnings"]
    assert any("at 2026-03-07 09:30 lies above what 99 of 100" in s for s in said_of)


def test_the_report_is_kept_as_files() -> None:
    pytest.importorskip("typst")
    work = FakeWork()
    answer = said(patient_report.run(CaseRequest(case=sample_case()), work))
    assert set(work.saved) == {
        "patient.html", "patient.pdf", "visit.toml", "forecast.json", "fhir-bundle.json",
    }  # fmt: skip
    assert work.saved["patient.pdf"][0].startswith(b"%PDF")
    assert b"Not a medical device" in work.saved["patient.html"][0]
    assert b"use 4 mg once daily" in work.saved["patient.html"][0]
    assert answer["result"]["sentence"].encode() in work.saved["forecast.json"][0]
    assert [f for f, _, _ in work.told][-1] == 1.0


def test_the_saved_request_is_read_back(tmp_path: Path) -> None:
    work = FakeWork()
    patient_report.run(CaseRequest(case=sample_case()), work)
    path = tmp_path / "visit.toml"
    path.write_bytes(work.saved["visit.toml"][0])
    request = read_request(path)
    assert request.question.maximum_daily == 4
    assert request.patient.samples[1].value == 2.6
