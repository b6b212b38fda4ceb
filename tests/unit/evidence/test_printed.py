"""What a printed percentage or rate says about the count behind it."""

from __future__ import annotations

import pytest

from statera.errors import InputError
from statera.evidence.printed import (
    arm_size,
    decimals_of,
    difference_of_printed,
    events_from_percent,
    events_from_rate,
    rounding_interval,
)


@pytest.mark.parametrize(
    ("printed", "decimals"),
    [(40.0, 0), ("40.0", 1), (38.8, 1), ("0.50", 2), (100, 0), (0.05, 2), (1e-3, 3), ("1e2", 0)],
)
def test_decimals_as_printed(printed: float | str, decimals: int) -> None:
    assert decimals_of(printed) == decimals


def test_counts_of_a_printed_percentage() -> None:
    # by hand: 69.5 % and 70.5 % of 487 are 338.465 and 343.335
    count = events_from_percent(70, 487)
    assert (count.low, count.nearest, count.high) == (339, 341, 343)
    assert count.is_consistent
    assert not count.is_exact


def test_every_compatible_count_and_no_other_rounds_to_the_print() -> None:
    for n in (3, 47, 118, 200, 654):
        for tenths in range(1001):
            count = events_from_percent(tenths / 10, n, decimals=1)
            shown = [x for x in range(n + 1) if abs(100 * x / n - tenths / 10) <= 0.05 + 1e-9]
            if shown:
                assert (count.low, count.high) == (shown[0], shown[-1])
                assert count.low <= count.nearest <= count.high
            else:
                assert not count.is_consistent


def test_a_small_arm_gives_one_count() -> None:
    count = events_from_percent("33.3", 3)
    assert count.is_exact
    assert count.nearest == 1


def test_percentage_that_no_count_gives() -> None:
    count = events_from_percent(38.8, 10, label="4 mg")
    assert not count.is_consistent
    assert count.nearest == 4
    difference = difference_of_printed(count, events_from_percent(10, 10, label="placebo"))
    assert "4 mg" in difference.note
    assert "placebo" not in difference.note
    assert difference.effect.estimate == pytest.approx(0.3)


def test_difference_carries_the_rounding_apart_from_the_interval() -> None:
    difference = difference_of_printed(events_from_percent(70, 487), events_from_percent(40, 488))
    # counts 339 to 343 of 487 and 193 to 197 of 488
    assert difference.rounding.low == pytest.approx(339 / 487 - 197 / 488)
    assert difference.rounding.high == pytest.approx(343 / 487 - 193 / 488)
    assert difference.effect.interval is not None
    assert difference.effect.interval.low < difference.rounding.low
    assert difference.note == ""


def test_events_of_a_printed_rate() -> None:
    # by hand: 0.5 per 100 with 14 744 person-years: 0.45 % and 0.55 % are 66.3 and 81.1
    count = events_from_rate(0.5, 14744)
    assert (count.low, count.nearest, count.high) == (67, 74, 81)
    assert events_from_rate(0, 14744, decimals=1).low == 0
    with pytest.raises(InputError, match="no number of members"):
        count.arm()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("488", 488),
        (" 3 770 ", 3770),
        ("1,307", 1307),
        ("684 total", None),
        ("", None),
        ("12/40", None),
    ],
)
def test_arm_size(text: str, size: int | None) -> None:
    assert arm_size(text) == size


def test_bad_prints_are_refused() -> None:
    with pytest.raises(InputError, match="not possible"):
        events_from_percent(101, 50)
    with pytest.raises(InputError, match="not possible"):
        events_from_percent(-1, 50)
    with pytest.raises(InputError, match="not possible"):
        events_from_percent(10, 0)
    with pytest.raises(InputError, match="not possible"):
        events_from_rate(1, 0)
    with pytest.raises(InputError, match="not a number"):
        rounding_interval("about 40")
    with pytest.raises(InputError, match="not a finite number"):
        decimals_of(float("nan"))
