"""Steady states and their sensitivities: closed forms, and long integration."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from tests.unit.pathway.networks import TIGHT, compiled

from statera.numerics.expression import symbol
from statera.pathway.compiled_network import CompiledNetwork
from statera.pathway.initial_states import initial_states
from statera.pathway.network import Event, Trigger
from statera.pathway.solve import Seeds, solve
from statera.pathway.status import Status
from statera.pathway.steady_state import SteadyStates, steady_states


def _steady(system: CompiledNetwork) -> SteadyStates:
    values, seeds = system.values[None], np.eye(system.values.size)[None]
    start, slopes = initial_states(system, values, seeds)
    return steady_states(system, values, start, seeds=Seeds(seeds, slopes), options=TIGHT)


def _integrated(system: CompiledNetwork, time: float) -> tuple[np.ndarray, np.ndarray]:
    values, seeds = system.values[None], np.eye(system.values.size)[None]
    start, slopes = initial_states(system, values, seeds)
    found = solve(system, values, start, [np.array([time])], seeds=Seeds(seeds, slopes),
                  options=TIGHT)  # fmt: skip
    assert found.slopes is not None
    return found.states[0][0], found.slopes[0][0]


def test_turnover() -> None:
    system = compiled({"x": "a - b*x"}, {"a": 3.0, "b": 0.2, "x0": 1.0}, {"x": "x0"})
    found = _steady(system)
    assert found.ok
    assert found.slopes is not None
    np.testing.assert_allclose(found.states[0], [15.0], rtol=1e-10)
    np.testing.assert_allclose(found.slopes[0, 0], [5.0, -75.0, 0.0], rtol=1e-9, atol=1e-12)


def test_conserved_totals_are_kept() -> None:
    system = compiled(
        {
            "l": "-on*l*r + off*c + where(p > 1e9, 1, 0)",
            "r": "-on*l*r + off*c + back*i",
            "c": "on*l*r - off*c - go*c",
            "i": "go*c - back*i",
            "p": "0",
        },
        {"on": 2.0, "off": 0.3, "go": 0.1, "back": 0.02, "l0": 5.0, "r0": 1.5, "p0": 7.0},
        {"l": "l0", "r": "r0", "c": "0", "i": "0", "p": "p0"},
    )
    found = _steady(system)
    states, slopes = _integrated(system, 3e4)
    assert found.ok
    assert found.slopes is not None
    np.testing.assert_allclose(found.states[0], states, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.slopes[0], slopes, rtol=1e-6, atol=1e-7)


def test_of_several_steady_states_the_one_that_the_start_leads_to() -> None:
    rates = {"x": "b + x^4/(1 + x^4) - d*x"}
    ends = []
    for start in (0.1, 2.0):
        system = compiled(rates, {"b": 0.05, "d": 0.5, "x0": start}, {"x": "x0"})
        found = _steady(system)
        assert found.ok
        states, slopes = _integrated(system, 500.0)
        assert found.slopes is not None
        np.testing.assert_allclose(found.states[0], states, rtol=1e-9)
        np.testing.assert_allclose(found.slopes[0], slopes, rtol=1e-6, atol=1e-9)
        ends.append(found.states[0, 0])
    assert ends[1] > 5 * ends[0]


def test_an_end_that_depends_on_the_path() -> None:
    system = compiled(
        {"x": "-k*x", "y": "-g*x*y"}, {"k": 0.7, "g": 0.4, "x0": 2.0, "y0": 3.0},
        {"x": "x0", "y": "y0"},
    )  # fmt: skip
    found = _steady(system)
    assert found.ok, found.message
    y = 3 * np.exp(-0.4 * 2 / 0.7)
    np.testing.assert_allclose(found.states[0], [0.0, y], rtol=1e-8, atol=1e-9)
    assert found.slopes is not None
    exact = y * np.array([0.4 * 2 / 0.49, -2 / 0.7, -0.4 / 0.7, 1 / 3])
    np.testing.assert_allclose(found.slopes[0, 1], exact, rtol=1e-6)


def test_time_runs_on() -> None:
    system = compiled(
        {"x": "a*(1 + exp(-t)) + where(t > 30, 2, 0) - b*x"}, {"a": 1.0, "b": 0.5}, {"x": "0"}
    )
    found = _steady(system)
    assert found.ok
    np.testing.assert_allclose(found.states[0], [6.0], rtol=1e-8)


def test_events_on_the_way() -> None:
    fill = Event("fill", Trigger(sp.Ge(symbol("t"), symbol("T"))), {"x": symbol("x") + symbol("d")})
    system = compiled(
        {"x": "-k*x + l*y", "y": "k*x - l*y"},
        {"k": 0.3, "l": 0.1, "T": 4.0, "d": 2.0},
        {"x": "1", "y": "0"},
        [fill],
    )
    found = _steady(system)
    assert found.ok, found.message
    np.testing.assert_allclose(found.states[0], [0.75, 2.25], rtol=1e-7)
    assert found.slopes is not None
    np.testing.assert_allclose(found.slopes[0][:, 3], [0.25, 0.75], rtol=1e-6)


@pytest.mark.parametrize(
    ("rates", "status"),
    [
        ({"x": "k", "y": "-y"}, Status.NO_STEADY_STATE),
        ({"x": "y", "y": "-k*x"}, Status.NO_STEADY_STATE),
        ({"x": "k*x^2", "y": "-y"}, Status.STEP_TOO_SMALL),
    ],
)
def test_what_never_rests(rates: dict[str, str], status: Status) -> None:
    system = compiled(rates, {"k": 1.0}, {"x": "1", "y": "1"})
    calm = compiled({"x": "-k*x", "y": "-y"}, {"k": 1.0}, {"x": "1", "y": "1"})
    found = _steady(system)
    assert found.status in {(status,), (Status.TOO_MANY_STEPS,)}
    assert np.isnan(found.states).all()
    assert _steady(calm).ok


def test_events_that_never_end_are_given_up() -> None:
    # a saw tooth: whenever x passes 1 it is halved, for ever
    halve = Event("halve", Trigger(sp.Gt(symbol("x"), 1)), {"x": symbol("x") / 2})
    system = compiled({"x": "a - b*x"}, {"a": 1.0, "b": 0.1}, {"x": "0"}, [halve])
    values = system.values[None]
    start, _ = initial_states(system, values)
    found = steady_states(system, values, start)
    assert found.status == (Status.NO_STEADY_STATE,)
    assert "'x'" in found.message[0]
    assert found.time[0] < 1e6
