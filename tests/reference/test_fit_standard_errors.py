"""Standard errors and shrinkage against those that NONMEM printed for published fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.data import read_data
from statera.estimate import FitResult, Method, fit
from statera.estimate.covariance import CovarianceOptions, MatrixKind, covariance
from statera.estimate.shrinkage import shrinkage
from statera.model import Model, build_model

pytestmark = pytest.mark.reference


def _model(
    values: dict[str, float],
    effects: dict[str, float],
    individual: dict[str, str],
    dynamics: dict[str, str],
    variance: str,
    **more: Any,
) -> Model:
    into = next(iter(dynamics))
    volume = "V1" if "V1" in individual else "V"
    spec: dict[str, Any] = {
        "id": "published",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {k: {"value": v, "unit": ""} for k, v in values.items()},
        "random_effects": {k: {"variance": v} for k, v in effects.items()},
        "individual": individual,
        "dynamics": dynamics,
        "inputs": {"dose": [{"kind": "bolus", "into": into}]},
        "outputs": {"C": {"expression": f"c/{volume}", "unit": "mg/L"}},
        "residual": {"C": {"variance": variance}},
    }
    return build_model({**spec, **more})


def _exponentials(*names: str) -> dict[str, str]:
    return {name: f"exp(l{name} + e{name})" for name in names}


def _effects(*names: str) -> dict[str, float]:
    return {f"e{name}": 0.1 for name in names}


def _covariates(**references: float) -> dict[str, Any]:
    return {name: {"unit": "", "reference": value} for name, value in references.items()}


ONE = {"c": "-CL/V*c"}
ORAL = {"d": "-KA*d", "c": "KA*d - CL/V*c"}
TWO = {"c": "-(CL + Q)/V1*c + Q/V2*p2", "p2": "Q/V1*c - Q/V2*p2"}
ORAL_TWO = {"d": "-KA*d", "c": "KA*d - (CL + Q)/V1*c + Q/V2*p2", "p2": TWO["p2"]}
SD1 = {"accept": "SD.EQ.1", "drop": ["SS", "II"]}
TWO_NAMES = ("CL", "V1", "Q", "V2")
TWO_START = {"lCL": 1.0, "lV1": 4.0, "lQ": 1.0, "lV2": 4.0}


def _two(dynamics: dict[str, str], names: tuple[str, ...], **start: float) -> Model:
    values = {**TWO_START, **start, "p": 0.3}
    return _model(values, _effects(*names), _exponentials(*names), dynamics, "(p*C)^2")


def _phenobarbital() -> Model:
    return _model(
        {"T1": 0.005, "T2": 1.0, "T3": 0.1, "s2": 0.015},
        {"e1": 0.03, "e2": 0.03},
        {"CL": "T1*WGT*exp(e1)", "V": "T2*WGT*where(APGR < 5, 1 + T3, 1)*exp(e2)"},
        ONE,
        "s2*C^2",
        covariates=_covariates(WGT=1.3, APGR=7),
    )


def _infusion_covariates() -> Model:
    values = {"T1": 3.0, "T2": 30.0, "T3": 0.75, "T4": 1.0, "T5": -0.5, "T6": 0.1}
    return _model(
        {**values, "T7": 1.0, "T8": 1.0, "s2": 0.06},
        {"e1": 0.05, "e2": 0.05},
        {
            "CL": "T1*(WT/70)^T3*(AGE/50)^T5*where(SEX > 0.5, T7, 1)*exp(e1)",
            "V": "T2*(WT/70)^T4*(AGE/50)^T6*where(SEX > 0.5, T8, 1)*exp(e2)",
        },
        ONE,
        "s2*C^2",
        covariances=[{"between": ["e1", "e2"], "value": 0.005}],
        covariates=_covariates(WT=70, AGE=50, SEX=0),
    )


def _case(name: str) -> tuple[Model, dict[str, Any], Method, MatrixKind]:
    """Return the model, how data are read, the method and which matrix NONMEM used."""
    if name == "bolus_1cpt":
        values = {"lCL": 1.0, "lV": 4.0, "p": 0.3}
        model = _model(values, _effects("CL", "V"), _exponentials("CL", "V"), ONE, "(p*C)^2")
        return model, SD1, "focei", "sandwich"
    if name == "oral_1cpt":
        names = ("CL", "V", "KA")
        values = {"lCL": 1.0, "lV": 4.0, "lKA": 0.1, "p": 0.3}
        model = _model(values, _effects(*names), _exponentials(*names), ORAL, "(p*C)^2")
        return model, SD1, "focei", "sandwich"
    if name in ("infusion_2cpt", "bolus_2cpt_ode"):
        return _two(TWO, TWO_NAMES), SD1, "focei", "sandwich"
    if name == "oral_2cpt_ode_all":
        model = _two(ORAL_TWO, (*TWO_NAMES, "KA"), lKA=0.0)
        return model, {"drop": ["SS", "II"]}, "focei", "sandwich"
    if name == "warfarin_pk":
        names = ("KA", "CL", "V")
        values = {"lKA": -0.5, "lCL": -2.0, "lV": 2.0, "p": 0.2, "a": 0.5}
        model = _model(values, _effects(*names), _exponentials(*names), ORAL, "(p*C)^2 + a^2")
        return model, {}, "focei", "sandwich"
    if name == "phenobarbital":
        return _phenobarbital(), {}, "focei", "sandwich"
    names_ = ["C", "ID", "TIME", "DV", "AMT", "RATE", "WT", "AGE", "SEX"]
    return _infusion_covariates(), {"ignore": "C", "names": names_}, "focei", "R"


def _fit(name: str, reference: Path) -> tuple[FitResult, MatrixKind]:
    path = reference / "nlme" / "data" / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip(f"no data {path}")
    model, options, method, matrix = _case(name)
    return fit(model, read_data(path, **options), method=method), matrix


def _printed(name: str, reference: Path) -> dict[str, float]:
    """Return NONMEM's standard errors: THETA, SIGMA, then OMEGA by rows."""
    cases = json.loads((reference / "nlme" / "nonmem.json").read_text())
    (case,) = [c for c in cases if c.get("case") == name and "se" in c]
    order = ("T", "S", "O")
    found: dict[str, float] = dict(sorted(case["se"].items(), key=lambda x: order.index(x[0][0])))
    return found


CASES = [
    "bolus_1cpt",
    "oral_1cpt",
    "infusion_2cpt",
    "bolus_2cpt_ode",
    "oral_2cpt_ode_all",
    "warfarin_pk",
    "phenobarbital",
    "infusion_covariates",
]


@pytest.mark.parametrize("name", CASES)
def test_standard_errors_are_those_of_nonmem(name: str, reference: Path) -> None:
    result, matrix = _fit(name, reference)
    found = covariance(result, CovarianceOptions(matrix=matrix))
    assert found.usable
    assert result.status == "converged"
    printed = _printed(name, reference)
    assert len(printed) == len(found.names)
    np.testing.assert_allclose(found.standard_errors, list(printed.values()), rtol=0.02)


def test_shrinkage_is_that_of_nonmem(reference: Path) -> None:
    # NONMEM 7.4.2 on pheno_real (pharmpy/pharmpy, tests/testdata/nonmem/pheno_real.lst)
    result, _ = _fit("phenobarbital", reference)
    found = shrinkage(result)
    np.testing.assert_allclose(found.sd, [47.130, 12.839], atol=0.05)
    np.testing.assert_allclose(found.variance, [72.048, 24.030], atol=0.05)
    np.testing.assert_allclose(found.conditional_sd, [47.738, 13.692], atol=0.05)
    np.testing.assert_allclose(found.conditional_variance, [72.687, 25.509], atol=0.05)
    np.testing.assert_allclose(found.mean, [1.6884e-3, -1.1976e-3], atol=2e-5)
    np.testing.assert_allclose(found.standard_error, [1.1692e-2, 1.8795e-2], rtol=1e-3)
    np.testing.assert_allclose(found.p_value, [0.88518, 0.94919], atol=1e-3)
    (sd,), (variance,) = found.epsilon_sd.values(), found.epsilon_variance.values()
    assert sd == pytest.approx(21.198, abs=0.05)
    assert variance == pytest.approx(37.903, abs=0.05)
