"""Rates and crude rate ratios against hand calculations and their definitions."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom

from statera.errors import InputError
from statera.evidence.rates import (
    CrudeRateRatio,
    crude_rate_ratio,
    incidence_rate,
    ratio_of_printed_rates,
)


def test_rate_per_100_person_years() -> None:
    rate = incidence_rate(54, 5879, label="MACE")
    assert rate.per_100 == pytest.approx(100 * 54 / 5879)
    assert rate.interval.low < rate.per_100 < rate.interval.high


def test_rate_without_events() -> None:
    rate = incidence_rate(0, 250)
    assert rate.per_100 == 0.0
    assert rate.interval.low == 0.0
    assert rate.interval.high == pytest.approx(-math.log(0.025) / 2.5)


@pytest.mark.parametrize(("x1", "t1", "x2", "t2"), [(54, 5879, 39, 6512), (10, 10913, 1, 5526)])
def test_exact_ratio_limits_leave_the_tail(x1: int, t1: float, x2: int, t2: float) -> None:
    ratio = crude_rate_ratio(incidence_rate(x1, t1), incidence_rate(x2, t2))
    assert ratio.estimate == pytest.approx(x1 * t2 / (x2 * t1))

    def share(r: float) -> float:
        return r * t1 / (r * t1 + t2)

    assert binom.sf(x1 - 1, x1 + x2, share(ratio.exact.low)) == pytest.approx(0.025, rel=1e-8)
    assert binom.cdf(x1, x1 + x2, share(ratio.exact.high)) == pytest.approx(0.025, rel=1e-8)
    assert ratio.exact.low < ratio.mid_p.low < ratio.estimate
    assert ratio.estimate < ratio.mid_p.high < ratio.exact.high


def test_groups_without_events() -> None:
    none, some = incidence_rate(0, 100, label="none"), incidence_rate(4, 100, label="some")
    above = crude_rate_ratio(some, none)
    assert above.estimate == math.inf
    assert above.exact.high == math.inf
    # 0.025 = p^4 gives p, and p / (1 - p) the limit
    p = 0.025**0.25
    assert above.exact.low == pytest.approx(p / (1 - p))
    below = crude_rate_ratio(none, some)
    assert below.estimate == 0.0
    assert below.exact.low == 0.0
    assert below.exact.high == pytest.approx((1 - p) / p)
    nothing = crude_rate_ratio(none, none)
    assert not nothing.is_defined
    assert (nothing.exact.low, nothing.exact.high) == (0.0, math.inf)


def test_a_crude_ratio_is_not_called_a_hazard_ratio() -> None:
    assert "hazard" in (CrudeRateRatio.__doc__ or "")
    names = set(CrudeRateRatio.__dataclass_fields__) | set(dir(CrudeRateRatio))
    assert not [n for n in names if "hazard" in n.lower() or n.lower() == "hr"]


def test_ratio_of_printed_rates_has_rounding_and_no_interval() -> None:
    ratio = ratio_of_printed_rates(0.72, 0.66)
    assert ratio.estimate == pytest.approx(0.72 / 0.66)
    assert ratio.rounding.low == pytest.approx(0.715 / 0.665)
    assert ratio.rounding.high == pytest.approx(0.725 / 0.655)
    assert ratio_of_printed_rates(0, 0.66, decimals=2).rounding.low == 0.0
    assert ratio_of_printed_rates(1.0, 0.3, decimals=0).rounding.high == math.inf


def test_bad_rates_are_refused() -> None:
    for years in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(InputError, match="not a time at risk"):
            incidence_rate(3, years)
    with pytest.raises(InputError, match="not a count"):
        incidence_rate(34.7, 100)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no ratio"):
        ratio_of_printed_rates(0.5, 0.0)
