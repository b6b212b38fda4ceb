"""The most likely random effects of one patient (MAP, empirical Bayes estimate)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.inner import ARRIVED, InnerOptions, find_etas
from statera.tdm.outcome import Outcome
from statera.tdm.patient_problem import PatientProblem

__all__ = ["MapEstimate", "Mode", "map_estimate"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mode:
    """A local minimum of J."""

    etas: Floats
    objective: float


@dataclass(frozen=True)
class MapEstimate:
    """Random effects at the minimum of ``J = sum[ln v + (y - f)^2 / v] + eta' Omega^-1 eta``.

    Attributes
    ----------
    etas : (n_etas,) float64
    objective
        J, with v at these random effects.
    hessian : (n_etas, n_etas) float64
        Second derivatives of J / 2, which is -ln of the posterior density.
    covariance : (n_etas, n_etas) float64
        Inverse of the hessian; the prior's where it is not positive definite.
    parameters
        Individual parameters at the last record, by name.
    ipred, pred : (n_used,) float64
        Predictions of the samples that count, in the output's unit, at these random effects and
        of the typical patient.
    status
        None where all is well, else MODE_NOT_FOUND, NOT_SOLVED or SEVERAL_MODES.
    modes
        All minima that were found, the best first.
    """

    etas: Floats
    objective: float
    hessian: Floats
    covariance: Floats
    parameters: dict[str, float]
    ipred: Floats
    pred: Floats
    status: Outcome | None
    modes: tuple[Mode, ...]


def map_estimate(problem: PatientProblem) -> MapEstimate:
    """Return the most likely random effects of a patient."""
    of, prior, theta = problem.individuals, problem.prior, problem.theta
    start = np.zeros((1, problem.n_etas))
    found = find_etas(of, theta, prior.search_precision, start, InnerOptions())
    etas = found.etas[0]
    e = of.evaluate(theta, found.etas, by_parameters=False)
    second = of.second(theta, found.etas, by_parameters=False)
    hessian = 0.5 * of.exact(e, second, 0)[0] + prior.precision
    pred = of.values(theta, start)[1]
    parameters = {k: float(v[0]) for k, v in problem.parameters(found.etas).items()}
    status = None if found.statuses[0] == ARRIVED else Outcome.MODE_NOT_FOUND
    objective = float(found.objective[0])
    return MapEstimate(
        etas,
        objective,
        hessian,
        np.linalg.inv(hessian),
        parameters,
        problem.natural(e.f),
        problem.natural(pred),
        status,
        (Mode(etas, objective),),
    )
