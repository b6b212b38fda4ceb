from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from tests.unit.pathway.petab_case import TABLES, YAML, network, objective, read, write
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.errors import InputError, UsageError
from statera.pathway.objective import Objective
from statera.pathway.petab_read import read_problem

Floats = NDArray[np.float64]


def differences(f: Callable[[Floats], float], theta: Floats, step: float = 1e-4) -> Floats:
    """Central differences of fourth order."""
    found = []
    for i in range(len(theta)):
        e = np.zeros(len(theta))
        e[i] = step
        found.append(
            (8 * (f(theta + e) - f(theta - e)) - f(theta + 2 * e) + f(theta - 2 * e)) / (12 * step)
        )
    return np.array(found)


def states(
    kon: float, koff: float, total: float, ligand: float, time: float
) -> tuple[float, float]:
    """Free and bound by the integrating factor, for a ligand that decays."""

    def on(t: float) -> float:
        return kon * ligand * math.exp(-0.01 * t)

    def lost(t: float) -> float:
        return kon * ligand * (1 - math.exp(-0.01 * t)) / 0.01 + koff * t

    whole, bound = 1.1 * total, 0.1 * total
    gained = quad(lambda s: on(s) * whole * math.exp(lost(s)), 0, time, epsabs=1e-13)[0]
    bound = math.exp(-lost(time)) * (bound + gained)
    return whole - bound, bound


def test_every_row_is_what_the_formulas_say(tmp_path: Path) -> None:
    o = objective(tmp_path)
    table = o.simulations(o.nominal)
    free, bound = states(0.4, 0.2, 2.5, 0.5, 5.0)
    assert table["simulation"][2] == pytest.approx(1.3 * bound + 0.1, rel=1e-8)
    assert table["noise"][2] == 0.2
    assert table["simulation"][7] == pytest.approx(free + 0.005, rel=1e-8)
    assert table["noise"][8] == pytest.approx(0.3)
    free, bound = states(0.4, 0.2, 2.5, 2.0, 5.0)
    assert table["simulation"][6] == pytest.approx(1.3 * bound / (free + bound), rel=1e-8)
    assert table["noise"][6] == pytest.approx(0.15 + 0.01 * bound, rel=1e-8)
    assert table["simulation"][9] == pytest.approx(2.75, rel=1e-6)  # all free after the rest
    assert table["datasetId"].to_list() == ["a"] * 3 + ["b"] * 4 + ["c"] * 2 + ["d"] * 2
    assert set(table["status"]) == {"ok"}


def test_the_likelihood_is_the_sum_of_its_densities(tmp_path: Path) -> None:
    o = objective(tmp_path)
    table, found = o.simulations(o.nominal), o.evaluate(o.nominal)
    h, s, m = (table[c].to_numpy() for c in ("simulation", "noise", "measurement"))
    llh = chi2 = 0.0
    for row, kind in enumerate(table["observableId"]):
        r = (h[row] - m[row]) / s[row]
        density = math.exp(-(r**2) / 2) / (math.sqrt(2 * math.pi) * s[row])
        if kind == "share":
            r = (math.log10(h[row]) - math.log10(m[row])) / s[row]
            density = math.exp(-(r**2) / 2) / (math.sqrt(2 * math.pi) * s[row])
            density /= m[row] * math.log(10)
        if kind == "left":
            r = (math.log(h[row]) - math.log(m[row])) / s[row]
            density = math.exp(-abs(r)) / (2 * s[row]) / m[row]
        llh += math.log(density)
        chi2 += r**2
    assert found.llh == pytest.approx(llh, rel=1e-12)
    assert found.value == pytest.approx(-llh, rel=1e-12)
    assert found.chi2 == pytest.approx(chi2, rel=1e-12)
    assert np.sum(o.residuals(o.nominal) ** 2) == pytest.approx(chi2, rel=1e-12)


def test_the_gradient_is_that_of_the_value(tmp_path: Path) -> None:
    o = objective(tmp_path)
    for shift in (0.0, 0.07):
        theta = o.nominal + shift
        expected = differences(o.value, theta)
        np.testing.assert_allclose(
            o.gradient(theta), expected, rtol=0, atol=1e-6 * abs(expected).max()
        )


def test_the_fisher_matrix_is_built_from_the_sensitivities(tmp_path: Path) -> None:
    o = objective(tmp_path)
    by_h, by_s = o.sensitivities(o.nominal)
    table = o.simulations(o.nominal)
    expected = np.zeros((5, 5))
    for row, kind in enumerate(table["observableId"]):
        h, s = table["simulation"][row], table["noise"][row]
        t = {"bound": 1.0, "share": 1 / (h * math.log(10)), "left": 1 / h}[kind]
        twice = 1.0 if kind == "left" else 2.0
        expected += np.outer(by_h[row], by_h[row]) * (t / s) ** 2
        expected += twice * np.outer(by_s[row], by_s[row]) / s**2
    np.testing.assert_allclose(o.fisher(o.nominal), expected, rtol=1e-10)


def test_conditions_that_compute_the_same_are_solved_once(tmp_path: Path) -> None:
    changes = {
        "conditions.tsv": TABLES["conditions.tsv"] + "again 0.5 total\n",
        "measurements.tsv": TABLES["measurements.tsv"] + "bound _ again 7 1.0 _ sd e\n",
    }
    engine = ScipyEngine()
    o = Objective(read(tmp_path, changes), engine=engine)
    o.value(o.nominal)
    assert engine.conditions == 3 + 1 + 1  # courses, the rest before, the steady state


def test_priors_enter_value_gradient_and_information(tmp_path: Path) -> None:
    plain = objective(tmp_path)
    lines = TABLES["parameters.tsv"].splitlines()
    head = f"{lines[0]} objectivePriorType objectivePriorParameters"
    rows = [f"{lines[1]} normal 0.5;0.1", f"{lines[2]} parameterScaleNormal -1;0.2",
            f"{lines[3]} laplace 2;0.3", f"{lines[4]} uniform 0.5;2", *lines[5:]]  # fmt: skip
    o = objective(tmp_path, {"parameters.tsv": "\n".join([head, *rows])})
    found = o.evaluate(o.nominal, 2)
    expected = (
        -((0.4 - 0.5) ** 2) / 0.02 - math.log(0.1 * math.sqrt(2 * math.pi))
        - (math.log(0.2) + 1) ** 2 / 0.08 - math.log(0.2 * math.sqrt(2 * math.pi))
        - 0.5 / 0.3 - math.log(0.6) - math.log(1.5)
    )  # fmt: skip
    assert found.log_prior == pytest.approx(expected, rel=1e-12)
    assert found.value == pytest.approx(plain.value(o.nominal) - expected, rel=1e-9)
    assert found.llh == pytest.approx(plain.evaluate(o.nominal).llh, rel=1e-9)
    assert found.gradient is not None
    assert found.fisher is not None
    expected_gradient = differences(o.value, o.nominal)
    np.testing.assert_allclose(found.gradient, expected_gradient, atol=1e-5)
    added = np.diag(found.fisher - plain.fisher(o.nominal))
    np.testing.assert_allclose(
        added, [(0.4 * math.log(10) / 0.1) ** 2, 25.0, 1 / 0.09, 0.0, 0.0], rtol=1e-8, atol=1e-6
    )
    outside = o.nominal.copy()
    outside[3] = 2.5
    assert o.evaluate(outside).message == "theta is outside a uniform prior"
    assert o.value(outside) == math.inf


def test_a_failed_simulation_is_a_status_and_infinity(tmp_path: Path) -> None:
    class Failing(ScipyEngine):
        def course(self, *arguments):  # type: ignore[no-untyped-def]
            found, slopes, failed = super().course(*arguments)
            return found, slopes, {1: "the step became too small"} if len(found) > 1 else failed

    o = Objective(read(tmp_path), engine=Failing())
    found = o.evaluate(o.nominal, 2)
    assert found.value == math.inf
    assert found.message == "condition high: the step became too small"
    assert found.gradient is not None
    assert np.isnan(found.gradient).all()
    table = o.simulations(o.nominal)
    bad = table.filter(table["simulationConditionId"] == "high")
    assert bad["simulation"].is_nan().all()
    assert set(table.filter(table["simulationConditionId"] == "low")["status"]) == {"ok"}


def test_noise_that_is_not_positive_is_a_status(tmp_path: Path) -> None:
    changes = {"observables.tsv": TABLES["observables.tsv"].replace("sd+0.01", "sd-0.11")}
    o = objective(tmp_path, changes)
    found = o.evaluate(o.nominal)
    assert found.value == math.inf
    assert "share under high at time 2: the noise -" in found.message


def test_theta_of_the_wrong_length_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\(3,\), \(5,\) is needed"):
        objective(tmp_path).value([1.0, 2.0, 3.0])


def test_several_models_and_files_add_up(tmp_path: Path) -> None:
    lines = TABLES["measurements.tsv"].splitlines()
    one = objective(tmp_path)
    whole = one.evaluate(one.nominal, 2)
    (tmp_path / "two").mkdir()
    yaml = YAML.replace("[measurements.tsv]", "[measurements.tsv, more.tsv]")
    yaml += yaml[yaml.index("- sbml_files") :].replace(", more.tsv", "")
    changes = {
        "measurements.tsv": "\n".join(lines[:5]),
        "more.tsv": "\n".join([lines[0], *lines[5:]]),
    }
    problem = read(tmp_path / "two", changes, yaml)
    assert [len(part.measurements) for part in problem.parts] == [11, 4]
    o = Objective(problem, engine=ScipyEngine())
    both = o.evaluate(o.nominal, 2)
    (tmp_path / "rest").mkdir()
    rest = objective(tmp_path / "rest", {"measurements.tsv": "\n".join(lines[:5])})
    second = rest.evaluate(rest.nominal, 2)
    assert both.value == pytest.approx(whole.value + second.value, rel=1e-8)
    for name in ("gradient", "fisher"):
        total = getattr(whole, name) + getattr(second, name)
        np.testing.assert_allclose(getattr(both, name), total, rtol=1e-6, atol=1e-8)
    table = o.simulations(o.nominal)
    assert table["part"].to_list() == [1] * 11 + [2] * 4


def test_compartments_keep_concentrations(tmp_path: Path) -> None:
    """A size set by a condition changes amounts, not concentrations."""
    from statera.numerics.expression import symbol

    base = network()
    sized = replace(base, parameters={**base.parameters, "cell": 1.0})
    changes = {
        "conditions.tsv": "conditionId cell\nsmall 1\nlarge 4\n",
        "observables.tsv": "observableId observableFormula noiseFormula\n"
        "level complex sd\namount complex*cell*scale+offset sd\n",
        "measurements.tsv": "observableId simulationConditionId time measurement\n"
        "level small 3 1\nlevel large 3 1\namount small 3 1\namount large 3 1\n",
    }
    path = write(tmp_path, changes)
    o = Objective(read_problem(path, read_model=lambda p: sized), engine=ScipyEngine())
    found = o.simulations(o.nominal)["simulation"].to_list()
    assert found[0] == found[1]
    assert found[3] - 0.1 == pytest.approx(4 * (found[2] - 0.1), rel=1e-12)
    assert symbol("cell").name in o.problem.parts[0].network.parameters


def test_a_name_without_any_value_is_named(tmp_path: Path) -> None:
    conditions = TABLES["conditions.tsv"].replace("ligand free", "ligand free gain")
    rows = conditions.splitlines()
    table = "\n".join(
        [rows[0], *(f"{row} {'_' if row.startswith('high') else 2}" for row in rows[1:])]
    )
    observables = TABLES["observables.tsv"].replace("scale*complex", "gain*scale*complex")
    with pytest.raises(InputError, match=r"'gain' has no value .* the condition 'high'"):
        objective(tmp_path, {"conditions.tsv": table, "observables.tsv": observables})


def test_conditions_with_few_and_many_parameters_are_solved_apart(tmp_path: Path) -> None:
    """Each group has its own columns; together they give the gradient of the value."""
    conditions = "conditionId kon koff ligand free\nfew 0.5 0.1 1 1\nsome _ 0.1 1 1\n"
    conditions += "many _ _ dose start\n"
    parameters = TABLES["parameters.tsv"] + "dose lin 0 5 1.5 1\nstart lin 0 5 1.2 1\n"
    measurements = "observableId simulationConditionId time measurement\n"
    for name in ("many", "few", "some"):
        measurements += f"level {name} 2 0.7\nlevel {name} 6 1.1\n"
    o = objective(
        tmp_path,
        {
            "parameters.tsv": parameters,
            "conditions.tsv": conditions,
            "observables.tsv": "observableId observableFormula noiseFormula\n"
            "level scale*complex+offset sd\n",
            "measurements.tsv": measurements,
        },
    )
    assert len(o._parts[0]._simulation._groups) > 1
    expected = differences(o.value, o.nominal)
    np.testing.assert_allclose(
        o.gradient(o.nominal), expected, rtol=0, atol=1e-6 * abs(expected).max()
    )


def test_steady_states_alone_and_nothing_estimated_are_evaluated(tmp_path: Path) -> None:
    rows = TABLES["measurements.tsv"].splitlines()
    changes = {
        "measurements.tsv": "\n".join([rows[0], rows[5]]).replace("sd", "0.3"),
        "observables.tsv": TABLES["observables.tsv"].replace("sd", "0.2"),
        "parameters.tsv": TABLES["parameters.tsv"].replace("sd log10 1e-2 10 0.15 1\n", ""),
    }
    o = objective(tmp_path, changes)
    found = o.evaluate(o.nominal, 2)
    assert found.chi2 == pytest.approx(((0.1 - 2.4) / 0.3) ** 2, rel=1e-6)
    assert found.gradient is not None
    fixed = TABLES["parameters.tsv"].replace(" 1\n", " 0\n")
    (tmp_path / "fixed").mkdir()
    still = objective(tmp_path / "fixed", {"parameters.tsv": fixed})
    assert still.names == ()
    assert still.evaluate([], 2).fisher is not None
    plain = objective(tmp_path)
    assert still.value([]) == pytest.approx(plain.value(plain.nominal), rel=1e-8)


def test_a_start_that_a_condition_sets_needs_no_other_value(tmp_path: Path) -> None:
    """Nor is it computed from theta, or told apart by what would have set it."""
    base = network()
    open_ = replace(base, parameters={**base.parameters, "total": math.nan})
    changes = {
        "parameters.tsv": TABLES["parameters.tsv"].replace("total lin 0.1 10 2.5 1\n", ""),
        "conditions.tsv": "conditionId free complex\nset 2 0.3\n",
        "observables.tsv": "observableId observableFormula noiseFormula\n"
        "level scale*complex+offset sd\n",
        "measurements.tsv": "observableId simulationConditionId time measurement\nlevel set 2 1\n",
    }
    problem = read_problem(write(tmp_path, changes), read_model=lambda p: open_)
    o = Objective(problem, engine=ScipyEngine())
    assert o.evaluate(o.nominal).ok
    changes["conditions.tsv"] = "conditionId free\nset 2\n"
    problem = read_problem(write(tmp_path, changes), read_model=lambda p: open_)
    with pytest.raises(InputError, match="'total' has no value"):
        Objective(problem, engine=ScipyEngine())
