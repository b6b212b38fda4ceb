from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from statera.model import Model, build_model

SPEC: dict[str, Any] = {
    "schema": "statera.model/1",
    "id": "test/One_2000",
    "units": {"time": "h", "amount": "mg"},
    "covariates": {
        "WT": {"unit": "kg", "reference": 70, "soft": {"min": 40, "max": 120}, "hard": {"min": 1}}
    },
    "parameters": {
        "TVCL": {"value": 5.0, "unit": "L/h", "status": "estimated", "rse": 10},
        "V": {"value": 50, "unit": "L"},
        "KA": {"value": 1.2, "unit": "1/h"},
        "SD": {"value": 0.2},
    },
    "random_effects": {
        "eta_CL": {"cv": 30, "conversion": "lognormal"},
        "eta_V": {"variance": 0.04},
    },
    "covariances": [{"between": ["eta_CL", "eta_V"], "correlation": 0.5}],
    "individual": {"CL": "TVCL*(WT/70)^0.75*exp(eta_CL)", "K": "CL/V"},
    "dynamics": {"d/dt(depot)": "-KA*depot", "d/dt(central)": "KA*depot - K*central"},
    "initial": {"central": "0.5"},
    "inputs": {"oral": [{"kind": "bolus", "into": "depot", "bioavailability": 0.9, "lag": "0.1"}]},
    "outputs": {"CP": {"expression": "1000*central/V", "unit": "ng/mL"}},
    "residual": {"CP": {"proportional": "SD"}},
    "derived": {"THALF": {"expression": "log(2)/K", "unit": "h"}},
    "expect": [
        {"quantity": "CL", "value": 5.0, "unit": "L/h", "tolerance": 0.01, "basis": "by hand"}
    ],
}
"""A small model that uses every table of the format."""


@pytest.fixture
def spec() -> dict[str, Any]:
    return copy.deepcopy(SPEC)


@pytest.fixture
def build(spec: dict[str, Any]) -> Callable[..., Model]:
    """Build the model with some keys replaced: ``build({"units.time": "day"})``; None removes."""

    def make(changes: dict[str, Any] | None = None) -> Model:
        for path, value in (changes or {}).items():
            *parents, last = path.split("/")
            table: Any = spec
            for key in parents:
                table = table[int(key)] if isinstance(table, list) else table.setdefault(key, {})
            if isinstance(table, list):
                table[int(last)] = value
            elif value is None:
                del table[last]
            else:
                table[last] = value
        return build_model(spec)

    return make
