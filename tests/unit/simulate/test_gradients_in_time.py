"""Sensitivities where covariates change within a subject, against differences of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.errors import InputError, UnknownNameError
from statera.model import Model, build_model
from statera.simulate import OdeOptions, gradients, simulate_events
from statera.simulate.arrays import individual_values, merge_keys
from statera.simulate.gradient_linear import solve_linear_gradient
from statera.simulate.segments import make_segments
from statera.simulate.simulate import structure_of

Floats = NDArray[np.float64]

NAMES = ("TVCL", "TVV", "KA", "TF", "TLAG", "TD", "START")
VALUES = dict(zip(NAMES, (4.0, 40.0, 0.1, 0.9, 1.2, 0.8, 3.0), strict=True))
# absorption coincides with elimination at W = 50: that segment has no modes
SPEC: dict[str, Any] = {
    "id": "test/in_time",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {name: {"value": value} for name, value in VALUES.items()},
    "covariates": {"W": {"unit": "kg", "reference": 70.0}},
    "random_effects": {"eta": {"variance": 0.1}},
    "individual": {
        "CL": "TVCL*W/50*exp(eta)", "V": "TVV*exp(0.2*eta)", "F1": "TF*50/W", "LAG": "TLAG*W/25",
        "D": "TD*W/20", "R": "30/TD*W/50",
    },
    "dynamics": {
        "depot": "-KA*depot",
        "central": "KA*depot - CL/V*central + 0.3*TF*W/50",
        "deep": "0.2*central - 0.05*deep",
    },
    "initial": {"deep": "START*W/50"},
    "inputs": {
        "oral": [{"kind": "bolus", "into": "depot"}],
        "late": [{"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F1"}],
        "slow": [{"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG",
                  "bioavailability": "F1"}],
        "paced": [{"kind": "zero_order", "into": "central", "rate": "R", "lag": "LAG",
                   "bioavailability": "F1"}],
    },
    "outputs": {"C": {"expression": "central/V*W"}, "B": {"expression": "depot + deep + TF*W"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    return build_model(SPEC)


@pytest.fixture(scope="module")
def bent() -> Model:
    """The same model in a form that is not recognised as linear, so that a solver is used."""
    dynamics = dict(SPEC["dynamics"])
    dynamics["central"] += " + 1e-300*central^2"
    return build_model(SPEC | {"id": "test/bent", "dynamics": dynamics})


# the last record but two has the weight of the one before: times of events are not those of changes
WEIGHTS = [60.0, 50.0, 110.0, 85.0, 50.0, 50.0, 30.0, 140.0, 70.0, 66.0]
TIMES = [1.0, 2.53, 4.5, 6.07, 9.0, 12.1, 13.0, 24.3, 30.0, 48.9]
CASES: dict[str, dict[str, Any]] = {
    "a bolus into the depot": {"route": "oral"},
    "a lag and further doses": {"route": "late", "ii": 7.0, "addl": 5},
    "a modelled duration": {"route": "slow"},
    "overlapping modelled durations": {"route": "slow", "ii": 2.0, "addl": 8},
    "a modelled rate": {"route": "paced", "ii": 9.0, "addl": 2},
    "an infusion across segments": {"route": "slow", "rate": 12.0},
    "a steady state of long infusions": {"route": "slow", "rate": 5.5, "ii": 9.0, "ss": 1},
}


def table(records: Sequence[Mapping[str, Any]]) -> EventTable:
    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in records]

    return events_from_columns(
        subject=[str(r.get("id", 1)) for r in records],
        time=column("time"),
        evid=column("evid"),
        amount=column("amt"),
        route=[str(r.get("route", "oral")) for r in records],
        rate=column("rate"),
        interval=column("ii"),
        additional=column("addl"),
        steady_state=column("ss"),
        covariates={"W": column("W")},
    )


def case(name: str) -> list[dict[str, Any]]:
    dose = {"time": 0.5, "evid": 1, "amt": 100.0, "W": 80.0} | CASES[name]
    seen = [{"time": t, "W": w} for t, w in zip(TIMES, WEIGHTS, strict=True)]
    return [{"time": 0.0, "W": 75.0}, dose, *seen]


def step_of(name: str) -> float:
    return 2e-3 * (abs(VALUES[name]) if name in VALUES else 1.0)


def slopes_by_differences(
    model: Model, events: EventTable, name: str, etas: Floats, interpolation: Any
) -> Floats:
    """Central differences of order 6 of both outputs of all records."""
    step = step_of(name)

    def at(k: int) -> Floats:
        effects, moved = etas, model
        if name == "eta":
            effects = etas + k * step
        else:
            parameters = dict(model.parameters)
            parameters[name] = replace(parameters[name], value=VALUES[name] + k * step)
            moved = replace(model, parameters=MappingProxyType(parameters))
        found = simulate_events(moved, events, etas=effects, covariate_interpolation=interpolation)
        assert not found.failures
        return np.column_stack([found.outputs["C"], found.outputs["B"]])

    return (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + at(3) - at(-3)) / (60 * step)


@pytest.mark.parametrize("interpolation", ["nocb", "locf"])
@pytest.mark.parametrize("which", CASES)
def test_closed_form_against_differences(model: Model, which: str, interpolation: Any) -> None:
    events, etas = table(case(which)), np.array([[0.2]])
    wrt = [*NAMES, "eta"]
    found = gradients(model, events, wrt=wrt, etas=etas, covariate_interpolation=interpolation)
    assert "closed form" in found.solver
    plain = simulate_events(model, events, etas=etas, covariate_interpolation=interpolation)
    for output in ("C", "B"):
        np.testing.assert_allclose(
            found.outputs[output][0], plain.outputs[output], rtol=1e-11, atol=1e-13
        )
    for name in wrt:
        expected = slopes_by_differences(model, events, name, etas, interpolation)
        for k, output in enumerate(("C", "B")):
            largest = np.abs(expected[:, k]).max()
            noise = 1e-12 * plain.outputs[output].max() / step_of(name)
            np.testing.assert_allclose(
                found.of(name, output)[0], expected[:, k], rtol=0,
                atol=1e-8 * largest + noise, err_msg=f"{output} by {name}",
            )  # fmt: skip


@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
@pytest.mark.parametrize("interpolation", ["nocb", "locf"])
@pytest.mark.parametrize("which", CASES)
def test_a_solver_gives_the_same(
    model: Model, bent: Model, which: str, interpolation: Any, method: Any
) -> None:
    # an observation stands at the time of another one with other covariates
    records = case(which)
    events = table([*records[:6], records[5] | {"W": 33.0}, *records[6:]])
    options: Any = {
        "wrt": [*NAMES, "eta"], "etas": np.array([[0.2]]), "covariate_interpolation": interpolation
    }  # fmt: skip
    exact = gradients(model, events, **options)
    ode = OdeOptions(rtol=1e-10, atol=1e-14, method=method)
    solved = gradients(bent, events, ode=ode, **options)
    assert "by Tsit5" in solved.solver or "by Rodas5P" in solved.solver
    for output, slopes in exact.derivatives.items():
        np.testing.assert_allclose(solved.outputs[output], exact.outputs[output], rtol=1e-8)
        for j in range(slopes.shape[2]):
            largest = np.abs(slopes[:, :, j]).max()
            np.testing.assert_allclose(
                solved.derivatives[output][:, :, j], slopes[:, :, j], rtol=0,
                atol=1e-7 * largest + 1e-12,
            )  # fmt: skip


def test_a_reset_takes_the_covariates_of_its_record(model: Model, bent: Model) -> None:
    course = case("overlapping modelled durations")
    events = table([*course, course[1] | {"time": 0.0, "evid": 4}, *course[2:7]])
    exact = gradients(model, events, wrt=NAMES)
    for name in NAMES:
        expected = slopes_by_differences(model, events, name, np.zeros((1, 1)), "nocb")
        largest = np.abs(expected[:, 0]).max()
        noise = 1e-12 * exact.outputs["C"].max() / step_of(name)
        np.testing.assert_allclose(exact.of(name)[0], expected[:, 0], atol=1e-8 * largest + noise)
    solved = gradients(bent, events, wrt=NAMES, ode=OdeOptions(rtol=1e-10, atol=1e-14))
    np.testing.assert_allclose(solved.of("TLAG"), exact.of("TLAG"), atol=1e-6)


def test_by_a_covariate_that_changes_all_its_values_shift(model: Model) -> None:
    records = case("a lag and further doses")
    found = gradients(model, table(records), wrt=["W"])

    def at(shift: float) -> Floats:
        moved = [r | {"W": r["W"] + shift} for r in records]
        return simulate_events(model, table(moved), typical=True).outputs["C"]

    h = 0.1  # wide: in the segments near W = 50 modes crowd, and differences lose digits
    expected = (45 * (at(h) - at(-h)) - 9 * (at(2 * h) - at(-2 * h)) + at(3 * h) - at(-3 * h)) / (
        60 * h
    )
    np.testing.assert_allclose(found.of("W")[0], expected, rtol=1e-8, atol=1e-9)


def population() -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for s, name in enumerate(CASES):
        for row in case(name)[: 12 - s]:
            records.append(row | {"id": s, "W": row["W"] if s % 3 else 70.0})
    return records


def test_subjects_do_not_depend_on_each_other(model: Model, bent: Model) -> None:
    """Some subjects have one system, others many; rows differ in number and are padded."""
    records = population()
    etas = np.linspace(-0.3, 0.4, len(CASES))[:, None]
    for one in (model, bent):
        whole = gradients(one, table(records), wrt=NAMES, etas=etas)
        threads = gradients(one, table(records), wrt=NAMES, etas=etas, workers=3)
        assert whole.derivatives["C"].tobytes() == threads.derivatives["C"].tobytes()
        for s in range(len(CASES)):
            mine = [r for r in records if r["id"] == s]
            alone = gradients(one, table(mine), wrt=NAMES, etas=etas[s : s + 1])
            rows = alone.times.shape[1]
            np.testing.assert_allclose(
                whole.derivatives["B"][s, :rows], alone.derivatives["B"][0], rtol=1e-11, atol=1e-11
            )
            assert np.isnan(whole.derivatives["B"][s, rows:]).all()


def test_covariates_given_by_the_caller_replace_those_that_change(model: Model) -> None:
    records = case("a modelled duration")
    given = gradients(model, table(records), wrt=NAMES, covariates={"W": 82.0})
    constant = gradients(model, table([r | {"W": 82.0} for r in records]), wrt=NAMES)
    np.testing.assert_allclose(given.derivatives["C"], constant.derivatives["C"], rtol=1e-12)


def test_parameters_replace_those_of_the_model(model: Model) -> None:
    events = table(case("a lag and further doses"))
    other = dict(SPEC["parameters"], TVCL={"value": 5.5}, TLAG={"value": 0.7})
    wanted = gradients(build_model(SPEC | {"parameters": other}), events, wrt=NAMES)
    found = gradients(model, events, wrt=NAMES, parameters={"TVCL": 5.5, "TLAG": 0.7})
    np.testing.assert_array_equal(found.derivatives["C"], wanted.derivatives["C"])
    with pytest.raises(UnknownNameError, match="TVKL"):
        gradients(model, events, wrt=NAMES, parameters={"TVKL": 5.5})
    with pytest.raises(InputError, match="TVCL must be a finite number"):
        gradients(model, events, wrt=NAMES, parameters={"TVCL": np.nan})


@pytest.mark.parametrize("varying", [True, False])
def test_no_names_give_the_outputs_alone(model: Model, varying: bool) -> None:
    """A caller that needs predictions only may pass no columns at all."""
    records = [r if varying else r | {"W": 70.0} for r in case("a lag and further doses")]
    events = merge_keys(model, table(records))
    segments = make_segments(events, {"W": events.covariates["W"]}, "nocb")
    values = individual_values(model, segments.covariates, np.zeros((segments.subject.size, 1)))
    rows, slopes, statuses = solve_linear_gradient(
        model, structure_of(model), values, {}, events, (1, 0), 1, segments
    )
    plain = simulate_events(model, events, typical=True)
    np.testing.assert_allclose(rows[0, :, 0], plain.outputs["C"], rtol=1e-12)
    assert slopes.shape == (1, 11, 2, 0)
    assert not statuses.any()
