"""Second derivatives against textbooks, differences of first ones, and between the solvers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.errors import InputError, UnknownNameError
from statera.model import Model, build_model
from statera.simulate import GradientResult, OdeOptions, gradients

Make = Callable[..., Model]
Floats = NDArray[np.float64]

TIGHT = OdeOptions(rtol=1e-11, atol=1e-16, period_rtol=1e-9)


def hidden(compartments: Make, n: int, **tables: Any) -> Model:
    """The same equations written so that they are not recognised as linear."""
    dynamics = {e.name: e.text for e in compartments(n).dynamics}
    dynamics["central"] += " + 1e-300*central^2"
    return compartments(n, dynamics=dynamics, **tables)


# ---------------------------------------------------------------- textbook solutions

T, DOSE = sp.Symbol("t"), 100
CL, V, KA, LAG, F, D = symbols = sp.symbols("CL V KA LAG F D")
K = CL / V
_LAGGED = F * DOSE * KA / (V * (KA - K)) * (sp.exp(-K * (T - LAG)) - sp.exp(-KA * (T - LAG)))
_RISING = F * DOSE / (D * CL) * (1 - sp.exp(-K * (T - LAG)))
_FALLING = F * DOSE / (D * CL) * (1 - sp.exp(-K * D)) * sp.exp(-K * (T - LAG - D))
BOOKS: dict[str, Callable[[float], sp.Expr]] = {
    "iv": lambda t: DOSE / V * sp.exp(-K * T),
    "lagged": lambda t: _LAGGED if t > 0.7 else sp.Integer(0),
    "zero": lambda t: sp.Integer(0) if t < 0.7 else (_RISING if t < 3.2 else _FALLING),
}


@pytest.mark.parametrize("route", list(BOOKS))
@pytest.mark.parametrize("closed", [True, False])
def test_textbook_curvatures(compartments: Make, route: str, closed: bool) -> None:
    """Bolus, lagged absorption, lagged infusion of an estimated duration; 40 digits."""
    model = compartments(1) if closed else hidden(compartments, 1)
    values = {s: sp.Rational(str(model.parameters[s.name].value)) for s in symbols}
    times = np.array([0.25, 0.9, 1.6, 2.9, 3.4, 7.0, 21.0])
    names = [s.name for s in symbols]
    found = gradients(model, f"100 mg via {route}", wrt=names, second=names, times=times, ode=TIGHT)
    for i, one in enumerate(symbols):
        for two in symbols[: i + 1]:
            book = [
                float(sp.diff(BOOKS[route](t), one, two).subs(values).subs(T, sp.Rational(str(t)))
                      .evalf(40))
                for t in times
            ]  # fmt: skip
            largest = np.abs(book).max()
            np.testing.assert_allclose(
                found.curvature(one.name, two.name)[0], book, rtol=0,
                atol=(1e-12 if closed else 1e-8) * largest + 1e-15, err_msg=f"{one} {two}",
            )  # fmt: skip


# ---------------------------------------------------------------- a model with everything

NAMES = ("TVCL", "TVV", "KA", "TF", "TLAG", "TD", "START")
VALUES = dict(zip(NAMES, (4.0, 40.0, 0.1, 0.9, 1.2, 0.8, 3.0), strict=True))
WRT = (*NAMES, "eta")
EQUAL = 50.0 * np.exp(-0.16)
"""Weight at which absorption coincides with elimination: there are no modes."""


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "id": "test/curved",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {name: {"value": value} for name, value in VALUES.items()},
        "covariates": {"W": {"unit": "kg", "reference": 70.0}},
        "random_effects": {"eta": {"variance": 0.1}},
        "individual": {
            "CL": "TVCL*W/50*exp(0.8*eta)", "V": "TVV*exp(0.2*eta)*(W/50)^TF", "F1": "TF*50/W",
            "LAG": "TLAG*W/25*exp(0.1*eta)", "D": "TD*W/20", "R": "30/TD*W/50",
        },
        "dynamics": {
            "depot": "-KA*depot",
            "central": "KA*depot - CL/TVV*central + 0.3*TF*W/50",
            "deep": "0.2*central - 0.05*deep",
        },
        "initial": {"deep": "START^2*W/50"},
        "inputs": {
            "oral": [{"kind": "bolus", "into": "depot"}],
            "late": [{"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F1"}],
            "slow": [{"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG",
                      "bioavailability": "F1"}],
            "paced": [{"kind": "zero_order", "into": "central", "rate": "R", "lag": "LAG",
                       "bioavailability": "F1"}],
        },
        "outputs": {
            "C": {"expression": "central/V*W"}, "B": {"expression": "depot + deep + TF^2*W"},
        },
    } | changes  # fmt: skip


@lru_cache(maxsize=2)
def made(closed: bool) -> Model:
    if closed:
        return build_model(spec())
    dynamics = dict(spec()["dynamics"])
    dynamics["central"] += " + 1e-300*central^2"
    return build_model(spec(id="test/bent", dynamics=dynamics))


WEIGHTS = [60.0, 50.0, 110.0, 85.0, 50.0, 50.0, 30.0, 140.0, 70.0, 66.0]
TIMES = [1.0, 2.53, 4.5, 6.07, 9.0, 12.1, 13.0, 24.3, 30.0, 48.9]
CASES: dict[str, dict[str, Any]] = {
    "a lag and further doses": {"route": "late", "ii": 7.0, "addl": 5},
    "overlapping modelled durations": {"route": "slow", "ii": 2.0, "addl": 8},
    "a modelled rate": {"route": "paced", "ii": 9.0, "addl": 2},
    "an infusion of given rate": {"route": "slow", "rate": 12.0},
    "a steady state after a lag": {"route": "late", "ii": 12.0, "ss": 1},
    "a steady state of long infusions": {"route": "slow", "rate": 5.2, "ii": 9.0, "ss": 1},
    "a steady state of modelled rates": {"route": "paced", "ii": 12.0, "ss": 1},
    "a steady state of modelled durations": {"route": "slow", "ii": 9.0, "ss": 1},
    "an infusion for ever": {"route": "slow", "amt": 0.0, "rate": 7.0, "ss": 1},
}


def table(records: Sequence[Mapping[str, Any]]) -> EventTable:
    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in records]

    return events_from_columns(
        subject=["1"] * len(records),
        time=column("time"),
        evid=column("evid"),
        amount=column("amt"),
        route=[str(r.get("route", "oral")) for r in records],
        rate=column("rate"),
        interval=column("ii"),
        additional=column("addl"),
        steady_state=column("ss"),
        covariates={"W": column("W")},
    )


def case(name: str, weight: float | None) -> EventTable:
    """The case with the weights above, or with one weight for all records."""
    dose = {"time": 0.5, "evid": 1, "amt": 100.0, "W": 80.0} | CASES[name]
    seen = [{"time": t, "W": w} for t, w in zip(TIMES, WEIGHTS, strict=True)]
    records = [{"time": 0.0, "W": 75.0}, dose, *seen]
    return table(records if weight is None else [r | {"W": weight} for r in records])


def compare(
    found: GradientResult, solve: Callable[..., GradientResult], values: Mapping[str, float],
    rtol: float, loss: float = 1e-12,
) -> None:  # fmt: skip
    """Every second derivative against differences of order 6 of first ones, by its largest."""
    for name in found.second:
        step = 1e-3 * (abs(values[name]) if name in values else 1.0)
        shifts = (1, -1, 2, -2, 3, -3)
        runs = [solve(name, k * step) for k in shifts]
        for output, bends in found.curvatures.items():
            a = [run.derivatives[output] for run in runs]
            wanted = (45 * (a[0] - a[1]) - 9 * (a[2] - a[3]) + a[4] - a[5]) / (60 * step)
            for j, other in enumerate(found.wrt):
                noise = loss * np.nanmax(np.abs(found.derivatives[output][:, :, j])) / step
                np.testing.assert_allclose(
                    bends[:, :, j, found.second.index(name)], wanted[:, :, j], rtol=0,
                    atol=rtol * np.nanmax(np.abs(wanted[:, :, j])) + noise,
                    err_msg=f"{output} by {name} and {other}",
                )  # fmt: skip


@pytest.mark.parametrize("weight", [None, 75.0, EQUAL])
@pytest.mark.parametrize("which", CASES)
def test_closed_form_against_differences(which: str, weight: float | None) -> None:
    model, events = made(True), case(which, weight)

    def solve(name: str, shift: float) -> GradientResult:
        if name == "eta":
            return gradients(model, events, wrt=WRT, etas=np.array([[0.2 + shift]]))
        changed = {name: VALUES[name] + shift}
        return gradients(model, events, wrt=WRT, etas=np.array([[0.2]]), parameters=changed)

    found = gradients(model, events, wrt=WRT, second=WRT, etas=np.array([[0.2]]))
    assert "closed form" in found.solver
    assert not found.failures
    for output, slopes in solve("eta", 0.0).derivatives.items():
        for j in range(len(WRT)):
            largest = np.abs(slopes[:, :, j]).max()
            np.testing.assert_allclose(
                found.derivatives[output][:, :, j], slopes[:, :, j], atol=1e-11 * largest + 1e-14
            )
    compare(found, solve, VALUES, 1e-8)


@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
@pytest.mark.parametrize("weight", [None, 75.0])
@pytest.mark.parametrize("which", CASES)
def test_a_solver_gives_the_same(which: str, weight: float | None, method: Any) -> None:
    events, etas = case(which, weight), np.array([[0.2]])
    ode = OdeOptions(rtol=1e-10, atol=1e-15, method=method, period_rtol=1e-9)
    exact = gradients(made(True), events, wrt=WRT, second=WRT, etas=etas)
    solved = gradients(made(False), events, wrt=WRT, second=WRT, etas=etas, ode=ode)
    assert not solved.failures
    for output, bends in exact.curvatures.items():
        largest = np.abs(bends).max(axis=(0, 1))
        error = np.abs(solved.curvatures[output] - bends).max(axis=(0, 1))
        assert (error <= 1e-7 * largest + 1e-9).all()


def test_fewer_names_and_other_columns_give_the_same() -> None:
    """One name in `second` is solved by its own columns, many by the individual parameters'."""
    events, etas = case("overlapping modelled durations", 75.0), np.array([[0.2]])
    for closed in (True, False):
        options: Any = {"etas": etas, "ode": TIGHT}
        every = gradients(made(closed), events, wrt=WRT, second=WRT, **options)
        for name in WRT:
            one = gradients(made(closed), events, wrt=WRT, second=[name], **options)
            for other in WRT:
                wanted = every.curvature(other, name, "B")
                np.testing.assert_allclose(
                    one.curvature(name, other, "B"), wanted, rtol=0,
                    atol=1e-9 * np.abs(wanted).max() + 1e-9,
                )  # fmt: skip


# ---------------------------------------------------------------- systems that are not linear


@lru_cache(maxsize=2)
def saturable(hill: float) -> tuple[Model, dict[str, float]]:
    """Saturable elimination, an inhibited response with a Hill coefficient, a daily rhythm."""
    values = {
        "VM": 25.0, "KM": 0.4, "V": 30.0, "KA": 0.9, "LAG": 0.6, "F": 0.7, "D": 2.2,
        "KIN": 4.0, "KOUT": 0.2, "IC": 0.3, "H": hill, "AMP": 0.3,
    }  # fmt: skip
    model = build_model(
        {
            "id": "saturable",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - VM*central/V/(KM + central/V)",
                "response": "KIN/(1 + (central/V/IC)^H) - KOUT*response",
            },
            "initial": {"response": "KIN/KOUT"},
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F"}],
                "iv": [{"kind": "bolus", "into": "central", "lag": "LAG"}],
                "zero": [{"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG"}],
            },
            "outputs": {
                "R": {"expression": "response^2/(1 + response)"},
                "C": {"expression": "central/V", "unit": "mg/L"},
            },
        }
    )  # fmt: skip
    return model, values


@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
@pytest.mark.parametrize(
    "dose",
    ["60 mg via iv q12h x3", "90 mg via zero q12h x2", "90 mg via oral q12h ss",
     "60 mg via iv q12h ss"],
)  # fmt: skip
def test_nonlinear_against_differences(dose: str, method: Any) -> None:
    # at H < 2 curvature is infinite at a concentration of zero, where the infusion starts
    model, values = saturable(2.6 if "zero" in dose else 1.6)
    names = ["VM", "KM", "V", "KA", "LAG", "F", "D", "H"]
    times = np.linspace(0.13, 30.13, 16)
    ode = OdeOptions(rtol=1e-11, atol=1e-16, period_rtol=1e-9, method=method)

    def solve(name: str, shift: float) -> GradientResult:
        changed = {name: values[name] + shift}
        found = gradients(model, dose, wrt=names, times=times, parameters=changed, ode=TIGHT)
        assert not found.failures
        return found

    found = gradients(model, dose, wrt=names, second=["VM", "LAG", "D", "H"], times=times, ode=ode)
    assert not found.failures
    compare(found, solve, values, 2e-6, TIGHT.rtol)


def test_equations_that_hold_the_time() -> None:
    """A lagged bolus into a system that drifts: x' = -k t x, x(T) = F dose."""
    model = build_model(
        {
            "id": "drifting",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 0.03}, "LAG": {"value": 1.5}, "F": {"value": 0.8}},
            "dynamics": {"x": "-K*t*x"},
            "inputs": {
                "late": [{"kind": "bolus", "into": "x", "lag": "LAG", "bioavailability": "F"}]
            },
            "outputs": {"X": {"expression": "x"}},
        }
    )
    k, lag, f = sp.symbols("K LAG F")
    book = 100 * f * sp.exp(-k * (T**2 - lag**2) / 2)
    at = {k: sp.Rational("0.03"), lag: sp.Rational("1.5"), f: sp.Rational("0.8")}
    names = ["K", "LAG", "F"]
    for method in ("tsit5", "rodas5p"):
        ode = OdeOptions(rtol=1e-11, atol=1e-14, method=method)  # type: ignore[arg-type]
        found = gradients(model, "100 mg", wrt=names, second=names, times=[2.0, 5.0], ode=ode)
        for one in (k, lag, f):
            for two in (k, lag, f):
                wanted = [float(sp.diff(book, one, two).subs(at).subs(T, t)) for t in (2, 5)]
                np.testing.assert_allclose(
                    found.curvature(one.name, two.name)[0], wanted, rtol=1e-7, atol=1e-7
                )


def test_a_hill_function_that_starts_at_zero() -> None:
    """Its curvature is infinite there for 1 < H < 2, but nothing moves the state at that time."""
    model, _ = saturable(1.6)
    found = gradients(
        model, "90 mg via oral", wrt=["VM", "H"], second=["VM", "H"], times=[0.3, 9.0]
    )
    assert not found.failures
    assert np.isfinite(found.curvatures["R"]).all()
    assert abs(found.curvature("VM", "VM")[0, 1]) > 0.0


# ---------------------------------------------------------------- names and refusals


def test_names_and_their_order(compartments: Make) -> None:
    found = gradients(compartments(1), "100 mg", wrt=["CL", "V", "F"], second=["V", "CL"])
    assert found.curvatures["C"].shape[2:] == (3, 2)
    np.testing.assert_array_equal(found.curvature("CL", "V"), found.curvature("V", "CL"))
    np.testing.assert_array_equal(found.curvature("F", "V"), found.curvature("V", "F"))
    np.testing.assert_array_equal(found.curvatures["C"][:, :, 1, 0], found.curvature("V", "V"))
    assert gradients(compartments(1), "100 mg", wrt=["CL"]).curvatures == {}
    with pytest.raises(UnknownNameError, match="second"):
        found.curvature("F", "F")
    with pytest.raises(UnknownNameError, match="KA"):
        found.curvature("KA", "CL")
    with pytest.raises(UnknownNameError, match="output"):
        found.curvature("CL", "CL", "E")
    with pytest.raises(UnknownNameError, match="wrt"):
        gradients(compartments(1), "100 mg", wrt=["CL"], second=["V"])
    with pytest.raises(InputError, match="twice in second"):
        gradients(compartments(1), "100 mg", wrt=["CL"], second=["CL", "CL"])
    with pytest.raises(InputError, match="list"):
        gradients(compartments(1), "100 mg", wrt=["CL"], second="CL")


def test_an_infusion_that_lasts_no_time_is_refused(compartments: Make) -> None:
    """A bolus in its middle is right to first order only."""
    model = compartments(1, {"D": 0.0})
    with pytest.raises(InputError, match="lasts no time"):
        gradients(model, "100 mg via zero", wrt=["D", "CL"], second=["CL"])
    found = gradients(model, "100 mg via zero", wrt=["F", "CL"], second=["CL"], times=[5.0])
    assert found.curvature("F", "CL")[0, 0] == pytest.approx(
        found.of("CL")[0, 0] / model.parameters["F"].value
    )


def test_subjects_and_threads(compartments: Make) -> None:
    model = made(True)
    etas = np.linspace(-0.5, 0.5, 7)[:, None]
    options: Any = {"wrt": WRT, "second": WRT, "times": [2.0, 9.0]}
    whole = gradients(model, "100 mg via late q8h x3", etas=etas, workers=3, **options)
    for s in range(7):
        alone = gradients(model, "100 mg via late q8h x3", etas=etas[s : s + 1], **options)
        np.testing.assert_allclose(
            whole.curvatures["C"][s], alone.curvatures["C"][0], rtol=1e-12, atol=1e-13
        )
