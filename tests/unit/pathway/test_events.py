"""Events by the rules of SBML, and sensitivities across them against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
from tests.unit.pathway.networks import compiled, differences, run

from statera.errors import InputError
from statera.numerics.expression import parse, symbol
from statera.pathway.network import Event, Trigger
from statera.pathway.status import Status

NAMES = {"t", "x", "y", "v", "k", "T", "d", "c", "g", "e"}
TIMES = [0.0, 0.9, 1.0, 1.1, 2.0, 2.5, 4.0]


def _event(
    name: str,
    condition: sp.Basic,
    sets: dict[str, str],
    *,
    delay: str | None = None,
    priority: str | None = None,
    at_trigger: bool = True,
    **trigger: Any,
) -> Event:
    return Event(
        name,
        Trigger(condition, **trigger),
        {state: parse(text, NAMES) for state, text in sets.items()},
        None if delay is None else parse(delay, NAMES),
        None if priority is None else parse(priority, NAMES),
        at_trigger,
    )


def _since(time: str) -> sp.Basic:
    return sp.Ge(symbol("t"), parse(time, NAMES))


def _above(state: str, level: str) -> sp.Basic:
    return sp.Gt(symbol(state), parse(level, NAMES))


def _check(system: Any, times: list[float] = TIMES, tolerance: float = 2e-8) -> Any:
    found = run(system, times)
    assert found.ok, found.message
    assert found.slopes is not None
    np.testing.assert_allclose(found.slopes[0], differences(system, times), atol=tolerance)
    return found.states[0]


def test_an_assignment_at_a_moving_time() -> None:
    system = compiled(
        {"x": "-k*x"}, {"k": 0.5, "T": 1.0, "d": 2.0}, {"x": "3"},
        [_event("add", _since("T"), {"x": "x + d*k"})],
    )  # fmt: skip
    found = run(system, [0.0, 0.5, 1.0, 2.0])
    exact = 3 * np.exp(-0.5 * np.array([0, 0.5, 1, 2]))
    exact[2:] += 1.0 * np.exp(-0.5 * np.array([0, 1.0]))
    # the row at the instant of the event holds the state after it
    np.testing.assert_allclose(found.states[0][:, 0], exact, rtol=1e-9)
    _check(system, [0.0, 0.9, 1.1, 2.0])


@pytest.mark.parametrize("at_trigger", [True, False])
def test_a_delay_and_when_values_are_taken(at_trigger: bool) -> None:
    system = compiled(
        {"x": "-k*x", "y": "x - y"},
        {"k": 0.5, "T": 0.5, "d": 1.2},
        {"x": "3", "y": "0"},
        [_event("late", _since("T"), {"x": "2*x + y"}, delay="d*k*2", at_trigger=at_trigger)],
    )
    states = _check(system, [0.0, 0.9, 1.5, 1.8, 2.5])
    plain = compiled({"x": "-k*x", "y": "x - y"}, {"k": 0.5}, {"x": "3", "y": "0"})
    x, y = run(plain, [0.0, 0.5 if at_trigger else 1.7]).states[0][1]
    set_to = (2 * x + y) * np.exp(-0.5 * 0.1)
    np.testing.assert_allclose(states[3, 0], set_to, rtol=1e-8)


def test_a_ball_that_bounces() -> None:
    system = compiled(
        {"x": "v", "v": "-g"},
        {"g": 9.81, "e": 0.8},
        {"x": "1", "v": "0"},
        [_event("bounce", sp.Lt(symbol("x"), 0), {"v": "-e*v"})],
    )
    first = np.sqrt(2 / 9.81)
    times = [0.0, 0.3, first + 0.5, 1.4]
    states = _check(system, times, 2e-6)
    speed = 0.8 * 9.81 * first
    np.testing.assert_allclose(states[2, 0], speed * 0.5 - 9.81 / 8, rtol=1e-7)


def test_a_threshold_with_reset_repeats() -> None:
    system = compiled(
        {"x": "k"}, {"k": 1.0, "c": 0.7}, {"x": "0"},
        [_event("reset", _above("x", "c"), {"x": "0"})],
    )  # fmt: skip
    states = _check(system, [0.0, 0.5, 1.0, 2.5, 3.0])
    np.testing.assert_allclose(states[:, 0], [0, 0.5, 0.3, 0.4, 0.2], atol=1e-8)


def test_priority_decides_the_order() -> None:
    def end(first: str, second: str) -> float:
        system = compiled(
            {"x": "0"}, {}, {"x": "1"},
            [
                _event("double", _since("1"), {"x": "2*x"}, priority=first, at_trigger=False),
                _event("plus", _since("1"), {"x": "x + 1"}, priority=second, at_trigger=False),
            ],
        )  # fmt: skip
        return float(run(system, [0.0, 2.0]).states[0][1, 0])

    assert end("2", "1") == 3.0
    assert end("1", "2") == 4.0


@pytest.mark.parametrize(("persistent", "end"), [(True, 5.0), (False, 1.0)])
def test_a_trigger_that_turns_false_while_it_waits(persistent: bool, end: float) -> None:
    window = sp.And(_since("1"), sp.Lt(symbol("t"), 2))
    system = compiled(
        {"x": "0"}, {}, {"x": "1"},
        [_event("wait", window, {"x": "5"}, delay="3", persistent=persistent)],
    )  # fmt: skip
    assert run(system, [0.0, 5.0]).states[0][1, 0] == end


@pytest.mark.parametrize(("at_start", "end"), [(True, 1.0), (False, 5.0)])
def test_a_trigger_that_holds_from_the_start(at_start: bool, end: float) -> None:
    system = compiled(
        {"x": "0"}, {}, {"x": "1"},
        [_event("begin", _since("0"), {"x": "5"}, at_start=at_start)],
    )  # fmt: skip
    np.testing.assert_array_equal(run(system, [0.0, 5.0]).states[0][:, 0], end)


@pytest.mark.parametrize(
    "condition", [sp.Ge(symbol("x"), 1), sp.Le(symbol("t"), 0)], ids=["state", "time"]
)
@pytest.mark.parametrize(("at_start", "end"), [(True, 0.0), (False, 5.0)])
def test_a_trigger_that_holds_at_the_start_alone(
    condition: sp.Basic, at_start: bool, end: float
) -> None:
    event = _event("begin", condition, {"y": "5"}, at_start=at_start)
    system = compiled({"x": "-k*x", "y": "0"}, {"k": 0.5}, {"x": "1", "y": "0"}, [event])
    np.testing.assert_array_equal(run(system, [0.0, 5.0]).states[0][:, 1], end)


def test_one_event_sets_off_another() -> None:
    system = compiled(
        {"x": "-k*x", "y": "0"},
        {"k": 0.5, "T": 1.3, "d": 0.4},
        {"x": "1", "y": "0"},
        [
            _event("first", _since("T"), {"x": "x + 3"}),
            _event("second", _above("x", "2"), {"y": "x*k"}),
        ],
    )
    states = _check(system, [0.0, 1.2, 1.4, 3.0])
    np.testing.assert_allclose(states[-1, 1], 0.5 * (np.exp(-0.65) + 3), rtol=1e-9)


def test_a_dose_like_event_many_times() -> None:
    events = [_event(f"e{i}", _since(f"{i + 1}*T"), {"x": "x + d"}) for i in range(12)]
    system = compiled({"x": "-k*x"}, {"k": 0.5, "T": 0.7, "d": 2.0}, {"x": "0"}, events)
    t = 9.0
    states = _check(system, [0.0, 1.0, t])
    exact = sum(2 * np.exp(-0.5 * (t - 0.7 * (i + 1))) for i in range(12))
    np.testing.assert_allclose(states[-1, 0], exact, rtol=1e-8)


def test_events_without_end_have_a_status() -> None:
    system = compiled(
        {"x": "1"}, {}, {"x": "0"},
        [
            _event("up", _above("x", "1"), {"x": "x - 2"}),
            _event("down", sp.Lt(symbol("x"), -0.5), {"x": "x + 2"}),
        ],
    )  # fmt: skip
    found = run(system, [0.0, 3.0])
    assert found.status == (Status.ENDLESS_EVENTS,)


def test_equality_is_no_trigger() -> None:
    with pytest.raises(InputError, match="equality"):
        compiled({"x": "0"}, {}, {"x": "0"}, [_event("e", sp.Eq(symbol("t"), 2), {"x": "1"})])


def test_an_assignment_to_what_is_no_state() -> None:
    with pytest.raises(InputError, match="'k', which is no state"):
        compiled({"x": "0"}, {"k": 1.0}, {"x": "0"}, [_event("e", _since("1"), {"k": "1"})])
