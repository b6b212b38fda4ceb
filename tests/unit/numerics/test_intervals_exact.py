"""Exact and mid-P limits against published values and against their own definitions."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom, poisson

from statera.errors import InputError
from statera.numerics.intervals_exact import (
    binomial_exact,
    binomial_mid_p,
    check_count,
    normal_quantile,
    poisson_exact,
    poisson_mid_p,
)


def test_no_events_has_a_closed_form() -> None:
    # (1 - p)^n = 0.025 and exp(-m) = 0.025, solved by hand
    assert binomial_exact(0, 20).high == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-12)
    assert poisson_exact(0).high == pytest.approx(-math.log(0.025), rel=1e-12)
    assert binomial_exact(0, 20).low == 0.0
    assert poisson_exact(0).low == 0.0


def test_all_events() -> None:
    limits = binomial_exact(20, 20)
    assert limits.high == 1.0
    assert limits.low == pytest.approx(0.025 ** (1 / 20), rel=1e-12)


@pytest.mark.parametrize(("x", "n"), [(1, 10), (81, 263), (15, 148), (999, 1000), (1, 29)])
def test_each_exact_binomial_limit_leaves_the_tail(x: int, n: int) -> None:
    limits = binomial_exact(x, n)
    assert binom.sf(x - 1, n, limits.low) == pytest.approx(0.025, rel=1e-8)
    assert binom.cdf(x, n, limits.high) == pytest.approx(0.025, rel=1e-8)


@pytest.mark.parametrize(("x", "n"), [(1, 10), (81, 263), (15, 148), (999, 1000), (1, 29)])
def test_each_mid_p_binomial_limit_leaves_the_tail(x: int, n: int) -> None:
    limits = binomial_mid_p(x, n, 0.9)
    low_tail = binom.sf(x, n, limits.low) + 0.5 * binom.pmf(x, n, limits.low)
    high_tail = binom.cdf(x - 1, n, limits.high) + 0.5 * binom.pmf(x, n, limits.high)
    assert low_tail == pytest.approx(0.05, rel=1e-8)
    assert high_tail == pytest.approx(0.05, rel=1e-8)


def test_published_single_proportion_limits() -> None:
    # Newcombe, Stat Med 1998;17:857, worked examples 81/263 and 15/148
    exact, mid = binomial_exact(81, 263), binomial_mid_p(81, 263)
    assert (round(exact.low, 4), round(exact.high, 4)) == (0.2527, 0.3676)
    assert (round(mid.low, 4), round(mid.high, 4)) == (0.2544, 0.3658)
    exact = binomial_exact(15, 148)
    assert (round(exact.low, 4), round(exact.high, 4)) == (0.0578, 0.1617)


@pytest.mark.parametrize("x", [1, 2, 10, 176, 5000])
def test_poisson_limits_leave_the_tail(x: int) -> None:
    exact, mid = poisson_exact(x), poisson_mid_p(x)
    assert poisson.sf(x - 1, exact.low) == pytest.approx(0.025, rel=1e-7)
    assert poisson.cdf(x, exact.high) == pytest.approx(0.025, rel=1e-7)
    low_tail = poisson.sf(x, mid.low) + 0.5 * poisson.pmf(x, mid.low)
    high_tail = poisson.cdf(x - 1, mid.high) + 0.5 * poisson.pmf(x, mid.high)
    assert low_tail == pytest.approx(0.025, rel=1e-7)
    assert high_tail == pytest.approx(0.025, rel=1e-7)


def test_mid_p_with_no_events() -> None:
    # 0.5 exp(-m) = 0.025
    assert poisson_mid_p(0).high == pytest.approx(math.log(20), rel=1e-12)
    assert binomial_mid_p(0, 7).high == pytest.approx(1 - 0.05 ** (1 / 7), rel=1e-12)
    assert binomial_mid_p(7, 7).low == pytest.approx(0.05 ** (1 / 7), rel=1e-12)


def test_normal_quantile() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054, rel=1e-12)


@pytest.mark.parametrize("value", [-1.0, 0.5, float("nan"), float("inf")])
def test_only_counts_are_counted(value: float) -> None:
    with pytest.raises(InputError, match="not a count"):
        check_count(value)


def test_bad_calls_are_refused() -> None:
    with pytest.raises(InputError, match="not possible"):
        binomial_exact(3, 2)
    with pytest.raises(InputError, match="not possible"):
        binomial_exact(0, 0)
    for level in (0.0, 1.0, 95.0):
        with pytest.raises(InputError, match="level"):
            poisson_exact(3, level)
