"""The table of conflicts: both sides, the rule, and whose claim is whose."""

import pytest

from statera.library import drugs, load_conflicts, load_drug
from statera.monograph.context import Context
from statera.monograph.options import MonographOptions
from statera.monograph.sections.conflicts import (
    VENDOR,
    conflict_blocks,
    conflict_data,
    conflict_table,
    conflicts_of,
)
from statera.report.document import Callout, Cell, Table


def blocks(name):
    return conflict_blocks(Context(load_drug(name), MonographOptions(), ()))


@pytest.mark.parametrize("name", drugs())
def test_every_conflict_of_the_drug_and_the_class_is_a_row(name):
    (table,) = blocks(name)
    wanted = {c.topic for c in load_conflicts() if {name, "class"} & set(c.drugs)}
    assert isinstance(table, Table)
    assert {row[0] for row in table.rows} == wanted
    assert len(table.rows) == len(conflicts_of(name))


def test_no_conflict_is_listed_twice():
    ids = [c.id for c in conflicts_of("baricitinib")]
    assert len(ids) == len(set(ids))
    assert len(ids) == len(load_conflicts("baricitinib"))


def test_the_vendors_side_is_a_claim_and_the_other_is_not():
    (table,) = blocks("baricitinib")
    for conflict, row in zip(conflicts_of("baricitinib"), table.rows, strict=True):
        vendor, others = row[1], row[2]
        if conflict.overview and VENDOR in conflict.sources:
            assert vendor.basis == "claim"
            assert vendor.sources == (VENDOR,)
        else:
            assert not isinstance(vendor, Cell) or vendor.basis != "claim"
        assert others.sources
        assert VENDOR not in others.sources


def test_data_carries_sources_and_facts():
    data = {c["id"]: c for c in conflict_data(conflicts_of("baricitinib"))}
    assert data["bioavailability"]["sources"] == ["SMOLECULE_2026", "LILLY_PK"]
    assert "pk-bioavailability-smpc" in data["bioavailability"]["facts"]
    assert data["renal-metric"]["vendor"] is None


def test_nothing_recorded_is_said(monkeypatch):
    monkeypatch.setattr("statera.monograph.sections.conflicts.conflicts_of", lambda _drug: ())
    (callout,) = blocks("ruxolitinib")
    assert isinstance(callout, Callout)
    assert "no proof that they agree" in callout.parts[0]


def test_a_table_can_be_made_of_some_of_them():
    some = conflicts_of("baricitinib")[:2]
    assert [row[0] for row in conflict_table(some, "Two").rows] == [c.topic for c in some]
