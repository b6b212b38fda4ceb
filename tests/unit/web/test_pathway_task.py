"""The tasks of the screen for pathways."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from statera.cli.main import app
from statera.errors import InputError
from statera.web.requests.pathway import ChoicesRequest, NetworkRequest, PathwayRequest
from statera.web.samples import path as sample
from statera.web.tasks import pathway_choices, pathway_network
from statera.web.tasks.pathway_run import run

from .fake_work import FakeWork

BARICITINIB = {"drug": "baricitinib", "doses": ["2 mg q24h ss", "4 mg q24h ss"], "points": 41}
MODEL, MARKS = "sample-pathway-model", "sample-pathway-marks"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> FakeWork:
    pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    folder = tmp_path_factory.mktemp("samples")
    return FakeWork(uploads={name: sample(name, folder).path for name in (MODEL, MARKS)})


def answer(work: FakeWork | None = None, **request: Any) -> dict[str, Any]:
    made = run(PathwayRequest(**request), work or FakeWork())
    found: dict[str, Any] = json.loads(made.to_json())
    return found


def test_more_drug_inhibits_more() -> None:
    found = answer(**BARICITINIB)["result"]
    none, two, four = found["runs"]
    assert [r["label"] for r in found["runs"]] == ["no drug", "2 mg q24h ss", "4 mg q24h ss"]
    assert none["area_inhibition"]["total_pSTAT"] == 0
    for name in ("total_pSTAT", "target"):
        assert 0 < two["area_inhibition"][name] < four["area_inhibition"][name] < 100
    assert [p["kinase"] for p in found["potencies"]] == ["JAK1", "JAK2", "TYK2"]


def test_of_a_weak_stimulus_a_constant_concentration_inhibits_by_the_hill_equation() -> None:
    asked = {"drug": "baricitinib", "concentrations": [5.7, 17.1], "stimulus": 0.001}
    _, one, three = answer(**asked)["result"]["runs"]
    # JAK2 at 5.7 nM is inhibited most
    np.testing.assert_allclose(one["inhibition"]["total_pSTAT"][5:], 50, atol=0.1)
    np.testing.assert_allclose(three["inhibition"]["total_pSTAT"][5:], 75, atol=0.1)


def test_the_short_table_holds_the_inhibition_at_its_times() -> None:
    found = answer(**BARICITINIB)["result"]
    heads, rows = found["shown"]["columns"], found["shown"]["rows"]
    assert heads[:2] == ["output", "scenario"]
    assert heads[-2:] == ["240 min", "area"]
    assert len(rows) == 3 * 2
    (row,) = [r for r in rows if r[:2] == ["target", "4 mg q24h ss"]]
    run_of = found["runs"][2]
    assert row[-1] == run_of["area_inhibition"]["target"]
    assert row[-2] == run_of["inhibition"]["target"][-1]


def test_an_uploaded_file_of_the_same_network_gives_the_same_courses(work: FakeWork) -> None:
    compact = answer(**BARICITINIB)["result"]
    uploaded = answer(
        work, sbml=MODEL, marks_file=MARKS, outputs=["total_pSTAT", "SOCS", "target"], **BARICITINIB
    )["result"]
    for one, other in zip(compact["runs"], uploaded["runs"], strict=True):
        for name, values in one["outputs"].items():
            np.testing.assert_allclose(values, other["outputs"][name], rtol=1e-6, atol=1e-9)


def test_constant_concentrations_need_no_population_model() -> None:
    asked = {"drug": "ruxolitinib", "ic50": {"JAK1": 3.0}, "concentrations": [3.0, 30.0]}
    found = answer(**asked)["result"]
    assert [r["label"] for r in found["runs"]] == ["no drug", "3 nM", "30 nM"]
    # at its IC50 half of the kinase is left: early phosphorylation is halved
    assert found["runs"][1]["inhibition"]["total_pSTAT"][1] == pytest.approx(50, abs=2)


def test_a_network_alone_runs_without_drug(work: FakeWork) -> None:
    found = answer(work, sbml=MODEL, parameters={"L": 0.5})["result"]
    (alone,) = found["runs"]
    assert list(alone["outputs"]) == ["active", "STAT", "pSTAT", "dimer", "ndimer"]
    assert found["shown"]["rows"] == []


@pytest.mark.parametrize(
    ("asked", "where", "says"),
    [
        ({"drug": "ruxolitinib", "doses": ["15 mg q12h ss"]}, "ic50", "no potency"),
        (
            {"drug": "ruxolitinib", "doses": ["15 mg q12h ss"], "ic50": {"JAK1": 3.0}},
            "drug",
            "no population model",
        ),
        (
            {"drug": "tofacitinib", "doses": ["5 mg q12h ss"], "ic50": {"JAK1": 3.0}},
            "molar_mass",
            "molar mass",
        ),
        ({**BARICITINIB, "ic50": {"JAK3": 3.0}}, "ic50", "JAK3"),
        ({**BARICITINIB, "cytokine": "IL-99"}, "cytokine", "IL-99"),
        ({**BARICITINIB, "model": "tofacitinib/Xie_2019"}, "model", "not of baricitinib"),
        ({**BARICITINIB, "model": "../decker.toml"}, "model", "no model"),
        ({**BARICITINIB, "drug": "../baricitinib"}, "drug", "no drug"),
        ({**BARICITINIB, "outputs": ["nothing"]}, "outputs", "nothing"),
    ],
)
def test_what_is_missing_is_named_with_its_field(
    asked: dict[str, Any], where: str, says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        answer(**asked)
    assert caught.value.where == where


def test_files_that_cannot_be_used_are_called_as_the_user_calls_them(tmp_path: Path) -> None:
    broken = tmp_path / "0123.bin"
    broken.write_text("<sbml", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        answer(FakeWork(uploads={MODEL: broken}), sbml=MODEL)
    assert str(tmp_path) not in str(caught.value)
    assert "0123.bin" in str(caught.value)
    big = tmp_path / "big.xml"
    with big.open("wb") as file:
        file.truncate(6_000_000)
    with pytest.raises(InputError, match="at most 5 MB"):
        answer(FakeWork(uploads={MODEL: big}), sbml=MODEL)


def test_without_marks_a_drug_does_nothing_and_is_refused(work: FakeWork) -> None:
    with pytest.raises(InputError, match="marks") as caught:
        answer(work, sbml=MODEL, **BARICITINIB)
    assert caught.value.where == "marks"


@pytest.mark.parametrize(
    "asked", [{"doses": ["4 mg"]}, {"drug": "baricitinib"},
              {**BARICITINIB, "concentrations": [1.0]}, {"sbml": "../../etc/passwd"}],
)  # fmt: skip
def test_requests_that_make_no_sense(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PathwayRequest(**asked)


PROGRAMS: list[dict[str, Any]] = [
    BARICITINIB,
    {"drug": "tofacitinib", "doses": ["5 mg q12h ss"], "ic50": {"JAK1": 3.0, "JAK2": 4.5},
     "molar_mass": 312.4, "unbound": 0.6, "stimulus": 5.0, "rule": "independent"},
    {"drug": "ruxolitinib", "ic50": {"JAK1": 3.0}, "concentrations": [10.0], "outputs": ["dimer"]},
    {"sbml": MODEL, "outputs": ["total_pSTAT"], "parameters": {"L": 0.5}},
    {"sbml": MODEL, "marks_file": MARKS, "covariates": {"EGFR": 60.0}, "before": 2.0,
     "outputs": ["target"], **BARICITINIB},
]  # fmt: skip


def _beside(work: FakeWork, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the uploads where the program and the command look for them."""
    monkeypatch.chdir(folder)
    for file in work.uploads.values():
        os.symlink(file, folder / file.name)


@pytest.mark.parametrize("asked", PROGRAMS)
def test_the_program_makes_the_same_numbers(
    asked: dict[str, Any], work: FakeWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answer(work, **asked)
    _beside(work, tmp_path, monkeypatch)
    space: dict[str, Any] = {}
    exec(found["copies"]["python"], space)
    runs = space["run"].runs
    assert len(runs) == len(found["result"]["runs"])
    for shown, made in zip(found["result"]["runs"], runs, strict=True):
        for name, values in shown["outputs"].items():
            np.testing.assert_allclose(made.outputs[name], values, rtol=1e-12)


@pytest.mark.parametrize("asked", PROGRAMS[3:])
def test_the_command_makes_the_same_numbers(
    asked: dict[str, Any], work: FakeWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answer(work, **asked)
    _beside(work, tmp_path, monkeypatch)
    program, *words = shlex.split(found["copies"]["command"])
    assert program == "statera"
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    scenarios = json.loads(done.stdout)["result"]["scenarios"]
    for shown, made in zip(found["result"]["runs"], scenarios, strict=True):
        for name, values in shown["outputs"].items():
            np.testing.assert_allclose(made["outputs"][name], values, rtol=1e-12)


def test_copies_of_the_sample_need_no_file(
    work: FakeWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {**BARICITINIB, "sbml": MODEL, "marks_file": MARKS, "until": 60.0}
    found = answer(work, **asked)
    assert "writes the files of the sample" in found["copies"]["why"]
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    space: dict[str, Any] = {}
    exec(found["copies"]["python"], space)
    for shown, made in zip(found["result"]["runs"], space["run"].runs, strict=True):
        for name, values in shown["outputs"].items():
            np.testing.assert_allclose(made.outputs[name], values, rtol=1e-12)
    _, *words = shlex.split(found["copies"]["command"])
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output


def test_the_network_is_described_and_drawn(work: FakeWork) -> None:
    for asked in ({}, {"sbml": MODEL, "marks_file": MARKS}):
        found = json.loads(pathway_network.run(NetworkRequest(**asked), work).to_json())  # type: ignore[arg-type]
        result = found["result"]
        assert result["slowed"] == ["phosphorylation"]
        assert result["svg"].lstrip().startswith("<")
        assert "phosphorylation" in result["alt"]
        assert {"total_pSTAT", "stimulus"} <= {a["name"] for a in result["assigned"]}
        assert len(found["tables"]["reactions"]["rows"]) == 15


def test_choices_say_what_is_missing_of_each_drug() -> None:
    found = json.loads(pathway_choices.run(ChoicesRequest(), FakeWork()).to_json())["result"]
    drugs = {d["name"]: d for d in found["drugs"]}
    assert drugs["baricitinib"]["missing"] == []
    assert drugs["baricitinib"]["potencies"]["JAK1"] == pytest.approx(5.9)
    assert "IC50" in drugs["ruxolitinib"]["missing"]
    assert drugs["ruxolitinib"]["models"] == []
    assert drugs["abrocitinib"]["models"][0]["why_not"]
    assert not drugs["tofacitinib"]["models"][0]["why_not"]
    assert found["cytokines"][0]["name"] == "IL-6"
    assert found["marks"][0]["name"] == "sobotta_2017"
