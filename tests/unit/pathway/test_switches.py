"""Jumps of right-hand sides at instants of time and of states, with exact sensitivities."""

from __future__ import annotations

import numpy as np
import sympy as sp
from tests.unit.pathway.networks import compiled, differences, run

from statera.numerics.expression import symbol
from statera.pathway.status import Status
from statera.pathway.switches import Flags

T, X, K = symbol("t"), symbol("x"), symbol("k")


def test_the_two_ways_of_a_comparison_share_a_flag() -> None:
    flags = Flags(["x"])
    first = flags.without(sp.Piecewise((1, T < K), (2, T >= K)))
    assert len(flags.switches) == 1
    assert flags.switches[0].timed
    flags.without(sp.Piecewise((1, sp.Gt(X, 2)), (0, True)))
    assert [s.timed for s in flags.switches] == [True, False]
    on = {symbol("flag 0"): 1}
    off = {symbol("flag 0"): 0}
    assert {first.subs(on), first.subs(off)} == {1, 2}


def test_what_depends_on_parameters_alone_is_no_switch() -> None:
    flags = Flags(["x"])
    expression = sp.Piecewise((X, K > 2), (0, True))
    assert flags.without(expression) == expression
    assert not flags.switches


def test_a_time_that_is_a_parameter_moves_the_solution() -> None:
    step = compiled({"x": "where(t >= T, r, 0) - k*x"}, {"T": 2.0, "r": 3.0, "k": 0.5}, {"x": "1"})
    t = np.array([0.0, 1.0, 2.0, 3.0, 8.0])
    found = run(step, t)
    after = np.maximum(t - 2, 0)
    exact = np.exp(-0.5 * t) + 6 * (1 - np.exp(-0.5 * after))
    np.testing.assert_allclose(found.states[0][:, 0], exact, rtol=1e-9)
    assert found.slopes is not None
    by_instant = np.where(t >= 2, -3 * np.exp(-0.5 * after), 0)
    np.testing.assert_allclose(found.slopes[0][:, 0, 0], by_instant, rtol=1e-9, atol=1e-12)
    assert found.steps[0] < 150  # no search by ever smaller steps


def test_a_pulse_between_two_moving_instants() -> None:
    pulse = compiled(
        {"x": "where(t < on, 0, where(t < on + width, r, 0)) - k*x", "y": "x - y"},
        {"on": 1.5, "width": 0.7, "r": 3.0, "k": 0.5},
        {"x": "1", "y": "0"},
    )
    t = [0.0, 1.0, 2.0, 3.0, 8.0]
    found = run(pulse, t)
    assert found.slopes is not None
    np.testing.assert_allclose(found.slopes[0], differences(pulse, t), atol=2e-8)


def test_a_switch_at_the_start_is_already_on() -> None:
    step = compiled(
        {"x": "where(t >= 0, 1, 5)", "y": "where(t > 0, 1, 5)"}, {}, {"x": "0", "y": "0"}
    )
    np.testing.assert_allclose(run(step, [0.0, 2.0]).states[0][1], [2.0, 2.0], rtol=1e-12)


def test_a_switch_of_a_state() -> None:
    slowed = compiled({"x": "where(x > c, -a, -b)"}, {"c": 1.0, "a": 2.0, "b": 0.5}, {"x": "5"})
    t = np.array([0.0, 1.0, 1.9, 2.1, 3.0])
    found = run(slowed, t)
    at = 2.0
    exact = np.where(t < at, 5 - 2 * t, 1 - 0.5 * (t - at))
    np.testing.assert_allclose(found.states[0][:, 0], exact, rtol=1e-9)
    assert found.slopes is not None
    # x = c - b (t - (5 - c)/a) after the switch
    np.testing.assert_allclose(
        found.slopes[0][-1, 0], [1 - 0.5 / 2.0, -0.5 * 4.0 / 4.0, -1.0], rtol=1e-8
    )


def test_a_quantity_that_time_turns_more_than_once() -> None:
    wave = compiled({"x": "where(t^2 - 6*t + 5 > c, 1, 0)"}, {"c": 0.0}, {"x": "0"})
    found = run(wave, [0.0, 1.0, 3.0, 5.0, 6.0])
    np.testing.assert_allclose(found.states[0][:, 0], [0, 1, 1, 1, 2], atol=1e-8)
    assert found.slopes is not None
    np.testing.assert_allclose(found.slopes[0][-1, 0, 0], -0.5, rtol=1e-6)


def test_a_switch_that_never_rests_has_a_status() -> None:
    sliding = compiled({"x": "where(x > 0, -1, 1)"}, {}, {"x": "0.5"})
    found = run(sliding, [0.0, 2.0])
    assert found.status == (Status.ENDLESS_EVENTS,)
    assert "t = 0.5" in found.message[0]
