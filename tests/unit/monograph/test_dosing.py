"""The dosing section: every rule is shown, marked, dated and, where possible, simulated."""

import json
from dataclasses import replace
from functools import lru_cache

import pytest

from statera.library import RenalMetric, RuleKind, drugs, load_drug
from statera.library.models import load_model, models_of
from statera.monograph.context import Context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import dosing
from statera.monograph.sections.conflicts import conflicts_of
from statera.monograph.sections.dosing_compare import differences, rule_conflicts
from statera.monograph.sections.dosing_facts import net_effects
from statera.monograph.sections.dosing_renal import renal_effects
from statera.monograph.sections.dosing_text import meaning_of, says, tidy, year_of
from statera.report.check import inlines
from statera.report.document import Callout, Cell, Table
from statera.report.json import plain


@lru_cache(maxsize=16)
def context(name):
    """Make a context without populations: the section simulates typical subjects only."""
    models = tuple(load_model(m) for m in models_of(name))
    return Context(load_drug(name), MonographOptions(n=20, workers=1), models)


def effect(name, rule_id, region):
    found = renal_effects(context(name))
    return next(e for e in found if (e.rule.id, e.rule.region) == (rule_id, region))


def rule(name, region, rule_id):
    return next(r for r in load_drug(name).labels_in(region) if r.id == rule_id)


def texts(section):
    return [p if isinstance(p, str) else p.text for b in section.blocks for p in inlines(b)]


@pytest.mark.parametrize("name", drugs())
def test_every_rule_of_every_drug_is_shown_with_its_source(name):
    section = dosing.section(context(name))
    rows = [
        row
        for block in section.blocks
        if isinstance(block, Table) and block.caption.startswith("Rules, ")
        for row in block.rows
    ]
    labels = load_drug(name).labels
    assert len(rows) == len(labels)
    shown = {(row[3].text.removeprefix("Superseded: "), row[3].sources) for row in rows}
    assert shown == {(says(r), (r.source,)) for r in labels}
    assert all(row[4].sources for row in rows)
    assert any(isinstance(b, Callout) and b.kind == "missing" for b in section.blocks)
    json.dumps(plain(section.data), allow_nan=False)
    assert [r["source"] for r in section.data["rules"]] == [r.source for r in labels]


def test_a_drug_without_rules_says_so():
    bare = replace(load_drug("deucravacitinib"), labels=())
    section = dosing.section(Context(bare, MonographOptions(), ()))
    titles = [b.title for b in section.blocks if isinstance(b, Callout) and b.kind == "missing"]
    assert "No label rules" in titles
    assert "No renal rule" in titles


def test_superseded_rules_and_claims_are_marked():
    section = dosing.section(context("baricitinib"))
    cells = [p for b in section.blocks for p in inlines(b) if isinstance(p, Cell)]
    assert [c.text for c in cells if c.text.startswith("Superseded")] == [
        "Superseded: Start with 2 mg once daily"
    ]
    vendor = [c for c in cells if c.sources == ("SMOLECULE_2026",)]
    assert vendor
    assert all(c.basis == "claim" for c in vendor)


@pytest.mark.parametrize(
    ("rule_id", "region", "mg", "points"),
    [
        ("covid-renal-30-60", "ontario", 2, (30.0, 45.0, 60.0)),
        ("covid-renal-15-30", "us_guideline", 1, (15.0, 22.5, 30.0)),
        ("covid-renal-60-up", "us_eua", 4, (60.0, 76.5, 93.0)),
    ],
)
def test_ratios_follow_from_the_published_clearance(rule_id, region, mg, points):
    # Decker 2024 at the reference weight: CL/F = 3.36 + 6.34 eGFR/93 L/h, and AUC = dose/CL.
    found = effect("baricitinib", rule_id, region)
    assert found.points == points
    expected = [mg / (3.36 + 6.34 * p / 93) / (4 / 9.70) for p in points]
    assert found.ratios == pytest.approx(expected, rel=1e-9)
    assert found.unchanged == pytest.approx(expected[1] * 4 / mg, rel=1e-9)
    assert found.auc_middle == pytest.approx(expected[1] * 4000 / 9.70, rel=1e-9)
    assert bool(found.warnings) is (points[0] < 54)


def test_measures_of_renal_function_are_not_mixed():
    for name in drugs():
        model = context(name).model
        for found in renal_effects(context(name)):
            if found.dose is not None:
                covariate = "EGFR" if found.rule.renal_metric is RenalMetric.EGFR else "CRCL"
                assert covariate in model.covariates
    assert "another measure" in effect("baricitinib", "renal-30-60", "eu").reason
    assert "stage" in effect("baricitinib", "ra-renal-mild", "us_claim").reason


def test_half_of_a_twice_daily_dose_is_the_same_amount_once_daily():
    found = effect("tofacitinib", "uc-renal-below-30", "eu")
    assert found.dose.label == "5 mg once daily"
    assert found.ratios[0] is None
    assert found.points == (None, 15.0, 30.0)
    assert found.ratios[1] == pytest.approx(0.5 * found.unchanged, rel=1e-9)
    text = " ".join(texts(dosing.section(context("tofacitinib"))))
    assert "range not retrieved" in text
    assert "are extrapolations" not in text


def test_extrapolation_is_said_with_the_rule_of_the_library():
    text = " ".join(texts(dosing.section(context("baricitinib"))))
    assert "Values at eGFR 15, 22.5, 30, 45 mL/min/1.73 m² are extrapolations" in text
    assert "Do not extrapolate the JIA model to renal impairment" in text


def test_conflicts_about_dosing_are_those_between_label_rules():
    labels = load_drug("baricitinib").labels
    assert {c.id for c in rule_conflicts(conflicts_of("baricitinib"), labels)} == {
        *("ra-dose", "jia-status", "ad-status", "covid-paediatric-dose", "covid-renal", "aa-dose"),
        *("elderly-cut", "renal-metric"),
    }


def test_differences_between_regions_are_found():
    found = {
        (d.indication, d.about, d.first.region, d.second.region)
        for d in differences(load_drug("baricitinib").labels)
    }
    assert found == {
        ("AA", "standard dose", "ch", "us"),
        ("RA", "standard dose", "eu", "us"),
        ("COVID-19", "eGFR, mL/min/1.73 m²: 15 to below 30", "ontario", "us_guideline"),
    }


def test_rules_that_agree_or_touch_do_not_differ():
    first = rule("baricitinib", "us_guideline", "covid-renal-30-60")
    elsewhere = replace(first, region="elsewhere")
    assert differences([first, elsewhere]) == ()
    assert (
        differences([first, replace(elsewhere, dose_mg=1.0, renal_low=60.0, renal_high=90.0)]) == ()
    )
    assert (
        differences([first, replace(elsewhere, renal_metric=RenalMetric.CRCL, dose_mg=1.0)]) == ()
    )
    assert differences([first, replace(elsewhere, dose_mg=1.0, superseded=True)]) == ()
    assert len(differences([first, replace(elsewhere, dose_mg=1.0)])) == 1


def test_interaction_rules_are_weighed_against_the_measurement():
    found = net_effects(load_drug("baricitinib"))
    assert [(e.rule.id, e.factor, e.net) for e in found] == [
        ("oat3-strong-adult", 0.5, 1.0),
        ("oat3-strong-halve", 0.5, 1.0),
    ]
    # Ketoconazole was measured, but the rule does not name it.
    assert net_effects(load_drug("tofacitinib")) == ()


@pytest.mark.parametrize(
    ("name", "region", "rule_id", "said"),
    [
        ("baricitinib", "eu", "ra-ad-risk", "Use 2 mg once daily (4 mg if not controlled)"),
        (
            "baricitinib",
            "us",
            "covid-standard",
            "Recommended dose for 14 days or until discharge: 4 mg once daily",
        ),
        ("baricitinib", "us_eua", "covid-age-9-up", "Use 4 mg once daily for 14 days"),
        ("baricitinib", "us_claim", "aa-renal-moderate", "2 mg becomes 1 mg once daily"),
        ("baricitinib", "eu", "renal-below-30", "Not recommended"),
        ("abrocitinib", "unspecified", "ad-cyp2c19-strong", "Halve the dose to 100 mg or 50 mg"),
        (
            "tofacitinib",
            "us",
            "ra-psa-as-standard",
            "Use 5 mg twice daily (or 11 mg XR once daily)",
        ),
    ],
)
def test_rules_read_as_sentences(name, region, rule_id, said):
    assert says(rule(name, region, rule_id)) == said


def test_dates_are_those_of_the_rule_then_of_the_source():
    assert year_of(rule("baricitinib", "us_eua", "covid-history-2020-11")) == "2020-11-19"
    assert year_of(rule("baricitinib", "us", "ra-standard")) == "2023"
    assert year_of(rule("baricitinib", "eu", "renal-30-60")) == "no date"


def test_signs_and_abbreviations():
    assert tidy("age >=65") == "age ≥\N{NO-BREAK SPACE}65"
    assert tidy("5 mg BID") == "5 mg twice daily"
    assert meaning_of(["RA/AA"]) == "AA alopecia areata; RA rheumatoid arthritis"
    assert meaning_of(["psoriasis"]) == ""


def test_what_is_not_recorded_is_named():
    section = dosing.section(context("ritlecitinib"))
    present = {r.kind for r in load_drug("ritlecitinib").labels}
    assert len(section.data["no_rule_about"]) == len(RuleKind) - len(present)
    assert "interaction" in section.data["no_rule_about"]
