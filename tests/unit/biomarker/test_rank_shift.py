"""Shifts of rank tests: limits are where the exact test turns, and counts by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from statera.biomarker.change_tests import kruskal_wallis, mann_whitney, signed_rank
from statera.biomarker.rank_shift import (
    _below_rank_sum,
    _below_signed_ranks,
    shift_of_groups,
    shift_of_pairs,
)
from statera.errors import InputError


@pytest.mark.parametrize(("n1", "n2"), [(3, 4), (5, 2), (4, 4)])
def test_distribution_of_the_rank_sum_by_enumeration(n1: int, n2: int) -> None:
    sums = [
        sum(i > j for i in chosen for j in set(range(n1 + n2)) - set(chosen))
        for chosen in itertools.combinations(range(n1 + n2), n1)
    ]
    counts = np.bincount(sums, minlength=n1 * n2 + 1)
    np.testing.assert_allclose(_below_rank_sum(n1, n2), np.cumsum(counts) / counts.sum())


def test_distribution_of_signed_ranks_by_enumeration() -> None:
    sums = [sum(r for r, s in enumerate(signs, 1) if s)
            for signs in itertools.product([0, 1], repeat=7)]  # fmt: skip
    counts = np.bincount(sums)
    np.testing.assert_allclose(_below_signed_ranks(7), np.cumsum(counts) / 2**7)


@pytest.mark.parametrize("seed", range(4))
def test_limits_are_where_the_exact_tests_turn(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=9), random.normal(size=12)
    middle, low, high = shift_of_groups(x, y)
    assert middle == pytest.approx(np.median(x[:, None] - y))

    def refused(shift: float) -> bool:
        return bool(stats.mannwhitneyu(x - shift, y, method="exact").pvalue <= 0.05)

    assert refused(low - 1e-9)
    assert not refused(low + 1e-9)
    assert refused(high + 1e-9)
    assert not refused(high - 1e-9)
    middle, low, high = shift_of_pairs(x)

    def turned(shift: float) -> bool:
        return bool(stats.wilcoxon(x - shift, method="exact").pvalue <= 0.05)

    assert turned(low - 1e-9)
    assert not turned(low + 1e-9)
    assert turned(high + 1e-9)
    assert not turned(high - 1e-9)
    assert low < middle < high


def test_tables_carry_shifts_and_failed_rows_none() -> None:
    random = np.random.default_rng(9)
    values = random.normal(size=(3, 120)).round(1)  # ties, and 60 in each group
    groups = ["b", "a"] * 60
    values[0, 1::2] += 2.0
    values[1] = 4.0
    found = mann_whitney(values, groups)
    assert found.low[0] < found.estimate[0] < found.high[0]
    assert found.estimate[0] == pytest.approx(2.0, abs=0.5)
    assert np.isnan(found.estimate[1])
    changed = signed_rank(values[:, ::2], values[:, 1::2])
    assert changed.low[0] < changed.estimate[0] < changed.high[0]
    assert changed.estimate[0] == pytest.approx(2.0, abs=0.8)


def test_kruskal_and_wallis_by_hand() -> None:
    values = np.array([[6.4, 6.8, 7.2, 8.3, 8.4, 2.5, 3.7, 4.9, 5.4, 5.9, 1.3, 4.1, 4.9, 5.2, 5.5]])
    groups = ["a"] * 5 + ["b"] * 5 + ["c"] * 5
    found = kruskal_wallis(values, groups)
    ranks = stats.rankdata(values[0])
    mean = [ranks[i : i + 5].mean() for i in (0, 5, 10)]
    h = 12 / (15 * 16) * sum(5 * (m - 8.0) ** 2 for m in mean) / (1 - (2**3 - 2) / (15**3 - 15))
    assert found.statistic[0] == pytest.approx(h)
    assert found.p_value[0] == pytest.approx(np.exp(-h / 2))  # chi-squared of 2 df
    assert found.n.tolist() == [[5, 5, 5]]
    lone = kruskal_wallis(np.where(np.arange(15) < 10, values, np.nan), groups)
    assert lone.status == ("too few values: 0 in c",)
    with pytest.raises(InputError, match="fewer than two"):
        kruskal_wallis(values, ["a"] * 15)


def test_exact_p_values_are_those_of_scipy() -> None:
    random = np.random.default_rng(3)
    for _ in range(5):
        x, y = random.normal(size=7), random.normal(0.7, size=11)
        told = stats.mannwhitneyu(x, y, method="exact").pvalue
        assert mann_whitney(np.concatenate([x, y]), ["a"] * 7 + ["b"] * 11).p_value[
            0
        ] == pytest.approx(told)
        told = stats.wilcoxon(y, method="exact").pvalue
        assert signed_rank(np.zeros(11), y).p_value[0] == pytest.approx(told)
