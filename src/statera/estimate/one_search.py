"""The most likely random effects of one subject, by Newton's method."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Individuals
from statera.estimate.inner import ARRIVED, FRESH, NOT_ARRIVED, NOT_SOLVED, InnerOptions
from statera.estimate.one_subject import OneSubject, Point, one_subject
from statera.simulate.prepared_solvers import LinearSolver

__all__ = ["LONGEST", "Found", "find_mode"]

Floats = NDArray[np.float64]

LONGEST = 3.0
"""Longest step, in standard deviations of the prior."""

_HELD = 1e11
"""Precision from which a random effect is held where it is."""

_COARSE, _MIDDLE = 1e-5, 1e-6
"""Relative tolerances of a first search, and of second derivatives."""

_NOISE, _NOISE_INTEGRATED = 1e-13, 1e-10
"""Relative error of J, by closed forms and by steps of a solver that adapt to the parameters."""

_NEAR = 5e-3
"""Distance, in standard deviations of the prior, over which second derivatives are kept."""

_CLOSE = 1.0
"""Change of J still expected from which exact second derivatives are worth their cost."""

_SCORING = 8
"""Steps by expected second derivatives, which lead downwards from anywhere, before exact ones."""


@dataclass(frozen=True)
class Found:
    """Where a search ended.

    Attributes
    ----------
    etas : (n_etas,) float64
    objective
        J; infinite where the subject cannot be solved.
    curvature : (n_etas, n_etas) float64
        Exact second derivatives of -2 log-likelihood there.
    f : (n_obs,) float64
        Predictions there, on the scale of the residual error.
    f_start : (n_obs,) float64
        Predictions at the start.
    status
        ARRIVED, NOT_ARRIVED or NOT_SOLVED.
    kink
        Whether the minimum lies where derivatives jump; the curvature is that of one side.
    """

    etas: Floats
    objective: float
    curvature: Floats
    f: Floats
    f_start: Floats
    status: int
    kink: bool = False


def find_mode(
    subject: OneSubject, precision: Floats, start: Floats, options: InnerOptions | None = None
) -> Found:
    """Return the random effects that minimise ``J = -2 log p(y | eta) + eta' P eta`` from a start.

    Parameters
    ----------
    precision : (n_etas, n_etas) float64
        P, the inverse of Omega.
    start : (n_etas,) float64
    """
    options = options or InnerOptions(longest=LONGEST)
    first = subject.point(start)
    if not np.isfinite(first.value):
        return Found(start, np.inf, first.curvature, first.f, first.f, NOT_SOLVED)
    if subject.bends:
        found = _descend(subject, precision, start, first, options)
    else:
        found = _in_two(subject, precision, start, first, options)
    if found.status == NOT_ARRIVED:
        return _at_kink(subject, precision, found)
    return found


def _in_two(
    subject: OneSubject, precision: Floats, start: Floats, first: Point, options: InnerOptions
) -> Found:
    """Search by first derivatives: coarsely first, then with second derivatives found once.

    A coarse solution costs a fraction of an exact one, and ends close enough for the curvature
    there to lead to the minimum in a few exact steps.
    """
    of, theta = subject.of, subject.theta
    coarse = one_subject(_loosened(of, _COARSE), theta)
    rough = replace(options, tolerance=max(options.tolerance, 1e-5))
    begun = _descend(coarse, precision, start, coarse.point(start), rough, last=False)
    curvature = None
    if of.prepared.can_bend and of.n_etas:
        found = one_subject(_loosened(of, _MIDDLE), theta).point(begun.etas, exact=True)
        curvature = found.curvature if np.isfinite(found.value) else None
    point = subject.point(begun.etas)
    ended = _descend(subject, precision, begun.etas, point, options, curvature, last=False)
    if ended.status != ARRIVED:
        ended = _descend(subject, precision, start, first, options, last=False)
    moved = ended.etas - begun.etas
    if curvature is None or float(moved @ precision @ moved) > _NEAR**2:
        curvature = subject.point(ended.etas, exact=True).curvature
    return replace(ended, curvature=curvature, f_start=first.f)


def _loosened(of: Individuals, rtol: float) -> Individuals:
    """Return the same with a solver of lower accuracy, where the model is integrated."""
    solver = of.prepared.solver
    if isinstance(solver, LinearSolver):
        return of
    found, found.prepared = copy.copy(of), copy.copy(of.prepared)
    found.prepared.solver = copy.copy(solver)
    found.prepared.solver.options = replace(solver.options, rtol=max(solver.options.rtol, rtol))
    return found


def _step(
    curve: Floats, expected: Floats, precision: Floats, gradient: Floats, longest: float
) -> Floats:
    """Return Newton's step, or the scoring step where the curvature is not positive definite."""
    try:
        np.linalg.cholesky(curve)
    except np.linalg.LinAlgError:
        curve = expected + 2.0 * precision
    step: Floats = np.linalg.solve(curve, -gradient).astype(np.float64)
    length = float(np.sqrt(step @ precision @ step))
    return step if length <= longest else step * (longest / length)


def _secant(curve: Floats, moved: Floats, change: Floats) -> Floats:
    """Return a curvature that also explains the last change of the gradient (a BFGS update)."""
    pushed = curve @ moved
    size, along = float(moved @ pushed), float(moved @ change)
    if not (size > 0.0 and along > 1e-4 * size):
        return curve
    return curve - np.outer(pushed, pushed) / size + np.outer(change, change) / along


def _descend(
    subject: OneSubject,
    precision: Floats,
    start: Floats,
    first: Point,
    options: InnerOptions,
    curvature: Floats | None = None,
    *,
    last: bool = True,
) -> Found:
    """Return the end of a search.

    Parameters
    ----------
    curvature : (n_etas, n_etas) float64, optional
        Second derivatives near the minimum, where exact ones are not had at every step.
    last
        Whether exact second derivatives are wanted at the end.
    """
    etas, point = start, first
    inside = precision @ etas
    j, gradient = first.value + float(etas @ inside), first.gradient + 2.0 * inside
    status, trust, exact = NOT_ARRIVED, 1.0, not subject.bends
    noise = _NOISE if subject.bends else _NOISE_INTEGRATED
    curve = (point.expected if curvature is None else curvature) + 2.0 * precision
    for number in range(options.max_steps):
        step = _step(curve, point.expected, precision, gradient, options.longest)
        slope = float(gradient @ step)
        if exact and abs(slope) < 2.0 * options.tolerance:
            status = ARRIVED
            break
        exact_now = subject.bends and (number >= _SCORING or abs(slope) < _CLOSE)
        trial = etas + trust * step
        new = subject.point(trial, exact=exact_now)
        inside = precision @ trial
        j_new = new.value + float(trial @ inside)
        if j_new <= j + 1e-4 * trust * slope + noise * (1.0 + abs(j)):
            steeper = new.gradient + 2.0 * inside
            if exact_now or (number < FRESH and curvature is None):
                curve = new.curvature + 2.0 * precision
            if not subject.bends:
                curve = _secant(curve, trial - etas, steeper - gradient)
            etas, point, j, gradient = trial, new, j_new, steeper
            exact = exact_now or not subject.bends
            trust = min(1.0, 3.0 * trust)
            continue
        trust *= 0.3
        # no lower value within rounding of J: the minimum is here if the slope says so too
        if trust < 1e-8 or abs(slope) < 1e-12 * (1.0 + abs(j)):
            status = ARRIVED if abs(slope) < 1e-9 * (1.0 + abs(j)) else NOT_ARRIVED
            break
    if last and not exact:
        point = subject.point(etas, exact=True)
    return Found(etas, j, point.curvature, point.f, first.f, status)


def _at_kink(subject: OneSubject, precision: Floats, found: Found) -> Found:
    """Return the lowest point near one where derivatives lead nowhere, by values alone.

    As a function of a lag or a duration, predictions bend where it ends at a sample: a minimum may
    lie in such a bend, where no derivative is 0. By the simplex of Nelder and Mead.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  rarely needed

    live = np.flatnonzero(np.diag(precision) < _HELD)

    def objective(inside: Floats) -> float:
        etas = found.etas.copy()
        etas[live] = inside
        return subject.point(etas).value + float(etas @ precision @ etas)

    sizes = 0.02 / np.sqrt(np.diag(precision)[live])
    centre = found.etas[live]
    simplex = np.concatenate([centre[None, :], centre + np.diag(sizes)])
    result = minimize(
        objective, centre, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-8, "fatol": 1e-11, "maxfev": 4000},
    )  # fmt: skip
    etas = found.etas.copy()
    etas[live] = result.x
    if not float(result.fun) <= found.objective:
        return found
    point = subject.point(etas, exact=True)
    status = ARRIVED if result.success else NOT_ARRIVED
    return Found(
        etas, float(result.fun), point.curvature, point.f, found.f_start, status, kink=True
    )
