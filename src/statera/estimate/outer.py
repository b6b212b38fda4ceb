"""The search for the parameters that minimise the objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.drift import Drift, DriftWatch
from statera.estimate.first_order import first_order, first_order_gradient
from statera.estimate.information import expected_information
from statera.estimate.inner import Inner, inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions, Slopes, expand, expand_gradient
from statera.estimate.mode_path import ModePath, mode_path
from statera.estimate.modes import Modes, find_modes
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

_RIDGE = 1e-3
"""Added to the scaled expected curvature: what the data do not determine stays where it is."""


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
        self.way: ModePath | None = None
        self.last: tuple[Floats, Expansion] | None = None
        self.drifts: list[Drift] = []
        self.rows = np.zeros((individuals.n_subjects, problem.n_free))

    def value(self, u: Floats) -> tuple[float, Expansion]:
        """Return the objective and the expansion it comes from."""
        self.evaluations += 1
        theta, _, omega = self.problem.unpack(u)
        found = expand(
            self.problem.individuals, theta, omega, self._start(u), self.options, self.curvature
        )
        total = float(found.objective.sum()) + self.problem.constant
        return total + self.problem.prior(theta)[0], found

    def _start(self, u: Floats) -> Floats:
        """Return where the search for the modes begins: where they should have moved to."""
        if self.way is None or self.way.at.shape != u.shape:
            return self.etas
        return self.way.predict(self.etas, u)

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
            self.way = mode_path(self.problem, u, self.etas, slopes)
        self.rows, self.last = rows, (u.copy(), found)
        return total, gradient

    def restart(self, etas: Floats, curvature: Floats | None) -> None:
        """Begin the next search for the modes here."""
        self.etas, self.curvature, self.way, self.lowest = etas, curvature, None, np.inf

    def other_modes(self, u: Floats) -> Modes | None:
        """Look for other modes of subjects at `u`; None where a method has no modes."""
        if self.curvature is None or self.way is None or self.problem.subpopulations is not None:
            return None
        _, at = self.value(u)
        if not np.isfinite(at.objective).all():
            return None
        theta, _, omega = self.problem.unpack(u)
        return find_modes(
            self.problem.individuals, theta, omega, at.inner, self.curvature, self.options.inner,
            at.frozen,
        )  # fmt: skip

    def information(self, u: Floats, etas: Floats) -> Floats:
        """Return expected second derivatives by free numbers, (n_free, n_free)."""
        problem = self.problem
        theta, _, _ = problem.unpack(u)
        of = problem.individuals
        frozen = None if of.interaction else of.frozen_variance(theta)
        e = of.evaluate(theta, etas, by_parameters=True, frozen=frozen)
        return expected_information(problem, u, e) + self.prior_information(u)

    def prior_information(self, u: Floats) -> Floats:
        """Return second derivatives of the priors by free numbers, (n_free, n_free)."""
        problem = self.problem
        found = np.zeros((u.size, u.size))
        _, slopes = problem.theta.unpack(u[: problem.theta.size])
        for i, _, sd in problem.priors:
            if i in problem.theta.free:
                k = problem.theta.free.index(i)
                found[k, k] += 2.0 * (slopes[k] / sd) ** 2
        return found

    def guess(self, u: Floats) -> Floats | None:
        """Return an estimate of the inverse of the second derivatives, if `u` came last."""
        if self.last is None or not np.array_equal(self.last[0], u):
            return None
        expected = self.information(u, self.last[1].inner.etas)
        if not np.isfinite(expected).all():
            return None
        size = np.sqrt(np.maximum(np.diag(expected), 1e-8))
        scaled = expected / size[:, None] / size[None, :] + _RIDGE * np.eye(size.size)
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

    The curvature is the expected one as long as steps gain much, see `information.py`. A parameter
    that runs on without end is held where it is (`drift.py`), and the others are searched on: the
    status is then ``drift``, and `objective.drifts` says which.
    """
    watch = DriftWatch(objective.problem, objective.information, lambda u: objective.value(u)[0])
    value, gradient = objective(start)
    free = np.arange(start.size)
    best = Minimum(start, value, gradient, np.eye(start.size), 0, 0, "iterations")
    inverse = objective.guess(start)
    while True:
        part = _Part(objective, best.x, free, watch, report, best.iterations)
        found = minimise(
            part,
            best.x[free],
            inverse=inverse,
            guess=part.guess,
            tolerance=options.tolerance,
            max_iterations=options.max_iterations - best.iterations,
            report=part.after,
            first=(best.value, best.gradient[free]),
        )
        gradient = part.gradient.copy()
        gradient[free] = found.gradient
        best = Minimum(
            part.whole(found.x), found.value, gradient, found.inverse,
            best.iterations + found.iterations, best.evaluations + found.evaluations, found.status,
        )  # fmt: skip
        if not part.drifts or part.halted or best.iterations >= options.max_iterations:
            break
        objective.drifts += part.drifts
        left = np.isin(free, sorted(watch.held), invert=True)
        free, inverse = free[left], inverse_of(inverse_of(found.inverse)[np.ix_(left, left)])
    objective.drifts += [d for d in part.drifts if d not in objective.drifts]
    if objective.drifts and best.status == "converged":
        best = replace(best, status="drift")
    return best


class _Part:
    """The objective by some of its free numbers, the others held where they are."""

    def __init__(
        self,
        objective: Objective,
        at: Floats,
        free: NDArray[np.int64],
        watch: DriftWatch,
        report: Callable[[int, Floats, float, Floats], bool] | None,
        done: int,
    ) -> None:
        self.objective, self.at, self.free = objective, at.copy(), free
        self.watch, self.report, self.done = watch, report, done
        self.gradient = np.zeros_like(at)
        self.drifts: list[Drift] = []
        self.halted = False

    def whole(self, u: Floats) -> Floats:
        """Return all free numbers."""
        out = self.at.copy()
        out[self.free] = u
        return out

    def __call__(self, u: Floats) -> tuple[float, Floats]:
        """Return the objective and its gradient by what is searched."""
        value, self.gradient = self.objective(self.whole(u))
        return value, self.gradient[self.free]

    def guess(self, u: Floats) -> Floats | None:
        """Return an estimate of the inverse of the second derivatives by what is searched."""
        found = self.objective.guess(self.whole(u))
        if found is None or self.free.size == self.at.size:
            return found
        return inverse_of(inverse_of(found)[np.ix_(self.free, self.free)])

    def after(self, number: int, u: Floats, value: float, gradient: Floats) -> bool:
        """Report an iteration, and look for parameters that run on; True to stop."""
        whole, slope = self.whole(u), self.gradient.copy()
        slope[self.free] = gradient
        if self.report is not None and self.report(self.done + number, whole, value, slope):
            self.halted = True
        self.drifts += self.watch.see(whole, value, self.objective.etas)
        return self.halted or bool(self.drifts)
