"""Predictions of NONMEM for 13 models, at random effects of 0 and at individual estimates.

Together they have lags, modelled durations, dual absorption, a metabolite, saturable elimination,
covariates that change from record to record, and occasions at steady state.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import EventData, read_events
from statera.model import Model, build_model
from statera.simulate import EventsResult, OdeOptions, simulate_events

pytestmark = pytest.mark.reference

RUNS = {
    "run001": 30, "run003": 30, "run004": 30, "run006": 30, "run101": 30, "run201": 30,
    "run301": 30, "run401": 60, "run403": 30, "run405": 30, "run407": 30, "run501": 30,
    "run911": 18,
}  # fmt: skip
"""Observations compared of each model; a smaller number means that the comparison has shrunk."""

RELATIVE = 1e-7
"""NONMEM prints nine digits; its solver was asked for eight. The largest difference is 5e-8."""

ODE = OdeOptions(rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    found = reference / "ebe"
    if not found.is_dir():
        pytest.skip(f"no predictions by NONMEM in {found}")
    return found


def _spec(folder: Path, run: str) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads((folder / f"{run}_model.json").read_text(encoding="utf-8"))
    return spec


def _equations(spec: dict[str, Any]) -> dict[str, str]:
    """Individual parameters; a conditional assignment keeps what stood before otherwise."""
    found: dict[str, str] = {}
    for row in spec["pk"]:
        text = row["expr"].replace("**", "^")
        if "if" in row:
            text = f"where({row['if']}, {text}, {found[row['set']]})"
        found[row["set"]] = text
    return found


def _flows(spec: dict[str, Any], individual: dict[str, str]) -> dict[str, str]:
    """Equations as given, or from rate constants Kij (0 is out of the body)."""
    if spec.get("des"):
        return {f"A{row['dadt']}": row["expr"] for row in spec["des"]}
    terms: dict[int, str] = dict.fromkeys(range(1, spec["ncmt"] + 1), "0")
    for name in individual:
        match = re.fullmatch(r"K(\d)(\d)", name)
        if match:
            source, target = int(match[1]), int(match[2])
            terms[source] += f" - {name}*A{source}"
            if target:
                terms[target] += f" + {name}*A{source}"
    return {f"A{i}": text for i, text in terms.items()}


def _model(spec: dict[str, Any]) -> Model:
    individual = _equations(spec)
    dynamics = _flows(spec, individual)
    inputs = {}
    for i in range(1, spec["ncmt"] + 1):
        process = {"kind": "bolus", "into": f"A{i}"}
        for key, name in (("bioavailability", "F"), ("lag", "ALAG"), ("duration", "D")):
            if f"{name}{i}" in individual:
                process[key] = f"{name}{i}"
        inputs[f"A{i}"] = [process]
    scales = [name for name in individual if re.fullmatch(r"S\d", name)]
    texts = " ".join(individual.values())
    covariates = [name for name in ("BW", "SEX", "CYCLE") if re.search(rf"\b{name}\b", texts)]
    return build_model(
        {
            "id": spec["model"],
            "units": {"time": "h", "amount": "mg"},
            "parameters": {f"THETA{i}": {"value": x} for i, x in enumerate(spec["theta"], 1)}
            | {"unused": {"value": 0.0}},
            "random_effects": {f"ETA{i}": {"variance": 0.0} for i in range(1, spec["neta"] + 1)},
            "covariates": {name: {"unit": "", "reference": 1.0} for name in covariates},
            "individual": individual,
            "dynamics": dynamics,
            "inputs": inputs,
            "outputs": {f"C{s[1:]}": {"expression": f"A{s[1:]}/{s}"} for s in scales},
        }
    )


def _etas(folder: Path, run: str, n_eta: int) -> NDArray[np.float64]:
    with (folder / f"{run}_ebe.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(r[f"ETA({i})"]) for i in range(1, n_eta + 1)] for r in rows])


def _observed_output(result: EventsResult, data: EventData) -> NDArray[np.float64]:
    """Return the output of the compartment that each observation record names."""
    return np.array([result.outputs[f"C{c}"][i] for i, c in enumerate(data.compartment)])


def _printed(folder: Path, run: str, column: str) -> NDArray[np.float64]:
    with (folder / f"{run}_data.csv").open(encoding="utf-8", newline="") as file:
        return np.array([float(r[column]) for r in csv.DictReader(file) if r["evid"] == "0"])


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("column", ["NM_PRED", "NM_IPRED"])
def test_predictions_agree(folder: Path, run: str, column: str) -> None:
    spec = _spec(folder, run)
    model = _model(spec)
    data = read_events(folder / f"{run}_data.csv", covariates=list(model.covariates))
    etas = np.zeros((data.events.n_groups, spec["neta"]))
    if column == "NM_IPRED":
        etas = _etas(folder, run, spec["neta"])
    result = simulate_events(model, data, etas=etas, ode=ODE)
    assert not result.failures
    found = _observed_output(result, data)
    if run == "run407" and column == "NM_PRED":
        found = np.log(found)
    printed = _printed(folder, run, column)
    assert printed.size == found.size == RUNS[run]
    np.testing.assert_allclose(found, printed, rtol=RELATIVE)
