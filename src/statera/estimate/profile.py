"""Confidence intervals by profile likelihood.

One parameter is held at a value and all others are fitted again; the interval holds the values at
which the objective rises by no more than a quantile of chi-square with one degree of freedom (3.84
for 95 %). The signed root of the rise is close to linear in the parameter, so that a secant on it,
kept inside a bracket, needs few fits (Bates and Watts 1988, chapter 6, doi
10.1002/9780470316757). Each fit starts where the one before ended.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from statera.errors import UsageError
from statera.estimate.covariance import Covariance, covariance
from statera.estimate.inner import inverse_of
from statera.estimate.natural import free_curvature, natural_values, objective_at
from statera.estimate.omega import Block
from statera.estimate.outer import Objective
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult
from statera.estimate.status import Code, Notice, notice
from statera.estimate.wald import Interval, bounds_of
from statera.numerics.bfgs import Minimum, minimise

__all__ = ["Profile", "ProfileOptions", "profile"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProfileOptions:
    """How profiles are traced.

    Attributes
    ----------
    level
        Coverage of the intervals.
    tolerance
        Distance of the objective from its limit at which an end is found.
    max_steps
        Fits on each side.
    max_iterations
        Iterations of each of these fits.
    """

    level: float = 0.95
    tolerance: float = 0.01
    max_steps: int = 15
    max_iterations: int = 100


@dataclass(frozen=True)
class Profile:
    """The profile of one parameter.

    Attributes
    ----------
    interval
        An end that was not found is NaN; one that does not exist is the bound of the parameter
        (infinite without one) with a notice.
    values, rise : (n_points,) float64
        Values at which the parameter was held, ascending, and the rise of the objective there.
    parameters : (n_points, n) float64
        All estimates along the profile, in the order of `Problem.free_names`.
    evaluations
        Calls of the objective and its gradient.
    """

    interval: Interval
    values: Floats
    rise: Floats
    parameters: Floats
    evaluations: int


def profile(
    result: FitResult,
    names: Sequence[str] | None = None,
    options: ProfileOptions | None = None,
    *,
    uncertainty: Covariance | None = None,
) -> tuple[Profile, ...]:
    """Return profiles of estimates.

    Parameters
    ----------
    names
        Fixed effects and variances such as ``omega(eta_CL)``; by default all of them.
    uncertainty
        Covariance of the estimates, from which first steps are taken; made here where not given.

    Raises
    ------
    UsageError
        If a name is not estimated, or is a covariance (no single free number holds it).
    """
    options = options or ProfileOptions()
    problem = result.problem
    entries = [None] * problem.theta.size + list(problem.omega.entries())
    known = [n for n, e in zip(problem.free_names, entries, strict=True) if not e or e[0] == e[1]]
    chosen = known if names is None else list(names)
    for name in chosen:
        if name not in known:
            raise UsageError(
                f"'{name}' cannot be profiled", where="names", hint=f"Known: {', '.join(known)}."
            )
    uncertainty = uncertainty or covariance(result)
    return tuple(_Tracer(result, name, options, uncertainty).trace() for name in chosen)


def _led_by(problem: Problem, effect: int) -> Problem:
    """Return the problem with an effect first in its block, where one free number is its variance.

    In ``omega = L L'`` only the variance of the first effect of a block is the square of a single
    entry of L.
    """
    omega = copy.copy(problem.omega)

    def led(block: Block) -> Block:
        rest = tuple(m for m in block.members if m != effect)
        return Block((effect, *rest), block.fixed) if effect in block.members else block

    omega.blocks = tuple(led(b) for b in omega.blocks)
    omega.free = [b for b in omega.blocks if not b.fixed]
    return replace(problem, omega=omega)


@dataclass
class _Point:
    """A fit with one free number held."""

    u: Floats
    rise: float
    inverse: Floats
    status: str


@dataclass
class _Tracer:
    """One parameter: the objective with its free number held, and the points found so far."""

    result: FitResult
    name: str
    options: ProfileOptions
    uncertainty: Covariance
    notices: list[Notice] = field(default_factory=list)
    points: list[_Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem = self.result.problem
        self.index = problem.free_names.index(self.name)
        self.k = self.index
        if self.index >= problem.theta.size:
            effect = problem.omega.entries()[self.index - problem.theta.size][0]
            problem = _led_by(problem, effect)
            self.k = problem.theta.size + problem.omega.entries().index((effect, effect))
        self.problem = problem
        self.objective: Objective = objective_at(replace(self.result, problem=problem))
        self.best = problem.pack(self.result.theta, self.result.omega)
        self.rest = np.delete(np.arange(self.best.size), self.k)
        self.limit = float(chdtri(1.0, 1.0 - self.options.level))
        self.lowest, _ = self.objective(self.best)
        self.etas, self.curvature = self.objective.etas, self.objective.curvature
        self.spread, self.direction, self.inverse = self._first_guess()

    def _first_guess(self) -> tuple[float, Floats, Floats]:
        """Return a standard error, how the others move with it, and curvature of the others."""
        outer = 0.25 * self.objective.rows.T @ self.objective.rows
        r = self._second()
        r = outer + 1e-6 * np.diag(np.diag(outer) + 1e-8) if r is None else r
        inner = r[np.ix_(self.rest, self.rest)]
        inverse = inverse_of(inner)
        direction = -inverse @ r[self.rest, self.k]
        size = float(r[self.k, self.k] + r[self.k, self.rest] @ direction)
        spread = 1.0 / np.sqrt(size) if size > 0.0 else 0.1
        return float(np.clip(spread, 1e-4, 2.0)), direction, 0.5 * inverse

    def _second(self) -> Floats | None:
        """Return R by the free numbers of this problem; None where it is not positive definite."""
        names, order = list(self.uncertainty.names), list(self.problem.free_names)
        swapped = {n: n for n in names}
        for a in names:  # covariances may be named in the other order
            if a.startswith("omega(") and "," in a:
                left, right = a[6:-1].split(",")
                swapped[f"omega({right},{left})"] = a
        places = [names.index(swapped[n]) for n in order]
        r = self.uncertainty.r[np.ix_(places, places)]
        return free_curvature(self.problem, self.best, r)

    def trace(self) -> Profile:
        """Return the profile."""
        ends = [self._side(sign) for sign in (-1.0, 1.0)]
        done = [p for p in self.points if np.isfinite(p.rise)]
        done.append(_Point(self.best, 0.0, self.inverse, "converged"))
        lower = [p for p in done if p.rise < -self.options.tolerance]
        if lower:
            best = min(lower, key=lambda p: p.rise)
            self.notices.append(
                notice(Code.LOWER_FOUND, [f"{self.name} = {self._value(best.u[self.k]):.6g}"])
            )
            ends = [np.nan, np.nan]
        done.sort(key=lambda p: float(p.u[self.k]))
        x = float(self._value(self.best[self.k]))
        interval = Interval(
            self.name, x, ends[0], ends[1], self.options.level, "profile",
            notices=tuple(self.notices),
        )  # fmt: skip
        plain = self.result.problem
        parameters = []
        for p in done:
            theta, omega, _ = self.problem.unpack(p.u)
            parameters.append(natural_values(plain, theta, omega))
        return Profile(
            interval,
            np.array([self._value(p.u[self.k]) for p in done]),
            np.array([p.rise for p in done]),
            np.array(parameters),
            self.objective.evaluations,
        )

    def _value(self, held: float) -> float:
        u = self.best.copy()
        u[self.k] = held
        theta, omega, _ = self.problem.unpack(u)
        return float(natural_values(self.result.problem, theta, omega)[self.index])

    def _side(self, sign: float) -> float:
        """Return the end of the interval on one side."""
        root = float(np.sqrt(self.limit))
        self.objective.etas, self.objective.curvature = self.etas, self.curvature
        inside, outside = (0.0, 0.0), (np.inf, np.inf)
        move = root * self.spread
        last: _Point | None = None
        for _ in range(self.options.max_steps):
            point = self._fit(sign * move, last)
            self.points.append(point)
            if not np.isfinite(point.rise) or point.status != "converged":
                self.notices.append(notice(Code.PROFILE_FAILED, [self._side_name(sign)]))
                return float("nan")
            if point.rise < -self.options.tolerance:
                return float("nan")
            if abs(point.rise - self.limit) < self.options.tolerance:
                return self._value(point.u[self.k])
            height = float(np.sqrt(max(point.rise, 0.0)))
            last = point
            if height < root:
                stalled = height - inside[1] < 0.02 * root and move > 4.0 * root * self.spread
                inside = (move, height)
                if np.isinf(outside[0]) and stalled:
                    break
            else:
                outside = (move, height)
            move = _next(inside, outside, root)
        bound = bounds_of(self.result.problem)[self.index][0 if sign < 0 else 1]
        self.notices.append(notice(Code.PROFILE_OPEN, [self._side_name(sign)]))
        return bound if np.isinf(outside[0]) else float("nan")

    def _side_name(self, sign: float) -> str:
        return f"{self.name}, {'lower' if sign < 0 else 'upper'} end"

    def _fit(self, move: float, last: _Point | None) -> _Point:
        """Fit all others with the free number `move` away from its estimate."""
        held = self.best[self.k] + move
        start = self.best[self.rest] + self.direction * move
        inverse = self.inverse
        if last is not None:
            share = move / (last.u[self.k] - self.best[self.k])
            start = self.best[self.rest] + share * (last.u[self.rest] - self.best[self.rest])
            inverse = last.inverse

        def whole(x: Floats) -> Floats:
            return np.insert(x, self.k, held)

        def function(x: Floats) -> tuple[float, Floats]:
            value, gradient = self.objective(whole(x))
            return value, gradient[self.rest]

        found = _minimise(function, start, inverse, self.options)
        return _Point(whole(found.x), found.value - self.lowest, found.inverse, found.status)


def _minimise(
    function: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    inverse: Floats,
    options: ProfileOptions,
) -> Minimum:
    if start.size == 0:
        value, gradient = function(start)
        return Minimum(start, value, gradient, inverse, 0, 1, "converged")
    return minimise(
        function,
        start,
        inverse=inverse,
        tolerance=0.1 * options.tolerance,
        max_iterations=options.max_iterations,
    )


def _next(inside: tuple[float, float], outside: tuple[float, float], root: float) -> float:
    """Return the next distance: by the secant through both sides, kept inside the bracket."""
    if np.isinf(outside[0]):
        slope = inside[1] / inside[0] if inside[0] > 0.0 else 0.0
        wanted = root / slope if slope > 0.0 else np.inf
        return float(min(max(wanted, 1.05 * inside[0]), 2.5 * inside[0]))
    share = (root - inside[1]) / (outside[1] - inside[1])
    share = min(max(share, 0.05), 0.95)
    return float(inside[0] + share * (outside[0] - inside[0]))
