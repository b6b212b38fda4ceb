"""Objectives: gradients against differences, the exact integral where it is known, and statuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.unit.estimate.simulated import Data, oral, simulated

from statera.errors import InputError, UsageError
from statera.estimate import Method, ProblemOptions, fit, make_problem, objective_of
from statera.estimate.problem import Problem
from statera.model import Model, build_model


def problem_of(model: Model, data: Data, method: str = "focei", **options: Any) -> Problem:
    return make_problem(model, data, ProblemOptions(interaction=method != "foce", **options))


def check_gradient(problem: Problem, method: Method, rtol: float = 2e-4, **options: Any) -> None:
    """The gradient of every free number against a central difference."""
    objective = objective_of(problem, method, **options)
    rng = np.random.default_rng(5)
    u = problem.start + 0.05 * rng.normal(size=problem.n_free)
    objective(u)
    _, got = objective(u)
    size = np.abs(got).max()
    for k in range(u.size):
        ends = []
        for sign in (1.0, -1.0):
            moved = u.copy()
            moved[k] += sign * 1e-4
            ends.append(objective.value(moved)[0])
        wanted = (ends[0] - ends[1]) / 2e-4
        assert got[k] == pytest.approx(wanted, rel=rtol, abs=rtol * size), problem.free_names[k]


@pytest.mark.parametrize("method", ["fo", "foce", "focei", "laplace", "agq"])
def test_gradients(method: Method) -> None:
    model = oral()
    problem = problem_of(model, simulated(model, n=5), method)
    check_gradient(problem, method)


def test_gradient_with_a_block_and_a_fixed_effect() -> None:
    block = {"covariances": [{"between": ["eta_CL", "eta_V"], "value": 0.02}]}
    model = oral(**block)
    problem = problem_of(model, simulated(model, n=6), fixed=("lKA",))
    assert problem.free_names == (
        "lCL", "lV", "add", "prop", "omega(eta_CL)", "omega(eta_V,eta_CL)", "omega(eta_V)",
    )  # fmt: skip
    check_gradient(problem, "focei")


@pytest.mark.parametrize("blq", ["M2", "M3", "M4"])
def test_gradient_with_censored_values(blq: str) -> None:
    model = oral()
    data = simulated(model, n=6)
    low = data.dv < 0.4
    assert low.any()
    data.cens[low] = 1
    data.limit[:] = 0.4
    problem = problem_of(model, data, blq=blq)
    assert problem.omitted == (int(low.sum()) if blq == "M2" else 0)
    check_gradient(problem, "laplace", rtol=1e-3)


def test_gradient_of_a_model_that_is_integrated() -> None:
    dynamics = {"depot": "-KA*depot", "central": "KA*depot - CL/V*central/(1 + central/500)"}
    model = oral(dynamics=dynamics)
    problem = problem_of(model, simulated(model, n=4))
    assert "integrated" in problem.individuals.prepared.how
    check_gradient(problem, "focei", rtol=1e-3)


def test_gradient_with_covariates_that_change_and_occasions() -> None:
    model = oral(
        covariates={"WT": {"unit": "kg", "reference": 70}},
        individual={
            "CL": "exp(lCL + eta_CL + iov_CL)*(WT/70)^0.75",
            "V": "exp(lV + eta_V)",
            "KA": "exp(lKA)",
        },
        random_effects={
            "eta_CL": {"variance": 0.09},
            "eta_V": {"variance": 0.04},
            "iov_CL": {"variance": 0.05, "level": "occasion"},
        },
    )
    n, per = 5, 8
    weights = np.concatenate([60 + 5 * i + 2 * (np.arange(per) > 3) for i in range(n)])
    data = simulated(oral(), n=n)
    events = replace(data.events, covariates={"WT": weights.astype(float)})
    occasion = np.tile((np.arange(per) > 4).astype(np.int64), n)
    data = replace(data, events=events, occasion=occasion)
    problem = problem_of(model, data)
    assert problem.individuals.n_etas == 4  # two of the subject, one on each of two occasions
    assert problem.omega.size == 3
    check_gradient(problem, "focei")


def test_a_linear_mixed_model_is_exact_by_every_method() -> None:
    """With a prediction linear in the random effect all approximations are the exact likelihood."""
    model = build_model(
        {
            "id": "line",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"mean": {"value": 2.0}, "sd": {"value": 0.5}},
            "random_effects": {"eta": {"variance": 0.7}},
            "individual": {"level": "mean + eta"},
            "dynamics": {"x": "0"},
            "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"y": {"expression": "level + x", "unit": ""}},
            "residual": {"y": {"additive": "sd"}},
        }
    )
    data = simulated(oral(), n=4, times=(1.0, 2.0, 3.0))
    data.events.amount[:] = 0.0
    rng = np.random.default_rng(2)
    data.dv[:] = 2.0 + rng.normal(size=data.dv.size)
    wanted = 0.0
    v = 0.7 * np.ones((3, 3)) + 0.25 * np.eye(3)
    for i in range(4):
        r = data.dv[3 * i : 3 * i + 3] - 2.0
        wanted += np.linalg.slogdet(v)[1] + r @ np.linalg.solve(v, r)
    methods: tuple[Method, ...] = ("fo", "foce", "focei", "laplace", "agq")
    for method in methods:
        problem = problem_of(model, data, method)
        got = objective_of(problem, method).value(problem.start)[0]
        assert got == pytest.approx(wanted, rel=1e-9), method


def test_binary_outcomes_by_a_likelihood_of_ones_own() -> None:
    model = build_model(
        {
            "id": "binary",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"base": {"value": 0.0}},
            "random_effects": {"eta": {"variance": 1.0}},
            "individual": {"z": "base + eta"},
            "dynamics": {"x": "0"},
            "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"y": {"expression": "x", "unit": ""}},
            "likelihood": {"event": {"expression": "DV*z - log(1 + exp(z))"}},
        }
    )
    data = simulated(oral(), n=60, times=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    data.events.amount[:] = 0.0
    rng = np.random.default_rng(8)
    z = np.repeat(0.8 + 1.1 * rng.normal(size=60), 6)
    data.dv[:] = rng.uniform(size=z.size) < 1.0 / (1.0 + np.exp(-z))
    check_gradient(problem_of(model, data), "laplace", rtol=1e-3)
    found = fit(model, data, method="laplace")
    assert found.status == "converged"
    assert found.theta[0] == pytest.approx(0.8, abs=0.5)
    assert 0.3 < found.omega[0, 0] < 3.0
    exact = objective_of(found.problem, "agq", nodes=15).value(found.free)[0]
    assert found.ofv == pytest.approx(exact, abs=0.05 * 60)


def test_a_prior_adds_its_term() -> None:
    model = oral()
    data = simulated(model, n=5)
    without = problem_of(model, data)
    parameters = {p.name: {"value": p.value} for p in model.parameters.values()}
    parameters["lCL"]["prior"] = {"mean": 1.2, "sd": 0.1}  # type: ignore[assignment]
    problem = problem_of(oral(parameters=parameters), data)
    difference = (
        objective_of(problem, "focei").value(problem.start)[0]
        - objective_of(without, "focei").value(without.start)[0]
    )
    assert difference == pytest.approx(4.0)
    check_gradient(problem, "focei")


def test_lognormal_values_are_their_logarithms_with_a_constant() -> None:
    logged = {"C": {"additive": "add", "scale": "log"}}
    model = oral(residual=logged)
    data = simulated(oral(), n=5)
    data.dv[:] = np.abs(data.dv) + 1e-3
    direct = oral(
        outputs={"C": {"expression": "log(central/V)", "unit": ""}},
        residual={"C": {"additive": "add"}},
    )
    other = replace(data, dv=np.log(data.dv))
    first = problem_of(model, data)
    second = problem_of(direct, other)
    gap = objective_of(first, "focei").value(first.start)[0]
    gap -= objective_of(second, "focei").value(second.start)[0]
    assert gap == pytest.approx(2.0 * np.log(data.dv).sum())
    data.dv[0] = 0.0
    with pytest.raises(InputError, match="log-normal"):
        problem_of(model, data)


def test_bad_requests_say_what_to_do() -> None:
    model = oral()
    data = simulated(model, n=4)
    with pytest.raises(UsageError, match="not a method"):
        fit(model, data, method="magic")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not a parameter"):
        problem_of(model, data, fixed=("lQ",))
    with pytest.raises(InputError, match="bounds"):
        problem_of(model, data, bounds={"lCL": (2.0, 3.0)})
    with pytest.raises(InputError, match="no residual error"):
        problem_of(oral(residual={}), data)
    data.cens[0] = 1
    with pytest.raises(InputError, match="no limit"):
        problem_of(model, data)
    data.limit[0] = 0.1
    with pytest.raises(UsageError, match="quantified"):
        objective_of(problem_of(model, data), "fo")


def test_estimates_come_back_from_simulated_data() -> None:
    model = oral()
    data = simulated(model, n=60, seed=11)
    found = fit(model, data, options=ProblemOptions(initial={"lCL": 0.3, "lV": 2.0, "lKA": 1.0}))
    assert found.status == "converged"
    np.testing.assert_allclose(found.theta[:3], [1.0, 3.0, 0.3], atol=0.15)
    np.testing.assert_allclose(np.diag(found.omega), [0.09, 0.04], rtol=0.6)
    assert found.theta[4] == pytest.approx(0.15, rel=0.25)
    assert found.by_subject.sum() == pytest.approx(found.ofv)


def test_results_do_not_depend_on_threads() -> None:
    model = oral()
    data = simulated(model, n=9)
    one, two = (fit(model, data, options=ProblemOptions(workers=w)) for w in (1, 2))
    np.testing.assert_array_equal(one.theta, two.theta)
    np.testing.assert_array_equal(one.etas, two.etas)
