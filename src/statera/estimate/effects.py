"""Which random effects vary, and normal densities and draws of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.estimate.inner import inverse_of

__all__ = ["Effects", "lower_roots"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Effects:
    """The distribution N(0, Omega) of a subject's random effects; those of variance 0 stay 0.

    Parameters
    ----------
    omega : (n_etas, n_etas) float64
    """

    def __init__(self, omega: Floats) -> None:
        self.n = omega.shape[0]
        self.live: Ints = np.flatnonzero(np.diag(omega) > 0.0)
        inside = omega if self.live.size == self.n else omega[np.ix_(self.live, self.live)]
        self.root = np.linalg.cholesky(inside) if inside.size else inside
        self.inner_precision = inverse_of(inside)
        self.log_det = 2.0 * float(np.log(np.diag(self.root)).sum())
        self.precision = self.inner_precision
        if self.live.size < self.n:
            self.precision = np.zeros((self.n, self.n))
            self.precision[np.ix_(self.live, self.live)] = self.inner_precision

    @property
    def search_precision(self) -> Floats:
        """Precision for a search for modes: effects of variance 0 are held where they are."""
        found = self.precision.copy()
        dead = np.setdiff1d(np.arange(self.n), self.live)
        found[dead, dead] = 1e12
        return found

    def square(self, etas: Floats) -> Floats:
        """Return ``eta' Omega^-1 eta`` of each row."""
        inside = etas[..., self.live]
        return np.asarray(((inside @ self.inner_precision) * inside).sum(axis=-1))

    def log_density(self, etas: Floats) -> Floats:
        """Return the log-density of each row, on the effects that vary."""
        constant = self.log_det + self.live.size * np.log(2.0 * np.pi)
        return np.asarray(-0.5 * (self.square(etas) + constant))

    def full(self, inside: Floats) -> Floats:
        """Return all effects from those that vary."""
        if self.live.size == self.n:
            return inside
        out = np.zeros((*inside.shape[:-1], self.n))
        out[..., self.live] = inside
        return out

    def draw(self, source: np.random.Generator, count: int) -> Floats:
        """Return draws, (count, n_etas)."""
        return self.full(source.standard_normal((count, self.live.size)) @ self.root.T)


def lower_roots(covariances: Floats) -> Floats:
    """Return lower roots L of symmetric matrices, ``L L'``, with eigenvalues kept above 0."""
    if covariances.size == 0:
        return covariances.copy()
    try:
        found = np.linalg.cholesky(covariances).astype(np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariances)
        top = np.maximum(values[..., -1:], 1e-12)
        fixed = (vectors * np.maximum(values, 1e-8 * top)[..., None, :]) @ vectors.swapaxes(-1, -2)
        found = np.linalg.cholesky(fixed).astype(np.float64)
    return found
