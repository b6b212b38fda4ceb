"""Individual estimates of 13 models against NONMEM, patient by patient, as a request asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.reference.ebe_cases import RUNS, cases_of, model_of

from statera.tdm.map_estimate import map_estimate
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.request import Options

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    found = reference / "ebe"
    if not found.is_dir():
        pytest.skip(f"no individual estimates by NONMEM in {found}")
    return found


@pytest.mark.parametrize("run", RUNS)
def test_etas_and_predictions_agree(folder: Path, run: str) -> None:
    model, options = model_of(folder, run), Options(covariate_interpolation="nocb")
    cases = cases_of(folder, run)
    assert len(cases) == (3 if run == "run911" else 12)
    for case in cases:
        found = map_estimate(prepare_patient(model, case.patient, options))
        print(
            run,
            case.patient.id,
            np.abs(found.etas - case.etas).max(),
            found.objective - case.objective,
            np.abs(found.ipred / case.ipred - 1).max(),
            found.status,
        )
