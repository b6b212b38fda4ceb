"""Steady states of models that need a solver: SS=2, and states that only accumulate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import events_from_columns
from statera.model import Model, build_model
from statera.simulate import EventsResult, OdeOptions, simulate, simulate_events
from statera.simulate.structure import accumulating

Floats = NDArray[np.float64]
Make = Callable[..., Model]
Run = Callable[..., tuple[Floats, int]]
TIGHT = OdeOptions(rtol=1e-10)


def _saturable(**tables: Any) -> Model:
    return build_model(
        {
            "id": "test/saturable",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"KA": {"value": 1.0}, "VM": {"value": 20.0}, "KM": {"value": 15.0}},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - VM*central/(KM + central)",
                "area": "central",
                "lost": "VM*central/(KM + central)",
                "twice": "area + lost",
            },
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot"}],
                "iv": [{"kind": "bolus", "into": "central"}],
            },
            "outputs": {
                "C": {"expression": "central"}, "A": {"expression": "area"},
                "D": {"expression": "depot"},
            },
        }
        | tables
    )  # fmt: skip


def _records(model: Model, *records: dict[str, Any]) -> EventsResult:
    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in records]

    events = events_from_columns(
        ["s"] * len(records), column("time"), column("evid"), column("amt"),
        route=[str(r.get("route", "oral")) for r in records], rate=column("rate"),
        interval=column("ii"), additional=column("addl"), steady_state=column("ss"),
    )  # fmt: skip
    result = simulate_events(model, events, ode=TIGHT)
    assert result.failures == ()
    return result


@pytest.mark.parametrize(
    "second",
    [
        {"amt": 60, "ii": 12, "route": "oral"},
        {"amt": 60, "ii": 12, "rate": 20, "route": "iv"},
        {"amt": 60, "ii": 12, "rate": 4, "route": "iv"},  # longer than the interval
        {"amt": 0, "ii": 0, "rate": 4, "route": "iv"},
        {"amt": 60, "ii": 12, "route": "lagged"},
    ],
)
def test_second_steady_state_of_a_linear_model_as_in_closed_form(
    compartments: Make, run_records: Run, second: dict[str, Any]
) -> None:
    records = [
        {"evid": 1, "amt": 100, "rate": 8, "addl": 2, "ii": 7},
        {"evid": 1, "time": 9.0, "ss": 2, **second},
        *({"time": 9.0 + h} for h in (0.0, 0.5, 3.0, 9.0, 30.0)),
    ]
    exact, _ = run_records(compartments(2), records)
    found, status = run_records(compartments(2), records, TIGHT)
    assert status == 0
    np.testing.assert_allclose(found, exact, rtol=1e-7)


def test_second_steady_state_adds_that_of_the_dose_alone() -> None:
    model = _saturable()
    first = {"evid": 1, "amt": 50}
    second = {"evid": 1, "time": 5.0, "amt": 40, "ii": 8, "ss": 2}
    before = _records(model, first, {"time": 5.0})
    alone = _records(model, {**second, "ss": 1}, {"time": 5.0})
    both = _records(model, first, second, {"time": 5.0}, {"time": 6.0})
    for name in ("C", "D"):
        np.testing.assert_allclose(
            both.outputs[name][0], before.outputs[name][0] + alone.outputs[name][0], rtol=1e-7
        )
    assert any("only accumulates" in w for w in both.warnings)


def test_second_steady_state_does_not_count_a_baseline_twice() -> None:
    """Of a response that the dose does not move, the steady state adds nothing."""
    model = build_model(
        {
            "id": "test/response",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.2}},
            "dynamics": {"central": "-K*central*central/(1 + central)", "r": "2 - 0.5*r"},
            "initial": {"r": "4"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"R": {"expression": "r"}},
        }
    )
    records = ({"evid": 1, "amt": 10, "ii": 12, "ss": 2, "route": "iv"}, {"time": 3.0})
    found = _records(model, *records)
    np.testing.assert_allclose(found.outputs["R"], 4.0, rtol=1e-9)
    assert any("less the initial state" in w for w in found.warnings)


def test_second_steady_state_keeps_what_is_outstanding() -> None:
    model = _saturable()
    course = {"evid": 1, "amt": 50, "ii": 10, "addl": 2}
    second = {"evid": 1, "time": 5.0, "amt": 1e-12, "ii": 8, "ss": 2}
    times = [{"time": t} for t in (5.0, 9.0, 11.0, 25.0)]
    one, other = _records(model, course, *times), _records(model, course, second, *times)
    np.testing.assert_allclose(one.outputs["C"], other.outputs["C"], rtol=1e-7)


def test_states_that_only_accumulate_are_found() -> None:
    assert accumulating(_saturable()).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("dose", ["60 mg q12h ss", "60 mg over 20 h via iv q12h ss"])
def test_an_area_does_not_hold_up_a_steady_state(dose: str) -> None:
    model = _saturable()
    times = np.linspace(0.0, 12.0, 7)
    result = simulate(model, dose, times=times, windows=[(0.0, 12.0)], ode=TIGHT)
    assert result.failures == ()
    assert any("only accumulates" in w for w in result.warnings)
    assert result.outputs["A"][0, 0] == 0.0
    np.testing.assert_allclose(result.outputs["A"][0, -1], result.endpoint("AUC"), rtol=1e-8)
    np.testing.assert_allclose(result.outputs["C"][0, -1], result.outputs["C"][0, 0], rtol=1e-7)


def test_more_than_can_be_eliminated_is_still_said() -> None:
    result = simulate(_saturable(), "300 mg q12h ss")
    assert "no steady state exists" in result.failures[0][1]
