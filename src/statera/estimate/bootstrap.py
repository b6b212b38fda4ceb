"""Bootstrap: fits of resampled subjects.

The objective is a sum over subjects, so that a data set in which subject i was drawn w_i times has
the objective ``sum w_i O_i``. Every refit therefore uses the prepared data as they are, with
weights, and starts from the estimates and the curvature of the fit.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.estimate.covariance import Covariance, covariance
from statera.estimate.inner import inverse_of
from statera.estimate.natural import free_curvature, natural_values, objective_at
from statera.estimate.outer import Objective, OuterOptions
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult
from statera.estimate.status import Code, Notice, notice
from statera.estimate.wald import Interval, percentile_intervals
from statera.numerics.bfgs import minimise
from statera.numerics.streams import stream
from statera.parallel import map_ordered

__all__ = ["Bootstrap", "BootstrapOptions", "bootstrap", "draw_weights", "strata_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BootstrapOptions:
    """How subjects are resampled.

    Attributes
    ----------
    replicates
        Number of refits.
    seed
        Same seed, same weights, for any number of workers.
    strata
        Name of a covariate (its value on the first record of a subject), or a group for each
        subject: subjects are drawn within groups. None draws from all.
    level
        Coverage of the percentile intervals.
    outer
        When refits stop.
    workers
        Threads. They gain where solving the model takes the time (many subjects, differential
        equations); small fits in closed form are held by the interpreter.
    """

    replicates: int = 200
    seed: int = 1
    strata: str | Sequence[object] | None = None
    level: float = 0.95
    outer: OuterOptions = OuterOptions()  # noqa: RUF009 - immutable
    workers: int = 1


@dataclass(frozen=True)
class Bootstrap:
    """Refits of resampled subjects.

    Attributes
    ----------
    names
        What was estimated, as `Problem.free_names`.
    estimates : (n,) float64
        Those of the fit.
    replicates : (n_replicates, n) float64
        Those of every refit; NaN where it failed.
    statuses
        Of every refit; ``converged`` ones count.
    standard_errors, bias : (n,) float64
        Standard deviation over refits; their mean less the estimate.
    intervals
        Percentiles.
    failed
        Number of refits that do not count.
    notices
        What a reader must know.
    seconds
        CPU time.
    """

    names: tuple[str, ...]
    estimates: Floats
    replicates: Floats
    statuses: tuple[str, ...]
    standard_errors: Floats
    bias: Floats
    intervals: tuple[Interval, ...]
    failed: int
    notices: tuple[Notice, ...]
    seconds: float

    def to_polars(self) -> pl.DataFrame:
        """Return a row for each refit: number, status and estimates."""
        columns = {"replicate": np.arange(len(self.statuses)), "status": list(self.statuses)}
        columns |= {name: self.replicates[:, k] for k, name in enumerate(self.names)}
        return pl.DataFrame(columns)


def bootstrap(
    result: FitResult,
    options: BootstrapOptions | None = None,
    progress: Callable[[int, str], None] | None = None,
    *,
    uncertainty: Covariance | None = None,
) -> Bootstrap:
    """Refit resampled subjects.

    Parameters
    ----------
    progress
        Called after every refit with its number and status.
    uncertainty
        Covariance of the estimates, for the curvature that refits begin with; made here where not
        given.

    Raises
    ------
    InputError, UsageError
        If strata cannot be had, or the method has no objective of its own. A refit that fails
        does not raise: its row has a status.
    """
    options = options or BootstrapOptions()
    if options.replicates < 2:
        raise UsageError("a bootstrap needs at least 2 replicates", where="replicates")
    started = time.process_time()
    problem = result.problem
    weights = draw_weights(strata_of(problem, options.strata), options.replicates, options.seed)
    uncertainty = uncertainty or covariance(result)
    curvature = free_curvature(problem, result.free, uncertainty.r)
    inverse = None if curvature is None else 0.5 * inverse_of(curvature)

    def refit(number: int) -> tuple[Floats, str]:
        found = _refit(result, weights[number], options.outer, inverse)
        if progress is not None:
            progress(number, found[1])
        return found

    rows = map_ordered(refit, range(options.replicates), options.workers)
    replicates = np.array([row for row, _ in rows])
    statuses = tuple(status for _, status in rows)
    kept = replicates[np.array([s == "converged" for s in statuses])]
    estimates = natural_values(problem, result.theta, result.omega)
    failed = options.replicates - kept.shape[0]
    notices = []
    if failed:
        counts = Counter(s for s in statuses if s != "converged")
        about = [f"{failed} of {options.replicates}", *(f"{n} {s}" for s, n in counts.items())]
        notices.append(notice(Code.REFITS_FAILED, about))
    nothing = np.full(estimates.size, np.nan)
    enough = kept.shape[0] > 1
    return Bootstrap(
        names=problem.free_names,
        estimates=estimates,
        replicates=replicates,
        statuses=statuses,
        standard_errors=kept.std(axis=0, ddof=1) if enough else nothing,
        bias=kept.mean(axis=0) - estimates if enough else nothing,
        intervals=percentile_intervals(
            problem.free_names, estimates, kept, options.level, "bootstrap"
        ),
        failed=failed,
        notices=tuple(notices),
        seconds=time.process_time() - started,
    )


def strata_of(problem: Problem, strata: str | Sequence[object] | None) -> Ints:
    """Return a group for each subject, (n_subjects,), counted from 0.

    Raises
    ------
    InputError, UsageError
        If there is no such covariate, or groups do not match the subjects.
    """
    n = problem.individuals.n_subjects
    if strata is None:
        return np.zeros(n, dtype=np.int64)
    if isinstance(strata, str):
        events = problem.individuals.prepared.events
        if strata not in events.covariates:
            raise InputError(
                f"the data hold no covariate '{strata}' to stratify by",
                where="strata",
                hint=f"Known: {', '.join(events.covariates) or 'none'}.",
            )
        values = np.asarray(events.covariates[strata])[events.offsets[:-1]]
        # NaN is a group of its own, so that nobody is left out
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    groups = [str(g) for g in strata]
    if len(groups) != n:
        raise UsageError(f"{len(groups)} groups for {n} subjects", where="strata")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def draw_weights(groups: Ints, replicates: int, seed: int) -> Ints:
    """Return how often each subject is drawn, (n_replicates, n_subjects).

    Every replicate has as many subjects of each group as the data have.
    """
    random = stream(seed, "bootstrap of subjects")
    out = np.zeros((replicates, groups.size), dtype=np.int64)
    for number in range(replicates):
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            drawn = random.choice(members, size=members.size)
            out[number] += np.bincount(drawn, minlength=groups.size)
    return out


class _Weighted:
    """The objective of resampled subjects, as a function of the free numbers."""

    def __init__(self, objective: Objective, weights: Ints) -> None:
        self.objective, self.weights = objective, weights
        self.used = weights > 0
        self.outer: Floats | None = None
        self.at: Floats | None = None

    def __call__(self, u: Floats) -> tuple[float, Floats]:
        """Return value and gradient; infinite where a subject that was drawn cannot be solved."""
        of, problem = self.objective, self.objective.problem
        with np.errstate(all="ignore"):
            _, found = of.value(u)
        theta = problem.unpack(u)[0]
        drawn = self.weights[self.used]
        prior, by_theta = problem.prior(theta)
        total = float(drawn @ found.objective[self.used]) + prior
        if not np.isfinite(total):
            return np.inf, np.full(u.size, np.nan)
        rows, slopes = of.by_subject(u, found)
        of.etas, of.curvature = found.inner.etas, slopes.curvature
        rows = rows[self.used]
        self.outer, self.at = 0.5 * (rows * drawn[:, None]).T @ rows, u.copy()
        full = problem.omega.n_full
        gradient: Floats = drawn @ rows + problem.pull(u, by_theta, np.zeros((full, full)))
        return total, gradient

    def guess(self, u: Floats) -> Floats | None:
        """Return an estimate of the inverse of the second derivatives, if `u` came last."""
        if self.outer is None or self.at is None or not np.array_equal(self.at, u):
            return None
        size = np.sqrt(np.maximum(np.diag(self.outer), 1e-8))
        scaled = self.outer / size[:, None] / size[None, :] + 1e-3 * np.eye(size.size)
        found: Floats = inverse_of(scaled) / size[:, None] / size[None, :]
        return found


def _refit(
    result: FitResult, weights: Ints, outer: OuterOptions, inverse: Floats | None
) -> tuple[Floats, str]:
    problem = result.problem
    function = _Weighted(objective_at(result), weights)
    start = result.free
    try:
        function(start)
        best = minimise(
            function,
            start,
            inverse=function.guess(start) if inverse is None else inverse,
            guess=function.guess if inverse is None else None,
            tolerance=outer.tolerance,
            max_iterations=outer.max_iterations,
        )
    except np.linalg.LinAlgError:  # a matrix met on the way cannot be inverted
        return np.full(problem.n_free, np.nan), "singular"
    if not np.isfinite(best.value):
        return np.full(problem.n_free, np.nan), "not solved"
    theta, omega, _ = problem.unpack(best.x)
    return natural_values(problem, theta, omega), best.status
