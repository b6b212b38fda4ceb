"""Experiments of several periods, against the closed form of a conversion A <=> B."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.network import Compartment, Network, Species
from statera.pathway.objective import Objective
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_read import read_problem

YAML = """\
format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files:
  conversion: {location: model.xml, language: sbml}
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
"""
K1, K2 = 0.8, 0.6


def network() -> Network:
    a, b, volume = symbol("A"), symbol("B"), symbol("cell")
    rate = symbol("k1") * a - symbol("k2") * b
    return Network(
        "conversion",
        ("A", "B"),
        (-rate, rate),
        {"A": symbol("a0"), "B": sp.Integer(1)},
        {"k1": 0.5, "k2": 0.5, "a0": 1.0, "cell": 2.0},
        {"amount": a * volume},
        compartments=(Compartment("cell", 2.0),),
        species=(Species("A", "cell"), Species("B", "cell")),
    )


def after(time: float, a: float, b: float, k1: float = K1, k2: float = K2) -> tuple[float, float]:
    steady = k2 * (a + b) / (k1 + k2)
    found = steady + (a - steady) * math.exp(-(k1 + k2) * time)
    return found, a + b - found


def read(folder: Path, conditions: str, experiments: str, rows: str) -> PetabProblem:
    tables = {
        "parameters.tsv": "parameterId lowerBound upperBound nominalValue estimate\n"
        f"k2 0 10 {K2} true\nmore 0 10 3 true\n",
        "conditions.tsv": f"conditionId targetId targetValue\nfast k1 {K1}\n{conditions}",
        "experiments.tsv": f"experimentId time conditionId\n{experiments}",
        "observables.tsv": "observableId observableFormula noiseFormula\n"
        "a A 0.5\nb B 0.5\nm amount 0.5\nk k1 0.5\nz more+time 0.5\n",
        "measurements.tsv": f"observableId experimentId time measurement\n{rows}",
    }
    for name, text in tables.items():
        (folder / name).write_text(text.replace(" ", "\t"), encoding="utf-8")
    (folder / "model.xml").write_text("<sbml/>", encoding="utf-8")
    (folder / "problem.yaml").write_text(YAML, encoding="utf-8")
    return read_problem(folder / "problem.yaml", read_model=lambda path: network())


def simulated(problem: PetabProblem) -> list[float]:
    o = Objective(problem)
    return list(o.simulations(o.nominal)["simulation"])


def test_a_later_period_changes_states_by_formulas(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "jump A A+more\njump B B/2\n",
        "e 0 fast\ne 7 jump\nplain 0 fast\n",
        "a e 5 1\na e 7 1\nb e 7 1\na e 10 1\na plain 10 1\n",
    )
    a5 = after(5.0, 1.0, 1.0)[0]
    a, b = after(7.0, 1.0, 1.0)
    expected = [a5, a + 3, b / 2, after(3.0, a + 3, b / 2)[0], after(10.0, 1.0, 1.0)[0]]
    assert simulated(problem) == pytest.approx(expected, rel=1e-7)


def test_a_constant_changed_later_keeps_its_value(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "slow k1 k1/4\n",
        "e 0 fast\ne 2 slow\ne 3 slow\n",
        "k e 1 1\nk e 2 1\nk e 5 1\na e 5 1\n",
    )
    a, b = after(2.0, 1.0, 1.0)
    a, b = after(1.0, a, b, K1 / 4)
    expected = [K1, K1 / 4, K1 / 16, after(2.0, a, b, K1 / 16)[0]]
    assert simulated(problem) == pytest.approx(expected, rel=1e-7)


def test_two_conditions_at_one_time_are_one(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "one A A+5\ntwo B A+B\n",
        "e 0 fast\ne 10 one\ne 10 two\n",
        "a e 10 1\nb e 10 1\n",
    )
    a, b = after(10.0, 1.0, 1.0)
    assert simulated(problem) == pytest.approx([a + 5, a + b], rel=1e-7)


def test_a_volume_changed_later_keeps_concentrations(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "grow cell 4\ngrow A 5\n",
        "e 0 fast\ne 10 grow\n",
        "m e 0 1\na e 10 1\nb e 10 1\nm e 10 1\n",
    )
    b = after(10.0, 1.0, 1.0)[1]
    assert simulated(problem) == pytest.approx([2.0, 5.0, b, 20.0], rel=1e-7)


def test_the_first_condition_goes_before_the_models_own_starts(tmp_path: Path) -> None:
    problem = read(tmp_path, "other a0 9\n", "e 0 other\n", "a e 0 1\n")
    assert simulated(problem) == [9.0]


def test_a_start_may_refer_to_itself_and_to_another(tmp_path: Path) -> None:
    problem = read(tmp_path, "c A A+2\nc B A*more\n", "e 0 c\n", "a e 0 1\nb e 0 1\n")
    assert simulated(problem) == [3.0, 9.0]


def test_starts_that_need_each_other_are_refused(tmp_path: Path) -> None:
    problem = read(tmp_path, "c A B+1\nc B A+1\n", "e 0 c\n", "a e 0 1\n")
    with pytest.raises(InputError, match=r"depends on itself|need each other"):
        Objective(problem)


def test_experiments_begin_when_they_say(tmp_path: Path) -> None:
    problem = read(
        tmp_path, "start A 4\n", "e -20 fast\ne -5 start\n", "a e -5 1\na e 0 1\nz e 0 1\n"
    )
    b = after(15.0, 1.0, 1.0)[1]
    assert simulated(problem) == pytest.approx([4.0, after(5.0, 4.0, b)[0], 3.0], rel=1e-7)


def test_gradients_go_through_the_periods(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "jump A A*more\nslow k1 k1/more\n",
        "e 0 fast\ne 2 jump\ne 3 slow\n",
        "a e 1 1\na e 2.5 1\nb e 6 1\n",
    )
    o = Objective(problem)
    expected = [(o.value(o.nominal + e) - o.value(o.nominal - e)) / 2e-5 for e in 1e-5 * np.eye(2)]
    np.testing.assert_allclose(o.gradient(o.nominal), expected, rtol=1e-5)


def test_a_steady_state_after_a_later_period_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="begins later than the start"):
        read(tmp_path, "jump A 3\n", "e 0 fast\ne 7 jump\n", "a e inf 1\n")


def test_a_start_by_a_formula_of_the_steady_state(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "push A A+more\npush k1 k1/2\n",
        "e -inf fast\ne 0 push\n",
        "a e 0 1\na e 2 1\nk e 2 1\n",
    )
    a, b = K2 * 2.0 / (K1 + K2), K1 * 2.0 / (K1 + K2)
    expected = [a + 3, after(2.0, a + 3, b, K1 / 2)[0], K1 / 2]
    assert simulated(problem) == pytest.approx(expected, rel=1e-6)


def test_a_steady_state_goes_before_several_periods(tmp_path: Path) -> None:
    problem = read(
        tmp_path,
        "start A 5\njump A A*2\n",
        "e -inf fast\ne 0 start\ne 4 jump\n",
        "a e 0 1\na e 4 1\na e 6 1\n",
    )
    b = K1 * 2.0 / (K1 + K2)
    a4, b4 = after(4.0, 5.0, b)
    expected = [5.0, 2 * a4, after(2.0, 2 * a4, b4)[0]]
    assert simulated(problem) == pytest.approx(expected, rel=1e-6)
    o = Objective(problem)
    differences = [
        (o.value(o.nominal + e) - o.value(o.nominal - e)) / 2e-5 for e in 1e-5 * np.eye(2)
    ]
    np.testing.assert_allclose(o.gradient(o.nominal), differences, rtol=1e-4, atol=1e-6)
