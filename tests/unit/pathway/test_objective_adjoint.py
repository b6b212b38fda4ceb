"""The way back gives the gradient of an objective that forward sensitivities give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from benchmarks.bench_petab import large
from tests.unit.pathway.petab_case import TABLES, network, read, write
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.errors import InputError, UnknownNameError
from statera.numerics.expression import symbol
from statera.pathway import objective_adjoint
from statera.pathway.network import Event, Network, Trigger
from statera.pathway.network_engine import NetworkEngine
from statera.pathway.objective import Objective
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_read import read_problem
from statera.pathway.solve import PathwayOptions


def agree(problem: PetabProblem) -> None:
    """Compare both gradients at the nominal point and beside it."""
    forward, back = (Objective(problem, gradient=g) for g in ("forward", "adjoint"))
    assert forward.gradients == ("forward",)
    assert back.gradients == ("adjoint",)
    random = np.random.default_rng(5)
    for shift in (0.0, 0.05):
        theta = problem.nominal + shift * random.normal(size=len(problem.names))
        one, other = forward.evaluate(theta, 1), back.evaluate(theta, 1)
        assert one.ok
        assert one.gradient is not None
        assert other.gradient is not None
        assert other.value == one.value
        scale = np.abs(one.gradient).max()
        np.testing.assert_allclose(other.gradient, one.gradient, rtol=0, atol=1e-8 * scale)
    np.testing.assert_array_equal(back.fisher(theta), forward.fisher(theta))


def test_a_cascade_of_many_parameters(tmp_path: Path) -> None:
    problem = large(tmp_path, stages=7, doses=4)
    assert len(problem.names) == 78
    agree(problem)
    assert Objective(problem).gradients == ("adjoint",)  # 14 rate constants in every condition


def test_the_example(project: Path) -> None:
    problem = read_problem(project / "examples" / "jak_stat" / "problem.yaml")
    agree(problem)
    assert Objective(problem).gradients == ("forward",)


def constant_ligand() -> Network:
    """The ligand stays, so that steady states depend on parameters."""
    plain = network()
    return replace(plain, parameters={**plain.parameters, "decay": 0.0})


@pytest.mark.parametrize("model", [network, constant_ligand])
def test_pre_equilibration_starts_placeholders_scales_and_noise_of_states(
    tmp_path: Path, model: Callable[[], Network]
) -> None:
    agree(read_problem(write(tmp_path), read_model=lambda path: model()))


def test_steady_states_alone(tmp_path: Path) -> None:
    head = TABLES["measurements.tsv"].splitlines()[0]
    rows = ["bound _ low inf 0.7 _ sd a", "share _ high inf 0.5 scale _ a"]
    path = write(tmp_path, {"measurements.tsv": "\n".join([head, *rows])})
    agree(read_problem(path, read_model=lambda path: constant_ligand()))


def test_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = read(tmp_path)
    assert Objective(problem).gradients == ("forward",)
    monkeypatch.setattr(objective_adjoint, "ADJOINT_COLUMNS", 2)
    assert Objective(problem).gradients == ("adjoint",)
    assert Objective(problem, engine=ScipyEngine()).gradients == ("forward",)
    exact = NetworkEngine(PathwayOptions(control_slopes=True))
    assert Objective(problem, engine=exact).gradients == ("forward",)


def test_what_has_no_way_back_is_refused(tmp_path: Path) -> None:
    problem = read(tmp_path)
    with pytest.raises(InputError, match="engine has forward sensitivities alone"):
        Objective(problem, engine=ScipyEngine(), gradient="adjoint")
    exact = NetworkEngine(PathwayOptions(control_slopes=True))
    with pytest.raises(InputError, match="control_slopes"):
        Objective(problem, engine=exact, gradient="adjoint")
    with pytest.raises(UnknownNameError, match="backward"):
        Objective(problem, gradient="backward")


def test_events_are_refused(tmp_path: Path) -> None:
    stops = Event("stop", Trigger(sp.Ge(symbol("t"), 3)), {"complex": sp.Integer(0)})
    model = replace(network(), events=(stops,))
    problem = read_problem(write(tmp_path), read_model=lambda path: model)
    with pytest.raises(InputError, match="events"):
        Objective(problem, gradient="adjoint")


def test_a_failed_simulation_has_no_gradient(tmp_path: Path) -> None:
    hasty = NetworkEngine(PathwayOptions(max_steps=2))
    o = Objective(read(tmp_path), engine=hasty, gradient="adjoint")
    found = o.evaluate(o.nominal, 1)
    assert found.value == np.inf
    assert found.message.startswith("condition ")
    assert found.gradient is not None
    assert np.isnan(found.gradient).all()
