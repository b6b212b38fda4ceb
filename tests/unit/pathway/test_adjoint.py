"""The way back along the steps gives what forward sensitivities give, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from tests.unit.pathway.networks import compiled

from statera.errors import InputError, UsageError
from statera.numerics.expression import symbol
from statera.pathway.adjoint import adjoint
from statera.pathway.compiled_network import CompiledNetwork
from statera.pathway.initial_states import initial_states
from statera.pathway.network import Event, Trigger
from statera.pathway.solve import Doses, PathwayOptions, Seeds, solve

FEEDBACK = compiled(
    {
        "a": "-k*a*exp(-d*t)/(1 + c) + where(t < 3, u, 0)",
        "b": "k*a*exp(-d*t)/(1 + c) - 40*b*b + l*c",
        "c": "b^h/(m + b^h) - l*c",
    },
    {"k": 0.7, "d": 0.1, "u": 0.3, "l": 0.2, "h": 1.7, "m": 0.5, "a0": 3.0},
    {"a": "a0", "b": "0.1*a0^2", "c": "0"},
)
TIMES = [np.array([0.0, 0.0, 0.4, 2.9, 3.0, 7.5]), np.array([1.0, 2.0]), np.array([0.0])]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("rtol", [1e-8, 1e-3])
def test_both_ways_agree(workers: int, rtol: float) -> None:
    n_p = len(FEEDBACK.parameters)
    values = np.stack([FEEDBACK.values, 1.3 * FEEDBACK.values, 0.7 * FEEDBACK.values])
    seeds = np.repeat(np.eye(n_p)[None], 3, axis=0)
    start, slopes = initial_states(FEEDBACK, values, seeds)
    doses = Doses(np.array([0]), np.array([2.0]), np.array([0]), np.array([1.5]))
    options = PathwayOptions(rtol=rtol, atol=1e-10, workers=workers)
    found = solve(FEEDBACK, values, start, TIMES, seeds=Seeds(seeds, slopes), doses=doses,
                  options=options, tape=True)  # fmt: skip
    assert found.ok
    assert found.slopes is not None
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=x.shape) for x in found.states]
    by_values, by_initial = adjoint(found, weights, workers=workers)
    back = by_values + np.einsum("ci,cij->cj", by_initial, slopes)
    forward = [np.einsum("ri,rij->j", w, s) for w, s in zip(weights, found.slopes, strict=True)]
    np.testing.assert_allclose(back, forward, rtol=1e-9, atol=1e-10)


def test_a_network_too_large_for_factors_written_out() -> None:
    n = 90
    rates = {
        f"x{i}": f"k*(x{(i - 1) % n} - x{i}) + s*x{i * 37 % n}*x{i * 11 % n}/(1 + x{i * 7 % n})"
        for i in range(n)
    }
    large = compiled(rates, {"k": 1.0, "s": 0.01}, {s: str(0.1 + (s == "x0")) for s in rates})
    assert large.layout[5] == 1  # no factors
    start, slopes = initial_states(large, large.values[None], np.eye(2)[None])
    found = solve(
        large, large.values[None], start, [np.array([1.0, 10.0])],
        seeds=Seeds(np.eye(2)[None], slopes), tape=True,
    )  # fmt: skip
    assert found.ok
    assert found.slopes is not None
    forward = found.slopes[0].sum(axis=(0, 1))
    back, _ = adjoint(found, [np.ones((2, n))])
    np.testing.assert_allclose(back[0], forward, rtol=1e-9)
    h = 1e-4
    ends = []
    for sign in (1.0, -1.0):
        moved = large.values + np.array([sign * h, 0.0])
        run = solve(large, moved[None], start, [np.array([1.0, 10.0])],
                    options=PathwayOptions(rtol=1e-10))  # fmt: skip
        ends.append(run.states[0].sum())
    # the sum of all states is moved by k through the last term alone
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), forward[0], rtol=1e-4, atol=1e-6)


def test_more_steps_than_the_tape_holds_at_first() -> None:
    wave = compiled({"x": "w*y", "y": "-w*x"}, {"w": 50.0}, {"x": "1", "y": "0"})
    start, slopes = initial_states(wave, wave.values[None], np.ones((1, 1, 1)))
    seeds = Seeds(np.ones((1, 1, 1)), slopes)
    found = solve(wave, wave.values[None], start, [np.array([10.0])], seeds=seeds, tape=True)
    assert found.tape is not None
    assert found.tape.kept[0] > 512
    assert found.slopes is not None
    back, _ = adjoint(found, [np.array([[1.0, 0.0]])])
    np.testing.assert_allclose(back[0, 0], found.slopes[0][0, 0, 0], rtol=1e-8)
    np.testing.assert_allclose(back[0, 0], -10 * np.sin(500.0), rtol=1e-4)


def test_a_failed_condition_is_not_a_number() -> None:
    grows = compiled({"x": "k*x^2"}, {"k": 1.0}, {"x": "1"})
    values = np.array([[1.0], [0.1]])
    start, _ = initial_states(grows, values)
    found = solve(grows, values, start, [np.array([3.0])] * 2, tape=True)
    by_values, by_initial = adjoint(found, [np.ones((1, 1))] * 2)
    assert np.isnan(by_values[0]).all()
    np.testing.assert_allclose(by_initial[1], 1 / 0.7**2, rtol=1e-6)


def _solved(system: CompiledNetwork, tape: bool = True):  # type: ignore[no-untyped-def]
    start, _ = initial_states(system, system.values[None])
    return solve(system, system.values[None], start, [np.array([1.0])], tape=tape)


def test_what_it_needs() -> None:
    plain = compiled({"x": "-k*x"}, {"k": 1.0}, {"x": "1"})
    with pytest.raises(UsageError, match="without a tape"):
        adjoint(_solved(plain, tape=False), [np.ones((1, 1))])
    with pytest.raises(UsageError, match="shapes"):
        adjoint(_solved(plain), [np.ones((2, 1))])
    moving = compiled({"x": "where(t > T, 1, 0)"}, {"T": 0.5}, {"x": "0"})
    with pytest.raises(InputError, match="use seeds"):
        adjoint(_solved(moving), [np.ones((1, 1))])
    event = Event("e", Trigger(sp.Ge(symbol("t"), 1)), {"x": sp.Integer(2)})
    with pytest.raises(InputError, match="events"):
        adjoint(_solved(compiled({"x": "0"}, {}, {"x": "0"}, [event])), [np.ones((1, 1))])
