"""Mantel-Haenszel and Peto on counts worked by hand, and outcomes that have a name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from statera.errors import InputError
from statera.evidence.rare_events import RareEventStatus, mantel_haenszel, peto


def test_one_table_gives_its_own_ratio() -> None:
    found = mantel_haenszel("OR", [3], [50], [8], [60])
    assert found.estimate == pytest.approx(math.log(3 * 52 / (47 * 8)))
    # The Robins-Breslow-Greenland variance of one table is Woolf's.
    assert found.se**2 == pytest.approx(1 / 3 + 1 / 47 + 1 / 8 + 1 / 52)
    assert found.status is RareEventStatus.ONE_STUDY
    assert math.isnan(found.q)
    ratio = mantel_haenszel("RR", [3], [50], [8], [60])
    assert ratio.estimate == pytest.approx(math.log(3 / 50 / (8 / 60)))
    assert ratio.se**2 == pytest.approx(1 / 3 - 1 / 50 + 1 / 8 - 1 / 60)
    rate = mantel_haenszel("IRR", [3], [50.5], [8], [60.25])
    assert rate.se**2 == pytest.approx(1 / 3 + 1 / 8)
    difference = mantel_haenszel("IRD", [3], [50.5], [8], [60.25])
    assert difference.estimate == pytest.approx(3 / 50.5 - 8 / 60.25)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "IRR", "IRD"])
def test_exchanged_arms_change_the_sign_only(measure: str) -> None:
    a, n1, c, n2 = [0, 2, 5], [40, 90, 120], [3, 4, 9], [45, 60, 110]
    one, two = mantel_haenszel(measure, a, n1, c, n2), mantel_haenszel(measure, c, n2, a, n1)
    assert one.estimate == pytest.approx(-two.estimate)
    assert one.se == pytest.approx(two.se)
    assert one.q == pytest.approx(two.q)


def test_peto_is_observed_minus_expected_over_variance() -> None:
    found = peto([1, 4], [100, 80], [3, 6], [100, 120])
    expected = [4 * 0.5, 10 * 80 / 200]
    variance = [4 * 196 * 0.25 / 199, 10 * 190 * 0.4 * 0.6 / 199]
    assert found.estimate == pytest.approx((5 - sum(expected)) / sum(variance))
    assert found.se == pytest.approx(sum(variance) ** -0.5)


def test_double_zero_study_is_left_out_of_q_only() -> None:
    with_zero = mantel_haenszel("OR", [1, 0, 3], [50, 30, 70], [4, 0, 5], [55, 30, 60])
    without = mantel_haenszel("OR", [1, 3], [50, 70], [4, 5], [55, 60])
    assert with_zero.estimate == pytest.approx(without.estimate)
    assert (with_zero.q, with_zero.q_df) == (pytest.approx(without.q), 1)
    assert np.isnan(with_zero.y[1])
    assert "not in Q" in with_zero.notes[0]


def test_outcomes_without_an_estimate_are_named() -> None:
    assert mantel_haenszel("OR", [0, 0], [9, 9], [0, 0], [9, 9]).status is RareEventStatus.NO_EVENTS
    assert peto([0, 0], [9, 9], [0, 0], [9, 9]).status is RareEventStatus.NO_EVENTS
    empty = mantel_haenszel("RR", [0, 0], [9, 9], [1, 2], [9, 9])
    assert empty.status is RareEventStatus.ONE_ARM_EMPTY
    assert math.isnan(empty.estimate)
    # Peto's method needs no events in both arms.
    assert peto([0, 0], [9, 9], [1, 2], [9, 9]).estimate < 0.0


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (([5], [4], [1], [9]), "5 events of 4"),
        (([-1], [4], [1], [9]), "-1 events"),
        (([1.5], [4], [1], [9]), "1.5 events"),
        (([1], [4], [1], [0]), "second arm of study 1"),
        (([1, 2], [4], [1], [9]), "one length"),
    ],
)
def test_impossible_counts_are_refused(counts: tuple[list[float], ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        mantel_haenszel("OR", *counts)


def test_unknown_measure_is_refused() -> None:
    with pytest.raises(InputError, match="no Mantel-Haenszel pool of HR"):
        mantel_haenszel("HR", [1], [4], [1], [9])
