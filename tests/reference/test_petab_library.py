"""The library of the PEtab authors as a second opinion: noise models and mapping of parameters."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.pathway.objective import Objective
from statera.pathway.objective_kernel import likelihood
from statera.pathway.petab_mapping import resolve_condition, resolve_name, sources_of
from statera.pathway.petab_read import read_problem
from statera.pathway.petab_scales import SCALES


@pytest.fixture(scope="module")
def petab() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("petab")
        import petab.v1 as version_1
    return version_1


def test_each_noise_model_is_that_of_the_library(petab: Any) -> None:
    from petab.v1.calculate import calculate_single_llh

    random = np.random.default_rng(4)
    for (k, scale), (j, noise) in itertools.product(
        enumerate(SCALES), enumerate(("normal", "laplace"))
    ):
        for _ in range(20):
            measured, simulated, sd = random.lognormal(0.0, 1.0, 3)
            terms = likelihood(
                np.array([[simulated], [sd]]), np.array([measured]), np.array([k]), np.array([j])
            )
            expected = calculate_single_llh(measured, simulated, scale, noise, sd)
            assert terms[0, 0] == pytest.approx(expected, rel=1e-12)


def mapped(reference: Path, number: str, petab: Any) -> tuple[Any, Any]:
    folder = reference / "petab" / "test_suite" / "v1.0.0" / "sbml" / number
    if not folder.is_dir():
        pytest.skip(f"no case in {folder}")
    path = folder / f"_{number}.yaml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = petab.Problem.from_yaml(str(path))
        return read_problem(path), other


MAPPED = [f"{i:04d}" for i in range(1, 21) if i != 6]  # it does not map rows that differ in time


@pytest.mark.reference
@pytest.mark.parametrize("number", MAPPED)
def test_parameters_come_from_where_the_library_takes_them(
    reference: Path, number: str, petab: Any
) -> None:
    problem, other = mapped(reference, number, petab)
    part = problem.parts[0]
    sources = sources_of(problem, part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        maps = other.get_optimization_to_simulation_parameter_mapping(
            fill_fixed_parameters=True, warn_unmapped=False
        )
        conditions = other.get_simulation_conditions_from_measurement_df()
    for (before, during, _, _), row in zip(maps, conditions.to_dict("records"), strict=True):
        for values, key in (
            (before, "preequilibrationConditionId"),
            (during, "simulationConditionId"),
        ):
            for name, value in values.items():
                if name.startswith(("observableParameter", "noiseParameter")):
                    continue
                condition = part.conditions[row[key]]
                if name in part.network.parameters:
                    position, number_ = resolve_condition(sources, condition, name)
                else:
                    position, number_ = resolve_name(sources, name)
                ours = problem.names[position] if position >= 0 else number_
                assert ours == pytest.approx(value) if isinstance(value, float) else ours == value


@pytest.mark.reference
@pytest.mark.parametrize("number", ["0001", "0007", "0015", "0019"])
def test_bounds_and_nominal_values_are_those_of_the_library(
    reference: Path, number: str, petab: Any
) -> None:
    problem, other = mapped(reference, number, petab)
    assert list(problem.names) == other.x_free_ids
    free = other.x_free_indices
    assert problem.lower == pytest.approx([other.lb_scaled[i] for i in free])
    assert problem.upper == pytest.approx([other.ub_scaled[i] for i in free])
    with np.errstate(divide="ignore"):
        assert problem.nominal == pytest.approx([other.x_nominal_scaled[i] for i in free])


RAISED = [n for n in MAPPED if n not in ("0007", "0016")] + ["0006"]
"""Cases that the library raises to version 2; it drops the transformations of the other two."""


@pytest.mark.reference
@pytest.mark.parametrize("number", RAISED)
def test_a_problem_raised_to_version_2_means_the_same(
    reference: Path, number: str, petab: Any, tmp_path: Path
) -> None:
    folder = reference / "petab" / "test_suite" / "v1.0.0" / "sbml" / number
    if not folder.is_dir():
        pytest.skip(f"no case in {folder}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from petab.v2.petab1to2 import petab1to2

        petab1to2(folder / f"_{number}.yaml", str(tmp_path))
    (raised,) = tmp_path.glob("*.yaml")
    before, after = read_problem(folder / f"_{number}.yaml"), read_problem(raised)
    assert after.version.startswith("2")
    old, new = Objective(before), Objective(after)
    linear = [p.nominal for p in after.estimated]
    assert new.value(linear) == pytest.approx(old.value(before.nominal), rel=1e-8)
    found, expected = new.chi2(linear), old.chi2(before.nominal)
    assert found == pytest.approx(expected, rel=1e-7)
