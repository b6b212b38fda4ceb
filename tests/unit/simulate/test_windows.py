"""Endpoints of windows against dense evaluation of textbook solutions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from statera.errors import InputError
from statera.model import Model, build_model
from statera.simulate import ENDPOINTS, SimulationResult, simulate

Make = Callable[..., Model]
Book = Callable[..., Any]


def _check(
    result: SimulationResult, curve: Callable[[float], float], knots: list[float], window: int = 0
) -> None:
    """Compare all endpoints with those of a curve; knots are its times of events."""
    start, end = result.windows[window]
    found = dict(zip(ENDPOINTS, result.window_values["C"][0, window], strict=True))
    edges = [start, *(k for k in sorted(knots) if start < k < end), end]
    inside = 1e-12 * (end - start)
    area = 0.0
    high, low, when = -np.inf, np.inf, np.nan
    for a, b in pairwise(edges):
        area += quad(curve, a + inside, b - inside, epsabs=0, epsrel=1e-11, limit=400)[0]
        times = a + (b - a) * np.linspace(0, 1, 4001) ** 2
        times[0], times[-1] = a + inside, b - inside
        values = np.array([curve(t) for t in times])
        for sign in (1, -1):
            k = int(np.argmin(-sign * values))
            best = minimize_scalar(
                lambda t, sign=sign: -sign * curve(t),
                bounds=(times[max(k - 1, 0)], times[min(k + 1, 4000)]),
                method="bounded",
                options={"xatol": 1e-10},
            )
            t, value = (times[k], values[k])
            if sign * curve(best.x) > sign * value:
                t, value = best.x, curve(best.x)
            if sign == 1 and value > high:
                high, when = value, t
            if sign == -1:
                low = min(low, value)
    assert found["Cmax"] == pytest.approx(high, rel=1e-9)
    assert found["tmax"] == pytest.approx(when - start, abs=2e-4)
    assert found["AUC"] == pytest.approx(area, rel=1e-8)
    assert found["Cavg"] == pytest.approx(area / (end - start), rel=1e-8)
    assert found["Ctrough"] == pytest.approx(curve(end - inside), rel=1e-9)
    assert found["Cmin"] == pytest.approx(low, rel=1e-9, abs=1e-14)


def _scalar(function: Callable[..., Any], *shift: Any) -> Callable[[float], float]:
    return lambda t: float(function(np.array([t]), *shift)[0])


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("ka", [0.05, 1.3, 60.0])
def test_oral_at_steady_state(compartments: Make, textbook: Book, n: int, ka: float) -> None:
    result = simulate(compartments(n, {"KA": ka}), "100 mg via oral q24h ss", times=[])
    book = textbook(n, {"KA": ka})
    _check(result, _scalar(lambda t: 100 * book.oral(t, tau=24.0)), [])


def test_first_and_last_interval(compartments: Make, textbook: Book) -> None:
    result = simulate(compartments(2), "100 mg via lagged q12h x5", times=[])
    np.testing.assert_array_equal(result.windows, [[0, 12], [48, 60]])
    book = textbook(2)

    def curve(t: Any) -> Any:
        return sum(80 * book.oral(t - 0.7 - 12 * k) for k in range(5))

    knots = [12.0 * k + 0.7 for k in range(5)]
    _check(result, _scalar(curve), knots, 0)
    _check(result, _scalar(curve), knots, 1)


def test_infusion_peaks_at_its_end(compartments: Make, textbook: Book) -> None:
    result = simulate(compartments(3), "100 mg over 3 h via iv q24h ss", times=[])
    book = textbook(3)
    _check(result, _scalar(lambda t: 100 * book.infusion(t, 3.0, 24.0)), [3.0])
    assert result.endpoint("tmax")[0] == pytest.approx(3.0)


def test_window_over_several_doses_and_between_events(compartments: Make, textbook: Book) -> None:
    book = textbook(2)

    def curve(t: Any) -> Any:
        return sum(100 * book.bolus(t - 8 * k) for k in range(4))

    result = simulate(
        compartments(2), "100 mg via iv q8h x4", times=[1, 5], windows=[(3.3, 21.7), (0, 100)]
    )
    for window in (0, 1):
        _check(result, _scalar(curve), [8.0, 16.0, 24.0], window)


def test_endpoints_do_not_depend_on_observation_times(compartments: Make) -> None:
    some, many = (
        simulate(compartments(3), "100 mg via lagged q12h x3", times=times)
        for times in ([], np.linspace(0, 36, 500))
    )
    np.testing.assert_allclose(
        some.window_values["C"], many.window_values["C"], rtol=1e-9, atol=1e-8
    )


def test_confluent_rates_use_the_matrix_exponential(compartments: Make) -> None:
    result = simulate(compartments(1, {"KA": 0.125}), "100 mg via oral", times=[])
    peak = 1 / 0.125  # tmax = 1/k, Cmax = D/V/e, AUC = D/CL (1 - (1 + k T) exp(-k T))
    assert result.endpoint("tmax")[0] == pytest.approx(peak, rel=1e-7)
    assert result.endpoint("Cmax")[0] == pytest.approx(100 / 40 / np.e, rel=1e-12)
    area = 100 / 5 * (1 - (1 + 0.125 * 24) * np.exp(-0.125 * 24))
    assert result.endpoint("AUC")[0] == pytest.approx(area, rel=1e-12)


@pytest.mark.parametrize("rate", [5.0, 50.0, 500.0])
def test_peak_behind_a_fast_chain(rate: float) -> None:
    """Two fast steps: the level first falls, then rises to a peak within minutes."""
    model = build_model(
        {
            "id": "chain",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"KTR": {"value": rate}, "K": {"value": 3.0}, "K2": {"value": 0.1}},
            "dynamics": {
                "a": "-KTR*a", "b": "KTR*a - 1.5*KTR*b", "c": "1.5*KTR*b - (K + 1)*c + K2*d",
                "d": "c - K2*d",
            },
            "inputs": {"x": [{"kind": "bolus", "into": "a"}]},
            "outputs": {"C": {"expression": "c"}},
        }
    )  # fmt: skip
    matrix = np.array(
        [[-rate, 0, 0, 0], [rate, -1.5 * rate, 0, 0], [0, 1.5 * rate, -4, 0.1], [0, 0, 1, -0.1]]
    )
    values, vectors = np.linalg.eig(matrix)
    weights = vectors[2] * np.linalg.solve(vectors, np.array([1.0, 0, 0, 0]))

    def curve(t: float) -> float:
        return float(weights @ (np.exp(values * t) / -np.expm1(values * 24.0)))

    _check(simulate(model, "1 mg q24h ss", times=[]), curve, [])


def test_long_horizon(compartments: Make) -> None:
    result = simulate(
        compartments(1, {"CL": 1e-4}), "40 mg via iv", times=[0.1, 0.3], windows=[(0, 20000.7)]
    )
    k = 1e-4 / 40
    assert result.endpoint("AUC")[0] == pytest.approx(-np.expm1(-k * 20000.7) / k, rel=1e-9)


@pytest.mark.parametrize(
    "windows", [[(5, 5)], [(5, 4)], [(-1, 4)], [(0, np.nan)], [(0, 1, 2)], [0, 1], [("a", "b")]]
)
def test_windows_are_checked(compartments: Make, windows: Any) -> None:
    with pytest.raises(InputError):
        simulate(compartments(), "100 mg", windows=windows)
