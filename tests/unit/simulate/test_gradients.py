"""Sensitivities against textbooks, against differences of tight solutions, and their errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.errors import InputError, UnknownNameError
from statera.model import Model, build_model
from statera.simulate import GradientResult, OdeOptions, gradients, simulate
from statera.simulate.doses import (
    BAD_INPUT,
    LAG_TOO_LONG,
    NO_STEADY_STATE,
    NOT_FINITE,
    NOT_PERIODIC,
    TOO_MANY_STEPS,
)

Make = Callable[..., Model]
Floats = NDArray[np.float64]

TIGHT = OdeOptions(rtol=1e-11, atol=1e-16, period_rtol=1e-9)
TIMES = np.linspace(0.13, 60.13, 121)
"""No observation falls on an event, where a derivative by the event's time has two sides."""
ALL = ("CL", "V", "KA", "Q2", "V2", "LAG", "F", "D", "R")


def shifted(model: Model, changes: Mapping[str, float]) -> Model:
    """The model with other values of parameters."""
    parameters = dict(model.parameters)
    for name, value in changes.items():
        parameters[name] = dataclasses.replace(parameters[name], value=value)
    return dataclasses.replace(model, parameters=MappingProxyType(parameters))


def differences(solve: Callable[[Model], Floats], model: Model, name: str, step: float) -> Floats:
    """Derivative by a central difference of order 6."""
    value = model.parameters[name].value

    def at(k: int) -> Floats:
        return solve(shifted(model, {name: value + k * step}))

    return (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + (at(3) - at(-3))) / (60 * step)


def compare(
    result: GradientResult, solve: Callable[[Model], Floats], model: Model, rtol: float = 1e-6
) -> None:
    """Every derivative of the first output against differences, relative to the largest."""
    for name in result.wrt:
        step = 2e-3 * abs(model.parameters[name].value)
        expected = differences(solve, model, name, step)
        largest = np.nanmax(np.abs(expected))
        noise = 1e-9 * np.nanmax(np.abs(next(iter(result.outputs.values())))) / step
        np.testing.assert_allclose(
            result.of(name), expected, rtol=0, atol=rtol * largest + noise, err_msg=name
        )


def hidden(compartments: Make, n: int, **tables: Any) -> Model:
    """The same equations written so that they are not recognised as linear."""
    dynamics = {e.name: e.text for e in compartments(n).dynamics}
    dynamics["central"] += " + 1e-300*central^2"
    return compartments(n, dynamics=dynamics, **tables)


# ---------------------------------------------------------------- textbook solutions

T, DOSE = sp.Symbol("t"), 100.0
CL, V, KA, LAG, F, D = symbols = sp.symbols("CL V KA LAG F D")
K = CL / V
_BOLUS = DOSE / V * sp.exp(-K * T)
_LAGGED = (
    F * DOSE * KA / (V * (KA - K)) * (sp.exp(-K * (T - LAG)) - sp.exp(-KA * (T - LAG)))
)  # fmt: skip
_RISING = F * DOSE / (D * CL) * (1 - sp.exp(-K * (T - LAG)))
_FALLING = F * DOSE / (D * CL) * (1 - sp.exp(-K * D)) * sp.exp(-K * (T - LAG - D))
BOOKS: dict[str, Callable[[float], sp.Expr]] = {
    "iv": lambda t: _BOLUS,
    "lagged": lambda t: _LAGGED if t > 0.7 else sp.Integer(0),
    "zero": lambda t: sp.Integer(0) if t < 0.7 else (_RISING if t < 3.2 else _FALLING),
}


@pytest.mark.parametrize("route", list(BOOKS))
@pytest.mark.parametrize("closed", [True, False])
def test_textbook_derivatives(compartments: Make, route: str, closed: bool) -> None:
    """Bolus, lagged first-order absorption, lagged infusion of an estimated duration."""
    model = compartments(1) if closed else hidden(compartments, 1)
    values = {s: model.parameters[s.name].value for s in symbols}
    times = np.array([0.25, 0.9, 1.6, 2.9, 3.4, 7.0, 21.0])
    found = gradients(
        model, f"100 mg via {route}", wrt=[s.name for s in symbols], times=times, ode=TIGHT
    )
    for s in symbols:
        book = [float(sp.diff(BOOKS[route](t), s).subs(values).subs(T, t)) for t in times]
        np.testing.assert_allclose(
            found.of(s.name)[0], book, rtol=1e-12 if closed else 1e-8, atol=1e-15, err_msg=s.name
        )


# ---------------------------------------------------------------- differences of tight solutions

DOSES = [
    "100 mg via iv",
    "100 mg via lagged q12h x4",
    "100 mg over 20 h via iv q6h x5",
    "100 mg via zero q12h x4",
    "100 mg via rate q12h x3",
    "100 mg via both q12h x3 then 50 mg via oral q8h x2",
    "100 mg via lagged q12h ss",
    "100 mg over 30 h via iv q12h ss",
    "100 mg via zero q12h ss",
    "100 mg via both q12h ss",
    "100 mg via rate q2h ss",
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("dose", DOSES)
def test_closed_form_against_differences(compartments: Make, n: int, dose: str) -> None:
    model = compartments(n)

    def solve(m: Model) -> Floats:
        return simulate(m, dose, times=TIMES, windows=()).outputs["C"]

    found = gradients(model, dose, wrt=ALL, times=TIMES)
    assert found.solver.endswith("solved in closed form")
    np.testing.assert_allclose(found.outputs["C"], solve(model), rtol=1e-11, atol=1e-15)
    compare(found, solve, model, 1e-9)


@pytest.mark.parametrize("dose", DOSES)
def test_solver_agrees_with_the_closed_form(compartments: Make, dose: str) -> None:
    exact = gradients(compartments(2), dose, wrt=ALL, times=TIMES)
    solved = gradients(hidden(compartments, 2), dose, wrt=ALL, times=TIMES, ode=TIGHT)
    assert solved.solver.endswith("variational equations solved by Tsit5")
    for name in ALL:
        largest = np.abs(exact.of(name)).max()
        np.testing.assert_allclose(solved.of(name), exact.of(name), atol=1e-9 * largest)


@pytest.mark.parametrize("dose", [DOSES[1], DOSES[5], DOSES[7], DOSES[9]])
def test_the_stiff_method_agrees_with_the_closed_form(compartments: Make, dose: str) -> None:
    stiff = OdeOptions(rtol=1e-10, atol=1e-16, method="rodas5p")
    exact = gradients(compartments(2), dose, wrt=ALL, times=TIMES)
    solved = gradients(hidden(compartments, 2), dose, wrt=ALL, times=TIMES, ode=stiff)
    assert solved.solver.endswith("Rodas5P, as asked")
    for name in ALL:
        largest = np.abs(exact.of(name)).max()
        np.testing.assert_allclose(solved.of(name), exact.of(name), atol=1e-7 * largest)


def test_covariates_of_records(population: Model) -> None:
    """One value a subject is taken from the records."""
    columns: dict[str, Any] = {
        "subject": [1, 1, 2, 2], "time": [0, 5, 0, 5], "evid": [1, 0, 1, 0],
        "amount": [100, 0, 100, 0], "route": ["iv"] * 4,
    }  # fmt: skip
    events = events_from_columns(**columns, covariates={"WT": [60, 60, 90, 90]})
    found = gradients(population, events, wrt=["TVCL", "WT"])
    plain = gradients(
        population, "100 mg", wrt=["TVCL", "WT"], covariates={"WT": [60, 90]}, times=[5.0]
    )
    np.testing.assert_allclose(found.derivatives["C"], plain.derivatives["C"], rtol=1e-13)


def test_default_tolerance_holds_for_sensitivities(compartments: Make) -> None:
    exact = gradients(compartments(2), "100 mg via both q12h x3", wrt=ALL, times=TIMES)
    rough = gradients(hidden(compartments, 2), "100 mg via both q12h x3", wrt=ALL, times=TIMES)
    for name in ALL:
        largest = np.abs(exact.of(name)).max()
        np.testing.assert_allclose(rough.of(name), exact.of(name), atol=2e-5 * largest)


@pytest.mark.parametrize("close", [0.0, 1e-9, 1e-6, 1e-3])
def test_absorption_as_fast_as_elimination(compartments: Make, close: float) -> None:
    """Without modes the blocks of a matrix exponential take over, also at steady state."""
    model = compartments(1, {"KA": 5.0 / 40.0 * (1 + close)})
    for dose in ("100 mg via lagged q12h x3", "100 mg via both q12h ss"):
        found = gradients(model, dose, wrt=ALL[:3], times=TIMES)

        def solve(m: Model, dose: str = dose) -> Floats:
            return simulate(m, dose, times=TIMES, windows=()).outputs["C"]

        compare(found, solve, model, 1e-8)


@pytest.fixture(scope="module")
def saturable() -> Model:
    """Michaelis-Menten elimination, lagged absorption, and a response with a Hill coefficient."""
    numbers = {
        "VM": 25.0, "KM": 0.4, "V": 30.0, "KA": 0.9, "LAG": 0.6, "F": 0.7, "D": 2.2,
        "KIN": 4.0, "KOUT": 0.2, "IC": 0.3, "H": 1.6,
    }  # fmt: skip
    return build_model(
        {
            "id": "saturable",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in numbers.items()},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - VM*central/V/(KM + central/V)",
                "response": "KIN/(1 + (central/V/IC)^H) - KOUT*response",
            },
            "initial": {"response": "KIN/KOUT"},
            "inputs": {
                "oral": [
                    {"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F"}
                ],
                "iv": [{"kind": "bolus", "into": "central", "lag": "LAG"}],
                "zero": [
                    {"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG"}
                ],
            },
            "outputs": {
                "R": {"expression": "response"},
                "C": {"expression": "central/V", "unit": "mg/L"},
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    "dose",
    [
        "90 mg via oral q12h x3",
        "60 mg via iv q12h x3",
        "90 mg via zero q12h x3",
        "90 mg via oral q12h ss",
        "90 mg via iv q12h ss",
        "30 mg over 15 h via iv q6h ss",
    ],
)
def test_nonlinear_against_differences(saturable: Model, dose: str) -> None:
    """Event times of a nonlinear system, steady state by the implicit function theorem."""
    names = list(saturable.parameters)
    times = np.linspace(0.13, 40.13, 41)

    def solve(m: Model) -> Floats:
        result = simulate(m, dose, times=times, windows=(), ode=TIGHT)
        assert not result.statuses.any()
        return result.outputs["R"]

    found = gradients(saturable, dose, wrt=names, times=times, ode=TIGHT)
    assert not found.statuses.any()
    np.testing.assert_allclose(found.outputs["R"], solve(saturable), rtol=1e-8)
    compare(found, solve, saturable, 2e-6)


def test_lagged_bolus_shifts_by_the_difference_of_derivatives(saturable: Model) -> None:
    """Just after a lagged bolus, dx/dLAG is f before less f after."""
    at = 0.6 + 1e-9
    found = gradients(saturable, "60 mg via iv", wrt=["LAG"], times=[at], ode=TIGHT)
    concentration = 60.0 / 30.0
    rate = 25.0 * concentration / (0.4 + concentration)
    assert found.of("LAG", "C")[0, 0] == pytest.approx(rate / 30.0, rel=1e-8)


# ---------------------------------------------------------------- records

RECORDS: dict[str, list[dict[str, Any]]] = {
    "modelled rate and duration": [
        {"evid": 1, "amt": 100, "rate": -1, "route": "rate"},
        {"evid": 1, "amt": 80, "rate": -2, "route": "zero", "time": 5, "ii": 9, "addl": 2},
    ],
    "reset, reset and dose": [
        {"evid": 1, "amt": 100, "route": "both", "ii": 4, "addl": 9},
        {"evid": 3, "time": 9},
        {"evid": 4, "amt": 60, "route": "lagged", "time": 20, "ii": 8, "addl": 1},
    ],
    "steady state added to another": [
        {"evid": 1, "amt": 100, "route": "lagged", "ii": 12, "ss": 1},
        {"evid": 1, "amt": 40, "route": "zero", "ii": 24, "ss": 2, "time": 6, "addl": 1},
    ],
    "constant infusion": [
        {"evid": 1, "rate": 30, "ss": 1, "route": "iv"},
        {"evid": 1, "rate": 5, "ss": 2, "route": "iv", "time": 8},
    ],
    "long infusions at steady state": [
        {"evid": 1, "amt": 100, "rate": 4.5, "ii": 7, "ss": 1, "route": "zero", "addl": 3},
    ],
}


def table(doses: Sequence[Mapping[str, Any]], times: Floats = TIMES) -> EventTable:
    records = sorted([*doses, *({"time": t} for t in times)], key=lambda r: r.get("time", 0))

    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in records]

    return events_from_columns(
        subject=["s"] * len(records),
        time=column("time"),
        evid=column("evid"),
        amount=column("amt"),
        route=[str(r.get("route", "iv")) for r in records],
        rate=column("rate"),
        interval=column("ii"),
        additional=column("addl"),
        steady_state=column("ss"),
    )


@pytest.mark.parametrize("which", list(RECORDS))
def test_records_against_differences(compartments: Make, run_records: Any, which: str) -> None:
    model = compartments(2, initial={"central": "3*F"}, dynamics=_with_production(compartments))
    events = table(RECORDS[which])
    found = gradients(model, events, wrt=ALL)
    assert not found.statuses.any()
    np.testing.assert_allclose(found.times, TIMES[None, :])
    plain = sorted([*RECORDS[which], *({"time": t} for t in TIMES)], key=lambda r: r.get("time", 0))

    def solve(m: Model) -> Floats:
        rows, status = run_records(m, plain)
        assert status == 0
        return np.asarray(rows)[None, :]

    np.testing.assert_allclose(found.outputs["C"], solve(model), rtol=1e-10)
    compare(found, solve, model, 1e-8)


def _with_production(compartments: Make) -> dict[str, str]:
    dynamics = {e.name: e.text for e in compartments(2).dynamics}
    dynamics["central"] += " + 0.2*CL"
    return dynamics


@pytest.mark.parametrize("which", ["reset, reset and dose", "long infusions at steady state"])
def test_solver_follows_records_too(compartments: Make, which: str) -> None:
    events = table(RECORDS[which])
    exact = gradients(compartments(2), events, wrt=ALL)
    solved = gradients(hidden(compartments, 2), events, wrt=ALL, ode=TIGHT)
    for name in ALL:
        largest = np.abs(exact.of(name)).max()
        np.testing.assert_allclose(solved.of(name), exact.of(name), atol=1e-9 * largest)


def test_constant_infusion_of_a_nonlinear_system(saturable: Model) -> None:
    """Held at rate R the saturable system rests at C = KM R/(VM - R)."""
    events = table([{"evid": 1, "rate": 9.0, "ss": 1, "route": "iv"}], np.array([0.0]))
    found = gradients(saturable, events, wrt=["VM", "KM"], ode=TIGHT)
    assert found.outputs["C"][0, 0] == pytest.approx(0.4 * 9 / 16, rel=1e-9)
    assert found.of("KM", "C")[0, 0] == pytest.approx(9 / 16, rel=1e-8)
    assert found.of("VM", "C")[0, 0] == pytest.approx(-0.4 * 9 / 16**2, rel=1e-8)


# ---------------------------------------------------------------- chain rule


@pytest.fixture(scope="module")
def population() -> Model:
    """Individual parameters with random effects, a covariate and switches."""
    return build_model(
        {
            "id": "population",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {
                "TVCL": {"value": 5.0}, "TVV": {"value": 40.0}, "SLOPE": {"value": 0.75},
                "TOP": {"value": 90.0},
            },
            "covariates": {"WT": {"unit": "kg", "reference": 70.0}},
            "random_effects": {"eta_CL": {"variance": 0.1}, "eta_V": {"variance": 0.1}},
            "individual": {
                "SIZE": "min(WT, TOP)/70",
                "CL": "TVCL*SIZE^SLOPE*exp(eta_CL)",
                "V": "TVV*where(WT > 80, 1 + SLOPE, 1)*exp(eta_V)",
            },
            "dynamics": {"central": "-CL/V*central"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
        }
    )  # fmt: skip


def test_chain_rule_over_subjects(population: Model) -> None:
    weights = np.array([60.0, 85.0, 120.0])
    etas = np.array([[0.1, -0.2], [0.0, 0.3], [-0.4, 0.0]])
    times = np.array([1.0, 6.0, 20.0])
    found = gradients(
        population,
        "100 mg",
        wrt=["TVCL", "TVV", "SLOPE", "TOP", "WT", "eta_CL", "eta_V"],
        covariates={"WT": weights},
        etas=etas,
        times=times,
    )
    size = np.minimum(weights, 90.0) / 70.0
    cl = 5.0 * size**0.75 * np.exp(etas[:, 0])
    v = 40.0 * np.where(weights > 80, 1.75, 1.0) * np.exp(etas[:, 1])
    c = 100.0 / v[:, None] * np.exp(-(cl / v)[:, None] * times)
    by_cl = -c * times / v[:, None]
    by_v = c * (cl[:, None] * times / v[:, None] ** 2 - 1 / v[:, None])
    d_size = {"TOP": np.where(weights > 90, 1 / 70, 0), "WT": np.where(weights > 90, 0, 1 / 70)}
    expected = {
        "TVCL": by_cl * (cl / 5.0)[:, None],
        "TVV": by_v * (v / 40.0)[:, None],
        "SLOPE": by_cl * (cl * np.log(size))[:, None]
        + by_v * np.where(weights > 80, v / 1.75, 0.0)[:, None],
        "TOP": by_cl * (0.75 * cl / size * d_size["TOP"])[:, None],
        "WT": by_cl * (0.75 * cl / size * d_size["WT"])[:, None],
        "eta_CL": by_cl * cl[:, None],
        "eta_V": by_v * v[:, None],
    }
    np.testing.assert_allclose(found.outputs["C"], c, rtol=1e-12)
    for name, value in expected.items():
        np.testing.assert_allclose(found.of(name), value, rtol=1e-11, atol=1e-15, err_msg=name)


def test_threads_do_not_change_anything(compartments: Make, saturable: Model) -> None:
    for model, wrt in ((compartments(2), ALL), (saturable, tuple(saturable.parameters))):
        etas = np.zeros((9, 0))
        one = gradients(model, "60 mg q12h x3", wrt=wrt, etas=etas, times=TIMES)
        two = gradients(model, "60 mg q12h x3", wrt=wrt, etas=etas, times=TIMES, workers=2)
        for name, value in one.derivatives.items():
            np.testing.assert_array_equal(value, two.derivatives[name])


def test_an_output_that_is_not_linear(compartments: Make) -> None:
    outputs = {"E": {"expression": "CL*max(central/V, 0.5)^2 + LAG"}}
    model = compartments(1, outputs=outputs)
    found = gradients(model, "100 mg via iv", wrt=["V", "CL", "LAG"], times=[2.0, 30.0], ode=TIGHT)
    c = 100 / 40 * np.exp(-5 / 40 * 2.0)
    by_v = 5 * 2 * c * c * (5 * 2.0 / 40**2 - 1 / 40)
    np.testing.assert_allclose(found.of("V")[0], [by_v, 0.0], rtol=1e-9)
    np.testing.assert_allclose(found.of("CL")[0], [c * c * (1 - 2 * 5 * 2 / 40), 0.25], rtol=1e-9)
    np.testing.assert_allclose(found.of("LAG")[0], [1.0, 1.0])


def test_an_infusion_that_shrinks_to_a_bolus(compartments: Make) -> None:
    """The derivative by a duration of zero is the limit of those by short ones."""
    times = [2.0, 9.0]
    short = gradients(compartments(2, {"D": 1e-4}), "100 mg via zero", wrt=["D"], times=times)
    zero = gradients(compartments(2, {"D": 0.0}), "100 mg via zero", wrt=["D"], times=times)
    np.testing.assert_allclose(zero.of("D"), short.of("D"), rtol=1e-3)


# ---------------------------------------------------------------- what cannot be solved


def test_statuses(compartments: Make, saturable: Model) -> None:
    def status(model: Model, dose: str, **options: Any) -> int:
        wrt = [next(iter(model.parameters))]
        found = gradients(model, dose, wrt=wrt, times=[1.0, 30.0], **options)
        assert np.isnan(found.derivatives["C"]).all()
        assert np.isnan(found.outputs["C"]).all()
        assert "1 of 1 subjects could not be solved" in found.warnings
        assert [i for i, _ in found.failures] == [0]
        return int(found.statuses[0])

    assert status(compartments(1, {"LAG": -1.0}), "100 mg via lagged") == BAD_INPUT
    assert status(compartments(1, {"R": 0.0}), "100 mg via rate") == BAD_INPUT
    assert status(compartments(1, {"LAG": 13.0}), "100 mg via lagged q12h ss") == LAG_TOO_LONG
    assert status(compartments(1, {"CL": 0.0}), "100 mg via iv q12h ss") == NO_STEADY_STATE
    assert status(compartments(1, {"V": 0.0}), "100 mg via iv") == NOT_FINITE
    assert status(compartments(1, {"CL": -5e5}), "100 mg via iv") == NOT_FINITE
    assert status(hidden(compartments, 1, values={"V": 0.0}), "100 mg via iv") == NOT_FINITE
    assert status(saturable, "600 mg via iv q12h ss", ode=OdeOptions(periods=50)) == NOT_PERIODIC
    assert status(saturable, "60 mg", ode=OdeOptions(max_steps=3)) == TOO_MANY_STEPS


def test_one_subject_fails_alone(population: Model) -> None:
    etas = np.array([[0.0, 0.0], [800.0, 0.0], [0.1, 0.0]])
    found = gradients(population, "100 mg", wrt=["TVCL"], etas=etas, times=[5.0])
    assert found.statuses.tolist() == [0, NOT_FINITE, 0]
    assert np.isfinite(found.of("TVCL")).ravel().tolist() == [True, False, True]


def test_a_jump_that_states_decide_is_named(compartments: Make) -> None:
    dynamics = {"depot": "-KA*depot", "central": "KA*depot - where(central > 1, CL, 0)/V*central"}
    found = gradients(compartments(1, dynamics=dynamics), "100 mg", wrt=["CL"], times=[1.0])
    assert any("'where' switches the equations of central" in w for w in found.warnings)


def test_wrong_names_and_records(compartments: Make) -> None:
    model = compartments(1)
    with pytest.raises(UnknownNameError, match="VD"):
        gradients(model, "1 mg", wrt=["VD"])
    for wrt in ([], "CL"):
        with pytest.raises(InputError, match="at least one name"):
            gradients(model, "1 mg", wrt=wrt)
    with pytest.raises(InputError, match="twice"):
        gradients(model, "1 mg", wrt=["CL", "CL"])
    with pytest.raises(InputError, match="must be numbers"):
        gradients(model, "1 mg", wrt=["CL"], times=["soon"])
    with pytest.raises(InputError, match="hold their own"):
        gradients(model, table([{"evid": 1, "amt": 1}]), wrt=["CL"], times=[1.0])
    timed = compartments(1, dynamics={"depot": "-KA*depot", "central": "-CL/V*central*exp(-t)"})
    with pytest.raises(InputError, match="no steady state"):
        gradients(timed, "1 mg q12h ss", wrt=["CL"])
    found = gradients(model, "1 mg", wrt=["CL"], times=[1.0])
    with pytest.raises(UnknownNameError, match="KA"):
        found.of("KA")
    with pytest.raises(UnknownNameError, match="X"):
        found.of("CL", "X")
