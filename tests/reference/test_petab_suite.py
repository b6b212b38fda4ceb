"""The PEtab test suite, version 1 with SBML: its own solutions at its own tolerances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.pathway.network_engine import NetworkEngine
from statera.pathway.objective import Objective
from statera.pathway.petab_read import read_problem
from statera.pathway.petab_table import read_petab_table
from statera.pathway.solve import PathwayOptions

yaml: Any = pytest.importorskip("yaml")

pytestmark = pytest.mark.reference

CASES = [f"{i:04d}" for i in range(1, 21)]


def case(reference: Path, number: str) -> tuple[Path, dict[str, Any]]:
    folder = reference / "petab" / "test_suite" / "v1.0.0" / "sbml" / number
    if not folder.is_dir():
        pytest.skip(f"no case in {folder}")
    text = (folder / f"_{number}_solution.yaml").read_text(encoding="utf-8")
    return folder, yaml.safe_load(text)


@pytest.mark.parametrize("number", CASES)
def test_objective_and_simulations_are_those_of_the_suite(reference: Path, number: str) -> None:
    folder, solution = case(reference, number)
    o = Objective(read_problem(folder / f"_{number}.yaml"))
    found = o.evaluate(o.nominal)
    assert found.llh == pytest.approx(solution["llh"], abs=solution["tol_llh"])
    assert found.chi2 == pytest.approx(solution["chi2"], abs=solution["tol_chi2"])
    table = read_petab_table(folder / solution["simulation_files"][0])
    expected = [table.number(row, "simulation") for row in range(len(table))]
    simulated = o.simulations(o.nominal)
    assert simulated["observableId"].to_list() == [
        table.text(row, "observableId") for row in range(len(table))
    ]
    np.testing.assert_allclose(
        simulated["simulation"].to_numpy(), expected, rtol=0, atol=solution["tol_simulations"]
    )


def tight(path: Path) -> Objective:
    """Return the objective at tolerances that finite differences need."""
    options = PathwayOptions(rtol=1e-12, atol=1e-14)
    return Objective(read_problem(path), engine=NetworkEngine(options))


@pytest.mark.parametrize("number", CASES)
def test_gradients_are_those_of_finite_differences(reference: Path, number: str) -> None:
    folder, _ = case(reference, number)
    o = tight(folder / f"_{number}.yaml")
    gradient, steps = o.gradient(o.nominal), 1e-4 * np.eye(len(o.nominal))
    differences = [
        (8 * (o.value(o.nominal + e) - o.value(o.nominal - e))
         - o.value(o.nominal + 2 * e) + o.value(o.nominal - 2 * e)) / 12e-4
        for e in steps
    ]  # fmt: skip
    scale = np.abs(differences).max()
    np.testing.assert_allclose(gradient, differences, rtol=0, atol=1e-6 * scale)


def test_no_case_is_left_out(reference: Path) -> None:
    folder, _ = case(reference, "0001")
    assert sorted(f.name for f in folder.parent.iterdir() if f.is_dir()) == CASES
