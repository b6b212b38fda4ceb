"""Summary-of-findings rows: absolute effects by hand, and the formats of the table."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from statera.evidence.certainty import Certainty, Grading
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects
from statera.evidence.findings_formats import (
    findings_csv,
    findings_data,
    findings_html,
    findings_text,
)
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.read_certainty import OutcomeJudgement
from statera.evidence.summary_of_findings import absolute_effect, failed_finding, finding
from statera.evidence.synthesis import synthesise


def counts(measure: str) -> Effects:
    return effect_sizes(
        measure, names=["A", "B", "C"], events_1=[12, 5, 30], total_1=[100, 60, 210],
        events_2=[20, 9, 28], total_2=[102, 61, 205],
    )  # fmt: skip


def pooled(measure: str) -> PooledEffect:
    return synthesise(counts(measure)).pooled


def test_risks_follow_from_the_median_comparator() -> None:
    risks = sorted([20 / 102, 9 / 61, 28 / 205])
    base = risks[1]
    for measure in ("RR", "OR", "RD"):
        effect = pooled(measure)
        middle = effect.natural[0]
        expected = {
            "RR": base * middle,
            "OR": middle * base / (1 - base) / (1 + middle * base / (1 - base)),
            "RD": base + middle,
        }[measure]
        found = absolute_effect(effect)
        assert found is not None
        assert found.comparator == pytest.approx(1000 * base)
        assert found.intervention == pytest.approx(1000 * expected)
        assert found.low <= found.intervention <= found.high
        assert found.difference[0] == pytest.approx(1000 * (expected - base))
        assert found.source == "median of the comparators of 3 of 3 studies"


def test_a_hazard_ratio_acts_on_survival_or_on_a_rate() -> None:
    effects = effect_sizes("HR", estimate=[2.0, 2.0], low=[1.5, 1.5], high=[8 / 3, 8 / 3])
    effect = synthesise(effects).pooled
    assert absolute_effect(effect) is None  # no risk is known
    risk = absolute_effect(effect, OutcomeJudgement(Grading(), comparator_risk=0.1))
    rate = absolute_effect(effect, OutcomeJudgement(Grading(), comparator_rate=3.0))
    assert risk is not None
    assert rate is not None
    assert risk.intervention == pytest.approx(1000 * (1 - 0.9**2))
    assert (rate.comparator, rate.intervention) == pytest.approx((3.0, 6.0))
    assert rate.unit == "100 person-years"
    assert rate.source == "given, source not named"


def test_rates_of_the_table_are_per_100_person_years() -> None:
    effects = effect_sizes(
        "IRR", events_1=[5, 9], time_1=[900, 1500], events_2=[4, 8], time_2=[1000, 1600]
    )
    found = absolute_effect(synthesise(effects).pooled)
    assert found is not None
    assert found.comparator == pytest.approx(100 * (4 / 1000 + 8 / 1600) / 2)


def test_a_mean_difference_has_no_absolute_effect_beside_itself() -> None:
    effects = effect_sizes(
        "MD", mean_1=[1, 2], sd_1=[1, 1], total_1=[20, 30], mean_2=[2, 2], sd_2=[1, 1],
        total_2=[20, 30],
    )  # fmt: skip
    row = finding("pain", synthesise(effects).pooled)
    assert row.absolute is None
    assert row.participants == 100.0


def rows() -> tuple:
    judged = OutcomeJudgement(
        Grading("harm", stated=Certainty.LOW), "Harm & <other>", comparator_risk=0.02,
        comparator_source="register",
    )  # fmt: skip
    return finding("harm", pooled("RR"), judged), failed_finding("gain", "no study has an effect")


def test_the_table_is_the_same_in_every_format() -> None:
    table = rows()
    text, data = findings_text(table), findings_data(table)
    assert "⊕⊕◯◯ low" in text
    assert "not pooled [2]" in text
    assert "20.0 per 1 000 people [1]" in text
    assert data[0]["certainty"]["level"] == "low"
    assert data[1] == {**data[1], "status": "no study has an effect", "effect": None}
    read = list(csv.DictReader(io.StringIO(findings_csv(table))))
    assert float(read[0]["estimate"]) == pytest.approx(pooled("RR").natural[0], rel=1e-12)
    assert read[0]["certainty"] == "low"
    assert read[1]["estimate"] == ""
    assert json.dumps(data[0]["absolute"]["comparator"]) == "20.0"


def test_html_is_a_fragment_without_script_and_escaped() -> None:
    html = findings_html(rows())
    root = ElementTree.fromstring(html)
    assert root.tag == "section"
    assert "Harm &amp; &lt;other&gt;" in html
    assert not {"script", "style", "link"} & {e.tag for e in root.iter()}
    cells = [th.text for th in root.iter("th") if th.attrib["scope"] == "row"]
    assert cells == ["Harm & <other>", "gain"]
    assert "⊕⊕◯◯ low" in html
