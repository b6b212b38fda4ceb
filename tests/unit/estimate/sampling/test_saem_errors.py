"""Standard errors after SAEM: against closed forms, and where linearisation is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from statera.estimate import OuterOptions, Problem, ProblemOptions, fit_problem, make_problem
from statera.estimate.covariance import CovarianceOptions, covariance
from statera.estimate.result import FitResult
from statera.estimate.saem import SaemOptions, fit_saem
from statera.estimate.sampled_objective import SampledObjective, SampledOptions
from statera.estimate.status import Code

SHORT = SaemOptions(burn_in=(60, 60), smoothing=40)


def at(result: FitResult, theta: Any, omega: Any) -> FitResult:
    """The result of SAEM as if it had ended elsewhere, with importance sampling there."""
    extra = {**result.extra, "importance": None}
    return replace(result, theta=theta, omega=omega, status="converged", extra=extra)


def test_errors_of_a_balanced_layout(balanced: Any) -> None:
    """The information of a one-way layout at its maximum is known in closed form."""
    mu, between, within = balanced.maximum()
    found = fit_saem(balanced.problem, SHORT)
    exact = at(found, np.array([mu, np.sqrt(within)]), np.array([[between]]))
    n, m = found.problem.individuals.n_subjects, int(found.problem.individuals.counts[0])
    total = between + within / m
    wanted = [
        np.sqrt(total / n),
        np.sqrt(2.0 * within**2 / (n * (m - 1))) / (2.0 * np.sqrt(within)),
        np.sqrt(2.0 * total**2 / n + 2.0 * within**2 / (m**2 * n * (m - 1))),
    ]
    for likelihood in ("sampled", "linearised"):
        errors = covariance(exact, CovarianceOptions(matrix="R", likelihood=likelihood))
        assert errors.standard_errors == pytest.approx(wanted, rel=0.01), likelihood
        assert errors.remaining < 0.01


def test_occasions_and_the_sandwich_where_linearisation_is_exact(
    build: Callable[..., Any], observe: Callable[..., Any]
) -> None:
    source = np.random.default_rng(11)
    n, m = 40, 6
    occasion = np.tile([0, 0, 0, 0, 1, 1, 1], (n, 1))
    y = 10.0 + 2.0 * source.standard_normal((n, 1)) + 0.8 * source.standard_normal((n, m))
    y += np.take_along_axis(1.2 * source.standard_normal((n, 2)), occasion[:, 1:], axis=1)
    model = build(
        {"mu": 9.0, "sd": 1.0}, {"e": 2.0, "o": 1.0}, {"M": "mu + e + o", "CL": "1", "V": "1"},
        "M", "sd^2",
        random_effects={"e": {"variance": 2.0}, "o": {"variance": 1.0, "level": "occasion"}},
    )  # fmt: skip
    data = replace(observe(tuple(range(1, m + 1)), y), occasion=occasion.ravel())
    problem = make_problem(model, data, ProblemOptions())
    exact = fit_problem(problem, "focei", OuterOptions())
    sampled = at(fit_saem(problem, SHORT), exact.theta, exact.omega)
    for matrix, within in (("R", 0.01), ("sandwich", 0.03)):
        options = CovarianceOptions(matrix=matrix)  # type: ignore[arg-type]
        wanted = covariance(exact, options).standard_errors
        assert covariance(sampled, options).standard_errors == pytest.approx(wanted, rel=within)


def test_gradient_of_the_sampled_likelihood(bolus: Callable[..., Problem]) -> None:
    """It is the exact gradient of a smooth function, also away from where its draws were made."""
    problem = bolus()
    theta, omega, _ = problem.unpack(problem.start)
    function = SampledObjective(problem, theta, omega, SampledOptions(draws=64))
    u = problem.start + 0.1 * np.random.default_rng(2).normal(size=problem.n_free)
    _, got = function(u)
    rows = function.rows.sum(axis=0)
    for k in range(u.size):
        up, down = u.copy(), u.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        wanted = (function(up)[0] - function(down)[0]) / 2e-5
        assert got[k] == pytest.approx(wanted, rel=1e-6, abs=1e-5)
    np.testing.assert_allclose(rows, got, rtol=1e-12)  # the model has no priors


def test_which_likelihood_is_named_and_distance_is_said(bolus: Callable[..., Problem]) -> None:
    found = fit_saem(bolus(), SaemOptions(smoothing=100))
    errors = covariance(found)
    assert errors.usable
    assert errors.description == "R^-1 S R^-1 of the likelihood by importance sampling"
    assert "Standard errors" in found.summary(errors)
    near = covariance(found, CovarianceOptions(likelihood="linearised"))
    assert near.description == "R^-1 S R^-1 of the likelihood by FOCEI"
    assert near.standard_errors == pytest.approx(errors.standard_errors, rel=0.15)
    one = np.array([1.0, 0.0, 0.0])
    away = covariance(at(found, found.theta + one * errors.standard_errors[0], found.omega))
    assert Code.SAEM_AWAY in {n.code for n in away.notices}
    assert away.usable
    linear = CovarianceOptions(likelihood="linearised")
    away = covariance(at(found, found.theta + one * errors.standard_errors[0], found.omega), linear)
    assert Code.LINEARISED_AWAY in {n.code for n in away.notices}
    far = covariance(at(found, found.theta + 3.0 * one * errors.standard_errors[0], found.omega))
    assert not far.usable
    assert np.isnan(far.standard_errors).all()
