"""Expected curvature of the objective by free numbers, from first derivatives alone.

Around a subject's modes predictions f and residual variances v are taken as linear in the random
effects. The expected second derivatives of the data's part by fixed effects and random effects,

    B = 2 sum [ f' f'^T / v + v' v'^T / (2 v^2) ],

with the random effects integrated out, give those by fixed effects, ``B_tt - B_te H^-1 B_et``, H
the part of the random effects with the prior's ``2 Omega^-1``. Along Omega, with G half of B_ee and
``M = G - G (G + Omega^-1)^-1 G``, they are ``tr(M dOmega_k M dOmega_l)``: those of a normal
distribution with the covariance ``a Omega a' + diag v``, a = df/deta. Fixed effects of the residual
variance alone lose what the random effects take of the residuals, in the same way. Unlike products
of gradients none of it depends on the residuals, so that steps are of the right size although the
parameters are far from their estimates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Evaluation, Individuals
from statera.estimate.inner import inverse_of
from statera.estimate.problem import Problem

__all__ = ["expected_information", "omega_directions"]

Floats = NDArray[np.float64]


def omega_directions(problem: Problem, u: Floats) -> Floats:
    """Return derivatives of the covariance of a subject's random effects by its free numbers.

    Returns
    -------
    (size, n_full, n_full) float64
        Symmetric.
    """
    part = u[problem.theta.size :]
    n = len(problem.omega.places)
    units = np.eye(n * n).reshape(n * n, n, n)
    slopes = problem.omega.pull(part, 0.5 * (units + units.transpose(0, 2, 1)))
    steps = slopes.T.reshape(problem.omega.size, n, n)
    none = np.zeros((0, problem.omega.n_full, problem.omega.n_full))
    moved = [problem.omega.expand(step) for step in steps]
    return np.stack(moved) if moved else none


def expected_information(
    problem: Problem, u: Floats, e: Evaluation, weights: Floats | None = None
) -> Floats:
    """Return expected second derivatives of the objective by free numbers, (n_free, n_free).

    Parameters
    ----------
    e
        Evaluation at the modes, with derivatives by all columns.
    weights : (n_subjects,) float64, optional
        How often each subject counts; once unless given.
    """
    of = problem.individuals
    _, _, omega = problem.unpack(u)
    _, slopes = problem.theta.unpack(u[: problem.theta.size])
    p, first = of.n_theta, problem.theta.size
    mean = e.df[:, :p][:, problem.theta.free] * slopes
    spread = e.dv[:, :p][:, problem.theta.free] * slopes
    a, c = e.df[:, p:], e.dv[:, p:]
    weight, bend = np.maximum(e.terms.curve_f, 0.0), np.maximum(e.terms.curve_v, 0.0)
    known = _products(of, weight, a, a) + _products(of, bend, c, c)
    inverse = inverse_of(known + inverse_of(omega))
    lifted = _products(of, weight, a, mean) + _products(of, bend, c, spread)
    out = np.zeros((u.size, u.size))
    times = np.ones(of.n_subjects) if weights is None else weights
    rows_times = times[of.subject]
    by_theta = (mean.T * (rows_times * weight)) @ mean + (spread.T * (rows_times * bend)) @ spread
    by_theta -= np.einsum("i,iak,iab,ibl->kl", times, lifted, inverse, lifted, optimize=True)
    out[:first, :first] = 2.0 * by_theta
    shrunk = np.eye(a.shape[1]) - known @ inverse  # I - G H^-1
    directions = omega_directions(problem, u)
    turned = np.einsum("iab,kbc->ikac", shrunk @ known, directions)
    out[first:, first:] = _traces(times, turned)
    alone = np.flatnonzero(spread.any(axis=0) & ~mean.any(axis=0))  # of the residual error only
    if alone.size and a.shape[1]:
        only = spread[:, alone]
        rows = (2.0 * bend)[:, None] * only
        inside = of.total(rows[:, :, None, None] * (a[:, :, None] * a[:, None, :])[:, None])
        own = np.einsum("ja,jab,jb->j", a, inverse[of.subject], a)
        part = -2.0 * (only.T * (2.0 * rows_times * bend * weight * own)) @ only
        taken = np.einsum("iab,ikbc->ikac", inverse, inside)
        out[np.ix_(alone, alone)] += part + _traces(times, taken)
        inside = shrunk[:, None] @ inside @ shrunk.transpose(0, 2, 1)[:, None]
        cross = np.einsum("i,ikab,lba->kl", times, inside, directions, optimize=True)
        out[alone, first:] = cross
        out[first:, alone] = cross.T
    total: Floats = 0.5 * (out + out.T)
    return total


def _traces(times: Floats, matrices: Floats) -> Floats:
    """Return ``sum_i times_i tr(M_ik M_il)``, (n, n)."""
    n, count, q = matrices.shape[:3]
    left = (times[:, None, None, None] * matrices).transpose(1, 0, 2, 3)
    right = matrices.transpose(1, 0, 3, 2)
    found: Floats = left.reshape(count, n * q * q) @ right.reshape(count, n * q * q).T
    return found


def _products(of: Individuals, weight: Floats, left: Floats, right: Floats) -> Floats:
    """Return sums over the observations of each subject, (n_subjects, n_left, n_right)."""
    return of.total((weight[:, None] * left)[:, :, None] * right[:, None, :])
