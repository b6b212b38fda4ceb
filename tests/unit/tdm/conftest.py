"""A small model and a patient, for tests of one patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from statera.model import Model, build_model
from statera.tdm.request import CovariateValue, DoseTaken, Patient, Request, Sample


def spec(**more: Any) -> dict[str, Any]:
    """One compartment with absorption and a zero-order part, weight as covariate."""
    return {
        "id": "small",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {"TVCL": {"value": 10.0}, "TVV": {"value": 80.0}, "TVKA": {"value": 1.2}},
        "random_effects": {
            "e_CL": {"variance": 0.09}, "e_V": {"variance": 0.04}, "e_KA": {"variance": 0.2},
        },
        "covariances": [{"between": ["e_CL", "e_V"], "value": 0.02}],
        "covariates": {
            "WT": {
                "unit": "kg", "reference": 70.0,
                "soft": {"min": 40, "max": 120}, "hard": {"min": 2, "max": 300},
            },
        },
        "individual": {
            "CL": "TVCL*(WT/70)^0.75*exp(e_CL)", "V": "TVV*exp(e_V)", "KA": "TVKA*exp(e_KA)",
        },
        "dynamics": {"gut": "-KA*gut", "body": "KA*gut - CL/V*body"},
        "inputs": {"oral": [{"kind": "bolus", "into": "gut"}]},
        "outputs": {"C": {"expression": "body/V*1000", "unit": "ng/mL"}},
        "residual": {"C": {"proportional": 0.1, "additive": 1.0}},
        **more,
    }  # fmt: skip


@pytest.fixture(scope="session")
def small() -> Model:
    """The model of `spec`."""
    return build_model(spec())


@pytest.fixture
def patient() -> Patient:
    """Doses of 10 mg each day, and three samples after the fourth."""
    return Patient(
        "P1",
        (DoseTaken(0.0, 10.0, interval=24.0, additional=3),),
        (Sample(73.0, 70.0), Sample(76.0, 80.0), Sample(95.0, 9.0)),
        (CovariateValue("WT", 80.0, "kg"),),
    )


@pytest.fixture
def request_of(patient: Patient) -> Callable[..., Request]:
    """A request with parts of the patient replaced."""

    def make(**more: Any) -> Request:
        known = {k: more.pop(k) for k in ("doses", "samples", "covariates") if k in more}
        return Request("r", ("small",), replace(patient, **known), **more)

    return make
