"""Invariants of intervals, effects and ratios."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statera.evidence.printed import events_from_percent, events_from_rate
from statera.evidence.proportions import Arm, odds_ratio, risk_difference, risk_ratio, wilson
from statera.evidence.rates import crude_rate_ratio, incidence_rate
from statera.evidence.ratio_estimates import RatioEstimate, agreement
from statera.numerics.intervals_exact import (
    binomial_exact,
    binomial_mid_p,
    poisson_exact,
    poisson_mid_p,
)

levels = st.floats(0.5, 0.999)


@st.composite
def arms(draw: st.DrawFn) -> Arm:
    n = draw(st.integers(1, 5000))
    return Arm("arm", draw(st.integers(0, n)), n)


@given(arms(), levels)
def test_limits_of_a_proportion_enclose_it_and_nest(arm: Arm, level: float) -> None:
    exact = binomial_exact(arm.events, arm.n, level)
    mid_p = binomial_mid_p(arm.events, arm.n, level)
    p = arm.proportion
    assert 0.0 <= exact.low <= mid_p.low <= p <= mid_p.high <= exact.high <= 1.0
    score = wilson(arm.events, arm.n, level)
    assert 0.0 <= score.low <= p <= score.high <= 1.0


@given(arms(), levels)
def test_counting_the_others_mirrors_the_limits(arm: Arm, level: float) -> None:
    for limits in (binomial_exact, binomial_mid_p, wilson):
        one = limits(arm.events, arm.n, level)
        other = limits(arm.n - arm.events, arm.n, level)
        assert one.low == pytest.approx(1.0 - other.high, abs=1e-9)
        assert one.high == pytest.approx(1.0 - other.low, abs=1e-9)


@given(st.integers(0, 100_000), levels)
def test_poisson_limits_enclose_the_count_and_nest(count: int, level: float) -> None:
    exact, mid_p = poisson_exact(count, level), poisson_mid_p(count, level)
    assert 0.0 <= exact.low <= mid_p.low <= count <= mid_p.high <= exact.high


@given(arms(), arms(), levels)
def test_risk_difference_is_antisymmetric(first: Arm, second: Arm, level: float) -> None:
    one, other = risk_difference(first, second, level), risk_difference(second, first, level)
    assert one.estimate == pytest.approx(-other.estimate)
    assert one.interval is not None
    assert other.interval is not None
    assert one.interval.low == pytest.approx(-other.interval.high)
    assert -1.0 - 1e-9 <= one.interval.low <= one.estimate <= one.interval.high <= 1.0 + 1e-9


@given(arms(), arms(), levels)
def test_ratios_are_reciprocal(first: Arm, second: Arm, level: float) -> None:
    for effect in (risk_ratio, odds_ratio):
        one, other = effect(first, second, level), effect(second, first, level)
        if one.interval is None:
            assert other.interval is None
            continue
        assert other.interval is not None
        assert one.estimate == pytest.approx(1.0 / other.estimate)
        assert one.interval.low == pytest.approx(1.0 / other.interval.high)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(1.0, 1e5), st.floats(1.0, 1e5), levels)
def test_crude_rate_ratio_is_reciprocal(
    x1: int, x2: int, t1: float, t2: float, level: float
) -> None:
    first, second = incidence_rate(x1, t1), incidence_rate(x2, t2)
    one, other = crude_rate_ratio(first, second, level), crude_rate_ratio(second, first, level)
    if x1 and x2:
        assert one.estimate == pytest.approx(1.0 / other.estimate)
        assert one.exact.low == pytest.approx(1.0 / other.exact.high, rel=1e-6)
        assert one.mid_p.low == pytest.approx(1.0 / other.mid_p.high, rel=1e-6)
    if one.is_defined:
        assert one.exact.low <= one.mid_p.low <= one.estimate * (1 + 1e-9)
        assert one.estimate <= one.mid_p.high * (1 + 1e-9)
        assert one.mid_p.high <= one.exact.high


@given(st.integers(1, 500), st.integers(1, 500), st.floats(10.0, 1e5), st.floats(0.01, 100.0))
def test_rates_scale_with_time_and_their_ratio_does_not(
    x1: int, x2: int, years: float, factor: float
) -> None:
    one, scaled = incidence_rate(x1, years), incidence_rate(x1, years * factor)
    assert one.interval.low == pytest.approx(scaled.interval.low * factor)
    assert one.interval.high == pytest.approx(scaled.interval.high * factor)
    ratio = crude_rate_ratio(one, incidence_rate(x2, 100.0))
    same = crude_rate_ratio(scaled, incidence_rate(x2, 100.0 * factor))
    assert ratio.exact.high == pytest.approx(same.exact.high)


@given(arms(), st.integers(0, 3))
def test_the_true_count_is_among_those_of_its_print(arm: Arm, decimals: int) -> None:
    printed = f"{100.0 * arm.proportion:.{decimals}f}"
    count = events_from_percent(printed, arm.n)
    assert count.low is not None
    assert count.high is not None
    assert count.low <= arm.events <= count.high
    assert count.low <= count.nearest <= count.high


@given(st.integers(0, 10_000), st.floats(10.0, 1e6), st.integers(0, 3))
def test_the_true_count_is_among_those_of_its_rate(
    events: int, years: float, decimals: int
) -> None:
    printed = f"{100.0 * events / years:.{decimals}f}"
    count = events_from_rate(printed, years)
    assert count.low is not None
    assert count.high is not None
    assert count.low <= events <= count.high


@st.composite
def ratios(draw: st.DrawFn) -> RatioEstimate:
    centre = draw(st.floats(-2.0, 2.0))
    below, above = draw(st.floats(0.01, 2.0)), draw(st.floats(0.01, 2.0))
    return RatioEstimate(
        "r", "HR", math.exp(centre), math.exp(centre - below), math.exp(centre + above), "A", "B"
    )


@given(ratios())
def test_inversion_keeps_the_error_and_turns_the_sign(ratio: RatioEstimate) -> None:
    turned = ratio.oriented("B")
    assert turned.se == pytest.approx(ratio.se)
    assert turned.log_estimate == pytest.approx(-ratio.log_estimate, abs=1e-12)
    assert turned.asymmetry().value == pytest.approx(-ratio.asymmetry().value)
    assert turned.has_usable_se is ratio.has_usable_se
    check = ratio.asymmetry()
    assert check.rounding.low <= check.value <= check.rounding.high


@given(ratios(), ratios(), st.floats(0.1, 10.0))
def test_agreement_is_antisymmetric_and_free_of_scale(
    first: RatioEstimate, second: RatioEstimate, factor: float
) -> None:
    one, other = agreement(first, second), agreement(second, first)
    assert one.ratio == pytest.approx(1.0 / other.ratio)
    assume(one.z is not None and other.z is not None)
    assert one.z == pytest.approx(-(other.z or 0.0), abs=1e-12)
    assert one.p == pytest.approx(other.p)
    assert one.interval is not None
    assert other.interval is not None
    assert one.interval.low == pytest.approx(1.0 / other.interval.high)

    def scaled(r: RatioEstimate) -> RatioEstimate:
        return RatioEstimate(r.label, r.measure, r.value * factor, r.low * factor, r.high * factor)

    assert scaled(first).se == pytest.approx(first.se, rel=1e-9, abs=1e-12)
    again = agreement(scaled(first), scaled(second))
    if again.z is not None:
        assert again.z == pytest.approx(one.z, abs=1e-9)
