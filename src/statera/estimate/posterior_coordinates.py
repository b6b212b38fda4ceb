"""Coordinates in which a posterior is nearly a standard normal distribution, for sampling.

A linear map leaves the posterior as it is, but decides how many steps the sampler needs. With u
the free numbers of the parameters and y_i the scaled random effects of subject i,

    u   = u0 + L a
    y_i = y0_i + D_i (u - u0) + S_i b_i

where ``L L'`` is the inverse curvature of the linearised likelihood with the priors, ``S_i S_i'``
that of the joint density by y_i, and D_i how fast the mode of y_i follows u. All of it is by
differences of exact gradients at one point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.inner import inverse_of
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.log_density import LogDensity, PriorOptions, factor
from statera.estimate.outer import Objective
from statera.estimate.problem import Problem
from statera.estimate.terms import GAUSS

__all__ = ["Coordinates", "density_at", "posterior_coordinates"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_STEP = 1e-3
_LEAST_CURVATURE = 0.2  # of a standardised random effect, whose prior alone has 1
_CENTRED_BELOW = 1.0 / 3.0
_LARGEST_SPREAD = 3.0  # of a free number: wider ones are left to the sampler's own adaptation


@dataclass(frozen=True)
class Coordinates:
    """A linear map from a and b to u and y.

    Attributes
    ----------
    u0 : (n_free,) float64
    y0 : (n_subjects, n_etas) float64
    root : (n_free, n_free) float64
        L.
    moves : (n_subjects, n_etas, n_free) float64
        D.
    roots : (n_subjects, n_etas, n_etas) float64
        S.
    """

    u0: Floats
    y0: Floats
    root: Floats
    moves: Floats
    roots: Floats

    def point(self, w: Floats) -> Floats:
        """Return u and y, in one vector, of a and b in one vector."""
        p = self.u0.size
        away = self.root @ w[:p]
        y = self.y0 + self.moves @ away
        y += np.einsum("ikl,il->ik", self.roots, w[p:].reshape(self.y0.shape))
        return np.concatenate([self.u0 + away, y.ravel()])

    def pull(self, gradient: Floats) -> Floats:
        """Return the gradient by a and b from that by u and y."""
        p = self.u0.size
        by_y = gradient[p:].reshape(self.y0.shape)
        by_u = gradient[:p] + np.einsum("ikm,ik->m", self.moves, by_y)
        by_b = np.einsum("ikl,ik->il", self.roots, by_y)
        return np.concatenate([self.root.T @ by_u, by_b.ravel()])


def density_at(
    problem: Problem, priors: PriorOptions, start: Floats, *, centred: bool | None = None
) -> LogDensity:
    """Return the log-density with each block of random effects centred where the data say much.

    Parameters
    ----------
    start : (n_free,) float64
        Where that is judged: a block is centred where the conditional variances are on average
        less than a third of Omega.
    centred
        True or False for all of them.
    """
    n_etas = problem.individuals.n_etas
    chosen = np.zeros(n_etas, dtype=bool)
    if centred is None:
        with np.errstate(all="ignore"):
            _, at = Objective(problem, _curvature(problem)).value(start)
        omega = np.diag(problem.unpack(start)[2])
        good = np.isfinite(at.half).all(axis=(1, 2))
        left = np.diagonal(inverse_of(at.half[good]), axis1=1, axis2=2).mean(axis=0)
        for block in problem.omega.blocks:
            places = np.concatenate([problem.omega.places[i] for i in block.members])
            chosen[places] = (left[places] / omega[places]).mean() < _CENTRED_BELOW
    elif centred:
        chosen = np.ones(n_etas, dtype=bool)
    return LogDensity(problem, priors, centred=chosen, base=start)


def _curvature(problem: Problem) -> LaplaceOptions:
    return LaplaceOptions(exact=bool((problem.individuals.kind != GAUSS).any()))


def posterior_coordinates(density: LogDensity, start: Floats) -> Coordinates:
    """Return coordinates about a point; plain ones for what cannot be computed there.

    Parameters
    ----------
    start : (n_free,) float64
        Free numbers, at best the estimates of a fit.
    """
    problem = density.problem
    n, q = density.shape
    p = problem.n_free
    objective = Objective(problem, _curvature(problem))
    with np.errstate(all="ignore"):
        _, at = objective.value(start)
    etas = np.where(np.isfinite(at.inner.etas), at.inner.etas, 0.0)
    lower = factor(problem.unpack(start)[2])
    y0: Floats = np.asarray(np.linalg.solve(lower, etas.T).T if q else etas)
    here = np.concatenate([start, y0.ravel()])

    inside = np.zeros((n, q, q))
    for k in range(q):
        step = np.zeros((n, q))
        step[:, k] = _STEP
        moved = np.concatenate([np.zeros(p), step.ravel()])
        inside[:, :, k] = -_slope(density, here, moved)[p:].reshape(n, q)
    cross = np.zeros((n, q, p))
    for m in range(p):
        moved = np.zeros(here.size)
        moved[m] = _STEP
        cross[:, :, m] = -_slope(density, here, moved)[p:].reshape(n, q)
    inverse, roots = _inverted(inside)
    cross = np.where(np.isfinite(cross), cross, 0.0)
    return Coordinates(start.copy(), y0, _outer(density, objective, start), -inverse @ cross, roots)


def _slope(density: LogDensity, here: Floats, moved: Floats) -> Floats:
    """Return the derivative of the gradient of the log-density along a small step."""
    return (density(here + moved)[1] - density(here - moved)[1]) / (2.0 * _STEP)


def _inverted(inside: Floats) -> tuple[Floats, Floats]:
    """Return inverses and roots of inverses of the curvatures of the subjects."""
    unit = np.broadcast_to(np.eye(inside.shape[1]), inside.shape)
    if not inside.size:
        return unit.copy(), unit.copy()
    even = 0.5 * (inside + inside.swapaxes(1, 2))
    good: Mask = np.asarray(np.isfinite(even).all(axis=(1, 2)))
    values, vectors = np.linalg.eigh(np.where(good[:, None, None], even, unit))
    values = np.maximum(values, _LEAST_CURVATURE)
    inverse = (vectors / values[:, None, :]) @ vectors.swapaxes(1, 2)
    return inverse, vectors / np.sqrt(values)[:, None, :]


def _outer(density: LogDensity, objective: Objective, start: Floats) -> Floats:
    """Return a root of the inverse curvature of the parameters, by differences of gradients."""
    p = start.size
    curve = np.zeros((p, p))
    for m in range(p):
        ends = []
        for sign in (1.0, -1.0):
            moved = start.copy()
            moved[m] += sign * 10.0 * _STEP
            slope = 0.5 * objective(moved)[1] - density.prior(moved)[1]
            ends.append(slope)
        curve[:, m] = (ends[0] - ends[1]) / (20.0 * _STEP)
    if not np.isfinite(curve).all():
        return 0.1 * np.eye(p)
    values, vectors = np.linalg.eigh(0.5 * (curve + curve.T))
    return np.asarray(vectors / np.sqrt(np.maximum(values, _LARGEST_SPREAD**-2)))
