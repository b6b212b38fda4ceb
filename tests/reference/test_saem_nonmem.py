"""SAEM and importance sampling against NONMEM's, and against the likelihood at its other fits.

No standard errors of NONMEM's SAEM are given; those of its FOCEI, by the sandwich, are compared
with those of the sampled likelihood where each subject says enough for both to agree.

Tolerances: -2 log-likelihood within three Monte-Carlo standard deviations; fixed effects within
3 %, on the scale on which they enter the model; variances within 10 %. Of the estimates of
`infusion_covariates`, T6 and the covariance are not distinguishable from 0 (0.06 with a standard
error of 0.13; a correlation of 0.01): they are held to a fifth of a standard error and to 0.1 in
correlation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reference.nonmem_cases import CASES, model_of

from statera.data import read_data
from statera.estimate import Problem, ProblemOptions, make_problem
from statera.estimate.covariance import covariance
from statera.estimate.importance import ImportanceOptions, importance_sampling
from statera.estimate.saem import SaemOptions, fit_saem

pytestmark = pytest.mark.reference


def _answer(reference: Path, name: str, method: str) -> dict[str, Any]:
    file = reference / "nlme" / "nonmem.json"
    if not file.is_file():
        pytest.skip(f"no nlme/nonmem.json in {reference}")
    rows = json.loads(file.read_text())
    return next(r for r in rows if r.get("case") == name and r["method"].startswith(method))


def _problem(reference: Path, name: str) -> Problem:
    data = read_data(reference / "nlme" / "data" / f"{name}.csv.gz", **CASES[name][1])
    return make_problem(model_of(name), data, ProblemOptions())


def _numbers(estimates: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return fixed effects in their order, and Omega."""
    theta = [v for k, v in estimates.items() if k.startswith("THETA")]
    entries = {k[6:-1]: v for k, v in estimates.items() if k.startswith("OMEGA")}
    n = max(int(k.split(",")[0]) for k in entries)
    omega = np.zeros((n, n))
    for k, v in entries.items():
        i, j = (int(x) - 1 for x in k.split(","))
        omega[i, j] = omega[j, i] = v
    return np.array(theta), omega


def _natural(theta: np.ndarray) -> np.ndarray:
    """Return the fixed effects of the SAEM run, whose factors are logarithms, as factors."""
    found = theta.copy()
    found[[0, 1, 6, 7]] = np.exp(found[[0, 1, 6, 7]])
    return found


def test_likelihood_at_the_estimates_of_saem(reference: Path) -> None:
    answer = _answer(reference, "infusion_covariates", "SAEM")
    theta, omega = _numbers(answer["estimates"])
    theta = np.append(_natural(theta), answer["estimates"]["SIGMA(1,1)"])
    problem = _problem(reference, "infusion_covariates")
    found = importance_sampling(problem, theta, omega, ImportanceOptions(samples=3000))
    assert abs(found.ofv - answer["ofv"]) < 3.0 * found.se
    assert found.se < 0.3


def test_saem_with_covariates_and_a_block(reference: Path) -> None:
    answer = _answer(reference, "infusion_covariates", "SAEM")
    errors = _answer(reference, "infusion_covariates", "FOCEI")["se"]
    wanted, omega = _numbers(answer["estimates"])
    wanted = _natural(wanted)
    problem = _problem(reference, "infusion_covariates")
    found = fit_saem(problem, SaemOptions(smoothing=500))
    assert found.status == "converged"
    assert set(found.extra["by_mean"]) == {f"T{i}" for i in range(1, 9)}
    sure = [0, 1, 2, 3, 4, 6, 7]
    assert found.theta[sure] == pytest.approx(wanted[sure], rel=0.03)
    assert abs(found.theta[5] - wanted[5]) < 0.2 * errors["THETA6"]
    assert found.theta[8] == pytest.approx(answer["estimates"]["SIGMA(1,1)"], rel=0.03)
    assert np.diag(found.omega) == pytest.approx(np.diag(omega), rel=0.1)
    size = np.sqrt(omega[0, 0] * omega[1, 1])
    assert abs(found.omega[0, 1] - omega[0, 1]) < 0.1 * size
    assert found.ofv < answer["ofv"] + 3.0 * found.extra["ofv_se"]


@pytest.mark.parametrize("name", ["bolus_1cpt", "oral_1cpt", "warfarin_pk", "phenobarbital"])
def test_saem_is_as_likely_as_nonmems_fit_by_linearisation(reference: Path, name: str) -> None:
    """Maximum likelihood cannot be less likely than an approximation of it.

    Draws are shared, so that their error nearly cancels from the difference.
    """
    estimates = _answer(reference, name, "FOCEI")["estimates"]
    problem = _problem(reference, name)
    theta, omega = _numbers(estimates)
    if theta.size < problem.theta.start.size:
        theta = np.append(theta, estimates["SIGMA(1,1)"])
    linear = importance_sampling(problem, theta, omega)
    found = fit_saem(problem)
    assert found.status == "converged"
    assert linear.ofv - 3.0 < found.ofv < linear.ofv + 0.1
    assert found.extra["ofv_se"] < 0.5


def test_standard_errors_after_saem(reference: Path) -> None:
    wanted = _answer(reference, "bolus_1cpt", "FOCEI")["se"]
    errors = covariance(fit_saem(_problem(reference, "bolus_1cpt")))
    assert errors.description == "R^-1 S R^-1 of the likelihood by importance sampling"
    assert errors.standard_errors == pytest.approx(list(wanted.values()), rel=0.03)
