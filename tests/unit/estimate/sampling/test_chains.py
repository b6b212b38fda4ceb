"""Tiled subjects: every copy must give what the original gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.unit.estimate.simulated import oral, simulated

from statera.estimate import Problem, ProblemOptions, make_problem
from statera.estimate.chains import Likelihood, tile
from statera.estimate.terms import BETWEEN


def test_copies_have_the_values_of_their_own_random_effects(bolus: Callable[..., Problem]) -> None:
    """Each copy is solved with its own effects, to the last bit."""
    of = bolus().individuals
    theta = bolus().theta.start
    etas = np.random.default_rng(1).normal(size=(3, of.n_subjects, of.n_etas)) * 0.3
    expected = np.concatenate([of.values(theta, e)[0] for e in etas])
    tiled = tile(of, 3)
    found = Likelihood(tiled).at(theta, etas.reshape(-1, of.n_etas))
    assert np.array_equal(tiled.values(theta, etas.reshape(-1, of.n_etas))[0], expected)
    assert found.value == pytest.approx(expected, rel=1e-13)


def test_copies_with_covariates_that_change(
    build: Callable[..., Any], observe: Callable[..., Any]
) -> None:
    """Rows of parameters of several segments a subject are repeated as well."""
    dv = np.full((4, 3), 5.0)
    weight = np.linspace(50.0, 90.0, 16).reshape(4, 4)
    model = build(
        {"lCL": 1.0, "lV": 3.0, "add": 1.0},
        {"eCL": 0.1},
        {"CL": "exp(lCL + eCL)*WT/70", "V": "exp(lV)"},
        "central/V",
        "add^2",
        covariates={"WT": {"unit": "kg", "reference": 70}},
    )
    problem = make_problem(
        model, observe((1.0, 2.0, 4.0), dv, covariates={"WT": weight}), ProblemOptions()
    )
    of, theta = problem.individuals, problem.theta.start
    assert of.prepared.segments.varying
    etas = np.array([[0.1], [-0.2], [0.3], [0.0]])
    two = np.concatenate([etas, -etas])
    expected = np.concatenate([of.values(theta, etas)[0], of.values(theta, -etas)[0]])
    assert np.array_equal(tile(of, 2).values(theta, two)[0], expected)
    slopes = tile(of, 2).evaluate(theta, two, by_parameters=True).df
    assert np.array_equal(slopes[: of.y.size], of.evaluate(theta, etas, by_parameters=True).df)


def test_second_derivatives_of_copies_are_those_of_their_own_records() -> None:
    model = oral()
    problem = make_problem(model, simulated(model, n=4), ProblemOptions())
    of = problem.individuals
    theta, _, _ = problem.unpack(problem.start)
    etas = 0.1 * np.random.default_rng(1).normal(size=(8, of.n_etas))
    alone = [of.second(theta, part, by_parameters=True).ff for part in (etas[:4], etas[4:])]
    together = tile(of, 2).second(theta, etas, by_parameters=True).ff
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-12, atol=1e-14)


def test_copies_keep_the_lower_ends_of_intervals() -> None:
    """A value known to lie between two limits has the same probability in every copy."""
    model = oral()
    data = simulated(model, n=3)
    data.cens[::3] = 1
    data.limit[::3] = data.dv[::3]
    lower = np.where(data.cens == 1, 0.6 * data.dv, np.nan)
    data.lower = lower  # type: ignore[attr-defined]
    problem = make_problem(model, data, ProblemOptions())
    of = problem.individuals
    theta, _, _ = problem.unpack(problem.start)
    etas = 0.1 * np.random.default_rng(1).normal(size=(6, of.n_etas))
    alone = [of.values(theta, part)[0] for part in (etas[:3], etas[3:])]
    assert (of.kind == BETWEEN).any()
    found = Likelihood(tile(of, 2)).at(theta, etas).value
    np.testing.assert_allclose(found, np.concatenate(alone), rtol=1e-12)
