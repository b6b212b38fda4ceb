"""``statera pathway``: simulate, fit and profile on a problem of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("libsbml")
pytest.importorskip("fides")

from examples.make_pathway_problem import ESTIMATED, write

from statera.cli.main import app

PROBLEM = Path(__file__).resolve().parents[2] / "examples" / "jak_stat"
YAML, MODEL = str(PROBLEM / "problem.yaml"), str(PROBLEM / "model.xml")
MARKS = """schema = "statera.jak/1"
network = "jak_stat"

[[inhibited]]
reaction = "phosphorylation"
kinases = ["JAK1", "JAK3"]
"""
DRUG = ("--drug", "baricitinib", "--dose", "4 mg q24h ss", "--before", "1")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["pathway", *arguments])


def result(*arguments: str) -> Any:
    done = invoke(*arguments, "--json")
    assert done.exit_code == 0, done.output
    envelope = json.loads(done.stdout)
    assert envelope["ok"]
    return envelope["result"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fit")
    arguments = ("--starts", "4", "--seed", "2", "--workers", "1", "--quiet")
    out = ("--out", str(folder / "fit.json"), "--out", str(folder / "fit.html"))
    done = invoke("fit", YAML, *arguments, *out)
    assert done.exit_code == 0, done.output
    return folder


def test_the_problem_of_the_examples_is_what_its_script_makes(tmp_path: Path) -> None:
    write(tmp_path)
    for file in PROBLEM.iterdir():
        if file.suffix == ".tsv" and file.name == "measurements.tsv":
            rows = [np.loadtxt(f, skiprows=1, usecols=3) for f in (file, tmp_path / file.name)]
            np.testing.assert_allclose(*rows, rtol=1e-5)
        else:
            assert (tmp_path / file.name).read_text() == file.read_text(), file.name


def test_the_values_behind_the_data_are_found(fitted: Path) -> None:
    found = json.loads((fitted / "fit.json").read_text())["result"]
    estimates = {row["parameter"]: row["value"] for row in found["estimates"]}
    for name, value in ESTIMATED.items():
        # errors of 8 % in 240 values: standard errors near 1 %, products of rates near 5 %
        assert estimates[name] == pytest.approx(value, rel=0.15)
    assert estimates["sd"] == pytest.approx(0.08, rel=0.15)
    assert found["at_best"] >= 2
    assert len(found["searches"]) == 4


def test_the_page_of_a_fit(fitted: Path) -> None:
    page = (fitted / "fit.html").read_text()
    for text in ("Courses against data", "Waterfall", "k_phos", "Reaction network"):
        assert text in page


def test_profiles_contain_the_estimates(fitted: Path, tmp_path: Path) -> None:
    arguments = ("--fit", str(fitted / "fit.json"), "--parameter", "k_phos", "--parameter", "sd")
    found = result("profile", YAML, *arguments, "--out", str(tmp_path / "profile.html"))
    assert [p["parameter"] for p in found] == ["k_phos", "sd"]
    for profile in found:
        assert profile["identified"]
        assert profile["low"] < profile["optimum"] < profile["high"]
    assert "Profile likelihoods" in (tmp_path / "profile.html").read_text()


def test_the_posterior_is_summarised(tmp_path: Path) -> None:
    options = ("--starts", "1", "--from-nominal", "--draws", "20", "--workers", "1")
    found = result("fit", YAML, *options, "--out", str(tmp_path / "fit.html"))
    assert set(found["posterior"]) == {*ESTIMATED, "sd"}
    assert "draws of the parameters from their posterior" in (tmp_path / "fit.html").read_text()


def test_a_network_alone(tmp_path: Path) -> None:
    table = tmp_path / "course.csv"
    options = ("--until", "60", "--points", "13", "--output", "total_pSTAT", "--out", str(table))
    found = result("simulate", MODEL, *options, "--parameter", "L=0.5")
    (alone,) = found["scenarios"]
    assert alone["status"] == "ok"
    assert max(alone["outputs"]["total_pSTAT"]) > 0.1
    assert len(table.read_text().splitlines()) == 1 + 13


def test_a_drug_on_a_network(tmp_path: Path) -> None:
    marks = tmp_path / "marks.toml"
    marks.write_text(MARKS)
    page = tmp_path / "page.html"
    options = ("--marks", str(marks), *DRUG, "--output", "total_pSTAT", "--until", "240")
    found = result("simulate", MODEL, *options, "--by", "EGFR=60,90", "--out", str(page))
    labels = [s["label"] for s in found["scenarios"]]
    assert labels == ["no drug", "4 mg q24h ss, EGFR 60", "4 mg q24h ss, EGFR 90"]
    none, low, high = (s["area_inhibition"]["total_pSTAT"] for s in found["scenarios"])
    assert none == pytest.approx(0.0)
    assert low > high > 0.1  # less renal clearance, more drug
    assert any("JAK3: known only as > 400 nM" in note for note in found["notes"])
    assert "The drug slows phosphorylation" in page.read_text()


def test_other_drugs_need_what_the_library_lacks(tmp_path: Path) -> None:
    marks = tmp_path / "marks.toml"
    marks.write_text(MARKS)
    options = ("--marks", str(marks), "--drug", "tofacitinib", "--dose", "5 mg q12h ss",
               "--output", "total_pSTAT")  # fmt: skip
    done = invoke("simulate", MODEL, *options)
    assert done.exit_code == 3
    assert "molar mass" in done.stderr
    given = ("--molar-mass", "400", "--ic50", "JAK1=50", "--unbound", "0.5")
    found = result("simulate", MODEL, *options, *given)
    assert found["scenarios"][1]["status"] == "ok"
    total = result("simulate", MODEL, *options, *given, "--basis", "total")
    areas = [f["scenarios"][1]["area_inhibition"]["total_pSTAT"] for f in (found, total)]
    assert areas[1] > areas[0]  # the same potency against twice the concentration


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("simulate", MODEL, "--drug", "baricitinib"), 2, "--marks, --dose"),
        (("simulate", MODEL, "--output", "pSTAT9"), 3, "pSTAT9"),
        (("simulate", MODEL, "--parameter", "k9=1"), 3, "k9"),
        (("simulate", MODEL, "--marks", "nowhere", *DRUG), 3, "sobotta_2017"),
        (("simulate", "no.xml"), 3, "no.xml"),
        (("simulate", MODEL, "--marks", "sobotta_2017", *DRUG, "--basis", "free"), 3, "--basis"),
        (("fit", "no.yaml"), 3, "no.yaml"),
        (("fit", YAML, "--method", "newton"), 3, "newton"),
        (("profile", YAML, "--parameter", "k9"), 3, "k9"),
        (("profile", YAML, "--fit", YAML), 3, "JSON"),
    ],
)
def test_what_cannot_be_done(arguments: tuple[str, ...], code: int, said: str) -> None:
    done = invoke(*arguments)
    assert said in done.output, done.output
    assert done.exit_code == code, done.output
