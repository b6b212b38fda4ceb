"""The likelihood behind the standard errors of a fit by SAEM, which has no objective of its own."""

from __future__ import annotations

from typing import Literal

import numpy as np

from statera.estimate.importance import ImportanceResult
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.outer import Objective
from statera.estimate.result import FitResult
from statera.estimate.sampled_objective import SampledObjective, SampledOptions
from statera.estimate.terms import GAUSS

__all__ = ["SaemLikelihood", "likelihood_name", "saem_likelihood"]

SaemLikelihood = Literal["sampled", "linearised"]


def saem_likelihood(
    result: FitResult, kind: SaemLikelihood, options: SampledOptions | None = None
) -> Objective:
    """Return -2 log-likelihood near the estimates of SAEM, with its gradient.

    Parameters
    ----------
    kind
        ``sampled``: by importance sampling with held draws, which is what SAEM maximises;
        ``linearised``: that of FOCEI, or of Laplace where observations are censored or have a
        likelihood of their own. The second is quicker, and its maximum lies elsewhere.
    """
    problem = result.problem
    if kind == "sampled":
        found = result.extra.get("importance")
        held = found if isinstance(found, ImportanceResult) else None
        return SampledObjective(problem, result.theta, result.omega, options, held)
    exact = bool((problem.individuals.kind != GAUSS).any())
    objective = Objective(problem, LaplaceOptions(exact=exact))
    if np.isfinite(result.etas).all():
        objective.etas = result.etas.copy()
    return objective


def likelihood_name(result: FitResult, kind: SaemLikelihood) -> str:
    """Return what a likelihood of standard errors is called."""
    if result.method != "saem":
        return ""
    if kind == "sampled":
        return "the likelihood by importance sampling"
    exact = bool((result.problem.individuals.kind != GAUSS).any())
    return f"the likelihood by {'Laplace' if exact else 'FOCEI'}"
