"""Small models for tests of draws: one of each kind of kinetics."""

from __future__ import annotations

from typing import Any

from statera.model import Model, build_model
from statera.tdm.map_estimate import map_estimate
from statera.tdm.patient_problem import PatientProblem, prepare_patient
from statera.tdm.posterior import Posterior, PosteriorOptions, posterior
from statera.tdm.request import Patient

ORAL: dict[str, Any] = {"oral": [{"kind": "bolus", "into": "gut", "lag": "0.3"}]}
ZERO: dict[str, Any] = {
    "oral": [{"kind": "zero_order", "into": "body", "duration": "D", "lag": "0.2"}]
}
DUAL: dict[str, Any] = {
    "oral": [
        {"kind": "bolus", "into": "gut", "bioavailability": "0.6"},
        {"kind": "zero_order", "into": "body", "duration": "D", "bioavailability": "0.4"},
    ]
}
GUT = {"gut": "-KA*gut", "body": "KA*gut - CL/V*body"}
TWO = {"body": "-CL/V*body - Q/V*body + Q/V2*deep", "deep": "Q/V*body - Q/V2*deep"}


def model_of(inputs: dict[str, Any], dynamics: dict[str, str], **more: Any) -> Model:
    """One output C in mg/L with a proportional and an additive error."""
    return build_model(
        {
            "id": "drawn",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {
                "TVCL": {"value": 5.0}, "TVV": {"value": 40.0}, "TVKA": {"value": 1.1},
                "TVD": {"value": 1.5}, "Q": {"value": 3.0}, "V2": {"value": 30.0},
            },
            "random_effects": {"e_CL": {"variance": 0.09}, "e_V": {"variance": 0.04}},
            "covariates": {"WT": {"unit": "kg", "reference": 70.0}},
            "individual": {
                "CL": "TVCL*(WT/70)^0.75*exp(e_CL)", "V": "TVV*exp(e_V)", "KA": "TVKA",
                "D": "TVD*exp(e_V)",
            },
            "dynamics": dynamics,
            "inputs": inputs,
            "outputs": {"C": {"expression": "body/V", "unit": "mg/L"}},
            "residual": {"C": {"proportional": 0.1, "additive": 0.02}},
            **more,
        }
    )  # fmt: skip


def one_effect(**more: Any) -> Model:
    """Clearance alone is random: its posterior is a curve that can be integrated."""
    spec = {
        "random_effects": {"e_CL": {"variance": 0.16}},
        "individual": {"CL": "TVCL*exp(e_CL)", "V": "TVV", "KA": "TVKA", "D": "TVD"},
        "covariates": {},
    }
    return model_of(ORAL, GUT, **(spec | more))


def with_occasions() -> Model:
    """Clearance also varies between occasions."""
    return model_of(
        ORAL, GUT,
        random_effects={
            "e_CL": {"variance": 0.09}, "e_V": {"variance": 0.04},
            "o_CL": {"variance": 0.25, "level": "occasion"},
        },
        individual={
            "CL": "TVCL*exp(e_CL + o_CL)", "V": "TVV*exp(e_V)", "KA": "TVKA", "D": "TVD",
        },
        covariates={},
    )  # fmt: skip


def saturable() -> Model:
    """Elimination by Michaelis and Menten, which needs a solver."""
    return model_of(
        ORAL, {"gut": "-KA*gut", "body": "KA*gut - VM*body/V/(KM + body/V)"},
        parameters={
            "TVCL": {"value": 5.0}, "TVV": {"value": 40.0}, "TVKA": {"value": 1.1},
            "TVD": {"value": 1.5}, "KM": {"value": 1.0}, "TVVM": {"value": 12.0},
        },
        individual={
            "VM": "TVVM*exp(e_CL)", "V": "TVV*exp(e_V)", "KA": "TVKA", "D": "TVD",
        },
        covariates={},
    )  # fmt: skip


def drawn(
    model: Model, patient: Patient, options: PosteriorOptions | None = None
) -> tuple[PatientProblem, Posterior]:
    """The problem of a patient and the draws of the posterior."""
    problem = prepare_patient(model, patient)
    return problem, posterior(problem, map_estimate(problem), options)
