"""Models and data options of the published NONMEM fits, as Statera writes them."""

from __future__ import annotations

from typing import Any

from statera.model import Model, build_model

SD1: dict[str, Any] = {"accept": "SD.EQ.1", "drop": ["SS", "II"]}
IV = {"iv": [{"kind": "bolus", "into": "central"}]}
ORAL = {"oral": [{"kind": "bolus", "into": "depot"}]}
PERIPHERAL = "Q/V1*central - Q/V2*peripheral"
ONE = {"central": "-CL/V*central"}
ONE_ORAL = {"depot": "-KA*depot", "central": "KA*depot - CL/V*central"}
TWO = {"central": f"-CL/V1*central - ({PERIPHERAL})", "peripheral": PERIPHERAL}
TWO_ORAL = {"depot": "-KA*depot", **TWO, "central": f"KA*depot + {TWO['central']}"}


def spec(
    parameters: dict[str, float],
    omega: dict[str, float],
    individual: dict[str, str],
    dynamics: dict[str, str],
    inputs: dict[str, Any],
    output: str,
    residual: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """A model specification with one output C."""
    return {
        "id": "case",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {k: {"value": v} for k, v in parameters.items()},
        "random_effects": {k: {"variance": v} for k, v in omega.items()},
        "individual": individual,
        "dynamics": dynamics,
        "inputs": inputs,
        "outputs": {"C": {"expression": output, "unit": "mg/L"}},
        "residual": {"C": residual},
        **more,
    }


def lognormal(
    names: str, start: dict[str, float], dynamics: Any, inputs: Any, output: str
) -> dict[str, Any]:
    """All individual parameters log-normal, proportional error: the Schoemaker data."""
    listed = names.split()
    return spec(
        {**{f"l{n}": start[n] for n in listed}, "prop": 0.3},
        {f"eta_{n}": 0.1 for n in listed},
        {n: f"exp(l{n} + eta_{n})" for n in listed},
        dynamics,
        inputs,
        output,
        {"proportional": "prop"},
    )


START = {"CL": 1.0, "V": 4.0, "KA": 0.1, "V1": 4.0, "Q": 1.0, "V2": 4.0}
COVARIATES = {n: {"unit": "", "reference": r} for n, r in (("WT", 70), ("AGE", 50), ("SEX", 0))}
BLOCK = [
    {"between": [f"eta_{a}", f"eta_{b}"], "value": 0.001}
    for i, a in enumerate(("CL", "V1", "Q", "V2"))
    for b in ("CL", "V1", "Q", "V2")[:i]
]

THEOPHYLLINE = spec(
    {"lKA": 0.45, "lCL": 1.0, "lV": 3.4, "add": 0.7},
    {"eta_KA": 0.4, "eta_CL": 0.1, "eta_V": 0.1},
    {"KA": "exp(lKA + eta_KA)", "CL": "exp(lCL + eta_CL)", "V": "exp(lV + eta_V)"},
    ONE_ORAL,
    ORAL,
    "central/V",
    {"additive": "add"},
)
WARFARIN = spec(
    {"lKA": -0.5, "lCL": -2.0, "lV": 2.0, "prop": 0.2, "add": 0.5},
    {"eta_KA": 0.3, "eta_CL": 0.1, "eta_V": 0.1},
    {"KA": "exp(lKA + eta_KA)", "CL": "exp(lCL + eta_CL)", "V": "exp(lV + eta_V)"},
    ONE_ORAL,
    ORAL,
    "central/V",
    {"additive": "add", "proportional": "prop"},
)
PHENOBARBITAL = spec(
    {"T1": 0.005, "T2": 1.0, "T3": 0.1, "s2": 0.015},
    {"eta_CL": 0.03, "eta_V": 0.03},
    {
        "CL": "T1*WGT*exp(eta_CL)",
        "V": "T2*WGT*where(APGR < 5, 1 + T3, 1)*exp(eta_V)",
    },
    ONE,
    IV,
    "central/V",
    {"variance": "s2*C^2"},
    covariates={
        "WGT": {"unit": "", "reference": 1.3},
        "APGR": {"unit": "", "reference": 7},
    },
)
MOXONIDINE = spec(
    {"TVCL": 30.0, "TVV": 100.0, "TVKA": 1.0, "s2": 0.1},
    {"eta_CL": 0.4, "eta_V": 0.4, "eta_KA": 0.2},
    {"CL": "TVCL*exp(eta_CL)", "V": "TVV*exp(eta_V)", "KA": "TVKA*exp(eta_KA)"},
    ONE_ORAL,
    ORAL,
    "where(central > 0, log(max(central, 1e-300)/V), log(0.025))",
    {"variance": "s2"},
    covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.2}],
)
INFUSION_COVARIATES = spec(
    {"T1": 3.0, "T2": 30.0, "T3": 0.75, "T4": 1.0, "T5": -0.5, "T6": 0.1, "T7": 1.0, "T8": 1.0,
     "s2": 0.06},
    {"eta_CL": 0.05, "eta_V": 0.05},
    {
        "CL": "T1*(WT/70)^T3*(AGE/50)^T5*where(SEX > 0.5, T7, 1)*exp(eta_CL)",
        "V": "T2*(WT/70)^T4*(AGE/50)^T6*where(SEX > 0.5, T8, 1)*exp(eta_V)",
    },
    ONE,
    IV,
    "central/V",
    {"variance": "s2*C^2"},
    covariates=COVARIATES,
    covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.005}],
)  # fmt: skip
BLQ = spec(
    {"lCL": 1.69938, "lV1": 1.65161, "lQ": 0.809101, "lV2": 2.45301, "add": 0.291704},
    {"eta_CL": 0.170227, "eta_V1": 0.0976946, "eta_Q": 0.0645438, "eta_V2": 0.177864},
    {n: f"exp(l{n} + eta_{n})" for n in ("CL", "V1", "Q", "V2")},
    TWO,
    IV,
    "log(max(central, 1e-300)/V1)",
    {"additive": "add"},
    covariances=BLOCK,
)

COVARIATE_NAMES = ["C", "ID", "TIME", "DV", "AMT", "RATE", "WT", "AGE", "SEX"]
M3_NAMES = ["C", "SET", "ID", "JID", "TIME", "CONC", "AMT", "RATE", "EVID", "MDV", "CMT", "DV",
            "LOQ", "TYPE"]  # fmt: skip
MOX: dict[str, Any] = {"drop": ["EVID", "CMT"], "dv_scale": "log"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "bolus_1cpt": (lognormal("CL V", START, ONE, IV, "central/V"), SD1, "focei"),
    "oral_1cpt": (lognormal("CL V KA", START, ONE_ORAL, ORAL, "central/V"), SD1, "focei"),
    "infusion_2cpt": (lognormal("CL V1 Q V2", START, TWO, IV, "central/V1"), SD1, "focei"),
    "bolus_2cpt_ode": (lognormal("CL V1 Q V2", START, TWO, IV, "central/V1"), SD1, "focei"),
    "oral_2cpt_ode_all": (
        lognormal("CL V1 Q V2 KA", START, TWO_ORAL, ORAL, "central/V1"),
        {"drop": ["SS", "II"]},
        "focei",
    ),
    "phenobarbital": (PHENOBARBITAL, {}, "focei"),
    "moxonidine_log": (MOXONIDINE, MOX, "foce"),
    "warfarin_pk": (WARFARIN, {}, "focei"),
    "infusion_covariates": (
        INFUSION_COVARIATES, {"ignore": "C", "names": COVARIATE_NAMES}, "focei",
    ),
}  # fmt: skip
"""Model specification, options of `read_data` and method by case."""

BLQ_DATA = {"ignore": "C", "names": M3_NAMES, "lloq": -3.5, "dv_scale": "log"}
ORDER = {
    "infusion_2cpt": ("lCL", "lV1", "lQ", "lV2", "prop"),
    "phenobarbital": ("T1", "T2", "T3"),
}


def model_of(name: str) -> Model:
    """The model of a case."""
    return build_model(CASES[name][0])
