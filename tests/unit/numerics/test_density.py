"""Smoothed densities, their bandwidth and valleys."""

from __future__ import annotations

import numpy as np
import pytest

from statera.numerics.density import Histogram, density, find_valleys, plug_in_bandwidth


def test_bandwidth_of_a_normal_distribution_is_the_best_one() -> None:
    # the bandwidth of least error for a normal density is sd (4 / 3 n)^(1/5)
    rng = np.random.default_rng(1)
    for n in (500, 5000):
        found = [plug_in_bandwidth(Histogram.of(rng.normal(size=n), -5.0, 5.0)) for _ in range(20)]
        assert np.mean(found) == pytest.approx((4.0 / (3.0 * n)) ** 0.2, rel=0.15)


def test_bandwidth_follows_the_peaks_and_not_their_distance() -> None:
    rng = np.random.default_rng(2)
    near = np.concatenate([rng.normal(0, 0.2, 2000), rng.normal(2, 0.2, 2000)])
    far = np.concatenate([rng.normal(0, 0.2, 2000), rng.normal(6, 0.2, 2000)])
    widths = [plug_in_bandwidth(Histogram.of(x, -2.0, 8.0, 2048)) for x in (near, far)]
    assert widths[0] == pytest.approx(widths[1], rel=0.15)


def test_density_integrates_to_one() -> None:
    rng = np.random.default_rng(3)
    histogram = Histogram.of(rng.exponential(size=3000), 0.0, 12.0)
    assert density(histogram, 0.2).sum() * histogram.step == pytest.approx(1.0, abs=1e-9)
    assert (density(Histogram(0.0, 1.0, np.zeros(8)), 1.0) == 0.0).all()


def test_valley_between_two_peaks() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.normal(0, 0.5, 7000), rng.normal(3, 0.5, 3000)])
    histogram = Histogram.of(x, -3.0, 6.0)
    (valley,) = find_valleys(histogram, plug_in_bandwidth(histogram))
    assert valley.position == pytest.approx(1.55, abs=0.15)
    assert valley.depth > 0.95
    assert valley.left_peak == pytest.approx(0.0, abs=0.15)
    assert valley.right_share == pytest.approx(0.3, abs=0.005)


def test_a_rare_peak_is_found_and_outliers_are_none() -> None:
    rng = np.random.default_rng(5)
    rare = np.concatenate([rng.normal(0, 0.5, 9800), rng.normal(4, 0.4, 200)])
    histogram = Histogram.of(rare, -3.0, 9.0)
    (valley,) = find_valleys(histogram, plug_in_bandwidth(histogram))
    assert 1.5 < valley.position < 3.0
    outliers = np.concatenate([rng.normal(0, 0.5, 9990), rng.uniform(6, 9, 10)])
    histogram = Histogram.of(outliers, -3.0, 9.0)
    assert find_valleys(histogram, plug_in_bandwidth(histogram)) == []


def test_one_peak_has_no_valley() -> None:
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(40):
        for x in (rng.gamma(3.0, 1.0, 3000), rng.standard_t(4, 3000), rng.normal(size=3000)):
            histogram = Histogram.of(x, -8.0, 16.0)
            found += len(find_valleys(histogram, plug_in_bandwidth(histogram)))
    assert found == 0
