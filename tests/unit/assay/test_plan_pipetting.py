"""Volumes that can be set, and mixtures of them."""

from __future__ import annotations

import math

import pytest

from statera.assay.plan_options import PipettingOptions
from statera.assay.plan_pipetting import Pipette, find_mix, least_volume, nearest_volume, split_fold
from statera.errors import InputError

PIPETTES = PipettingOptions().pipettes


def test_volumes_are_multiples_of_the_pipette_that_covers_them() -> None:
    assert nearest_volume(3.14, PIPETTES) == pytest.approx(3.1)
    assert nearest_volume(33.4, PIPETTES) == 33.0
    assert nearest_volume(331.0, PIPETTES) == 330.0
    assert nearest_volume(0.5, PIPETTES) == 2.0
    assert least_volume(PIPETTES) == 2.0


def test_more_than_the_largest_pipette_is_equal_strokes() -> None:
    assert nearest_volume(1500.0, PIPETTES) == 1500.0
    assert nearest_volume(2402.0, PIPETTES) == pytest.approx(2400.0)


def test_a_hundredfold_dilution_is_exact_and_round() -> None:
    mix = find_mix(100.0, 300.0, PIPETTES, capacity_ul=1500.0)
    assert mix is not None
    assert (mix.transfer_ul, mix.diluent_ul) == (5.0, 495.0)
    assert mix.fold == pytest.approx(100.0)


def test_half_log_by_hand() -> None:
    mix = find_mix(math.sqrt(10.0), 20.0, PIPETTES, capacity_ul=1500.0, least_transfer_ul=10.0)
    assert mix is not None
    assert (mix.transfer_ul, mix.diluent_ul) == (12.0, 26.0)


def test_what_does_not_fit_into_the_tube_is_no_mixture() -> None:
    assert find_mix(1000.0, 100.0, PIPETTES, capacity_ul=1500.0) is None


def test_a_dilution_near_one_takes_enough_that_the_diluent_can_be_pipetted() -> None:
    mix = find_mix(1.05, 10.0, PIPETTES, capacity_ul=1500.0)
    assert mix is not None
    assert mix.diluent_ul >= 2.0
    assert mix.fold == pytest.approx(1.05, rel=2e-3)


@pytest.mark.parametrize("fold", [3.0, 100.0, 101.0, 500.0, 7777.0, 1e6])
def test_split_folds_multiply_to_the_whole(fold: float) -> None:
    parts = split_fold(fold, 100.0)
    assert math.prod(parts) == pytest.approx(fold)
    assert max(parts) <= 100.0 * (1 + 1e-9)


def test_round_folds_are_preferred() -> None:
    assert split_fold(500.0, 100.0) == (20.0, 25.0)


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0.0, 10.0, 1.0), (10.0, 5.0, 1.0), (1.0, 10.0, 0.0), (3, 4, 10)]
)
def test_impossible_pipettes_are_refused(low: float, high: float, step: float) -> None:
    with pytest.raises(InputError, match="pipette"):
        Pipette(low, high, step)
