"""The parameters as they are reported: fixed effects and entries of Omega, from free numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.fit import METHODS, objective_of
from statera.estimate.outer import Objective
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult

__all__ = ["free_curvature", "natural_slopes", "natural_values", "objective_at"]

Floats = NDArray[np.float64]


def natural_values(problem: Problem, theta: Floats, omega: Floats) -> Floats:
    """Return what is estimated, (n_free,), in the order of `Problem.free_names`."""
    entries = [omega[i, j] for i, j in problem.omega.entries()]
    return np.concatenate([theta[problem.theta.free], np.array(entries, dtype=np.float64)])


def natural_slopes(problem: Problem, u: Floats) -> Floats:
    """Return derivatives of what is estimated by the free numbers, (n_free, n_free)."""
    first = problem.theta.size
    out = np.zeros((u.size, u.size))
    out[:first, :first] = np.diag(problem.theta.unpack(u[:first])[1])
    n = len(problem.omega.places)
    entries = problem.omega.entries()
    units = np.zeros((len(entries), n, n))
    for k, (i, j) in enumerate(entries):  # the derivative of one entry, written symmetrically
        units[k, i, j] += 0.5
        units[k, j, i] += 0.5
    out[first:, first:] = problem.omega.pull(u[first:], units)
    return out


def free_curvature(problem: Problem, u: Floats, r: Floats) -> Floats | None:
    """Return R by the free numbers from R by what is estimated, in the same order.

    None where R is not known for everything, or is not positive definite.
    """
    if not np.isfinite(r).all():
        return None
    slopes = natural_slopes(problem, u)
    found: Floats = slopes.T @ r @ slopes
    return found if np.linalg.eigvalsh(found)[0] > 0.0 else None


def objective_at(result: FitResult) -> Objective:
    """Return the objective of a fit, warm-started at its random effects.

    Raises
    ------
    UsageError
        If the method has no objective of its own.
    """
    for method in METHODS:
        if method == result.method:
            curvature, nodes = result.extra.get("curvature"), result.extra.get("nodes", 3)
            objective = objective_of(result.problem, method, curvature, nodes)
            if np.isfinite(result.etas).all():
                objective.etas = result.etas.copy()
            return objective
    raise UsageError(
        f"{result.method} has no objective with a gradient",
        where="method",
        hint=f"Fit by one of {', '.join(METHODS)} from these estimates.",
    )
