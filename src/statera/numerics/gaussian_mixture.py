"""Mixtures of Gaussian distributions in one or more dimensions, by expectation-maximisation.

Dempster, Laird and Rubin, J R Stat Soc B 1977; the information criterion is Schwarz's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = ["GaussianMixture", "fit_gaussian_mixture"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GaussianMixture:
    """A fitted mixture; components from low to high along the first dimension.

    Attributes
    ----------
    weights : (n_components,) float64
    means : (n_components, n_dimensions) float64
    covariances : (n_components, n_dimensions, n_dimensions) float64
    log_likelihood
        Of all values.
    bic
        Schwarz's criterion, lower is better.
    converged
        Whether the likelihood had settled.
    """

    weights: Floats
    means: Floats
    covariances: Floats
    log_likelihood: float
    bic: float
    converged: bool

    def probabilities(self, values: ArrayLike) -> Floats:
        """Return the probability that each value is of each component.

        Parameters
        ----------
        values : (n,) or (n, n_dimensions) float64

        Returns
        -------
        (n, n_components) float64
        """
        parts = _log_parts(_as_rows(values), self.weights, self.means, self.covariances)
        found: Floats = np.exp(parts - _log_sum(parts)[:, None])
        return found

    def separation(self, a: int, b: int) -> float:
        """Return the distance of two means over their pooled standard deviation.

        Along the line between the means; Ashman's D: two components of equal weight show two
        peaks above 2.
        """
        line = self.means[b] - self.means[a]
        distance = float(np.linalg.norm(line))
        if distance == 0.0:
            return 0.0
        line = line / distance
        variance = [float(line @ self.covariances[i] @ line) for i in (a, b)]
        return distance / math.sqrt(0.5 * (variance[0] + variance[1]))


def fit_gaussian_mixture(
    values: ArrayLike,
    components: int,
    *,
    seed: int = 1,
    starts: int = 3,
    steps: int = 300,
    tolerance: float = 1e-7,
) -> GaussianMixture:
    """Fit a mixture; of several starts, the best.

    Parameters
    ----------
    values : (n,) or (n, n_dimensions) float64
    components
    seed
        Of the starts after the first, which cuts the values into equal parts along their longest
        axis.
    starts, steps, tolerance
        Starts, most steps of each, and the gain in log likelihood per value that ends it.

    Raises
    ------
    InputError
        If there are fewer than ten values for each component, or one is not finite.
    """
    x = _as_rows(values)
    n, d = x.shape
    if not np.isfinite(x).all():
        raise InputError("a value of a mixture is not finite", where="values")
    if n < 10 * components:
        raise InputError(
            f"{n} values are too few for {components} components",
            where="values",
            hint=f"At least {10 * components} are needed.",
        )
    rng = np.random.default_rng(seed)
    best: GaussianMixture | None = None
    for start in range(starts):
        weights, means, covariances = _start(x, components, None if start == 0 else rng)
        found = _climb(x, weights, means, covariances, steps, tolerance)
        if best is None or found.log_likelihood > best.log_likelihood:
            best = found
    assert best is not None
    order = np.argsort(best.means[:, 0], kind="stable")
    free = components * (1 + d + d * (d + 1) // 2) - 1
    return GaussianMixture(
        best.weights[order],
        best.means[order],
        best.covariances[order],
        best.log_likelihood,
        free * math.log(n) - 2.0 * best.log_likelihood,
        best.converged,
    )


def _as_rows(values: ArrayLike) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    return x[:, None] if x.ndim == 1 else x


def _start(
    x: Floats, components: int, rng: np.random.Generator | None
) -> tuple[Floats, Floats, Floats]:
    n, d = x.shape
    centred = x - x.mean(axis=0)
    spread = np.atleast_2d(np.cov(x, rowvar=False))
    if rng is None:
        axis = np.linalg.eigh(spread)[1][:, -1]
        groups = np.array_split(np.argsort(centred @ axis, kind="stable"), components)
        means = np.array([x[g].mean(axis=0) for g in groups])
    else:
        means = x[rng.choice(n, components, replace=False)]
    floor = 1e-6 * np.trace(spread) / d
    covariances = np.repeat((spread / components**2 + floor * np.eye(d))[None], components, axis=0)
    return np.full(components, 1.0 / components), means, covariances


def _climb(
    x: Floats, weights: Floats, means: Floats, covariances: Floats, steps: int, tolerance: float
) -> GaussianMixture:
    n, d = x.shape
    # a component that falls onto one point would have an endless likelihood
    floor = 1e-6 * np.var(x, axis=0).mean() * np.eye(d) + 1e-300 * np.eye(d)
    before, converged = -math.inf, False
    for _ in range(steps):
        parts = _log_parts(x, weights, means, covariances)
        each = _log_sum(parts)
        now = float(each.sum())
        if now - before < tolerance * n:
            converged = True
            break
        before = now
        member = np.exp(parts - each[:, None])
        size = member.sum(axis=0) + 1e-10
        weights = size / size.sum()
        means = (member.T @ x) / size[:, None]
        covariances = np.empty_like(covariances)
        for i in range(size.size):
            off = x - means[i]
            covariances[i] = (member[:, i] * off.T) @ off / size[i] + floor
    return GaussianMixture(weights, means, covariances, before, math.nan, converged)


def _log_parts(x: Floats, weights: Floats, means: Floats, covariances: Floats) -> Floats:
    d = x.shape[1]
    parts = np.empty((x.shape[0], weights.size))
    for i in range(weights.size):
        root = np.linalg.cholesky(covariances[i])
        off = np.linalg.solve(root, (x - means[i]).T)
        size = float(np.log(np.diag(root)).sum())
        parts[:, i] = (
            math.log(weights[i])
            - 0.5 * np.sum(off**2, axis=0)
            - size
            - 0.5 * d * math.log(2.0 * math.pi)
        )
    return parts


def _log_sum(parts: Floats) -> Floats:
    top = parts.max(axis=1)
    found: Floats = top + np.log(np.exp(parts - top[:, None]).sum(axis=1))
    return found
