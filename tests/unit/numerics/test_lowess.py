"""Locally weighted lines."""

from __future__ import annotations

import numpy as np
import pytest

from statera.numerics.lowess import lowess


def test_a_line_stays_a_line() -> None:
    x = np.linspace(0.0, 10.0, 40) ** 1.3
    np.testing.assert_allclose(lowess(x, 2.0 - 3.0 * x, x), 2.0 - 3.0 * x, atol=1e-9)


def test_one_place_by_weighted_least_squares() -> None:
    rng = np.random.default_rng(3)
    x, y = np.sort(rng.uniform(0, 10, 30)), rng.standard_normal(30)
    at, nearest = 4.2, 15
    reach = np.sort(np.abs(x - at))[nearest - 1]
    w = np.clip(1 - (np.abs(x - at) / reach) ** 3, 0, None) ** 3
    slope, level = np.polyfit(x - at, y, 1, w=np.sqrt(w))
    found = lowess(x, y, np.array([at]), share=0.5, robust=0)[0]
    assert found == pytest.approx(level, rel=1e-6)
    assert slope != 0


def test_an_outlier_is_weighted_down() -> None:
    x = np.linspace(0.0, 10.0, 41)
    y = 0.5 * x + 0.01 * np.cos(9 * x)
    y[20] = 100.0
    plain = lowess(x, y, x, robust=0)
    robust = lowess(x, y, x, robust=3)
    assert np.abs(plain - 0.5 * x).max() > 1.0
    assert np.abs(robust - 0.5 * x).max() < 0.05


def test_ties_gaps_and_too_few_points() -> None:
    x = np.array([1.0, 1.0, 1.0, 1.0, 2.0])
    y = np.array([0.0, 1.0, 2.0, 3.0, np.nan])
    assert lowess(x, y, np.array([1.0]))[0] == pytest.approx(1.5)
    assert np.isnan(lowess(x[:2], y[:2], x)).all()
