"""Confidence intervals by profile likelihood.

One parameter is held at a value and all others are fitted again; the interval holds the values at
which the objective rises by no more than a quantile of chi-square with one degree of freedom (3.84
for 95 %). The signed root of the rise is close to linear in the parameter, so that a secant on it,
kept inside a bracket, needs few fits (Bates and Watts 1988, chapter 6, doi
10.1002/9780470316757). Each fit starts where the one before ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from statera.errors import UsageError
from statera.estimate.covariance import Covariance, covariance
from statera.estimate.held import hold
from statera.estimate.inner import inverse_of
from statera.estimate.natural import free_curvature, natural_values, objective_at
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
        Fixed effects, variances such as ``omega(eta_CL)`` and covariances such as
        ``omega(eta_V,eta_CL)``; by default all of them.
    uncertainty
        Covariance of the estimates, from which first steps are taken; made here where not given.

    Raises
    ------
    UsageError
        If a name is not estimated.
    """
    options = options or ProfileOptions()
    problem = result.problem
    known = problem.free_names
    chosen = list(known) if names is None else [_plain(problem, name) for name in names]
    for name in chosen:
        if name not in known:
            raise UsageError(
                f"'{name}' cannot be profiled", where="names", hint=f"Known: {', '.join(known)}."
            )
    uncertainty = uncertainty or covariance(result)
    return tuple(_Tracer(result, name, options, uncertainty).trace() for name in chosen)


def _plain(problem: Problem, name: str) -> str:
    """Return a name as `Problem.free_names` writes it: covariances may be given either way."""
    if name.startswith("omega(") and "," in name:
        left, right = name[6:-1].split(",")
        turned = f"omega({right.strip()},{left.strip()})"
        if turned in problem.free_names:
            return turned
    return name


@dataclass
class _Point:
    """A fit with one parameter held."""

    held: float
    u: Floats
    rise: float
    inverse: Floats
    status: str


@dataclass
class _Tracer:
    """One parameter: the objective with it held, and the points found so far."""

    result: FitResult
    name: str
    options: ProfileOptions
    uncertainty: Covariance
    notices: list[Notice] = field(default_factory=list)
    points: list[_Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem = self.result.problem
        self.index = problem.free_names.index(self.name)
        self.problem, self.held = hold(problem, self.index)
        self.objective: Objective = objective_at(replace(self.result, problem=self.problem))
        self.best = self.problem.pack(self.result.theta, self.result.omega)
        self.middle = self.held.value(self.best)
        self.limit = float(chdtri(1.0, 1.0 - self.options.level))
        self.lowest, _ = self.objective(self.best)
        self.etas, self.curvature = self.objective.etas, self.objective.curvature
        self.spread, self.direction, self.inverse = self._first_guess()

    def _first_guess(self) -> tuple[float, Floats, Floats]:
        """Return a standard error, how the others move with it, and curvature of the others."""
        r = self._second()
        if r is None:
            outer = 0.25 * self.objective.rows.T @ self.objective.rows
            r = outer + 1e-6 * np.diag(np.diag(outer) + 1e-8)
        others, own = self.held.tangent(self.best), self.held.along(self.best)
        inner = others.T @ r @ others
        inverse = inverse_of(inner)
        direction = -inverse @ (others.T @ r @ own)
        size = float(own @ r @ own + (own @ r @ others) @ direction)
        scale = self.held.scale(self.best)
        spread = 1.0 / np.sqrt(size) if size > 0.0 else 0.1 * scale
        return float(np.clip(spread, 1e-4 * scale, 2.0 * scale)), direction, 0.5 * inverse

    def _second(self) -> Floats | None:
        """Return R by the free numbers of this problem; None where it is not positive definite."""
        names, order = list(self.uncertainty.names), list(self.problem.free_names)
        places = [names.index(_plain(self.result.problem, n)) for n in order]
        r = self.uncertainty.r[np.ix_(places, places)]
        return free_curvature(self.problem, self.best, r)

    def trace(self) -> Profile:
        """Return the profile."""
        ends = [self._side(sign) for sign in (-1.0, 1.0)]
        done = [p for p in self.points if np.isfinite(p.rise)]
        done.append(_Point(self.middle, self.best, 0.0, self.inverse, "converged"))
        lower = [p for p in done if p.rise < -self.options.tolerance]
        if lower:
            best = min(lower, key=lambda p: p.rise)
            self.notices.append(
                notice(Code.LOWER_FOUND, [f"{self.name} = {self._value(best):.6g}"])
            )
            ends = [np.nan, np.nan]
        done.sort(key=lambda p: p.held)
        x = float(
            natural_values(self.result.problem, self.result.theta, self.result.omega)[self.index]
        )
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
            np.array([self._value(p) for p in done]),
            np.array([p.rise for p in done]),
            np.array(parameters),
            self.objective.evaluations,
        )

    def _value(self, point: _Point) -> float:
        theta, omega, _ = self.problem.unpack(point.u)
        return float(natural_values(self.result.problem, theta, omega)[self.index])

    def _side(self, sign: float) -> float:
        """Return the end of the interval on one side."""
        root = float(np.sqrt(self.limit))
        inside, outside = (0.0, 0.0), (np.inf, np.inf)
        move = root * self.spread
        last: _Point | None = None
        failed = False
        for _ in range(self.options.max_steps):
            if last is None:
                self.objective.restart(self.etas, self.curvature)
            point = self._fit(sign * move, last)
            if not np.isfinite(point.rise) or point.status != "converged":
                if failed and move - inside[0] < 0.05 * root * self.spread:
                    break
                failed, outside = True, (move, np.inf)  # too far: come nearer
                move = 0.5 * (inside[0] + move)
                continue
            self.points.append(point)
            if point.rise < -self.options.tolerance:
                return float("nan")
            if abs(point.rise - self.limit) < self.options.tolerance:
                return self._value(point)
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
        if failed or np.isfinite(outside[0]):
            self.notices.append(notice(Code.PROFILE_FAILED, [self._side_name(sign)]))
            return float("nan")
        bound = bounds_of(self.result.problem)[self.index][0 if sign < 0 else 1]
        self.notices.append(notice(Code.PROFILE_OPEN, [self._side_name(sign)]))
        return bound

    def _side_name(self, sign: float) -> str:
        return f"{self.name}, {'lower' if sign < 0 else 'upper'} end"

    def _fit(self, move: float, last: _Point | None) -> _Point:
        """Fit all others with the parameter `move` away from its estimate."""
        at = self.middle + move
        start = self.held.others(self.best) + self.direction * move
        inverse = self.inverse
        if last is not None:
            share = move / (last.held - self.middle)
            near = self.held.others(self.best)
            start = near + share * (self.held.others(last.u) - near)
            inverse = last.inverse

        def function(x: Floats) -> tuple[float, Floats]:
            u = self.held.whole(x, at)
            value, gradient = self.objective(u)
            return value, self.held.tangent(u).T @ gradient

        found = _minimise(function, start, inverse, self.options)
        u = self.held.whole(found.x, at)
        return _Point(at, u, found.value - self.lowest, found.inverse, found.status)


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
    if np.isfinite(outside[0]) and np.isinf(outside[1]):  # beyond it nothing could be fitted
        slope = inside[1] / inside[0] if inside[0] > 0.0 else 0.0
        wanted = root / slope if slope > 0.0 else np.inf
        return float(min(wanted, 0.5 * (inside[0] + outside[0])))
    if np.isinf(outside[0]):
        slope = inside[1] / inside[0] if inside[0] > 0.0 else 0.0
        wanted = root / slope if slope > 0.0 else np.inf
        return float(min(max(wanted, 1.05 * inside[0]), 2.5 * inside[0]))
    share = (root - inside[1]) / (outside[1] - inside[1])
    share = min(max(share, 0.05), 0.95)
    return float(inside[0] + share * (outside[0] - inside[0]))
