"""Standard errors, direction and agreement of ratio estimates."""

from __future__ import annotations

import math

import pytest

from statera.errors import InputError
from statera.evidence.rates import ratio_of_printed_rates
from statera.evidence.ratio_estimates import RatioEstimate, agreement, compare_direction

VTE_A = RatioEstimate("A", "HR", 1.73, 1.24, 2.42, "JAKi", "TNFi", overlap_group="register")
VTE_B = RatioEstimate("B", "IRR", 1.51, 1.10, 2.08, "JAKi", "TNFi", overlap_group="register")


def test_standard_error_from_the_interval() -> None:
    assert VTE_A.se == pytest.approx((math.log(2.42) - math.log(1.24)) / 3.92, rel=2e-5)
    assert VTE_A.z == pytest.approx(math.log(1.73) / VTE_A.se)
    assert VTE_A.excludes_one
    assert not RatioEstimate("C", "HR", 0.91, 0.80, 1.04).excludes_one


def test_level_other_than_95() -> None:
    wide = RatioEstimate("x", "HR", 1.0, math.exp(-1.6448536), math.exp(1.6448536), level=0.9)
    assert wide.se == pytest.approx(1.0, rel=1e-7)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [(1.72, 0.74, 3.01, -0.20), (2.5, 0.37, 6.18, -0.36), (0.59, 0.27, 1.05, -0.15)],
)
def test_asymmetric_intervals_are_flagged(
    value: float, low: float, high: float, expected: float
) -> None:
    estimate = RatioEstimate("x", "HR", value, low, high)
    check = estimate.asymmetry()
    assert check.value == pytest.approx(expected, abs=0.005)
    assert check.is_flagged
    assert not check.is_explained_by_rounding
    assert not estimate.has_usable_se


def test_rounding_alone_can_make_an_interval_look_asymmetric() -> None:
    # Printed with one decimal: exp(log 1.06 -+ 0.4055) is 0.71 to 1.59, symmetric, yet prints as
    # 1.1 (0.7 to 1.6).
    estimate = RatioEstimate("x", "HR", 1.1, 0.7, 1.6)
    assert estimate.asymmetry().is_flagged
    assert estimate.asymmetry().is_explained_by_rounding
    assert estimate.has_usable_se


def test_inversion_changes_direction_and_back() -> None:
    printed = RatioEstimate("J", "HR", 0.55, 0.39, 0.77, "TNFi", "JAKi")
    turned = printed.oriented("JAKi")
    assert (turned.value, turned.low, turned.high) == pytest.approx((1 / 0.55, 1 / 0.77, 1 / 0.39))
    assert (turned.numerator, turned.comparator) == ("JAKi", "TNFi")
    assert turned.se == pytest.approx(printed.se)
    assert turned.inverted() is printed
    assert turned.oriented("JAKi") is turned
    assert turned.asymmetry().value == pytest.approx(-printed.asymmetry().value)
    with pytest.raises(InputError, match="neither group"):
        printed.oriented("placebo")


def test_agreement_with_cautions() -> None:
    result = agreement(VTE_A, VTE_B)
    error = math.hypot(VTE_A.se, VTE_B.se)
    assert result.z == pytest.approx(math.log(1.73 / 1.51) / error)
    assert result.p is not None
    assert 0.5 < result.p < 0.7
    assert result.interval is not None
    assert result.interval.low < 1 < result.interval.high
    assert len(result.cautions) == 2
    assert "same people" in result.cautions[0]
    assert "different measures" in result.cautions[1]


def test_no_test_where_the_interval_gives_no_standard_error() -> None:
    odd = RatioEstimate("Percentile", "HR", 2.5, 0.37, 6.18)
    result = agreement(VTE_A, odd)
    assert result.p is None
    assert result.interval is None
    assert any("Percentile" in c for c in result.cautions)
    same = RatioEstimate("P", "HR", 1.0, 1.0, 1.0)
    assert "no width" in agreement(same, same).cautions[0]
    with pytest.raises(InputError, match="no width"):
        _ = same.z


def test_direction_of_crude_and_adjusted() -> None:
    mace = RatioEstimate("MACE", "HR", 0.91, 0.80, 1.04)
    crude = ratio_of_printed_rates(0.72, 0.66)
    check = compare_direction(crude.estimate, mace, crude.rounding)
    assert check.verdict == "opposite"
    assert "1.09" in check.sentence
    assert "0.91" in check.sentence
    assert "includes 1" in check.sentence
    vte = RatioEstimate("VTE", "HR", 1.26, 1.03, 1.54)
    assert compare_direction(0.57 / 0.52, vte).verdict == "same"
    coarse = ratio_of_printed_rates(0.5, 0.5)
    assert compare_direction(coarse.estimate, vte, coarse.rounding).verdict == "no direction"
    with pytest.raises(InputError, match="not a ratio"):
        compare_direction(0.0, vte)


@pytest.mark.parametrize(
    ("value", "low", "high"), [(1.0, 1.2, 1.5), (1.0, 0.0, 2.0), (-1, -2, 3), (1, 0.5, math.inf)]
)
def test_impossible_ratios_are_refused(value: float, low: float, high: float) -> None:
    with pytest.raises(InputError, match="not a ratio with its interval"):
        RatioEstimate("x", "HR", value, low, high)
