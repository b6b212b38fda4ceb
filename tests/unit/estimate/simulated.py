"""Small data sets for tests of estimation, simulated with a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.model import Model, build_model
from statera.simulate import simulate_events

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Data:
    """Observations as estimation takes them."""

    events: EventTable
    dv: Floats
    row: Ints
    dvid: Ints
    cens: Ints
    limit: Floats
    occasion: Ints | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def oral(**changes: Any) -> Model:
    """One compartment, first-order absorption, combined error."""
    spec: dict[str, Any] = {
        "id": "oral",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {
            "lCL": {"value": 1.0},
            "lV": {"value": 3.0},
            "lKA": {"value": 0.3},
            "add": {"value": 0.05},
            "prop": {"value": 0.15},
        },
        "random_effects": {
            "eta_CL": {"variance": 0.09},
            "eta_V": {"variance": 0.04},
        },
        "individual": {
            "CL": "exp(lCL + eta_CL)",
            "V": "exp(lV + eta_V)",
            "KA": "exp(lKA)",
        },
        "dynamics": {"depot": "-KA*depot", "central": "KA*depot - CL/V*central"},
        "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
        "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
        "residual": {"C": {"additive": "add", "proportional": "prop"}},
    }
    return build_model({**spec, **changes})


def simulated(
    model: Model,
    n: int = 12,
    times: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0),
    seed: int = 3,
    covariates: dict[str, Floats] | None = None,
    occasion: Ints | None = None,
) -> Data:
    """Data of ``n`` subjects with a dose of 100 mg at time 0 (and 24 h later with occasions)."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, float, int, float]] = []
    for i in range(n):
        rows.append((i + 1, 0.0, 1, 100.0))
        rows += [(i + 1, t, 0, 0.0) for t in times]
    columns: dict[str, Any] = {
        "ID": [r[0] for r in rows],
        "TIME": [r[1] for r in rows],
        "EVID": [r[2] for r in rows],
        "AMT": [r[3] for r in rows],
    }
    for name, values in (covariates or {}).items():
        columns[name] = values
    events = events_from_columns(
        time=columns["TIME"],
        evid=columns["EVID"],
        amount=columns["AMT"],
        subject=columns["ID"],
        covariates=covariates or {},
    )
    output = model.outputs[0].name
    values = simulate_events(model, events, seed=seed).outputs[output]
    residual = model.residuals[output]
    sd = np.sqrt(residual.additive**2 + (residual.proportional * values) ** 2)
    dv = values + sd * rng.normal(size=values.size)
    k = dv.size
    return Data(
        events,
        dv,
        np.arange(k),
        np.ones(k, dtype=np.int64),
        np.zeros(k, dtype=np.int64),
        np.full(k, np.nan),
        occasion,
    )
