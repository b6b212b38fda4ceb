"""The Hill equation with points and bounds, and the choice of concentration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from statera.engagement.basis import RULES, concentration_basis
from statera.engagement.inhibition import inhibition, inhibition_at
from statera.engagement.potency import Potency
from statera.errors import InputError
from statera.sources.fact import Relation


def test_half_at_the_ic50_whatever_the_slope() -> None:
    for hill in (0.5, 1.0, 2.0, 10.0):
        assert inhibition_at(5.9, Potency("x", 5.9, "nM", hill=hill)).low == pytest.approx(0.5)


def test_hill_equation_by_hand() -> None:
    band = inhibition([0.0, 10.0, 40.0], Potency("x", 20.0, "nM", hill=2.0))
    assert band.low == pytest.approx([0.0, 100 / 500, 1600 / 2000])
    assert band.is_point
    assert band.high is band.low


def test_bounds_stay_bounds() -> None:
    below = inhibition([0.0, 80.0], Potency("x", 50.0, "nM", Relation.LESS))
    assert below.low == pytest.approx([0.0, 80 / 130])
    # Without drug nothing is inhibited, however potent the drug.
    assert below.high.tolist() == [0.0, 1.0]
    above = inhibition([0.0, 80.0], Potency("x", 400.0, "nM", Relation.GREATER))
    assert above.low.tolist() == [0.0, 0.0]
    assert above.high == pytest.approx([0.0, 80 / 480])
    span = inhibition([80.0], Potency("x", None, "nM", Relation.RANGE, 20.0, 80.0))
    assert (span.low[0], span.high[0]) == (pytest.approx(0.5), pytest.approx(0.8))
    assert not span.is_point


def test_extreme_values_do_not_overflow() -> None:
    steep = Potency("x", 1e-3, "nM", hill=10.0)
    assert inhibition([0.0, 1e-300, 1e300], steep).low.tolist() == [0.0, 0.0, 1.0]


def test_shape_is_kept() -> None:
    band = inhibition(np.ones((3, 5)), Potency("x", 1.0, "nM", Relation.LESS))
    assert band.low.shape == band.high.shape == (3, 5)


def test_solver_noise_is_zero_and_negative_is_refused() -> None:
    potency = Potency("x", 1.0, "nM", Relation.LESS)
    assert inhibition([-1e-12, 5.0], potency).high.tolist() == [0.0, 1.0]
    for bad in ([-0.1, 5.0], [math.nan], [math.inf], [-1.0]):
        with pytest.raises(InputError, match="concentration"):
            inhibition(bad, potency)
    with pytest.raises(InputError, match="ng/mL"):
        inhibition([1.0], Potency("x", 1.0, "ng/mL"))


@pytest.mark.parametrize(
    ("matrix", "fraction", "kind", "factor", "rule"),
    [
        ("enzyme", 0.5, "unbound", 0.5, "enzyme_unbound"),
        ("cell", 0.5, "unbound", 0.5, "cell_unbound"),
        ("whole_blood", 0.5, "total", 1.0, "blood_total"),
        ("ex_vivo_blood", None, "total", 1.0, "blood_total"),
        ("enzyme", None, "total", 1.0, "fraction_unknown_total"),
        ("unknown", 0.5, "total", 1.0, "matrix_unknown_total"),
    ],
)
def test_which_concentration(
    matrix: str, fraction: float | None, kind: str, factor: float, rule: str
) -> None:
    potency = Potency("x", 1.0, "nM", matrix=matrix)  # type: ignore[arg-type]
    basis = concentration_basis(potency, fraction)
    assert (basis.kind, basis.factor, basis.rule) == (kind, factor, RULES[rule])
    assert basis.is_flagged is RULES[rule].flagged
    assert basis.apply(np.array([10.0])).tolist() == [10.0 * factor]


def test_only_the_makeshift_rules_are_flagged() -> None:
    flagged = {key for key, rule in RULES.items() if rule.flagged}
    assert flagged == {"fraction_unknown_total", "matrix_unknown_total"}


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1, math.nan])
def test_impossible_fractions_are_refused(fraction: float) -> None:
    with pytest.raises(InputError, match="not possible"):
        concentration_basis(Potency("x", 1.0, "nM"), fraction)
