"""Predictions of diagnostics against those that NONMEM printed at fixed parameters."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from statera.data import read_data
from statera.estimate import FitResult, LaplaceOptions, ProblemOptions, make_problem
from statera.estimate.diagnostics import diagnose
from statera.estimate.outer import Objective
from statera.model import build_model

SPEC = {
    "id": "run001",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"p2": {"value": 0.05, "unit": ""}},
    "random_effects": {f"e{i}": {"variance": 0.2} for i in (1, 2, 3)},
    "individual": {"CL": "4*exp(e1)", "V": "70*exp(e2)", "KA": "exp(e3)"},
    "dynamics": {"depot": "-KA*depot", "central": "KA*depot - CL/V*central"},
    "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
    "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
    "residual": {"C": {"variance": "p2*C^2"}},
}


def at_the_start(data: object) -> FitResult:
    """A fit that stays at its initial values."""
    problem = make_problem(build_model(SPEC), data, ProblemOptions())  # type: ignore[arg-type]
    total, at = Objective(problem, LaplaceOptions()).value(problem.start)
    theta, omega, _ = problem.unpack(problem.start)
    return FitResult(
        problem, "focei", theta, omega, total, at.objective, at.inner.etas,
        np.linalg.inv(at.half), "converged", (), problem.warnings, 0.0,
    )  # fmt: skip


@pytest.mark.reference
def test_predictions_of_nonmem(reference: Path) -> None:
    folder = reference / "ebe"
    with (folder / "run001_data.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    model = json.loads((folder / "run001_model.json").read_text(encoding="utf-8"))
    assert model["sigma_variances"][0] == 0.05
    names = {"ID": "ID", "TIME": "time", "EVID": "evid", "AMT": "amt", "CMT": "cmt", "II": "ii",
             "ADDL": "addl", "MDV": "mdv", "DV": "DV"}  # fmt: skip
    table = {
        key: [float("nan") if r[name] == "." else float(r[name]) for r in rows]
        for key, name in names.items()
    }
    found = diagnose(at_the_start(read_data(table))).observations
    observed = [r for r in rows if r["evid"] == "0" and r["mdv"] == "0"]
    assert found.height == len(observed) > 20
    pred = np.array([float(r["NM_PRED"]) for r in observed])
    ipred = np.array([float(r["NM_IPRED"]) for r in observed])
    # NONMEM integrated with TOL=8 and printed nine digits
    np.testing.assert_allclose(found["PRED"].to_numpy(), pred, rtol=1e-6)
    # its random effects were found to three digits or so
    np.testing.assert_allclose(found["IPRED"].to_numpy(), ipred, rtol=2e-3)
    iwres = (found["DV"].to_numpy() - ipred) / (np.sqrt(0.05) * ipred)
    np.testing.assert_allclose(found["IWRES"].to_numpy(), iwres, atol=1e-2)
