"""Where draws of the posterior come from: the prior mixed with heavy-tailed t at every mode.

Weights of draws from a mixture that holds the prior with share s are at most likelihood / s, so
that they cannot explode where the data say little (Hesterberg 1995,
doi 10.1080/00401706.1995.10484303). Each part gives its share of the draws exactly, which lowers
the variance (Owen and Zhou 2000, doi 10.1080/01621459.2000.10473909).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from statera.estimate.effects import Effects, lower_roots
from statera.estimate.inner import inverse_of
from statera.tdm.standard_points import standard_points

__all__ = ["Mixture", "Part", "times_root"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A multivariate t over the random effects that vary.

    Attributes
    ----------
    share
        Of the draws that do not come from the prior.
    centre : (n_live,) float64
    scale : (n_live, n_live) float64
    """

    share: float
    centre: Floats
    scale: Floats


def times_root(normal: Floats, root: Floats) -> Floats:
    """Return ``normal @ root.T`` in a fixed order of sums, whatever the number of rows."""
    found = np.zeros_like(normal)
    for i in range(root.shape[0]):
        for j in range(root.shape[1]):
            if root[i, j] != 0.0:
                found[:, i] += root[i, j] * normal[:, j]
    return found


class Mixture:
    """The prior and parts beside it.

    Parameters
    ----------
    prior
    parts
        May be empty: all draws are then from the prior.
    prior_share
        Share of draws from the prior.
    degrees
        Of freedom of the parts.
    """

    def __init__(
        self, prior: Effects, parts: Sequence[Part], prior_share: float, degrees: float
    ) -> None:
        self.prior, self.parts, self.degrees = prior, tuple(parts), degrees
        self.prior_share = prior_share if parts else 1.0
        total = sum(p.share for p in parts)
        self.shares = [(1.0 - self.prior_share) * p.share / total for p in parts]
        self.roots = [lower_roots(p.scale) for p in parts]
        self.inverses = [inverse_of(r) for r in self.roots]
        self.prior_root: Floats = np.asarray(prior.root, dtype=np.float64)
        self.prior_inverse = inverse_of(self.prior_root)

    def draw(self, source: np.random.Generator, count: int) -> Floats:
        """Return draws (count, n_live): those of the prior first, then those of each part.

        See `statera.tdm.standard_points`.
        """
        q = self.prior.live.size
        points = standard_points(source, count, q)
        normal = points.normal
        ends = np.round(np.cumsum([self.prior_share, *self.shares]) * count).astype(int)
        ends[-1] = count
        spread = points.chi(self.degrees)[ends[0] :] if self.parts else np.empty(0)
        out = np.empty((count, q))
        out[: ends[0]] = times_root(normal[: ends[0]], self.prior_root)
        for k, part in enumerate(self.parts):
            rows = slice(int(ends[k]), int(ends[k + 1]))
            chi = spread[ends[k] - ends[0] : ends[k + 1] - ends[0], None]
            out[rows] = part.centre + times_root(normal[rows] / chi, self.roots[k])
        return out

    def log_prior(self, draws: Floats) -> Floats:
        """Return the log-density of the prior, (n,)."""
        q = draws.shape[1]
        away = times_root(draws, self.prior_inverse)
        square = (away * away).sum(axis=1)
        return np.asarray(-0.5 * (square + self.prior.log_det + q * np.log(2.0 * np.pi)))

    def log_density(self, draws: Floats, log_prior: Floats) -> Floats:
        """Return the log-density of the mixture, (n,)."""
        q, d = draws.shape[1], self.degrees
        found = log_prior + np.log(self.prior_share)
        constant = gammaln(0.5 * (d + q)) - gammaln(0.5 * d) - 0.5 * q * np.log(d * np.pi)
        for part, share, root, inverse in zip(
            self.parts, self.shares, self.roots, self.inverses, strict=True
        ):
            away = times_root(draws - part.centre, inverse)
            square = (away * away).sum(axis=1)
            log_det = float(np.log(np.diag(root)).sum())
            density = constant - log_det - 0.5 * (d + q) * np.log1p(square / d)
            found = np.logaddexp(found, density + np.log(share))
        return np.asarray(found)
