"""Statistics of populations, held against numbers worked out by hand and by theory."""

from __future__ import annotations

import math

import numpy as np
import pytest

from statera.cytometry.statistics import (
    arcsinh_ratio,
    fold_change,
    geometric_mean,
    overton_positive,
    percent_positive,
    population_statistics,
    positive_threshold,
)
from statera.errors import InputError


def test_counts_and_shares() -> None:
    values = np.array([1.0, 10.0, 100.0, -5.0, 1000.0, 2.0])
    mask = np.array([1, 1, 1, 1, 0, 0], dtype=bool)
    parent = np.array([1, 1, 1, 1, 1, 0], dtype=bool)
    kept = np.array([1, 1, 1, 1, 1, 1], dtype=bool)
    found = population_statistics(values, mask, parent, kept)
    assert found.count == 4
    assert found.of_parent == pytest.approx(4 / 5)
    assert found.of_total == pytest.approx(4 / 6)
    assert found.median == pytest.approx(5.5)
    assert found.geometric_mean == pytest.approx(10.0)
    assert found.left_out == 1
    assert any("1 of 4 events at or below zero" in s for s in found.problems)
    assert any("only 4 events" in s for s in found.problems)


def test_events_that_quality_control_left_out_count_nowhere() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    kept = np.array([True, True, False, False])
    found = population_statistics(values, np.ones(4, dtype=bool), kept=kept)
    assert (found.count, found.of_total, found.median) == (2, 1.0, 1.5)


def test_no_events_and_no_numbers_are_said() -> None:
    empty = population_statistics(np.array([1.0, 2.0]), np.zeros(2, dtype=bool))
    assert empty.count == 0
    assert math.isnan(empty.median)
    assert empty.of_total == 0.0
    assert "holds no events" in empty.problems[0]
    some = population_statistics(np.array([np.nan, 3.0]), np.ones(2, dtype=bool))
    assert (some.count, some.not_numbers, some.median) == (2, 1, 3.0)
    assert math.isnan(population_statistics(np.zeros(0), np.zeros(0, dtype=bool)).of_total)


def test_masks_of_another_file_are_refused() -> None:
    with pytest.raises(InputError, match="mask is for 3 events"):
        population_statistics(np.zeros(2), np.zeros(3, dtype=bool))


def test_standard_error_of_the_median_is_that_of_theory() -> None:
    rng = np.random.default_rng(3)
    found = [
        population_statistics(rng.normal(size=900), np.ones(900, dtype=bool)).standard_error
        for _ in range(200)
    ]
    assert np.mean(found) == pytest.approx(math.sqrt(math.pi / 2 / 900), rel=0.05)


def test_geometric_mean_without_positive_values_is_no_number() -> None:
    mean, left_out = geometric_mean(np.array([-1.0, 0.0]))
    assert math.isnan(mean)
    assert left_out == 2


def test_ratios() -> None:
    assert arcsinh_ratio(300.0, 150.0, 150.0) == pytest.approx(math.asinh(2) - math.asinh(1))
    assert fold_change([4.0, 4.0], [2.0, -1.0])[0] == 2.0
    assert np.isnan(fold_change([4.0, 4.0], [2.0, -1.0])[1])
    with pytest.raises(InputError, match="cofactor"):
        arcsinh_ratio(1.0, 1.0, 0.0)


def test_percent_positive_against_a_control() -> None:
    control = np.arange(1000.0)
    threshold = positive_threshold(control)
    assert threshold == pytest.approx(989.01)
    assert percent_positive(control, threshold) == pytest.approx(1.0)
    assert math.isnan(percent_positive(np.zeros(0), 1.0))
    with pytest.raises(InputError, match="holds 100 events"):
        positive_threshold(np.arange(100.0))


def test_overton_counts_the_shifted_cells() -> None:
    rng = np.random.default_rng(11)
    n = 4000
    control = rng.normal(size=n)
    # three tenths shifted by 2: the distributions are 0.3 (2 Phi(1) - 1) apart at most
    mixed = np.concatenate([rng.normal(size=2800), rng.normal(2.0, 1.0, size=1200)])
    expected = 30.0 * math.erf(1.0 / math.sqrt(2.0))
    assert overton_positive(mixed, control) == pytest.approx(expected, abs=2.5)
    equal = [overton_positive(rng.normal(size=400), rng.normal(size=400)) for _ in range(200)]
    assert np.mean(equal) == pytest.approx(89 / math.sqrt(400), rel=0.15)
    assert overton_positive([0.0, 1.0], [5.0, 6.0]) == 0.0
