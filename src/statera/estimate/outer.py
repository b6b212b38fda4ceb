"""The search for the parameters that minimise the objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.first_order import first_order, first_order_gradient
from statera.estimate.inner import Inner, inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions, Slopes, expand, expand_gradient
from statera.estimate.problem import Problem
from statera.estimate.quadrature import quadrature
from statera.numerics.bfgs import Minimum, minimise

__all__ = [
    "FirstOrderObjective",
    "Objective",
    "OuterOptions",
    "QuadratureObjective",
    "search",
]

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
    """FOCE, FOCEI or Laplace: the objective and its gradient by free numbers.

    Modes are kept as starts of the next call.

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
        self.lowest = np.inf
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
        if total <= self.lowest:  # a trial too far must not lead the next one to other modes
            self.lowest = total
            self.etas, self.curvature = found.inner.etas, slopes.curvature
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
        scaled = outer / size[:, None] / size[None, :] + 1e-2 * np.eye(size.size)
        inverse: Floats = inverse_of(scaled) / size[:, None] / size[None, :]
        return inverse

    def _prior_slope(self, u: Floats) -> Floats:
        theta, _, _ = self.problem.unpack(u)
        by_theta = self.problem.prior(theta)[1]
        full = self.problem.omega.n_full
        return self.problem.pull(u, by_theta, np.zeros((full, full)))


class FirstOrderObjective(Objective):
    """FO: the objective and its gradient."""

    def value(self, u: Floats) -> tuple[float, Expansion]:
        """Return the objective by FO; the expansion holds modes of 0."""
        self.evaluations += 1
        theta, _, omega = self.problem.unpack(u)
        of = self.problem.individuals
        found = first_order(of, theta, omega)
        self._found = found
        statuses = np.zeros(of.n_subjects, dtype=np.int64)
        inner = Inner(np.zeros_like(self.etas), found.objective, statuses, 1)
        at = Expansion(found.objective, inner, inverse_of(found.inverse), None)
        total = float(found.objective.sum()) + self.problem.constant
        return total + self.problem.prior(theta)[0], at

    def by_subject(self, u: Floats, at: Expansion) -> tuple[Floats, Slopes]:
        """Return the gradient of every subject by free numbers."""
        theta, _, omega = self.problem.unpack(u)
        by_theta, by_omega = first_order_gradient(
            self.problem.individuals, theta, omega, self._found
        )
        slopes = Slopes(by_theta, by_omega, 2.0 * at.half)
        return self.problem.pull(u, by_theta, by_omega), slopes


class QuadratureObjective(Objective):
    """Adaptive Gaussian quadrature: the objective, and its gradient by central differences."""

    def __init__(self, problem: Problem, options: LaplaceOptions, nodes: int) -> None:
        super().__init__(problem, options)
        self.nodes = nodes

    def value(self, u: Floats) -> tuple[float, Expansion]:
        """Return the objective by quadrature; the expansion holds it by subject."""
        self.evaluations += 1
        theta, _, omega = self.problem.unpack(u)
        objective, at = quadrature(
            self.problem.individuals, theta, omega, self.etas, self.options, self.nodes
        )
        total = float(objective.sum()) + self.problem.constant + self.problem.prior(theta)[0]
        return total, replace(at, objective=objective)

    def by_subject(self, u: Floats, at: Expansion) -> tuple[Floats, Slopes]:
        """Return the gradient of every subject by free numbers."""
        self.etas = at.inner.etas
        rows = np.empty((at.objective.size, u.size))
        for k in range(u.size):
            ends = []
            for sign in (1.0, -1.0):
                moved = u.copy()
                moved[k] += sign * 1e-4
                ends.append(self.value(moved)[1].objective)
            rows[:, k] = (ends[0] - ends[1]) / 2e-4
        n, q = self.etas.shape
        none = Slopes(np.zeros((n, 0)), np.zeros((n, q, q)), 2.0 * at.half)
        return rows, none


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
