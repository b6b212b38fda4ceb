"""The search for the parameters that minimise the objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.inner import inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions, Slopes, expand, expand_gradient
from statera.estimate.problem import Problem
from statera.numerics.bfgs import Minimum, minimise

__all__ = ["Objective", "OuterOptions", "search"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OuterOptions:
    """When to stop.

    Attributes
    ----------
    tolerance
        Decrease of the objective below which it counts as converged.
    max_iterations
        Iterations of BFGS.
    """

    tolerance: float = 1e-4
    max_iterations: int = 300


class Objective:
    """The objective and its gradient by free numbers; modes are kept as starts of the next call.

    Attributes
    ----------
    evaluations
        Calls so far.
    """

    def __init__(self, problem: Problem, options: LaplaceOptions) -> None:
        self.problem, self.options = problem, options
        individuals = problem.individuals
        self.etas = np.zeros((individuals.n_subjects, individuals.n_etas))
        self.curvature: Floats | None = None
        self.evaluations = 0
        self.last: Expansion | None = None
        self.at: Floats | None = None
        self.rows = np.zeros((individuals.n_subjects, problem.n_free))

    def value(self, u: Floats) -> tuple[float, Expansion]:
        """Return the objective and the expansion it comes from."""
        self.evaluations += 1
        theta, _, omega = self.problem.unpack(u)
        found = expand(
            self.problem.individuals, theta, omega, self.etas, self.options, self.curvature
        )
        total = float(found.objective.sum()) + self.problem.constant
        return total + self.problem.prior(theta)[0], found

    def by_subject(self, u: Floats, at: Expansion) -> tuple[Floats, Slopes]:
        """Return the gradient of every subject by free numbers, (n_subjects, n_free)."""
        theta, _, omega = self.problem.unpack(u)
        slopes = expand_gradient(self.problem.individuals, theta, omega, at, self.options)
        return self.problem.pull(u, slopes.theta, slopes.omega), slopes

    def __call__(self, u: Floats) -> tuple[float, Floats]:
        """Return the objective and its gradient; infinite where a subject cannot be solved."""
        with np.errstate(all="ignore"):
            total, found = self.value(u)
        if not np.isfinite(total):
            return np.inf, np.full(u.size, np.nan)
        rows, slopes = self.by_subject(u, found)
        gradient = rows.sum(axis=0) + self._prior_slope(u)
        self.etas, self.curvature, self.last = found.inner.etas, slopes.curvature, found
        self.rows, self.at = rows, u.copy()
        return total, gradient

    def guess(self, u: Floats) -> Floats | None:
        """Return an estimate of the inverse of the second derivatives, if `u` came last.

        Near the maximum of a likelihood half the sum of the outer products of the subjects'
        gradients is about half the second derivatives of -2 log-likelihood.
        """
        if self.at is None or not np.array_equal(self.at, u):
            return None
        outer = 0.5 * self.rows.T @ self.rows
        size = np.sqrt(np.maximum(np.diag(outer), 1e-8))
        scaled = outer / size[:, None] / size[None, :] + 1e-3 * np.eye(size.size)
        inverse: Floats = inverse_of(scaled) / size[:, None] / size[None, :]
        return inverse

    def _prior_slope(self, u: Floats) -> Floats:
        theta, _, _ = self.problem.unpack(u)
        by_theta = self.problem.prior(theta)[1]
        full = self.problem.omega.n_full
        return self.problem.pull(u, by_theta, np.zeros((full, full)))


def search(
    objective: Objective,
    start: Floats,
    options: OuterOptions,
    report: Callable[[int, Floats, float, Floats], bool] | None = None,
) -> Minimum:
    """Minimise the objective from `start`.

    The first guess of the curvature is half the sum of the outer products of the subjects'
    gradients, which estimates it near the maximum of a likelihood.
    """
    objective(start)
    return minimise(
        objective,
        start,
        inverse=objective.guess(start),
        guess=objective.guess,
        tolerance=options.tolerance,
        max_iterations=options.max_iterations,
        report=report,
    )
