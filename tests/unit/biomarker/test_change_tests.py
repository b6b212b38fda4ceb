"""Tests of change against scipy and by hand; bad rows keep their place."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from statera.biomarker import change_tests as ct
from statera.errors import InputError, UnknownNameError

RNG = np.random.default_rng(1)
GROUPS = ["a"] * 9 + ["b"] * 12
VALUES = RNG.normal(size=(5, 21))
VALUES[1, 3] = np.nan
VALUES[2] = 4.2
VALUES[3] = np.nan
VALUES[4, 1:9] = np.nan


def test_two_groups() -> None:
    a, b = VALUES[1, :9], VALUES[1, 9:]
    for function, equal in ((ct.two_group_t, True), (ct.welch_t, False)):
        ours = function(VALUES, GROUPS)
        theirs = stats.ttest_ind(a[np.isfinite(a)], b, equal_var=equal)
        interval = theirs.confidence_interval()
        assert ours.p_value[1] == pytest.approx(theirs.pvalue)
        assert (ours.low[1], ours.high[1]) == pytest.approx((interval.low, interval.high))
        assert ours.status[2] == "no variation left after the fixed effects"
        assert ours.status[3] == "too few values: 0 in a, 0 in b"
        assert ours.status[4] == "too few values: 1 in a"
        assert np.isnan(ours.p_value[2:]).all()
        assert np.isfinite(ours.adjusted_p[:2]).all()


def test_rank_sum_exact_and_with_ties() -> None:
    tied = np.round(VALUES, 1)
    for values in (VALUES, tied):
        ours = ct.mann_whitney(values, GROUPS)
        assert ours.status[2] != "ok"
        assert ours.status[4] == "ok"
        a, b = values[0, :9], values[0, 9:]
        exact = np.unique(values[0]).size == 21
        theirs = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
        assert ours.p_value[0] == pytest.approx(theirs.pvalue)
    assert np.unique(tied[0]).size < 21


def test_pairs() -> None:
    before, after = RNG.normal(size=(3, 10)), RNG.normal(0.5, size=(3, 10))
    after[1] = before[1]
    after[2, 1:] = np.nan
    paired, ranks = ct.paired_t(before, after), ct.signed_rank(before, after)
    assert paired.p_value[0] == pytest.approx(stats.ttest_rel(after[0], before[0]).pvalue)
    assert ranks.p_value[0] == pytest.approx(stats.wilcoxon(after[0] - before[0]).pvalue)
    assert paired.status[1].startswith("no variation")
    assert ranks.status[1].startswith("no var")
    assert paired.status[2] == "too few values: 1 in pairs"
    rounded = np.round(after[:1] - before[:1], 1)
    tied = ct.signed_rank(np.zeros_like(rounded), rounded).p_value[0]
    theirs = stats.wilcoxon(rounded[0][rounded[0] != 0], method="approx", correction=True)
    assert np.unique(np.abs(rounded)).size < 10
    assert tied == pytest.approx(theirs.pvalue)
    # three pairs that all rise: 2 of 8 sign patterns are as extreme
    assert ct.signed_rank([[0, 0, 0]], [[1, 2, 3]]).p_value[0] == pytest.approx(0.25)  # type: ignore[arg-type]


def test_analysis_of_variance_is_the_classical_one() -> None:
    sites = ["x", "y", "z"] * 7
    ours = ct.analysis_of_variance(VALUES, {"site": sites}, "site")
    theirs = stats.f_oneway(*(VALUES[0, k::3] for k in range(3)))
    assert ours.statistic[0] == pytest.approx(theirs.statistic)
    assert ours.p_value[0] == pytest.approx(theirs.pvalue)
    assert ours.status[3] == "too few values"
    with pytest.raises(UnknownNameError):
        ct.analysis_of_variance(VALUES, {"site": sites}, "site", "sit")


def test_baseline_adjusted_change_by_residuals() -> None:
    rng = np.random.default_rng(3)
    before = rng.normal(size=(2, 30))
    after = 0.4 * before + rng.normal(size=(2, 30))
    groups = np.array(["a", "b"] * 15)
    after[1, groups == "b"] = np.nan
    ours = ct.baseline_adjusted_change(before, after, list(groups))
    # residuals of both on group and baseline: the theorem of Frisch, Waugh and Lovell
    base = np.column_stack([np.ones(30), before[0]])
    hat = base @ np.linalg.pinv(base)
    u = (groups == "b") - hat @ (groups == "b")
    w = after[0] - hat @ after[0]
    slope = u @ w / (u @ u)
    error = np.sqrt(((w - slope * u) ** 2).sum() / 27 / (u @ u))
    assert ours.estimate[0] == pytest.approx(slope)
    assert ours.p_value[0] == pytest.approx(2 * stats.t.sf(abs(slope / error), 27))
    assert ours.status[1] == "too few values: none in b"


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlation_of_change(method: str) -> None:
    rng = np.random.default_rng(6)
    before, after, gain = rng.normal(size=(3, 15)), rng.normal(size=(3, 15)), rng.normal(size=15)
    after[1] = before[1] + 1.0
    after[2, 3:] = np.nan
    ours = ct.change_correlation(before, after, gain, method)
    change = after[0] - before[0]
    theirs = stats.pearsonr(change, gain) if method == "pearson" else stats.spearmanr(change, gain)
    assert ours.estimate[0] == pytest.approx(theirs.statistic)
    assert ours.p_value[0] == pytest.approx(theirs.pvalue)
    assert ours.low[0] < ours.estimate[0] < ours.high[0]
    assert [text == "ok" for text in ours.status] == [True, False, False]


def test_wrong_calls() -> None:
    with pytest.raises(InputError, match="3 groups"):
        ct.welch_t(np.ones((1, 3)), ["a", "b", "c"])
    with pytest.raises(InputError, match="length"):
        ct.welch_t(np.ones((1, 3)), ["a", "b"])
    with pytest.raises(InputError, match="shape"):
        ct.paired_t(np.ones((1, 3)), np.ones((1, 4)))
