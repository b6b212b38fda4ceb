"""``statera fhir``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.fhir.bundles import bundle, patient, whole_record
from tests.unit.fhir.results import envelope
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.tdm.read_request import read_request


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fhir", *arguments])


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(whole_record()), encoding="utf-8")
    return path


def test_import_writes_a_request_that_is_read(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "request.json"
    result = invoke("import", str(record), "--model", "baricitinib/Decker_2024", "--out", str(out))
    assert result.exit_code == 0
    request = read_request(out)
    assert len(request.patient.doses) == 2
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in result.stdout.splitlines()}
    assert rows["MedicationRequest/r1"] == "plan, not intake"
    assert "2 rows of doses, 1 sample, 2 covariates; 0 left out" in result.stderr


QUESTION = """
[question]
time = 2026-03-08T08:00:00+01:00
strengths = [1, 2, 4]

[[question.targets]]
metric = "AUC24"
low = 300
unit = "ng*h/mL"

[options]
seed = 7
"""


def test_a_question_is_added_from_a_file(record: Path, tmp_path: Path) -> None:
    question, out = tmp_path / "question.toml", tmp_path / "request.json"
    question.write_text(QUESTION, encoding="utf-8")
    result = invoke("import", str(record), "--question", str(question), "--out", str(out), "-q")
    assert result.exit_code == 0
    request = read_request(out)
    assert request.question.targets[0].low == 300.0
    assert request.question.strengths == (1.0, 2.0, 4.0)
    assert request.options.seed == 7
    assert request.question.time == pytest.approx(176.0)


def test_a_potency_beside_the_question_is_stated_in_the_request(
    record: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.csv").write_text("cytokine,matrix,value,unit\nIL-6,cell,40,nM\n")
    question, out = tmp_path / "question.toml", tmp_path / "request.json"
    question.write_text(
        f'{QUESTION}\n[[question.targets]]\nmetric = "average_inhibition"\nlow = 0.2\n'
        'potency = { file = "mine.csv", stimulus = "IL-6" }\n'
    )
    result = invoke("import", str(record), "--question", str(question), "--out", str(out), "-q")
    assert result.exit_code == 0, result.stderr
    (tmp_path / "mine.csv").unlink()
    potency = read_request(out).question.targets[-1].potency
    assert potency is not None
    assert (potency.potency.value, potency.file) == (40.0, "mine.csv")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[patient]\nid = 'x'", "holds 'patient'"),
        ("[question", "cannot be read"),
        ("[question]\ntimes = 3", "times"),
        ("[question]\ntime = 2026-03-08T08:00:00", "time zone"),
    ],
)
def test_a_wrong_question_writes_nothing(
    record: Path, tmp_path: Path, text: str, what: str
) -> None:
    question, out = tmp_path / "question.toml", tmp_path / "request.json"
    question.write_text(text, encoding="utf-8")
    result = invoke("import", str(record), "--question", str(question), "--out", str(out))
    assert result.exit_code == 3
    assert what in result.stderr
    assert not out.exists()


def test_import_prints_the_request_as_json(record: Path) -> None:
    found = json.loads(invoke("import", str(record), "--json").stdout)
    assert found["schema"] == "statera.fhir.import/1"
    assert found["result"]["request"]["schema"] == "statera.request/1"
    assert found["result"]["plans"][0]["resource"] == "MedicationRequest/r1"
    assert found["manifest"]["inputs"]["bundle.json"].startswith("sha256:")
    assert any("No model was named" in w for w in found["warnings"])


def test_import_says_what_is_wrong(record: Path, tmp_path: Path) -> None:
    assert "--out" in invoke("import", str(record)).stderr
    assert invoke("import", str(record)).exit_code == 2
    assert invoke("import", str(tmp_path / "none.json"), "--json").exit_code == 3
    wrong = invoke("import", str(record), "--json", "--time-zone", "Mars")
    assert json.loads(wrong.stdout)["error"]["where"] == "--time-zone"
    unknown = invoke("import", str(record), "--json", "--renal", "ckd-epi")
    assert "ckd-epi-2009" in json.loads(unknown.stdout)["error"]["hint"]


def test_a_failed_import_writes_nothing(tmp_path: Path) -> None:
    path, out = tmp_path / "empty.json", tmp_path / "request.json"
    path.write_text(json.dumps(bundle(patient())), encoding="utf-8")
    assert invoke("import", str(path), "--out", str(out)).exit_code == 2
    assert not out.exists()


def test_a_local_code_with_and_without_its_system(tmp_path: Path) -> None:
    record = whole_record()
    sample = next(e["resource"] for e in record["entry"] if e["resource"]["id"] == "c1")
    sample["code"] = {"coding": [{"system": "urn:lab", "code": "BARI"}]}
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    for code, samples in (("BARI", 1), ("urn:lab|BARI", 1), ("urn:x|BARI", 0)):
        found = json.loads(invoke("import", str(path), "--level-code", code, "--json").stdout)
        assert len(found["result"]["request"]["samples"]) == samples


def test_export_writes_a_bundle(tmp_path: Path) -> None:
    path, out = tmp_path / "forecast.json", tmp_path / "bundle.json"
    path.write_text(json.dumps(envelope()), encoding="utf-8")
    result = invoke("export", str(path), "--out", str(out))
    assert result.exit_code == 0
    bundle = json.loads(out.read_text(encoding="utf-8"))
    assert bundle["resourceType"] == "Bundle"
    assert "Provenance\t1" in result.stdout
    assert "left out" in result.stdout
    printed = invoke("export", str(path))
    assert json.loads(printed.stdout) == bundle
    assert "course" in printed.stderr
    as_json = json.loads(invoke("export", str(path), "--json").stdout)
    assert as_json["result"]["bundle"] == bundle
    assert as_json["result"]["written"]["Observation"] == 2


def test_export_of_what_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "forecast.json"
    path.write_text("{}", encoding="utf-8")
    result = invoke("export", str(path))
    assert result.exit_code == 3
    assert "statera.forecast/1" in result.stderr
