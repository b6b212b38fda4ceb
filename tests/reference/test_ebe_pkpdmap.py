"""Individual estimates of one compartment against NONMEM, and special cases against PKPDmap."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.estimate.shares import Share
from statera.estimate.terms import terms
from statera.model import Model, build_model
from statera.tdm.map_estimate import map_estimate
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.request import DoseTaken, Patient, Sample

pytestmark = pytest.mark.reference

INFUSED = {"iv": [{"kind": "bolus", "into": "body"}]}


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    found = reference / "pkpdmap"
    if not found.is_dir():
        pytest.skip(f"no estimates of PKPDmap in {found}")
    return found


@pytest.fixture(scope="module")
def spec(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    return found


def _model(spec: dict[str, Any], residual: dict[str, Any]) -> Model:
    low = spec["omega_lower_triangle"]
    return build_model(
        {
            "id": "one",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"TVCL": {"value": spec["CL"]}, "TVV": {"value": spec["V"]}},
            "random_effects": {"e_CL": {"variance": low[0]}, "e_V": {"variance": low[2]}},
            "covariances": [{"between": ["e_CL", "e_V"], "value": low[1]}],
            "individual": {"CL": "TVCL*exp(e_CL)", "V": "TVV*exp(e_V)"},
            "dynamics": {"body": "-CL/V*body"},
            "inputs": INFUSED,
            "outputs": {"C": {"expression": "body/V*1000", "unit": "ug/L"}},
            "residual": {"C": residual},
        }
    )


def _rows(folder: Path) -> list[dict[str, str]]:
    path = folder / "pk1cmt_iv_data_and_ebe.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _patient(rows: list[dict[str, str]], low: float = 0.0, high: float = np.inf) -> Patient:
    doses = [DoseTaken(float(r["TIME"]), float(r["AMT"])) for r in rows if r["EVID"] == "1.0"]
    samples = []
    for r in rows:
        value = float(r["DV"])
        if r["EVID"] != "0.0":
            continue
        if value < low:
            samples.append(Sample(float(r["TIME"]), low, censored="below"))
        elif value > high:
            samples.append(Sample(float(r["TIME"]), high, censored="above"))
        else:
            samples.append(Sample(float(r["TIME"]), value))
    return Patient(rows[0]["ID"], tuple(doses), tuple(samples))


def test_thirty_subjects_agree(folder: Path, spec: dict[str, Any]) -> None:
    """NONMEM prints four to five digits, and rounds the parameters that it used."""
    model = _model(spec, {"variance": str(spec["error"]["add_variance"])})
    rows = _rows(folder)
    ids = list(dict.fromkeys(r["ID"] for r in rows))
    assert len(ids) == 30
    away = []
    for one in ids:
        mine = [r for r in rows if r["ID"] == one]
        found = map_estimate(prepare_patient(model, _patient(mine))).parameters
        away.append([found["CL"] / float(mine[0]["CL_EBE"]) - 1,
                     found["V"] / float(mine[0]["V_EBE"]) - 1])  # fmt: skip
    assert np.abs(np.array(away)).max() < 5e-3


@pytest.mark.parametrize(
    ("case", "low", "high"), [("BLQ M3", 500.0, np.inf), ("ULOQ 1000", 500.0, 1000.0)]
)
def test_values_beyond_limits(
    folder: Path, spec: dict[str, Any], case: str, low: float, high: float
) -> None:
    expected = next(e for e in spec["extra_expected"] if e["case"].startswith(case))
    model = _model(spec, {"variance": str(spec["error"]["add_variance"])})
    rows = [r for r in _rows(folder) if r["ID"] == "1.0"]
    found = map_estimate(prepare_patient(model, _patient(rows, low, high))).parameters
    assert found["CL"] == pytest.approx(expected["CL"], rel=2e-3)
    assert found["V"] == pytest.approx(expected["V"], rel=2e-3)


def test_log_normal_error(folder: Path, spec: dict[str, Any]) -> None:
    expected = next(e for e in spec["extra_expected"] if e["case"].startswith("LTBS"))
    model = _model(spec, {"additive": 0.15, "scale": "log"})
    rows = [r for r in _rows(folder) if r["ID"] == "1.0"]
    rows = [{**r, "DV": str(max(float(r["DV"]), 500.0))} for r in rows]
    found = map_estimate(prepare_patient(model, _patient(rows))).parameters
    assert found["CL"] == pytest.approx(expected["CL"], rel=2e-3)
    assert found["V"] == pytest.approx(expected["V"], rel=2e-3)


def test_weights_multiply_what_a_sample_adds(spec: dict[str, Any]) -> None:
    plain = next(e for e in spec["extra_expected"] if e["case"].startswith("OFV"))["neg2ll"][1:]
    weighted = next(e for e in spec["extra_expected"] if "weights" in e["case"])["neg2ll"][1:]
    y, f = np.array([15.0, 20.0, 25.0]), np.array([17.0, 19.0, 23.0])
    v = ((y - f) * 0.1 + 0.5) ** 2
    weight = np.array([0.2, 0.5, 0.8])
    kind, limit = np.zeros(3, dtype=np.int64), np.full(3, np.nan)
    found = terms(y, f, v, kind, limit)
    share = Share(weight, np.arange(3), np.ones(3))
    constant = np.log(2 * np.pi)
    np.testing.assert_allclose(found.value + constant, plain, rtol=1e-5)
    np.testing.assert_allclose(share.terms(found)[0].value + weight * constant, weighted, rtol=1e-5)


def test_effects_of_occasions(spec: dict[str, Any]) -> None:
    expected = next(e for e in spec["extra_expected"] if e["case"].startswith("IOV"))
    model = build_model(
        {
            "id": "iov",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"TVCL": {"value": 25.0}, "TVV": {"value": 55.0}},
            "random_effects": {
                "e_CL": {"variance": 0.0531},
                "e_V": {"variance": 0.0261},
                "o_CL": {"variance": 0.1, "level": "occasion"},
            },
            "covariances": [{"between": ["e_CL", "e_V"], "value": 0.0268}],
            "individual": {"CL": "TVCL*exp(e_CL + o_CL)", "V": "TVV*exp(e_V)"},
            "dynamics": {"body": "-CL/V*body"},
            "inputs": INFUSED,
            "outputs": {"C": {"expression": "body/V*1000", "unit": "ug/L"}},
            "residual": {"C": {"proportional": 0.115, "additive": 21.0}},
        }
    )
    times = [11.75, 14, 14.25, 14.5, 16, 18, 35.75, 38.1, 38.25, 40, 42]
    values = [46.3, 146, 123, 114, 71.4, 38.2, 28.4, 79.6, 54.4, 33.7, 22.2]
    doses = [
        DoseTaken(6.0 * k, 10.7 if k < 5 else 6.6, duration=2.0, occasion="1" if k < 4 else "2")
        for k in range(8)
    ]
    samples = [Sample(t, y) for t, y in zip(times, values, strict=True)]
    problem = prepare_patient(model, Patient("1", tuple(doses), tuple(samples)))
    assert problem.eta_names == ("e_CL", "e_V", "o_CL", "o_CL")
    assert problem.eta_occasions == (-1, -1, 0, 1)
    found = map_estimate(problem)
    assert found.etas[2] == pytest.approx(expected["CL_occ1_eta"], abs=0.005)
    assert found.etas[3] == pytest.approx(expected["CL_occ2_eta"], abs=0.005)
