"""Inhibition from a log-normal IC50: exact quantiles, held against drawn ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from statera.engagement import (
    Ic50Uncertainty,
    Potency,
    Spread,
    at_quantile,
    has_distribution,
    ic50_draws,
    inhibition,
    inhibition_quantiles,
    summarise,
)
from statera.errors import InputError
from statera.sources.fact import Relation

FITTED = Potency(
    "x", 40.0, "nM", hill=1.4, hill_assumed=False,
    uncertainty=Ic50Uncertainty(0.12, 0.35, 30.0, 55.0, 0.95, 6),
)  # fmt: skip
NORMAL_95 = 1.6448536269514722


def test_the_parts_add_up_as_variances() -> None:
    known = FITTED.uncertainty
    assert known is not None
    assert known.ln_sd(Spread.MEAN) == 0.12
    assert known.ln_sd(Spread.BETWEEN) == 0.35
    assert known.ln_sd(Spread.PERSON) == pytest.approx(math.sqrt(0.12**2 + 0.35**2))
    alone = replace(known, ln_sd_between=None)
    assert alone.ln_sd(Spread.BETWEEN) is None
    assert alone.ln_sd(Spread.PERSON) == 0.12
    assert Ic50Uncertainty().ln_sd(Spread.PERSON) is None


@pytest.mark.parametrize("spread", list(Spread))
def test_quantiles_of_inhibition_by_hand(spread: Spread) -> None:
    """At the IC50, I = 1 / (1 + (K / IC50)^h), which falls with K."""
    known = FITTED.uncertainty
    assert known is not None
    sd = known.ln_sd(spread)
    assert sd is not None
    low, middle, high = inhibition_quantiles([40.0], FITTED, (0.05, 0.5, 0.95), spread)[:, 0]
    assert middle == pytest.approx(0.5)
    assert low == pytest.approx(1.0 / (1.0 + math.exp(1.4 * NORMAL_95 * sd)), rel=1e-12)
    assert high == pytest.approx(1.0 - low, rel=1e-12)


def test_quantiles_are_those_of_draws() -> None:
    concentration = np.array([0.0, 3.0, 40.0, 400.0])
    draws = ic50_draws(FITTED, 100_000, np.random.default_rng(1))
    drawn = np.stack([inhibition(concentration, replace(FITTED, value=k)).low for k in draws[:4]])
    c, k = concentration[None, :], draws[:, None]
    many = c**1.4 / (c**1.4 + k**1.4)
    np.testing.assert_allclose(drawn, many[:4], rtol=1e-12)
    exact = inhibition_quantiles(concentration, FITTED, (0.05, 0.95))
    np.testing.assert_allclose(exact, np.quantile(many, [0.05, 0.95], axis=0), atol=4e-3)
    assert exact[:, 0].tolist() == [0.0, 0.0]


def test_averages_keep_the_order_of_the_ic50() -> None:
    times, course = np.linspace(0.0, 24.0, 49), 80.0 * np.exp(-0.1 * np.linspace(0.0, 24.0, 49))
    averages = [
        summarise(times, course, at_quantile(FITTED, p)).average.low for p in (0.05, 0.5, 0.95)
    ]
    assert averages == sorted(averages, reverse=True)
    assert averages[1] == pytest.approx(summarise(times, course, FITTED).average.low)


def test_no_distribution_no_quantile() -> None:
    bound = replace(FITTED, relation=Relation.AT_LEAST)
    assert not has_distribution(bound)
    with pytest.raises(InputError, match="known only as a bound"):
        inhibition_quantiles([1.0], bound, (0.5,))
    plain = Potency("x", 40.0, "nM")
    assert not has_distribution(plain)
    with pytest.raises(InputError, match="spread"):
        at_quantile(plain, 0.5)
    one_donor = replace(FITTED, uncertainty=Ic50Uncertainty(0.1))
    assert has_distribution(one_donor)
    assert not has_distribution(one_donor, Spread.BETWEEN)
    with pytest.raises(InputError, match="not a quantile"):
        at_quantile(FITTED, 1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ln_se": -0.1}, {"ln_se": math.nan}, {"ln_sd_between": math.inf}, {"level": 95.0},
        {"low": 3.0, "high": 2.0}, {"donors": 0},
    ],
)  # fmt: skip
def test_impossible_numbers(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Ic50Uncertainty(**wrong)  # type: ignore[arg-type]


def test_intervals_change_units_with_the_value() -> None:
    mass = Potency("x", 20.0, "ng/mL", uncertainty=Ic50Uncertainty(0.1, None, 10.0, 40.0)).in_nM(
        500.0
    )
    assert mass.value == pytest.approx(40.0)
    assert mass.uncertainty is not None
    assert (mass.uncertainty.low, mass.uncertainty.high) == pytest.approx((20.0, 80.0))
