"""Small fits that several tests look at: simulated data, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from statera.data import read_data
from statera.estimate import FitResult, ProblemOptions, fit
from statera.model import build_model

LINE = {
    "id": "line",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        "a": {"value": 5, "unit": "mg"},
        "b": {"value": 0.5, "unit": "mg/h"},
        "s": {"value": 0.3, "unit": "mg"},
    },
    "random_effects": {"e1": {"variance": 1.0}, "e2": {"variance": 0.04}},
    "covariances": [{"between": ["e1", "e2"], "value": 0.08}],
    "individual": {"A": "a + e1", "B": "b + e2"},
    "dynamics": {"x": "B"},
    "initial": {"x": "A"},
    "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
    "outputs": {"Y": {"expression": "x", "unit": "mg"}},
    "residual": {"Y": {"additive": "s"}},
}
"""Linear in its random effects: linearisation is exact."""

DECAY = {
    "id": "decay",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        "lCL": {"value": 1.0, "unit": "L/h"},
        "lV": {"value": 2.3, "unit": "L"},
        "p": {"value": 0.15, "unit": ""},
    },
    "random_effects": {"eCL": {"variance": 0.15}, "eV": {"variance": 0.08}},
    "individual": {"CL": "exp(lCL + eCL)", "V": "exp(lV + eV)"},
    "dynamics": {"c": "-CL/V*c"},
    "inputs": {"iv": [{"kind": "bolus", "into": "c"}]},
    "outputs": {"C": {"expression": "c/V", "unit": "mg/L"}},
    "residual": {"C": {"proportional": "p"}},
}
"""Bolus into one compartment, proportional error."""

TWO: dict[str, Any] = {
    "id": "two",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        "lCL": {"value": 1.0, "unit": "L/h"},
        "lV": {"value": 2.3, "unit": "L"},
        "EC": {"value": 2.0, "unit": "mg/L"},
        "p": {"value": 0.15, "unit": ""},
        "s": {"value": 0.05, "unit": ""},
    },
    "covariates": {"WT": {"unit": "kg", "reference": 70.0}},
    "random_effects": {
        "eCL": {"variance": 0.1},
        "oCL": {"variance": 0.05, "level": "occasion"},
    },
    "individual": {"CL": "exp(lCL + eCL + oCL)*(WT/70)^0.75", "V": "exp(lV)"},
    "dynamics": {"c": "-CL/V*c"},
    "inputs": {"iv": [{"kind": "bolus", "into": "c"}]},
    "outputs": {
        "C": {"expression": "c/V", "unit": "mg/L"},
        "E": {"expression": "c/V/(EC + c/V)", "unit": ""},
    },
    "residual": {"C": {"proportional": "p"}, "E": {"additive": "s"}},
}
"""Two outputs, a covariate that changes, and clearance that varies between two occasions."""

ANSWER = {
    "id": "answer",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"a": {"value": -0.5, "unit": ""}, "b": {"value": 0.2, "unit": "1/h"}},
    "random_effects": {"e": {"variance": 0.8}},
    "individual": {"A": "a + e"},
    "dynamics": {"x": "b"},
    "initial": {"x": "A"},
    "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
    "outputs": {"L": {"expression": "x", "unit": ""}},
    "likelihood": {"answer": {"expression": "DV*L - log(1 + exp(L))"}},
}
"""A binary outcome whose logit grows with time."""

LINE_TIMES = np.array([0.0, 1.0, 2.5, 4.0, 7.0])
DECAY_TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0])
DOSE = 100.0


def decay_table(n: int = 24, *, lloq: float = 0.0) -> dict[str, list[float]]:
    """Records of a bolus in n subjects; values under `lloq` are censored."""
    rng = np.random.default_rng(7)
    rows: list[tuple[float, ...]] = []
    for i in range(n):
        cl = np.exp(1.0 + np.sqrt(0.15) * rng.standard_normal())
        v = np.exp(2.3 + np.sqrt(0.08) * rng.standard_normal())
        rows.append((i + 1, 0.0, DOSE, 1, float("nan"), 0, lloq, 55.0 + 2 * i, i % 2))
        for t in DECAY_TIMES:
            c = DOSE / v * np.exp(-cl / v * t) * (1.0 + 0.15 * rng.standard_normal())
            low = float(c < lloq)
            rows.append((i + 1, t, 0.0, 0, lloq if low else c, low, lloq, 55.0 + 2 * i, i % 2))
    names = ["ID", "TIME", "AMT", "EVID", "DV", "CENS", "LLOQ", "WT", "SEX"]
    table = {k: [r[j] for r in rows] for j, k in enumerate(names)}
    if not lloq:
        del table["CENS"], table["LLOQ"]
    return table


@pytest.fixture(scope="session")
def line_fit() -> FitResult:
    rng = np.random.default_rng(1)
    rows = []
    for i in range(20):
        e = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.08], [0.08, 0.04]])
        for t in LINE_TIMES:
            y = 5 + e[0] + (0.5 + e[1]) * t + 0.3 * rng.standard_normal()
            rows.append((i + 1, t, 0.0, 0, y, 60.0 + i))
    names = ("ID", "TIME", "AMT", "EVID", "DV", "WT")
    data = read_data({k: [r[j] for r in rows] for j, k in enumerate(names)})
    return fit(build_model(LINE), data)


@pytest.fixture(scope="session")
def decay_fit() -> FitResult:
    return fit(build_model(DECAY), read_data(decay_table()))


@pytest.fixture(scope="session")
def foce_fit() -> FitResult:
    return fit(build_model(DECAY), read_data(decay_table()), method="foce")


@pytest.fixture(scope="session")
def lognormal_fit() -> FitResult:
    spec: dict[str, Any] = {**DECAY, "residual": {"C": {"additive": "p", "scale": "log"}}}
    return fit(build_model(spec), read_data(decay_table()))


@pytest.fixture(scope="session")
def censored_fit() -> FitResult:
    return fit(build_model(DECAY), read_data(decay_table(lloq=0.5)), method="laplace")


@pytest.fixture(scope="session")
def omitted_fit() -> FitResult:
    options = ProblemOptions(blq="M1")
    return fit(build_model(DECAY), read_data(decay_table(lloq=0.5)), options=options)


@pytest.fixture(scope="session")
def two_fit() -> FitResult:
    rng = np.random.default_rng(8)
    rows: list[tuple[float, ...]] = []
    nan = float("nan")
    for i in range(16):
        eta, v, weight = np.sqrt(0.1) * rng.standard_normal(), np.exp(2.3), 60.0 + i
        left = 0.0
        for occasion in (1, 2):
            kappa = np.sqrt(0.05) * rng.standard_normal()
            start, w = 24.0 * (occasion - 1), weight + 5.0 * (occasion - 1)
            cl = np.exp(1.0 + eta + kappa) * (w / 70) ** 0.75
            left += 100.0
            rows.append((i + 1, start, 100.0, 1, nan, 1, w, occasion))
            for t in (1.0, 3.0, 6.0, 12.0):
                c = left / v * np.exp(-cl / v * t)
                seen = c * (1 + 0.15 * rng.standard_normal())
                effect = c / (2 + c) + 0.05 * rng.standard_normal()
                rows.append((i + 1, start + t, 0.0, 0, seen, 1, w, occasion))
                rows.append((i + 1, start + t, 0.0, 0, effect, 2, w, occasion))
            left *= np.exp(-cl / v * 24.0)
    names = ("ID", "TIME", "AMT", "EVID", "DV", "DVID", "WT", "OCC")
    data = read_data({k: [r[j] for r in rows] for j, k in enumerate(names)})
    return fit(build_model(TWO), data)


@pytest.fixture(scope="session")
def answer_fit() -> FitResult:
    rng = np.random.default_rng(5)
    rows = []
    for i in range(60):
        a = -0.5 + np.sqrt(0.8) * rng.standard_normal()
        for t in (0.0, 2.0, 5.0, 8.0):
            p = 1.0 / (1.0 + np.exp(-a - 0.2 * t))
            rows.append((i + 1, t, 0.0, 0, float(rng.random() < p)))
    names = ("ID", "TIME", "AMT", "EVID", "DV")
    data = read_data({k: [r[j] for r in rows] for j, k in enumerate(names)})
    return fit(build_model(ANSWER), data, method="laplace")
