"""FO: the objective with the model linearised at random effects 0.

``O_i = ln det V + r' V^-1 r`` with ``V = G Omega G' + diag(v)``, ``r = y - f``, everything at 0.
V is never formed: with ``W = diag(1/v)`` and ``M = Omega^-1 + G'W G``, ``V^-1 G Omega = W G M^-1``
and ``ln det V = ln det diag(v) + ln det Omega + ln det M`` (the matrix inversion lemma).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Evaluation, Individuals
from statera.estimate.inner import inverse_of
from statera.estimate.laplace import log_det

__all__ = ["FirstOrder", "first_order", "first_order_gradient"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FirstOrder:
    """The objective of every subject, with what its gradient needs.

    Attributes
    ----------
    objective : (n_subjects,) float64
    evaluation
        Predictions at random effects 0 with derivatives by all columns.
    inverse : (n_subjects, n_etas, n_etas) float64
        ``M^-1``.
    solved : (n_obs,) float64
        ``V^-1 r``.
    """

    objective: Floats
    evaluation: Evaluation
    inverse: Floats
    solved: Floats


def first_order(of: Individuals, theta: Floats, omega: Floats) -> FirstOrder:
    """Return the objective of every subject; quantified observations only."""
    etas = np.zeros((of.n_subjects, of.n_etas))
    e = of.evaluate(theta, etas, by_parameters=True)
    g = e.df[:, of.n_theta :]
    w = 1.0 / e.v
    r = of.y - e.f
    m = inverse_of(omega) + of.total((w[:, None] * g)[:, :, None] * g[:, None, :])
    inverse = inverse_of(m)
    pulled = of.total((w * r)[:, None] * g)
    inside = np.einsum("ikl,il->ik", inverse, pulled)
    solved = w * r - w * np.einsum("jk,jk->j", g, inside[of.subject])
    base = np.linalg.slogdet(omega)[1] if omega.size else 0.0
    with np.errstate(all="ignore"):
        objective = of.total(np.log(e.v) + r * solved) + base + log_det(m)
    objective = np.where(np.isfinite(objective) & (e.statuses == 0), objective, np.inf)
    return FirstOrder(objective, e, inverse, solved)


def first_order_gradient(
    of: Individuals, theta: Floats, omega: Floats, at: FirstOrder
) -> tuple[Floats, Floats]:
    """Return derivatives by fixed effects (n_subjects, n_theta) and by Omega."""
    p = of.n_theta
    etas = np.zeros((of.n_subjects, of.n_etas))
    e, z = at.evaluation, at.solved
    g, w = e.df[:, p:], 1.0 / e.v
    bent = of.second(theta, etas, by_parameters=True).ff[:, :, :p]
    spread = np.einsum("jk,jkl->jl", g, at.inverse[of.subject])
    pulled = of.total(z[:, None] * g)  # G' V^-1 r
    moved = pulled @ omega
    weight = 2.0 * (w[:, None] * spread - z[:, None] * moved[of.subject])
    diagonal = w - w * w * np.einsum("jk,jk->j", spread, g)
    rows = np.einsum("jk,jkm->jm", weight, bent)
    rows += (diagonal - z * z)[:, None] * e.dv[:, :p] - 2.0 * z[:, None] * e.df[:, :p]
    gram = of.total((w[:, None] * g)[:, :, None] * g[:, None, :])
    by_omega = gram - gram @ at.inverse @ gram - pulled[:, :, None] * pulled[:, None, :]
    return of.total(rows), by_omega
