"""Effects from what papers print: identities, ways of one row, rows that give nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.errors import InputError, UnknownNameError, UsageError
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects, effects_of
from statera.evidence.measures import MEASURES, measure_of
from statera.evidence.proportions import Arm, odds_ratio, risk_ratio
from statera.evidence.zero_cells import EffectSizeOptions

COUNT = st.integers(1, 400)


@given(a=COUNT, b=COUNT, c=COUNT, d=COUNT)
def test_ratios_are_those_of_single_tables_and_turn_with_the_arms(
    a: int, b: int, c: int, d: int
) -> None:
    for code, single in (("RR", risk_ratio), ("OR", odds_ratio)):
        one = effect_sizes(code, events_1=[a], non_events_1=[b], events_2=[c], non_events_2=[d])
        other = effect_sizes(code, events_1=[c], non_events_1=[d], events_2=[a], non_events_2=[b])
        assert one.y[0] == pytest.approx(-other.y[0], abs=1e-12)
        assert one.v[0] == pytest.approx(other.v[0])
        assert math.exp(one.y[0]) == pytest.approx(
            single(Arm("", a, a + b), Arm("", c, c + d)).estimate
        )


def test_a_ratio_comes_back_from_its_interval() -> None:
    y, se = math.log(1.7), 0.21
    low, high = (math.exp(y + side * 1.959963984540054 * se) for side in (-1, 1))
    p = math.erfc(abs(y / se) / math.sqrt(2.0))
    for columns in (
        {"estimate": [1.7], "low": [low], "high": [high]},
        {"estimate": [1.7], "se": [se]},
        {"estimate": [1.7], "p": [p]},
        {"y": [y], "v": [se**2]},
        {"y": [y], "se": [se]},
        {"o_minus_e": [y / se**2], "o_minus_e_variance": [1.0 / se**2]},
    ):
        found = effect_sizes("HR", **columns)
        assert found.y[0] == pytest.approx(y)
        assert found.v[0] == pytest.approx(se**2, rel=1e-9)


def test_levels_may_differ_by_row() -> None:
    found = effect_sizes(
        "MD", estimate=[1.0, 1.0], low=[0.0, 0.0], high=[2.0, 2.0], level=[0.95, 0.90]
    )
    assert found.se == pytest.approx([1 / 1.959964, 1 / 1.644854], rel=1e-6)


def test_a_published_estimate_goes_before_the_counts_beside_it() -> None:
    found = effect_sizes(
        "OR",
        names=["both", "counts"],
        estimate=[2.0, None],
        low=[1.0, None],
        high=[4.0, None],
        events_1=[10, 10],
        total_1=[100, 100],
        events_2=[10, 5],
        total_2=[100, 100],
    )
    assert found.y[0] == pytest.approx(math.log(2.0))
    assert found.columns["derived_from"] == (
        "estimate and interval",
        "events and members of two arms",
    )
    assert "different ways" in found.notes[-1]


def test_corrections_are_said_and_can_be_chosen() -> None:
    table = {"events_1": [0, 3], "total_1": [10, 10], "events_2": [2, 4], "total_2": [10, 10]}
    plain = effect_sizes("OR", **table)
    assert "0.5 was added to every cell of 1 study (study 1)" in plain.notes
    assert plain.y[0] == pytest.approx(math.log(0.5 / 10.5) - math.log(2.5 / 8.5))
    none = effect_sizes("OR", options=EffectSizeOptions(add_to="none"), **table)
    assert none.omitted() == (
        ("study 1", "an empty cell leaves the effect undefined, and nothing was added"),
    )
    every = effect_sizes("OR", options=EffectSizeOptions(add_to="all"), **table)
    assert every.y[1] != plain.y[1]
    untouched = effect_sizes("AS", **table)
    assert untouched.notes == ()


def test_double_zeros_can_be_dropped_by_name() -> None:
    table = {"events_1": [0, 3], "time_1": [10, 10], "events_2": [0, 4], "time_2": [10, 10]}
    kept = effect_sizes("IRR", **table)
    assert kept.is_usable.tolist() == [True, True]
    dropped = effect_sizes("IRR", options=EffectSizeOptions(drop_double_zero=True), **table)
    assert dropped.omitted() == (("study 1", "no events in both arms"),)
    assert np.isnan(dropped.y[0])


@pytest.mark.parametrize(
    ("code", "columns", "said"),
    [
        ("OR", {"events_1": [11], "total_1": [10], "events_2": [1], "total_2": [5]}, "more events"),
        ("OR", {"events_1": [1], "total_1": [0], "events_2": [1], "total_2": [5]}, "no members"),
        ("IRR", {"events_1": [1], "time_1": [0], "events_2": [1], "time_2": [5]}, "no person-time"),
        ("HR", {"estimate": [2], "low": [2.5], "high": [3]}, "between its limits"),
        ("HR", {"estimate": [2], "low": [-1], "high": [3]}, "above 0"),
        ("HR", {"y": [0.1], "v": [-0.2]}, "variance is not above 0"),
        ("HR", {"estimate": [1.0], "p": [0.5]}, "no standard error"),
        ("HR", {"estimate": [1.2], "p": [1.5]}, "between 0 and 1"),
        ("HR", {"estimate": [None], "low": [0.5], "high": [2]}, "none of the ways"),
        ("PR", {"events": [0], "total": [0]}, "no members"),
        ("MN", {"mean": [1], "sd": [-1], "total": [5]}, "below 0"),
    ],
)
def test_a_row_without_an_effect_says_why(
    code: str, columns: dict[str, list[float]], said: str
) -> None:
    found = effect_sizes(code, **columns)
    assert not found.is_usable[0]
    assert said in found.omitted()[0][1]


def test_one_group_scales_come_back() -> None:
    for code in ("PR", "PLN", "PLO", "PAS", "PFT"):
        found = effect_sizes(code, events=[30], total=[120])
        assert found.natural(found.y)[0] == pytest.approx(0.25, abs=1e-9)
    for code in ("IR", "IRLN", "IRS", "IRFT"):
        found = effect_sizes(code, events=[30], time=[120.0])
        assert found.natural(found.y)[0] == pytest.approx(0.25, rel=1e-9)
    found = effect_sizes("MNLN", mean=[4.0], sd=[1.0], total=[10])
    assert found.natural(found.y)[0] == pytest.approx(4.0)


def test_standardised_differences_do_not_depend_on_the_unit() -> None:
    arms = {"total_1": [20], "total_2": [25]}
    one = effect_sizes("SMD", mean_1=[5], sd_1=[2], mean_2=[4], sd_2=[1.5], **arms)
    other = effect_sizes("SMD", mean_1=[50], sd_1=[20], mean_2=[40], sd_2=[15], **arms)
    assert one.y == pytest.approx(other.y)
    assert one.v == pytest.approx(other.v)
    equal = effect_sizes("SMDH", mean_1=[5], sd_1=[2], mean_2=[4], sd_2=[2], **arms)
    assert equal.y == pytest.approx(
        effect_sizes("SMD", mean_1=[5], sd_1=[2], mean_2=[4], sd_2=[2], **arms).y
    )


def test_calls_that_cannot_be_right_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="effect measure"):
        effect_sizes("ORR", y=[1], v=[1])
    with pytest.raises(UsageError, match="do not lead to a hazard ratio"):
        effect_sizes("HR", events_1=[1], total_1=[2])
    with pytest.raises(UsageError, match="'hazard' is not a column"):
        effect_sizes("HR", hazard=[1])
    with pytest.raises(InputError, match="differ in length"):
        effect_sizes("HR", y=[1, 2], v=[1])
    with pytest.raises(InputError, match="not a number"):
        effect_sizes("HR", y=["one"], v=[1])
    with pytest.raises(InputError, match="not between 0 and 1"):
        effect_sizes("MD", estimate=[1], low=[0], high=[2], level=[95])


def test_effects_keep_together() -> None:
    found = effects_of([0.1, np.nan, 0.3], [1.0, 1.0, -1.0], list("abc"), "hr", group="xxy")
    assert found.log
    assert found.usable().names == ("a",)
    assert dict(found.omitted()) == {
        "b": "the effect is missing",
        "c": "the variance -1 is not above 0",
    }
    assert found.take([2, 0]).group == ("y", "x")
    with pytest.raises(InputError, match="do not belong"):
        Effects("HR", np.ones(2), np.ones(2), ("a",))
    with pytest.raises(InputError, match="column 'group'"):
        effects_of([1.0], [1.0], group=["x", "y"])


def test_measures_are_named_once() -> None:
    assert measure_of(" irr ").name == "incidence rate ratio"
    assert MEASURES["OR"].ratio
    assert not MEASURES["PLN"].ratio
