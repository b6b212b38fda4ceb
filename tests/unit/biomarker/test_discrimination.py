"""Areas under ROC curves against hand computations and other routes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from statera.biomarker.discrimination import (
    auc_difference,
    cross_validated_auc,
    delong_auc,
    logit_interval,
    placements,
    rank_auc,
    roc_curve,
)
from statera.errors import InputError

HAND_Y = np.array([True, True, True, False, False])
HAND_S = np.array([0.9, 0.8, 0.4, 0.7, 0.3])


def test_a_case_by_hand() -> None:
    # pairs won: 2 + 2 + 1 of 6; placements of responders 1, 1, 1/2, of the others 2/3, 1;
    # variances 1/12 and 1/18, so that the area has 1/36 + 1/36
    found = delong_auc(HAND_Y, HAND_S)
    assert found.auc == pytest.approx(5 / 6, abs=1e-15)
    assert found.standard_error == pytest.approx(np.sqrt(1 / 18), abs=1e-15)
    assert placements(HAND_Y, HAND_S) == pytest.approx([1, 1, 0.5, 2 / 3, 1])
    half = stats.norm.ppf(0.975) * np.sqrt(1 / 18) / (5 / 36)
    assert np.log(found.low / (1 - found.low)) == pytest.approx(np.log(5) - half)
    assert np.log(found.high / (1 - found.high)) == pytest.approx(np.log(5) + half)


def pair_by_pair(y: NDArray[np.bool_], scores: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """DeLong's covariance from the kernel of every pair."""
    won = np.array([
        [[(a > b) + 0.5 * (a == b) for b in s[~y]] for a in s[y]] for s in scores
    ])  # fmt: skip
    return np.atleast_2d(np.cov(won.mean(axis=2)) / y.sum() + np.cov(won.mean(axis=1)) / (~y).sum())


def test_ties_and_comparison_agree_with_every_pair() -> None:
    random = np.random.default_rng(2)
    y = random.random(60) < 0.4
    one = np.round(random.normal(size=60) + y, 1)
    two = np.round(random.normal(size=60) + 0.5 * y, 1)
    expected = pair_by_pair(y, [one, two])
    assert delong_auc(y, one).standard_error == pytest.approx(np.sqrt(expected[0, 0]), rel=1e-12)
    found = auc_difference(y, one, two)
    variance = expected[0, 0] + expected[1, 1] - 2 * expected[0, 1]
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=1e-10)
    assert found.difference == pytest.approx(rank_auc(y, one) - rank_auc(y, two))
    back = auc_difference(y, two, one)
    assert back.difference == -found.difference
    assert back.p_value == found.p_value
    assert np.isnan(auc_difference(y, one, one).p_value)


def test_scikit_learn_agrees_on_area_and_curve() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(3)
    y = random.random(80) < 0.3
    score = np.round(random.normal(size=80) + y, 1)
    assert rank_auc(y, score) == pytest.approx(metrics.roc_auc_score(y, score), abs=1e-14)
    false, true, _ = metrics.roc_curve(y, score)
    inside = (false[:-1] + false[1:]) / 2
    assert roc_curve(y, score, inside) == pytest.approx(
        np.where(np.diff(false) == 0, roc_curve(y, score, inside), (true[:-1] + true[1:]) / 2)
    )
    fine = np.linspace(0, 1, 20001)
    curve = roc_curve(y, score, fine)
    area = ((curve[:-1] + curve[1:]) / 2 * np.diff(fine)).sum()
    assert area == pytest.approx(rank_auc(y, score), abs=1e-3)


def test_no_interval_has_a_reason() -> None:
    y = np.array([True, True, False, False])
    perfect = delong_auc(y, np.array([4.0, 3.0, 2.0, 1.0]))
    assert perfect.auc == 1.0
    assert np.isnan(perfect.low)
    assert "every pair" in perfect.status
    single = delong_auc(np.array([True, False, False]), np.array([2.0, 1.0, 3.0]))
    assert "one sample" in single.status
    assert "one class" in delong_auc(np.ones(3, bool), np.arange(3.0)).status
    assert all(np.isnan(logit_interval(1.0, 0.1)))
    with pytest.raises(InputError, match="two samples of each class"):
        auc_difference(np.array([True, False, False]), np.arange(3.0), np.arange(3.0))


def test_one_fold_is_delong_up_to_degrees_of_freedom() -> None:
    random = np.random.default_rng(4)
    y = random.random(200) < 0.5
    score = random.normal(size=200) + y
    people = [str(i) for i in range(200)]
    found = cross_validated_auc(y, score[None], np.zeros((1, 200), dtype=np.intp), people)
    other = delong_auc(y, score)
    assert found.auc == pytest.approx(other.auc, abs=1e-14)
    assert found.standard_error == pytest.approx(other.standard_error, rel=0.01)


def test_scores_of_different_folds_are_not_compared() -> None:
    y = np.array([True, False, True, False])
    score = np.array([[1.0, 0.0, 11.0, 10.0]])
    folds = np.array([[0, 0, 1, 1]])
    people = ["a", "b", "c", "d"]
    assert cross_validated_auc(y, score, folds, people).auc == 1.0
    assert rank_auc(y, score[0]) == 0.75
    one_class = cross_validated_auc(y, score, np.array([[0, 1, 0, 1]]), people)
    assert np.isnan(one_class.auc)
    assert "no fold holds both classes" in one_class.status
    left_out = np.array([[1.0, 0.0, np.nan, 10.0]])
    assert cross_validated_auc(y, left_out, folds, people).auc == 1.0


def test_samples_of_one_subject_count_once() -> None:
    random = np.random.default_rng(5)
    y = random.random(80) < 0.5
    score = random.normal(size=80) + y
    once = cross_validated_auc(
        y, score[None], np.zeros((1, 80), dtype=np.intp), [str(i) for i in range(80)]
    )
    twice = cross_validated_auc(
        np.tile(y, 2), np.tile(score, 2)[None], np.zeros((1, 160), dtype=np.intp),
        [str(i) for i in range(80)] * 2,
    )  # fmt: skip
    assert twice.standard_error == pytest.approx(once.standard_error, rel=1e-12)
