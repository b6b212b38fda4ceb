"""Where the chains of full Bayes begin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from statera.data import FitData
from statera.estimate.checkpoint import Checkpoint, resume_problem
from statera.estimate.checks import check_doses, on_natural_scale
from statera.estimate.fit import fit_problem
from statera.estimate.outer import OuterOptions
from statera.estimate.problem import Problem, ProblemOptions, make_problem
from statera.estimate.result import Iteration
from statera.estimate.terms import GAUSS
from statera.model import Model

__all__ = ["chains_start"]


def chains_start(
    model: Model,
    table: FitData,
    options: ProblemOptions,
    resume: Checkpoint | None = None,
    progress: Callable[[Iteration], None] | None = None,
) -> tuple[Problem, NDArray[np.float64] | None, str]:
    """Return the problem, the free numbers about which chains begin, and where they come from.

    Chains begin at a checkpoint, or at the estimates of FOCEI (of Laplace where observations are
    censored or have a likelihood of their own); None stands for the initial values.

    Parameters
    ----------
    progress
        Called after each iteration of the search for a start.

    Raises
    ------
    InputError, UsageError
        If model, data and checkpoint do not belong together.
    """
    check_doses(model, table.events)
    problem = make_problem(model, on_natural_scale(model, table), options)
    if resume is not None:
        return problem, resume_problem(problem, resume).start, "chains begin at the checkpoint"
    plain = bool((problem.individuals.kind == GAUSS).all())
    method = "focei" if plain else "laplace"
    found = fit_problem(problem, "focei" if plain else "laplace", OuterOptions(), progress)
    if found.converged:
        return problem, found.free, f"chains begin about the estimates of {method}"
    return problem, None, f"chains begin at the initial values: {method} did not converge"
