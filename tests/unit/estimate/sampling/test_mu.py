"""Which fixed effects are means of random effects, and their step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.estimate import Problem, ProblemOptions, make_problem
from statera.estimate.mu import find_mu_reference

WEIGHT = {"WT": {"unit": "kg", "reference": 70}}


@pytest.mark.parametrize(
    ("individual", "expected"),
    [
        ({"CL": "exp(a + e1)", "V": "exp(b + e2)"}, {"a", "b"}),
        ({"CL": "a*exp(e1)", "V": "b*(WT/70)^c*exp(e2)"}, {"a", "b", "c"}),
        ({"CL": "a + e1", "V": "b + c*WT + e2"}, {"a", "b", "c"}),
        ({"CL": "1/(1 + exp(-(a + e1)))", "V": "exp(b + e2)/(1 + exp(b + e2))"}, {"a", "b"}),
        ({"TV": "a*(WT/70)^c", "CL": "TV*exp(e1)", "V": "b*exp(e2)"}, {"a", "b", "c"}),
        ({"CL": "a*(1 + e1)", "V": "exp(b + e2)"}, {"b"}),
        ({"CL": "exp(a + e1)", "V": "exp(b + e1 + e2)"}, {"b"}),
        ({"CL": "exp(a + e1)", "V": "exp(b + a + e2)"}, {"a", "b"}),
        ({"CL": "exp(a + e1) + a", "V": "exp(b + e2)"}, {"b"}),
        ({"CL": "exp(a + b*e1)", "V": "exp(c + e2)"}, {"c"}),
        ({"CL": "exp(a + e1)", "V": "CL*exp(b + e2)"}, {"a", "b"}),
        ({"CL": "c + exp(a + e1)", "V": "exp(b + e2)"}, {"a", "b"}),
    ],
)
def test_detection(
    build: Callable[..., Any],
    observe: Callable[..., Any],
    individual: dict[str, str],
    expected: set[str],
) -> None:
    """Means are found inside any function; whatever stands elsewhere too is left out."""
    model = build(
        {"a": 0.3, "b": 0.4, "c": 0.2, "s": 1.0},
        {"e1": 0.1, "e2": 0.1},
        individual,
        "central/V",
        "s^2",
        covariates=WEIGHT,
    )
    weights = np.repeat([[60.0], [80.0]], 3, axis=1)
    data = observe((1.0, 2.0), np.full((2, 2), 5.0), covariates={"WT": weights})
    found = find_mu_reference(make_problem(model, data, ProblemOptions()))
    assert set(found.names) == expected


def test_covariates_that_change_and_fixed_parameters(
    build: Callable[..., Any], observe: Callable[..., Any]
) -> None:
    """An exponent of a covariate that changes in time is no mean; nor is a fixed parameter."""
    model = build(
        {"a": 0.3, "b": 0.4, "c": 0.2, "s": 1.0},
        {"e1": 0.1, "e2": 0.1},
        {"CL": "a*(WT/70)^c*exp(e1)", "V": "exp(b + e2)"},
        "central/V",
        "s^2",
        covariates=WEIGHT,
    )
    weights = np.array([[60.0, 61.0, 62.0], [80.0, 79.0, 78.0]])
    data = observe((1.0, 2.0), np.full((2, 2), 5.0), covariates={"WT": weights})
    found = find_mu_reference(make_problem(model, data, ProblemOptions(fixed=("b",))))
    assert found.names == ("a",)


def test_step_is_generalised_least_squares(
    build: Callable[..., Any], observe: Callable[..., Any]
) -> None:
    """The step solves the normal equations, through logarithms and bounds too."""
    source = np.random.default_rng(4)
    weight = source.uniform(50.0, 90.0, (20, 1)) * np.ones((1, 3))
    model = build(
        {"a": 2.0, "b": 3.0, "c": 0.5, "s": 1.0},
        {"e1": 0.1, "e2": 0.1},
        {"CL": "a*(WT/70)^c*exp(e1)", "V": "exp(b + e2)"},
        "central/V",
        "s^2",
        covariates=WEIGHT,
        covariances=[{"between": ["e1", "e2"], "value": 0.05}],
    )
    data = observe((1.0, 2.0), np.full((20, 2), 5.0), covariates={"WT": weight})
    problem: Problem = make_problem(model, data, ProblemOptions(bounds={"a": (0.0, None)}))
    found = find_mu_reference(problem)
    phi = source.normal(1.0, 0.3, (20, 2))
    precision = np.linalg.inv(problem.omega.start)
    u = problem.theta.pack(problem.theta.start)
    for _ in range(5):
        u = found.step(u, phi, precision, np.ones(20))
    theta = problem.theta.unpack(u)[0]
    design = np.zeros((20, 2, 3))
    design[:, 0, 0] = design[:, 1, 1] = 1.0
    design[:, 0, 2] = np.log(weight[:, 0] / 70.0)
    matrix = np.einsum("iqk,qr,irl->kl", design, precision, design)
    vector = np.einsum("iqk,qr,ir->k", design, precision, phi)
    a, b, c = np.linalg.solve(matrix, vector)
    assert theta[:3] == pytest.approx([np.exp(a), b, c], rel=1e-6)
