"""Solutions of ready-made structures, against equations written by hand and solved by scipy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from statera.data import Dose, Regimen
from statera.model import Model, build_model, structure, structure_parameters
from statera.simulate import OdeOptions, simulate

Floats = NDArray[np.float64]

TIMES = np.linspace(0.0, 96.0, 193)
TIGHT = OdeOptions(rtol=1e-11, atol=1e-14)
KINETICS: dict[str, float] = {
    "CL": 5.0, "V": 40.0, "V1": 40.0, "Q": 8.0, "V2": 90.0, "Q2": 8.0, "Q3": 1.5, "V3": 300.0,
    "KA": 1.3, "D": 2.5, "FR": 0.6, "VM": 9.0, "KM": 0.4, "FM": 0.7, "CLM": 2.0, "VMET": 15.0,
    "KIN": 10.0, "KOUT": 0.2, "IMAX": 0.9, "IC50": 0.3, "EMAX": 2.5, "EC50": 0.8, "KE0": 0.15,
    "E0": 4.0, "KON": 0.8, "KOFF": 0.1, "KINT": 0.05, "KSYN": 0.3, "KDEG": 0.1, "KD": 0.125,
    "KSS": 0.1875, "MTT": 90.0, "CIRC0": 5.0, "GAMMA": 0.17, "SLOPE": 0.2, "NTR": 2.0,
}  # fmt: skip
P = KINETICS


def _model(name: str, change: dict[str, float] | None = None, **options: str) -> Model:
    numbers = KINETICS | (change or {})
    needs = structure_parameters(name, **options)  # type: ignore[arg-type]
    return build_model(structure(name, {k: numbers[k] for k in needs}, **options))  # type: ignore[arg-type]


def _run(model: Model, dose: str | Regimen = "100 mg q24h x3", **options: Any) -> dict[str, Floats]:
    options = {"times": TIMES, "windows": [], "typical": True, "ode": TIGHT} | options
    result = simulate(model, dose, **options)
    assert result.failures == ()
    return {name: values[0] for name, values in result.outputs.items()}


Rhs = Callable[[float, Floats], list[float]]


def _scipy(rhs: Rhs, start: list[float], into: int = 0, times: Floats = TIMES) -> Floats:
    """Solve with 100 into a state at 0, 24 and 48 h; returns (n_states, n_times)."""
    found = np.zeros((len(start), times.size))
    state = np.array(start)
    bounds = [0.0, 24.0, 48.0, times[-1]]
    for k in range(3):
        state[into] += 100.0
        here = (times >= bounds[k]) & (times <= bounds[k + 1])
        solved = solve_ivp(
            rhs, (bounds[k], bounds[k + 1]), state, method="DOP853", rtol=1e-12, atol=1e-13,
            t_eval=np.unique(np.append(times[here], bounds[k + 1])),
        )  # fmt: skip
        found[:, here] = solved.y[:, : here.sum()]
        state = solved.y[:, -1].copy()
    return found


def _close(found: Floats, expected: Floats) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())


def _before_doses() -> NDArray[np.bool_]:
    """A regimen's dose stands before an observation of its time, as the last value in `_scipy`."""
    return ~np.isin(TIMES, [24.0, 48.0])


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("absorption", ["iv", "oral", "zero_order"])
def test_kinetics_against_the_textbook(textbook: Any, n: int, absorption: str) -> None:
    model = _model(f"{n}cmt_{absorption}")
    assert simulate(model, "1 mg").solver.endswith("closed form")
    book = textbook(n)
    found = _run(model, "100 mg")["C"]
    formula = {"iv": book.bolus, "oral": book.oral}
    if absorption == "zero_order":
        expected = book.infusion(TIMES, P["D"])
    else:
        expected = formula[absorption](TIMES)
    np.testing.assert_allclose(found, 100 * expected, rtol=1e-9, atol=1e-13)


def test_parallel_absorption_is_the_sum_of_its_parts(textbook: Any) -> None:
    book = textbook(2)
    expected = P["FR"] * book.oral(TIMES) + (1 - P["FR"]) * book.infusion(TIMES, P["D"])
    found = _run(_model("2cmt_parallel"), "100 mg")["C"]
    np.testing.assert_allclose(found, 100 * expected, rtol=1e-9, atol=1e-12)


def test_infusions_go_the_same_way(textbook: Any) -> None:
    found = _run(_model("2cmt_iv"), "100 mg over 3 h")["C"]
    np.testing.assert_allclose(found, 100 * textbook(2).infusion(TIMES, 3.0), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("elimination", ["mm", "mixed"])
def test_saturable_elimination(elimination: str) -> None:
    linear = P["CL"] if elimination == "mixed" else 0.0

    def rhs(_: float, x: Floats) -> list[float]:
        c = x[1] / P["V1"]
        lost = linear * c + P["VM"] * c / (P["KM"] + c)
        there = P["Q"] * c - P["Q"] / P["V2"] * x[2]
        return [-P["KA"] * x[0], P["KA"] * x[0] - lost - there, there]

    found = _run(_model("2cmt_oral", elimination=elimination))["C"]
    _close(found, _scipy(rhs, [0.0, 0.0, 0.0])[1] / P["V1"])


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_indirect_responses(kind: int) -> None:
    def rhs(_: float, x: Floats) -> list[float]:
        c = x[1] / P["V"]
        change = 1 - P["IMAX"] * c / (P["IC50"] + c) if kind < 3 else (
            1 + P["EMAX"] * c / (P["EC50"] + c)
        )  # fmt: skip
        made = P["KIN"] * (change if kind in (1, 3) else 1.0)
        lost = P["KOUT"] * (change if kind in (2, 4) else 1.0)
        return [-P["KA"] * x[0], P["KA"] * x[0] - P["CL"] * c, made - lost * x[2]]

    found = _run(_model(f"indirect_response_{kind}", pk="1cmt_oral"))["R"]
    _close(found, _scipy(rhs, [0.0, 0.0, P["KIN"] / P["KOUT"]])[2])


def test_effect_compartment() -> None:
    def rhs(_: float, x: Floats) -> list[float]:
        c = x[0] / P["V"]
        return [-P["CL"] * c, P["KE0"] * (c - x[1])]

    found = _run(_model("effect_compartment"))
    site = _scipy(rhs, [0.0, 0.0])[1]
    _close(found["CE"], site)
    _close(found["E"], P["E0"] + P["EMAX"] * site / (P["EC50"] + site))


def test_parent_and_metabolite() -> None:
    def rhs(_: float, x: Floats) -> list[float]:
        lost = P["CL"] / P["V"] * x[0]
        return [-lost, P["FM"] * lost - P["CLM"] / P["VMET"] * x[1]]

    _close(_run(_model("parent_metabolite"))["CMET"], _scipy(rhs, [0.0, 0.0])[1] / P["VMET"])


def test_full_target_mediated_disposition() -> None:
    def rhs(_: float, x: Floats) -> list[float]:
        c = x[0] / P["V1"]
        there = P["Q"] * c - P["Q"] / P["V2"] * x[1]
        binds = P["KON"] * c * x[2] - P["KOFF"] * x[3]
        return [
            -P["CL"] * c - there - P["V1"] * binds, there,
            P["KSYN"] - P["KDEG"] * x[2] - binds, binds - P["KINT"] * x[3],
        ]  # fmt: skip

    found = _run(_model("tmdd_full", pk="2cmt_iv"))
    expected = _scipy(rhs, [0.0, 0.0, P["KSYN"] / P["KDEG"], 0.0])
    where = _before_doses()
    _close(found["C"][where], expected[0][where] / P["V1"])
    _close(found["R"], expected[2])
    _close(found["RC"], expected[3])


@pytest.mark.parametrize(("name", "constant"), [("tmdd_qe", "KD"), ("tmdd_qss", "KSS")])
def test_fast_binding(name: str, constant: str) -> None:
    def free(total: float, target: float) -> float:
        roots = np.roots([1.0, -(total - target - P[constant]), -P[constant] * total])
        return float(roots.real.max())

    def rhs(_: float, x: Floats) -> list[float]:
        c = free(x[0] / P["V"], x[1])
        bound = x[1] * c / (P[constant] + c)
        return [
            -P["CL"] * c - P["V"] * P["KINT"] * bound,
            P["KSYN"] - P["KDEG"] * x[1] - (P["KINT"] - P["KDEG"]) * bound,
        ]  # fmt: skip

    found = _run(_model(name))
    expected = _scipy(rhs, [0.0, P["KSYN"] / P["KDEG"]])
    where = _before_doses()
    _close(found["CTOT"][where], expected[0][where] / P["V"])
    _close(found["RTOT"], expected[1])


def test_fast_binding_is_the_limit_of_full_binding() -> None:
    """With rates of binding raised together the full model tends to equilibrium, to first order."""
    limit = _run(_model("tmdd_qe"))["CTOT"]
    apart = []
    for speed in (1e3, 1e4):
        rates = {"KOFF": speed, "KON": speed / P["KD"]}
        full = _run(_model("tmdd_full", rates), ode=OdeOptions(rtol=1e-9, method="rodas5p"))
        total = full["C"] + full["RC"]
        apart.append(float(np.abs(total - limit)[1:].max() / limit.max()))
    assert apart[0] < 1e-3
    assert apart[1] < 0.2 * apart[0]


def test_saturated_target_is_mixed_elimination() -> None:
    one = _run(_model("tmdd_mm", pk="2cmt_oral"))["C"]
    other = _run(_model("2cmt_oral", elimination="mixed"))["C"]
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_myelosuppression() -> None:
    ktr = 4 / P["MTT"]
    times = np.linspace(0.0, 600.0, 201)

    def rhs(_: float, x: Floats) -> list[float]:
        c = x[0] / P["V"]
        kill = ktr * x[1] * (1 - P["SLOPE"] * c) * (P["CIRC0"] / x[5]) ** P["GAMMA"]
        chain = [ktr * (x[i - 1] - x[i]) for i in (2, 3, 4, 5)]
        return [-P["CL"] * c, kill - ktr * x[1], *chain]

    found = _run(_model("friberg"), times=times)["CIRC"]
    expected = _scipy(rhs, [0.0, *[P["CIRC0"]] * 5], times=times)[5]
    _close(found, expected)
    assert expected.min() < 0.9 * P["CIRC0"]  # there was something to suppress


@pytest.mark.parametrize(
    ("name", "output", "level"),
    [
        ("turnover", "R", P["KIN"] / P["KOUT"]),
        ("indirect_response_2", "R", P["KIN"] / P["KOUT"]),
        ("tmdd_full", "R", P["KSYN"] / P["KDEG"]),
        ("tmdd_qss", "RTOT", P["KSYN"] / P["KDEG"]),
        ("friberg", "CIRC", P["CIRC0"]),
    ],
)
def test_baselines_stay_without_drug(name: str, output: str, level: float) -> None:
    found = _run(_model(name), Regimen((Dose(0.0, 1e-30),)))[output]
    np.testing.assert_allclose(found, level, rtol=1e-10)
