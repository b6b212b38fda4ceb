"""Posterior of single patients against Monolix: moments, and what is decided from all draws.

The reference's conditional distributions come from Markov chains; their own noise is about 0.02 of
a prior standard deviation.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from statera.model import Model, build_model
from statera.tdm.future import asked_at, carried_etas
from statera.tdm.map_estimate import map_estimate
from statera.tdm.patient_problem import PatientProblem, prepare_patient
from statera.tdm.posterior import Posterior, posterior
from statera.tdm.predict import draw_courses
from statera.tdm.request import DoseTaken, Patient, Sample
from statera.tdm.weighted import weighted_quantiles

from .nonmem_cases import ONE_ORAL, ORAL, TWO_ORAL, spec

pytestmark = pytest.mark.reference

OMEGA = 0.4472
SUBJECTS = 20


def _spec(run: str) -> Model:
    two = run == "run101"
    volume = "V1" if two else "V"
    names = ["KA", volume, "CL", *(["V2"] if two else [])]
    typical = {"KA": 1.0, volume: 70.0, "CL": 4.0} | ({"V2": 50.0, "Q": 4.0} if two else {})
    residual = {"proportional": "prop"} | ({"additive": "add"} if run == "run405" else {})
    return build_model(
        spec(
            {f"TV{k}": v for k, v in typical.items()} | {"prop": 0.05, "add": 5000.0},
            {f"eta_{k}": OMEGA**2 for k in names},
            {k: f"TV{k}*exp(eta_{k})" for k in names} | ({"Q": "TVQ"} if two else {}),
            TWO_ORAL if two else ONE_ORAL,
            ORAL,
            f"central/{volume}",
            residual,
        )
    )


def _patients(folder: Path, run: str) -> dict[int, Patient]:
    doses, samples = defaultdict(list), defaultdict(list)
    with (folder / f"{run}_data.csv").open() as file:
        for row in csv.DictReader(file):
            who, time = int(row["ID"]), float(row["time"])
            if row["evid"] == "1":
                doses[who].append(
                    DoseTaken(
                        time, float(row["amt"]), interval=float(row["ii"]),
                        additional=int(row["addl"]),
                    )
                )  # fmt: skip
            else:
                samples[who].append(Sample(time, float(row["DV"])))
    return {w: Patient(str(w), tuple(doses[w]), tuple(samples[w])) for w in doses}


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    found = reference / "posterior"
    if not found.is_dir():
        pytest.skip("the reference data of Monolix are not there")
    return found


@pytest.fixture(scope="module", params=["run001", "run101", "run405"])
def case(
    request: pytest.FixtureRequest, folder: Path
) -> tuple[str, dict[int, tuple[PatientProblem, Posterior]]]:
    model = _spec(request.param)
    found = {}
    for who, patient in _patients(folder, request.param).items():
        problem = prepare_patient(model, patient)
        found[who] = (problem, posterior(problem, map_estimate(problem)))
    return request.param, found


def _table(path: Path) -> dict[int, dict[str, float]]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {int(r["id"]): {k: float(v) for k, v in r.items() if k != "id"} for r in rows}


NAMES = {"eta_KA": "Ka", "eta_V": "Vc", "eta_V1": "Vc", "eta_CL": "Cl", "eta_V2": "Vp"}


def test_means_and_standard_deviations(case, folder):
    run, found = case
    expected = _table(folder / f"{run}_mlx_random_effects_mean_sd.csv")
    assert len(found) == SUBJECTS
    for who, (_, post) in found.items():
        assert post.ess > 400
        for k, name in enumerate(post.eta_names):
            mean = expected[who][f"eta_{NAMES[name]}_mean"]
            sd = expected[who][f"eta_{NAMES[name]}_sd"]
            noise = 3.0 * post.sd[k] / np.sqrt(post.ess)
            assert abs(post.mean[k] - mean) < 0.05 * OMEGA + noise, (run, who, name)
            assert 0.9 < post.sd[k] / sd < 1.1, (run, who, name)


def _curves(problem: PatientProblem, post: Posterior, dose: float, times: np.ndarray) -> np.ndarray:
    """Courses of a single dose, of the draws that carry the weight, (n_times, n_draws)."""
    asked = asked_at(problem.model, Patient("new", (DoseTaken(0.0, dose),)), times)
    return draw_courses(asked, carried_etas(post, asked, post.heavy()))


def _rows(path: Path, run: str) -> dict[int, dict[str, float]]:
    with path.open() as file:
        rows = [r for r in csv.DictReader(file) if f"run{int(r['run']):03d}" == run]
    return {int(r["index"]): {k: float(v) for k, v in r.items()} for r in rows}


def test_doses_from_the_whole_posterior(case, folder):
    """The dose with which AUC0-12 is at least 500 with a probability of 0.89.

    The quantile of the reference's own draws is noisy where a subject has one sample: the three
    samplers that it lists differ by up to 5 %, and their median is what counts to 3 %.
    """
    run, found = case
    expected = _rows(folder / "all_dose_auc.csv", run)
    times = np.linspace(0.0, 12.0, 61)
    simpson = np.where(np.arange(61) % 2 == 1, 4.0, 2.0)
    simpson[[0, -1]] = 1.0
    simpson *= times[1] / 3.0
    against_all, against_monolix = [], []
    for who, (problem, post) in found.items():
        area = simpson @ _curves(problem, post, 1000.0, times)
        weights = post.weights[post.heavy()]
        dose = 500.0 / weighted_quantiles(area, weights, [0.11])[0] * 1000.0
        row = expected[who]
        middle = np.median([row["mlx.dose"], row["mcmc.dose"], row["sir_1e5.dose"]])
        against_all.append(abs(dose / middle - 1.0))
        against_monolix.append(abs(dose / row["mlx.dose"] - 1.0))
    assert len(against_all) == SUBJECTS
    assert max(against_all) < 0.03
    assert sorted(against_monolix)[-3] < 0.03
    assert max(against_monolix) < 0.045


def test_times_to_a_trough(case, folder):
    """The first time from 3 h, in steps of 0.1 h, with C at most 0.5 with a probability of 0.89."""
    run, found = case
    expected = _rows(folder / "all_time_cmin.csv", run)
    away = []
    for who, (problem, post) in found.items():
        time = expected[who]["mlx.time"]
        times = np.round(np.arange(max(3.0, 0.9 * time), 1.1 * time, 0.1), 1)
        below = _curves(problem, post, 100.0, times) <= 0.5
        chance = np.asarray(below, dtype=np.float64) @ post.weights[post.heavy()]
        assert chance[0] < 0.89 <= chance[-1]
        away.append(abs(times[np.argmax(chance >= 0.89)] / time - 1.0))
    assert len(away) == SUBJECTS
    assert max(away) < 0.03
