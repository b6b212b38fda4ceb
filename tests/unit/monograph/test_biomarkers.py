"""The section on biomarkers: facts as stated, claims as claims, nothing invented."""

import json

import pytest

from statera.library import drugs, load_drug
from statera.monograph.context import Context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import biomarkers
from statera.report.check import inlines
from statera.report.document import Callout, Cell, Table
from statera.report.json import plain


def section(name):
    return biomarkers.section(Context(load_drug(name), MonographOptions(), ()))


@pytest.mark.parametrize("name", drugs())
def test_every_drug_has_content_or_says_what_is_missing(name):
    found = section(name)
    has = bool(load_drug(name).facts_in("biomarkers"))
    missing = [b for b in found.blocks if isinstance(b, Callout) and b.kind == "missing"]
    assert bool(missing) is not has
    assert any(isinstance(b, Table) and b.rows for b in found.blocks) is has
    json.dumps(plain(found.data), allow_nan=False)


def test_each_fact_lands_in_one_place():
    data = section("baricitinib").data
    ids = [f["id"] for key in ("known", "claims", "not_retrieved") for f in data[key]]
    assert sorted(ids) == sorted(f.id for f in load_drug("baricitinib").facts_in("biomarkers"))
    assert [f["id"] for f in data["claims"]] == ["bio-jia-posthoc-2025"]
    assert all(f["value"] is not None for f in data["known"])


def test_the_vendors_claim_is_a_claim_without_a_number():
    cells = [p for b in section("baricitinib").blocks for p in inlines(b) if isinstance(p, Cell)]
    claims = [c for c in cells if c.basis == "claim"]
    assert len(claims) == 1
    assert claims[0].sources == ("SMOLECULE_2026",)
    assert claims[0].value is None
    assert "CCL18" in claims[0].text
    # Nothing is computed in this section, so no correlation can have been made up.
    assert not [c for c in cells if c.basis == "computed"]


def test_values_are_those_of_the_facts():
    stated = {
        f.number for f in load_drug("baricitinib").facts_in("biomarkers") if f.number is not None
    }
    cells = [p for b in section("baricitinib").blocks for p in inlines(b) if isinstance(p, Cell)]
    assert {c.value for c in cells if isinstance(c.value, float)} == stated
