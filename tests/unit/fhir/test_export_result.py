"""A result becomes a bundle: required elements, references that resolve, provenance, no order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from tests.unit.fhir.results import candidate, envelope, result

from statera.errors import InputError
from statera.fhir.export_result import ExportResult, export_result
from statera.fhir.read_bundle import read_bundle
from statera.fhir.result_document import read_result
from statera.fhir.ucum import ucum_code
from statera.units import convert

# FHIR R4, https://hl7.org/fhir/R4: elements with a minimum of 1, and codes of required bindings
REQUIRED = {
    "GuidanceResponse": ("status",),
    "DiagnosticReport": ("status", "code"),
    "Observation": ("status", "code"),
    "Provenance": ("target", "recorded", "agent"),
    "Device": (),
    "Parameters": (),
    "OperationOutcome": ("issue",),
}
CODES = {
    ("GuidanceResponse", "status"): {"success", "data-requested", "data-required", "failure"},
    ("DiagnosticReport", "status"): {"registered", "partial", "preliminary", "final"},
    ("Observation", "status"): {"registered", "preliminary", "final", "amended"},
}


def exported(document: Any) -> ExportResult:
    return export_result(read_result(document))


def resources(found: ExportResult, kind: str) -> list[dict[str, Any]]:
    entries = (entry["resource"] for entry in found.bundle["entry"])
    return [r for r in entries if r["resourceType"] == kind]


def references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("reference"), str):
            yield data["reference"]
        for value in data.values():
            yield from references(value)
    if isinstance(data, list):
        for value in data:
            yield from references(value)


def test_every_resource_has_what_the_specification_requires() -> None:
    found = exported(envelope())
    for entry in found.bundle["entry"]:
        data = entry["resource"]
        kind = data["resourceType"]
        assert all(data.get(key) for key in REQUIRED[kind])
        for (of, key), codes in CODES.items():
            assert of != kind or data[key] in codes
    (guidance,) = resources(found, "GuidanceResponse")
    assert [key for key in guidance if key.startswith("module")] == ["moduleCodeableConcept"]


def test_references_resolve_within_the_bundle_or_name_the_patient() -> None:
    found = exported(envelope())
    urls = [entry["fullUrl"] for entry in found.bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert set(references(found.bundle)) - set(urls) == {"Patient/p1"}
    assert read_bundle(found.bundle).type == "collection"  # it is a bundle that we would read


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "../Practitioner/1", "..", "a b", "é"]
)
def test_a_patient_whose_name_is_no_id_is_named_by_identifier(name: str) -> None:
    document = envelope()
    document["result"]["request"]["patient"] = name
    found = exported(document)
    assert not [each for each in references(found.bundle) if each.startswith("Patient/")]
    (report,) = resources(found, "DiagnosticReport")
    assert report["subject"] == {"type": "Patient", "identifier": {"value": name}}


def test_the_advice_and_its_numbers_are_kept() -> None:
    found = exported(envelope())
    (report,) = resources(found, "DiagnosticReport")
    assert report["conclusion"].startswith("4 mg every 24 h reaches the target")
    assert "Not a medical device" in report["conclusion"]
    assert report["effectiveDateTime"] == "2026-03-08T08:00:00+01:00"
    probability, exposure = resources(found, "Observation")
    assert probability["valueQuantity"]["value"] == pytest.approx(74.0)
    assert probability["valueQuantity"]["code"] == "%"
    assert exposure["valueQuantity"] | {"unit": ""} == {
        "value": 400.0, "unit": "", "system": "http://unitsofmeasure.org", "code": "ng.h/mL",
    }  # fmt: skip
    ends = {c["code"]["text"]: c["valueQuantity"]["value"] for c in exposure["component"]}
    assert ends == {"mean": 410.0, "5th percentile": 250.0, "95th percentile": 620.0}
    (output,) = resources(found, "Parameters")
    candidates = [p for p in output["parameter"] if p["name"] == "candidate"]
    assert [c["part"][1]["valueQuantity"]["value"] for c in candidates] == [4.0, 2.0]


def test_the_advised_candidate_is_described_whatever_its_rank() -> None:
    document = result()
    document["advice"]["chosen_rank"] = 2
    probability = resources(exported(document), "Observation")[0]
    assert "2 mg every 24 h" in probability["code"]["text"]


def test_provenance_names_program_request_and_models_with_hashes() -> None:
    found = exported(envelope())
    (origin,) = resources(found, "Provenance")
    said = [e["what"]["display"] for e in origin["entity"]]
    assert said[0] == "request visit-3, sha256:" + "a" * 64
    assert said[1].startswith("result of visit-3, sha256:")
    assert said[2].startswith("model baricitinib/Decker_2024, sha256:")
    assert origin["recorded"] == "2026-03-08T08:00:00+00:00"
    (device,) = resources(found, "Device")
    assert device["version"] == [{"value": "0.1.0"}]
    targets = {t["reference"] for t in origin["target"]}
    assert len(targets) == 4  # guidance, report and two observations


def test_hashes_that_are_not_known_are_not_made_up() -> None:
    other = envelope()
    other["manifest"]["statera"] = "0.0.9"
    found = exported(other)
    assert any("not known here" in r for r in found.remarks)
    (origin,) = resources(found, "Provenance")
    assert "no hash is known" in origin["entity"][2]["what"]["display"]
    own = result(models=[{"id": "mine.toml"}])
    assert any("mine.toml is not in the library" in r for r in exported(own).remarks)


def test_nothing_is_an_order() -> None:
    kinds = {e["resource"]["resourceType"] for e in exported(envelope()).bundle["entry"]}
    assert kinds == set(REQUIRED)


def test_what_is_not_written_is_listed() -> None:
    found = exported(envelope())
    assert set(found.left_out) == {"models", "samples", "later", "course"}
    document = result()
    document["advice"]["candidates"] = [candidate(i + 1, 1.0, 24.0, 0.1) for i in range(60)]
    assert "10 of 60" in exported(document).left_out["candidates"]


def test_without_a_target_there_is_no_dose() -> None:
    found = exported(result(advice=None, targets=[], remarks=[]))
    assert resources(found, "Observation") == []
    (report,) = resources(found, "DiagnosticReport")
    assert "advises no dose" in report["conclusion"]
    assert "result" not in report
    assert resources(found, "OperationOutcome") == []


def test_no_candidate_reaches_the_target() -> None:
    document = result()
    document["advice"] |= {"reached": False, "chosen_rank": None, "sentence": "No dose reaches it."}
    found = exported(document)
    (output,) = resources(found, "Parameters")
    assert {"name": "targetReached", "valueBoolean": False} in output["parameter"]
    assert resources(found, "DiagnosticReport")[0]["conclusion"].startswith("No dose reaches it.")


def test_times_without_a_zone_are_left_out() -> None:
    for origin in (None, "2026-03-01T08:00:00"):
        document = result()
        document["request"]["origin"] = origin
        found = exported(document)
        assert "effectiveDateTime" not in resources(found, "DiagnosticReport")[0]
        assert any("no dates with a time zone" in r for r in found.remarks)


def test_the_same_result_gives_the_same_bundle() -> None:
    assert exported(envelope()).bundle == exported(envelope()).bundle
    changed = envelope()
    changed["result"]["advice"]["candidates"][0]["probability"] = 0.75
    assert exported(changed).bundle["id"] != exported(envelope()).bundle["id"]


def test_the_narrative_is_escaped() -> None:
    div = resources(exported(envelope()), "GuidanceResponse")[0]["text"]["div"]
    texts = [element.text for element in Xml.fromstring(div)]
    assert "No validated target exists <for> this drug." in texts


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({}, "does not say what it is"),
        ({"schema": "statera.fit/1"}, "statera.fit/1"),
        (envelope(ok=False, result=None, error={"what": "no doses"}), "no doses"),
        (result(request={}), "'id' is missing"),
        (result(request={"id": "x", "patient": 1}), "not a text"),
        (result(models={}), "'models' is not a list"),
        (result(advice={"candidates": []}), "no sentence"),
        (result(advice={"sentence": "x", "candidates": [{}]}), "no 'amount'"),
        (result(request={"id": "x", "patient": "p", "origin": "today"}), "not a date"),
    ],
)
def test_what_is_no_result_is_refused(document: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as caught:
        read_result(document)
    assert what in caught.value.what


def test_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "forecast.json"
    path.write_text(json.dumps(envelope()), encoding="utf-8")
    assert exported(path).bundle == exported(envelope()).bundle
    with pytest.raises(InputError):
        read_result(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("ng*h/mL", "ng.h/mL"), ("ng/mL*h", "ng/mL.h"), ("nM", "nmol/L"), ("nM*h", "nmol/L.h"),
        ("h*nM", "h.nmol/L"), ("mg/L/h", "mg/L/h"), ("1/h", "1/h"), ("%", "%"), ("", "1"),
        ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
        ("furlong", None), ("/h", None), ("mg/", None), ("mg/nM", None), ("mg**h", None),
    ],
)  # fmt: skip
def test_units_of_results(unit: str, code: str | None) -> None:
    assert ucum_code(unit) == code


def test_codes_mean_what_the_unit_means() -> None:
    """UCUM reads from left to right, as the units of this program do."""
    for unit in ("ng*h/mL", "ng/mL*h", "mg/L/h", "nM*h"):
        code = ucum_code(unit)
        assert code is not None
        assert convert(1.0, code.replace(".", "*"), unit) == pytest.approx(1.0)


def test_a_unit_without_a_code_is_written_in_words() -> None:
    document = result()
    document["advice"]["candidates"][0]["expected"][0]["unit"] = "drops"
    assert resources(exported(document), "Observation")[1]["valueQuantity"] == {
        "value": 400.0,
        "unit": "drops",
    }
