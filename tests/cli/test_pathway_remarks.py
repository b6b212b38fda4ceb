"""What ``statera pathway`` says of doubtful files, failed searches and wrong names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("libsbml")
pytest.importorskip("fides")

from statera.cli.commands.pathway_notes import say_notes, sentences
from statera.cli.main import app

# x' = k x^h is without bound at t = 1/(k (h - 1)) if h > 1; the other law is per time, not amount.
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id="growth" substanceUnits="mole" timeUnits="second" extentUnits="mole" volumeUnits="litre">
  <listOfUnitDefinitions><unitDefinition id="per_minute"><listOfUnits>
   <unit kind="second" exponent="-1" scale="0" multiplier="60"/></listOfUnits></unitDefinition>
  </listOfUnitDefinitions>
  <listOfCompartments><compartment id="cell" size="1" constant="true" units="litre"
   spatialDimensions="3"/></listOfCompartments>
  <listOfSpecies><species id="x" compartment="cell" initialConcentration="1" constant="false"
   boundaryCondition="false" hasOnlySubstanceUnits="false"/></listOfSpecies>
  <listOfParameters>
   <parameter id="k" value="1" constant="true"/><parameter id="h" value="2" constant="true"/>
   <parameter id="clash" value="0" constant="true" units="per_minute"/>
  </listOfParameters>
  <listOfReactions>
   <reaction id="growing" reversible="false" fast="false"><listOfProducts>
    <speciesReference species="x" stoichiometry="1" constant="true"/></listOfProducts>
    <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci>
     <apply><power/><ci>x</ci><ci>h</ci></apply></apply></math></kineticLaw></reaction>
   <reaction id="nothing" reversible="false" fast="false"><listOfProducts>
    <speciesReference species="x" stoichiometry="1" constant="true"/></listOfProducts>
    <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>clash</ci></math></kineticLaw>
   </reaction>
  </listOfReactions>
 </model>
</sbml>
"""
TABLES = {
    "problem.yaml": "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n"
    "- condition_files: [conditions.tsv]\n  measurement_files: [measurements.tsv]\n"
    "  observable_files: [observables.tsv]\n  sbml_files: [model.xml]\n",
    "parameters.tsv": "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue"
    "\testimate\n"
    "k\tlog10\t0.01\t100\t0.1\t1\nh\tlin\t0.5\t4\t1.5\t1\n",
    "conditions.tsv": "conditionId\nc1\n",
    "observables.tsv": "observableId\tobservableFormula\tnoiseFormula\ny\tx\t0.1\n",
    "measurements.tsv": "observableId\tsimulationConditionId\tmeasurement\ttime\n"
    "y\tc1\t1.11\t1\ny\tc1\t1.22\t2\ny\tc1\t1.49\t4\n",
    "model.xml": MODEL,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("growth")
    for name, text in TABLES.items():
        (made / name).write_text(text)
    return made


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["pathway", *arguments])


def test_units_that_clash_are_named_by_simulate_fit_and_profile(folder: Path) -> None:
    problem = str(folder / "problem.yaml")
    for asked in (
        ("simulate", str(folder / "model.xml"), "--until", "0.5"),
        ("fit", problem, "--starts", "12", "--workers", "1"),
        ("profile", problem, "--parameter", "k", "--points", "3"),
    ):
        said = json.loads(invoke(*asked, "--json", "--quiet").stdout)["warnings"]
        assert any("'nothing'" in s and "mol/s" in s for s in said), asked


def test_searches_that_fail_are_counted_and_the_others_go_on(folder: Path) -> None:
    done = invoke("fit", str(folder / "problem.yaml"), "--starts", "12", "--workers", "1")
    assert done.exit_code == 0, done.output
    found = [s for s in done.stderr.splitlines() if "found no finite objective" in s]
    assert len(found) == 1
    assert "of 12 searches" in found[0]
    assert "condition c1" in found[0]


@pytest.mark.parametrize("end", ["-3", "0", "nan", "inf"])
def test_a_course_ends_after_it_begins(folder: Path, end: str) -> None:
    done = invoke("simulate", str(folder / "model.xml"), "--until", end)
    assert done.exit_code == 2
    assert "--until" in done.stderr


def test_what_cannot_be_set_is_told_from_what_is_unknown(folder: Path) -> None:
    model = str(folder / "model.xml")
    unknown = invoke("simulate", model, "--parameter", "kk=1")
    assert "no parameter is called 'kk'" in unknown.stderr
    assert "Nearest: k" in unknown.stderr
    state = invoke("simulate", model, "--parameter", "x=1")
    assert "'x' is no parameter of growth" in state.stderr
    assert "where: outputs" in invoke("simulate", model, "--output", "y").stderr


def test_a_flat_profile_keeps_the_estimate_as_its_optimum(folder: Path, tmp_path: Path) -> None:
    flat = {**TABLES, "observables.tsv": TABLES["observables.tsv"].replace("\tx\t", "\tk\t")}
    for name, text in flat.items():
        (tmp_path / name).write_text(text)
    asked = ("profile", str(tmp_path / "problem.yaml"), "--parameter", "h", "--json", "--quiet")
    row = json.loads(invoke(*asked).stdout)["result"][0]
    assert row["optimum"] == pytest.approx(1.5)
    assert not row["identified"]


def test_many_notes_are_shortened_on_the_terminal_and_the_rest_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = sentences([*(f"note {i}" for i in range(9)), "note 3", ""])
    assert said[3] == "Note 3."
    assert len(said) == 9
    say_notes(said, quiet=False)
    shown = capsys.readouterr().err
    assert "Note 5." in shown
    assert "Note 6." not in shown
    assert "3 more" in shown
