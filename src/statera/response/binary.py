"""A response that is there or not: logistic likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from statera.response.outcomes import Indices, Rows

__all__ = ["Binary"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Binary:
    """Responses of n rows; the linear predictor is the logarithm of the odds.

    Attributes
    ----------
    response : (n,) bool
    people : (n,) int64
        Number of the subject of each row.
    """

    response: NDArray[np.bool_]
    people: Indices
    intercept = True
    baseline: tuple[str, ...] = ()

    @classmethod
    def of(cls, response: NDArray[np.bool_]) -> Binary:
        """Return responses of subjects with one row each."""
        return cls(np.asarray(response, dtype=bool), np.arange(len(response)))

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.response.size

    @property
    def events(self) -> int:
        """Number of the rarer answer."""
        return int(min(self.response.sum(), (~self.response).sum()))

    def start(self) -> Floats:
        """Return the logarithm of the odds of all rows together."""
        return np.array([logit((self.response.sum() + 0.5) / (self.n + 1.0))])

    def rows(self, eta: Floats, baseline: Floats) -> Rows:
        """Return the log-likelihood of each row by its linear predictor."""
        chance = expit(eta)
        value = self.response * eta - np.logaddexp(0.0, eta)
        slope = (self.response - chance)[:, None]
        return Rows(value, slope, -(chance * expit(-eta))[:, None, None])

    def take(self, index: Indices) -> Binary:
        """Return some rows."""
        return Binary(self.response[index], self.people[index])

    def recession(self, design: Floats) -> tuple[Floats, Floats]:
        """Return the rows turned to the side of their response."""
        side = np.where(self.response, 1.0, -1.0)
        return side[:, None] * design, np.zeros((0, design.shape[1]))
