"""The section on safety: rates, published ratios kept as they are, crude ratios kept apart."""

import json
import math
from functools import lru_cache

import pytest
from scipy.stats import beta

from statera.library import drugs, load_drug
from statera.monograph.context import Context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import safety
from statera.monograph.sections.safety_outcomes import MAIN, ordered, overlap_groups
from statera.monograph.sections.safety_rates import rate_interval, rates
from statera.monograph.sections.safety_ratios import comparisons
from statera.numerics.intervals_exact import poisson_exact
from statera.report.check import inlines, svg_problems
from statera.report.document import Callout, Cell, Figure, Table
from statera.report.json import plain


@lru_cache(maxsize=8)
def context(name):
    return Context(load_drug(name), MonographOptions(), ())


@lru_cache(maxsize=8)
def section_of(name):
    return safety.section(context(name))


def table(section, words):
    return next(b for b in section.blocks if isinstance(b, Table) and words in b.caption)


@pytest.mark.parametrize("name", drugs())
def test_every_drug_has_a_complete_section(name):
    section = section_of(name)
    cells = [c for b in section.blocks for c in inlines(b) if isinstance(c, Cell)]
    assert {c.method for c in cells if c.method} <= {m.key for m in safety.METHODS}
    assert all(not svg_problems(b.svg) for b in section.blocks if isinstance(b, Figure))
    json.dumps(plain(section.data), allow_nan=False)
    if not load_drug(name).facts_in("safety_comparison"):
        titles = [b.title for b in section.blocks if isinstance(b, Callout)]
        assert "The drug's own estimates" in titles


def test_the_interval_of_a_printed_rate_covers_every_count_that_agrees():
    interval, (first, last) = rate_interval(0.5, 14744.0)
    assert (first, last) == (67, 81)
    assert all(round(k / 147.44, 1) == 0.5 for k in (first, last))
    assert interval.low == pytest.approx(poisson_exact(67).low / 147.44)
    assert interval.high == pytest.approx(poisson_exact(81).high / 147.44)
    # the published interval of the same rate lies inside
    assert interval.low < 0.38
    assert interval.high > 0.61


def test_no_interval_where_no_count_agrees():
    assert rate_interval(0.55, 100.0) is None


def test_a_whole_number_counts_as_printed_with_a_decimal_like_its_neighbours():
    zoster = next(
        r for r in rates(context("baricitinib")) if r.fact.id == "inc-herpes-zoster-taylor22"
    )
    assert zoster.counts == (435, 449)


def test_published_intervals_are_preferred_and_bounds_have_none():
    own = {r.fact.id: r for r in rates(context("filgotinib"))}
    assert own["inc-tuberculosis-rmdt2"].interval is None
    bari = {r.fact.id: r for r in rates(context("baricitinib"))}
    vte = bari["inc-dvt-pe-taylor22"]
    assert vte.is_published
    assert (vte.interval.low, vte.interval.high) == (0.38, 0.61)


def test_a_ratio_printed_the_other_way_round_is_turned_and_says_so():
    japan = next(c for c in comparisons(context("baricitinib")) if "Japan" in c.fact.get("study"))
    assert japan.is_inverted
    assert japan.estimate.value == pytest.approx(1 / 0.55)
    assert japan.estimate.low == pytest.approx(1 / 0.77)
    rows = table(section_of("baricitinib"), "as published").rows
    turned = [r for r in table(section_of("baricitinib"), "Ratios against").rows if r[-1].text]
    assert len(turned) == 1
    assert turned[0][3].text == "HR 0.55 (0.39 to 0.77)"
    assert rows


def test_own_class_and_pool_stand_side_by_side_and_the_pool_is_a_claim():
    section = section_of("baricitinib")
    figure = next(b for b in section.blocks if isinstance(b, Figure) and b.key == "safety-ratios")
    assert set(figure.data["scope"]) == {"own", "class", "pool"}
    assert set(figure.data["outcome"]) == set(MAIN)
    claims = [
        r[3] for r in table(section, "Ratios against").rows if r[1].text == "Class-level pool"
    ]
    assert len(claims) == 4
    assert all(c.basis == "claim" for c in claims)
    assert any(isinstance(b, Callout) and b.kind == "warning" for b in section.blocks)


def test_the_randomised_trial_stands_on_the_page_of_its_drug_only():
    def studies(name):
        return {c.fact.get("study") for c in comparisons(context(name))}

    assert "ORAL Surveillance" in studies("tofacitinib")
    assert "ORAL Surveillance" not in studies("baricitinib")


def test_comparators_other_than_tnf_inhibitors_are_not_drawn():
    section = section_of("tofacitinib")
    figure = next(b for b in section.blocks if isinstance(b, Figure) and b.key == "safety-ratios")
    assert "Machado US" not in figure.data["study"]
    foot = table(section, "Ratios against").foot
    assert any("not in the figure" in str(f) for f in foot)


def test_crude_ratios_are_exact_and_titled_so_that_they_cannot_be_mistaken():
    section = section_of("baricitinib")
    crude = table(section, "not hazard ratios")
    vte = next(r for r in section.data["crude_ratios"] if r["outcome"] == "vte")
    assert vte["crude_rate_ratio"] == pytest.approx((56 / 5879) / (41 / 6512))
    # Clopper-Pearson limits of 56 of 97 by the beta distribution, as rate ratio
    share = [beta.ppf(0.025, 56, 42), beta.ppf(0.975, 57, 41)]
    expected = [p / (1 - p) * 6512 / 5879 for p in share]
    assert vte["exact"] == pytest.approx(expected, rel=1e-6)
    assert vte["is_hazard_ratio"] is False
    assert len(crude.rows) == 3


def test_the_pools_rates_give_a_crude_ratio_without_interval():
    rows = {str(r[0]): r for r in table(section_of("baricitinib"), "side by side").rows}
    mace = rows["MACE"]
    assert mace[3].value == pytest.approx(0.72 / 0.66)
    assert "(" not in mace[3].text
    assert mace[5].text == "opposite sides of 1"
    assert rows["VTE"][5].text == "same side of 1"


def test_studies_that_may_share_people_are_named():
    rows = dict(table(section_of("baricitinib"), "same people").rows)
    assert set(rows["Swedish registers (ARTIS)"].split("; ")) == {
        "Salinas B023",
        "Huss ARTIS",
        "Molander ARTIS",
    }
    fact = load_drug("tofacitinib").fact("cmp-malignancy-oral-surveillance")
    assert overlap_groups(fact) == ("ORAL Surveillance",)


def test_own_estimate_over_the_pool():
    rows = table(section_of("baricitinib"), "lie from the class-level pool").rows
    vte = next(r for r in rows if str(r[0]) == "VTE")
    assert vte[2].value == pytest.approx(1.51 / 1.26)
    assert "different measures" in vte[4]
    assert all(math.isfinite(r[2].value) for r in rows)


def test_main_outcomes_come_first():
    assert ordered({"nmsc", "vte", "serious_infection", "dvt"}) == [
        "serious_infection",
        "vte",
        "dvt",
        "nmsc",
    ]
