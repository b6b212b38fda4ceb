"""Inhibition expected from potencies: bounds stay bounds, and what is not known is said."""

from __future__ import annotations

import pytest

from statera.engagement import Potency
from statera.plan.expected import (
    NOT_RETRIEVED,
    KnownPotencies,
    expected_inhibition,
    known_potencies,
)
from statera.sources import Relation

DOSES = (1000.0, 50.0, 1.0)


def test_the_librarys_bound_for_il6_gives_at_least() -> None:
    six, fifteen = expected_inhibition(known_potencies("baricitinib"), ("IL-6", "IL-15"), DOSES)
    assert six.potency == "< 50 nM"
    assert six.inhibition[1].low == pytest.approx(0.5)
    assert six.inhibition[1].high == 1.0
    assert six.words[1] == "at least 50 %"
    assert "slope is taken as 1" in six.remark
    assert not fifteen.is_known
    assert fifteen.potency == NOT_RETRIEVED
    assert "measured with IL-15" in fifteen.remark


def test_a_point_of_the_user_is_a_point() -> None:
    own = Potency("baricitinib", 50.0, "nM", stimulus="IL-15", readout="pSTAT3")
    known = known_potencies("baricitinib", (own,))
    (found,) = expected_inhibition(known, ("IL-15",), DOSES)
    assert found.words == ("95 %", "50 %", "2 %")
    assert found.source == ""


def test_one_cytokine_is_not_taken_for_another() -> None:
    own = Potency("x", 50.0, "nM", Relation.EQUAL, stimulus="IL-15 or IL-60")
    found = expected_inhibition(KnownPotencies("x", (own,), None), ("IL-6", "IL-15"), DOSES)
    assert [e.is_known for e in found] == [False, True]


def test_mass_without_a_molar_mass_is_said() -> None:
    own = Potency("x", 50.0, "ng/mL", stimulus="IL-6")
    (found,) = expected_inhibition(KnownPotencies("x", (own,), None), ("IL-6",), DOSES)
    assert not found.is_known
    assert "molar mass" in found.remark


def test_a_drug_that_the_library_does_not_know_is_said() -> None:
    known = known_potencies("baricitinob")
    assert known.potencies == ()
    assert "baricitinib" in known.remarks[0]
