"""Simulated subjects with a known effect, and the outcomes made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Simulated:
    """Exposure with a quarter on placebo, one covariate, and responses by an Emax effect."""

    exposure: Floats
    age: Floats
    effect: Floats
    response: NDArray[np.bool_]
    grade: NDArray[np.int64]
    time: Floats
    event: NDArray[np.bool_]

    @property
    def right(self) -> Floats:
        return np.where(self.event, self.time, np.inf)


def simulated(n: int = 400, seed: int = 1) -> Simulated:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(n) < 0.25, 0.0, rng.lognormal(1.0, 0.8, n))
    age = rng.normal(size=n)
    eta = -1.5 + 0.3 * age + 3.0 * x / (2.0 + x)
    response = rng.random(n) < 1.0 / (1.0 + np.exp(-eta))
    cuts = np.array([[0.0], [1.0], [2.0]])
    grade = (rng.logistic(size=n) + eta > cuts).sum(axis=0)
    waiting = rng.exponential(np.exp(-eta))
    leaving = rng.uniform(0.5, 5.0, n)
    return Simulated(x, age, eta, response, grade, np.minimum(waiting, leaving), waiting <= leaving)
