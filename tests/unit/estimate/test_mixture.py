"""Mixture models: the objective, its gradient, who belongs where, and what there is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from tests.unit.estimate.simulated import Data, oral, simulated

from statera.errors import InputError, UsageError
from statera.estimate import (
    ImportanceOptions,
    Method,
    ProblemOptions,
    covariance,
    diagnose,
    fit,
    importance_sampling,
    influence,
    likelihood_ratio,
    load_checkpoint,
    make_problem,
    objective_of,
    save_fit,
    simulate_replicates,
)
from statera.estimate.log_density import LogDensity
from statera.estimate.membership import membership_of
from statera.estimate.mixture import marginal
from statera.estimate.mixture_objective import MixtureExpansion
from statera.model import Model
from statera.simulate import simulate_events

PARAMETERS = {
    "lCL1": {"value": 0.3},
    "lCL2": {"value": 1.6},
    "p_fast": {"value": 0.4},
    "lV": {"value": 3.0},
    "lKA": {"value": 0.3},
    "add": {"value": 0.05},
    "prop": {"value": 0.15},
}
MIXTURE = {"variable": "SUBPOP", "probabilities": {"slow": "rest", "fast": "p_fast"}}
INDIVIDUAL = {
    "CL": "exp(where(SUBPOP == 1, lCL1, lCL2) + eta_CL)",
    "V": "exp(lV)",
    "KA": "exp(lKA)",
}


def two(**changes: Any) -> Model:
    """Slow and fast elimination; one random effect."""
    spec = {
        "parameters": PARAMETERS,
        "mixture": MIXTURE,
        "individual": INDIVIDUAL,
        "random_effects": {"eta_CL": {"variance": 0.05}},
    }
    return oral(**{**spec, **changes})


def three() -> Model:
    """Three subpopulations, one probability by a covariate."""
    parameters = {
        **PARAMETERS,
        "lCL3": {"value": 0.9},
        "a": {"value": -0.8},
        "b": {"value": 0.02},
    }
    mixture = {
        "variable": "GROUP",
        "probabilities": {"one": "p_fast*(1 - expit(a))", "two": "rest", "three": "expit(a)/2"},
    }
    clearance = "where(GROUP == 1, lCL1, where(GROUP == 2, lCL2, lCL3))"
    individual = {**INDIVIDUAL, "CL": f"exp({clearance} + eta_CL + b*(WT - 70)/10)"}
    covariates = {"WT": {"unit": "kg", "reference": 70}}
    mixture["probabilities"]["three"] = "expit(a + b*(WT - 70))/2"  # type: ignore[index]
    return two(parameters=parameters, mixture=mixture, individual=individual, covariates=covariates)


def check_gradient(model: Model, data: Data, method: Method, rtol: float) -> None:
    problem = make_problem(model, data, ProblemOptions(interaction=method != "foce"))
    objective = objective_of(problem, method)
    u = problem.start + 0.1 * np.random.default_rng(5).normal(size=problem.n_free)
    objective(u)
    _, got = objective(u)
    for k in range(u.size):
        ends = []
        for sign in (1.0, -1.0):
            moved = u.copy()
            moved[k] += sign * 1e-4
            ends.append(objective.value(moved)[0])
        wanted = (ends[0] - ends[1]) / 2e-4
        size = np.abs(got).max()
        assert got[k] == pytest.approx(wanted, rel=rtol, abs=rtol * size), problem.free_names[k]


@pytest.mark.parametrize(
    ("method", "rtol"),
    [("fo", 1e-5), ("foce", 1e-5), ("focei", 1e-5), ("laplace", 1e-3), ("agq", 1e-5)],
)
def test_gradient(method: Method, rtol: float) -> None:
    model = two()
    # few and early observations, so that the posterior probabilities are not 0 and 1
    data = simulated(model, n=6, times=(1.0, 4.0), seed=4)
    check_gradient(model, data, method, rtol)


def test_gradient_with_three_subpopulations_and_a_covariate() -> None:
    model = three()
    n, rows = 7, 3
    weights = np.repeat(np.linspace(50.0, 95.0, n), rows)
    data = simulated(model, n=n, times=(1.0, 6.0), seed=2, covariates={"WT": weights})
    check_gradient(model, data, "focei", 1e-5)


def test_objective_is_the_sum_over_subpopulations_of_integrals() -> None:
    model = two()
    data = simulated(model, n=3, times=(1.0, 5.0), seed=7)
    problem = make_problem(model, data, ProblemOptions())
    theta, omega, _ = problem.unpack(problem.start)
    clearance = np.exp(theta[:2])
    volume, ka, add, prop = np.exp(theta[3]), np.exp(theta[4]), theta[5], theta[6]
    share = np.array([1.0 - theta[2], theta[2]])

    def density(eta: float, k: int, y: np.ndarray, t: np.ndarray) -> float:
        rate = clearance[k] * np.exp(eta) / volume
        f = 100.0 / volume * ka / (ka - rate) * (np.exp(-rate * t) - np.exp(-ka * t))
        v = add**2 + (prop * f) ** 2
        own = np.exp(-0.5 * eta**2 / omega[0, 0]) / np.sqrt(2.0 * np.pi * omega[0, 0])
        return float(np.prod(np.exp(-0.5 * (y - f) ** 2 / v) / np.sqrt(v)) * own)

    t = np.array([1.0, 5.0])
    wanted = []
    for y in data.dv.reshape(3, 2):
        parts = [quad(density, -2.5, 2.5, (k, y, t), epsabs=1e-12, limit=200)[0] for k in (0, 1)]
        wanted.append(-2.0 * np.log(share @ parts))
    got = objective_of(problem, "agq", nodes=25).value(problem.start)[1].objective
    np.testing.assert_allclose(got, wanted, atol=2e-5)
    # by Laplace it is near, by FOCEI a little less so
    near = objective_of(problem, "laplace").value(problem.start)[1].objective
    np.testing.assert_allclose(near, wanted, atol=0.05)


def test_importance_sampling_agrees_with_quadrature() -> None:
    model = two()
    data = simulated(model, n=10, times=(1.0, 5.0), seed=7)
    problem = make_problem(model, data, ProblemOptions())
    theta, omega, _ = problem.unpack(problem.start)
    exact = objective_of(problem, "agq", nodes=25).value(problem.start)[1]
    assert isinstance(exact, MixtureExpansion)
    assert exact.weights.max(axis=1).min() < 0.9  # some subjects may belong to either
    found = importance_sampling(problem, theta, omega, ImportanceOptions(samples=4000))
    away = found.by_subject - exact.objective
    assert (np.abs(away) < 4.0 * found.se_by_subject + 1e-3).all()
    assert found.ofv == pytest.approx(exact.objective.sum(), abs=3.0 * found.se)
    assert 0.0 < found.se < 0.2
    assert found.etas.shape == (10, 1)


def test_objective_of_members_is_that_of_each_population_alone() -> None:
    model = two()
    data = simulated(model, n=8, times=(1.0, 5.0), seed=1)
    problem = make_problem(model, data, ProblemOptions())
    at = objective_of(problem, "focei").value(problem.start)[1]
    assert isinstance(at, MixtureExpansion)
    for k, name in enumerate(("lCL1", "lCL2")):
        alone = oral(
            parameters={n: p for n, p in PARAMETERS.items() if n != "p_fast"},
            individual={**INDIVIDUAL, "CL": f"exp({name} + eta_CL)"},
            random_effects={"eta_CL": {"variance": 0.05}},
        )
        single = make_problem(alone, data, ProblemOptions())
        value = objective_of(single, "focei").value(single.start)[1]
        np.testing.assert_allclose(at.parts[:, k], value.objective, rtol=1e-9, atol=1e-9)
    wanted = -2.0 * np.log(np.exp(-0.5 * at.parts) @ np.array([0.6, 0.4]))
    np.testing.assert_allclose(at.objective, wanted, rtol=1e-10)
    np.testing.assert_allclose(at.weights.sum(axis=1), 1.0, rtol=1e-12)


def test_a_member_that_cannot_be_solved_counts_nothing() -> None:
    objective, weights = marginal(
        np.array([[4.0, np.inf], [np.inf, np.inf], [2e4, 2e4 + 2.0]]),
        np.array([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75]]),
    )
    assert objective[0] == pytest.approx(4.0 - 2.0 * np.log(0.5))
    assert objective[1] == np.inf
    assert np.isnan(weights[1]).all()
    assert objective[2] == pytest.approx(2e4 - 2.0 * np.log(0.25 + 0.75 * np.exp(-1.0)))
    assert weights[0].tolist() == [1.0, 0.0]


@pytest.fixture(scope="module")
def bimodal() -> tuple[Model, Data]:
    model = two()
    return model, simulated(model, n=150, times=(0.5, 2.0, 6.0, 12.0), seed=11)


def test_parameters_of_bimodal_data_are_recovered(bimodal: tuple[Model, Data]) -> None:
    model, data = bimodal
    start = {"lCL1": 0.7, "lCL2": 1.1, "p_fast": 0.5, "eta_CL": 0.1}
    result = fit(model, data, options=ProblemOptions(initial=start))
    assert result.status == "converged"
    truth = np.array([p["value"] for p in PARAMETERS.values()])
    errors = covariance(result)
    size = np.array(errors.standard_errors)[: truth.size]
    assert np.isfinite(size).all()
    assert (np.abs(result.theta - truth) < 3.0 * size).all()
    assert result.omega[0, 0] == pytest.approx(0.05, abs=0.02)
    members = membership_of(result.extra)
    assert members is not None
    own = simulate_events(model, data.events, seed=11).subpopulations
    assert own is not None
    assert (members.most_probable == own).mean() > 0.97
    # the mean posterior probability is the proportion at the maximum
    np.testing.assert_allclose(members.posterior.mean(axis=0), members.probabilities[0], atol=2e-3)
    chosen = members.etas[np.arange(150), members.most_probable - 1]
    np.testing.assert_array_equal(chosen, result.etas)
    text = result.summary(errors)
    assert "subpopulation" in text
    assert "fast" in text


def test_labels_follow_the_initial_values(bimodal: tuple[Model, Data]) -> None:
    model, data = bimodal
    one = fit(model, data)
    other = fit(
        model, data, options=ProblemOptions(initial={"lCL1": 1.6, "lCL2": 0.3, "p_fast": 0.6})
    )
    assert other.ofv == pytest.approx(one.ofv, abs=1e-2)
    assert other.theta[0] == pytest.approx(one.theta[1], abs=1e-2)
    assert other.theta[2] == pytest.approx(1.0 - one.theta[2], abs=1e-2)


def test_what_a_fit_of_a_mixture_is_good_for(bimodal: tuple[Model, Data], tmp_path: Path) -> None:
    model = two()
    data = simulated(model, n=20, times=(0.5, 2.0, 6.0, 12.0), seed=5)
    file = tmp_path / "fit.ckpt"
    result = fit(model, data, checkpoint=file)
    again = fit(model, data, resume=load_checkpoint(file))
    assert again.ofv == pytest.approx(result.ofv, abs=1e-3)
    save_fit(result, tmp_path)
    table = pl.read_parquet(tmp_path / "individuals.parquet")
    assert set(table["SUBPOP"].to_list()) == {1, 2}
    np.testing.assert_allclose(table["P(slow)"] + table["P(fast)"], 1.0, rtol=1e-12)
    lines = (tmp_path / "fit.phm").read_text().splitlines()
    assert lines[1].split()[:4] == ["SUBJECT_NO", "ID", "SUBPOP", "PMIX"]
    assert len(lines) == 2 + 2 * 20
    members = membership_of(result.extra)
    assert members is not None
    assert float(lines[2].split()[3]) == pytest.approx(members.posterior[0, 0], rel=1e-4)
    # predictions are those of the most probable subpopulation
    found = diagnose(result)
    assert found is not None
    repeated = simulate_replicates(result, 40, seed=3)
    assert np.isfinite(repeated.y).all()
    last = repeated.y.reshape(40, 20, 4)[:, :, 3]
    # of a subject that is surely slow, simulated values come from both subpopulations
    assert np.log(last[:, 0]).std() > 1.0
    assert np.isfinite(influence(result).cook).all()


def test_a_parameter_of_a_probability_alone_has_an_effect() -> None:
    share = {"a": {"value": -0.4}}
    parameters = {n: p for n, p in PARAMETERS.items() if n != "p_fast"} | share
    mixture = {"variable": "SUBPOP", "probabilities": {"slow": "rest", "fast": "expit(a)"}}
    model = two(parameters=parameters, mixture=mixture)
    data = simulated(model, n=40, times=(0.5, 2.0, 6.0, 12.0), seed=5)
    result = fit(model, data)
    assert not result.warnings
    errors = covariance(result)
    place = list(errors.names).index("a")
    # subjects are told apart for sure: the standard error is that of a binomial logit
    p = 1.0 / (1.0 + np.exp(-result.theta[list(parameters).index("a")]))
    wanted = 1.0 / np.sqrt(40.0 * p * (1.0 - p))
    assert errors.standard_errors[place] == pytest.approx(wanted, rel=0.02)


def test_a_subpopulation_that_vanishes_is_told() -> None:
    alone = oral(  # one population
        parameters={n: p for n, p in PARAMETERS.items() if n not in ("p_fast", "lCL2")},
        individual={**INDIVIDUAL, "CL": "exp(lCL1 + eta_CL)"},
        random_effects={"eta_CL": {"variance": 0.05}},
    )
    data = simulated(alone, n=40, times=(0.5, 2.0, 6.0, 12.0), seed=5)
    result = fit(two(), data)
    assert result.theta[2] < 1e-4
    assert result.ofv == pytest.approx(fit(alone, data).ofv, abs=0.01)
    told = " ".join(result.warnings)
    assert "these parameters lie at a bound: p_fast" in told
    assert "does not depend on lCL2" in told
    assert "no subject belongs most probably to the subpopulation fast" in told


def test_a_ratio_test_against_one_population_is_not_chi_square() -> None:
    model = two()
    data = simulated(model, n=20, times=(0.5, 2.0, 6.0, 12.0), seed=5)
    alone = oral(
        parameters={n: p for n, p in PARAMETERS.items() if n not in ("p_fast", "lCL2")},
        individual={**INDIVIDUAL, "CL": "exp(lCL1 + eta_CL)"},
        random_effects={"eta_CL": {"variance": 0.3}},
    )
    one, other = fit(alone, data), fit(model, data)
    found = likelihood_ratio(one, other)
    assert found.drop > 0.0
    assert any("1 and 2 subpopulations" in warning for warning in found.warnings)
    same = fit(model, data, options=ProblemOptions(fixed=("lKA",)))
    assert not any("subpopulations" in w for w in likelihood_ratio(same, other).warnings)


def test_fo_gives_modes_of_the_most_probable_subpopulation() -> None:
    model = two()
    data = simulated(model, n=10, times=(0.5, 2.0, 6.0, 12.0), seed=5)
    result = fit(model, data, method="fo")
    assert result.etas.shape == (10, 1)
    members = membership_of(result.extra)
    assert members is not None
    assert np.abs(members.etas).max() > 0.01


def test_the_same_subpopulations_are_refused() -> None:
    model = two()
    data = simulated(model, n=4, times=(1.0, 5.0))
    options = ProblemOptions(initial={"lCL1": 1.0, "lCL2": 1.0})
    with pytest.raises(InputError, match="the same at the initial values"):
        fit(model, data, options=options)


def test_a_subpopulation_without_subjects_is_told() -> None:
    model = two(parameters={**PARAMETERS, "p_fast": {"value": 0.05, "fixed": True}})
    data = simulated(model, n=4, times=(1.0, 5.0))
    options = ProblemOptions(fixed=tuple(n for n in PARAMETERS if n != "add"))
    result = fit(model, data, options=replace(options, initial={"lCL1": 0.3, "lCL2": 9.0}))
    assert any("no subject belongs" in warning for warning in result.warnings)


def test_what_there_is_not_is_refused_by_name() -> None:
    model = two()
    data = simulated(model, n=4, times=(1.0, 5.0))
    with pytest.raises(UsageError, match="SAEM is not available for mixture models"):
        fit(model, data, method="saem")
    with pytest.raises(UsageError, match="ITS is not available for mixture models"):
        fit(model, data, method="its")
    problem = make_problem(model, data, ProblemOptions())
    with pytest.raises(UsageError, match="full Bayes is not available"):
        LogDensity(problem)


def test_a_column_of_the_subpopulation_is_not_used() -> None:
    model = two()
    data = simulated(model, n=4, times=(1.0, 5.0))
    known = simulated(
        model, n=4, times=(1.0, 5.0), covariates={"SUBPOP": np.repeat([1.0, 2.0, 1.0, 2.0], 3)}
    )
    known.dv = data.dv
    value = []
    for given in (data, known):
        problem = make_problem(model, given, ProblemOptions())
        value.append(objective_of(problem, "focei").value(problem.start)[0])
    assert value[0] == pytest.approx(value[1], rel=1e-12)
    assert any("is not used" in warning for warning in problem.warnings)
