"""Time above a level and mean inhibition against textbook curves and independent integration."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from statera.errors import InputError, UnknownNameError
from statera.model import Model, build_model
from statera.simulate import OdeOptions, simulate

Make = Callable[..., Model]
Book = Callable[..., Any]
Curve = Callable[[float], float]


def _above(curve: Curve, level: float, start: float, end: float, knots: list[float]) -> float:
    """Time above a level: crossings bracketed on a fine grid and found by another method."""
    edges = sorted({start, end, *[k for k in knots if start < k < end]})
    total = 0.0
    for low, high in pairwise(edges):
        grid = np.linspace(low + 1e-9, high - 1e-9, 4001)
        over = np.array([curve(float(t)) for t in grid]) > level
        points = [low]
        for i in np.flatnonzero(over[1:] != over[:-1]):
            points.append(brentq(lambda t: curve(t) - level, grid[i], grid[i + 1], xtol=1e-13))
        points.append(high)
        state = bool(over[0])
        for a, b in pairwise(points):
            total += (b - a) * state
            state = not state
    return total


def _mean(curve: Curve, ic50: float, hill: float, start: float, end: float) -> float:
    def fraction(t: float) -> float:
        c = max(curve(t), 0.0) ** hill
        return float(c / (ic50**hill + c))

    knots = np.linspace(start, end, 97)
    pieces = [
        quad(fraction, a, b, epsabs=1e-13, epsrel=1e-13, limit=400)[0] for a, b in pairwise(knots)
    ]
    return float(sum(pieces) / (end - start))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(("level", "ic50", "hill"), [(1.0, 0.8, 1.0), (1.9, 1.5, 2.5)])
def test_against_textbook(
    compartments: Make, textbook: Book, n: int, level: float, ic50: float, hill: float
) -> None:
    result = simulate(
        compartments(n), "100 mg via oral q24h ss", times=[],
        thresholds={"C": [level]}, inhibition={"C": (ic50, hill)},
    )  # fmt: skip
    book = textbook(n)

    def curve(t: float) -> float:
        return float((100 * book.oral(t, tau=24.0)).item())

    time = result.endpoint(f"time above {level:g}")[0]
    assert 0 < time < 24
    assert time == pytest.approx(_above(curve, level, 0, 24, []), abs=1e-8)
    found = result.endpoint(f"mean inhibition (IC50 {ic50:g}, Hill {hill:g})")[0]
    assert found == pytest.approx(_mean(curve, ic50, hill, 0, 24), abs=1e-10)


def test_window_over_several_doses(compartments: Make, textbook: Book) -> None:
    result = simulate(
        compartments(2), "100 mg via iv q8h x4", times=np.arange(0, 40, 0.5),
        windows=[(3.3, 31.7)], thresholds={"C": [1.5, 2.5]}, inhibition={"C": [(1.0, 1.0)]},
    )  # fmt: skip
    book = textbook(2)

    def curve(t: float) -> float:
        return float(sum((100 * book.bolus(t - 8 * k)).item() for k in range(4)))

    for level in (1.5, 2.5):
        expected = _above(curve, level, 3.3, 31.7, [8.0, 16.0, 24.0])
        found = result.endpoint(f"time above {level:g}")[0]
        assert found == pytest.approx(expected, abs=1e-7)
    edges = [3.3, 8.0, 16.0, 24.0, 31.7]
    whole = sum(_mean(curve, 1.0, 1.0, a + 1e-12, b - 1e-12) * (b - a) for a, b in pairwise(edges))
    found = result.endpoint("mean inhibition (IC50 1, Hill 1)")[0]
    assert found == pytest.approx(whole / 28.4, abs=1e-9)


def test_levels_never_and_always_passed(compartments: Make) -> None:
    result = simulate(
        compartments(1), "100 mg via oral q24h ss", times=[], thresholds={"C": [0.0, 1e6]}
    )
    assert result.endpoint("time above 0")[0] == pytest.approx(24.0, abs=1e-9)
    assert result.endpoint("time above 1000000")[0] == 0.0


def test_confluent_rates(compartments: Make) -> None:
    """Where modes coincide: C = D/V k t exp(-k t) by the matrix exponential."""
    k = 0.125
    result = simulate(
        compartments(1, {"KA": k}), "100 mg via oral", times=[],
        thresholds={"C": [0.7]}, inhibition={"C": (0.5, 2.0)},
    )  # fmt: skip

    def curve(t: float) -> float:
        return float(100 / 40 * k * t * np.exp(-k * t))

    expected = _above(curve, 0.7, 0, 24, [])
    assert result.endpoint("time above 0.7")[0] == pytest.approx(expected, abs=1e-8)
    found = result.endpoint("mean inhibition (IC50 0.5, Hill 2)")[0]
    assert found == pytest.approx(_mean(curve, 0.5, 2.0, 0, 24), abs=1e-10)


def test_largest_inhibition_and_small_exponent(compartments: Make, textbook: Book) -> None:
    """An exponent below one rises without bound in slope where absorption starts."""
    result = simulate(
        compartments(1), "100 mg via oral", times=[], windows=[(0, 12)],
        inhibition={"C": [(0.8, 0.3), (0.8, 0.3, 0.6)]},
    )  # fmt: skip
    book = textbook(1)
    expected = _mean(lambda t: float((100 * book.oral(t)).item()), 0.8, 0.3, 0, 12)
    whole = result.endpoint("mean inhibition (IC50 0.8, Hill 0.3)")[0]
    assert whole == pytest.approx(expected, abs=1e-8)
    part = result.endpoint("mean inhibition (IC50 0.8, Hill 0.3, largest 0.6)")[0]
    assert part == pytest.approx(0.6 * whole, rel=1e-14)


def _nonlinear(limit: float) -> Model:
    """One compartment whose elimination saturates; almost linear where the limit is high."""
    return build_model(
        {
            "id": "test/mm",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {
                "VM": {"value": 0.2 * limit}, "KM": {"value": limit}, "KA": {"value": 1.0},
            },
            "dynamics": {"depot": "-KA*depot", "central": "KA*depot - VM*central/(KM + central)"},
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {"A": {"expression": "central"}, "D": {"expression": "depot"}},
        }
    )  # fmt: skip


def test_ode_agrees_with_closed_form() -> None:
    """With a very high limit the elimination is linear, so both solvers answer the same."""
    asked: dict[str, Any] = {
        "thresholds": {"A": [20.0, 45.0], "D": [5.0]}, "inhibition": {"A": (30.0, 1.4)},
    }  # fmt: skip
    ode = simulate(_nonlinear(1e12), "100 mg q24h x3", times=[], ode=OdeOptions(rtol=1e-9), **asked)
    linear = build_model(
        {
            "id": "test/linear",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.2}, "KA": {"value": 1.0}},
            "dynamics": {"depot": "-KA*depot", "central": "KA*depot - K*central"},
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {"A": {"expression": "central"}, "D": {"expression": "depot"}},
        }
    )
    exact = simulate(linear, "100 mg q24h x3", times=[], **asked)
    assert "Tsit5" in ode.solver
    assert "closed form" in exact.solver
    for output, names in exact.extra_values.items():
        for name, values in names.items():
            np.testing.assert_allclose(
                ode.extra_values[output][name], values, rtol=2e-6, atol=0, err_msg=name
            )


def test_columns_and_summary(compartments: Make) -> None:
    asked: dict[str, Any] = {"thresholds": {"A": [20.0]}, "inhibition": {"D": (30.0, 1.4)}}
    result = simulate(_nonlinear(50.0), "100 mg q24h x3", n=2, **asked)
    table = result.endpoints()
    rows = table.filter(table["output"] == "A")
    assert rows["time above 20"].null_count() == 0
    assert rows["mean inhibition (IC50 30, Hill 1.4)"].null_count() == rows.height
    assert result.unit_of("time above 20", "A") == "h"
    assert result.summary()["D.0.mean inhibition (IC50 30, Hill 1.4)"]["unit"] == "1"


def test_unit_of_time() -> None:
    """Hours whatever the model's unit."""
    model = build_model(
        {
            "id": "test/days",
            "units": {"time": "d", "amount": "mg"},
            "parameters": {"K": {"value": 24 * np.log(2) / 6}},
            "dynamics": {"central": "-K*central"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"A": {"expression": "central"}},
        }
    )
    result = simulate(
        model, "100 mg", windows=[(0, 24)], thresholds={"A": [50.0]}, inhibition={"A": (50.0, 1.0)}
    )
    assert result.endpoint("time above 50")[0] == pytest.approx(6.0, abs=1e-9)
    # the mean of C/(K + C) under C = C0 exp(-k t) is ln((K + C0)/(K + C(T)))/(k T)
    expected = np.log(150 / (50 + 100 / 16)) / (np.log(2) / 6 * 24)
    found = result.endpoint("mean inhibition (IC50 50, Hill 1)")[0]
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    "asked",
    [
        {"thresholds": {"C": [float("nan")]}},
        {"inhibition": {"C": (0.0, 1.0)}},
        {"inhibition": {"C": (1.0, -1.0)}},
        {"inhibition": {"C": (1.0, 0.01)}},
        {"inhibition": {"C": [(1.0,)]}},
    ],
)
def test_questions_are_checked(compartments: Make, asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        simulate(compartments(), "100 mg", **asked)


def test_unknown_output(compartments: Make) -> None:
    with pytest.raises(UnknownNameError):
        simulate(compartments(), "100 mg", thresholds={"nothing": [1.0]})
