"""Individual estimates of 13 models against NONMEM, patient by patient, as a request asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.reference.ebe_cases import RUNS, cases_of, model_of

from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Outcome
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.request import Options

pytestmark = pytest.mark.reference

NOCB = Options(covariate_interpolation="nocb")

ETAS = 5e-6
"""The largest difference is 2.3e-6 (run407, subject 1), where NONMEM's objective is higher."""

LOOSE = {("run401", "3"): 2e-6, ("run407", "1"): 5e-6}
"""Where NONMEM's last step leaves more than 1e-6 in its prediction; ours at its random effects
agree to 1e-7."""

DEEPER = {("run006", "7"), ("run006", "11")}
"""NONMEM stopped in one of two minima, and the other is deeper."""


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    found = reference / "ebe"
    if not found.is_dir():
        pytest.skip(f"no individual estimates by NONMEM in {found}")
    return found


@pytest.mark.parametrize("run", RUNS)
def test_etas_and_predictions_agree(folder: Path, run: str) -> None:
    model = model_of(folder, run)
    cases = cases_of(folder, run)
    assert len(cases) == (3 if run == "run911" else 12)
    for case in cases:
        problem = prepare_patient(model, case.patient, NOCB)
        found = map_estimate(problem, explore=False)
        if not case.confirmed:
            continue
        assert found.status is None
        np.testing.assert_allclose(found.etas, case.etas, rtol=0, atol=ETAS)
        loose = LOOSE.get((run, case.patient.id), 1e-6)
        np.testing.assert_allclose(found.ipred, case.ipred, rtol=loose)
        f = problem.individuals.values(problem.theta, case.etas[None, :])[1]
        np.testing.assert_allclose(problem.natural(f), case.ipred, rtol=1e-7)
        assert found.objective == pytest.approx(case.objective, abs=2e-8)


@pytest.mark.parametrize("run", RUNS)
def test_minima_are_as_deep_as_nonmem_s_or_deeper(folder: Path, run: str) -> None:
    model = model_of(folder, run)
    for case in cases_of(folder, run):
        found = map_estimate(prepare_patient(model, case.patient, NOCB))
        assert found.objective <= case.objective + 2e-8
        if (run, case.patient.id) in DEEPER:
            assert found.status is Outcome.SEVERAL_MODES
            assert found.objective < case.objective - 0.1
            assert any(np.allclose(m.etas, case.etas, atol=ETAS) for m in found.modes)
        elif case.confirmed:
            np.testing.assert_allclose(found.etas, case.etas, rtol=0, atol=ETAS)
            assert found.status is None


def test_a_minimum_in_a_bend_is_found(folder: Path) -> None:
    """The input ends exactly at the second sample: NONMEM stopped before it."""
    case = cases_of(folder, "run004")[0]
    found = map_estimate(prepare_patient(model_of(folder, "run004"), case.patient, NOCB))
    assert found.kink
    assert found.objective < case.objective - 0.005
    assert found.parameters["DUR"] == pytest.approx(4.4, abs=1e-6)


def test_predictions_of_zero_under_a_proportional_error(folder: Path) -> None:
    """With the typical lag nothing has arrived at the sample: the search begins elsewhere."""
    case = cases_of(folder, "run003")[8]
    found = map_estimate(prepare_patient(model_of(folder, "run003"), case.patient, NOCB))
    assert np.isfinite(found.objective)
    assert (found.ipred > 0).all()
