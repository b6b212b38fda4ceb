"""Forest and funnel plots of a synthesis."""

from __future__ import annotations

import numpy as np
import pytest

from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.moderators import subgroups
from statera.evidence.pairwise import pairwise
from statera.plot.funnel import draw_funnel, funnel_pdf
from statera.plot.study_forest import (
    Mean,
    Study,
    StudyForestOptions,
    StudyGroup,
    draw_study_forest,
    study_forest_pdf,
)
from statera.plot.synthesis_forest import heterogeneity_line, synthesis_forest
from statera.report.check import svg_problems

WORDS = {"key": "forest", "title": "Forest", "alt": "Studies."}


def counts(measure: str = "OR"):
    return effect_sizes(
        measure,
        names=["A", "B", "C", "D"],
        events_1=[12, 5, 30, np.nan],
        total_1=[100, 60, 210, 50],
        events_2=[20, 9, 28, 4],
        total_2=[102, 61, 205, 50],
    )


def test_counts_weights_heterogeneity_and_reasons_are_carried_to_the_figure() -> None:
    effects = counts()
    result = pairwise(effects)
    parts, options = synthesis_forest(result, effects, arms=("drug", "control"))
    assert options.columns == ("drug\nevents / N", "control\nevents / N")
    (group,) = parts
    assert group.studies[0].columns == ("12 / 100", "20 / 102")
    assert sum(s.weight or 0.0 for s in group.studies) == pytest.approx(100.0)
    assert group.studies[3].weight is None
    assert group.studies[3].text.startswith("left out: ")
    (mean,) = group.means
    assert (mean.estimate, mean.low, mean.high) == pytest.approx(result.natural)
    assert mean.columns == ("", "")  # a sum without D would not belong to the studies shown
    assert mean.lines == (heterogeneity_line(result),)
    assert f"χ² = {result.q:.2f}, df = 2" in mean.lines[0]
    assert mean.prediction == pytest.approx(
        tuple(np.exp([result.prediction.low, result.prediction.high]))
    )
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))


def test_person_years_and_their_totals_are_columns() -> None:
    effects = effect_sizes(
        "IRR", names=["A", "B"], events_1=[5, 9], time_1=[900, 1500], events_2=[4, 8],
        time_2=[1000, 1400],
    )  # fmt: skip
    parts, options = synthesis_forest(pairwise(effects), effects)
    assert options.columns[0] == "Arm 1\nevents / PY"
    assert parts[0].means[0].columns == ("14 / 2,400", "12 / 2,400")


def test_subgroups_have_diamonds_and_a_test_between_them() -> None:
    effects, labels = counts(), ("x", "x", "y", "y")
    found = subgroups(effects, groups=labels)
    parts, options = synthesis_forest(found.overall, effects, groups=found, labels=labels)
    assert [p.heading for p in parts] == ["x", "y", "Overall"]
    assert [len(p.studies) for p in parts] == [2, 2, 0]
    assert sum(p.means[0].weight for p in parts[:2]) == pytest.approx(100.0)
    assert parts[1].means[0].label == "Subgroup y (one study)"
    assert parts[2].lines[0].startswith("Test between subgroups: χ² = ")
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))


def test_differences_have_a_linear_axis_around_zero() -> None:
    effects = counts("RD")
    _, options = synthesis_forest(pairwise(effects), effects)
    assert (options.scale, options.reference) == ("difference", 0.0)


def test_risk_of_bias_is_a_column_with_signs_and_names() -> None:
    effects = counts()
    risk = {"rob_confounding": ("low", "high", "some concerns", "")}
    parts, options = synthesis_forest(pairwise(effects), effects, risk=risk)
    assert options.risk == ("confounding",)
    assert [s.risk for s in parts[0].studies] == [("low",), ("high",), ("some concerns",), ("",)]
    plain = draw_study_forest(*synthesis_forest(pairwise(effects), effects), **WORDS)
    marked = draw_study_forest(parts, options, **WORDS)
    for colour in ("#00805f", "#c8501e", "#7a6400"):
        assert colour in marked
        assert colour not in plain


def test_the_same_figure_gives_the_same_text_and_pdf() -> None:
    effects = counts()
    parts, options = synthesis_forest(pairwise(effects), effects)
    assert draw_study_forest(parts, options, **WORDS) == draw_study_forest(parts, options, **WORDS)
    first, second = (study_forest_pdf(parts, options, title="Forest") for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Study("a", 1.0, 0.5), "both ends"),
        (Study("a", 3.0, 0.5, 2.0), "within its interval"),
        (Mean("a", 1.0, -0.5, 2.0), "must be positive"),
    ],
)
def test_impossible_rows_are_refused(row: Study | Mean, words: str) -> None:
    group = StudyGroup("", (row,)) if isinstance(row, Study) else StudyGroup("", means=(row,))
    with pytest.raises(ValueError, match=words):
        draw_study_forest((group,), StudyForestOptions(), **WORDS)


def test_a_funnel_has_shades_only_where_there_is_a_value_of_no_effect() -> None:
    ratios = draw_funnel(pairwise(counts()), **WORDS)
    assert not svg_problems(ratios)
    assert "#c3ccd3" in ratios
    rates = effect_sizes("IRLN", names=["A", "B"], events=[5, 9], time=[900, 1500])
    assert "#c3ccd3" not in draw_funnel(pairwise(rates), **WORDS)
    assert funnel_pdf(pairwise(rates), title="Funnel").startswith(b"%PDF")


def test_imputed_studies_are_drawn_hollow() -> None:
    result = pairwise(counts())
    drawn = draw_funnel(result, filled=result.effects.take([0]), **WORDS)
    assert "#c8501e" in drawn
    assert "#c8501e" not in draw_funnel(result, **WORDS)


def test_small_rates_are_shown_with_enough_decimals() -> None:
    rates = effect_sizes("IRLN", names=["A", "B"], events=[5, 9], time=[900, 1500])
    _, options = synthesis_forest(pairwise(rates), rates)
    assert (options.decimals, options.reference) == (4, None)  # up to 0.0099
    assert synthesis_forest(pairwise(counts()), counts())[1].decimals == 2
