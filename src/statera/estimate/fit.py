"""Fit a population model to data."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.inner import inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions, expand
from statera.estimate.outer import (
    FirstOrderObjective,
    Objective,
    OuterOptions,
    QuadratureObjective,
    search,
)
from statera.estimate.problem import Observed, Problem, ProblemOptions, make_problem
from statera.estimate.result import FitResult, Iteration
from statera.estimate.terms import GAUSS
from statera.model import Model

__all__ = ["METHODS", "Method", "fit", "fit_problem", "objective_of"]

Floats = NDArray[np.float64]

Method = Literal["fo", "foce", "focei", "laplace", "agq"]
METHODS: tuple[Method, ...] = ("fo", "foce", "focei", "laplace", "agq")


def fit(
    model: Model,
    data: Observed,
    *,
    method: Method = "focei",
    options: ProblemOptions | None = None,
    outer: OuterOptions | None = None,
    curvature: Literal["expected", "exact"] | None = None,
    nodes: int = 3,
    progress: Callable[[Iteration], None] | None = None,
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
        ``agq``: adaptive Gaussian quadrature.
    options
        What is estimated and how data are read.
    outer
        When to stop.
    curvature
        Second derivatives at the modes for ``laplace`` (by default exact) and ``agq`` (by default
        expected).
    nodes
        Nodes along each random effect for ``agq``.
    progress
        Called after every iteration; KeyboardInterrupt in it leaves the best so far.

    Raises
    ------
    InputError, UsageError
        If model and data do not belong together. A search that fails does not raise: the result
        has a status.
    """
    if method not in METHODS:
        raise UsageError(f"'{method}' is not a method", hint=f"Methods: {', '.join(METHODS)}.")
    options = options or ProblemOptions()
    options = replace(options, interaction=method != "foce")
    problem = make_problem(model, data, options)
    return fit_problem(
        problem, method, outer or OuterOptions(), progress, curvature=curvature, nodes=nodes
    )


def objective_of(
    problem: Problem,
    method: Method,
    curvature: Literal["expected", "exact"] | None = None,
    nodes: int = 3,
) -> Objective:
    """Return the objective that a method minimises, as a function of the free numbers."""
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
) -> FitResult:
    """Fit a prepared problem, see `fit`."""
    started = time.process_time()
    objective = objective_of(problem, method, curvature, nodes)
    history: list[Iteration] = []

    def report(number: int, u: Floats, value: float, gradient: Floats) -> bool:
        theta, omega, _ = problem.unpack(u)
        history.append(Iteration(number, value, float(np.abs(gradient).max()), theta, omega))
        try:
            if progress is not None:
                progress(history[-1])
        except KeyboardInterrupt:
            return True
        return False

    best = search(objective, problem.start, outer, report)
    total, at = objective.value(best.x)
    theta, omega, full = problem.unpack(best.x)
    modes = at
    if method == "fo":  # random effects after the fact
        modes = expand(problem.individuals, theta, full, at.inner.etas, LaplaceOptions())
    return FitResult(
        problem=problem,
        method=method,
        theta=theta,
        omega=omega,
        ofv=total,
        by_subject=at.objective,
        etas=modes.inner.etas,
        eta_variance=_variances(modes),
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
