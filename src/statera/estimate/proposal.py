"""Proposals of importance sampling: one multivariate t a subject, with prior draws mixed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from statera.estimate.effects import Effects, lower_roots
from statera.estimate.inner import inverse_of

__all__ = ["Proposal", "Sums"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Proposal:
    """Where the random effects of every subject are drawn.

    Attributes
    ----------
    centre : (n_subjects, n_live) float64
    covariance : (n_subjects, n_live, n_live) float64
        Scale matrix of the t.
    degrees
        Degrees of freedom; infinite for a normal.
    prior : (n_subjects,) float64
        Share of draws from N(0, Omega): a bound on the weights wherever the data say little.
    """

    centre: Floats
    covariance: Floats
    degrees: float
    prior: Floats

    @cached_property
    def roots(self) -> Floats:
        """Lower roots of the covariances."""
        return lower_roots(self.covariance)

    @cached_property
    def inverse(self) -> Floats:
        """Inverses of the roots."""
        return inverse_of(self.roots)

    @cached_property
    def log_det(self) -> Floats:
        """Log-determinants of the covariances, (n_subjects,)."""
        return np.asarray(2.0 * np.log(np.diagonal(self.roots, axis1=-2, axis2=-1)).sum(axis=-1))

    def distance(self, draws: Floats) -> Floats:
        """Return squared distances of draws (copies, n_subjects, n_live) to the centre."""
        away = np.einsum("ikl,cil->cik", self.inverse, draws - self.centre)
        return np.asarray((away * away).sum(axis=-1))

    def moved(self, where: Mask, centre: Floats, covariance: Floats) -> Proposal:
        """Return the proposal with other moments for some subjects."""
        return replace(
            self,
            centre=np.where(where[:, None], centre, self.centre),
            covariance=np.where(where[:, None, None], covariance, self.covariance),
        )

    def draw(
        self, effects: Effects, source: np.random.Generator, copies: int
    ) -> tuple[Floats, Floats]:
        """Return draws (copies, n_subjects, n_live) and their log-densities (copies, n_subjects).

        Stream and order of the draws do not depend on how many subjects need the prior.
        """
        n, q = self.centre.shape
        roots = self.roots
        normal = source.standard_normal((copies, n, q))
        chosen = source.random((copies, n)) < self.prior
        w = normal
        if np.isfinite(self.degrees):
            spread = source.chisquare(self.degrees, (copies, n)) / self.degrees
            w = normal / np.sqrt(spread)[..., None]
        drawn = self.centre + np.einsum("ikl,cil->cik", roots, w)
        square = (w * w).sum(axis=-1)
        mixed = bool((self.prior > 0.0).any())
        if mixed:
            drawn = np.where(chosen[..., None], normal @ effects.root.T, drawn)
            square = self.distance(drawn)
        density = self.log_t(square, self.log_det, q)
        if mixed:
            with np.errstate(divide="ignore"):
                density = np.logaddexp(
                    np.log1p(-self.prior) + density,
                    np.log(self.prior) + effects.log_density(effects.full(drawn)),
                )
        return drawn, density

    def log_t(self, square: Floats, log_det: Floats, q: int) -> Floats:
        """Return log-densities of the t from squared distances to its centre."""
        d = self.degrees
        if not np.isfinite(d):
            return np.asarray(-0.5 * (square + log_det + q * np.log(2.0 * np.pi)))
        constant = gammaln(0.5 * (d + q)) - gammaln(0.5 * d) - 0.5 * q * np.log(d * np.pi)
        return np.asarray(constant - 0.5 * log_det - 0.5 * (d + q) * np.log1p(square / d))


class Sums:
    """Sums of weights and of weighted moments, without keeping the draws.

    Parameters
    ----------
    reference : (n_subjects,) float64
        Log-weight that counts as 1; moved up where larger ones come.
    """

    def __init__(self, reference: Floats, q: int) -> None:
        n = reference.size
        self.reference = np.where(np.isfinite(reference), reference, -1e300)
        self.count = 0
        self.one, self.two = np.zeros(n), np.zeros(n)
        self.first, self.second = np.zeros((n, q)), np.zeros((n, q, q))

    def add(self, log_weight: Floats, draws: Floats) -> None:
        """Add draws (copies, n_subjects, n_live) with log-weights (copies, n_subjects)."""
        top = np.maximum(self.reference, log_weight.max(axis=0))
        shrink = np.exp(self.reference - top)
        self.one *= shrink
        self.two *= shrink * shrink
        self.first *= shrink[:, None]
        self.second *= shrink[:, None, None]
        self.reference = top
        w = np.exp(log_weight - top)
        self.one += w.sum(axis=0)
        self.two += (w * w).sum(axis=0)
        weighted = w[..., None] * draws
        self.first += weighted.sum(axis=0)
        self.second += np.einsum("cik,cil->ikl", weighted, draws)
        self.count += log_weight.shape[0]

    def replace(self, where: Mask, other: Sums) -> None:
        """Take the sums of another run with as many draws for some subjects."""
        self.reference = np.where(where, other.reference, self.reference)
        self.one = np.where(where, other.one, self.one)
        self.two = np.where(where, other.two, self.two)
        self.first = np.where(where[:, None], other.first, self.first)
        self.second = np.where(where[:, None, None], other.second, self.second)

    @property
    def ess(self) -> Floats:
        """Effective sample size of each subject; 0 where no draw has any weight."""
        safe = np.where(self.two > 0.0, self.two, 1.0)
        return np.where(self.two > 0.0, self.one**2 / safe, 0.0)

    @property
    def objective(self) -> Floats:
        """-2 log of the mean weight; infinite where no draw has any weight."""
        with np.errstate(divide="ignore"):
            return -2.0 * (self.reference + np.log(self.one / self.count))

    @property
    def variance(self) -> Floats:
        """Monte-Carlo variance of the objective: ``4 (sum W^2 - 1/K)``, W normalised."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 4.0 * (self.two / self.one**2 - 1.0 / self.count)
        return np.where(self.one > 0.0, np.maximum(found, 0.0), np.inf)

    def moments(self) -> tuple[Floats, Floats]:
        """Return weighted means (n, n_live) and covariances (n, n_live, n_live)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self.first / self.one[:, None]
            second = self.second / self.one[:, None, None]
        return mean, second - mean[:, :, None] * mean[:, None, :]
