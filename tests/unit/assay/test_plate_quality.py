"""Quality of controls by hand, and what is not computed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from statera.assay.plate_quality import (
    minimum_significant_ratio,
    minimum_significant_ratio_of_pairs,
    plate_quality,
    signal_to_background,
    signal_window,
    z_prime,
)
from statera.errors import InputError

LOW, HIGH = [9.0, 10.0, 11.0], [98.0, 100.0, 102.0]  # SDs 1 and 2


def test_measures_by_hand() -> None:
    assert z_prime(LOW, HIGH) == pytest.approx(1 - 9 / 90)
    assert signal_window(LOW, HIGH) == pytest.approx((90 - 9) / 2)
    assert signal_to_background(LOW, HIGH) == pytest.approx(10)
    found = plate_quality(LOW, HIGH)
    assert found.upward
    assert found.z_prime == pytest.approx(0.9)
    assert "Z' 0.90" in found.sentence


def test_direction_is_asked_first() -> None:
    # spreads far smaller than the fall: the printed definition calls this an excellent plate
    assert z_prime(HIGH, LOW, direction="either") == pytest.approx(0.9)
    assert math.isnan(z_prime(HIGH, LOW))
    assert math.isnan(signal_window(HIGH, LOW))
    found = plate_quality(HIGH, LOW)
    assert not found.upward
    assert "does not raise" in found.sentence


def test_one_well_has_no_spread() -> None:
    assert math.isnan(z_prime([10.0], HIGH))
    assert math.isnan(z_prime([10.0, np.nan], HIGH))
    assert "one well" in plate_quality([10.0], HIGH).sentence
    assert "no unstimulated control" in plate_quality([], HIGH).sentence
    assert math.isnan(signal_to_background([-1.0, 1.0], HIGH))
    assert signal_window(LOW, [100.0, 100.0]) == math.inf


def test_minimum_significant_ratio_by_hand() -> None:
    # log10: 1, 2, 3; SD 1
    assert minimum_significant_ratio([10.0, 100.0, 1000.0]) == pytest.approx(10 ** (2 * 2**0.5))
    # differences of log10: -1, 0, 1
    pairs = minimum_significant_ratio_of_pairs([1.0, 10.0, 100.0], [10.0, 10.0, 10.0])
    assert pairs == pytest.approx(100.0)


def test_runs_and_pairs_agree_where_both_know_the_spread() -> None:
    generator = np.random.default_rng(5)
    first, second = 10 ** generator.normal(1.0, 0.1, (2, 20_000))
    expected = 10 ** (2 * 2**0.5 * 0.1)
    assert minimum_significant_ratio(first) == pytest.approx(expected, rel=0.02)
    assert minimum_significant_ratio_of_pairs(first, second) == pytest.approx(expected, rel=0.02)


def test_impossible_runs_are_named() -> None:
    with pytest.raises(InputError, match="1 given"):
        minimum_significant_ratio([10.0])
    with pytest.raises(InputError, match="not all are above 0"):
        minimum_significant_ratio([10.0, np.nan])
    with pytest.raises(InputError, match="2 IC50s, the second 3"):
        minimum_significant_ratio_of_pairs([1.0, 2.0], [1.0, 2.0, 3.0])
