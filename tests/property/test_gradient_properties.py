"""Identities that hold for the derivatives of every linear model, whatever its parameters."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from statera.model import Model, build_model
from statera.simulate import GradientResult, gradients

NAMES = ("CL", "V", "Q", "V2", "KA", "F", "LAG", "D", "SCALE")
positive = st.floats(0.05, 50.0)
routes = st.sampled_from(["oral", "zero", "both"])
schedules = st.sampled_from(["", " q8h x4", " q8h ss", " q30h x2"])
TIMES = np.linspace(0.07, 47.57, 20)


@lru_cache(maxsize=1)
def _base() -> Model:
    return build_model(
        {
            "id": "properties",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": 1.0} for k in NAMES},
            "random_effects": {f"eta_{k}": {"variance": 0.1} for k in NAMES},
            "individual": {f"{k}_i": f"{k}*exp(eta_{k})" for k in NAMES},
            "dynamics": {
                "depot": "-KA_i*depot",
                "central": "KA_i*depot - (CL_i + Q_i)/V_i*central + Q_i/V2_i*peripheral",
                "peripheral": "Q_i/V_i*central - Q_i/V2_i*peripheral",
            },
            "inputs": {
                "oral": [
                    {"kind": "bolus", "into": "depot", "lag": "LAG_i", "bioavailability": "F_i"}
                ],
                "zero": [
                    {"kind": "zero_order", "into": "central", "duration": "D_i", "lag": "LAG_i",
                     "bioavailability": "F_i"}
                ],
                "both": [
                    {"kind": "bolus", "into": "depot", "bioavailability": "0.4*F_i"},
                    {"kind": "zero_order", "into": "central", "duration": "D_i",
                     "bioavailability": "0.6*F_i"},
                ],
            },
            "outputs": {"C": {"expression": "SCALE_i*central/V_i", "unit": "mg/L"}},
        }
    )  # fmt: skip


def _solve(dose: str, values: dict[str, float]) -> tuple[GradientResult, dict[str, NDArray]]:
    """Derivatives by the logarithm of every parameter (through its random effect)."""
    etas = np.log([[values[k] for k in NAMES]])
    found = gradients(_base(), dose, wrt=[*(f"eta_{k}" for k in NAMES), *NAMES], etas=etas,
                      times=TIMES)  # fmt: skip
    assert not found.statuses.any()
    return found, {k: found.of(f"eta_{k}")[0] for k in NAMES}


def _parameters() -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries(
        dict.fromkeys(NAMES, positive) | {"LAG": st.floats(0.1, 6.0), "D": st.floats(0.1, 20.0)}
    )


@settings(max_examples=60, deadline=None)
@given(route=routes, schedule=schedules, values=_parameters())
def test_linear_in_dose_and_scale(route: str, schedule: str, values: dict[str, float]) -> None:
    """By the logarithm of what multiplies the dose or the output, the derivative is the output."""
    found, by_log = _solve(f"100 mg via {route}{schedule}", values)
    c = found.outputs["C"][0]
    np.testing.assert_allclose(by_log["F"], c, rtol=1e-9, atol=1e-12 * c.max())
    np.testing.assert_allclose(by_log["SCALE"], c, rtol=1e-9, atol=1e-12 * c.max())


@settings(max_examples=60, deadline=None)
@given(route=routes, schedule=schedules, values=_parameters())
def test_volumes_and_clearances_scale_together(
    route: str, schedule: str, values: dict[str, float]
) -> None:
    """With all flows and volumes larger by a factor, concentrations are smaller by it."""
    found, by_log = _solve(f"100 mg via {route}{schedule}", values)
    c = found.outputs["C"][0]
    total = sum(by_log[k] for k in ("CL", "V", "Q", "V2"))
    size = max(np.abs(by_log[k]).max() for k in ("CL", "V", "Q", "V2"))
    np.testing.assert_allclose(total, -c, rtol=1e-8, atol=1e-9 * size)


@settings(max_examples=60, deadline=None)
@given(values=_parameters())
def test_rates_scale_time(values: dict[str, float]) -> None:
    """All rates faster by a factor bend the time since absorption begins, as a lag moves it."""
    found, by_log = _solve("100 mg via oral", values)
    late = values["LAG"] + 1e-6 < TIMES
    by_lag = by_log["LAG"] / values["LAG"]
    total = by_log["CL"] + by_log["Q"] + by_log["KA"]
    size = max(np.abs(by_log[k]).max() for k in ("CL", "Q", "KA"))
    wanted = -(TIMES - values["LAG"]) * by_lag
    np.testing.assert_allclose(total[late], wanted[late], rtol=1e-8, atol=1e-9 * size + 1e-300)
    assert found.outputs["C"][0][~late].max(initial=0.0) == 0.0


@settings(max_examples=40, deadline=None)
@given(route=routes, schedule=schedules, values=_parameters())
def test_random_effects_are_logarithms(route: str, schedule: str, values: dict[str, float]) -> None:
    """Typical values are 1 here: a random effect enters as the logarithm of its parameter."""
    found, by_log = _solve(f"100 mg via {route}{schedule}", values)
    for name in NAMES:
        np.testing.assert_allclose(found.of(name)[0], by_log[name], rtol=1e-9, atol=1e-300)
