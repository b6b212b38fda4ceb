"""The most likely random effects of one subject, by Newton's method."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Individuals, Second
from statera.estimate.inner import (
    ARRIVED,
    NOT_ARRIVED,
    NOT_SOLVED,
    InnerOptions,
    find_etas,
)
from statera.estimate.one_subject import OneSubject, Point
from statera.simulate.prepared_solvers import LinearSolver

__all__ = ["LONGEST", "Found", "find_mode"]

Floats = NDArray[np.float64]

LONGEST = 3.0
"""Longest step, in standard deviations of the prior."""

_HELD = 1e11
"""Precision from which a random effect is held where it is."""

_COARSE, _MIDDLE = 1e-5, 1e-6
"""Relative tolerances of a first search, and of second derivatives."""

_NEAR = 5e-3
"""Distance, in standard deviations of the prior, over which second derivatives are kept."""

_SCORING = 2
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
        found = _newton(subject, precision, start, first, options)
    else:
        found = _scored(subject, precision, start, first, options)
    if found.status == NOT_ARRIVED:
        return _at_kink(subject, precision, found)
    return found


def _scored(
    subject: OneSubject, precision: Floats, start: Floats, first: Point, options: InnerOptions
) -> Found:
    """Search by first derivatives: coarsely first, then with second derivatives found once.

    A coarse solution costs a fraction of an exact one, and ends close enough for the curvature
    there to lead to the minimum in a few exact steps.
    """
    of, theta = subject.of, subject.theta
    with np.errstate(all="ignore"):
        coarse = _loosened(of, _COARSE)
        rough = replace(options, tolerance=max(options.tolerance, 1e-6))
        etas = find_etas(coarse, theta, precision, start[None, :], rough).etas
        curvature = _bends(of, theta, etas)
        usable = curvature is not None and bool(np.isfinite(curvature).all())
        whole = curvature[None] + 2.0 * precision if curvature is not None and usable else None
        inner = find_etas(of, theta, precision, etas, options, curvature=whole)
        if inner.statuses[0] != ARRIVED:
            inner = find_etas(of, theta, precision, start[None, :], options)
        moved = inner.etas[0] - etas[0]
        if curvature is not None and usable and float(moved @ precision @ moved) < _NEAR**2:
            f = of.values(theta, inner.etas)[1]
        else:
            last = subject.point(inner.etas[0], exact=True)
            curvature, f = last.curvature, last.f
    return Found(
        inner.etas[0], float(inner.objective[0]), curvature, f, first.f, int(inner.statuses[0])
    )


def _loosened(of: Individuals, rtol: float) -> Individuals:
    """Return the same with a solver of lower accuracy, where the model is integrated."""
    solver = of.prepared.solver
    if isinstance(solver, LinearSolver):
        return of
    found, found.prepared = copy.copy(of), copy.copy(of.prepared)
    found.prepared.solver = copy.copy(solver)
    found.prepared.solver.options = replace(solver.options, rtol=max(solver.options.rtol, rtol))
    return found


def _bends(of: Individuals, theta: Floats, etas: Floats) -> Floats | None:
    """Return exact second derivatives of -2 log-likelihood, where the engine has them."""
    if not of.prepared.can_bend or of.n_etas == 0:
        return None
    near = _loosened(of, _MIDDLE)
    e = near.evaluate(theta, etas, by_parameters=False)
    by_all = near.second(theta, etas, by_parameters=True)
    second = Second(by_all.ff[:, :, of.n_theta :], by_all.vv[:, :, of.n_theta :])
    found: Floats = near.exact(e, second, 0)[0]
    return found


def _step(
    curvature: Floats, expected: Floats, precision: Floats, gradient: Floats, longest: float
) -> Floats:
    """Return Newton's step, or the scoring step where the curvature is not positive definite."""
    try:
        np.linalg.cholesky(curvature + 2.0 * precision)
    except np.linalg.LinAlgError:
        curvature = expected
    step: Floats = np.linalg.solve(curvature + 2.0 * precision, -gradient).astype(np.float64)
    length = float(np.sqrt(step @ precision @ step))
    return step if length <= longest else step * (longest / length)


def _newton(
    subject: OneSubject, precision: Floats, start: Floats, first: Point, options: InnerOptions
) -> Found:
    etas, point = start, first
    inside = precision @ etas
    j, gradient = first.value + float(etas @ inside), first.gradient + 2.0 * inside
    status, trust, exact = NOT_ARRIVED, 1.0, False
    for number in range(options.max_steps):
        step = _step(point.curvature, point.expected, precision, gradient, options.longest)
        slope = float(gradient @ step)
        if exact and abs(slope) < 2.0 * options.tolerance:
            status = ARRIVED
            break
        exact_now = number >= _SCORING or abs(slope) < 1.0
        trial = etas + trust * step
        new = subject.point(trial, exact=exact_now)
        inside = precision @ trial
        j_new = new.value + float(trial @ inside)
        if j_new <= j + 1e-4 * trust * slope + 1e-13 * abs(j):
            etas, point, j, exact = trial, new, j_new, exact_now
            gradient = new.gradient + 2.0 * inside
            trust = min(1.0, 3.0 * trust)
            continue
        trust *= 0.3
        # no lower value within rounding of J: the minimum is here if the slope says so too
        if trust < 1e-8 or abs(slope) < 1e-12 * (1.0 + abs(j)):
            status = ARRIVED if abs(slope) < 1e-9 * (1.0 + abs(j)) else NOT_ARRIVED
            break
    if not exact:
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
