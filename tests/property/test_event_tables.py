"""Invariants of event tables: what records mean does not depend on how they are written."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from statera.data import events_from_columns
from statera.model import Model, build_model
from statera.simulate import EventsResult, OdeOptions, simulate_events

Floats = NDArray[np.float64]
Record = dict[str, Any]

FEW = settings(deadline=None, max_examples=25)
TIMES = [0.0, 0.7, 3.0, 9.5, 17.0, 26.0, 48.0]


def _model(saturable: bool, out: bool = True) -> Model:
    loss = "VM*central/(KM + central)" if saturable else "0.2*central"
    return build_model(
        {
            "id": f"property/{'saturable' if saturable else 'linear'}",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"VM": {"value": 12.0}, "KM": {"value": 20.0}, "KA": {"value": 0.9}},
            "dynamics": {
                "depot": "-KA*depot",
                "central": f"KA*depot - {loss} - 0.3*central + 0.1*side",
                "side": "0.3*central - 0.1*side",
            }
            | ({"out": loss} if out else {}),
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot", "lag": 0.4}],
                "iv": [{"kind": "bolus", "into": "central"}],
                "dual": [
                    {"kind": "bolus", "into": "depot", "bioavailability": 0.6},
                    {"kind": "zero_order", "into": "central", "duration": 3,
                     "bioavailability": 0.4},
                ],
            },
            "outputs": {
                "C": {"expression": "central"},
            }
            | ({"total": {"expression": "depot + central + side + out"}} if out else {}),
        }
    )  # fmt: skip


LINEAR, SATURABLE = _model(False), _model(True)
OPEN = _model(False, out=False)  # what has left would have no steady state
models = st.sampled_from([LINEAR, SATURABLE])

doses = st.lists(
    st.fixed_dictionaries(
        {
            "time": st.floats(0.0, 20.0).map(lambda t: round(t, 3)),
            "evid": st.just(1),
            "amt": st.floats(1.0, 100.0),
            "route": st.sampled_from(["oral", "iv", "dual"]),
            "ii": st.floats(2.0, 9.0).map(lambda t: round(t, 3)),
            "addl": st.integers(0, 2),
        }
    ),
    min_size=1,
    max_size=3,
)


def _run(model: Model, records: list[Record], times: list[float] = TIMES) -> EventsResult:
    """Doses stand before observations of their time."""
    everything = [*records, *({"time": t} for t in times)]
    everything.sort(key=lambda r: (r["time"], r.get("evid", 0) == 0))

    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in everything]

    events = events_from_columns(
        ["1"] * len(everything), column("time"), column("evid"), column("amt"),
        route=[r.get("route", "") for r in everything], rate=column("rate"),
        interval=column("ii"), additional=column("addl"), steady_state=column("ss"),
    )  # fmt: skip
    result = simulate_events(model, events, ode=OdeOptions(rtol=1e-9))
    assert result.failures == ()
    return result


def _close(found: Floats, expected: Floats) -> None:
    scale = max(float(np.abs(expected).max()), 1e-9)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * scale)


@FEW
@given(models, doses)
def test_mass_balance(model: Model, given_doses: list[Record]) -> None:
    late = _run(model, given_doses, [60.0]).outputs["total"]
    _close(late, np.array([sum(d["amt"] * (d["addl"] + 1) for d in given_doses)]))


@FEW
@given(models, doses)
def test_repeated_doses_may_be_written_out(model: Model, given_doses: list[Record]) -> None:
    apart = [
        {**d, "time": d["time"] + k * d["ii"], "addl": 0}
        for d in given_doses
        for k in range(d["addl"] + 1)
    ]
    _close(_run(model, given_doses).outputs["C"], _run(model, apart).outputs["C"])


@FEW
@given(models, st.floats(5.0, 80.0), st.floats(1.0, 15.0), st.floats(0.05, 0.95))
def test_an_infusion_may_be_split(model: Model, amount: float, length: float, cut: float) -> None:
    rate = amount / length
    whole = {"time": 1.0, "evid": 1, "amt": amount, "rate": rate, "route": "iv"}
    parts = [
        {**whole, "amt": amount * cut},
        {**whole, "time": 1.0 + length * cut, "amt": amount * (1 - cut)},
    ]
    _close(_run(model, [whole]).outputs["C"], _run(model, parts).outputs["C"])


@FEW
@given(models, doses, st.lists(st.floats(0.0, 48.0), max_size=8))
def test_records_of_nothing_change_nothing(
    model: Model, given_doses: list[Record], times: list[float]
) -> None:
    """EVID 2 is a time and nothing else."""
    nothing: list[Record] = [{"time": t, "evid": 2} for t in times]
    one = _run(model, given_doses).outputs["C"]
    _close(_run(model, [*given_doses, *nothing]).outputs["C"], one)


@FEW
@given(models, doses, st.floats(20.0, 25.0))
def test_a_reset_forgets_what_was_before(
    model: Model, given_doses: list[Record], when: float
) -> None:
    """EVID 4 is a new subject at that time; so is EVID 3 followed by a dose."""
    course = {"time": when, "evid": 4, "amt": 30.0, "route": "dual", "ii": 5.0, "addl": 1}
    times = [when + h for h in (0.0, 0.3, 2.0, 7.0, 20.0)]
    fresh = _run(model, [{**course, "time": when}], times).outputs["C"]
    _close(_run(model, [*given_doses, course], times).outputs["C"], fresh)
    apart: list[Record] = [{"time": when, "evid": 3}, {**course, "evid": 1}]
    _close(_run(model, [*given_doses, *apart], times).outputs["C"], fresh)


@FEW
@given(st.floats(5.0, 80.0), st.floats(2.0, 12.0), st.floats(0.3, 2.6))
def test_steady_state_of_a_linear_model_is_many_doses(
    amount: float, interval: float, share: float
) -> None:
    """Also of infusions that outlast the interval."""
    dose = {"time": 0.0, "evid": 1, "amt": amount, "route": "iv", "ii": interval,
            "rate": amount / (share * interval)}  # fmt: skip
    times = [0.0, 0.4 * interval, 0.9 * interval]
    count = int(np.ceil(700.0 / interval))
    late = [count * interval + t for t in times]
    steady = _run(OPEN, [{**dose, "ss": 1}], times).outputs["C"]
    _close(_run(OPEN, [{**dose, "addl": count}], late).outputs["C"], steady)


@FEW
@given(doses, st.floats(0.1, 10.0))
def test_linear_in_the_dose(given_doses: list[Record], factor: float) -> None:
    scaled = [{**d, "amt": factor * d["amt"]} for d in given_doses]
    one, other = _run(LINEAR, given_doses), _run(LINEAR, scaled)
    _close(other.outputs["C"], factor * one.outputs["C"])
