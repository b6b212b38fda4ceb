"""Outcomes with a likelihood of their own, and distributions of parameters, against integrals.

The marginal likelihood of a subject is integrated over its random effect by the trapezoidal rule on
a fine grid, from probabilities that are coded here with scipy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, poisson, weibull_min

from statera.data import read_data
from statera.estimate import (
    ProblemOptions,
    make_problem,
    objective_of,
)
from statera.estimate.importance import ImportanceOptions, importance_sampling
from statera.model import Model, build_model

TIMES = (0.0, 1.0, 3.0, 6.0)
GRID = np.linspace(-9.0, 9.0, 4001)
Probability = Callable[[float, float, float], Any]


def outcome(parameters: dict[str, float], individual: dict[str, str], loglik: str) -> Model:
    return build_model(
        {
            "id": "outcome",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in parameters.items()},
            "random_effects": {"eta": {"variance": 0.5}},
            "covariates": {"GAP": {"unit": "", "reference": 1}},
            "individual": individual,
            "dynamics": {"base": "0"},
            "initial": {"base": "1"},
            "inputs": {"none": [{"kind": "bolus", "into": "base"}]},
            "outputs": {"BASE": {"expression": "base", "unit": ""}},
            "likelihood": {"Y": {"expression": loglik}},
        }
    )


ONE, TWO = "expit(LOGIT - 0.2*t)", "expit(LOGIT - STEP - 0.2*t)"
COUNT = outcome(
    {"lRATE": 0.7}, {"RATE": "exp(lRATE + eta)"},
    "DV*(log(RATE) - 0.1*t) - RATE*exp(-0.1*t) - lgamma(DV + 1)",
)  # fmt: skip
GRADE = outcome(
    {"A": 0.5, "STEP": 1.4}, {"LOGIT": "A + eta"},
    f"where(DV < 0.5, log(1 - {ONE}), where(DV < 1.5, log({ONE} - {TWO}), log({TWO})))",
)  # fmt: skip
EVENT = outcome(
    {"lSCALE": 1.0, "SHAPE": 1.3}, {"SCALE": "exp(lSCALE + eta)"},
    "DV*log(SHAPE/SCALE*(GAP/SCALE)^(SHAPE - 1)) - (GAP/SCALE)^SHAPE",
)  # fmt: skip


def count_chance(y: float, t: float, gap: float) -> Any:
    return poisson.pmf(y, np.exp(0.7 + np.sqrt(0.5) * GRID - 0.1 * t))


def grade_chance(y: float, t: float, gap: float) -> Any:
    logit = 0.5 + np.sqrt(0.5) * GRID - 0.2 * t
    one, two = 1.0 / (1.0 + np.exp(-logit)), 1.0 / (1.0 + np.exp(1.4 - logit))
    return (1.0 - one, one - two, two)[int(y)]


def event_chance(y: float, t: float, gap: float) -> Any:
    scale = np.exp(1.0 + np.sqrt(0.5) * GRID)
    of = weibull_min(1.3, scale=scale)
    return of.pdf(gap) if y else of.sf(gap)


def data_of(levels: int) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(levels)
    rows = [
        (i + 1, t, 0.0, 0, float(rng.integers(levels)), float(rng.uniform(0.5, 6.0)))
        for i in range(12)
        for t in TIMES
    ]
    names = ("ID", "TIME", "AMT", "EVID", "DV", "GAP")
    table = np.array(rows)
    return read_data({n: table[:, k].tolist() for k, n in enumerate(names)}), table


@pytest.mark.parametrize(
    ("model", "levels", "chance"),
    [(COUNT, 5, count_chance), (GRADE, 3, grade_chance), (EVENT, 2, event_chance)],
    ids=["count", "ordered", "time to event"],
)
def test_marginal_likelihoods_of_outcomes(model: Model, levels: int, chance: Probability) -> None:
    data, table = data_of(levels)
    weight = norm.pdf(GRID) * (GRID[1] - GRID[0])
    exact = 0.0
    for subject in range(1, 13):
        joint = weight.copy()
        for row in table[table[:, 0] == subject]:
            joint *= chance(row[4], row[1], row[5])
        exact += -2.0 * np.log(joint.sum())
    problem = make_problem(model, data, ProblemOptions())
    quadrature = objective_of(problem, "agq", "exact", nodes=9).value(problem.start)[0]
    assert quadrature == pytest.approx(exact, abs=2e-3)
    laplace = objective_of(problem, "laplace").value(problem.start)[0]
    assert laplace == pytest.approx(exact, abs=0.4)
    assert abs(laplace - exact) > 1e-6  # it is an approximation
    theta, omega, _ = problem.unpack(problem.start)
    drawn = importance_sampling(problem, theta, omega, ImportanceOptions(samples=2000))
    assert drawn.ofv == pytest.approx(exact, abs=4.0 * drawn.se + 1e-6)


SHAPE = 0.6
DISTRIBUTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "box-cox": (
        "D*exp((exp(SHAPE*eta) - 1)/SHAPE)",
        lambda e: 2.0 * np.exp(np.expm1(SHAPE * e) / SHAPE),
    ),
    "logit": ("expit(logit(D/5) + eta)", lambda e: 1.0 / (1.0 + 1.5 * np.exp(-e))),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_box_cox_and_logit_distributions(name: str) -> None:
    """The objective of a model of one parameter, against the integral over its random effect."""
    formula, value = DISTRIBUTIONS[name]
    model = build_model(
        {
            "id": "distribution",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"D": {"value": 2.0}, "SHAPE": {"value": SHAPE}},
            "random_effects": {"eta": {"variance": 0.2}},
            "individual": {"P": formula},
            "dynamics": {"base": "0"},
            "initial": {"base": "P"},
            "inputs": {"none": [{"kind": "bolus", "into": "base"}]},
            "outputs": {"Y": {"expression": "base", "unit": ""}},
            "residual": {"Y": {"additive": 0.1}},
        }
    )
    rng = np.random.default_rng(2)
    y = value(np.sqrt(0.2) * rng.normal(size=(12, 1))) + 0.1 * rng.normal(size=(12, 5))
    rows = [(i + 1, float(j), 0.0, 0, y[i, j]) for i in range(12) for j in range(5)]
    names = ("ID", "TIME", "AMT", "EVID", "DV")
    data = read_data({n: [r[k] for r in rows] for k, n in enumerate(names)})
    weight = norm.pdf(GRID) * (GRID[1] - GRID[0])
    away = (y[:, :, None] - value(np.sqrt(0.2) * GRID)) ** 2 / 0.01 + np.log(0.01)
    exact = float((-2.0 * np.log(np.exp(-0.5 * away.sum(axis=1)) @ weight)).sum())
    problem = make_problem(model, data, ProblemOptions())
    quadrature = objective_of(problem, "agq", nodes=9).value(problem.start)[0]
    assert quadrature == pytest.approx(exact, abs=2e-3)
    theta, omega, _ = problem.unpack(problem.start)
    drawn = importance_sampling(problem, theta, omega, ImportanceOptions(samples=2000))
    assert drawn.ofv == pytest.approx(exact, abs=4.0 * drawn.se)
