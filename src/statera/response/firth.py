"""Firth's penalised likelihood of binary responses: finite estimates where groups are separated.

Firth, Biometrika 1993;80:27-38 (doi 10.1093/biomet/80.1.27); Heinze and Schemper, Stat Med
2002;21:2409-2419 (doi 10.1002/sim.1047). The log-likelihood gains half the log determinant of the
information; intervals are best taken from the profile of the penalised likelihood.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from statera.response.binary import Binary
from statera.response.maximise import Evaluation
from statera.response.problem import Problem

__all__ = ["evaluate_penalised"]

Floats = NDArray[np.float64]


def evaluate_penalised(problem: Problem, theta: Floats) -> Evaluation:
    """Return the penalised log-likelihood, its slope, and less the information.

    The outcome is binary and the effect linear in its parameters; where the information has no
    determinant the value is -inf.
    """
    assert isinstance(problem.outcome, Binary)
    eta, slope, _ = problem.predictor(theta, problem.exposure[:, 0], problem.design)
    rows = problem.outcome.rows(eta, theta[:0])
    chance = expit(eta)
    weight = chance * expit(-eta)
    information = slope.T @ (weight[:, None] * slope)
    sign, log_det = np.linalg.slogdet(information)
    if sign <= 0 or not np.isfinite(log_det):
        return Evaluation(-np.inf, np.zeros(theta.size), -information)
    leverage = weight * np.einsum("ni,ni->n", slope @ np.linalg.inv(information), slope)
    score = slope.T @ (rows.slope[:, 0] + leverage * (0.5 - chance))
    return Evaluation(float(rows.value.sum() + 0.5 * log_det), score, -information)
