"""The section on the mechanism: what is computed, what stays a bound, what is missing."""

import json
from functools import lru_cache

import pytest

from statera.engagement import Potency
from statera.library import drugs, load_cytokines, load_drug
from statera.monograph.context import Context, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import mechanism
from statera.monograph.sections.mechanism_kinases import kinases_of
from statera.monograph.sections.mechanism_tables import fold_cell
from statera.report.check import inlines, svg_problems
from statera.report.document import Callout, Cell, Figure, Table
from statera.report.json import plain
from statera.sources import Relation


@lru_cache(maxsize=4)
def simulated(name):
    return make_context(name, MonographOptions(n=20, workers=1))


def bare(name, **options):
    return Context(load_drug(name), MonographOptions(**options), ())


def cells(section):
    return [c for b in section.blocks for c in inlines(b) if isinstance(c, Cell)]


def table(section, words):
    return next(b for b in section.blocks if isinstance(b, Table) and words in b.caption)


@pytest.mark.parametrize("name", drugs())
def test_every_drug_has_a_complete_section(name):
    section = mechanism.section(bare(name))
    methods = {m.key for m in mechanism.METHODS}
    assert {c.method for c in cells(section) if c.method} <= methods
    assert all(not svg_problems(b.svg) for b in section.blocks if isinstance(b, Figure))
    assert len(table(section, "receptors").rows) == len(load_cytokines()) == 34
    assert any(isinstance(b, Callout) and b.kind == "missing" for b in section.blocks)
    json.dumps(plain(section.data), allow_nan=False)


def test_without_a_concentration_nothing_is_coloured_and_the_page_says_so():
    section = mechanism.section(bare("deucravacitinib"))
    figure = next(b for b in section.blocks if isinstance(b, Figure))
    assert "not computed" in figure.alt
    rows = table(section, "receptors").rows
    assert all(isinstance(r[-1], Cell) and r[-1].basis == "missing" for r in rows)


def test_inhibition_at_the_chosen_concentration_follows_the_hill_equation():
    section = mechanism.section(make_context("baricitinib", MonographOptions(20, 1, 1, 100.0)))
    # 100 nM total, half of it unbound
    by_kinase = {e["kinase"]: e["inhibition"] for e in section.data["enzymes"]}
    assert by_kinase["JAK1"]["low"] == pytest.approx(100 * 50 / (50 + 5.9))
    assert by_kinase["JAK3"]["low"] == 0.0
    assert by_kinase["JAK3"]["high"] == pytest.approx(100 * 50 / (50 + 400))


def test_a_potency_known_as_a_bound_never_becomes_a_point():
    rows = {
        str(r[0]): r for r in table(mechanism.section(simulated("baricitinib")), "enzymes").rows
    }
    cells_of_jak3 = [c for c in rows["JAK3"][1:] if isinstance(c, Cell)]
    assert [c.basis for c in cells_of_jak3] == ["bound"] * 4
    assert cells_of_jak3[0].text == "> 400 nM"
    # 400 / 5.9 is 67.8 and 400 / 5.7 is 70.2: rounded down, both stay true
    assert [c.text for c in cells_of_jak3[1:3]] == ["more than 67", "more than 70"]


def test_sources_that_agree_stand_in_one_row():
    rows = table(mechanism.section(simulated("baricitinib")), "enzymes").rows
    assert [str(r[0]) for r in rows] == ["JAK1", "JAK2", "JAK3", "TYK2"]
    assert rows[0][1].sources == ("RXR", "FRIDMAN")


def test_both_assumptions_are_shown_and_ordered():
    rows = mechanism.section(simulated("baricitinib")).data["cytokines"]
    for row in (r for r in rows if r["inhibition_independent"]):
        limiting, independent = row["inhibition_limiting_kinase"], row["inhibition_independent"]
        assert limiting["low"] <= independent["low"] + 1e-9
        assert limiting["high"] <= independent["high"] + 1e-9
    tslp = next(r for r in rows if r["cytokine"] == "TSLP")
    assert tslp["inhibition_independent"] is None


def test_an_unknown_partner_leaves_the_upper_end_open():
    rows = mechanism.section(simulated("baricitinib")).data["cytokines"]
    row = next(r for r in rows if r["cytokine"] == "IL-19")
    assert row["inhibition_limiting_kinase"]["high"] == 100.0
    il19 = next(c for c in load_cytokines() if c.name == "IL-19")
    assert kinases_of(il19).names == ("JAK1", "?")


def test_fold_of_a_bound_in_the_other_direction():
    reference = Potency("x", 10.0, "nM", target="JAK1")
    below = Potency("x", 25.0, "nM", Relation.LESS, target="JAK2")
    assert fold_cell(below, reference).text == "less than 2.5"
    assert fold_cell(below, reference).basis == "bound"
    point = Potency("x", 25.0, "nM", target="JAK2")
    assert (fold_cell(point, reference).text, fold_cell(point, reference).basis) == (
        "2.5",
        "computed",
    )


def test_a_users_enzyme_potencies_fill_in_only_where_the_library_has_none(tmp_path):
    path = tmp_path / "potencies.csv"
    path.write_text("drug,target,assay,value,unit\nruxolitinib,JAK1,isolated enzyme,10,nM\n")
    section = mechanism.section(bare("ruxolitinib", concentration_nM=10.0, potency_table=path))
    assert section.data["enzymes"][0]["inhibition"]["low"] == pytest.approx(50.0)
    path.write_text("drug,target,assay,value,unit\nbaricitinib,JAK1,isolated enzyme,10,nM\n")
    section = mechanism.section(bare("baricitinib", concentration_nM=10.0, potency_table=path))
    assert section.data["enzymes"][0]["ic50"] == 5.9


def test_stated_ratios_are_shown_without_computing_from_them():
    section = mechanism.section(bare("upadacitinib"))
    ratios = table(section, "Selectivity")
    assert [r[1].text for r in ratios.rows] == ["about 60 fold", "> 100 fold"]
    assert section.data["enzymes"] == []


def test_gaps_of_the_library_are_named():
    section = mechanism.section(simulated("baricitinib"))
    items = [str(r[0]) for r in table(section, "could not be read").rows]
    assert any("McInnes 2019" in i for i in items)
