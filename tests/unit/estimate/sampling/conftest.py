"""Models and simulated data for the tests of SAEM and importance sampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.estimate import Problem, ProblemOptions, make_problem
from statera.model import Model, build_model

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Observations as estimation reads them."""

    events: EventTable
    dv: Floats
    row: Ints
    dvid: Ints
    cens: Ints
    limit: Floats
    occasion: Ints | None = None


def data_of(
    times: Sequence[float],
    dv: Floats,
    dose: float = 100.0,
    covariates: Mapping[str, Floats] | None = None,
) -> Data:
    """Return a bolus at 0 and observations at the same times in every subject.

    Parameters
    ----------
    dv : (n_subjects, n_times) float64
    covariates
        (n_subjects, n_times + 1) float64 by name.
    """
    n, m = dv.shape
    ids = np.repeat(np.arange(n), m + 1)
    evid = np.tile([1] + [0] * m, n)
    table = events_from_columns(
        ids.tolist(),
        np.tile([0.0, *times], n),
        evid,
        np.where(evid == 1, dose, 0.0),
        covariates={k: v.ravel() for k, v in (covariates or {}).items()},
    )
    count = n * m
    zeros = np.zeros(count, dtype=np.int64)
    rows = np.arange(count, dtype=np.int64)
    return Data(table, dv.ravel(), rows, zeros + 1, zeros, np.full(count, np.nan))


def spec_of(
    parameters: Mapping[str, float],
    effects: Mapping[str, float],
    individual: Mapping[str, str],
    output: str,
    variance: str,
    **more: Any,
) -> dict[str, Any]:
    """Return the description of a model with one state, emptied at rate CL/V."""
    return {
        "id": "test",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {k: {"value": v, "unit": ""} for k, v in parameters.items()},
        "random_effects": {k: {"variance": v} for k, v in effects.items()},
        "individual": dict(individual),
        "dynamics": {"central": "-CL/V*central"},
        "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
        "outputs": {"C": {"expression": output, "unit": "mg/L"}},
        "residual": {"C": {"variance": variance}},
        **more,
    }


@pytest.fixture(scope="session")
def build() -> Callable[..., Model]:
    """Build a model from the arguments of `spec_of`."""
    return lambda *args, **more: build_model(spec_of(*args, **more))


@pytest.fixture(scope="session")
def observe() -> Callable[..., Data]:
    """Make data, see `data_of`."""
    return data_of


BOLUS = (
    {"lCL": 1.0, "lV": 3.0, "prop": 0.2},
    {"eCL": 0.09, "eV": 0.04},
    {"CL": "exp(lCL + eCL)", "V": "exp(lV + eV)"},
    "central/V",
    "(prop*C)^2",
)
TIMES = (0.5, 2.0, 6.0, 12.0)


@pytest.fixture(scope="session")
def bolus_data() -> Data:
    """Thirty subjects after a bolus of 100 mg, by the closed form."""
    source = np.random.default_rng(7)
    cl = np.exp(1.1 + 0.3 * source.standard_normal((30, 1)))
    v = np.exp(2.9 + 0.2 * source.standard_normal((30, 1)))
    f = 100.0 / v * np.exp(-cl / v * np.array(TIMES))
    return data_of(TIMES, f * (1.0 + 0.15 * source.standard_normal(f.shape)))


@pytest.fixture(scope="session")
def bolus(bolus_data: Data) -> Callable[..., Problem]:
    """Return the problem of a bolus, with options."""
    return lambda **o: make_problem(build_model(spec_of(*BOLUS)), bolus_data, ProblemOptions(**o))


@dataclass(frozen=True)
class Balanced:
    """One-way layout ``y_ij = mu + e_i + noise``, whose likelihood has a closed form."""

    y: Floats
    problem: Problem

    def exact(self, mu: float, between: float, within: float) -> Floats:
        """Return -2 log-likelihood of every subject without ``m ln 2 pi``."""
        m = self.y.shape[1]
        covariance = between * np.ones((m, m)) + within * np.eye(m)
        away = self.y - mu
        square = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
        return np.asarray(square + np.linalg.slogdet(covariance)[1])

    def maximum(self) -> tuple[float, float, float]:
        """Return the estimates of maximum likelihood: mean, variance between and within."""
        n, m = self.y.shape
        means = self.y.mean(axis=1)
        within = float(((self.y - means[:, None]) ** 2).sum()) / (n * (m - 1))
        return float(means.mean()), float(means.var()) - within / m, within


@pytest.fixture(scope="session")
def balanced() -> Balanced:
    """Fifty subjects, three values each."""
    source = np.random.default_rng(3)
    y = 10.0 + 2.0 * source.standard_normal((50, 1)) + 1.5 * source.standard_normal((50, 3))
    model = build_model(
        spec_of(
            {"mu": 8.0, "sd": 1.0},
            {"e": 1.0},
            {"M": "mu + e", "CL": "1", "V": "1"},
            "M",
            "sd^2",
        )
    )
    return Balanced(y, make_problem(model, data_of((1.0, 2.0, 3.0), y), ProblemOptions()))
