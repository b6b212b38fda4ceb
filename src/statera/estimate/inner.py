"""Empirical Bayes estimates: the random effects that minimise each subject's objective.

``J(eta) = -2 ln p(y | eta) + eta' P eta`` with ``P = Omega^-1``. Steps are those of Fisher scoring,
by expected second derivatives, taken by all subjects at once; a step that does not lower J enough
is shortened, and a subject that has arrived is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Evaluation, Individuals

__all__ = ["ARRIVED", "FRESH", "Inner", "InnerOptions", "find_etas", "inverse_of", "solve_many"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FRESH = 5
"""Steps after which the curvature is no longer computed anew but learnt from the steps alone:
expected second derivatives are far from exact ones where values are censored."""

ARRIVED, NOT_ARRIVED, NOT_SOLVED = range(3)


@dataclass(frozen=True)
class InnerOptions:
    """How exactly the random effects are found.

    Attributes
    ----------
    tolerance
        Largest Newton decrement, the change of J still to be expected.
    max_steps
        Steps of each subject.
    longest
        Longest step in standard deviations of the prior. Far trials cost much and tell little: an
        infusion made a thousand times as long overlaps with thousands of others.
    """

    tolerance: float = 1e-14
    max_steps: int = 60
    longest: float = np.inf


@dataclass(frozen=True)
class Inner:
    """Random effects of all subjects at the minimum of their objective.

    Attributes
    ----------
    etas : (n_subjects, n_etas) float64
    objective : (n_subjects,) float64
        J; infinite where the subject could not be solved.
    statuses : (n_subjects,) int64
        ARRIVED, NOT_ARRIVED or NOT_SOLVED.
    steps
        Sweeps over the subjects.
    """

    etas: Floats
    objective: Floats
    statuses: Ints
    steps: int


def inverse_of(matrix: Floats) -> Floats:
    """Return the inverse of one matrix or of many; empty ones stay empty."""
    found: Floats = np.linalg.inv(matrix).astype(np.float64) if matrix.size else matrix.copy()
    return found


def solve_many(matrices: Floats, vectors: Floats) -> Floats:
    """Return ``matrices^-1 vectors``, (n, q), with a ridge where a matrix is not positive."""
    if vectors.shape[1] == 0:
        return vectors.copy()
    try:
        return _solved(matrices, vectors)
    except np.linalg.LinAlgError:
        size = np.abs(matrices).max(axis=(1, 2), initial=1e-12)
        ridge = matrices + 1e-8 * size[:, None, None] * np.eye(matrices.shape[1])
        return _solved(ridge, vectors)


def _solved(matrices: Floats, vectors: Floats) -> Floats:
    found: Floats = np.linalg.solve(matrices, vectors[:, :, None])[:, :, 0].astype(np.float64)
    return found


def _objective(
    of: Individuals, e: Evaluation, etas: Floats, precision: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return J, its gradient and twice its expected curvature by subject."""
    inside = etas @ precision
    j = of.total(e.terms.value) + np.einsum("iq,iq->i", inside, etas)
    gradient = of.gradient(e) + 2.0 * inside
    curvature = 2.0 * (of.expected(e, 0) + precision)
    j = np.where(np.isfinite(j) & (e.statuses == 0), j, np.inf)
    return j, gradient, curvature


def _positive(wanted: Floats, otherwise: Floats) -> Floats:
    """Return the first matrix of each subject where it is positive definite, else the second."""
    lowest = np.linalg.eigvalsh(np.where(np.isfinite(wanted), wanted, 0.0))[:, 0]
    return np.where((lowest > 0.0)[:, None, None], wanted, otherwise)


def _secant(curve: Floats, moved: Floats, change: Floats) -> Floats:
    """Return curvatures that also explain the last change of the gradient (a BFGS update)."""
    pushed = np.einsum("ikl,il->ik", curve, moved)
    size = np.einsum("ik,ik->i", moved, pushed)
    along = np.einsum("ik,ik->i", moved, change)
    usable = (along > 1e-4 * size) & (size > 0.0)
    with np.errstate(all="ignore"):
        updated = (
            curve
            - pushed[:, :, None] * pushed[:, None, :] / size[:, None, None]
            + change[:, :, None] * change[:, None, :] / along[:, None, None]
        )
    return np.where(usable[:, None, None], updated, curve)


def _shortened(
    step: Floats, slope: Floats, precision: Floats, longest: float
) -> tuple[Floats, Floats]:
    """Return steps no longer than `longest` standard deviations of the prior, with their slopes."""
    if not np.isfinite(longest):
        return step, slope
    length = np.sqrt(np.einsum("iq,qr,ir->i", step, precision, step))
    factor = np.minimum(1.0, longest / np.maximum(length, 1e-300))
    return step * factor[:, None], slope * factor


def find_etas(
    of: Individuals,
    theta: Floats,
    precision: Floats,
    start: Floats,
    options: InnerOptions,
    *,
    frozen: tuple[Floats, Floats] | None = None,
    curvature: Floats | None = None,
) -> Inner:
    """Return the random effects that minimise J.

    Parameters
    ----------
    theta : (n_theta,) float64
    precision : (n_etas, n_etas) float64
        Inverse of Omega.
    start : (n_subjects, n_etas) float64
    frozen
        Variances and their derivatives at random effects 0, for FOCE without interaction.
    curvature : (n_subjects, n_etas, n_etas) float64, optional
        Exact second derivatives of J near the minimum, used instead of expected ones as long as
        they lead downwards.
    """
    etas = start.copy()
    n = of.n_subjects
    none = of.n_etas == 0
    active = np.ones(n, dtype=bool)
    e = of.evaluate(theta, etas, by_parameters=False, frozen=frozen)
    j, gradient, curve = _objective(of, e, etas, precision)
    lost = ~np.isfinite(j)
    if lost.any():  # a start that cannot be solved: begin at the typical subject
        etas[lost] = 0.0
        e = of.evaluate(theta, etas, by_parameters=False, frozen=frozen)
        j, gradient, curve = _objective(of, e, etas, precision)
    statuses = np.where(np.isfinite(j), NOT_ARRIVED, NOT_SOLVED).astype(np.int64)
    active = statuses == NOT_ARRIVED
    if none:
        statuses[active] = ARRIVED
        return Inner(etas, j, statuses, 1)
    trust = np.ones(n)
    sweeps = 1
    best = curve.copy() if curvature is None else _positive(curvature, curve)
    for number in range(options.max_steps):
        step = np.zeros_like(etas)
        step[active] = -solve_many(best[active], gradient[active])
        slope = np.einsum("iq,iq->i", gradient, step)
        wrong = active & ~(slope < 0.0)
        if wrong.any():
            step[wrong] = -solve_many(curve[wrong], gradient[wrong])
            slope = np.einsum("iq,iq->i", gradient, step)
        done = active & (np.abs(slope) < 2.0 * options.tolerance)
        statuses[done] = ARRIVED
        active &= ~done
        if not active.any():
            break
        step, slope = _shortened(step, slope, precision, options.longest)
        moved = np.where(active, trust, 0.0)[:, None] * step
        trial = etas + moved
        e = of.evaluate(theta, trial, by_parameters=False, active=active, frozen=frozen)
        j_new, gradient_new, curve_new = _objective(of, e, trial, precision)
        sweeps += 1
        taken = active & (j_new <= j + 1e-4 * trust * slope + 1e-13 * np.abs(j))
        refused = active & ~taken
        if curvature is None and number < FRESH:
            best[taken] = curve_new[taken]
        best[taken] = _secant(best[taken], moved[taken], (gradient_new - gradient)[taken])
        etas[taken], j[taken] = trial[taken], j_new[taken]
        gradient[taken], curve[taken] = gradient_new[taken], curve_new[taken]
        trust = np.where(taken, np.minimum(1.0, 3.0 * trust), np.where(refused, 0.3, 1.0) * trust)
        best[refused & (trust < 0.1)] = curve[refused & (trust < 0.1)]
        # no lower value within rounding of J: the minimum is here if the slope says so too
        stuck = refused & ((trust < 1e-8) | (np.abs(slope) < 1e-12 * (1.0 + np.abs(j))))
        statuses[stuck & (np.abs(slope) < 1e-9 * (1.0 + np.abs(j)))] = ARRIVED
        active &= ~stuck
    return Inner(etas, j, statuses, sweeps)
