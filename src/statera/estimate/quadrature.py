"""Adaptive Gauss-Hermite quadrature: the likelihood integral by nodes around each mode.

``O_i = -2 ln sum_k w_k exp(x_k'x_k / 2) exp(-J(eta^ + L x_k) / 2) - ln det H^-1 + ln det Omega``
over a product of Gauss-Hermite nodes, with ``L L' = H^-1`` (Pinheiro and Bates 1995,
doi 10.1080/10618600.1995.10474663). One node is the Laplace approximation.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.individual import Individuals
from statera.estimate.inner import inverse_of
from statera.estimate.laplace import Expansion, LaplaceOptions, expand

__all__ = ["MAX_NODES", "quadrature"]

Floats = NDArray[np.float64]

MAX_NODES = 20_000
"""Largest number of nodes a subject."""


def quadrature(
    of: Individuals,
    theta: Floats,
    omega: Floats,
    start: Floats,
    options: LaplaceOptions,
    nodes: int,
    curvature: Floats | None = None,
) -> tuple[Floats, Expansion]:
    """Return the objective of every subject and the expansion whose modes it uses.

    Parameters
    ----------
    nodes
        Nodes along each random effect.

    Raises
    ------
    UsageError
        If there would be more than `MAX_NODES` nodes.
    """
    q = of.n_etas
    if nodes < 1 or nodes**q > MAX_NODES:
        raise UsageError(
            f"{nodes} nodes along {q} random effects are {nodes**q}: between 1 and {MAX_NODES} "
            "can be used",
            where="nodes",
            hint="Take fewer nodes, or importance sampling.",
        )
    at = expand(of, theta, omega, start, options, curvature)
    x, log_w = _grid(nodes, q)
    precision = inverse_of(omega)
    spread = np.linalg.cholesky(inverse_of(at.half)) if q else at.half
    base = np.linalg.slogdet(omega)[1] if omega.size else 0.0
    frozen = None if at.frozen is None else at.frozen[0]
    terms = np.empty((x.shape[0], of.n_subjects))
    for k in range(x.shape[0]):
        etas = at.inner.etas + spread @ x[k]
        value, _, _ = of.values(theta, etas, frozen=frozen)
        j = value + np.einsum("ik,kl,il->i", etas, precision, etas)
        terms[k] = log_w[k] - 0.5 * j
    top = terms.max(axis=0)
    with np.errstate(all="ignore"):
        total = top + np.log(np.exp(terms - top).sum(axis=0))
        objective = -2.0 * total + base + np.linalg.slogdet(at.half)[1]
    return np.where(np.isfinite(objective), objective, np.inf), at


def _grid(nodes: int, q: int) -> tuple[Floats, Floats]:
    """Return nodes of a standard normal (n, q) and log weights that undo its density."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    log_w = np.log(weights) - 0.5 * np.log(2.0 * np.pi) + 0.5 * points**2
    x = np.array(list(product(points, repeat=q))).reshape(-1, q)
    total = np.array([sum(c) for c in product(log_w, repeat=q)])
    return x, total
