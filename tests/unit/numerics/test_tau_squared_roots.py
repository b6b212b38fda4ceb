"""Searches for tau2: likelihoods with two maxima, and extreme scales."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.numerics.tau_squared_roots import highest_likelihood, q_equal
from statera.numerics.weighted_fit import weighted_fit

Floats = NDArray[np.float64]

# Found by a search over random sets: the restricted likelihood of each has two maxima above 0.
TWO_MAXIMA = (
    ([0.14, -3.09, 0.27], [0.008, 1.865, 0.004], 0.00325),
    ([-1.41, 1.08, 0.73, 0.84, 2.18, -1.97], [9.865, 0.003, 3.021, 0.01, 0.344, 1.455], 0.689),
    ([-5.22, 0.42, -0.27], [4.966, 0.227, 0.007], 0.114),
)


def restricted(y: Floats, v: Floats, grid: Floats) -> Floats:
    w = 1.0 / (v + grid[:, None])
    total = w.sum(axis=1)
    r = y - ((w @ y) / total)[:, None]
    return np.asarray(0.5 * (np.log(w).sum(axis=1) - (w * r * r).sum(axis=1) - np.log(total)))


@pytest.mark.parametrize(("y", "v", "about"), TWO_MAXIMA)
def test_of_two_maxima_the_higher_is_taken(y: list[float], v: list[float], about: float) -> None:
    a, b = np.array(y), np.array(v)
    grid = np.geomspace(1e-5, 1e3, 4000)
    heights = restricted(a, b, grid)
    inner = heights[1:-1]
    assert int(((inner > heights[:-2]) & (inner >= heights[2:])).sum()) == 2
    found = highest_likelihood(a, b, np.ones((a.size, 1)), True)
    assert found == pytest.approx(about, rel=0.01)
    assert restricted(a, b, np.array([found]))[0] >= heights.max() - 1e-12


def test_extreme_scales_and_a_design() -> None:
    generator = np.random.default_rng(1)
    x = np.column_stack([np.ones(12), 1950.0 + np.arange(12.0)])
    for scale in (1e-12, 1.0, 1e12):
        v = generator.uniform(0.1, 1.0, 12) * scale
        y = generator.standard_normal(12) * np.sqrt(v + scale) + 100.0 * np.sqrt(scale)
        for design in (np.ones((12, 1)), x):
            df = 12.0 - design.shape[1]
            root = q_equal(y, v, design, 0.3 * df)
            assert weighted_fit(y, v, design, root).q == pytest.approx(0.3 * df, rel=1e-8)
            best = highest_likelihood(y, v, design, True)
            unit = highest_likelihood(y / np.sqrt(scale) - 100.0, v / scale, design, True)
            assert best / scale == pytest.approx(unit, rel=1e-6)


def test_the_least_value_is_kept() -> None:
    y, v, x = np.array([0.0, 0.1, 0.2]), np.ones(3), np.ones((3, 1))
    assert q_equal(y, v, x, 2.0) == 0.0
    assert q_equal(y, v, x, 2.0, least=0.5) == 0.5
    assert q_equal(y, v, x, 0.0) == float("inf")
