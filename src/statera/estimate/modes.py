"""Subjects with more than one mode of their random effects.

Where the exact second derivatives of J at a mode are below those of the prior, J is not convex, and
another mode may lie along the direction of the least curvature. The search for modes is started
there on both sides, and at random effects 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Individuals
from statera.estimate.inner import ARRIVED, Inner, InnerOptions, find_etas, inverse_of

__all__ = ["Modes", "find_modes"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_CONVEX = 0.5
"""Curvature relative to the prior's above which no other mode is looked for."""
_APART = 0.05
"""Distance of two modes, in standard deviations of the random effects, below which they are one."""
_REACH = (1.0, 2.5)
"""How far to look, in standard deviations along the direction of the least curvature."""


@dataclass(frozen=True)
class Modes:
    """The lowest mode of every subject and how far the next one lies above it.

    Attributes
    ----------
    etas : (n_subjects, n_etas) float64
    gain : (n_subjects,) float64
        How much lower J is than at the modes given.
    rival : (n_subjects,) float64
        J of the next mode less that of the lowest one; infinite where none was found.
    """

    etas: Floats
    gain: Floats
    rival: Floats


def find_modes(
    of: Individuals,
    theta: Floats,
    omega: Floats,
    at: Inner,
    curvature: Floats,
    options: InnerOptions,
    frozen: tuple[Floats, Floats] | None = None,
) -> Modes:
    """Look for other modes of subjects whose objective is not convex.

    Parameters
    ----------
    curvature : (n_subjects, n_etas, n_etas) float64
        Exact second derivatives of J at the modes.
    """
    n, q = at.etas.shape
    found = Modes(at.etas.copy(), np.zeros(n), np.full(n, np.inf))
    if not q or not np.isfinite(curvature).all():
        return found
    lower: Floats = np.linalg.cholesky(omega).astype(np.float64)
    values, vectors = np.linalg.eigh(0.5 * lower.T @ curvature @ lower)
    suspects = (values[:, 0] < _CONVEX) & (at.statuses == ARRIVED)
    if not suspects.any():
        return found
    along = vectors[:, :, 0] @ lower.T
    starts = [at.etas + sign * far * along for far in _REACH for sign in (1.0, -1.0)]
    starts.append(np.zeros_like(at.etas))
    precision, back = inverse_of(omega), inverse_of(lower)
    all_etas, all_j = [at.etas], [at.objective]
    for start in starts:
        tried = np.where(suspects[:, None], start, at.etas)
        other = find_etas(of, theta, precision, tried, options, frozen=frozen)
        usable = suspects & (other.statuses == ARRIVED)
        all_etas.append(other.etas)
        all_j.append(np.where(usable, other.objective, np.inf))
    etas, j = np.array(all_etas), np.array(all_j)
    best = np.argmin(j, axis=0)
    rows = np.arange(n)
    lowest, value = etas[best, rows], j[best, rows]
    apart = np.linalg.norm((etas - lowest) @ back.T, axis=2) > _APART
    rival = np.where(apart, j, np.inf).min(axis=0) - value
    return Modes(lowest, at.objective - value, rival)
