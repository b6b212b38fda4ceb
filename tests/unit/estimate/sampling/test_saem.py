"""SAEM against closed forms and against linearisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from statera.errors import UsageError
from statera.estimate import (
    Iteration,
    OuterOptions,
    Problem,
    ProblemOptions,
    fit_problem,
    make_problem,
)
from statera.estimate.importance import importance_sampling
from statera.estimate.saem import SaemOptions, fit_saem

SHORT = SaemOptions(burn_in=(30, 30), smoothing=20, annealing=10, importance=None)


def test_estimates_of_a_balanced_layout(balanced: Any) -> None:
    """Maximum likelihood of a one-way layout has a closed form."""
    mu, between, within = balanced.maximum()
    found = fit_saem(balanced.problem, SaemOptions(smoothing=600))
    assert found.status == "converged"
    assert found.theta[0] == pytest.approx(mu, abs=0.02)
    assert found.omega[0, 0] == pytest.approx(between, rel=0.03)
    assert found.theta[1] ** 2 == pytest.approx(within, rel=0.02)
    exact = balanced.exact(mu, between, within).sum()
    assert found.ofv == pytest.approx(exact, abs=4.0 * found.extra["ofv_se"] + 0.01)
    assert found.extra["by_mean"] == ("mu",)
    assert found.extra["by_residuals"] == ("sd",)


def test_seed_and_workers(bolus: Callable[..., Problem]) -> None:
    """A seed gives the same bits for any number of workers, another seed other ones."""
    first = fit_saem(bolus(), SHORT)
    again = fit_saem(bolus(workers=2), SHORT)
    other = fit_saem(bolus(), SaemOptions(**{**vars(SHORT), "seed": 2}))
    assert np.array_equal(first.theta, again.theta)
    assert np.array_equal(first.omega, again.omega)
    assert np.array_equal(first.etas, again.etas)
    assert not np.array_equal(first.theta, other.theta)


@pytest.mark.parametrize(
    "start",
    [{}, {"lCL": -0.5, "lV": 4.5, "prop": 1.0, "eCL": 1.0, "eV": 1.0}, {"eCL": 1e-3, "eV": 1e-3}],
)
def test_near_and_far_starts(bolus: Callable[..., Problem], start: dict[str, float]) -> None:
    """The likelihood reached is at least that of linearisation, from any start."""
    problem = bolus(initial=start)
    found = fit_saem(problem)
    linear = fit_problem(bolus(), "focei", OuterOptions())
    reached = importance_sampling(problem, linear.theta, linear.omega)
    assert found.status == "converged"
    # estimates of 250 iterations are known to some hundredths of the objective
    assert found.ofv < reached.ofv + 0.1
    assert found.theta == pytest.approx(linear.theta, rel=0.03)
    for name in ("at modes", "component walk", "block walk"):
        assert 0.1 < found.extra["acceptance"][name] < 0.95


def test_parameters_without_effects_and_two_part_error(
    build: Callable[..., Any], bolus_data: Any
) -> None:
    """Volume without a random effect and a combined error are moved by scoring."""
    model = build(
        {"lCL": 1.0, "V": 15.0, "prop": 0.3, "add": 0.1},
        {"eCL": 0.09},
        {"CL": "exp(lCL + eCL)"},
        "central/V",
        "(prop*C)^2 + add^2",
    )
    problem = make_problem(model, bolus_data, ProblemOptions(bounds={"V": (1.0, 100.0)}))
    found = fit_saem(problem)
    linear = fit_problem(problem, "focei", OuterOptions())
    reached = importance_sampling(problem, linear.theta, linear.omega)
    assert set(found.extra["by_scoring"]) == {"V", "prop", "add"}
    assert found.ofv < reached.ofv + 0.1
    assert found.theta[:3] == pytest.approx(linear.theta[:3], rel=0.03)


def test_what_is_fixed_stays(bolus: Callable[..., Problem]) -> None:
    """Fixed effects, a fixed variance and a fixed residual error keep their values."""
    found = fit_saem(bolus(fixed=("lV", "eCL", "prop")), SHORT)
    assert found.theta[1] == 3.0
    assert found.theta[2] == 0.2
    assert found.omega[0, 0] == 0.09
    assert found.theta[0] != 1.0
    assert found.omega[1, 1] != 0.04


def test_bounds_hold(bolus: Callable[..., Problem]) -> None:
    """A bound below the optimum is not crossed, for a mean and for a residual error."""
    found = fit_saem(bolus(bounds={"lV": (2.95, None), "prop": (0.18, 1.0)}), SHORT)
    assert min(i.theta[1] for i in found.iterations) >= 2.95
    assert min(i.theta[2] for i in found.iterations) >= 0.18


def test_blocks_of_omega(build: Callable[..., Any], bolus_data: Any) -> None:
    """A block has a covariance and stays positive definite; other entries stay zero."""
    model = build(
        {"lCL": 1.0, "lV": 3.0, "prop": 0.2},
        {"eCL": 0.09, "eV": 0.04},
        {"CL": "exp(lCL + eCL)", "V": "exp(lV + eV)"},
        "central/V",
        "(prop*C)^2",
        covariances=[{"between": ["eCL", "eV"], "value": 0.01}],
    )
    found = fit_saem(make_problem(model, bolus_data, ProblemOptions()))
    linear = fit_problem(found.problem, "focei", OuterOptions())
    assert np.linalg.eigvalsh(found.omega)[0] > 0.0
    assert found.omega[0, 1] == found.omega[1, 0]
    scale = np.sqrt(np.outer(np.diag(linear.omega), np.diag(linear.omega)))
    assert (np.abs(found.omega - linear.omega) < 0.1 * scale).all()


def test_drift_is_reported(bolus: Callable[..., Problem]) -> None:
    """A burn-in that is too short for the start gives a status and a sentence, not silence."""
    problem = bolus(initial={"lCL": -1.5, "lV": 6.0, "prop": 2.0})
    options = SaemOptions(burn_in=(10, 10), smoothing=5, annealing=10, importance=None)
    found = fit_saem(problem, options)
    assert found.status == "not_stationary"
    assert any("still drift" in w for w in found.warnings)
    assert np.isnan(found.ofv)


def test_trace_and_interruption(bolus: Callable[..., Problem]) -> None:
    """Every iteration is reported; an interruption leaves the best so far."""
    seen: list[Iteration] = []

    def stop(iteration: Iteration) -> None:
        seen.append(iteration)
        if iteration.number == 7:
            raise KeyboardInterrupt

    found = fit_saem(bolus(), SHORT, stop)
    assert found.status == "stopped"
    assert [i.number for i in seen] == list(range(1, 8))
    assert np.array_equal(found.theta, seen[-1].theta)
    assert all(np.isnan(i.objective) for i in seen)


def test_nothing_random(build: Callable[..., Any], bolus_data: Any) -> None:
    """Without random effects there is nothing to draw."""
    model = build(
        {"lCL": 1.0, "lV": 3.0, "prop": 0.2}, {}, {"CL": "exp(lCL)", "V": "exp(lV)"},
        "central/V", "(prop*C)^2",
    )  # fmt: skip
    problem = make_problem(model, bolus_data, ProblemOptions())
    with pytest.raises(UsageError, match="needs random effects"):
        fit_saem(problem)


def test_effects_of_occasions(build: Callable[..., Any], observe: Callable[..., Any]) -> None:
    """In a nested normal layout linearisation is exact; some subjects have one occasion only."""
    source = np.random.default_rng(11)
    n, m = 60, 6
    occasion = np.tile([0, 0, 0, 0, 1, 1, 1], (n, 1))
    occasion[:20] = 0
    y = 10.0 + 2.0 * source.standard_normal((n, 1)) + 0.8 * source.standard_normal((n, m))
    y += np.take_along_axis(1.2 * source.standard_normal((n, 2)), occasion[:, 1:], axis=1)
    model = build(
        {"mu": 9.0, "sd": 1.0},
        {"e": 2.0, "o": 1.0},
        {"M": "mu + e + o", "CL": "1", "V": "1"},
        "M",
        "sd^2",
        random_effects={"e": {"variance": 2.0}, "o": {"variance": 1.0, "level": "occasion"}},
    )
    data = replace(observe(tuple(range(1, m + 1)), y), occasion=occasion.ravel())
    problem = make_problem(model, data, ProblemOptions())
    exact = fit_problem(problem, "focei", OuterOptions())
    found = fit_saem(problem, SaemOptions(smoothing=600))
    assert found.extra["by_mean"] == ("mu",)
    assert found.theta == pytest.approx(exact.theta, rel=0.02)
    assert np.diag(found.omega) == pytest.approx(np.diag(exact.omega), rel=0.06)
    assert found.ofv == pytest.approx(exact.ofv, abs=4.0 * found.extra["ofv_se"] + 0.05)
