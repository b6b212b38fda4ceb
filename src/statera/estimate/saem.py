"""Stochastic approximation EM (SAEM): fits by drawing random effects instead of linearising.

Kuhn and Lavielle 2005 (doi 10.1016/j.csda.2004.07.002): every iteration moves Markov chains over
the random effects of each subject, averages the statistics of the complete data with weights that
are 1 in the burn-in and then fall as 1/k, and maximises. Fixed effects outside the exponential
family take scoring steps along the averaged curvature (Robbins and Monro). The objective
reported is -2 log-likelihood by importance sampling at the estimates. See ``docs/saem.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.importance import (
    NOT_SOLVED,
    ImportanceResult,
    importance_sampling,
)
from statera.estimate.kernels import AT_MODES, BLOCK, COMPONENT
from statera.estimate.mixture import refuse_mixture
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult, Iteration
from statera.estimate.saem_run import LARGEST_DRIFT, SaemOptions, SaemRun

__all__ = ["SaemOptions", "fit_saem"]

Floats = NDArray[np.float64]


def fit_saem(
    problem: Problem,
    options: SaemOptions | None = None,
    progress: Callable[[Iteration], None] | None = None,
) -> FitResult:
    """Fit a prepared problem by SAEM.

    Parameters
    ----------
    problem
        From `statera.estimate.make_problem`.
    options
        Lengths, chains and seed.
    progress
        Called after every iteration, with an objective that is not a number: SAEM's own is not
        comparable to any other. KeyboardInterrupt in it ends the run with the best so far.

    Raises
    ------
    UsageError
        If there is nothing random in the model, or it is a mixture.
    """
    refuse_mixture(problem, "SAEM")
    options = options or SaemOptions()
    started = time.process_time()
    if not (np.diag(problem.omega.start) > 0.0).any():
        raise UsageError(
            f"SAEM needs random effects, and {problem.model.id} has none that vary",
            where="random_effects",
            hint="Use a method without random effects, or give a variance above 0.",
        )
    run = SaemRun(problem, options)
    iterations: list[Iteration] = []
    status, burned = _iterate(run, iterations, progress)
    sampled = time.process_time() - started
    return _result(run, iterations, status, burned, sampled, started)


def _iterate(
    run: SaemRun, iterations: list[Iteration], progress: Callable[[Iteration], None] | None
) -> tuple[str, int]:
    """Run burn-in and averaging; return the status and the length of the burn-in."""
    o, kernels = run.options, run.kernels
    status, burned, number = "not_stationary", 0, 0
    last = o.burn_in[1] + o.smoothing
    while number < last:
        averaging = burned > 0
        run.move(number)
        keep = o.keep if number < o.annealing else 0.0
        run.step(float(number - burned + 1) ** -o.power if averaging else 1.0, keep)
        number += 1
        kernels.learning = min(1.0, 5.0 / number) if not averaging else 0.0
        iterations.append(
            Iteration(number, np.nan, np.nan, run.state.theta.copy(), run.state.omega.copy())
        )
        try:
            if progress is not None:
                progress(iterations[-1])
        except KeyboardInterrupt:
            return "stopped", burned or number
        if averaging:
            if number >= burned + o.smoothing:
                run.average(max(1, o.smoothing // 2))
                break
            continue
        if number % o.modes == 0 or number in (5, 10):
            run.refresh()
        if number >= o.burn_in[0] and number % 10 == 0:
            run.stationarity = run.drifts()
            still = all(drift < LARGEST_DRIFT for drift in run.stationarity.values())
            if still or number >= o.burn_in[1]:
                status, burned = ("converged" if still else "not_stationary"), number
                run.refresh()
                kernels.reset_counts()
    return status, burned


def _rate_warnings(run: SaemRun) -> list[str]:
    rates = run.kernels.rates()
    return [
        f"SAEM: the move '{name}' was accepted in {100 * rates[name]:.0f} % of its trials; "
        "estimates may not be reliable: look at the trace of the parameters"
        for name in (AT_MODES, COMPONENT, BLOCK)
        if rates[name] < 0.05 or (name != AT_MODES and rates[name] > 0.9)
    ]


def _drifting(run: SaemRun) -> str:
    """Return the parameters that drift, those that drift most first."""
    found = {name: d for name, d in run.stationarity.items() if not d < LARGEST_DRIFT}
    names = sorted(found, key=lambda name: -found[name])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(f"{name} ({found[name]:.2f})" for name in names[:5]) + more


def _result(
    run: SaemRun,
    iterations: list[Iteration],
    status: str,
    burned: int,
    sampled: float,
    started: float,
) -> FitResult:
    problem, options, s = run.problem, run.options, run.state
    warnings = [*problem.warnings, *_rate_warnings(run)]
    if status == "not_stationary":
        warnings.append(
            f"SAEM: {_drifting(run)} still drift after {burned} iterations of burn-in: raise "
            "burn_in, or look for a parameter that the data do not determine"
        )
    if run.limited:
        warnings.append("SAEM: a variance of random effects fell to its lower limit: fix it at 0")
    lost = int(np.isinf(s.draw.value.reshape(run.copies, -1)).all(axis=0).sum())
    if lost:
        warnings.append(f"SAEM: {lost} subjects could not be solved and tell nothing here")
    mean = run.statistics.phi - s.mean
    etas, variance = mean, np.full((run.n, s.effects.n, s.effects.n), np.nan)
    found: ImportanceResult | None = None
    by_subject, ofv = np.full(run.n, np.nan), np.nan
    if options.importance is not None:
        found = importance_sampling(problem, s.theta, s.omega, options.importance, mean)
        warnings += found.warnings
        by_subject, ofv = found.by_subject, found.ofv
        solved = found.statuses != NOT_SOLVED
        etas = np.where(solved[:, None], found.etas, mean)
        variance = found.eta_variance
    return FitResult(
        problem=problem,
        method="saem",
        theta=s.theta,
        omega=s.omega,
        ofv=ofv,
        by_subject=by_subject,
        etas=etas,
        eta_variance=variance,
        status=status,
        iterations=tuple(iterations),
        warnings=tuple(warnings),
        seconds=time.process_time() - started,
        extra={
            "ofv_se": found.se if found else np.nan,
            "importance": found,
            "acceptance": run.kernels.rates(),
            "burn_in": burned,
            "annealing": options.annealing,
            "stationarity": run.stationarity,
            "chains": run.copies,
            "by_mean": run.mu.names,
            "by_residuals": _names(problem, [z.theta for z in run.maximiser.sizes]),
            "by_scoring": _names(problem, run.maximiser.numerical.tolist()),
            "seconds_sampling": sampled,
        },
    )


def _names(problem: Problem, indices: list[int]) -> tuple[str, ...]:
    names = list(problem.model.parameters)
    return tuple(names[i] for i in indices)
