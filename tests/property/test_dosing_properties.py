"""What must hold of label decisions for any person."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statera.dosing import Decision, Outcome, Patient, Phase, decide, label_coverage
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.read_patient import RISKS
from statera.library import FINDINGS, HepaticClass
from statera.library.label_rule import Response, TreatmentPart

STOPS = {
    Outcome.NOT_RECOMMENDED,
    Outcome.DO_NOT_START,
    Outcome.INTERRUPT,
    Outcome.DISCONTINUE,
}
PLACES = [(c.drug, c.region, i) for c in label_coverage() for i in c.indications]
MEDICINES = [
    "probenecid",
    "strong OAT3 inhibitor",
    "strong CYP3A4 inhibitor",
    "strong CYP2C19 inhibitor",
]
COMPLETE = dict.fromkeys(FINDINGS, False) | {
    "hospitalised": True,
    "severe_disease": True,
    "prior_dmard_failure": True,
}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def people(draw: st.DrawFn, known: bool = False) -> Patient:
    """Anybody; with `known` nothing is left out."""
    some = (lambda s: s) if known else maybe
    findings = draw(st.fixed_dictionaries({name: st.booleans() for name in RISKS}))
    if known:
        findings = {**COMPLETE, **findings}
    else:
        findings = {k: v for k, v in findings.items() if draw(st.booleans())}
    crcl = draw(some(st.floats(5.0, 150.0)))
    egfr = draw(some(st.floats(5.0, 150.0)))
    return Patient(
        age=draw(some(st.integers(1, 95).map(float))),
        weight_kg=draw(some(st.floats(8.0, 140.0))),
        crcl=None if crcl is None else AbsoluteClearance(crcl),
        egfr=None if egfr is None else IndexedGFR(egfr),
        alc=draw(some(st.floats(0.1, 3.0))),
        anc=draw(some(st.floats(0.1, 6.0))),
        plt=draw(some(st.floats(20.0, 400.0))),
        hb=draw(some(st.floats(6.0, 16.0))),
        hb_fall=draw(some(st.floats(0.0, 4.0))),
        hepatic=draw(some(st.sampled_from(HepaticClass))),
        medicines=draw(some(st.lists(st.sampled_from(MEDICINES), max_size=2).map(tuple))),
        findings=findings,
        phase=draw(some(st.sampled_from(Phase))),
        part=draw(some(st.sampled_from(TreatmentPart))),
        response=draw(some(st.sampled_from(Response))),
    )


def highest(decision: Decision) -> float:
    """The highest daily amount, allowed ones included; infinite where none is known."""
    doses = decision.doses or decision.so_far
    return max((d.daily_mg for d in doses), default=float("inf"))


def not_less_cautious(before: Decision, after: Decision) -> None:
    """Assert that the second decision gives no more than the first."""
    if before.outcome in STOPS:
        assert after.outcome in STOPS
    elif before.outcome is Outcome.DOSE:
        assert after.outcome in STOPS | {Outcome.CANNOT_BE_DECIDED, Outcome.DOSE}
    if after.doses or after.so_far:
        assert highest(after) <= highest(before)


@settings(max_examples=100, deadline=None)
@given(place=st.sampled_from(PLACES), person=people(), risk=st.sampled_from(RISKS))
def test_a_risk_that_is_added_never_raises_the_dose(
    place: tuple[str, str, str], person: Patient, risk: str
) -> None:
    drug, region, indication = place
    without = replace(person, findings={**person.findings, risk: False})
    present = replace(person, findings={**person.findings, risk: True})
    not_less_cautious(
        decide(drug, region, without, indication=indication),
        decide(drug, region, present, indication=indication),
    )


@settings(max_examples=100, deadline=None)
@given(place=st.sampled_from(PLACES), person=people(), name=st.sampled_from(MEDICINES))
def test_another_medicine_never_raises_the_dose(
    place: tuple[str, str, str], person: Patient, name: str
) -> None:
    drug, region, indication = place
    taken = person.medicines or ()
    not_less_cautious(
        decide(drug, region, replace(person, medicines=taken), indication=indication),
        decide(drug, region, replace(person, medicines=(*taken, name)), indication=indication),
    )


@settings(max_examples=120, deadline=None)
@given(
    place=st.sampled_from(PLACES),
    person=people(known=True),
    low=st.floats(3.0, 130.0),
    more=st.floats(0.0, 60.0),
)
def test_lower_renal_function_never_raises_the_dose(
    place: tuple[str, str, str], person: Patient, low: float, more: float
) -> None:
    drug, region, indication = place
    better, worse = (
        replace(person, crcl=AbsoluteClearance(v), egfr=IndexedGFR(v)) for v in (low + more, low)
    )
    first = decide(drug, region, better, indication=indication)
    second = decide(drug, region, worse, indication=indication)
    if first.outcome in STOPS:
        assert second.outcome in STOPS
    # where no usual dose is known a limit may give one: there is nothing to compare it with
    if first.doses and (second.doses or second.so_far):
        assert highest(second) <= highest(first)


@settings(max_examples=120, deadline=None)
@given(place=st.sampled_from(PLACES), person=people())
def test_hepatic_impairment_never_raises_the_dose(
    place: tuple[str, str, str], person: Patient
) -> None:
    drug, region, indication = place
    found = [
        decide(drug, region, replace(person, hepatic=grade), indication=indication)
        for grade in HepaticClass
    ]
    for before, after in pairwise(found):
        not_less_cautious(before, after)


@settings(max_examples=100, deadline=None)
@given(place=st.sampled_from(PLACES), person=people())
def test_every_decision_explains_itself(place: tuple[str, str, str], person: Patient) -> None:
    drug, region, indication = place
    decision = decide(drug, region, person, indication=indication)
    assert decision.sentence.endswith(".")
    assert decision.considered
    assert all(j.why for j in decision.considered)
    assert all(j.missing for j in decision.open_rules())
    if decision.outcome is Outcome.CANNOT_BE_DECIDED:
        assert decision.missing
        assert not decision.doses
    if decision.outcome is Outcome.DOSE:
        assert decision.doses
        assert decision.deciding
        assert not decision.so_far


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_person_of_whom_nothing_is_known_gets_no_dose(place: tuple[str, str, str]) -> None:
    drug, region, indication = place
    decision = decide(drug, region, Patient(), indication=indication)
    assert not decision.doses
    assert not decision.so_far
    assert decision.outcome in (Outcome.CANNOT_BE_DECIDED, Outcome.NOT_INDICATED)
