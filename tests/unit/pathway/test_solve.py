"""Courses and sensitivities against closed forms, and what a failing condition says."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.pathway.networks import TIGHT, compiled, network, run

from statera.errors import InputError, UsageError
from statera.pathway.compiled_network import compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.solve import Courses, Doses, PathwayOptions, Seeds, solve
from statera.pathway.status import Status

CHAIN = compiled(
    {"a": "-k*a", "b": "k*a - l*b"}, {"k": 0.7, "l": 0.2, "a0": 3.0}, {"a": "a0", "b": "0"}
)
TIMES = [0.0, 0.5, 1.0, 4.0, 10.0]


def _chain(t: np.ndarray, k: float, loss: float, a0: float) -> np.ndarray:
    a = a0 * np.exp(-k * t)
    return np.stack([a, a0 * k / (loss - k) * (np.exp(-k * t) - np.exp(-loss * t))], axis=1)


def test_a_chain_follows_its_closed_form() -> None:
    found = run(CHAIN, TIMES)
    t = np.array(TIMES)
    assert found.status == (Status.OK,)
    np.testing.assert_allclose(found.states[0], _chain(t, 0.7, 0.2, 3.0), rtol=1e-9, atol=1e-11)
    assert found.slopes is not None
    h = 1e-5
    for j, moved in enumerate([(h, 0, 0), (0, h, 0), (0, 0, h)]):
        up = _chain(t, 0.7 + moved[0], 0.2 + moved[1], 3.0 + moved[2])
        down = _chain(t, 0.7 - moved[0], 0.2 - moved[1], 3.0 - moved[2])
        np.testing.assert_allclose(found.slopes[0][:, :, j], (up - down) / (2 * h), atol=2e-9)


def test_an_equation_that_holds_time_keeps_its_order() -> None:
    driven = compiled({"x": "-k*(x - 100*exp(-0.1*t))"}, {"k": 50.0}, {"x": "100"})
    found = run(driven, [0.0, 1.0, 20.0])
    t = np.array([0.0, 1.0, 20.0])
    k, q = 50.0, 0.1
    exact = 100 * k / (k - q) * np.exp(-q * t) + (100 - 100 * k / (k - q)) * np.exp(-k * t)
    np.testing.assert_allclose(found.states[0][:, 0], exact, rtol=1e-9)


def test_rules_are_written_out_and_shared() -> None:
    ruled = compiled(
        {"x": "-rate", "y": "rate - l*y"},
        {"k": 0.7, "l": 0.2},
        {"x": "3", "y": "total - x"},
        assigned={"rate": "k*x", "total": "3 + 0*k"},
    )
    plain = run(ruled, TIMES)
    np.testing.assert_allclose(
        plain.states[0], _chain(np.array(TIMES), 0.7, 0.2, 3.0), rtol=1e-9, atol=1e-11
    )


def test_many_columns_of_which_few_move_anything() -> None:
    n_p = len(CHAIN.parameters)
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(n_p, 19))
    directions[:, [2, 7, 11]] = 0.0
    start, slopes = initial_states(CHAIN, CHAIN.values[None], directions[None])
    found = solve(
        CHAIN, CHAIN.values[None], start, [np.array(TIMES)], seeds=Seeds(directions[None], slopes),
        options=TIGHT,
    )  # fmt: skip
    each = run(CHAIN, TIMES)
    assert found.slopes is not None
    assert each.slopes is not None
    np.testing.assert_allclose(found.slopes[0], each.slopes[0] @ directions, rtol=1e-9, atol=1e-12)
    assert not found.slopes[0][:, :, [2, 7, 11]].any()


def test_errors_of_sensitivities_can_be_controlled() -> None:
    loose = PathwayOptions(rtol=1e-4, atol=1e-7)
    held = PathwayOptions(rtol=1e-4, atol=1e-7, control_slopes=True)
    exact, free, kept = (run(CHAIN, TIMES, options=o) for o in (TIGHT, loose, held))
    assert exact.slopes is not None
    assert free.slopes is not None
    assert kept.slopes is not None
    assert kept.steps[0] > free.steps[0]
    assert np.abs(kept.slopes[0] - exact.slopes[0]).max() < (
        0.5 * np.abs(free.slopes[0] - exact.slopes[0]).max()
    )


def test_workers_change_no_bit() -> None:
    values = np.repeat(CHAIN.values[None], 13, 0) * np.linspace(0.5, 2.0, 13)[:, None]
    seeds = np.repeat(np.eye(3)[None], 13, 0)
    start, slopes = initial_states(CHAIN, values, seeds)
    times = [np.linspace(0, 1 + c, 4) for c in range(13)]
    one, two = (
        solve(CHAIN, values, start, times, seeds=Seeds(seeds, slopes),
              options=PathwayOptions(workers=w))
        for w in (1, 2)
    )  # fmt: skip
    assert one.slopes is not None
    assert two.slopes is not None
    for a, b in zip((*one.states, *one.slopes), (*two.states, *two.slopes), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_start_later_than_zero() -> None:
    found = solve(
        CHAIN, CHAIN.values[None], np.array([[3.0, 0.0]]), [np.array([5.0, 5.5, 9.0])], start=5.0,
        options=TIGHT,
    )  # fmt: skip
    np.testing.assert_allclose(
        found.states[0], _chain(np.array([0.0, 0.5, 4.0]), 0.7, 0.2, 3.0), rtol=1e-9, atol=1e-12
    )


def test_powers_hold_at_zero_and_just_below() -> None:
    hill = compiled(
        {"x": "-v*x^h/(k^h + x^h)", "y": "v*(k/(y + 1e-9))^-0.5 - y"},
        {"v": 1.0, "k": 2.0, "h": 1.7},
        {"x": "0", "y": "0"},
    )
    found = solve(
        hill, hill.values[None], np.array([[-1e-18, 0.0]]), [np.array([0.0, 5.0])], options=TIGHT
    )
    assert found.status == (Status.OK,)
    assert abs(found.states[0][-1, 0]) < 1e-15


def _one(
    rates: dict[str, str], initial: dict[str, str], options: PathwayOptions = TIGHT
) -> Courses:
    """Solve a failing network beside a parameter that lets it succeed."""
    both = compiled(rates, {"k": 1.0}, initial)
    values = np.array([[1.0], [0.0]])
    start, _ = initial_states(both, values)
    return solve(both, values, start, [np.array([0.0, 0.5, 3.0])] * 2, options=options)


def test_a_state_that_grows_without_bound() -> None:
    found = _one({"x": "k*x^2"}, {"x": "1"})
    assert found.status == (Status.STEP_TOO_SMALL, Status.OK)
    assert "t = 1" in found.message[0]
    np.testing.assert_allclose(found.states[0][:2, 0], [1.0, 2.0], rtol=1e-8)
    assert np.isnan(found.states[0][2]).all()
    np.testing.assert_array_equal(found.states[1], 1.0)
    assert not found.ok


def test_a_derivative_that_is_no_number_is_named() -> None:
    found = _one({"x": "-k", "bad": "log(x)*k"}, {"x": "1", "bad": "0"})
    assert found.status == (Status.NOT_FINITE, Status.OK)
    assert "'bad'" in found.message[0]
    assert "t = 1" in found.message[0]


def test_too_many_steps() -> None:
    found = _one({"x": "1000*k*(1 - x)"}, {"x": "0"}, PathwayOptions(max_steps=10))
    assert found.status == (Status.TOO_MANY_STEPS, Status.OK)


def test_a_start_that_is_no_number_is_named() -> None:
    found = _one({"x": "-k*x", "y": "0"}, {"x": "1"})
    assert found.status == (Status.BAD_START, Status.BAD_START)
    assert "'y'" in found.message[0]


def test_doses_by_the_hundred_follow_superposition() -> None:
    values = np.array([CHAIN.values, CHAIN.values])
    at = 0.5 * np.arange(400)
    doses = Doses(
        np.repeat([1, 0], [400, 1]), np.append(at, 2.0), np.zeros(401, dtype=np.int64),
        np.append(np.full(400, 0.1), 5.0), np.append(np.ones(400), 0.0)[:, None],
    )  # fmt: skip
    t = np.array([0.0, 0.25, 2.0, 50.0, 199.9])
    start, slopes = np.zeros((2, 2)), np.zeros((2, 2, 1))
    found = solve(
        CHAIN, values, start, [t, t], seeds=Seeds(np.zeros((2, 3, 1)), slopes), doses=doses,
        options=TIGHT,
    )  # fmt: skip
    assert found.ok
    assert found.slopes is not None
    since = t[:, None] - at
    alone = np.array([_chain(s, 0.7, 0.2, 0.1) * (s >= 0)[:, None] for s in since])
    np.testing.assert_allclose(found.states[1], alone.sum(axis=1), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.slopes[1][:, :, 0], 10 * found.states[1], rtol=1e-8)
    np.testing.assert_allclose(
        found.states[0][:, 0], 5 * np.exp(-0.7 * (t - 2)) * (t >= 2), rtol=1e-8, atol=1e-13
    )
    assert found.steps[1] < 400 * 40


def test_a_small_pivot_takes_the_dense_factors() -> None:
    # with rows of very different size the order without exchanges meets a small pivot
    turned = compiled(
        {"x": "w*y", "y": "-w*x", "z": "1e7*w*(y - z)"}, {"w": 1.0}, {"x": "1", "y": "0", "z": "0"}
    )
    found = run(turned, [0.0, 1.0, 3.0])
    np.testing.assert_allclose(found.states[0][:, 0], np.cos([0.0, 1.0, 3.0]), atol=1e-8)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([np.array([1.0, 0.5])], "decrease"),
        ([np.array([-1.0, 0.5])], "before its start"),
        ([np.array([0.0, np.inf])], "not finite"),
        ([np.array([0.0])] * 2, "shapes"),
    ],
)
def test_what_cannot_be_asked(times: list[np.ndarray], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        solve(CHAIN, CHAIN.values[None], np.zeros((1, 2)), times)


def test_an_unknown_name_is_refused() -> None:
    small = network({"x": "-k*x"}, {"k": 1.0, "l": 1.0}, {"x": "l"})
    without = small.__class__(**{**small.__dict__, "parameters": {"k": 1.0}})
    with pytest.raises(InputError, match="'l' is neither"):
        compile_network(without)


def test_no_rows_and_no_conditions() -> None:
    none = solve(CHAIN, np.zeros((0, 3)), np.zeros((0, 2)), [])
    assert none.states == ()
    found = solve(CHAIN, CHAIN.values[None], np.ones((1, 2)), [np.zeros(0)])
    assert found.states[0].shape == (0, 2)
