"""Stiff reference problems: states by two independent solvers at 1e-12."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import events_from_columns
from statera.model import Model, build_model
from statera.simulate import OdeOptions
from statera.simulate.arrays import individual_values
from statera.simulate.solve_ode import solve_ode

pytestmark = pytest.mark.reference

Floats = NDArray[np.float64]


def _read(reference: Path, name: str) -> tuple[Floats, Floats, dict[str, float]]:
    path = reference / "engine" / f"ref_{name}.npz"
    if not path.is_file():
        pytest.skip(f"no reference solution {path}")
    with np.load(path) as file:
        values = dict(zip(map(str, file["pn"]), map(float, file["p"]), strict=True))
        return file["ts"], file["y"], values


def _model(
    name: str, dynamics: dict[str, str], initial: dict[str, str], values: dict[str, float]
) -> Model:
    return build_model(
        {
            "id": name,
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": dynamics,
            "initial": initial,
            "inputs": {"none": [{"kind": "bolus", "into": next(iter(dynamics))}]},
            "outputs": {f"out_{s}": {"expression": s} for s in dynamics},
        }
    )


def robertson(values: dict[str, float]) -> Model:
    """Robertson 1966: autocatalysis with rates over nine orders of magnitude."""
    fast, last = "k2*y2*y3", "k3*y2^2"
    dynamics = {"y1": f"-k1*y1 + {fast}", "y2": f"k1*y1 - {fast} - {last}", "y3": last}
    return _model("robertson", dynamics, {"y1": "1"}, values)


def boehm(values: dict[str, float]) -> Model:
    """Boehm 2014: phosphorylation, dimers, import and export of STAT5A and STAT5B."""
    make, go, back = "1.25e-7*exp(-Epo_degradation_BaF3*t)*k_phos", "k_imp", "k_exp"
    aa, ab, bb = f"{make}*A^2", f"{make}*A*B", f"{make}*B^2"
    share = "0.45/1.4"
    dynamics = {
        "A": f"-2*{aa} - {ab} + {share}*(2*{back}_homo*nAA + {back}_hetero*nAB)",
        "B": f"-2*{bb} - {ab} + {share}*(2*{back}_homo*nBB + {back}_hetero*nAB)",
        "pAB": f"{ab} - {go}_hetero*pAB",
        "pAA": f"{aa} - {go}_homo*pAA",
        "pBB": f"{bb} - {go}_homo*pBB",
        "nAA": f"{go}_homo*pAA/({share}) - {back}_homo*nAA",
        "nAB": f"{go}_hetero*pAB/({share}) - {back}_hetero*nAB",
        "nBB": f"{go}_homo*pBB/({share}) - {back}_homo*nBB",
    }
    initial = {"A": "207.6*0.693", "B": "207.6 - 207.6*0.693"}
    return _model("boehm", dynamics, initial, values)


PROBLEMS = {"robertson": robertson, "boehm": boehm}


def _solve(model: Model, times: Floats, options: OdeOptions) -> tuple[Floats, str]:
    zero: list[float] = [0.0] * times.size
    events = events_from_columns(
        subject=["s"] * times.size, time=list(times), evid=zero, amount=zero,
        route=["none"] * times.size, rate=zero, interval=zero, additional=zero, steady_state=zero,
    )  # fmt: skip
    values = individual_values(model, {}, np.zeros((1, 0)))
    rows, _, statuses, how = solve_ode(model, values, events, np.zeros((0, 2)), 1, 1, options)
    assert statuses[0] == 0
    return rows[0], how


@pytest.mark.parametrize(("rtol", "allowed"), [(1e-6, 3e-6), (1e-8, 3e-8), (1e-10, 2e-9)])
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["auto", "rodas5p"])
def test_states(reference: Path, name: str, rtol: float, allowed: float, method: Any) -> None:
    times, expected, values = _read(reference, name)
    found, how = _solve(PROBLEMS[name](values), times, OdeOptions(method=method, rtol=rtol))
    assert "Rodas5P" in how
    assert expected.shape == {"robertson": (9, 3), "boehm": (16, 8)}[name]
    # the error of a state counts from a thousandth of its largest size, as in the solver
    scale = np.maximum(np.abs(expected), 1e-3 * np.abs(expected).max(axis=0))
    assert (np.abs(found - expected) / scale).max() < 10 * allowed
    assert (np.abs(found - expected) / np.abs(expected).max(axis=0)).max() < allowed
