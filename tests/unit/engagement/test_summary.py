"""Averages and times over a profile against closed forms and adaptive quadrature."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from statera.engagement.potency import Potency
from statera.engagement.summary import summarise, summarise_population
from statera.errors import InputError
from statera.sources.fact import Relation


def oral(t: np.ndarray | float, dose: float = 100.0) -> np.ndarray:
    """Return a one-compartment profile at steady state, ka 1.2/h, k 0.08/h, every 24 h."""
    ka, k, tau = 1.2, 0.08, 24.0
    slow = np.exp(-k * np.asarray(t)) / (1 - math.exp(-k * tau))
    fast = np.exp(-ka * np.asarray(t)) / (1 - math.exp(-ka * tau))
    return np.asarray(dose * ka / (ka - k) * (slow - fast))


@pytest.mark.parametrize("hill", [0.5, 1.0, 1.97, 4.0])
@pytest.mark.parametrize("ic50", [0.5, 20.0, 60.0, 500.0])
def test_average_of_an_exponential_is_exact_on_any_grid(hill: float, ic50: float) -> None:
    # average = [ln(1 + (C0/K)^h) - ln(1 + (C1/K)^h)] / (h k T)
    k, span, start = 0.1, 24.0, 80.0
    end = start * math.exp(-k * span)
    exact = math.log((1 + (start / ic50) ** hill) / (1 + (end / ic50) ** hill)) / (hill * k * span)
    for n in (2, 5, 200):
        times = np.linspace(0.0, span, n)
        got = summarise(times, start * np.exp(-k * times), Potency("x", ic50, "nM", hill=hill))
        assert got.average.low == got.average.high == pytest.approx(exact, abs=1e-10)


@pytest.mark.parametrize("hill", [0.3, 0.5, 1.0, 1.97, 4.0, 10.0])
@pytest.mark.parametrize("ic50", [1e-4, 0.05, 3.0, 20.0, 100.0, 1000.0, 1e7])
def test_average_of_a_straight_rise(hill: float, ic50: float) -> None:
    got = summarise([0.0, 2.0], [0.0, 100.0], Potency("x", ic50, "nM", hill=hill))

    def curve(t: float) -> float:
        c = 50.0 * t
        return c**hill / (c**hill + ic50**hill)

    # Adaptive quadrature by octaves, because the curve may bend within a thousandth of the range.
    edges = [0.0, *(2.0 * 2.0**-i for i in range(40, -1, -1))]
    parts = [quad(curve, a, b, epsabs=1e-14)[0] for a, b in itertools.pairwise(edges)]
    exact = math.fsum(parts) / 2.0
    assert got.average.low == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("hill", [1.0, 1.97])
@pytest.mark.parametrize("ic50", [10.0, 50.0, 400.0])
def test_average_of_a_daily_profile(hill: float, ic50: float) -> None:
    potency = Potency("x", ic50, "nM", hill=hill)

    def curve(t: float) -> float:
        c = float(oral(t)) ** hill
        return c / (c + ic50**hill)

    exact = quad(curve, 0.0, 24.0, epsabs=1e-12, limit=500)[0] / 24.0
    times = np.arange(0.0, 24.0 + 1e-9, 0.1)
    assert summarise(times, oral(times), potency).average.low == pytest.approx(exact, abs=1e-4)


def test_time_above_on_a_daily_profile() -> None:
    times = np.arange(0.0, 24.0 + 1e-9, 0.1)
    fine = np.linspace(0.0, 24.0, 2_400_001)
    for threshold in (20.0, 50.0, 100.0):
        share = float(np.mean(oral(fine) > threshold)) * 24.0
        got = summarise(times, oral(times), Potency("x", threshold, "nM")).hours_above_ic50
        # The rise is curved and the grid 0.1 h: straight interpolation is good to seconds.
        assert got.low == got.high == pytest.approx(share, abs=5e-3)


def test_crossings_are_interpolated() -> None:
    # Up in a straight line, crossing 50 at 1 h; down on a log line from 100 to 25 over 4 h,
    # crossing 50 half-way, at 4 h.
    got = summarise([0.0, 2.0, 6.0], [0.0, 100.0, 25.0], Potency("x", 50.0, "nM"))
    assert got.hours_above_ic50.low == pytest.approx(3.0 / 6.0 * 24.0)
    # A fall to nothing has no logarithm and is taken as a straight line.
    got = summarise([0.0, 1.0], [100.0, 0.0], Potency("x", 25.0, "nM"))
    assert got.hours_above_ic50.low == pytest.approx(18.0)


def test_a_half_day_interval_is_scaled_to_a_day() -> None:
    times = np.linspace(0.0, 12.0, 50)
    got = summarise(times, np.full(50, 80.0), Potency("x", 50.0, "nM"))
    assert got.hours_above_ic50.low == pytest.approx(24.0)
    assert got.span == 12.0


def test_a_bound_potency_bounds_everything() -> None:
    times = np.arange(0.0, 24.5, 0.5)
    below = summarise(times, oral(times), Potency("x", 50.0, "nM", Relation.LESS))
    point = summarise(times, oral(times), Potency("x", 50.0, "nM"))
    assert below.relation is Relation.LESS
    for name in ("average", "maximum", "minimum", "hours_above_ic50"):
        assert getattr(below, name).low == getattr(point, name).low
        assert getattr(point, name).is_point
    assert below.average.high == below.maximum.high == below.minimum.high == 1.0
    assert below.hours_above_ic50.high == pytest.approx(24.0)
    above = summarise(times, oral(times), Potency("x", 50.0, "nM", Relation.GREATER))
    for name in ("average", "maximum", "minimum", "hours_above_ic50"):
        assert getattr(above, name).high == getattr(point, name).high
        assert getattr(above, name).low == 0.0


def test_no_drug_is_no_inhibition_even_for_a_bound() -> None:
    got = summarise([0.0, 12.0, 24.0], [0.0, 0.0, 0.0], Potency("x", 50.0, "nM", Relation.LESS))
    assert got.average.high == got.maximum.high == got.hours_above_ic50.high == 0.0


def test_population_rows_equal_single_profiles() -> None:
    times = np.arange(0.0, 24.5, 0.5)
    many = np.stack([oral(times, dose) for dose in (25.0, 100.0, 400.0)])
    potency = Potency("x", 50.0, "nM", Relation.LESS, hill=1.5)
    population = summarise_population(times, many, potency)
    for i, row in enumerate(many):
        single = summarise(times, row, potency)
        assert population.average.low[i] == pytest.approx(single.average.low, abs=1e-14)
        assert population.hours_above_ic50.low[i] == pytest.approx(single.hours_above_ic50.low)
    middle = population.quantile(0.5)
    assert middle.average.low == pytest.approx(population.average.low[1])
    with pytest.raises(InputError, match="not a quantile"):
        population.quantile(50)


def test_inputs_that_do_not_fit_are_refused() -> None:
    potency = Potency("x", 50.0, "nM")
    with pytest.raises(InputError, match="do not fit"):
        summarise([0.0, 1.0], [1.0, 2.0, 3.0], potency)
    with pytest.raises(InputError, match="one profile"):
        summarise([0.0, 1.0], [[1.0, 2.0]], potency)
    for times in ([0.0, 0.0], [1.0, 0.0], [0.0, math.nan]):
        with pytest.raises(InputError, match="increase"):
            summarise(times, [1.0, 2.0], potency)
    with pytest.raises(InputError, match="increase"):
        summarise([0.0], [1.0], potency)
    with pytest.raises(InputError, match="ng/mL"):
        summarise([0.0, 1.0], [1.0, 2.0], Potency("x", 50.0, "ng/mL"))
