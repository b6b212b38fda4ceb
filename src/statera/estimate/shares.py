"""Observations that count in part, and samples that several observations may stand for.

A weight multiplies what an observation adds to -2 log-likelihood. Where it is not known which of
several predictions a sample belongs to, such as those at several possible times of drawing, each
is an observation with its probability, and the sample adds ``-2 ln sum_k p_k exp(-rho_k / 2)``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.terms import Terms

__all__ = ["Share"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """Weights, and which observations are alternatives of one sample.

    Attributes
    ----------
    weight : (n_obs,) float64
        Equal among the alternatives of a sample.
    sample : (n_obs,) int64
        Sample of each observation, from 0, in order: alternatives stand together.
    chance : (n_obs,) float64
        Probability of each alternative; 1 where there is only one.
    """

    weight: Floats
    sample: Ints
    chance: Floats

    @property
    def alternatives(self) -> bool:
        """Whether any sample has more than one observation."""
        return self.sample.size > 0 and int(self.sample[-1]) + 1 < self.sample.size

    def starts(self) -> Ints:
        """Return the first observation of each sample."""
        return np.flatnonzero(np.diff(self.sample, prepend=-1)).astype(np.int64)

    def split(self, value: Floats) -> tuple[Floats, Floats]:
        """Return what each observation adds, (n_obs,), and the share of each in its sample.

        What the alternatives of a sample add sums up to what the sample adds.
        """
        if not self.alternatives:
            return value * self.weight, np.ones_like(value)
        starts = self.starts()
        with np.errstate(all="ignore"):
            logs = np.log(self.chance) - 0.5 * value
            top = np.maximum.reduceat(logs, starts)[self.sample]
            parts = np.exp(logs - np.where(np.isfinite(top), top, 0.0))
            total = np.add.reduceat(parts, starts)[self.sample]
            share = parts / total
            whole = -2.0 * (np.log(total) + top) * self.weight
        return whole * share, share

    def terms(self, found: Terms) -> tuple[Terms, Floats]:
        """Return the terms with weights and shares, and the shares."""
        value, share = self.split(found.value)
        factor = self.weight * share
        rest = {f.name: getattr(found, f.name) * factor for f in fields(found)}
        return replace(found, **{**rest, "value": value}), share

    def spread(self, gradients: Floats, share: Floats) -> Floats:
        """Return what exact second derivatives lack by :meth:`terms`, (n_obs, q, m).

        Parameters
        ----------
        gradients : (n_obs, m) float64
            Derivatives of what each observation adds, by `terms`.
        """
        starts = self.starts()
        mean = np.add.reduceat(gradients, starts, axis=0)[self.sample]
        with np.errstate(all="ignore"):
            scale = np.where(share > 0.0, 1.0 / (share * self.weight), 0.0)
        own = gradients * scale[:, None]
        away = own - mean / self.weight[:, None]
        factor = -0.5 * share * self.weight
        found: Floats = factor[:, None, None] * away[:, :, None] * away[:, None, :]
        return found

    def tiled(self, copies: int) -> Share:
        """Return the shares of data repeated."""
        n = int(self.sample[-1]) + 1 if self.sample.size else 0
        sample = (np.arange(copies)[:, None] * n + self.sample[None, :]).ravel()
        return Share(np.tile(self.weight, copies), sample, np.tile(self.chance, copies))
