"""Fit a population model to data."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.checkpoint import Checkpoint, resume_problem
from statera.estimate.inner import inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions
from statera.estimate.outer import Objective, OuterOptions, search
from statera.estimate.problem import Observed, Problem, ProblemOptions, make_problem
from statera.estimate.result import FitResult, Iteration
from statera.model import Model

__all__ = ["METHODS", "Method", "fit", "fit_problem"]

Floats = NDArray[np.float64]

Method = Literal["foce", "focei", "laplace"]
METHODS: tuple[Method, ...] = ("foce", "focei", "laplace")


def fit(
    model: Model,
    data: Observed,
    *,
    method: Method = "focei",
    options: ProblemOptions | None = None,
    outer: OuterOptions | None = None,
    progress: Callable[[Iteration], None] | None = None,
    resume: Checkpoint | None = None,
) -> FitResult:
    """Estimate fixed effects, Omega and residual error.

    Parameters
    ----------
    model
        With initial values; from the library, built in Python or translated.
    data
        From `statera.data`.
    method
        ``foce``: conditional estimation, residual variance at random effects 0; ``focei``: with
        interaction; ``laplace``: with exact second derivatives.
    options
        What is estimated and how data are read.
    outer
        When to stop.
    progress
        Called after every iteration; KeyboardInterrupt in it leaves the best so far.
    resume
        Where an earlier fit of the same model and data stood.

    Raises
    ------
    InputError, UsageError
        If model and data, or the checkpoint, do not belong together. A search that fails does not raise: the result
        has a status.
    """
    if method not in METHODS:
        raise UsageError(f"'{method}' is not a method", hint=f"Methods: {', '.join(METHODS)}.")
    options = options or ProblemOptions()
    options = replace(options, interaction=method != "foce")
    problem = make_problem(model, data, options)
    if resume is not None:
        problem = resume_problem(problem, resume)
    return fit_problem(problem, method, outer or OuterOptions(), progress, resume)


def fit_problem(
    problem: Problem,
    method: Method,
    outer: OuterOptions,
    progress: Callable[[Iteration], None] | None = None,
    resume: Checkpoint | None = None,
) -> FitResult:
    """Fit a prepared problem, see `fit`."""
    started = time.process_time()
    objective = Objective(problem, LaplaceOptions(exact=method == "laplace"))
    first = 0
    if resume is not None:
        first = resume.iteration
        if resume.etas.shape == objective.etas.shape:
            objective.etas = resume.etas.copy()
    history: list[Iteration] = []

    def report(number: int, u: Floats, value: float, gradient: Floats) -> bool:
        theta, omega, _ = problem.unpack(u)
        steepest = float(np.abs(gradient).max(initial=0.0))
        history.append(Iteration(first + number, value, steepest, theta, omega))
        try:
            if progress is not None:
                progress(replace(history[-1], etas=objective.etas))
        except KeyboardInterrupt:
            return True
        return False

    best = search(objective, problem.start, outer, report)
    total, at = objective.value(best.x)
    theta, omega, _ = problem.unpack(best.x)
    return FitResult(
        problem=problem,
        method=method,
        theta=theta,
        omega=omega,
        ofv=total,
        by_subject=at.objective,
        etas=at.inner.etas,
        eta_variance=_variances(at),
        status=best.status,
        iterations=tuple(history),
        warnings=problem.warnings,
        seconds=time.process_time() - started,
        extra={"gradient": best.gradient, "evaluations": best.evaluations},
    )


def _variances(at: Expansion) -> Floats:
    half = at.half
    if half.shape[1] == 0 or not np.isfinite(half).all():
        return np.full_like(half, np.nan)
    return inverse_of(half)
