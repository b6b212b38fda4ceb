"""Boehm 2014 and Swameye 2003: PEtab problems of the benchmark collection."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.pathway.network_engine import NetworkEngine
from statera.pathway.objective import Objective
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_read import read_problem
from statera.pathway.solve import PathwayOptions

pytestmark = pytest.mark.reference

Floats = NDArray[np.float64]


@cache
def boehm(folder: Path) -> Objective:
    path = folder / "petab" / "Boehm_JProteomeRes2014" / "Boehm_JProteomeRes2014.yaml"
    if not path.is_file():
        pytest.skip(f"no problem {path}")
    return Objective(
        read_problem(path), engine=NetworkEngine(PathwayOptions(rtol=1e-10, atol=1e-12))
    )


def published(folder: Path) -> dict[str, Any]:
    text = (folder / "petab" / "objective.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["models"]["Boehm_JProteomeRes2014"]
    return found


def test_the_nominal_point_is_that_of_the_reference(reference: Path) -> None:
    o, expected = boehm(reference), published(reference)
    assert [expected["x_scaled"][n] for n in o.names] == pytest.approx(o.nominal, abs=1e-9)


def test_the_objective_is_that_of_the_reference(reference: Path) -> None:
    o = boehm(reference)
    assert o.value(o.nominal) == pytest.approx(published(reference)["nllh_amici_rtol1e8"], abs=1e-5)


def test_the_gradient_is_that_of_the_reference(reference: Path) -> None:
    """By its norm: single entries of the reference's two gradients differ by 2 %."""
    o, expected = boehm(reference), published(reference)
    names = list(expected["x_scaled"])
    theirs = np.array([expected["gradient_scaled"]["forward"][names.index(n)] for n in o.names])
    assert np.linalg.norm(o.gradient(o.nominal) - theirs) < 1e-3 * np.linalg.norm(theirs)


def test_the_gradient_is_that_of_finite_differences(reference: Path) -> None:
    o = boehm(reference)
    tight = Objective(o.problem, engine=NetworkEngine(PathwayOptions(rtol=1e-12, atol=1e-14)))
    differences = [
        (8 * (tight.value(tight.nominal + e) - tight.value(tight.nominal - e))
         - tight.value(tight.nominal + 2 * e) + tight.value(tight.nominal - 2 * e)) / 12e-3
        for e in 1e-3 * np.eye(len(tight.nominal))
    ]  # fmt: skip
    scale = np.abs(differences).max()
    np.testing.assert_allclose(
        tight.gradient(tight.nominal), differences, rtol=0, atol=1e-6 * scale
    )


def test_a_second_solver_gives_the_same(reference: Path) -> None:
    o = boehm(reference)
    plain = Objective(o.problem, engine=ScipyEngine(1e-10, 1e-12))
    for shift in (0.0, 0.1):
        theta = np.clip(o.nominal - shift, o.lower, o.upper)
        one, other = o.evaluate(theta, 2), plain.evaluate(theta, 2)
        assert one.value == pytest.approx(other.value, rel=1e-8)
        for name in ("gradient", "fisher"):
            ours, theirs = getattr(one, name), getattr(other, name)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def test_points_far_away_are_a_status_without_warnings(reference: Path) -> None:
    o = boehm(reference)
    for value, words in (
        (1e4, "not a finite number"),
        (-1e4, "is not above 0"),
        (np.nan, "finite"),
    ):
        found = o.evaluate(np.full(9, value), 2)
        assert found.value == np.inf
        assert words in found.message
        assert found.gradient is not None
        assert np.isnan(found.gradient).all()
    random = np.random.default_rng(0)
    for theta in random.uniform(-8.0, 8.0, (20, 9)):
        found = o.evaluate(theta, 2)
        assert np.isfinite(found.value) == found.ok


def test_a_flat_direction_has_little_information(reference: Path) -> None:
    o = boehm(reference)
    information = o.fisher(o.nominal)
    flat = o.names.index("k_imp_homo")
    assert information[flat, flat] < 1e-6 * np.diag(information).max()


def swameye(reference: Path, folder: Path) -> PetabProblem:
    """The tables of Swameye 2003, joined by a YAML file of ours (the collection's has a spline)."""
    source = reference / "petab" / "Swameye_PNAS2003"
    if not source.is_dir():
        pytest.skip(f"no problem {source}")
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "swameye.yaml").write_text(
        "format_version: 1\n"
        "parameter_file: swameye2003_parameters.tsv\n"
        "problems:\n"
        "- sbml_files: [swameye2003_model.xml]\n"
        "  condition_files: [swameye2003_conditions.tsv]\n"
        "  observable_files: [swameye2003_observables.tsv]\n"
        "  measurement_files: [swameye2003_measurements.tsv]\n",
        encoding="utf-8",
    )
    return read_problem(folder / "swameye.yaml")


def test_swameye_is_read(reference: Path, tmp_path: Path) -> None:
    problem = swameye(reference, tmp_path)
    assert problem.names == ("k1", "k2", "k3", "k4", "scale_tSTAT5", "scale_pSTAT5")
    assert len(problem.parts[0].measurements) == 46
    observable = problem.parts[0].observables["pEpoR_au"]
    assert {s.name for s in observable.noise.free_symbols} == {
        "sigma_pEpoR_abs", "sigma_pEpoR_rel", "pEpoR",
    }  # fmt: skip


def test_swameye_without_its_input_stays_where_it_starts(reference: Path, tmp_path: Path) -> None:
    """The files hold no input: no receptor is active, and nothing is phosphorylated."""
    o = Objective(swameye(reference, tmp_path), engine=ScipyEngine())
    table = o.simulations(o.nominal)
    total = table.filter(table["observableId"] == "tSTAT5_au")
    assert total["simulation"].to_numpy() == pytest.approx(0.95, rel=1e-12)
    assert (table.filter(table["observableId"] == "pSTAT5_au")["simulation"] == 0.0).all()


def test_swameye_with_a_spline_is_the_regression_number(reference: Path, tmp_path: Path) -> None:
    """At hand-set node values: a number to reproduce, not an optimum."""
    from statera.pathway.input_spline import input_spline, with_input
    from statera.pathway.sbml_read import read_sbml

    problem_text = (reference / "petab" / "objective.json").read_text(encoding="utf-8")
    expected = json.loads(problem_text)["models"]["Swameye_PNAS2003_spline_handset"]
    nodes = {t: f"pEpoR_t{t}" for t in (0, 5, 10, 20, 60)}
    swameye(reference, tmp_path)
    with (tmp_path / "swameye2003_parameters.tsv").open("a", encoding="utf-8") as file:
        file.writelines(f"\n{name}\tlog\t0.001\t10\t0.1\t1" for name in nodes.values())
    formula = input_spline(list(nodes), list(nodes.values()), logarithmic=True)
    problem = read_problem(
        tmp_path / "swameye.yaml",
        read_model=lambda path: with_input(
            read_sbml(path), "pEpoR", formula, dict.fromkeys(nodes.values(), 0.1)
        ),
    )
    o = Objective(problem, engine=NetworkEngine(PathwayOptions(rtol=1e-10, atol=1e-12)))
    theta = np.array([expected["x_scaled"][name] for name in o.names])
    found = o.evaluate(theta, 1)
    assert found.value == pytest.approx(expected["nllh_amici_rtol1e8"], abs=1e-5)
    names = list(expected["x_scaled"])
    theirs = np.array([expected["gradient_scaled"]["forward"][names.index(n)] for n in o.names])
    assert found.gradient is not None
    np.testing.assert_allclose(found.gradient, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def test_the_way_back_gives_the_same_gradient(reference: Path) -> None:
    o = boehm(reference)
    assert o.gradients == ("forward",)  # six columns
    back = Objective(o.problem, engine=NetworkEngine(PathwayOptions()), gradient="adjoint")
    forward = Objective(o.problem, engine=NetworkEngine(PathwayOptions()), gradient="forward")
    random = np.random.default_rng(3)
    for theta in (o.nominal, o.nominal + 0.2 * random.normal(size=9)):
        one, other = forward.gradient(theta), back.gradient(theta)
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-8 * np.abs(one).max())
