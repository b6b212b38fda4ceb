"""The printed synthesis: order of blocks, no stars, notes and outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from statera.evidence.bias import trim_and_fill
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import effects_of
from statera.evidence.moderators import subgroups
from statera.evidence.pairwise import PairwiseOptions, pairwise
from statera.evidence.print_text import (
    p_text,
    print_pairwise,
    print_subgroups,
    print_trim_and_fill,
)

STUDIES = effects_of(
    [0.1, 0.9, -0.4, 1.6, 0.5, 2.2, np.nan],
    [0.05, 0.2, 0.1, 0.3, 0.08, 0.15, 1.0],
    list("abcdefg"),
    "OR",
    group=list("xxyyxyx"),
)


def test_blocks_come_in_their_order() -> None:
    text = print_pairwise(pairwise(STUDIES), show_fit=True)
    order = (
        "Random-Effects Model (k = 6; tau^2 estimator: REML)",
        "logLik",
        "tau^2 (estimated amount of total heterogeneity):",
        "tau (square root of estimated tau^2 value):",
        "I^2 (total heterogeneity / total variability):",
        "H^2 (total variability / sampling variability):",
        "Test for Heterogeneity:\nQ(df = 5) =",
        "Model Results:\n\nestimate",
        "Odds ratio:",
        "Prediction interval, 95 % (z: normal quantile):",
        "Left out: g (the effect is missing).",
    )
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "*" not in text


def test_regressions_print_their_moderators() -> None:
    found = pairwise(STUDIES, PairwiseOptions(test="knha"), {"age": [1.0, 2, 3, 4, 5, 7, 8]})
    text = print_pairwise(found)
    assert "Mixed-Effects Model" in text
    assert "Test of Moderators (coefficient 2):\nF(df1 = 1, df2 = 4) =" in text
    assert text.index("R^2") < text.index("QE(df = 4)") < text.index("F(df1")
    assert "tval  df" in text
    assert "\nage " in text


def test_outcomes_are_sentences() -> None:
    one = print_pairwise(pairwise(STUDIES.take([0])))
    assert "Note: only one study" in one
    none = print_pairwise(pairwise(STUDIES.take([6])))
    assert "No study has an effect that can be pooled" in none
    assert "Left out: g" in none
    common = print_pairwise(pairwise(STUDIES, PairwiseOptions(tau2="common")))
    assert common.startswith("Common-Effect Model (k = 6)\n")
    assert "tau^2" not in common


def test_wald_is_printed_beside_a_narrower_hartung_knapp() -> None:
    close = effects_of([0.5, 0.52, 0.48, 0.51, 0.5], [0.1, 0.2, 0.1, 0.3, 0.2], measure="HR")
    found = pairwise(close, PairwiseOptions(test="knha"))
    wald = pairwise(close)
    assert found.wald_interval == pytest.approx(wald.interval)
    assert f"Wald's interval, 95 %: {wald.interval[0]:.4f}" in print_pairwise(found)
    assert "Wald's interval" not in print_pairwise(wald)


def test_small_p_values() -> None:
    assert p_text(0.00004) == "< .0001"
    assert p_text(0.00004, with_sign=False) == "<.0001"
    assert p_text(0.0312) == "= 0.0312"
    assert p_text(float("nan")) == "= NA"


def test_subgroups_and_trim_and_fill() -> None:
    text = print_subgroups(subgroups(STUDIES))
    assert text.splitlines()[0].split() == [
        "subgroup", "k", "estimate", "ci.lb", "ci.ub", "tau^2", "I^2",
    ]  # fmt: skip
    assert "Test between subgroups:\nQM(df = 1) =" in text
    filled = print_trim_and_fill(trim_and_fill(pairwise(STUDIES), "R0"))
    assert "Estimated number of missing studies on the" in filled
    assert "Test of H0: no missing studies" in filled


def test_pooled_rates_are_also_printed_per_hundred() -> None:
    rates = effect_sizes("IRLN", events=[5, 8, 11], time=[500.0, 700.0, 900.0])
    result = pairwise(rates, PairwiseOptions(tau2="EE"))
    middle, low, high = (100.0 * one for one in result.natural)
    assert f"Per 100 units of time at risk: {middle:.2f} ({low:.2f} to {high:.2f})" in (
        print_pairwise(result)
    )
