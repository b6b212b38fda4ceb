"""Adjusted p-values by hand, and permutation of labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.biomarker.multiple_testing import adjust, permutation_max_t, stream_max_t
from statera.errors import InputError, UnknownNameError

P = [0.01, 0.04, np.nan, 0.03, 0.5]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("bonferroni", [0.04, 0.16, np.nan, 0.12, 1.0]),
        ("holm", [0.04, 0.09, np.nan, 0.09, 0.5]),
        ("benjamini-hochberg", [0.04, 0.16 / 3, np.nan, 0.16 / 3, 0.5]),
        ("benjamini-yekutieli", [1 / 12, 1 / 9, np.nan, 1 / 9, 1.0]),
    ],
)
def test_adjustments_by_hand(method: str, expected: list[float]) -> None:
    assert adjust(P, method) == pytest.approx(expected, nan_ok=True)


def test_wrong_values() -> None:
    with pytest.raises(UnknownNameError):
        adjust(P, "fdr")
    with pytest.raises(InputError, match="outside"):
        adjust([1.2])
    assert adjust([np.nan]).size == 1
    with pytest.raises(InputError, match="at least one"):
        permutation_max_t(lambda order: np.ones(2), 4, 0)


def difference(values: NDArray[np.float64], labels: NDArray[np.float64]):  # type: ignore[no-untyped-def]
    def statistics(order: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray(values @ labels[order])

    return statistics


def test_single_protein_approaches_the_exact_permutation_test() -> None:
    values = np.random.default_rng(0).normal(size=(1, 8)) + np.repeat([0.0, 1.0], 4)
    labels = np.repeat([-0.25, 0.25], 4)
    observed = abs(values[0] @ labels)
    sums = [
        abs(values[0, list(c)].sum() / 4 - np.delete(values[0], c).sum() / 4)
        for c in itertools.combinations(range(8), 4)
    ]
    exact = np.mean(np.array(sums) >= observed - 1e-12)
    found = permutation_max_t(difference(values, labels), 8, 4000, seed=1)
    assert found.p_value[0] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4000))
    assert found.adjusted[0] == found.p_value[0]


def test_the_family_wise_error_rate_is_held() -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat([-1.0, 1.0], 10)
    wrong = 0
    for trial in range(200):
        values = rng.normal(size=(30, 20))
        found = permutation_max_t(difference(values, labels), 20, 99, seed=trial, every=99)
        wrong += bool((found.adjusted <= 0.05).any())
        assert (found.adjusted >= found.p_value - 1e-15).all()
    assert wrong / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert wrong > 0


def test_progress_and_cancel() -> None:
    values = np.random.default_rng(1).normal(size=(3, 10))
    values[2] = np.nan
    labels = np.repeat([-1.0, 1.0], 5)
    told: list[tuple[int, int]] = []
    found = permutation_max_t(
        difference(values, labels),
        10,
        1000,
        progress=lambda done, asked: told.append((done, asked)),
        cancelled=lambda: len(told) == 3,
    )
    assert told == [(100, 1000), (200, 1000), (300, 1000)]
    assert found.permutations == 300
    assert not found.complete
    assert np.isnan(found.adjusted[2])
    assert np.isfinite(found.adjusted[:2]).all()
    *_, last = stream_max_t(difference(values, labels), 10, 250)
    assert last.complete


def test_samples_of_a_subject_move_together_within_strata() -> None:
    units = np.repeat(np.arange(6), 2)
    strata = np.repeat([0, 1], 6)
    seen: list[NDArray[np.intp]] = []

    def statistics(order: NDArray[np.intp]) -> NDArray[np.float64]:
        seen.append(order)
        return np.ones(1)

    permutation_max_t(statistics, 12, 50, units=units, strata=strata)
    for order in seen:
        assert (order[1::2] == order[::2] + 1).all()
        assert (strata[order] == strata).all()
    assert len({tuple(order) for order in seen}) > 10
