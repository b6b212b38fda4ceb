"""Words that never claim more than is known."""

from __future__ import annotations

import pytest

from statera.engagement.wording import hours_text, percent_text
from statera.numerics.interval import Interval
from statera.sources.fact import Relation


@pytest.mark.parametrize(
    ("low", "high", "relation", "words"),
    [
        (0.742, 0.742, Relation.EQUAL, "74 %"),
        (0.742, 0.742, Relation.ABOUT, "about 74 %"),
        (0.629, 1.0, Relation.LESS, "at least 62 %"),
        (0.62, 1.0, Relation.AT_MOST, "at least 62 %"),
        (0.0, 0.111, Relation.GREATER, "at most 12 %"),
        (0.0, 0.12, Relation.AT_LEAST, "at most 12 %"),
        (0.629, 0.741, Relation.RANGE, "62 to 75 %"),
        # A lower bound stays one where the other end is not quite 1, as with a lag before the drug.
        (0.629, 0.98, Relation.LESS, "at least 62 %"),
        # Rounding must not empty a bound.
        (0.004, 1.0, Relation.LESS, "at least 0.4 %"),
        (0.0, 0.997, Relation.GREATER, "at most 99.7 %"),
        (0.0, 1.0, Relation.LESS, "not determined by the bound"),
        (0.0, 1.0, Relation.GREATER, "not determined by the bound"),
        (0.0, 0.0, Relation.LESS, "0 %"),
        (0.0, 0.0, Relation.EQUAL, "0 %"),
        (0.002, 0.002, Relation.EQUAL, "under 1 %"),
        (0.998, 0.998, Relation.EQUAL, "over 99 %"),
        (1.0, 1.0, Relation.EQUAL, "100 %"),
        # Without a potency the ends say what is known.
        (0.62, 1.0, None, "at least 62 %"),
        (0.0, 0.12, None, "at most 12 %"),
        (0.0, 1.0, None, "not known"),
        (0.3, 0.3, None, "30 %"),
        (0.3, 0.6, None, "30 to 60 %"),
    ],
)
def test_percent(low: float, high: float, relation: Relation | None, words: str) -> None:
    assert percent_text(Interval(low, high), relation) == words


@pytest.mark.parametrize(
    ("low", "high", "relation", "words"),
    [
        (14.25, 14.25, Relation.EQUAL, "14.2 h a day"),
        (14.29, 24.0, Relation.LESS, "at least 14.2 h a day"),
        (0.0, 3.01, Relation.GREATER, "at most 3.1 h a day"),
        (0.0, 0.0, Relation.GREATER, "0 h a day"),
        (0.0, 24.0, Relation.LESS, "not determined by the bound"),
        (24.0, 24.0, Relation.EQUAL, "24.0 h a day"),
    ],
)
def test_hours(low: float, high: float, relation: Relation, words: str) -> None:
    assert hours_text(Interval(low, high), relation) == words
