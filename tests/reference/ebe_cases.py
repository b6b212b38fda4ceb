"""Models and patients of the NONMEM individual estimates, as Statera writes them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.model import Model, build_model
from statera.tdm.request import CovariateValue, DoseTaken, Patient, Sample

Floats = NDArray[np.float64]

CL = {"CL": "4*exp(ETA1)", "V": "70*exp(ETA2)", "KA": "exp(ETA3)"}
ORAL = {"gut": "-KA*gut", "body": "KA*gut - CL/V*body"}
INTO_GUT = {"1": [{"kind": "bolus", "into": "gut"}]}
PROPORTIONAL = {"variance": "0.05*C^2"}


def _spec(
    n_etas: int,
    individual: dict[str, str],
    dynamics: dict[str, str],
    inputs: dict[str, Any] | None = None,
    residual: dict[str, Any] | None = None,
    variance: float = 0.2,
    **more: Any,
) -> dict[str, Any]:
    return {
        "id": "ebe",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {"none": {"value": 0.0}},
        "random_effects": {f"ETA{i}": {"variance": variance} for i in range(1, n_etas + 1)},
        "individual": individual,
        "dynamics": dynamics,
        "inputs": inputs or INTO_GUT,
        "outputs": {"C": {"expression": "body/V", "unit": "mg/L"}},
        "residual": {"C": residual or PROPORTIONAL},
        **more,
    }


def _metabolite() -> dict[str, Any]:
    spec = _spec(
        5,
        {**CL, "CLM": "2.5*exp(ETA4)", "VM": "60*exp(ETA5)"},
        {**ORAL, "made": "0.7*CL/V*body - CLM/VM*made"},
    )
    spec["outputs"]["M"] = {"expression": "made/VM", "unit": "mg/L"}
    spec["residual"]["M"] = {"variance": "0.05*M^2"}
    return spec


def _ibrutinib(data: dict[str, Any]) -> dict[str, Any]:
    """Ibrutinib and its metabolite: steady state, lag, duration, and effects of occasions."""
    theta = {f"THETA{i}": {"value": x} for i, x in enumerate(data["theta"], 1)}
    omega = np.array(data["omega"])
    effects: dict[str, Any] = {f"ETA{i}": {"variance": omega[i - 1, i - 1]} for i in range(1, 9)}
    effects["IOV1"] = {"variance": omega[8, 8], "level": "occasion"}
    effects["IOV2"] = {"variance": omega[10, 10], "level": "occasion"}
    return {
        "id": "ibrutinib",
        "units": {"time": "h", "amount": "mg"},
        "parameters": theta,
        "random_effects": effects,
        "covariances": [
            {"between": [f"ETA{i + 1}", f"ETA{j + 1}"], "value": omega[i, j]}
            for i in range(8) for j in range(i) if omega[i, j]
        ],
        "individual": {
            "CLMET": "THETA1*exp(ETA6)", "V2": "THETA2*exp(ETA2)", "V3": "THETA5*exp(ETA1)",
            "LAG": "THETA6*exp(ETA7)", "DUR": "THETA7*exp(ETA8)",
            "CLIBRU": "THETA8*exp(ETA4 + IOV1)", "CLDHD": "THETA9*exp(ETA3 + IOV2)",
            "K14": "THETA10*exp(ETA5)",
        },
        "dynamics": {
            "gut": "-(K14 + THETA3)*gut",
            "body": "THETA3*gut - (CLIBRU + CLMET + THETA4)/V2*body + THETA4/V3*far",
            "far": "THETA4/V2*body - THETA4/V3*far",
            "made": "K14*gut + CLMET/V2*body - (CLDHD + THETA11)/V2*made + THETA11/V3*away",
            "away": "THETA11/V2*made - THETA11/V3*away",
        },
        "inputs": {"1": [{"kind": "zero_order", "into": "gut", "lag": "LAG", "duration": "DUR"}]},
        "outputs": {
            "C": {"expression": "body/V2*1000", "unit": "ug/L"},
            "M": {"expression": "made/V2*1000", "unit": "ug/L"},
        },
        "residual": {
            "C": {"variance": f"{data['sigma_variances'][0]}*C^2"},
            "M": {"variance": f"{data['sigma_variances'][1]}*M^2"},
        },
    }  # fmt: skip


SPECS: dict[str, dict[str, Any]] = {
    "run001": _spec(3, CL, ORAL),
    "run003": _spec(
        4, {**CL, "LAG": "exp(ETA4)"}, ORAL, {"1": [{"kind": "bolus", "into": "gut", "lag": "LAG"}]}
    ),
    "run004": _spec(
        3, {"CL": CL["CL"], "V": CL["V"], "DUR": "4*exp(ETA3)"}, {"body": "-CL/V*body"},
        {"2": [{"kind": "zero_order", "into": "body", "duration": "DUR"}]},
    ),
    "run006": _spec(
        4, {**CL, "DUR": "4*exp(ETA4)"}, ORAL,
        {
            "1": [{"kind": "bolus", "into": "gut", "bioavailability": "0.2"}],
            "2": [{"kind": "zero_order", "into": "body", "duration": "DUR",
                   "bioavailability": "0.8"}],
        },
    ),
    "run101": _spec(
        4, {**CL, "VP": "50*exp(ETA4)"},
        {"gut": "-KA*gut", "body": "KA*gut - (CL + 4)/V*body + 4/VP*far",
         "far": "4/V*body - 4/VP*far"},
    ),
    "run201": _spec(
        4,
        {"VMAX": "10000*exp(ETA1)", "V": CL["V"], "KA": CL["KA"], "KM": "2500*exp(ETA4)"},
        {"gut": "-KA*gut", "body": "KA*gut - VMAX*(body/V)/(KM + body/V)"},
    ),
    "run301": _spec(
        3, {**CL, "CL": "4*exp(ETA1)*(BW/75)^1.5*0.75^SEX"}, ORAL,
        covariates={"BW": {"unit": "", "reference": 75}, "SEX": {"unit": "", "reference": 0}},
    ),
    "run401": _metabolite(),
    "run403": _spec(3, CL, ORAL, residual={"variance": "5000"}),
    "run405": _spec(3, CL, ORAL, residual={"variance": "0.05*C^2 + 5000"}),
    "run407": _spec(3, CL, ORAL, residual={"variance": "0.05", "scale": "log"}),
    "run501": _spec(3, CL, ORAL, variance=0.4),
}  # fmt: skip
RUNS = (*SPECS, "run911")
ANALYTES = {"run401": {"2": "C", "3": "M"}, "run911": {"2": "C", "4": "M"}}


@dataclass(frozen=True)
class EbeCase:
    """One subject: records as a request has them, and what NONMEM found.

    Attributes
    ----------
    etas
        In the order of Statera's random effects.
    objective
        J at the minimum.
    ipred
        In the unit of the data.
    confirmed
        False where the reference is degenerate or stopped at a worse optimum.
    """

    patient: Patient
    etas: Floats
    objective: float
    ipred: Floats
    confirmed: bool


def model_of(folder: Path, run: str) -> Model:
    """Return the model of a run."""
    data = json.loads((folder / f"{run}_model.json").read_text(encoding="utf-8"))
    return build_model(_ibrutinib(data) if run == "run911" else SPECS[run])


def cases_of(folder: Path, run: str) -> list[EbeCase]:
    """Return the subjects of a run."""
    rows = _rows(folder / f"{run}_data.csv")
    found = []
    for estimate in _rows(folder / f"{run}_ebe.csv"):
        mine = [r for r in rows if r["ID"] == estimate["ID"]]
        numbers = range(1, sum(k.startswith("ETA(") for k in estimate) + 1)
        etas = np.array([float(estimate[f"ETA({i})"]) for i in numbers])
        if run == "run911":  # the second occasion has no records
            etas = etas[[*range(8), 8, 10]]
        found.append(
            EbeCase(
                _patient(run, mine),
                etas,
                float(estimate["J_map"]),
                np.array([float(r["NM_IPRED"]) for r in mine if r["evid"] == "0"]),
                estimate["status"] == "confirmed",
            )
        )
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _patient(run: str, rows: list[dict[str, str]]) -> Patient:
    doses, samples = [], []
    for r in rows:
        if r["evid"] == "1":
            doses.append(
                DoseTaken(
                    float(r["time"]), float(r["amt"]), route=r["cmt"], interval=float(r["ii"]),
                    additional=int(r.get("addl") or 0), steady_state=r.get("ss") == "1",
                    occasion=r.get("CYCLE"),
                )
            )  # fmt: skip
        else:
            analyte = ANALYTES.get(run, {}).get(r["cmt"], "")
            samples.append(Sample(float(r["time"]), float(r["DV"]), analyte=analyte))
    covariates = [
        CovariateValue(name, float(r[name]), time=float(r["time"]))
        for name in ("BW", "SEX") if name in rows[0]
        for r in rows
    ]  # fmt: skip
    return Patient(rows[0]["ID"], tuple(doses), tuple(samples), tuple(covariates))
