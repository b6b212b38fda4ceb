from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.pathway.petab_case import TABLES, YAML, read, write

from statera.errors import InputError
from statera.pathway.petab_read import read_problem


def spoiled(table: str, old: str, new: str) -> dict[str, str]:
    assert old in TABLES[table]
    return {table: TABLES[table].replace(old, new, 1)}


def test_a_problem_is_read_whole(tmp_path: Path) -> None:
    problem = read(tmp_path)
    assert problem.names == ("kon", "koff", "total", "scale", "sd")
    assert problem.lower == pytest.approx([-3, np.log(1e-3), 0.1, 0, -2])
    assert problem.nominal == pytest.approx([np.log10(0.4), np.log(0.2), 2.5, 1.3, np.log10(0.15)])
    part = problem.parts[0]
    assert part.conditions["low"].values == {"ligand": 0.5, "free": "total"}
    assert part.conditions["after"].values == {"ligand": 2.0}
    assert part.observables["left"].distribution == "laplace"
    assert part.measurements[4].time == np.inf
    assert part.measurements[5].observable_values == (1.5,)
    assert part.measurements[6].observable_values == ("scale",)
    assert part.measurements[0].extra == {"datasetId": "a"}
    assert part.visualisation[0].names == ("plotId", "yValues")


P, C, Y, M = "parameters.tsv", "conditions.tsv", "observables.tsv", "measurements.tsv"
BAD = [
    (P, "kon log10 1e-3", "kon log10 _", "parameters.tsv:2:3", "needs both bounds"),
    (P, "kon log10 1e-3 10", "kon log10 10 1e-3", "parameters.tsv:2:3", "above the upper bound"),
    (P, "kon log10 1e-3", "kon log10 0", "parameters.tsv:2:3", "has no logarithm"),
    (P, "1e-3 10 0.4", "1e-3 10 40", "parameters.tsv:2:5", "outside the bounds"),
    (P, "1e-3 10 0.4", "1e-3 ten 0.4", "parameters.tsv:2:4", "'ten' is not a number"),
    (P, "offset lin -1 1 0.1", "offset lin -1 1 _", "parameters.tsv:6:5", "has no value"),
    (P, "kon log10", "kon log2", "parameters.tsv:2:2", "'log2' is not known"),
    (P, "koff log", "kon log", "parameters.tsv:3:1", "'kon' stands twice, first in line 2"),
    (P, "koff log", "1koff log", "parameters.tsv:3:1", "is not an identifier"),
    (P, "10 0.4 1", "10 0.4 maybe", "parameters.tsv:2:6", "neither 0 nor 1"),
    (P, " estimate", " estimated", "parameters.tsv:1", "the column estimate is missing"),
    (P, "sd log10", "sdd log10", "observables.tsv:3:4", "'sd' is not defined"),
    (C, "ligand free", "ligan free", "conditions.tsv:1:2", "called 'ligan'"),
    (C, "low 0.5 total", "low 0.5 totale", "conditions.tsv:3:3", "called 'totale'"),
    (C, "low 0.5", "high 0.5", "conditions.tsv:4:1", "'high' stands twice"),
    (C, "ligand free", "ligand occupancy", "conditions.tsv:1:3", "cannot set"),
    (Y, "scale*complex", "scale*complx", "observables.tsv:2:2", "'complx' is not defined"),
    (Y, "noiseParameter1_bound", "0", "observables.tsv:2:4", "the noise 0 is not above 0"),
    (Y, "noiseParameter1_bound", "noiseParameter2_bound", "observables.tsv:2:4", "without gaps"),
    (Y, "log10", "ln", "observables.tsv:3:3", "'ln' is not known"),
    (Y, "laplace", "cauchy", "observables.tsv:4:5", "'cauchy' is not known"),
    (M, "bound _ low", "bond _ low", "measurements.tsv:2:1", "called 'bond'"),
    (M, "bound _ low", "bound _ lo", "measurements.tsv:2:3", "called 'lo'"),
    (M, "left rest", "left rests", "measurements.tsv:11:2", "called 'rests'"),
    (M, "low 1 0.41", "low -1 0.41", "measurements.tsv:2:4", "before the start at 0"),
    (M, "low 1 0.41", "low 1 _", "measurements.tsv:2:5", "the cell is empty"),
    (M, "low 1 0.41", "low 1 0,41", "measurements.tsv:2:5", "'0,41' is not a number"),
    (M, "2 0.9 1.5", "2 -0.9 1.5", "measurements.tsv:7:5", "-0.9 has no logarithm"),
    (M, "0.41 _ sd", "0.41 _ _", "measurements.tsv:2:7", "0 values are given for 1 placeholders"),
    (M, "0.41 _ sd", "0.41 1 sd", "measurements.tsv:2:6", "1 values are given for 0 placeholders"),
    (M, "0.41 _ sd", "0.41 _ sigma", "measurements.tsv:2:7", "called 'sigma'"),
    (M, "0.92 _ 0.2", "0.92 _ -0.2", "measurements.tsv:4:7", "the noise -0.2 is not above 0"),
    (M, "a\nbound _ high 1", "a b\nbound _ high 1", "measurements.tsv:4", "9 cells"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "place", "words"), BAD)
def test_a_bad_cell_is_named_by_file_row_and_column(
    tmp_path: Path, table: str, old: str, new: str, place: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, spoiled(table, old, new))
    assert str(caught.value.where) == str(tmp_path / place)
    assert words in str(caught.value)
    assert caught.value.hint


def test_a_nominal_value_outside_its_bounds_can_be_allowed(tmp_path: Path) -> None:
    path = write(tmp_path, spoiled(P, "1e-3 10 0.4", "1e-3 10 40"))
    from tests.unit.pathway.petab_case import network

    problem = read_problem(path, check_nominal=False, read_model=lambda p: network())
    assert problem.nominal[0] == pytest.approx(np.log10(40))


def test_a_parameter_that_stands_nowhere_else_is_named(tmp_path: Path) -> None:
    extra = {P: TABLES[P] + "kofff lin 0 1 0.5 1\n"}
    with pytest.raises(InputError, match="called 'kofff'") as caught:
        read(tmp_path, extra)
    assert "koff" in caught.value.hint


def test_a_state_is_not_estimated(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'complex' changes with time"):
        read(tmp_path, {P: TABLES[P] + "complex lin 0 1 0.5 1\n"})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("parameters.tsv", "parameter.tsv", "the file parameter.tsv does not exist"),
        ("[model.xml]", "[other.xml]", "sbml_files: the file other.xml does not exist"),
        ("[model.xml]", "[model.xml, model.xml]", "names 2 models"),
        ("  measurement_files: [measurements.tsv]\n", "", "has no measurement_files"),
        ("format_version: 1", "format_version: 3", "PEtab version 3 is not read"),
        ("format_version: 1\n", "", "format_version is missing"),
        ("problems:", "problem:", "problems is missing"),
        ("parameter_file: parameters.tsv\n", "", "parameter_file is missing"),
        ("sbml_files: [", "sbml_files: ]", "the YAML is malformed"),
    ],
)
def test_a_bad_yaml_file_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, yaml=YAML.replace(old, new, 1))
    assert words in str(caught.value)
    assert "problem.yaml" in str(caught.value.where)


def test_a_missing_yaml_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_problem(tmp_path / "none.yaml")


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "problem.yaml"
    path.write_text("format_version: !!python/object/apply:os.getcwd []\n", encoding="utf-8")
    with pytest.raises(InputError, match="malformed"):
        read_problem(path)


def test_starts_lie_between_the_bounds(tmp_path: Path) -> None:
    problem = read(tmp_path)
    starts = problem.starts(50, np.random.default_rng(1))
    assert starts.shape == (50, 5)
    assert ((starts >= problem.lower) & (starts <= problem.upper)).all()
    again = problem.starts(50, np.random.default_rng(1))
    np.testing.assert_array_equal(starts, again)


def test_priors_are_read_and_bad_ones_named(tmp_path: Path) -> None:
    def with_prior(kind: str, numbers: str) -> dict[str, str]:
        lines = TABLES[P].splitlines()
        head = f"{lines[0]} objectivePriorType objectivePriorParameters"
        return {P: "\n".join([head, f"{lines[1]} {kind} {numbers}", *lines[2:]])}

    prior = read(tmp_path, with_prior("logNormal", "0.5;0.3")).parameters[0].objective_prior
    assert prior is not None
    assert (prior.type, prior.first, prior.second) == ("logNormal", 0.5, 0.3)
    for kind, numbers, words in (
        ("gamma", "1;2", "'gamma' is not known"),
        ("normal", "1", "is not two numbers"),
        ("normal", "1;0", "the spread 0 is not above 0"),
        ("uniform", "2;1", "is an empty interval"),
        ("normal", "_", "needs two parameters"),
    ):
        with pytest.raises(InputError) as caught:
            read(tmp_path, with_prior(kind, numbers))
        assert words in str(caught.value)
        assert "parameters.tsv:2:" in str(caught.value.where)


def test_a_problem_without_measurements_is_refused(tmp_path: Path) -> None:
    head = TABLES[M].splitlines()[0]
    with pytest.raises(InputError, match="there are no measurements"):
        read(tmp_path, {M: head + "\n"})
