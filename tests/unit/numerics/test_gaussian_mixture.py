"""Gaussian mixtures: recovered parameters, likelihood by hand, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from statera.errors import InputError
from statera.numerics.gaussian_mixture import fit_gaussian_mixture


def test_two_components_in_one_dimension() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(3, 0.5, 1000), rng.normal(0, 1.0, 3000)])
    found = fit_gaussian_mixture(x, 2)
    assert found.converged
    assert found.weights == pytest.approx([0.75, 0.25], abs=0.02)
    assert found.means[:, 0] == pytest.approx([0.0, 3.0], abs=0.06)
    assert found.covariances[:, 0, 0] == pytest.approx([1.0, 0.25], rel=0.1)
    by_hand = sum(
        w * norm.pdf(x, m, np.sqrt(c))
        for w, m, c in zip(
            found.weights, found.means[:, 0], found.covariances[:, 0, 0], strict=True
        )
    )
    assert found.log_likelihood == pytest.approx(np.log(by_hand).sum(), rel=1e-6)
    assert found.bic == pytest.approx(5 * np.log(4000) - 2 * found.log_likelihood)
    assert found.bic < fit_gaussian_mixture(x, 1).bic
    assert found.separation(0, 1) == pytest.approx(3.0 / np.sqrt(0.625), rel=0.05)


def test_two_dimensions_and_probabilities() -> None:
    rng = np.random.default_rng(2)
    first = [[1.0, 0.5], [0.5, 1.0]]
    x = np.concatenate(
        [rng.multivariate_normal([0, 0], first, 3000), rng.normal(4.0, 0.7, (1000, 2))]
    )
    found = fit_gaussian_mixture(x, 2)
    assert found.weights == pytest.approx([0.75, 0.25], abs=0.02)
    assert found.means == pytest.approx(np.array([[0, 0], [4, 4]]), abs=0.1)
    assert found.covariances[0] == pytest.approx(np.array(first), abs=0.1)
    at = np.array([[2.0, 2.0]])
    parts = [
        w * multivariate_normal(m, c).pdf(at)
        for w, m, c in zip(found.weights, found.means, found.covariances, strict=True)
    ]
    assert found.probabilities(at)[0, 1] == pytest.approx(parts[1] / sum(parts), rel=1e-9)


def test_a_single_distribution_is_better_described_by_one_component() -> None:
    x = np.random.default_rng(3).normal(size=3000)
    assert fit_gaussian_mixture(x, 1).bic < fit_gaussian_mixture(x, 2).bic


def test_refusals_and_repeated_values() -> None:
    with pytest.raises(InputError, match="too few"):
        fit_gaussian_mixture(np.zeros(12), 2)
    with pytest.raises(InputError, match="not finite"):
        fit_gaussian_mixture(np.array([np.nan] * 30), 1)
    twice = fit_gaussian_mixture(np.repeat([0.0, 1.0], 50), 2)
    assert twice.means[:, 0] == pytest.approx([0.0, 1.0], abs=1e-3)
