"""Stability of selection: known cases, another index, and its standard error by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from statera.biomarker.selection_stability import (
    kuncheva_index,
    nogueira_stability,
    selection_stability,
)


def test_kuncheva_by_hand() -> None:
    # sets of 2 of 5 that share one: (1 * 5 - 4) / (2 * 3)
    chosen = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0]], dtype=bool)
    assert kuncheva_index(chosen) == pytest.approx(1 / 6)
    assert np.isnan(kuncheva_index(np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)))


def test_both_indices_agree_on_selections_of_equal_size() -> None:
    random = np.random.default_rng(1)
    chosen = np.zeros((12, 30), dtype=bool)
    for row in chosen:
        row[:3] = True
        row[3 + random.permutation(27)[:4]] = True
    assert nogueira_stability(chosen)[0] == pytest.approx(kuncheva_index(chosen), abs=1e-12)


def test_extremes() -> None:
    same = np.tile(np.arange(20) < 4, (8, 1))
    assert nogueira_stability(same)[:2] == pytest.approx((1.0, 0.0))
    random = np.random.default_rng(2)
    chance = random.random((400, 50)) < 0.2
    index, error, status = nogueira_stability(chance)
    assert abs(index) < 4 * error
    assert status == "ok"
    assert "no marker is ever selected" in nogueira_stability(np.zeros((5, 4), dtype=bool))[2]
    assert "two resamples" in nogueira_stability(np.ones((1, 4), dtype=bool))[2]
    assert "always" in nogueira_stability(np.ones((3, 4), dtype=bool))[2]


def test_standard_error_is_the_spread_of_the_index() -> None:
    random = np.random.default_rng(3)
    chance = np.concatenate([np.full(5, 0.8), np.full(35, 0.1)])
    found = np.array([nogueira_stability(random.random((60, 40)) < chance)[:2] for _ in range(800)])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.1)


def test_frequencies_and_signs() -> None:
    weights = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, 1.0], [0.5, 0.0, -3.0], [0.0, 0.0, 0.0]])
    found = selection_stability(weights)
    assert found.frequency == pytest.approx([0.75, 0.0, 0.75])
    assert found.same_sign[0] == 1.0
    assert found.same_sign[2] == pytest.approx(2 / 3)
    assert np.isnan(found.same_sign[1])
    assert found.sizes.tolist() == [2, 2, 2, 0]
