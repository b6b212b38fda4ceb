"""Where the modes of the random effects move to when parameters change.

By the implicit-function theorem ``deta/du = -(J_etaeta)^-1 J_etau``; along Omega the gradient of J,
``2 Omega^-1 eta`` in its part of the prior, changes by ``-2 Omega^-1 dOmega Omega^-1 eta``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.information import omega_directions
from statera.estimate.inner import inverse_of
from statera.estimate.laplace import Slopes
from statera.estimate.problem import Problem

__all__ = ["ModePath", "mode_path"]

Floats = NDArray[np.float64]

_FAR = 0.5
"""Longest prediction, in standard deviations of the random effects: the path is not straight."""


@dataclass(frozen=True)
class ModePath:
    """First derivatives of the modes.

    Attributes
    ----------
    at : (n_free,) float64
    slopes : (n_subjects, n_etas, n_free) float64
    root : (n_etas,) float64
        Standard deviations of the random effects.
    """

    at: Floats
    slopes: Floats
    root: Floats

    def predict(self, etas: Floats, u: Floats) -> Floats:
        """Return the modes to be expected at `u`, (n_subjects, n_etas)."""
        moved = self.slopes @ (u - self.at)
        size = np.abs(moved / self.root).max(axis=1, initial=0.0)
        size = np.where(np.isfinite(size), size, np.inf)
        share = np.where(np.isfinite(size), np.minimum(1.0, _FAR / np.maximum(size, 1e-300)), 0.0)
        return np.where(share[:, None] > 0.0, etas + share[:, None] * moved, etas)


def mode_path(problem: Problem, u: Floats, etas: Floats, slopes: Slopes) -> ModePath | None:
    """Return how modes move; None where their second derivatives are not known."""
    if slopes.mixed is None or not etas.shape[1] or not np.isfinite(slopes.curvature).all():
        return None
    _, _, omega = problem.unpack(u)
    precision = inverse_of(omega)
    _, scale = problem.theta.unpack(u[: problem.theta.size])
    by_theta = slopes.mixed[:, :, problem.theta.free] * scale
    turned = precision @ omega_directions(problem, u) @ precision  # (size, q, q)
    by_omega = -2.0 * np.einsum("kab,ib->iak", turned, etas)
    try:
        found = -np.linalg.solve(slopes.curvature, np.concatenate([by_theta, by_omega], axis=2))
    except np.linalg.LinAlgError:
        return None
    return ModePath(u.copy(), found, np.sqrt(np.diag(omega)))
