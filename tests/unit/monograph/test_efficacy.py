"""The section on efficacy: differences, intervals where they are possible, exposure-response."""

import json
import math
from functools import lru_cache

import pytest

from statera.evidence.proportions import Arm, risk_difference
from statera.library import drugs, load_drug
from statera.monograph.context import Context, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import efficacy
from statera.monograph.sections.efficacy_contrasts import (
    contrasts,
    derived_difference,
)
from statera.monograph.sections.efficacy_exposure import haemoglobin_ratio, latent_effect
from statera.monograph.sections.efficacy_words import arm_text, endpoint_text, time_text
from statera.report.check import inlines, svg_problems
from statera.report.document import Callout, Cell, Figure, Table
from statera.report.json import plain


@lru_cache(maxsize=4)
def simulated(name):
    return make_context(name, MonographOptions(n=20, workers=1))


@lru_cache(maxsize=1)
def baricitinib():
    return efficacy.section(simulated("baricitinib"))


def find(trial, arm, endpoint, control="placebo", time="wk12"):
    found = contrasts(load_drug("baricitinib").facts_in("efficacy"))
    return next(
        c
        for c in found
        if (c.trial, c.treated.get("arm"), c.endpoint, c.treated.get("timepoint"))
        == (trial, arm, endpoint, time)
        and (c.control is None or c.control.get("arm") == control)
    )


def table(section, words):
    return next(b for b in section.blocks if isinstance(b, Table) and words in b.caption)


@pytest.mark.parametrize("name", drugs())
def test_every_drug_has_a_section_that_says_what_is_missing(name):
    section = efficacy.section(Context(load_drug(name), MonographOptions(), ()))
    cells = [c for b in section.blocks for c in inlines(b) if isinstance(c, Cell)]
    assert section.blocks
    assert {c.method for c in cells if c.method} <= {m.key for m in efficacy.METHODS}
    assert all(not svg_problems(b.svg) for b in section.blocks if isinstance(b, Figure))
    json.dumps(plain(section.data), allow_nan=False)
    if not load_drug(name).facts_in("efficacy"):
        assert any(isinstance(b, Callout) and b.kind == "missing" for b in section.blocks)


def test_difference_from_printed_percentages_and_arm_sizes():
    c = find("RA-BEAM", "bari 4 mg", "ACR20")
    expected = risk_difference(Arm("", 341, 487), Arm("", 195, 488))
    assert c.kind == "printed"
    assert c.difference == pytest.approx(100 * expected.estimate)
    assert c.interval.low == pytest.approx(100 * expected.interval.low)
    assert c.rounding.low < 30.0 < c.rounding.high


def test_difference_from_stated_counts():
    c = find("RECOVERY", "bari", "28-d mortality", "usual care", "28 d")
    assert c.kind == "counts"
    assert c.difference == pytest.approx(100 * (513 / 4148 - 546 / 4008))
    assert c.interval.low < c.difference < c.interval.high


def test_without_arm_sizes_there_is_no_interval():
    c = find("RA-BUILD", "bari 4 mg", "ACR20")
    assert (c.difference, c.interval, c.kind) == (23.0, None, "none")
    assert "arm sizes" in c.note


def test_a_published_difference_is_kept_as_published():
    c = find("BRAVE-AA1", "4 mg", "SALT<=20", time="wk36")
    assert c.kind == "published"
    assert (c.difference, c.interval.low, c.interval.high) == (32.6, 25.6, 39.5)


def test_sizes_derived_from_the_allocation_come_close_to_the_published_interval():
    found = contrasts(load_drug("baricitinib").facts_in("efficacy"))
    trial = [c for c in found if c.trial == "BRAVE-AA1"]
    arms = [*(c.treated for c in trial), trial[0].control]
    n1, n2, difference, interval = derived_difference(trial[0], arms)
    assert (n1, n2) == (280, 187)
    assert difference == pytest.approx(32.6, abs=0.3)
    assert interval.low == pytest.approx(25.6, abs=1.0)
    assert interval.high == pytest.approx(39.5, abs=1.0)
    assert derived_difference(trial[0], arms[:2]) is None


def test_a_trial_without_placebo_compares_its_doses():
    c = find("BRAVE-AA2 down-titration", "stay 4 mg", "maintained SALT<=20", "4->2 mg", "wk152")
    assert c.difference == pytest.approx(100 * (39 / 44 - 25 / 42), abs=0.5)
    assert "dose against dose" in c.note
    # no count of 42 rounds to 59 %
    assert "no whole number" in c.note


def test_single_arms_and_subgroups_have_no_difference():
    c = find("BREEZE-AD6", "2 mg", "EASI75", time="wk52")
    assert (c.difference, c.control) == (None, None)
    sub = find("BREEZE-AD5 post hoc", "2 mg, BSA >50%", "EASI75", time="wk16")
    assert sub.difference is None


def test_adverse_events_are_not_among_the_benefits():
    section = baricitinib()
    drawn = [e for f in section.blocks if isinstance(f, Figure) for e in f.data["endpoint"]]
    assert drawn
    assert {"SAE", "TEAE"}.isdisjoint(drawn)
    assert len(table(section, "adverse event").rows) == 6


def test_at_most_three_forest_plots_of_legible_length():
    figures = [b for b in baricitinib().blocks if isinstance(b, Figure)]
    assert len(figures) == 3
    assert all(len(f.data["row"]) <= 24 for f in figures)


def test_ratios_stay_as_published_and_the_class_is_named():
    rows = {(r[0], r[1]): r for r in table(baricitinib(), "Ratios as published").rows}
    flare = rows["JUVE-BASIS", "time to flare, weeks 12 to 44"]
    assert flare[4].text == "0.24 (0.13 to 0.45)"
    meta = rows["9-trial meta (RECOVERY)", "mortality, day 28"]
    assert "class" in meta[2].note


def test_what_could_not_be_read_is_listed():
    rows = table(baricitinib(), "could not be read").rows
    assert any("COV-BARRIER" in str(r[0]) for r in rows)
    assert all(r[1].basis == "missing" for r in rows)


def test_both_sides_of_a_conflict_are_shown():
    rows = table(baricitinib(), "Where sources differ").rows
    topic = next(r for r in rows if "BRAVE" in str(r[0]))
    assert {"AA", "AA_FDA"} <= set(topic[1].sources)


def test_the_latent_effect_at_the_ec50_is_half_of_the_maximum():
    assert latent_effect(68.0, 0.861, 68.0) == pytest.approx(0.4305)
    rows = baricitinib().data["exposure_response"]
    own = next(r for r in rows if r["dose"] == "4 mg once daily")
    c = simulated("baricitinib").concentration_nM
    assert own["average_concentration_nM"] == pytest.approx(c)
    assert own["share_of_emax"] == pytest.approx(c / (68 + c))


def test_haemoglobin_ratio_balances_the_published_equations():
    effect, g1, g2 = 0.05, 0.352, 0.925
    r = haemoglobin_ratio(effect, g1, g2)
    feedback = (1 / r) ** g1 * (1 / r) ** g2
    assert (1 - effect) * feedback == pytest.approx(1.0)
    assert haemoglobin_ratio(0.0, g1, g2) == 1.0


def test_haemoglobin_model_is_recomputed_and_agrees():
    rows = table(baricitinib(), "recomputed from the parameters").rows
    assert [r[3].text for r in rows] == ["agrees"] * 5
    assert rows[0][1].value == pytest.approx(30.2e-12 * 4 * 16.3e9 * (1 + 0.0975 / 0.00139))


def test_filgotinib_shows_the_marker_under_each_inhibitor():
    section = efficacy.section(simulated("filgotinib"))
    rows = table(section, "pSTAT1-positive").rows
    values = {(r[0], r[1]): r[2].value for r in rows}
    both = values["200 mg once daily", "both added (assumption)"]
    assert both < min(
        v for (d, a), v in values.items() if d == "200 mg once daily" and "alone" in a
    )
    assert all(0 < v < 22.3 and math.isfinite(v) for v in values.values())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("wk12", "week 12"),
        ("wk12-44", "weeks 12 to 44"),
        ("wk12 OLLI", "week 12 (open-label lead-in)"),
        ("52 wk", "week 52"),
        ("28 d", "day 28"),
        ("DBW", "double-blind period"),
        ("first significant", "first significant"),
    ],
)
def test_times_in_words(written, expected):
    assert time_text(written) == expected


def test_names_of_endpoints_and_arms():
    assert endpoint_text("SALT<=20") == "SALT ≤ 20"
    assert endpoint_text("DAS28-CRP<2.6") == "DAS28-CRP < 2.6"
    assert endpoint_text("28-d mortality") == "mortality"
    assert arm_text("PBO+TCS") == "placebo + topical steroid"
    assert arm_text("4->2 mg") == "4 to 2 mg"
