"""Monitoring: simulated values are labelled, limits applied, and no range is invented."""

import json
from functools import lru_cache

import numpy as np
import pytest

from statera.library import load_drug
from statera.monograph.context import Context, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import monitoring
from statera.monograph.sections.monitoring_questions import answers
from statera.monograph.sections.monitoring_values import assay_range, by_time_table, references
from statera.report.check import inlines
from statera.report.document import Callout, Table
from statera.report.json import plain

WITHOUT_MODEL = ("deucravacitinib", "ritlecitinib", "ruxolitinib")


@lru_cache(maxsize=4)
def context(name):
    return make_context(name, MonographOptions(n=200, workers=1))


def bare(name):
    return Context(load_drug(name), MonographOptions(), ())


def words(section):
    return " ".join(p if isinstance(p, str) else p.text for b in section.blocks for p in inlines(b))


@pytest.mark.parametrize("name", [*WITHOUT_MODEL, "baricitinib", "tofacitinib", "filgotinib"])
def test_no_range_is_said_for_every_drug(name):
    made = bare(name) if name in WITHOUT_MODEL else context(name)
    section = monitoring.section(made)
    assert f"No validated therapeutic range was found for {name}." in words(section)
    assert section.data["validated_range"] is None
    assert [q["answer"] for q in section.data["questions"]][2] == "not established"
    assert len(section.data["questions"]) == 5
    assert all(q["rests_on"] for q in section.data["questions"])
    json.dumps(plain(section.data), allow_nan=False)


@pytest.mark.parametrize("name", WITHOUT_MODEL)
def test_without_a_model_nothing_is_simulated(name):
    section = monitoring.section(bare(name))
    assert section.data["simulated_reference_values"] == []
    assert "concentrations below are simulated" not in words(section)
    missing = {b.title for b in section.blocks if isinstance(b, Callout) and b.kind == "missing"}
    assert missing == {"Expected concentrations", "Assay and matrix", "Facts on monitoring"}


def test_percentiles_are_those_of_the_population():
    made = context("baricitinib")
    found = references(made)
    assert [r.exposure.dose.amount for r in found] == [1.0, 2.0, 4.0]
    for one in found:
        troughs = one.exposure.population.endpoint("Ctrough")
        assert one.percentiles["Ctrough"] == pytest.approx(np.percentile(troughs, [5, 50, 95]))
        assert one.below == np.mean(troughs < 0.2)
        assert one.above == np.mean(one.exposure.population.endpoint("Cmax") > 200.0)
    # The same subjects at a lower dose of a linear model have lower troughs.
    assert found[0].below >= found[1].below >= found[2].below
    assert found[0].below > 0


def test_the_limits_of_the_assay_come_from_a_fact():
    limits = assay_range(context("baricitinib"))
    assert (limits.low, limits.high, limits.unit) == (0.2, 200.0, "ng/mL")
    assert limits.fact.source == "DECKER26"
    assert assay_range(context("tofacitinib")) is None
    assert all(r.below is None for r in references(context("tofacitinib")))


def test_metabolites_are_shown_beside_the_drug():
    found = references(context("filgotinib"))
    assert [r.output for r in found[:2]] == ["CP", "CM"]
    assert "GS-829845" in found[1].label


def test_the_last_time_is_the_trough_before_the_next_dose():
    made = context("baricitinib")
    shown = by_time_table(made)
    assert shown.rows[-1][0].text == "24 h"
    assert shown.rows[-1][1].value == pytest.approx(
        float(np.median(made.highest.population.endpoint("Ctrough")))
    )
    middles = [row[1].value for row in shown.rows]
    assert middles == sorted(middles, reverse=True)


def test_simulated_tables_say_that_nothing_was_observed():
    section = monitoring.section(context("baricitinib"))
    simulated = [
        b
        for b in section.blocks
        if isinstance(b, Table)
        and any(getattr(c, "method", "") for row in b.rows for c in row)
        and not b.caption.startswith("Five")
    ]
    assert len(simulated) == 3
    assert all("simulated" in b.caption.lower() for b in simulated)


def test_whole_blood_is_plasma_times_the_published_ratio():
    section = monitoring.section(context("baricitinib"))
    blood = next(b for b in section.blocks if isinstance(b, Table) and "whole blood" in b.caption)
    middle = references(context("baricitinib"))[-1].percentiles["Ctrough"][1]
    assert [row[2].value / middle for row in blood.rows] == pytest.approx([1.29, 1.32])


def test_the_answers_rest_on_what_is_there():
    made = context("baricitinib")
    candidate, usual, _, adjustment, evidence = answers(made, references(made))
    assert any("68 nM" in f.text for f in candidate.findings)
    assert any("53.3 ng/mL" in f.text for f in usual.findings)
    assert adjustment.findings[0].text.endswith("1.00")
    assert evidence.verdict == "no evidence found"
    none = answers(bare("ritlecitinib"), ())
    assert all(f.basis == "missing" for a in none[:3] for f in a.findings)
