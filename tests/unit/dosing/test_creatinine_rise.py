"""Estimates on and before treatment with a drug that raises creatinine."""

from __future__ import annotations

import pytest

from statera.dosing.creatinine import Creatinine
from statera.dosing.creatinine_rise import creatinine_rise, on_and_before_treatment
from statera.dosing.person import Sex
from statera.dosing.renal_equations import RenalInputs
from statera.errors import InputError, UnknownNameError

WOMAN = RenalInputs(age=60.0, sex=Sex.FEMALE, creatinine=Creatinine(1.05, "mg/dL"))
MAN = RenalInputs(age=65.0, sex=Sex.MALE, creatinine=Creatinine(1.32, "mg/dL"))


def test_the_rise_is_a_fact_of_the_library_with_its_source() -> None:
    rise = creatinine_rise("Olumiant")
    assert rise is not None
    assert rise.drug == "baricitinib"
    assert rise.umol_l == rise.fact.number
    assert rise.fact.unit == "umol/L"
    assert "lillymedical" in rise.source


def test_a_drug_without_such_a_fact_has_none() -> None:
    assert creatinine_rise("deucravacitinib") is None
    assert (
        on_and_before_treatment(
            WOMAN, drug="deucravacitinib", measured_on_treatment=True, equation="ckd-epi-2021"
        )
        is None
    )
    with pytest.raises(UnknownNameError):
        creatinine_rise("no such drug")


@pytest.mark.parametrize(("person", "before", "on"), [(WOMAN, 60.8, 58.0), (MAN, 59.9, 57.6)])
def test_published_examples(person: RenalInputs, before: float, on: float) -> None:
    found = on_and_before_treatment(
        person,
        drug="baricitinib",
        measured_on_treatment=False,
        equation="ckd-epi-2021",
        cuts=(30.0, 60.0),
    )
    assert found is not None
    assert found.before_treatment.value == pytest.approx(before, abs=0.05)
    assert found.on_treatment.value == pytest.approx(on, abs=0.05)
    assert found.near == (60.0,)


def test_a_cut_between_the_estimates_is_told_from_one_beside_them() -> None:
    def text(person: RenalInputs) -> str:
        found = on_and_before_treatment(
            person,
            drug="baricitinib",
            measured_on_treatment=False,
            equation="ckd-epi-2021",
            cuts=(60.0,),
        )
        assert found is not None
        return " ".join(found.sentences)

    assert "lies between them" in text(WOMAN)
    assert "Both estimates lie below the cut" in text(MAN)


def test_measured_on_treatment_subtracts_and_before_adds() -> None:
    on, before = (
        on_and_before_treatment(
            WOMAN, drug="baricitinib", measured_on_treatment=measured, equation="ckd-epi-2021"
        )
        for measured in (True, False)
    )
    assert on is not None
    assert before is not None
    assert on.on_treatment == before.before_treatment  # the creatinine that was measured
    assert on.before_treatment.value > on.on_treatment.value
    assert before.before_treatment.value > before.on_treatment.value
    assert on.near == ()


def test_an_equation_without_creatinine_is_refused() -> None:
    with pytest.raises(InputError, match="does not use creatinine"):
        on_and_before_treatment(
            WOMAN,
            drug="baricitinib",
            measured_on_treatment=True,
            equation="ckd-epi-2012-cystatin",
        )
    with pytest.raises(UnknownNameError):
        on_and_before_treatment(
            WOMAN, drug="baricitinib", measured_on_treatment=True, equation="ckd-epi"
        )
