"""Stiff systems, the choice of the solver, and steady states of models that are not linear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from statera.errors import UsageError
from statera.model import Model, build_model
from statera.simulate import OdeOptions, simulate
from statera.simulate.doses import (
    NO_STEADY_STATE,
    NOT_FINITE,
    NOT_PERIODIC,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
)

Make = Callable[..., Model]
STIFF = OdeOptions(method="rodas5p", rtol=1e-10, atol=1e-13)
TIMES = np.linspace(0, 60, 241)


def _model(dynamics: dict[str, str], values: dict[str, float], **tables: Any) -> Model:
    first = next(iter(dynamics))
    return build_model(
        {
            "id": "test",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": dynamics,
            "inputs": {"dose": [{"kind": "bolus", "into": first}]},
            "outputs": {f"out_{s}": {"expression": s} for s in dynamics},
        }
        | tables
    )


def turnover(kout: float, **tables: Any) -> Model:
    """Saturable elimination and a response whose turnover makes the system as stiff as asked."""
    return _model(
        {
            "central": "-VM*central/(KM + central)",
            "response": "KOUT*(20*IC/(IC + central) - response)",
        },
        {"VM": 12.0, "KM": 12.0, "IC": 9.0, "KOUT": kout},
        initial={"response": "20"},
        **tables,
    )


def binding(synthesis: bool = True) -> Model:
    """Target-mediated disposition; without synthesis and loss the target is conserved."""
    made = "KSYN - KDEG*target" if synthesis else "0"
    lost = "KINT*bound" if synthesis else "0"
    return _model(
        {
            "drug": "-KEL*drug - KON*drug*target + KOFF*bound",
            "target": f"{made} - KON*drug*target + KOFF*bound",
            "bound": f"KON*drug*target - KOFF*bound - {lost}",
        },
        {"KEL": 0.05, "KON": 100.0, "KOFF": 10.0, "KSYN": 0.4, "KDEG": 0.1, "KINT": 0.03},
        initial={"target": "4"},
    )


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(
    "dose",
    [
        "100 mg via lagged q12h x4",
        "100 mg over 20 h via iv q6h x5",
        "100 mg via both q12h x3 then 50 mg via oral q8h x2",
        "100 mg via lagged q12h ss",
        "100 mg over 30 h via iv q12h ss",
    ],
)
def test_rodas5p_agrees_with_the_closed_form(compartments: Make, n: int, dose: str) -> None:
    plain = compartments(n)
    dynamics = {e.name: e.text for e in plain.dynamics}
    dynamics["central"] += " + 1e-300*central^2"
    closed = simulate(plain, dose, times=TIMES)
    solved = simulate(compartments(n, dynamics=dynamics), dose, times=TIMES, ode=STIFF)
    assert solved.solver.endswith("solved by Rodas5P, as asked")
    scale = closed.outputs["C"].max()
    np.testing.assert_allclose(solved.outputs["C"], closed.outputs["C"], atol=2e-8 * scale)
    a, b = closed.window_values["C"][0], solved.window_values["C"][0]
    np.testing.assert_allclose(b[:, [0, 2, 3, 4, 5]], a[:, [0, 2, 3, 4, 5]], rtol=1e-7, atol=1e-9)


def _binding_by_radau(doses: list[tuple[float, float]], times: Any) -> Any:
    def rhs(_: float, x: Any) -> list[float]:
        link = 100 * x[0] * x[1] - 10 * x[2]
        return [-0.05 * x[0] - link, 0.4 - 0.1 * x[1] - link, link - 0.03 * x[2]]

    def slopes(_: float, x: Any) -> list[list[float]]:
        a, b = 100 * x[1], 100 * x[0]
        return [[-0.05 - a, -b, 10], [-a, -0.1 - b, 10], [a, b, -10.03]]

    state, at = np.array([0.0, 4.0, 0.0]), 0.0
    found = np.empty((3, times.size))
    for time, amount in [*doses, (float(times[-1]) + 1, 0.0)]:
        inside = (times >= at) & (times < time)
        if time > at:
            out = solve_ivp(
                rhs, (at, time), state, "Radau", [*times[inside], time],
                jac=slopes, rtol=1e-10, atol=1e-12,
            )  # fmt: skip
            found[:, inside] = out.y[:, :-1]
            state = out.y[:, -1]
        state = state + np.array([amount, 0.0, 0.0])
        at = time
    return found


@pytest.mark.parametrize(("rtol", "allowed"), [(1e-6, 2e-5), (1e-9, 1e-7)])
def test_target_binding_against_radau(rtol: float, allowed: float) -> None:
    times = np.linspace(0, 96, 97) + 0.013
    expected = _binding_by_radau([(0.0, 10.0), (24.0, 10.0), (48.0, 10.0)], times)
    ode = OdeOptions(method="rodas5p", rtol=rtol)
    result = simulate(binding(), "10 mg q24h x3", times=times, windows=[], ode=ode)
    for i, name in enumerate(("drug", "target", "bound")):
        np.testing.assert_allclose(
            result.outputs[f"out_{name}"][0], expected[i], atol=allowed * expected[i].max()
        )


def test_fast_relaxation_to_a_moving_target() -> None:
    """x' = -L (x - y) + y' has the solution y + x(0) e^(-L t), however large L."""
    model = _model({"x": "-L*(x - y) - y^2", "y": "-y^2"}, {"L": 1e5}, initial={"y": "1"})
    times = np.array([1e-6, 1e-5, 0.01, 1.0, 5.0])
    result = simulate(model, "2 mg", times=times, windows=[], ode=STIFF)
    expected = 1 / (1 + times) + np.exp(-1e5 * times)
    np.testing.assert_allclose(result.outputs["out_x"][0], expected, rtol=1e-8)


def test_slope_by_time_is_used() -> None:
    model = _model({"x": "-K*x + t^2*exp(-t)"}, {"K": 1000.0})
    times = np.linspace(0.5, 10, 20)
    result = simulate(model, "1 mg", times=times, windows=[], ode=STIFF)
    out = solve_ivp(
        lambda t, x: -1000 * x + t * t * np.exp(-t), (0, 10), [1.0], "Radau", times,
        rtol=1e-11, atol=1e-14,
    )  # fmt: skip
    np.testing.assert_allclose(result.outputs["out_x"][0], out.y[0], rtol=1e-7)


def test_automatic_choice_says_which_and_why() -> None:
    gentle = simulate(turnover(0.2), "60 mg q12h x3", times=[30.0], windows=[])
    stiff = simulate(turnover(1e4), "60 mg q12h x3", times=[30.0], windows=[])
    reason = "d/dt(central) is not linear in the states"
    assert gentle.solver == f"{reason}: solved by Tsit5"
    assert stiff.solver == f"{reason}: stiff: solved by Rodas5P"
    asked = simulate(turnover(1e4), "60 mg q12h x3", times=[30.0], windows=[], ode=STIFF)
    assert stiff.outputs["out_response"][0, 0] == pytest.approx(
        asked.outputs["out_response"][0, 0], rel=1e-6
    )


def _mixed() -> Model:
    """Subjects with eta above 2 are stiff."""
    values = {"VM": 12.0, "KM": 12.0, "IC": 9.0, "TVKOUT": 0.5}
    return build_model(
        {
            "id": "mixed",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "random_effects": {"eta_KOUT": {"variance": 4.0}},
            "individual": {"KOUT": "TVKOUT*exp(eta_KOUT)"},
            "dynamics": {
                "central": "-VM*central/(KM + central)",
                "response": "KOUT*(20*IC/(IC + central) - response)",
            },
            "initial": {"response": "20"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"R": {"expression": "response"}},
        }
    )


def test_choice_is_made_for_each_subject_and_not_by_threads() -> None:
    etas = np.array([[0.0], [9.0], [8.0], [0.1], [-1.0], [10.0], [7.5]])
    kwargs: dict[str, Any] = {"etas": etas, "n": 7, "times": [6.0, 30.0], "windows": [(0, 12)]}
    one = simulate(_mixed(), "60 mg q12h x3", **kwargs)
    two = simulate(_mixed(), "60 mg q12h x3", workers=2, **kwargs)
    assert one.solver.endswith("stiff in 4 of 7 subjects: solved by Rodas5P, the others by Tsit5")
    assert not one.statuses.any()
    np.testing.assert_array_equal(one.outputs["R"], two.outputs["R"])
    np.testing.assert_array_equal(one.window_values["R"], two.window_values["R"])
    alone = simulate(_mixed(), "60 mg q12h x3", **(kwargs | {"etas": etas[:1], "n": 1}))
    assert one.outputs["R"][0, 1] == alone.outputs["R"][0, 1]
    asked = simulate(_mixed(), "60 mg q12h x3", **kwargs, ode=STIFF)
    np.testing.assert_allclose(one.outputs["R"], asked.outputs["R"], rtol=1e-5)


def test_method_can_be_asked_for() -> None:
    slow = OdeOptions(method="tsit5", max_steps=500)
    result = simulate(turnover(1e4), "60 mg", times=[30.0], windows=[], ode=slow)
    assert result.solver.endswith("solved by Tsit5, as asked")
    assert result.statuses[0] == TOO_MANY_STEPS
    with pytest.raises(UsageError, match="not a method"):
        OdeOptions(method="euler")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["auto", "rodas5p"])
def test_solution_that_escapes_to_infinity_has_a_status(method: Any) -> None:
    model = _model({"x": "K*x^2"}, {"K": 1.0})
    result = simulate(model, "1 mg", times=[5.0], ode=OdeOptions(method=method))
    assert result.statuses[0] in (NOT_FINITE, STEP_TOO_SMALL, TOO_MANY_STEPS)
    assert np.isnan(result.outputs["out_x"]).all()


def test_hill_exponents_below_one_start_from_zero() -> None:
    """The slope at zero is infinite: it counts as zero, and the error is held in check."""
    model = _model({"x": "-2*x", "y": "1000*(z^H/(1 + z^H) - y)", "z": "x - z"}, {"H": 0.6})
    times = np.array([0.01, 0.1, 1.0, 4.0])
    result = simulate(model, "3 mg", times=times, windows=[], ode=OdeOptions(method="rodas5p"))
    z = 3 * (np.exp(-times) - np.exp(-2 * times))
    quasi = z**0.6 / (1 + z**0.6)
    np.testing.assert_allclose(result.outputs["out_z"][0], z, rtol=1e-5)
    np.testing.assert_allclose(result.outputs["out_y"][0][1:], quasi[1:], rtol=1e-2)


@pytest.mark.parametrize("method", ["auto", "rodas5p"])
def test_steady_state_is_that_of_a_long_train(method: Any) -> None:
    ode = OdeOptions(method=method, rtol=1e-9)
    steady = simulate(binding(), "10 mg q24h x2 ss", times=[0, 24, 48], windows=[], ode=ode)
    train = simulate(binding(), "10 mg q24h x60", times=[1440.0], windows=[], ode=ode)
    for name in ("drug", "target", "bound"):
        row = steady.outputs[f"out_{name}"][0]
        assert row[0] == pytest.approx(row[1], rel=1e-6)  # after the doses
        assert row[2] == pytest.approx(train.outputs[f"out_{name}"][0, 0], rel=1e-6)


@pytest.mark.parametrize("vm", [8.0, 5.5, 5.001])
def test_saturable_elimination_close_to_its_capacity(vm: float) -> None:
    """Mean input 5 mg/h: near capacity hundreds of periods would be needed, Newton takes few."""
    model = _model({"x": "-VM*x/(KM + x)"}, {"VM": vm, "KM": 10.0})
    ode = OdeOptions(rtol=1e-10, periods=40)
    steady = simulate(model, "60 mg q12h ss", times=[0, 12.0], windows=[], ode=ode)
    assert steady.statuses[0] == 0
    after, before = steady.outputs["out_x"][0]
    assert after - before == pytest.approx(60, rel=1e-8)
    # KM ln(x(0)/x(T)) + x(0) - x(T) = VM T
    assert 10 * np.log(after / before) + 60 == pytest.approx(12 * vm, rel=1e-8)


@pytest.mark.parametrize("vm", [5.0, 4.9999, 4.0, 1.0, 0.0])
@pytest.mark.parametrize("method", ["auto", "rodas5p"])
def test_no_steady_state_where_input_reaches_capacity(vm: float, method: Any) -> None:
    model = _model(
        {"x": "-VM*x/(KM + x)", "response": "2*KM/(KM + x) - 0.1*response"},
        {"VM": vm, "KM": 10.0},
        initial={"response": "20"},
    )
    result = simulate(
        model, "60 mg q12h ss", times=[0.0], ode=OdeOptions(method=method, periods=99)
    )
    expected = NO_STEADY_STATE if vm > 0 else NOT_PERIODIC
    assert result.statuses[0] == expected


def test_conserved_amounts_keep_their_total() -> None:
    """The total of the target makes Newton's matrix singular: the period is repeated instead."""
    result = simulate(binding(synthesis=False), "10 mg q24h x2 ss", times=[0, 24.0], windows=[],
                      ode=OdeOptions(rtol=1e-9))  # fmt: skip
    assert result.statuses[0] == 0
    total = result.outputs["out_target"][0] + result.outputs["out_bound"][0]
    np.testing.assert_allclose(total, 4.0, rtol=1e-6)


def test_state_that_only_accumulates_does_not_hold_up_the_others() -> None:
    asked: dict[str, Any] = {"times": [0.0, 2.0], "ode": OdeOptions(rtol=1e-9, periods=30)}
    model = _model({"x": "-2*x/(1 + x)", "area": "x"}, {})
    result = simulate(model, "6 mg q12h ss", **asked)
    assert result.statuses[0] == 0
    alone = simulate(_model({"x": "-2*x/(1 + x)"}, {}), "6 mg q12h ss", **asked)
    np.testing.assert_allclose(result.outputs["out_x"], alone.outputs["out_x"], rtol=1e-7)
    assert result.outputs["out_area"][0, 0] == 0.0
    assert "area only accumulates" in " ".join(result.warnings)


def test_slow_state_far_above_its_first_periods_is_reached() -> None:
    """A response that needs thousands of periods is found by Newton's method at once."""
    model = _model({"x": "-2*x/(1 + x)", "slow": "x - 1e-5*slow"}, {})
    ode = OdeOptions(rtol=1e-10, periods=12)
    result = simulate(model, "6 mg q12h ss", times=[0, 12.0], windows=[(0, 12)], ode=ode)
    assert result.statuses[0] == 0
    # d/dt(x^2/2 + x) = -2 x: the area over a period does not need x itself
    top, trough = result.outputs["out_x"][0]
    area = ((top**2 - trough**2) / 2 + (top - trough)) / 2
    assert result.window_values["out_slow"][0, 0, 3] == pytest.approx(area / 12 / 1e-5, rel=1e-5)


def test_overlapping_infusions_at_steady_state() -> None:
    ode = OdeOptions(rtol=1e-10)
    steady = simulate(
        binding(), "10 mg over 60 h via dose q24h x4 ss", times=[0, 24, 48.0], windows=[], ode=ode
    )
    train = simulate(
        binding(), "10 mg over 60 h via dose q24h x80", times=[24 * 77.0], windows=[], ode=ode
    )
    row = steady.outputs["out_drug"][0]
    np.testing.assert_allclose(row, row[0], rtol=1e-6)
    assert row[0] == pytest.approx(train.outputs["out_drug"][0, 0], rel=1e-6)
