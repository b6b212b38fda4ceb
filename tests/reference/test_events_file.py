"""The 29 dosing scenarios read from NONMEM's own data file, all subjects in one call."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from statera.data import read_events
from statera.model import build_model
from statera.simulate import simulate_events

pytestmark = pytest.mark.reference

SCENARIOS, RECORDS, OBSERVATIONS = 29, 3_837, 3_799
HALF_DIGIT = 0.51
"""NONMEM prints five significant digits: half a unit of the last, and a little for rounding."""

MODEL = {
    "id": "reference/1001",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"CL": {"value": 1.1}, "V": {"value": 20.0}, "KA": {"value": 1.5}},
    "covariates": {
        name: {"unit": "", "reference": 1.0} for name in ("LAGT", "BIOAV", "DUR2", "RAT2")
    },
    "dynamics": {"A1": "-KA*A1", "A2": "KA*A1 - CL/V*A2"},
    # a bolus where RATE is 0; the rate or the duration serves RATE -1 or -2
    "inputs": {
        "A1": [{"kind": "bolus", "into": "A1"}],
        "A2": [{"kind": "bolus", "into": "A2", "lag": "LAGT", "bioavailability": "BIOAV",
                "duration": "DUR2", "rate": "RAT2"}],
    },
    "outputs": {"CP": {"expression": "A2/(V/1000)"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    found = reference / "events"
    if not found.is_dir():
        pytest.skip(f"no event scenarios in {found}")
    return found


def test_all_scenarios_match_all_printed_digits(folder: Path) -> None:
    data = read_events(folder / "1001.csv", covariates=["LAGT", "BIOAV", "DUR2", "RAT2"])
    assert data.report.subjects == SCENARIOS
    assert data.report.records == RECORDS
    assert data.report.observations == OBSERVATIONS
    result = simulate_events(build_model(MODEL), data)
    assert not result.failures
    with (folder / "1001-nm.csv").open(encoding="utf-8", newline="") as file:
        printed_all = np.array([float(row["CP"]) for row in csv.DictReader(file)])
    printed = printed_all[data.events.evid == 0]
    exponent = np.floor(np.log10(np.where(printed > 0, printed, 1.0)))
    unit = np.where(printed > 0, 10.0 ** (exponent - 4), 1e-9)
    off = np.abs(result.outputs["CP"] - printed) / unit
    assert off.max() <= HALF_DIGIT
