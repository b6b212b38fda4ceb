"""Many searches from points spread over the bounds, and how often the best end is found.

Searches are those of Fides, an interior trust region with reflections at the bounds (Froehlich and
Sorger 2022, doi 10.1371/journal.pcbi.1010322), with the Fisher matrix as curvature, or L-BFGS-B of
scipy (Byrd, Lu, Nocedal and Zhu 1995, doi 10.1137/0916069). Starts are a Latin hypercube.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.stats import qmc

from statera.errors import InputError
from statera.parallel import map_ordered
from statera.pathway.target import Target, projected_gradient

__all__ = ["MultiStart", "MultiStartOptions", "Start", "StartStatus", "multi_start"]

Floats = NDArray[np.float64]


class StartStatus(StrEnum):
    """How a search ended."""

    CONVERGED = "converged"
    STOPPED = "no further progress"
    LIMIT = "limit of iterations"
    NOT_FINITE = "no finite objective at the start"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class MultiStartOptions:
    """How to search.

    Attributes
    ----------
    starts
        Number of them.
    seed
        The same seed gives the same starts; the first k do not depend on `starts` only for the
        plain sampling ``uniform``.
    method
        ``fides`` (extra ``sbml``) or ``l-bfgs-b``.
    curvature
        For Fides: the Fisher matrix, or BFGS after ``switch_after`` iterations without progress
        of the Fisher matrix (``hybrid``), or BFGS from the beginning.
    iterations
        Most of each search.
    tolerance
        A search ends where a step changes the objective by less than this part of it.
    gradient_tolerance
        Or where the gradient is shorter than this.
    sampling
        Of the starts: ``latin-hypercube`` or ``uniform``.
    workers
        Threads. Searches gain from them as far as the objective is compiled code.
    """

    starts: int = 20
    seed: int = 1
    method: Literal["fides", "l-bfgs-b"] = "fides"
    curvature: Literal["fisher", "hybrid", "bfgs"] = "fisher"
    iterations: int = 1000
    tolerance: float = 1e-8
    gradient_tolerance: float = 1e-6
    sampling: Literal["latin-hypercube", "uniform"] = "latin-hypercube"
    workers: int = 1

    def __post_init__(self) -> None:
        if self.starts < 1 or self.iterations < 1:
            raise InputError("at least one start and one iteration are needed", where="starts")


@dataclass(frozen=True)
class Start:
    """One search.

    Attributes
    ----------
    index
        Its number in the order of the starts.
    begin, end : (n,) float64
        Where it began and where it ended.
    value
        Objective at the end; infinite where nothing finite was found.
    gradient
        Length of the gradient at the end without the parts that push against bounds; NaN where
        there is none.
    evaluations
        Of the objective with its derivatives.
    failed
        How many of these had no finite value.
    cpu_s
        CPU time of its thread.
    """

    index: int
    begin: Floats
    end: Floats
    value: float
    gradient: float
    status: StartStatus
    message: str
    evaluations: int
    failed: int
    cpu_s: float


@dataclass(frozen=True)
class MultiStart:
    """All searches, the best first; those without a finite end come last.

    Attributes
    ----------
    names
        Parameters.
    starts
        Searches in order of their objective.
    options
        What was asked.
    """

    names: tuple[str, ...]
    starts: tuple[Start, ...]
    options: MultiStartOptions

    @property
    def best(self) -> Start:
        """The search with the lowest objective."""
        return self.starts[0]

    @property
    def values(self) -> Floats:
        """Objectives in order, (n_starts,): the waterfall."""
        return np.array([s.value for s in self.starts])

    def at_best(self, within: float = 0.1) -> int:
        """Return how many searches ended within this distance of the lowest objective."""
        finite = np.isfinite(self.values)
        return int((self.values[finite] <= self.best.value + within).sum())

    def levels(self, within: float = 0.1) -> tuple[tuple[float, int], ...]:
        """Return the steps of the waterfall: lowest objective of each and how many ended on it."""
        steps: list[list[float]] = []
        for value in self.values[np.isfinite(self.values)]:
            if steps and value - steps[-1][-1] <= within:
                steps[-1].append(float(value))
            else:
                steps.append([float(value)])
        return tuple((s[0], len(s)) for s in steps)


def multi_start(
    target: Target,
    options: MultiStartOptions | None = None,
    *,
    begin: ArrayLike | None = None,
    progress: Callable[[int, int, float], bool] | None = None,
) -> MultiStart:
    """Search from many points.

    Parameters
    ----------
    target
        The objective.
    options
        How to search.
    begin : (k, n) float64, optional
        Points to start from before drawn ones fill up the number of starts.
    progress
        Called after each search with the number done, the number of all, and the best objective;
        a return value that is false cancels what has not begun.

    Raises
    ------
    InputError
        If a bound is not finite, a given start lies outside the bounds, or Fides is not installed.
    """
    options = options or MultiStartOptions()
    if options.method == "fides" and find_spec("fides") is None:
        raise InputError(
            "the optimiser Fides is not installed",
            hint="Install it with: pip install 'statera[sbml]', or use the method l-bfgs-b.",
        )
    points = _starts(target, options, begin)
    state = _Progress(len(points), progress)
    search = _by_fides if options.method == "fides" else _by_lbfgsb

    def one(numbered: tuple[int, Floats]) -> Start:
        index, point = numbered
        if state.cancelled:
            return _never(index, point, StartStatus.CANCELLED, "cancelled before it began")
        found = _search(target, options, index, point, search)
        state.done(found.value)
        return found

    found = map_ordered(one, list(enumerate(points)), options.workers)
    ordered = sorted(found, key=lambda s: (not math.isfinite(s.value), s.value, s.index))
    return MultiStart(target.names, tuple(ordered), options)


class _Progress:
    """What the caller is told between searches."""

    def __init__(self, total: int, tell: Callable[[int, int, float], bool] | None) -> None:
        self.total, self.tell = total, tell
        self.count, self.best, self.cancelled = 0, math.inf, False

    def done(self, value: float) -> None:
        self.count += 1
        self.best = min(self.best, value)
        if self.tell is not None and not self.tell(self.count, self.total, self.best):
            self.cancelled = True


def _starts(target: Target, options: MultiStartOptions, begin: ArrayLike | None) -> list[Floats]:
    lower, upper = np.asarray(target.lower), np.asarray(target.upper)
    open_ = [n for n, a, b in zip(target.names, lower, upper, strict=True) if not a < b < np.inf]
    if open_ or not np.isfinite(lower).all():
        raise InputError(
            f"starts are drawn between bounds, and {', '.join(open_) or 'a parameter'} has none "
            "that are finite",
            hint="Give a lower and an upper bound for every estimated parameter.",
        )
    given = np.empty((0, lower.size)) if begin is None else np.atleast_2d(begin).astype(float)
    if given.shape[1] != lower.size or ((given < lower) | (given > upper)).any():
        raise InputError("a given start lies outside the bounds, or has another number of values")
    left = max(options.starts - given.shape[0], 0)
    if options.sampling == "uniform":
        unit = np.random.default_rng(options.seed).random((left, lower.size))
    else:
        unit = qmc.LatinHypercube(lower.size, rng=np.random.default_rng(options.seed)).random(left)
    return [*given, *(lower + unit * (upper - lower))]


def _never(index: int, point: Floats, status: StartStatus, message: str) -> Start:
    return Start(index, point, point, math.inf, math.nan, status, message, 0, 0, 0.0)


class _Counted:
    """The objective as optimisers call it: counted, and remembered where it was lowest."""

    def __init__(self, target: Target, order: int) -> None:
        self.target, self.order = target, order
        self.calls = self.failed = 0
        self.value, self.point = math.inf, np.empty(0)
        self.gradient: Floats | None = None
        self.message = ""

    def __call__(self, theta: Floats) -> Any:
        found = self.target.evaluate(np.asarray(theta, dtype=np.float64), self.order)
        self.calls += 1
        n = theta.size
        if not math.isfinite(found.value):
            self.failed += 1
            self.message = found.message
            # never a short gradient here: Fides would take it for convergence
            slope = np.ones(n) if self.gradient is None else self.gradient
            return (math.inf, slope, np.eye(n))[: self.order + 1]
        if found.value < self.value:
            self.value, self.point, self.gradient = found.value, theta.copy(), found.gradient
        return (found.value, found.gradient, found.fisher)[: self.order + 1]


_Searched = tuple[StartStatus, str]


def _search(
    target: Target,
    options: MultiStartOptions,
    index: int,
    point: Floats,
    search: Callable[[_Counted, MultiStartOptions, Floats, int], _Searched],
) -> Start:
    began = time.thread_time()
    order = 2 if options.method == "fides" and options.curvature != "bfgs" else 1
    counted = _Counted(target, order)
    if not math.isfinite(counted(point)[0]):
        never = _never(index, point, StartStatus.NOT_FINITE, counted.message)
        return Start(**{**vars(never), "evaluations": 1, "failed": 1})
    status, message = search(counted, options, point, index)
    slope = math.nan
    if counted.gradient is not None:
        lower, upper = np.asarray(target.lower), np.asarray(target.upper)
        slope = float(
            np.linalg.norm(projected_gradient(counted.point, counted.gradient, lower, upper))
        )
    return Start(
        index, point, counted.point, counted.value, slope, status, message,
        counted.calls, counted.failed, time.thread_time() - began,
    )  # fmt: skip


def _by_fides(
    counted: _Counted, options: MultiStartOptions, point: Floats, index: int
) -> _Searched:
    import fides  # noqa: PLC0415  an extra

    makers: dict[str, Any] = {"hybrid": fides.HybridFixed, "bfgs": fides.BFGS}
    update = makers[options.curvature]() if options.curvature in makers else None
    optimiser = fides.Optimizer(
        counted,
        ub=np.asarray(counted.target.upper),
        lb=np.asarray(counted.target.lower),
        verbose=logging.ERROR,
        options={
            fides.Options.MAXITER: options.iterations,
            fides.Options.FATOL: options.tolerance,
            fides.Options.FRTOL: options.tolerance,
            fides.Options.GATOL: options.gradient_tolerance,
        },
        hessian_update=update,
    )
    with np.errstate(all="ignore"):
        optimiser.minimize(point, start_id=str(index))
    flag = optimiser.exitflag
    if flag > 0:
        return StartStatus.CONVERGED, flag.name
    if flag == fides.constants.ExitFlag.MAXITER:
        return StartStatus.LIMIT, f"after {options.iterations} iterations"
    return StartStatus.STOPPED, flag.name


def _by_lbfgsb(
    counted: _Counted, options: MultiStartOptions, point: Floats, index: int
) -> _Searched:
    target = counted.target
    bounds = optimize.Bounds(np.asarray(target.lower), np.asarray(target.upper))
    with np.errstate(all="ignore"):
        found = optimize.minimize(
            counted, point, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": options.iterations, "maxfun": 20 * options.iterations,
                     "ftol": options.tolerance, "gtol": options.gradient_tolerance},
        )  # fmt: skip
    if found.status == 1:
        return StartStatus.LIMIT, str(found.message)
    return (StartStatus.CONVERGED if found.success else StartStatus.STOPPED), str(found.message)
