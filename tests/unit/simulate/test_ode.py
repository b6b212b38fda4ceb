"""The solver against closed forms and against scipy at tight tolerance."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from statera.errors import InputError, UsageError
from statera.model import Model, build_model
from statera.numerics.codegen import CompiledSystem
from statera.simulate import OdeOptions, simulate
from statera.simulate.doses import (
    BAD_INPUT,
    LAG_TOO_LONG,
    NO_STEADY_STATE,
    NOT_FINITE,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
)

solve_ode = sys.modules["statera.simulate.solve_ode"]
Make = Callable[..., Model]
Run = Callable[..., Any]
TIGHT = OdeOptions(rtol=1e-10, atol=1e-13)
TIMES = np.linspace(0, 60, 241)


def _hidden(compartments: Make, n: int, **tables: Any) -> Model:
    """The same equations written so that they are not recognised as linear."""
    plain = compartments(n)
    dynamics = {e.name: e.text for e in plain.dynamics}
    dynamics["central"] += " + 1e-300*central^2"
    return compartments(n, dynamics=dynamics, **tables)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "dose",
    [
        "100 mg via iv",
        "100 mg via lagged q12h x4",
        "100 mg over 20 h via iv q6h x5",
        "100 mg via zero q12h x4",
        "100 mg via rate q12h x3",
        "100 mg via both q12h x3 then 50 mg via oral q8h x2",
        "100 mg via lagged q12h ss",
        "100 mg over 30 h via iv q12h ss",
    ],
)
def test_solver_agrees_with_the_closed_form(compartments: Make, n: int, dose: str) -> None:
    closed = simulate(compartments(n), dose, times=TIMES)
    solved = simulate(_hidden(compartments, n), dose, times=TIMES, ode=TIGHT)
    assert "closed form" in closed.solver
    assert "Tsit5" in solved.solver
    scale = closed.outputs["C"].max()
    np.testing.assert_allclose(solved.outputs["C"], closed.outputs["C"], atol=2e-8 * scale)
    a, b = closed.window_values["C"][0], solved.window_values["C"][0]
    np.testing.assert_allclose(b[:, [0, 2, 3, 4, 5]], a[:, [0, 2, 3, 4, 5]], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(b[:, 1], a[:, 1], atol=2e-3)


def test_constant_infusion_at_steady_state(compartments: Make, run_records: Run) -> None:
    records = [{"evid": 1, "rate": 30, "ss": 1}, *({"time": t} for t in np.arange(0.0, 40.0))]
    closed, _ = run_records(compartments(3), records)
    solved, status = run_records(_hidden(compartments, 3), records, TIGHT)
    assert status == 0
    np.testing.assert_allclose(solved, closed, rtol=1e-7)


@pytest.fixture(scope="module")
def saturable() -> Callable[..., Model]:
    """Michaelis-Menten elimination with an indirect response, which scipy solves too."""

    def make(**values: float) -> Model:
        numbers = {"VM": 12.0, "KM": 0.4, "V": 30.0, "KA": 0.9, "KIN": 4.0, "KOUT": 0.2, "IC": 0.3}
        return build_model(
            {
                "id": "saturable",
                "units": {"time": "h", "amount": "mg"},
                "parameters": {k: {"value": v} for k, v in (numbers | values).items()},
                "dynamics": {
                    "depot": "-KA*depot",
                    "central": "KA*depot - VM*central/V/(KM + central/V)",
                    "response": "KIN*(1 - central/V/(IC + central/V)) - KOUT*response",
                },
                "initial": {"response": "KIN/KOUT"},
                "inputs": {
                    "oral": [{"kind": "bolus", "into": "depot", "lag": 0.25}],
                    "iv": [{"kind": "bolus", "into": "central"}],
                },
                "outputs": {
                    "C": {"expression": "central/V", "unit": "mg/L"},
                    "R": {"expression": "response"},
                },
            }
        )

    return make


def _rhs(_: float, x: Any) -> list[float]:
    c = x[1] / 30
    return [
        -0.9 * x[0], 0.9 * x[0] - 12 * c / (0.4 + c), 4 * (1 - c / (0.3 + c)) - 0.2 * x[2]
    ]  # fmt: skip


def _scipy(doses: list[tuple[float, float]], times: Any) -> Any:
    """Solve between doses by an eighth-order method at tight tolerance."""
    state, at = np.array([0.0, 0.0, 20.0]), 0.0
    found = np.empty((3, times.size))
    for time, amount in [*doses, (float(times[-1]) + 1, 0.0)]:
        inside = (times >= at) & (times < time)
        if time > at:
            solution = solve_ivp(
                _rhs, (at, time), state, "DOP853", dense_output=True, rtol=1e-12, atol=1e-13
            )
            found[:, inside] = solution.sol(times[inside])
            state = solution.y[:, -1]
        state = state + np.array([amount, 0.0, 0.0])
        at = time
    return found


@pytest.mark.parametrize(("rtol", "allowed"), [(1e-6, 3e-5), (1e-9, 3e-8)])
def test_nonlinear_model_against_scipy(
    saturable: Callable[..., Model], rtol: float, allowed: float
) -> None:
    times = np.linspace(0, 60, 211) + 0.013
    result = simulate(
        saturable(), "60 mg q12h x4", times=times, windows=[], ode=OdeOptions(rtol, rtol * 1e-3)
    )
    expected = _scipy([(0.25 + 12 * k, 60.0) for k in range(4)], times)
    np.testing.assert_allclose(
        result.outputs["C"][0], expected[1] / 30, atol=allowed * expected[1].max() / 30
    )
    np.testing.assert_allclose(result.outputs["R"][0], expected[2], atol=allowed * 20)


def test_steady_state_of_a_nonlinear_model_is_periodic(saturable: Callable[..., Model]) -> None:
    model = saturable()
    steady = simulate(model, "60 mg q12h x2 ss", times=[0, 12, 24], ode=TIGHT)
    for output in ("C", "R"):
        row = steady.outputs[output][0]
        np.testing.assert_allclose(row, row[0], rtol=1e-7)
    train = simulate(model, "60 mg q12h x200", times=[2388.0], windows=[], ode=TIGHT)
    assert train.outputs["C"][0, 0] == pytest.approx(steady.outputs["C"][0, 0], rel=1e-6)


def test_steady_state_with_a_state_that_dies_away() -> None:
    model = build_model(
        {
            "id": "relic",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.4}},
            "dynamics": {"x": "-K*x/(1 + x/50)", "relic": "-K*relic/400"},
            "initial": {"relic": "7"},
            "inputs": {"r": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"X": {"expression": "x"}, "relic": {"expression": "relic"}},
        }
    )
    result = simulate(model, "10 mg q12h ss", times=[0.0, 12.0], ode=TIGHT)
    assert result.statuses[0] == 0
    assert result.outputs["relic"][0].max() < 1e-6


def test_results_do_not_depend_on_observation_times(saturable: Callable[..., Model]) -> None:
    few = simulate(saturable(), "60 mg q12h x4", times=[30.0], ode=TIGHT)
    many = simulate(saturable(), "60 mg q12h x4", times=np.arange(0, 48.1, 0.1), ode=TIGHT)
    assert many.outputs["C"][0, 300] == pytest.approx(few.outputs["C"][0, 0], rel=1e-8)
    np.testing.assert_allclose(
        many.window_values["C"], few.window_values["C"], rtol=1e-7, atol=1e-7
    )


def test_equations_may_depend_on_time() -> None:
    model = build_model(
        {
            "id": "clock",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.3}},
            "dynamics": {"x": "t*t - K*x"},
            "inputs": {"x": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"X": {"expression": "x"}},
        }
    )
    times = np.linspace(0, 10, 21)
    result = simulate(model, "5 mg", times=times, ode=TIGHT)
    k = 0.3
    expected = times**2 / k - 2 * times / k**2 + (2 / k**3) * -np.expm1(-k * times)
    np.testing.assert_allclose(result.outputs["X"][0], expected + 5 * np.exp(-k * times), rtol=1e-8)
    assert "depends on time" in result.solver
    with pytest.raises(InputError, match="no steady state"):
        simulate(model, "5 mg q24h ss")


def test_switch_on_a_state_is_solved_not_taken_for_linear() -> None:
    """The slope of a step is zero almost everywhere; production stops above a threshold."""
    model = build_model(
        {
            "id": "switch",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.5}},
            "dynamics": {"x": "-K*x", "made": "where(x > 5, 0, 2)"},
            "inputs": {"x": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"M": {"expression": "made"}, "over": {"expression": "where(x > 5, 1, 0)"}},
        }
    )
    times = np.array([0.5, 1.0, 2.0, 4.0])
    result = simulate(model, "10 mg", times=times, windows=[], ode=TIGHT)
    crossing = np.log(2) / 0.5
    assert "Tsit5" in result.solver
    np.testing.assert_allclose(
        result.outputs["M"][0], 2 * np.clip(times - crossing, 0, None), atol=1e-6
    )
    np.testing.assert_array_equal(result.outputs["over"][0], times < crossing)


def test_output_that_is_not_linear_is_solved(compartments: Make) -> None:
    model = compartments(1, outputs={"L": {"expression": "log(central/V)"}})
    result = simulate(model, "40 mg via iv", times=[0, 8.0], windows=[], ode=TIGHT)
    np.testing.assert_allclose(result.outputs["L"][0], [0, -1], atol=1e-8)
    assert result.solver == "an output is not linear in the states: solved by Tsit5"


@pytest.mark.parametrize(
    ("record", "values", "status"),
    [
        ({"ss": 1, "ii": 12}, {"VM": 4.0}, NO_STEADY_STATE),
        ({"ss": 1, "ii": 0.2}, {}, LAG_TOO_LONG),
        ({"rate": -1}, {}, BAD_INPUT),
    ],
)
def test_statuses(
    saturable: Callable[..., Model],
    run_records: Run,
    record: dict[str, float],
    values: dict[str, float],
    status: int,
) -> None:
    records = [{"evid": 1, "amt": 60, "route": "oral", **record}, {"time": 1.0}]
    _, found = run_records(saturable(**values), records, OdeOptions(periods=50))
    assert found == status


def _single(rhs: str, **options: Any) -> Any:
    model = build_model(
        {
            "id": "single",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 1.0}},
            "dynamics": {"x": rhs},
            "inputs": {"x": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"X": {"expression": "x"}},
        }
    )
    return simulate(model, "1 mg", times=[0.0, 5.0], ode=OdeOptions(**options))


def test_solution_that_escapes_to_infinity_has_a_status() -> None:
    result = _single("K*x^2")  # x = 1/(1 - t)
    assert result.statuses[0] in (NOT_FINITE, STEP_TOO_SMALL, TOO_MANY_STEPS)
    assert np.isnan(result.outputs["X"]).all()
    assert np.isnan(result.endpoint("AUC"))
    assert result.failures[0][0] == 0
    assert any("1 of 1 subjects could not be solved" in w for w in result.warnings)


def test_limit_of_steps() -> None:
    assert (
        _single("-1e5*K*x*x/(x + 1e-30)", method="tsit5", max_steps=100).statuses[0]
        == TOO_MANY_STEPS
    )


def test_parameters_that_are_not_finite() -> None:
    assert _single("log(-K)*x^2").statuses[0] == NOT_FINITE


@pytest.mark.parametrize("options", [{"rtol": 0}, {"rtol": 1}, {"atol": -1}, {"max_steps": 0}])
def test_options_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        OdeOptions(**options)  # type: ignore[arg-type]


def test_names_of_a_model_do_not_collide_with_those_of_the_solver() -> None:
    """Sub-expressions taken out of the equations get names that no model can have."""
    names = {"constant_0": 0.5, "constant_1": 2.0, "p": 3.0, "k1": 0.25, "h": 0.7}
    model = build_model(
        {
            "id": "names",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in names.items()},
            "dynamics": {
                "x": "-exp(constant_0)*constant_1*x/(exp(p*h) + x)",
                "rates": "exp(k1*h)*x/(x + constant_0) - constant_0*rates",
            },
            "inputs": {"r": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"A": {"expression": "x"}, "B": {"expression": "rates*constant_1"}},
        }
    )
    times = np.linspace(0, 10, 21)
    result = simulate(model, "10 mg", times=times, windows=[], ode=TIGHT)

    def rhs(_: float, y: Any) -> list[float]:
        x, r = y
        return [
            -np.exp(0.5) * 2 * x / (np.exp(2.1) + x),
            np.exp(0.175) * x / (x + 0.5) - 0.5 * r,
        ]

    expected = solve_ivp(rhs, (0, 10), [10.0, 0.0], "DOP853", times, rtol=1e-11, atol=1e-13).y
    np.testing.assert_allclose(result.outputs["A"][0], expected[0], rtol=1e-7)
    np.testing.assert_allclose(result.outputs["B"][0], 2 * expected[1], atol=1e-7)


STEPS = {
    "saturable": {
        "depot": "-K*depot", "central": "K*depot - 9*central/(7 + central)",
    },
    "powers and switches": {
        "depot": "-K*depot + 0.1*where(central > 3, sqrt(central), central^1.7)",
        "central": "K*depot - 0.2*central*exp(-depot/50) - 0.01*t/(1 + t)*min(central, 20)",
    },
    "shared parts": {
        "depot": "-K*depot*exp(-central^2/900)", "central": "K*depot*exp(-central^2/900) - central",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", list(STEPS))
def test_written_out_steps_give_what_loops_give_to_the_last_bit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_model(
        {
            "id": "test/steps",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"TVK": {"value": 1.0}},
            "random_effects": {"eta": {"variance": 0.2}},
            "individual": {"K": "TVK*exp(eta)"},
            "dynamics": STEPS[name],
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {"C": {"expression": "central"}, "D": {"expression": "depot*central"}},
        }
    )
    found = []
    for written in (False, True):
        monkeypatch.setattr(solve_ode._Compiled, "writes_out", lambda _, now=written: now)
        found.append(simulate(model, "100 mg over 2 h q12h x3", n=20, times=TIMES, seed=3))
    for output in ("C", "D"):
        np.testing.assert_array_equal(found[0].outputs[output], found[1].outputs[output])
        np.testing.assert_array_equal(
            found[0].window_values[output], found[1].window_values[output]
        )


def test_a_step_is_written_out_where_loops_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model(
        {
            "id": "test/long",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"KM": {"value": 3.0}},
            "dynamics": {"central": "-7.0625*central/(KM + central)"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"C": {"expression": "central"}},
        }
    )
    monkeypatch.setattr(CompiledSystem, "step_is_kept", False)
    simulate(model, "100 mg q12h x3", times=TIMES)
    code = solve_ode.compiled_ode(
        tuple(e.expression for e in model.dynamics),
        tuple(o.expression for o in model.outputs),
        model.states,
        (),
    )
    assert "step" not in vars(code.system)
    monkeypatch.setattr(solve_ode, "_WORTHWHILE", 0.0)
    few = simulate(model, "100 mg q12h x3", n=40, times=TIMES)
    assert "step" in vars(code.system)
    np.testing.assert_array_equal(few.outputs["C"][0], few.outputs["C"][-1])
