"""Moves of Markov chains over random effects: every chain of every subject moves in one call.

Each move keeps the conditional distribution of the random effects given the data (Metropolis-
Hastings). Independent draws at the modes are those of Karimi, Lavielle and Moulines 2020
(doi 10.1016/j.csda.2019.106824); the others are classical.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.estimate.chains import Draw, Likelihood
from statera.estimate.effects import Effects
from statera.estimate.proposal import Proposal

__all__ = ["AT_MODES", "BLOCK", "COMPONENT", "KERNELS", "PRIOR", "Kernels"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PRIOR, AT_MODES, COMPONENT, BLOCK = "prior", "at modes", "component walk", "block walk"
KERNELS = (PRIOR, AT_MODES, COMPONENT, BLOCK)

_DEGREES = 5.0
_WANTED = {COMPONENT: 0.4, BLOCK: 0.3}


@dataclass
class _Count:
    """Accepted and proposed moves of a kernel."""

    accepted: float = 0.0
    proposed: int = 0


@dataclass
class Kernels:
    """Moves with their step sizes, which adapt while `learning` is above 0.

    Parameters
    ----------
    likelihood
        Of the tiled subjects.
    copies
        Chains of each subject.
    source
        Random stream.
    centre : (n_subjects, n_live) float64
        Modes, as random effects.
    covariance : (n_subjects, n_live, n_live) float64
        Conditional covariances.
    """

    likelihood: Likelihood
    copies: int
    source: np.random.Generator
    centre: Floats
    covariance: Floats
    learning: float = 1.0
    counts: dict[str, _Count] = field(default_factory=lambda: {k: _Count() for k in KERNELS})

    def __post_init__(self) -> None:
        n, q = self.centre.shape
        self.rows = self.likelihood.of.prepared.row_subject
        self.walk = np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2)) * 2.0
        self.block = np.full(n, 2.4 / np.sqrt(max(q, 1)))
        self.set_covariance(self.covariance)

    def set_covariance(self, covariance: Floats) -> None:
        """Replace the conditional covariances."""
        self.shape = Proposal(self.centre, covariance, _DEGREES, np.zeros(covariance.shape[0]))

    def rates(self) -> dict[str, float]:
        """Return the share of moves accepted since the counts began; NaN where none was tried."""
        return {
            k: c.accepted / c.proposed if c.proposed else float("nan")
            for k, c in self.counts.items()
        }

    def reset_counts(self) -> None:
        """Begin to count anew."""
        self.counts = {k: _Count() for k in KERNELS}

    def _decide(
        self, kernel: str, theta: Floats, draw: Draw, etas: Floats, effects: Effects, gain: Floats
    ) -> Floats:
        """Move to `etas` where accepted; return accepted moves as 0 and 1, (copies, n).

        Parameters
        ----------
        gain : (copies * n,) float64
            Log of the ratio of the densities other than that of the data.
        """
        trial = self.likelihood.at(theta, etas)
        with np.errstate(invalid="ignore"):
            ratio = gain - 0.5 * (trial.value - draw.value)
            taken = np.log(self.source.random(ratio.size)) < ratio
        draw.take(trial, taken, taken[self.rows])
        count = self.counts[kernel]
        count.accepted += float(taken.sum())
        count.proposed += taken.size
        return taken.reshape(self.copies, -1).astype(np.float64)

    def prior(self, theta: Floats, draw: Draw, effects: Effects) -> None:
        """Propose draws from N(0, Omega)."""
        etas = effects.draw(self.source, draw.value.size)
        self._decide(PRIOR, theta, draw, etas, effects, np.zeros(draw.value.size))

    def at_modes(self, theta: Floats, draw: Draw, effects: Effects) -> None:
        """Propose independent draws from a t at each subject's mode."""
        n = self.centre.shape[0]
        inside, density = self.shape.draw(effects, self.source, self.copies)
        inside = inside + (self.centre - self.shape.centre)
        etas = effects.full(inside.reshape(draw.value.size, -1))
        now = draw.etas[:, effects.live].reshape(self.copies, n, -1)
        square = self.shape.distance(now - (self.centre - self.shape.centre))
        gain = (self.shape.log_t(square, self.shape.log_det, now.shape[-1]) - density).ravel()
        gain = gain - 0.5 * (effects.square(etas) - effects.square(draw.etas))
        self._decide(AT_MODES, theta, draw, etas, effects, gain)

    def components(self, theta: Floats, draw: Draw, effects: Effects) -> None:
        """Move one random effect after the other by a random walk."""
        for k, column in enumerate(effects.live):
            etas = draw.etas.copy()
            size = np.tile(self.walk[:, k], self.copies)
            etas[:, column] += size * self.source.standard_normal(size.size)
            gain = -0.5 * (effects.square(etas) - effects.square(draw.etas))
            taken = self._decide(COMPONENT, theta, draw, etas, effects, gain)
            self.walk[:, k] *= np.exp(self.learning * (taken.mean(axis=0) - _WANTED[COMPONENT]))

    def blocks(self, theta: Floats, draw: Draw, effects: Effects) -> None:
        """Move all random effects at once, along the conditional covariance."""
        n, q = self.centre.shape
        normal = self.source.standard_normal((self.copies, n, q))
        moved = np.einsum("ikl,cil->cik", self.shape.roots, normal) * self.block[:, None]
        etas = draw.etas + effects.full(moved.reshape(draw.value.size, q))
        gain = -0.5 * (effects.square(etas) - effects.square(draw.etas))
        taken = self._decide(BLOCK, theta, draw, etas, effects, gain)
        self.block *= np.exp(self.learning * (taken.mean(axis=0) - _WANTED[BLOCK]))
