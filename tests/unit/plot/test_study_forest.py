"""Forest and funnel plots of a synthesis."""

from __future__ import annotations

import numpy as np
import pytest

from statera.evidence.certainty import Certainty, Domain, Grading, Judgement
from statera.evidence.diagnostics import DiagnosticsAsked, diagnose
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects
from statera.evidence.pairwise import pairwise
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.subgroup_effects import subgroup_effects
from statera.evidence.summary_of_findings import failed_finding, finding
from statera.evidence.synthesis import SynthesisMethod, SynthesisOptions, synthesise
from statera.plot.funnel import draw_funnel, funnel_pdf
from statera.plot.study_forest import (
    Mean,
    Study,
    StudyForestOptions,
    StudyGroup,
    draw_study_forest,
    legend_of_risks,
    study_forest_pdf,
)
from statera.plot.synthesis_forest import (
    heterogeneity_line,
    overall_test_line,
    overview_forest,
    stepwise_forest,
    synthesis_forest,
)
from statera.report.check import svg_problems

WORDS = {"key": "forest", "title": "Forest", "alt": "Studies."}


def counts(measure: str = "OR") -> Effects:
    return effect_sizes(
        measure,
        names=["A", "B", "C", "D"],
        events_1=[12, 5, 30, np.nan],
        total_1=[100, 60, 210, 50],
        events_2=[20, 9, 28, 4],
        total_2=[102, 61, 205, 50],
    )


def pooled(effects: Effects, method: str = "inverse") -> PooledEffect:
    return synthesise(effects, SynthesisOptions(SynthesisMethod(method))).pooled


def test_counts_weights_heterogeneity_and_reasons_are_carried_to_the_figure() -> None:
    effects = counts()
    result = pooled(effects)
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
    assert mean.lines == (heterogeneity_line(result), overall_test_line(result))
    assert mean.lines[1].startswith("Test of overall effect: z = −")
    assert f"χ² = {result.q:.2f}, df = 2" in mean.lines[0]
    assert result.prediction is not None
    assert mean.prediction == pytest.approx(tuple(np.exp(result.prediction)))
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))


def test_person_years_and_their_totals_are_columns() -> None:
    effects = effect_sizes(
        "IRR", names=["A", "B"], events_1=[5, 9], time_1=[900, 1500], events_2=[4, 8],
        time_2=[1000, 1400],
    )  # fmt: skip
    parts, options = synthesis_forest(pooled(effects), effects)
    assert options.columns[0] == "Arm 1\nevents / PY"
    assert parts[0].means[0].columns == ("14 / 2,400", "12 / 2,400")


def test_subgroups_have_diamonds_and_a_test_between_them() -> None:
    effects, labels = counts(), ("x", "x", "y", "y")
    whole = synthesise(effects)
    found = subgroup_effects(whole, labels)
    parts, options = synthesis_forest(whole.pooled, effects, groups=found)
    assert [p.heading for p in parts] == ["x", "y", "Overall"]
    assert [len(p.studies) for p in parts] == [2, 2, 0]
    assert sum(p.means[0].weight for p in parts[:2]) == pytest.approx(100.0)
    assert parts[1].means[0].label == "Subgroup y (one study)"
    assert parts[2].lines[0].startswith("Test between subgroups: χ² = ")
    assert parts[0].means[0].columns == ("17 / 160", "29 / 163")
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))


def test_differences_have_a_linear_axis_around_zero() -> None:
    effects = counts("RD")
    _, options = synthesis_forest(pooled(effects), effects)
    assert (options.scale, options.reference) == ("difference", 0.0)


def test_risk_of_bias_is_a_column_with_signs_and_names() -> None:
    effects = counts()
    risk = {"rob_confounding": ("low", "high", "some concerns", "")}
    parts, options = synthesis_forest(pooled(effects), effects, risk=risk)
    assert options.risk == ("confounding",)
    assert [s.risk for s in parts[0].studies] == [("low",), ("high",), ("some concerns",), ("",)]
    plain = draw_study_forest(*synthesis_forest(pooled(effects), effects), **WORDS)
    marked = draw_study_forest(parts, options, **WORDS)
    for colour in ("#00805f", "#c8501e", "#7a6400"):
        assert colour in marked
        assert colour not in plain


def test_means_have_the_number_of_people_as_their_total() -> None:
    effects = effect_sizes(
        "MD", mean_1=[10.1, 11.3], sd_1=[2.2, 3.0], total_1=[40, 30],
        mean_2=[9.0, 9.9], sd_2=[2.5, 2.9], total_2=[41, 28],
    )  # fmt: skip
    parts, _ = synthesis_forest(pooled(effects), effects)
    assert parts[0].studies[0].columns == ("10.1 (2.2), 40", "9 (2.5), 41")
    assert parts[-1].means[0].columns == ("70", "69")


def test_signs_of_risk_are_explained_in_the_words_of_the_table() -> None:
    said = ("moderate", "serious", "critical", "serious", "", "low", "+")
    legend = legend_of_risks(said)
    assert legend == "+ low; ? moderate; \N{MINUS SIGN} serious; ! critical; empty: not judged"
    assert legend_of_risks(("no information", "Low risk")) == "+ Low risk; empty: no information"
    effects = counts()
    figures = []
    for worst in ("serious", "critical"):
        risk = {"rob_overall": ("moderate", worst, "low", "")}
        figures.append(draw_study_forest(
            *synthesis_forest(pooled(effects), effects, risk=risk), **WORDS
        ))  # fmt: skip
    assert figures[0] != figures[1]


def test_the_same_figure_gives_the_same_text_and_pdf() -> None:
    effects = counts()
    parts, options = synthesis_forest(pooled(effects), effects)
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
    _, options = synthesis_forest(pooled(rates), rates)
    assert (options.decimals, options.reference) == (4, None)  # up to 0.0099
    assert synthesis_forest(pooled(counts()), counts())[1].decimals == 2


def test_weights_are_those_of_the_method_and_absent_where_it_has_none() -> None:
    effects = counts()
    parts, options = synthesis_forest(pooled(effects, "mh"), effects)
    b, c, n = (np.array(x) for x in ([88, 55, 180], [20, 9, 28], [202, 121, 415]))
    shares = b * c / n
    found = [s.weight for s in parts[0].studies[:3]]
    assert found == pytest.approx(100.0 * shares / shares.sum())
    assert parts[0].studies[3].text.startswith("left out: ")
    bare, options = synthesis_forest(pooled(effects, "bayes"), effects)
    assert options.estimate_head == "OR (95 % CrI)"
    assert all(s.weight is None for s in bare[0].studies)
    assert [s.size for s in bare[0].studies][3] is None
    assert bare[0].means[0].lines[-1].startswith("Heterogeneity: τ² = ")  # a posterior has no test
    assert "Weight" not in draw_study_forest(bare, options, **WORDS)


def test_certainty_is_said_below_with_symbols_and_word() -> None:
    effects = counts()
    grading = Grading(
        "x", None, (Judgement(Domain.IMPRECISION, "serious", 1, "wide interval"),), Certainty.LOW
    )
    parts, options = synthesis_forest(pooled(effects), effects, grading=grading)
    assert parts[0].lines == (
        "Certainty of evidence (GRADE): ⊕⊕◯◯ low – lowered by 1 level for imprecision: wide "
        "interval",
    )
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))
    assert synthesis_forest(pooled(effects), effects)[0][0].lines == ()


def test_each_left_out_and_added_are_rows_and_failures_say_so() -> None:
    whole = synthesise(counts())
    asked = DiagnosticsAsked(leave_one_out=True, cumulative=True)
    found = diagnose(whole, asked)
    assert found.leave_one_out is not None
    parts, options = stepwise_forest(found.leave_one_out, whole.pooled, word="without")
    assert [s.label for s in parts[0].studies] == ["without A", "without B", "without C"]
    assert parts[0].means[0].estimate == pytest.approx(whole.pooled.natural[0])
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))
    steps = (("A", "nothing to pool"),)
    assert stepwise_forest(steps, whole.pooled, word="+")[0][0].studies[0].text == "not pooled"


def test_an_overview_has_a_diamond_and_a_certainty_an_outcome() -> None:
    effect = pooled(counts())
    rows = (finding("harm", effect), failed_finding("benefit", "no study"))
    parts, options = overview_forest(rows)
    assert parts[0].means[0].columns == ("3", "not rated")
    assert parts[1].studies[0].text == "not pooled"
    assert not svg_problems(draw_study_forest(parts, options, **WORDS))
    with pytest.raises(ValueError, match="no common axis"):
        overview_forest((finding("a", effect), finding("b", pooled(counts("RD")))))
