"""The section on target engagement: points, bounds, metabolites, the user's own potencies."""

import json
from functools import lru_cache

import numpy as np
import pytest

from statera.errors import InputError
from statera.library import drugs, load_drug
from statera.monograph.context import Context, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import engagement
from statera.monograph.sections.engagement_courses import combined_course, course, pairs
from statera.monograph.sections.engagement_potencies import load_potencies
from statera.report.check import inlines, svg_problems
from statera.report.document import Callout, Cell, Figure, Table
from statera.report.json import plain
from statera.units import molar_from_mass


@lru_cache(maxsize=4)
def simulated(name):
    return make_context(name, MonographOptions(n=40, workers=1))


@lru_cache(maxsize=4)
def section_of(name):
    return engagement.section(simulated(name))


def results(section, name, dose):
    found = section.data["results"]
    return next(r for r in found if r["potency"].startswith(name) and r["dose_mg"] == dose)


def with_table(name, path):
    base = simulated(name)
    options = MonographOptions(n=40, workers=1, potency_table=path)
    return Context(base.drug, options, base.models, base.exposures, base.molar_mass, base.unbound)


@pytest.mark.parametrize("name", drugs())
def test_every_drug_without_a_model_says_what_is_missing(name):
    section = engagement.section(Context(load_drug(name), MonographOptions(), ()))
    callouts = [b for b in section.blocks if isinstance(b, Callout)]
    assert any(c.kind == "missing" for c in callouts)
    assert section.data["results"] == []


@pytest.mark.parametrize("name", ["baricitinib", "filgotinib", "tofacitinib"])
def test_sections_are_complete(name):
    section = section_of(name)
    cells = [c for b in section.blocks for c in inlines(b) if isinstance(c, Cell)]
    known = {m.key for m in engagement.METHODS} | {"typical"}
    assert {c.method for c in cells if c.method} <= known
    assert all(not svg_problems(b.svg) for b in section.blocks if isinstance(b, Figure))
    json.dumps(plain(section.data), allow_nan=False)


def test_the_bound_of_the_source_gives_a_bound_of_inhibition():
    context = simulated("baricitinib")
    found = results(section_of("baricitinib"), "IL-6", 4.0)
    peak = float(context.highest.typical.endpoint("Cmax")[0])
    unbound = molar_from_mass(peak, context.molar_mass) * 0.5
    assert found["maximum_inhibition"]["high"] == 100.0
    assert found["maximum_inhibition"]["low"] == pytest.approx(100 * unbound / (unbound + 50))
    table = next(
        b
        for b in section_of("baricitinib").blocks
        if isinstance(b, Table) and "by potency and dose" in b.caption
    )
    bounds = [r for r in table.rows if str(r[0]).startswith(("IL-6", "JAK3"))]
    assert bounds
    assert all(c.basis == "bound" for r in bounds for c in r[2:])


def test_average_inhibition_rises_with_dose_and_lies_within_the_population():
    section = section_of("baricitinib")
    values = [results(section, "JAK1", d) for d in (1.0, 2.0, 4.0)]
    averages = [v["average_inhibition"]["low"] for v in values]
    assert averages == sorted(averages)
    for v in values:
        assert v["average_inhibition_p05"]["low"] < v["average_inhibition"]["low"]
        assert v["average_inhibition"]["low"] < v["average_inhibition_p95"]["low"]


def test_effective_concentrations_are_listed_and_not_used():
    section = section_of("baricitinib")
    assert [s["fact"] for s in section.data["skipped"]] == ["potency-ifng-neutrophil-pstat1"]
    assert not any("IFN" in r["potency"] for r in section.data["results"])


def test_parent_and_metabolite_use_their_own_concentrations_in_mass_units():
    context = simulated("filgotinib")
    parent, metabolite = load_potencies(context).entries
    exposure = context.highest
    for entry, output in ((parent, "CP"), (metabolite, "CM")):
        found = course(context, entry, exposure)
        np.testing.assert_allclose(found.typical, exposure.typical.outputs[output][0])
        assert found.potency.ic50.low == pytest.approx(entry.potency.value)
        assert found.basis.kind == "total"


def test_the_added_effect_is_loewe_additivity():
    context = simulated("filgotinib")
    (pair,) = pairs(context, load_potencies(context).entries)
    exposure = context.highest
    made = combined_course(context, pair, exposure)
    parent, other = (exposure.typical.outputs[k][0] for k in ("CP", "CM"))
    np.testing.assert_allclose(made.typical / 293.0, parent / 293.0 + other / 1686.0)
    added = results(section_of("filgotinib"), "pSTAT1, parent and metabolite", 200.0)
    alone = results(section_of("filgotinib"), "pSTAT1, JAK1, GS-829845", 200.0)
    assert added["average_inhibition"]["low"] > alone["average_inhibition"]["low"]


def test_a_drug_without_a_potency_shows_what_it_would_be_compared_with():
    section = section_of("tofacitinib")
    table = next(b for b in section.blocks if isinstance(b, Table) and "compared with" in b.caption)
    average = float(simulated("tofacitinib").highest.typical.endpoint("Cavg")[0])
    assert table.rows[-1][1].value == pytest.approx(average)


def test_a_users_table_is_marked_and_used(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "drug,cytokine,readout,assay,value,unit\n"
        "Xeljanz?,IL-6,pSTAT3,whole blood,5,nM\n"
        "tofacitinib,IL-6,pSTAT1,whole blood,<20,ng/mL\n"
        "tofacitinib,IL-6,pSTAT3,whole blood,50,nM\n"
    )
    section = engagement.section(with_table("tofacitinib", path))
    found = {r["potency"] for r in section.data["results"]}
    assert found == {"IL-6, pSTAT1 (your table)"}
    (left,) = section.data["not_compared"]
    assert "molar mass" in left["reason"]
    assert any(isinstance(b, Callout) and b.title == "Your potency table" for b in section.blocks)
    reference = results(section, "IL-6, pSTAT1", 5.0)
    assert reference["maximum_inhibition"]["high"] == 100.0
    assert 0 < reference["maximum_inhibition"]["low"] < 100


def test_mistakes_in_a_users_table_are_placed(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("cytokine,value,unit\nIL-6,-3,nM\n")
    with pytest.raises(InputError, match="is below zero") as error:
        engagement.section(with_table("baricitinib", path))
    assert str(error.value.where) == f"{path}:2:6"


def test_receptors_follow_from_their_kinases_at_every_time():
    section = section_of("baricitinib")
    found = section.data["receptors"]
    row = next(r for r in found if r["cytokine"] == "IFN-gamma" and r["dose_mg"] == 4.0)
    jak2 = results(section, "JAK2", 4.0)["average_inhibition"]["low"]
    assert row["average_inhibition"]["limiting_kinase"]["low"] == pytest.approx(jak2, abs=0.1)
    hours = results(section, "JAK2", 4.0)["hours_above_ic50_per_day"]["low"]
    assert row["hours_at_half_or_more"]["low"] == pytest.approx(hours, abs=0.1)
    assert {r["cytokine"] for r in found}.isdisjoint({"TSLP"})


def test_the_statement_of_the_label_is_checked_and_contradictions_are_shown():
    section = section_of("baricitinib")
    table = next(b for b in section.blocks if isinstance(b, Table) and "statement" in b.caption)
    verdicts = {str(r[0]): r[3].text for r in table.rows}
    assert verdicts["Near baseline by 24 h (JAK2, enzyme)"] == "differs"
    # the statement is about IL-6: other kinases than the limiting one do not bear on it
    assert not any("JAK3" in words or "TYK2" in words for words in verdicts)
    bound = "Near baseline by 24 h (IL-6 and IL-23, intracellular signalling)"
    assert verdicts[bound] == "cannot be judged"


def test_the_ic50_implied_by_a_return_to_baseline():
    context = simulated("baricitinib")
    implied = next(
        c
        for b in section_of("baricitinib").blocks
        for c in inlines(b)
        if isinstance(c, Cell) and c.method == "engagement_implied"
    )
    trough = molar_from_mass(
        float(context.highest.typical.endpoint("Ctrough")[0]), context.molar_mass
    )
    assert implied.value == pytest.approx(4 * trough, rel=1e-3)
    assert trough / (trough + implied.value) == pytest.approx(0.2, rel=1e-3)


def test_words_of_the_table_agree_with_the_data():
    section = section_of("baricitinib")
    table = next(
        b for b in section.blocks if isinstance(b, Table) and "by potency and dose" in b.caption
    )
    row = next(r for r in table.rows if str(r[0]) == "JAK1, enzyme" and r[1] == "4 mg")
    value = results(section, "JAK1", 4.0)["average_inhibition"]["low"]
    assert row[2].value == pytest.approx(value)
    assert row[2].text == f"{value:.0f} %"
