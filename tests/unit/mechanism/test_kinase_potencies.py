"""Which potency of a kinase is used, and what is said about it."""

from __future__ import annotations

import math

import pytest

from statera.engagement.potency import Potency, potencies_from_facts
from statera.library import load_drug
from statera.mechanism.kinase_potencies import kinase_potencies
from statera.sources.fact import Relation


def _potency(value: float | None, relation: Relation = Relation.EQUAL, **more: object) -> Potency:
    given: dict[str, object] = {
        "drug": "own", "value": value, "unit": "nM", "relation": relation, "target": "JAK1",
        "matrix": "enzyme", "hill": 1.0, "hill_assumed": False, "source": "A",
    }  # fmt: skip
    return Potency(**{**given, **more})  # type: ignore[arg-type]  # tests choose the fields


def test_the_library_gives_points_and_names_bounds() -> None:
    known, _ = potencies_from_facts(load_drug("baricitinib").facts_in("potency"))
    found = kinase_potencies(known, ("JAK1", "JAK2", "JAK3", "TYK2"), 0.5)
    numbers = {k: p.ic50 for k, p in found.values.items()}
    assert numbers == pytest.approx({"JAK1": 5.9, "JAK2": 5.7, "TYK2": 53.0})
    assert all(p.unbound for p in found.values.values())
    assert "JAK3: known only as > 400 nM; taken as not inhibited" in found.notes
    assert "no source gives the slope at JAK1, JAK2, TYK2: 1 is assumed" in found.notes
    assert found.sources


def test_several_points_are_averaged_and_said() -> None:
    two = [_potency(4.0), _potency(9.0, source="B")]
    found = kinase_potencies(two, ("JAK1",), 0.5)
    assert found.values["JAK1"].ic50 == pytest.approx(math.sqrt(36.0))
    assert found.notes == ("JAK1: geometric mean 6 nM of 4, 9 nM",)
    assert found.sources == ("A", "B")


def test_other_assays_pairs_and_metabolites_do_not_count() -> None:
    others = [
        _potency(1.0, matrix="whole_blood"),
        _potency(2.0, target="JAK1/2"),
        _potency(3.0, analyte="metabolite"),
    ]
    found = kinase_potencies(others, ("JAK1",), 0.5)
    assert not found.values
    assert "no potency in an assay of this kind" in found.notes[0]


def test_without_an_unbound_fraction_total_counts_and_is_flagged() -> None:
    found = kinase_potencies([_potency(5.0)], ("JAK1",), None)
    assert not found.values["JAK1"].unbound
    assert any("overstates the inhibition" in n for n in found.notes)
