"""Iterative two-stage (ITS): fits by modes and conditional covariances of the random effects.

Every iteration finds the mode m of each subject's random effects and the inverse B of the
curvature there, as FOCEI and Laplace do, and takes N(m, B) for their conditional distribution.
Then it maximises as the EM algorithm does: means of random effects by generalised least squares
(`statera.estimate.mu`), Omega from ``m m' + B``, sizes of residual error from squared residuals
plus ``a' B a`` with a the slopes of the prediction. Other parameters take a scoring step along the
exact gradient of the objective. With a prediction that is linear in normal random effects this is
the EM algorithm itself (Laird and Ware 1982, doi 10.2307/2529876); otherwise it ends near the
minimum of FOCEI or Laplace, not at it. The objective reported is theirs at the estimates.

Every two iterations the parameters are extrapolated (SQUAREM, Varadhan and Roland 2008,
doi 10.1111/j.1467-9469.2007.00585.x): EM steps shrink slowly where the data say little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.chains import Likelihood
from statera.estimate.checks import fit_warnings
from statera.estimate.effects import Effects
from statera.estimate.inner import inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions, expand_gradient
from statera.estimate.mixture import refuse_mixture
from statera.estimate.mu import find_mu_reference
from statera.estimate.outer import Objective
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult, Iteration
from statera.estimate.saem_step import Maximiser, Statistics
from statera.estimate.terms import GAUSS

__all__ = ["ItsOptions", "fit_its"]

Floats = NDArray[np.float64]

_STILL = 2
"""Pairs of iterations in a row that must count as converged."""
_HALVINGS = 10
_FARTHEST = 32.0
"""Largest length of an extrapolation, in steps."""
_WORSE = 0.1
"""Rise of the objective by which an extrapolation is taken back."""


@dataclass(frozen=True)
class ItsOptions:
    """When to stop.

    Attributes
    ----------
    tolerance
        Largest change of a free number (a logarithm, or a share of the initial value) still to be
        expected: steps shrink as a geometric series, whose rest is estimated from the last two.
    max_iterations
        Iterations.
    """

    tolerance: float = 1e-3
    max_iterations: int = 500


def fit_its(
    problem: Problem,
    options: ItsOptions | None = None,
    progress: Callable[[Iteration], None] | None = None,
) -> FitResult:
    """Fit a prepared problem by ITS.

    Parameters
    ----------
    problem
        From `statera.estimate.make_problem`, with interaction.
    options
        When to stop.
    progress
        Called after every iteration; KeyboardInterrupt in it leaves the last values.

    Raises
    ------
    UsageError
        If there is nothing random in the model, or it is a mixture.
    """
    refuse_mixture(problem, "ITS")
    started = time.process_time()
    if not (np.diag(problem.omega.start) > 0.0).any():
        raise UsageError(
            f"ITS needs random effects, and {problem.model.id} has none that vary",
            where="random_effects",
            hint="Use focei, or give a variance above 0.",
        )
    run = _Run(problem)
    history: list[Iteration] = []
    status = "no start"
    if run.begin(problem.start):
        status = _iterate(run, history, options or ItsOptions(), progress)
    return _result(run, history, status, started)


def _iterate(
    run: _Run,
    history: list[Iteration],
    options: ItsOptions,
    progress: Callable[[Iteration], None] | None,
) -> str:
    still, points = 0, [run.u]
    for number in range(1, options.max_iterations + 1):
        moved = run.step()
        if not np.isfinite(moved):
            return "no progress"
        theta, omega, _ = run.problem.unpack(run.u)
        history.append(Iteration(number, run.total, np.nan, theta, omega))
        try:
            if progress is not None:
                progress(replace(history[-1], etas=run.at.inner.etas))
        except KeyboardInterrupt:
            return "stopped"
        points.append(run.u)
        if len(points) == 3:
            left = _left(points)
            still = still + 1 if left < options.tolerance else 0
            if still >= _STILL:
                return "converged"
            run.extrapolate(points)
            points = [run.u]
    return "iterations"


def _left(points: list[Floats]) -> float:
    """Return how far the last free number still has to go, by two steps of a geometric series."""
    first, last = (float(np.abs(b - a).max(initial=0.0)) for a, b in pairwise(points))
    rate = min(last / first, 0.99) if first > 0.0 else 0.0
    return last * max(rate / (1.0 - rate), 1.0)


class _Run:
    """Where the algorithm stands."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        of = problem.individuals
        self.options = LaplaceOptions(exact=bool((of.kind != GAUSS).any()))
        self.objective = Objective(problem, self.options)
        self.mu = find_mu_reference(problem)
        self.maximiser = Maximiser(
            problem, self.mu, Likelihood(of), 1, np.zeros((of.n_subjects, of.n_etas))
        )
        self.u = problem.start
        self.total = np.inf
        self.at: Expansion

    def begin(self, u: Floats) -> bool:
        """Find the modes at the initial values; return whether that was possible."""
        return self._move(u)

    def _move(self, u: Floats) -> bool:
        with np.errstate(all="ignore"):
            total, at = self.objective.value(u)
        found = bool(np.isfinite(total))
        if found or not np.isfinite(self.total):
            self.u, self.total, self.at = u, total, at
        return found

    def step(self) -> float:
        """Take one iteration; return the largest change of a free number, infinite if none is."""
        with np.errstate(all="ignore"):
            wanted = self._maximised()
        step = wanted - self.u
        if not np.isfinite(step).all():
            return np.inf
        for _ in range(_HALVINGS):
            if self._try(self.u + step):
                return float(np.abs(step).max(initial=0.0))
            step = 0.5 * step
        return np.inf

    def extrapolate(self, points: list[Floats]) -> None:
        """Go on along two steps, unless that leads astray."""
        one, two = points[1] - points[0], points[2] - points[1]
        bend = two - one
        size = float(np.linalg.norm(bend))
        length = min(float(np.linalg.norm(one)) / size, _FARTHEST) if size > 0.0 else 1.0
        if length <= 1.0:
            return
        kept = self.u, self.total, self.at
        trial = points[0] + 2.0 * length * one + length**2 * bend
        if not self._try(trial) or self.total > kept[1] + _WORSE:
            self.u, self.total, self.at = kept

    def _try(self, u: Floats) -> bool:
        """Move to free numbers; individual values stay while their means move."""
        old, new = (self.mu.mean(self.problem.unpack(x)[0]) for x in (self.u, u))
        self.objective.etas = self.at.inner.etas + old - new
        return self._move(u)

    def _maximised(self) -> Floats:
        """Return the free numbers that the modes and their covariances ask for."""
        problem, m, at = self.problem, self.maximiser, self.at
        theta, omega, full = problem.unpack(self.u)
        mean, spread = self.mu.mean(theta), inverse_of(at.half)
        m.score, statistics = self._collected(theta, full, mean, spread)
        effects = Effects(full)
        moved = m.fixed_effects(statistics, 1.0, theta, effects, 0.0)
        new, _ = m.omega(statistics, self.mu.mean(moved), omega, 0.0)
        return problem.pack(moved, new)

    def _collected(
        self, theta: Floats, full: Floats, mean: Floats, spread: Floats
    ) -> tuple[Floats, Statistics]:
        """Return the gradient by parameters that need it, and what the maximisation needs."""
        m, at = self.maximiser, self.at
        of = self.problem.individuals
        etas = at.inner.etas
        phi = etas + mean
        kept = phi * m.present
        both = spread * m.present[:, :, None] * m.present[:, None, :]
        second = kept.T @ kept + both.sum(axis=0)
        e = of.evaluate(theta, etas, by_parameters=True)
        a = e.df[:, of.n_theta :]
        squares = (of.y - e.f) ** 2 + np.einsum("jk,jkl,jl->j", a, spread[of.subject], a)
        sizes = [
            float((squares / e.v)[s.rows].sum()) * abs(theta[s.theta]) ** s.power for s in m.sizes
        ]
        score = np.zeros(m.numerical.size)
        information = np.zeros((m.numerical.size, m.numerical.size))
        if m.numerical.size:
            slopes = expand_gradient(of, theta, full, at, self.options)
            score = slopes.theta.sum(axis=0)[m.numerical]
            df, dv = e.df[:, m.numerical], e.dv[:, m.numerical]
            information = (e.terms.curve_f[:, None] * df).T @ df
            information = 2.0 * (information + (e.terms.curve_v[:, None] * dv).T @ dv)
        found = Statistics()
        found.update([phi, second, np.array(sizes), information], 1.0)
        return score, found


def _result(run: _Run, history: list[Iteration], status: str, started: float) -> FitResult:
    problem, at = run.problem, run.at
    theta, omega, _ = problem.unpack(run.u)
    names = list(problem.model.parameters)
    warnings = list(problem.warnings)
    half = at.half
    known = bool(half.shape[1]) and bool(np.isfinite(half).all())
    extra = {
        "objective_by": "laplace" if run.options.exact else "focei",
        "evaluations": run.objective.evaluations,
        "by_mean": run.mu.names,
        "by_residuals": tuple(names[s.theta] for s in run.maximiser.sizes),
        "by_scoring": tuple(names[i] for i in run.maximiser.numerical.tolist()),
    }
    rows = np.full((at.objective.size, problem.n_free), np.nan)
    if status != "no start":
        with np.errstate(all="ignore"):
            rows, _ = run.objective.by_subject(run.u, at)
        extra["gradient"] = rows.sum(axis=0)
    result = FitResult(
        problem=problem,
        method="its",
        theta=theta,
        omega=omega,
        ofv=run.total,
        by_subject=at.objective,
        etas=at.inner.etas,
        eta_variance=inverse_of(half) if known else np.full_like(half, np.nan),
        status=status,
        iterations=tuple(history),
        warnings=tuple(warnings),
        seconds=time.process_time() - started,
        extra=extra,
    )
    if status == "no start":
        return result
    return replace(result, warnings=(*result.warnings, *fit_warnings(result)))
