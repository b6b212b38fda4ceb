"""Fit a population model to data."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.checkpoint import Checkpoint, CheckpointFile, resume_problem
from statera.estimate.checks import check_doses, fit_warnings, on_natural_scale
from statera.estimate.inner import inverse_of
from statera.estimate.its import ItsOptions, fit_its
from statera.estimate.laplace import Expansion, LaplaceOptions, expand
from statera.estimate.membership import Membership, membership_notices
from statera.estimate.mixture import members_of
from statera.estimate.mixture_objective import (
    MixtureObjective,
    check_distinct,
    chosen_modes,
    membership,
    settled_problem,
)
from statera.estimate.outer import (
    FirstOrderObjective,
    Objective,
    OuterOptions,
    QuadratureObjective,
    search,
)
from statera.estimate.problem import Observed, Problem, ProblemOptions, make_problem
from statera.estimate.result import FitResult, Iteration
from statera.estimate.saem import SaemOptions, fit_saem
from statera.estimate.terms import GAUSS
from statera.model import Model
from statera.numerics.bfgs import Minimum
from statera.simulate import OdeOptions

__all__ = ["FIT_METHODS", "METHODS", "FitMethod", "Method", "fit", "fit_problem", "objective_of"]

Floats = NDArray[np.float64]

Method = Literal["fo", "foce", "focei", "laplace", "agq"]
METHODS: tuple[Method, ...] = ("fo", "foce", "focei", "laplace", "agq")
"""Methods that minimise an objective by its gradient."""

FitMethod = Literal["fo", "foce", "focei", "laplace", "agq", "its", "saem"]
FIT_METHODS: tuple[FitMethod, ...] = (*METHODS, "its", "saem")
"""All methods of `fit`."""

_SAEM_RTOL = 1e-6
"""Relative tolerance of the solver for SAEM unless one is given: its draws are noise anyway."""
_ROUNDS = 3
"""Searches from other modes of subjects."""
_LOWER = 1e-4
"""By how much J must be lower at another mode for the search to go on from there."""
_RIVAL = 2.0
"""Difference of J below which two modes count as nearly as likely: a ratio of 1 to 2.7."""


def fit(
    model: Model,
    data: Observed,
    *,
    method: FitMethod = "focei",
    options: ProblemOptions | None = None,
    outer: OuterOptions | None = None,
    curvature: Literal["expected", "exact"] | None = None,
    nodes: int = 3,
    saem: SaemOptions | None = None,
    progress: Callable[[Iteration], None] | None = None,
    resume: Checkpoint | None = None,
    checkpoint: str | Path | None = None,
) -> FitResult:
    """Estimate fixed effects, Omega and residual error.

    Parameters
    ----------
    model
        With initial values; from the library, built in Python or translated.
    data
        From `statera.data`.
    method
        ``fo``: linearised at random effects 0; ``foce``: at the modes, residual variance at
        random effects 0; ``focei``: with interaction; ``laplace``: with exact second derivatives;
        ``agq``: adaptive Gaussian quadrature; ``its``: iterative two-stage, with the objective of
        FOCEI or Laplace; ``saem``: stochastic approximation EM, with importance sampling for the
        objective.
    options
        What is estimated and how data are read.
    outer
        When to stop.
    curvature
        Second derivatives at the modes for ``laplace`` (by default exact) and ``agq`` (by default
        expected).
    nodes
        Nodes along each random effect for ``agq``.
    saem
        Lengths, chains and seed of ``saem``.
    progress
        Called after every iteration; KeyboardInterrupt in it leaves the best so far.
    resume
        Where an earlier fit of the same model and data stood; `load_checkpoint` reads it.
    checkpoint
        A file that is written while the fit runs and at its end, to resume from.

    Raises
    ------
    InputError, UsageError
        If model and data, or the checkpoint, do not belong together. A search that fails does not
        raise: the result has a status.
    """
    if method not in FIT_METHODS:
        raise UsageError(f"'{method}' is not a method", hint=f"Methods: {', '.join(FIT_METHODS)}.")
    options = options or ProblemOptions()
    options = replace(options, interaction=method != "foce")
    if method == "saem" and options.ode == ProblemOptions().ode:
        options = replace(options, ode=OdeOptions(rtol=_SAEM_RTOL))
    check_doses(model, data.events)
    data = on_natural_scale(model, data)
    problem = make_problem(model, data, options)
    if resume is not None:
        problem = resume_problem(problem, resume)
    if method == "saem":
        return _fit_by_steps(problem, "saem", partial(fit_saem, options=saem), progress, checkpoint)
    if method == "its":
        its = ItsOptions() if outer is None else ItsOptions(max_iterations=outer.max_iterations)
        return _fit_by_steps(problem, "its", partial(fit_its, options=its), progress, checkpoint)
    return fit_problem(
        problem,
        method,
        outer or OuterOptions(),
        progress,
        curvature=curvature,
        nodes=nodes,
        resume=resume,
        checkpoint=checkpoint,
    )


def _fit_by_steps(
    problem: Problem,
    method: FitMethod,
    run: Callable[..., FitResult],
    progress: Callable[[Iteration], None] | None,
    checkpoint: str | Path | None,
) -> FitResult:
    keep = None if checkpoint is None else CheckpointFile(checkpoint, problem, method)

    def report(at: Iteration) -> None:
        if keep is not None:
            keep(at)
        if progress is not None:
            progress(at)

    result = run(problem, progress=report)
    if keep is not None:
        keep.close(result)
    return result


def objective_of(
    problem: Problem,
    method: Method,
    curvature: Literal["expected", "exact"] | None = None,
    nodes: int = 3,
) -> Objective:
    """Return the objective that a method minimises, as a function of the free numbers."""
    if problem.subpopulations is not None:
        members = objective_of(members_of(problem), method, curvature, nodes)
        return MixtureObjective(problem, members)
    exact = method == "laplace" if curvature is None else curvature == "exact"
    if method == "fo":
        censored = problem.individuals.kind != GAUSS
        if censored.any():
            raise UsageError(
                "FO is for quantified observations only",
                where="method",
                hint="Use laplace for censored observations and likelihoods.",
            )
        return FirstOrderObjective(problem, LaplaceOptions())
    if method == "agq":
        return QuadratureObjective(problem, LaplaceOptions(exact=exact), nodes)
    return Objective(problem, LaplaceOptions(exact=exact))


def fit_problem(
    problem: Problem,
    method: Method,
    outer: OuterOptions,
    progress: Callable[[Iteration], None] | None = None,
    *,
    curvature: Literal["expected", "exact"] | None = None,
    nodes: int = 3,
    resume: Checkpoint | None = None,
    checkpoint: str | Path | None = None,
) -> FitResult:
    """Fit a prepared problem, see `fit`."""
    started = time.process_time()
    objective = objective_of(problem, method, curvature, nodes)
    if isinstance(objective, MixtureObjective) and problem.n_free:
        check_distinct(objective)
    first = 0
    if resume is not None:
        first = resume.iteration
        people = problem.individuals
        if resume.etas.shape in (objective.etas.shape, (people.n_subjects, people.n_etas)):
            objective.etas = resume.etas.copy()
    keep = None if checkpoint is None else CheckpointFile(checkpoint, problem, method)
    history: list[Iteration] = []

    def report(number: int, u: Floats, value: float, gradient: Floats) -> bool:
        theta, omega, _ = problem.unpack(u)
        steepest = float(np.abs(gradient).max(initial=0.0))
        history.append(Iteration(first + number, value, steepest, theta, omega))
        try:
            now = replace(history[-1], etas=objective.etas)
            if keep is not None:
                keep(now)
            if progress is not None:
                progress(now)
        except KeyboardInterrupt:
            return True
        return False

    best, rivals = _search(objective, problem.start, outer, report)
    extra = {"curvature": curvature, "nodes": nodes, "rivals": rivals}
    result = _finished(problem, method, objective, best, history, extra, started)
    if keep is not None:
        keep.close(result)
    return result


def _finished(
    problem: Problem,
    method: Method,
    objective: Objective,
    best: Minimum,
    history: list[Iteration],
    extra: dict[str, Any],
    started: float,
) -> FitResult:
    """Return what a search found, with its random effects and all that a reader must know."""
    with np.errstate(all="ignore"):  # a fit that could not start has no numbers here
        total, at = objective.value(best.x)
    theta, omega, full = problem.unpack(best.x)
    modes = at
    members: Membership | None = None
    if method == "fo":  # random effects after the fact
        people = members_of(problem).individuals
        modes = expand(people, theta, full, at.inner.etas, LaplaceOptions())
    if problem.subpopulations is not None:
        members = membership(problem, theta, at, modes)
        modes = chosen_modes(problem, members, modes)
        problem = settled_problem(problem, members)
        gradients = objective.by_subject(best.x, at)[0] if np.isfinite(total) else None
        extra = {**extra, "mixture": members, "gradients": gradients}
    status = best.status if problem.n_free else "evaluated"
    if not np.isfinite(total):
        status = "no start"
    result = FitResult(
        problem=problem,
        method=method,
        theta=theta,
        omega=omega,
        ofv=total,
        by_subject=at.objective,
        etas=modes.inner.etas,
        eta_variance=_variances(modes),
        status=status,
        iterations=tuple(history),
        warnings=problem.warnings,
        seconds=time.process_time() - started,
        extra={
            "gradient": best.gradient,
            "evaluations": best.evaluations,
            "runaways": tuple(objective.drifts),
            **extra,
        },
    )
    found = fit_warnings(result)
    found += () if members is None else membership_notices(members)
    return replace(result, warnings=(*result.warnings, *found))


def _search(
    objective: Objective,
    start: Floats,
    outer: OuterOptions,
    report: Callable[[int, Floats, float, Floats], bool],
) -> tuple[Minimum, tuple[int, ...]]:
    """Search, and again from the lowest mode where a subject turns out to have another.

    Returns the minimum, and the subjects of which two modes are nearly as likely.
    """
    best = search(objective, start, outer, report)
    for _ in range(_ROUNDS):
        found = objective.other_modes(best.x)
        if found is None:
            return best, ()
        rivals = tuple(int(i) for i in np.flatnonzero(found.rival < _RIVAL))
        if not (found.gain > _LOWER).any() or best.status == "stopped":
            return best, rivals
        objective.restart(found.etas, None)
        done = best.iterations

        def later(number: int, u: Floats, value: float, gradient: Floats, done: int = done) -> bool:
            return report(done + number, u, value, gradient)

        again = search(objective, best.x, outer, later)
        best = replace(
            again,
            iterations=done + again.iterations,
            evaluations=best.evaluations + again.evaluations,
        )
    return best, rivals


def _variances(at: Expansion) -> Floats:
    half = at.half
    if half.shape[1] == 0 or not np.isfinite(half).all():
        return np.full_like(half, np.nan)
    return inverse_of(half)
