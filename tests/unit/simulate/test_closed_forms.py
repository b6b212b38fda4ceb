"""Closed forms against textbook solutions and against independent numerical solutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from statera.model import Model, build_model
from statera.simulate import simulate

Make = Callable[..., Model]
Book = Callable[..., Any]
TIMES = np.concatenate([np.linspace(0, 6, 61), np.linspace(7, 96, 90)])
SIZES = pytest.mark.parametrize("n", [1, 2, 3])


def _concentration(model: Model, dose: str, times: Any = TIMES) -> Any:
    result = simulate(model, dose, times=times, windows=[])
    assert result.statuses.tolist() == [0]
    assert "closed form" in result.solver
    return result.outputs["C"][0]


def _close(found: Any, expected: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-13 * np.max(expected))


@SIZES
def test_bolus(compartments: Make, textbook: Book, n: int) -> None:
    _close(_concentration(compartments(n), "100 mg via iv"), 100 * textbook(n).bolus(TIMES))


@SIZES
def test_infusion(compartments: Make, textbook: Book, n: int) -> None:
    found = _concentration(compartments(n), "100 mg over 3 h via iv")
    _close(found, 100 * textbook(n).infusion(TIMES, 3.0))


@SIZES
def test_first_order_absorption(compartments: Make, textbook: Book, n: int) -> None:
    _close(_concentration(compartments(n), "100 mg via oral"), 100 * textbook(n).oral(TIMES))


@SIZES
def test_first_order_absorption_with_lag_and_bioavailability(
    compartments: Make, textbook: Book, n: int
) -> None:
    found = _concentration(compartments(n), "100 mg via lagged")
    _close(found, 80 * textbook(n).oral(TIMES - 0.7))


@SIZES
def test_zero_order_absorption(compartments: Make, textbook: Book, n: int) -> None:
    found = _concentration(compartments(n), "100 mg via zero")
    _close(found, 80 * textbook(n).infusion(TIMES - 0.7, 2.5))


def test_input_at_a_modelled_rate(compartments: Make, textbook: Book) -> None:
    found = _concentration(compartments(1), "100 mg via rate")
    _close(found, 100 * textbook(1).infusion(TIMES, 100 / 30))


@SIZES
def test_two_processes_in_one_route(compartments: Make, textbook: Book, n: int) -> None:
    found = _concentration(compartments(n), "100 mg via both")
    book = textbook(n)
    _close(found, 80 * book.oral(TIMES) + 20 * book.infusion(TIMES - 0.7, 2.5))


@SIZES
def test_repeated_doses_superpose(compartments: Make, textbook: Book, n: int) -> None:
    found = _concentration(compartments(n), "100 mg via lagged q12h x7")
    book = textbook(n)
    _close(found, sum(80 * book.oral(TIMES - 0.7 - 12 * k) for k in range(7)))


def test_overlapping_infusions(compartments: Make, textbook: Book) -> None:
    found = _concentration(compartments(2), "100 mg over 20 h via iv q6h x5")
    _close(found, sum(100 * textbook(2).infusion(TIMES - 6 * k, 20.0) for k in range(5)))


@SIZES
@pytest.mark.parametrize("route", ["bolus", "oral", "infusion"])
def test_steady_state(compartments: Make, textbook: Book, n: int, route: str) -> None:
    times = np.linspace(0, 11.99, 60)
    dose = {"bolus": "via iv", "oral": "via oral", "infusion": "over 4 h via iv"}[route]
    found = _concentration(compartments(n), f"100 mg {dose} q12h ss", times)
    book = textbook(n)
    extra = (4.0,) if route == "infusion" else ()
    _close(found, 100 * getattr(book, route)(times, *extra, tau=12.0))


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.1, -1e-9, -1e-6])
def test_absorption_as_fast_as_elimination(compartments: Make, gap: float) -> None:
    """ka = k (1 + gap): the textbook formula loses all digits, the limit does not."""
    k = 5.0 / 40.0
    model = compartments(1, {"KA": k * (1 + gap)})
    found = _concentration(model, "100 mg via oral")
    z = k * gap * TIMES  # (exp(-k t) - exp(-ka t)) / (ka - k) = t exp(-k t) (1 - exp(-z)) / z
    ratio = np.where(np.abs(z) < 1e-8, 1 - z / 2, -np.expm1(-z) / np.where(z == 0, 1, z))
    expected = 100 * k * (1 + gap) / 40 * TIMES * np.exp(-k * TIMES) * ratio
    np.testing.assert_allclose(found, expected, rtol=3e-10, atol=1e-11 * expected.max())


@pytest.mark.parametrize("spread", [0.0, 1e-6, 1e-4, 1e-3, 1e-2, 0.1])
def test_chain_of_nearly_equal_rates(spread: float) -> None:
    """Five transit compartments: at equal rates the last follows Erlang's density."""
    rates = [0.9 * (1 + spread * i) for i in range(5)]
    model = build_model(
        {
            "id": "chain",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {f"K{i}": {"value": r} for i, r in enumerate(rates)},
            "dynamics": {
                f"a{i}": f"-K{i}*a{i}" + (f" + K{i - 1}*a{i - 1}" if i else "") for i in range(5)
            },
            "inputs": {"x": [{"kind": "bolus", "into": "a0"}]},
            "outputs": {"C": {"expression": "a4"}},
        }
    )
    times = np.linspace(0, 20, 41)
    found = _concentration(model, "1 mg", times)
    matrix = np.diag(-np.array(rates)) + np.diag(rates[:4], -1)
    solution = solve_ivp(
        lambda _, x: matrix @ x, (0, 20), [1.0, 0, 0, 0, 0], "DOP853", times, rtol=1e-11, atol=1e-14
    )
    np.testing.assert_allclose(found, solution.y[4], atol=1e-9)
    if spread == 0.0:
        erlang = (0.9 * times) ** 4 / 24 * np.exp(-0.9 * times)
        np.testing.assert_allclose(found, erlang, rtol=1e-11, atol=1e-14)


def test_amount_that_never_leaves(textbook: Book) -> None:
    """An excreted amount is a zero eigenvalue: what left plus what is there is the dose."""
    model = build_model(
        {
            "id": "excreted",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.125}},
            "dynamics": {"central": "-K*central", "urine": "K*central"},
            "inputs": {"x": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"C": {"expression": "urine"}},
        }
    )
    found = _concentration(model, "100 mg over 2 h q8h x3")
    inside = 40 * sum(100 * textbook(1).infusion(TIMES - 8 * k, 2.0) for k in range(3))
    given = sum(np.clip((TIMES - 8 * k) * 50, 0, 100) for k in range(3))
    _close(found, given - inside, rtol=1e-9)


def test_endogenous_production_and_initial_amount() -> None:
    model = build_model(
        {
            "id": "endogenous",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.2}, "KIN": {"value": 3.0}},
            "dynamics": {"x": "KIN - K*x"},
            "initial": {"x": "4"},
            "inputs": {"x": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"C": {"expression": "x + 1"}},
        }
    )
    found = _concentration(model, "10 mg q24h x2")
    decay = np.exp(-0.2 * TIMES)
    expected = 15 + (4 - 15) * decay + 10 * decay
    expected += 1 + np.where(TIMES >= 24, 10 * np.exp(-0.2 * np.maximum(TIMES - 24, 0)), 0)
    _close(found, expected)
    # at steady state the doses ride on the level that production alone holds
    times = np.linspace(0, 23, 24)
    found = _concentration(model, "10 mg q24h ss", times)
    _close(found, 16 + 10 * np.exp(-0.2 * times) / (1 - np.exp(-0.2 * 24)))
