"""Draws from densities that are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from statera.errors import InputError, NumericalError
from statera.pathway.posterior import PosteriorOptions, sample_posterior
from statera.pathway.target import Evaluation

COVARIANCE = np.array([[1.0, 0.72], [0.72, 0.81]])
PRECISION = np.linalg.inv(COVARIANCE)
OPTIONS = PosteriorOptions(draws=1500, thin=5, seed=4)


@dataclass(frozen=True)
class Normal:
    """A normal density about (1, -1), and nothing where the first parameter is above `none`."""

    none: float = np.inf
    names: tuple[str, ...] = ("a", "b")
    lower: Any = field(default_factory=lambda: np.array([-9.0, -9.0]))
    upper: Any = field(default_factory=lambda: np.array([9.0, 9.0]))

    def evaluate(self, theta: Any, order: int) -> Evaluation:
        if theta[0] > self.none:
            return Evaluation(np.inf)
        r = theta - np.array([1.0, -1.0])
        return Evaluation(0.5 * float(r @ PRECISION @ r), PRECISION @ r, PRECISION)


def test_a_normal_density() -> None:
    found = sample_posterior(Normal(), [1.0, -1.0], OPTIONS)
    assert found.converged, found.warnings
    # 400 effective draws at least: errors of means below 0.05 SD, with a margin of 3
    np.testing.assert_allclose(found.flat.mean(axis=0), [1.0, -1.0], atol=0.15)
    np.testing.assert_allclose(np.cov(found.flat.T), COVARIANCE, atol=0.2)
    assert 0.15 < found.acceptance < 0.6
    assert found.summary["a"]["q97.5"] == pytest.approx(1.0 + 1.96, abs=0.3)


def test_bounds_cut_the_density() -> None:
    target = Normal(lower=np.array([1.0, -9.0]))
    found = sample_posterior(target, [1.0, -1.0], OPTIONS)
    assert found.draws[..., 0].min() >= 1.0
    assert found.summary["a"]["mean"] == pytest.approx(1.0 + np.sqrt(2 / np.pi), abs=0.12)


def test_the_seed_decides_and_threads_do_not() -> None:
    short = PosteriorOptions(draws=20, thin=1, burn=10)
    one = sample_posterior(Normal(), [1.0, -1.0], short)
    two = sample_posterior(Normal(), [1.0, -1.0], PosteriorOptions(**{**vars(short), "workers": 2}))
    np.testing.assert_array_equal(one.draws, two.draws)
    assert not one.converged


def test_starts_without_a_density() -> None:
    with pytest.raises(NumericalError, match="finite objective"):
        sample_posterior(Normal(none=-50.0), [1.0, -1.0], OPTIONS)
    with pytest.raises(NumericalError, match="before a draw"):
        sample_posterior(Normal(), [1.0, -1.0], OPTIONS, progress=lambda done, total: False)
    with pytest.raises(InputError, match="three chains"):
        PosteriorOptions(chains=2)
