"""Sensitivities of SS=2 and of states that only accumulate, in models that need a solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.simulate.differences import difference

from statera.data import EventTable, events_from_columns
from statera.model import Model, build_model
from statera.simulate import OdeOptions, gradients, simulate_events
from statera.simulate.gradient_values import with_parameters

Make = Callable[..., Model]
Floats = NDArray[np.float64]
TIGHT = OdeOptions(rtol=1e-11, atol=1e-16, period_rtol=1e-10)
EXACT = OdeOptions(rtol=1e-12, atol=1e-16, period_rtol=1e-11)
TIMES = (9.0, 9.5, 12.0, 18.0, 39.0)
FIRST = {"evid": 1, "amt": 100, "addl": 2, "ii": 7}
SECOND = [
    {"amt": 60, "ii": 12, "route": "oral"},
    {"amt": 60, "ii": 12, "rate": 20, "route": "iv"},
    {"amt": 60, "ii": 12, "rate": 4, "route": "iv"},  # longer than the interval
    {"amt": 0, "ii": 0, "rate": 4, "route": "iv"},
    {"amt": 60, "ii": 12, "route": "lagged"},
]
"""Doses of SS=2, at 9 h."""


def records(*given: Mapping[str, Any]) -> EventTable:
    rows = [*given, *({"time": t} for t in TIMES)]

    def column(name: str) -> list[float]:
        return [float(row.get(name, 0.0)) for row in rows]

    return events_from_columns(
        ["s"] * len(rows), column("time"), column("evid"), column("amt"),
        route=[str(row.get("route", "oral")) for row in rows], rate=column("rate"),
        interval=column("ii"), additional=column("addl"), steady_state=column("ss"),
    )  # fmt: skip


@pytest.mark.parametrize("second", SECOND)
def test_a_linear_model_integrated_as_in_closed_form(
    compartments: Make, second: dict[str, Any]
) -> None:
    dynamics = {e.name: e.text for e in compartments(2).dynamics}
    dynamics["central"] += " + 1e-300*central^2"
    table = records(FIRST, {"evid": 1, "time": 9.0, "ss": 2, **second})
    names = ["CL", "V", "KA", "Q2", "V2", "F", "LAG"]
    options: dict[str, Any] = {"wrt": names, "second": names, "ode": TIGHT}
    closed = gradients(compartments(2), table, **options)
    found = gradients(compartments(2, dynamics=dynamics), table, **options)
    assert "closed form" in closed.solver
    assert "variational" in found.solver
    assert found.statuses.tolist() == [0]
    np.testing.assert_allclose(found.outputs["C"], closed.outputs["C"], rtol=1e-8)
    for mine, exact in (
        (found.derivatives["C"], closed.derivatives["C"]),
        (found.curvatures["C"], closed.curvatures["C"]),
    ):
        # the largest of each derivative over the times
        largest = np.abs(exact).max(axis=1, keepdims=True)
        assert np.all(np.abs(mine - exact) <= 1e-7 * largest + 1e-13)


VALUES = {"KA": 1.0, "VM": 20.0, "KM": 15.0, "KIN": 2.0, "KOUT": 0.4, "LAG": 0.5, "F": 0.8}


def saturable() -> Model:
    """Saturable elimination, a response with a baseline, and an area."""
    return build_model(
        {
            "id": "test/added",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in VALUES.items()},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - VM*central/(KM + central)",
                "r": "KIN - KOUT*r*(1 + central/50)",
                "area": "central",
            },
            "initial": {"r": "KIN/KOUT"},
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot", "bioavailability": "F"}],
                "iv": [{"kind": "bolus", "into": "central"}],
                "lagged": [{"kind": "bolus", "into": "depot", "lag": "LAG"}],
            },
            "outputs": {
                "C": {"expression": "central"}, "R": {"expression": "r"},
                "A": {"expression": "area"},
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("kind", [1, 2])
def test_a_nonlinear_model_against_differences(second: dict[str, Any], kind: int) -> None:
    """SS=1 and SS=2; the area counts from the record, or goes on."""
    table = records(FIRST, {"evid": 1, "time": 9.0, "ss": kind, **second})
    names = tuple(VALUES)
    found = gradients(saturable(), table, wrt=names, second=("VM", "KOUT"), ode=TIGHT)
    assert found.statuses.tolist() == [0]

    def run(values: Mapping[str, float]) -> Floats:
        result = simulate_events(with_parameters(saturable(), values), table, ode=EXACT)
        assert result.failures == ()
        return np.stack([result.outputs[k] for k in ("C", "R", "A")])

    def first(values: Mapping[str, float]) -> Floats:
        result = gradients(saturable(), table, wrt=["VM", "F"], parameters=values, ode=TIGHT)
        return np.stack([result.of("VM", k)[0] for k in ("C", "R", "A")])

    for name in names:
        exact = difference(run, VALUES, name, 3e-3)
        mine = np.stack([found.of(name, k)[0] for k in ("C", "R", "A")])
        largest = np.abs(exact).max(axis=1, keepdims=True)
        assert np.all(np.abs(mine - exact) <= 3e-7 * largest + 1e-8), name
    for name in ("VM", "KOUT"):
        exact = difference(first, VALUES, name, 3e-3)
        mine = np.stack([found.curvature("VM", name, k)[0] for k in ("C", "R", "A")])
        largest = np.abs(exact).max(axis=1, keepdims=True)
        assert np.all(np.abs(mine - exact) <= 1e-6 * largest + 1e-8), name
