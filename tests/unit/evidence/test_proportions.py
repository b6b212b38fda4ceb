"""Intervals of proportions against published worked examples and independent arithmetic."""

from __future__ import annotations

import math

import pytest

from statera.errors import InputError
from statera.evidence.proportions import (
    Arm,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson,
)

Z = 1.959963984540054

# Newcombe, Stat Med 1998;17:873, Table II, method 10.
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]


def wilson_roots(x: int, n: int) -> tuple[float, float]:
    """Solve |x/n - p| = z sqrt(p (1 - p) / n) as a quadratic in p, independently of the code."""
    a, b, c = n + Z**2, -(2 * x + Z**2), x**2 / n
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@pytest.mark.parametrize(("first", "second", "low", "high"), NEWCOMBE)
def test_risk_difference_agrees_with_the_published_table(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    effect = risk_difference(Arm("a", *first), Arm("b", *second))
    assert effect.estimate == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert effect.interval is not None
    assert effect.interval.low == pytest.approx(low, abs=5.1e-5)
    assert effect.interval.high == pytest.approx(high, abs=5.1e-5)


@pytest.mark.parametrize(("first", "second", "low", "high"), NEWCOMBE)
def test_published_table_by_independent_arithmetic(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    (l1, u1), (l2, u2) = wilson_roots(*first), wilson_roots(*second)
    p1, p2 = first[0] / first[1], second[0] / second[1]
    d = p1 - p2
    by_hand = (
        d - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
        d + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2),
    )
    assert by_hand == pytest.approx((low, high), abs=5.1e-5)
    interval = risk_difference(Arm("a", *first), Arm("b", *second)).interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    # Newcombe, Stat Med 1998;17:857, Table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_the_published_table(x: int, n: int, low: float, high: float) -> None:
    limits = wilson(x, n)
    assert (limits.low, limits.high) == pytest.approx((low, high), abs=5.1e-5)
    assert (limits.low, limits.high) == pytest.approx(wilson_roots(x, n), abs=1e-12)


def test_risk_ratio_and_odds_ratio_by_hand() -> None:
    treated, control = Arm("t", 30, 100), Arm("c", 15, 120)
    rr, oratio = risk_ratio(treated, control), odds_ratio(treated, control)
    assert rr.estimate == pytest.approx(2.4)
    assert rr.interval is not None
    spread = Z * math.sqrt(1 / 30 - 1 / 100 + 1 / 15 - 1 / 120)
    assert math.log(rr.interval.low) == pytest.approx(math.log(2.4) - spread)
    assert math.log(rr.interval.high) == pytest.approx(math.log(2.4) + spread)
    assert oratio.estimate == pytest.approx(30 * 105 / (70 * 15))
    assert oratio.interval is not None
    spread = Z * math.sqrt(1 / 30 + 1 / 70 + 1 / 15 + 1 / 105)
    assert math.log(oratio.interval.high / oratio.estimate) == pytest.approx(spread)


def test_empty_cells_are_not_papered_over() -> None:
    treated, control = Arm("t", 5, 20), Arm("c", 0, 20)
    for effect in (risk_ratio(treated, control), odds_ratio(treated, control)):
        assert effect.estimate == math.inf
        assert effect.interval is None
        assert "empty" in effect.note
    corrected = odds_ratio(treated, control, correct_zeros=True)
    assert corrected.estimate == pytest.approx(5.5 * 20.5 / (15.5 * 0.5))
    assert "1/2 added" in corrected.note
    assert risk_ratio(control, control).interval is None
    assert math.isnan(risk_ratio(control, control).estimate)
    # A correction that is not needed is not made.
    assert risk_ratio(treated, treated, correct_zeros=True).note == ""
    # Everyone responding leaves a risk ratio defined, an odds ratio not.
    everyone = Arm("all", 20, 20)
    assert risk_ratio(everyone, treated).interval is not None
    assert odds_ratio(everyone, treated).interval is None


def test_impossible_arms_are_refused() -> None:
    with pytest.raises(InputError, match="not possible"):
        Arm("x", 5, 4)
    with pytest.raises(InputError, match="not possible"):
        Arm("x", 0, 0)
    with pytest.raises(InputError, match="not a count"):
        Arm("x", -1, 4)
    with pytest.raises(InputError, match="level"):
        risk_ratio(Arm("a", 0, 4), Arm("b", 1, 4), level=95)
