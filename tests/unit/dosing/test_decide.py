"""What a decision says besides the dose: estimates, disagreements, what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.dosing.people import NO_FINDINGS, healthy

from statera.dosing import (
    PREFERENCE,
    Decision,
    Outcome,
    Patient,
    Phase,
    Verdict,
    decide,
    decision_data,
    decision_text,
    label_maximum,
    parse_dose,
    tablet_strengths,
)
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.creatinine import Creatinine
from statera.dosing.person import Sex
from statera.errors import DomainError, InputError, UnknownNameError
from statera.library import HepaticClass
from statera.library.label_rule import Response, TreatmentPart


def eu_ra(person: Patient) -> Decision:
    return decide("Olumiant", "eu", person, indication="rheumatoid arthritis")


def by_creatinine(umol_l: float, **changes: object) -> Patient:
    """A man of 50 and 70 kg with creatinine only."""
    return healthy(
        crcl=None,
        egfr=None,
        age=50.0,
        sex=Sex.MALE,
        creatinine=Creatinine(umol_l, "umol/L"),
        **changes,
    )


def test_an_indexed_rate_is_not_taken_for_a_clearance() -> None:
    decision = eu_ra(healthy(crcl=None, egfr=IndexedGFR(45.0), weight_kg=None))
    assert decision.outcome is Outcome.CANNOT_BE_DECIDED
    assert decision.missing == ("creatinine clearance (mL/min)",)
    assert any("weight and height to convert it" in r for r in decision.remarks)


def test_an_indexed_rate_is_converted_by_the_body_surface_and_said() -> None:
    # DuBois: 0.007184 * 90**0.425 * 185**0.725 = 2.14 m2, so 50 becomes 61.9 mL/min
    person = healthy(crcl=None, egfr=IndexedGFR(50.0), weight_kg=90.0, height_cm=185.0)
    decision = eu_ra(person)
    assert decision.sentence == "4 mg once daily."
    assert any("61.9 mL/min" in r and "body surface of 2.14 m2" in r for r in decision.remarks)
    assert [n.cut for n in decision.near_cut] == [60.0]


def test_a_clearance_is_converted_for_labels_that_cut_on_the_rate() -> None:
    # DuBois: 0.007184 * 45**0.425 * 155**0.725 = 1.403 m2, so 45 mL/min is 55.5 per 1.73 m2
    person = healthy(crcl=45.0, egfr=None, weight_kg=45.0, height_cm=155.0)
    decision = decide("baricitinib", "US", person, indication="COVID-19")
    assert decision.sentence == "2 mg once daily for 14 days or until discharge."
    assert any("eGFR of 55.5 mL/min/1.73 m2 was obtained" in r for r in decision.remarks)


def test_creatinine_gives_both_measures() -> None:
    # Cockcroft-Gault (140 - 50) * 70 / (72 * 131 / 88.4) = 59.05 mL/min; the EU limit is 60
    decision = eu_ra(by_creatinine(131.0, phase=Phase.TREATMENT))
    assert decision.sentence == "2 mg once daily."
    assert any("59.05 mL/min is 30 to below 60" in j.why for j in decision.deciding)
    us = decide("baricitinib", "US", by_creatinine(131.0), indication="COVID-19")
    assert any("CKD-EPI 2021" in j.why for j in us.considered)


def test_near_a_limit_both_estimates_are_shown() -> None:
    # without the rise of 3.8 umol/L: 90 * 70 / (72 * 127.2 / 88.4) = 60.81 mL/min
    (note,) = eu_ra(by_creatinine(131.0, phase=Phase.TREATMENT)).near_cut
    assert note.cut == 60.0
    assert note.value == pytest.approx(59.046, abs=1e-3)
    assert note.corrected == pytest.approx(60.810, abs=1e-3)
    assert note.crosses
    assert note.source == "LILLY_RI_RA"
    assert "3.8 umol/L" in note.sentence
    assert "different sides" in note.sentence


def test_the_result_with_corrected_creatinine_is_said_and_not_followed() -> None:
    decision = eu_ra(by_creatinine(131.0, phase=Phase.TREATMENT))
    assert decision.doses[0].mg == 2.0
    assert any(
        r.startswith("With creatinine of 127.2 umol/L") and "4 mg once daily" in r
        for r in decision.remarks
    )


def test_before_the_start_the_rise_lies_ahead() -> None:
    # 90 * 70 / (72 * 127 / 88.4) = 60.9 now, 59.1 with 3.8 umol/L more
    decision = eu_ra(by_creatinine(127.0))
    assert decision.sentence == "4 mg once daily."
    (note,) = decision.near_cut
    assert note.corrected == pytest.approx(59.136, abs=1e-3)
    assert "on treatment" in note.sentence


def test_far_from_a_limit_nothing_is_said() -> None:
    assert eu_ra(by_creatinine(80.0)).near_cut == ()


def test_a_stated_value_near_a_limit_asks_for_creatinine() -> None:
    (note,) = eu_ra(healthy(crcl=32.0)).near_cut
    assert note.corrected is None
    assert "Give creatinine" in note.sentence


def test_an_estimate_that_would_change_the_dose_is_said() -> None:
    person = by_creatinine(131.0, height_cm=180.0)
    decision = eu_ra(replace(person, egfr=IndexedGFR(66.0)))
    assert any("the stated value, de-indexed" in r and "4 mg" in r for r in decision.remarks)


def test_dialysis_is_renal_failure_whatever_the_estimate() -> None:
    decision = eu_ra(healthy(crcl=70.0, findings={"dialysis": True}))
    assert decision.outcome is Outcome.NOT_RECOMMENDED
    assert decision.near_cut == ()


def test_missing_facts_are_named_with_what_they_would_change() -> None:
    decision = eu_ra(healthy(alc=None, hepatic=None))
    assert decision.outcome is Outcome.CANNOT_BE_DECIDED
    assert decision.missing == ("hepatic function", "ALC")
    results = {a.rule.id: a.result for a in decision.alternatives}
    assert results == {"hepatic-severe": "not recommended", "start-counts": "do not start"}
    assert [d.mg for d in decision.so_far] == [4.0]


def test_what_could_only_raise_the_dose_does_not_hold_it_up() -> None:
    person = healthy(phase=Phase.TREATMENT, age=70.0)
    decision = eu_ra(person)
    assert decision.sentence == "2 mg once daily."
    aa = decide(
        "baricitinib", "US", replace(person, findings=NO_FINDINGS), indication="alopecia areata"
    )
    raising = [a for a in aa.alternatives if a.rule.id == "aa-inadequate-response"]
    assert aa.outcome is Outcome.DOSE
    assert [(a.result, a.more_cautious) for a in raising] == [("4 mg once daily", False)]


def test_a_medicine_that_is_not_known_keeps_the_rule_open() -> None:
    decision = eu_ra(healthy(medicines=("teriflunomide",)))
    assert decision.missing == ("whether teriflunomide is a strong OAT3 inhibitor",)
    told = eu_ra(healthy(medicines=("teriflunomide=strong OAT3 inhibitor",)))
    assert told.sentence == "2 mg once daily."
    other = eu_ra(healthy(medicines=("itraconazole=strong CYP3A4 inhibitor",)))
    assert other.sentence == "4 mg once daily."


def test_two_rules_on_one_interaction_are_settled_by_the_written_preference() -> None:
    decision = eu_ra(healthy(medicines=("probenecid",), age=70.0))
    assert decision.sentence == "2 mg once daily."
    sentence = decision.disagreements[0].sentence
    assert "halve the dose" in sentence
    assert "grade D" in sentence
    assert "The second is followed" in sentence
    assert decision.preference == PREFERENCE


def test_the_vendors_claim_is_shown_and_never_decides() -> None:
    agreeing = decide("baricitinib", "US", healthy(egfr=75.0), indication="RA")
    assert agreeing.outcome is Outcome.DOSE
    assert "it would change nothing here" in agreeing.disagreements[0].sentence
    lower = decide("baricitinib", "US", healthy(egfr=45.0), indication="RA")
    assert lower.outcome is Outcome.CANNOT_BE_DECIDED
    assert lower.missing == ("the label's own rule on renal function",)
    assert lower.alternatives[0].result.startswith("1 mg once daily, if what only the vendor")
    claim = next(j for j in lower.considered if j.rule.id == "ra-renal-moderate")
    assert claim.verdict is Verdict.NOT_USED
    assert "grade S" in lower.disagreements[0].sentence


def test_a_superseded_rule_is_shown() -> None:
    decision = eu_ra(healthy(age=80.0))
    assert decision.sentence == "2 mg once daily."
    assert any("superseded rule says" in d.sentence.lower() for d in decision.disagreements)


def test_recorded_conflicts_of_the_indication_are_shown() -> None:
    topics = " ".join(d.sentence for d in eu_ra(healthy()).disagreements)
    assert "Dose in RA" in topics
    assert "Age from which the lower dose applies" in topics
    us = decide("baricitinib", "US", healthy(), indication="RA")
    assert "Age from which" not in " ".join(d.sentence for d in us.disagreements)


def test_interruption_says_until_when() -> None:
    person = healthy(alc=0.4, phase=Phase.TREATMENT)
    decision = decide("baricitinib", "US", person, indication="RA")
    assert decision.sentence == "Interrupt until ALC is 500 cells/uL or above."
    assert decision.until == "ALC is 500 cells/uL or above"


def test_all_rules_that_stop_are_named_the_gravest_decides() -> None:
    person = healthy(alc=0.4, crcl=20.0)
    decision = eu_ra(person)
    assert decision.sentence == "Not recommended."
    assert [j.rule.id for j in decision.deciding] == ["renal-below-30", "start-counts"]


def test_a_limit_for_the_start_is_not_ignored_on_treatment() -> None:
    decision = eu_ra(healthy(anc=0.8, phase=Phase.TREATMENT))
    assert decision.outcome is Outcome.CANNOT_BE_DECIDED
    assert decision.missing == (
        "what the label says of low ALC, ANC, Hb on treatment",
        "what the label says of ANC in EU",
    )
    assert [a.result for a in decision.alternatives] == [
        "no dose, if the limit for the start holds on treatment as well",
        "interrupt until ANC is 1000 cells/uL or above, if what was read for US holds here as well",
    ]
    assert eu_ra(healthy(phase=Phase.TREATMENT)).outcome is Outcome.DOSE


def test_rules_that_hold_together_are_tried_together() -> None:
    """Whoever meets 'lower dose in risk' meets the rule that says to which: 2 mg either way."""
    decision = eu_ra(replace(healthy(crcl=45.0), findings={}))
    assert decision.sentence == "2 mg once daily."
    without_renal = eu_ra(replace(healthy(), findings={}))
    assert without_renal.outcome is Outcome.CANNOT_BE_DECIDED
    assert {a.result for a in without_renal.alternatives} == {"2 mg once daily"}


def test_warnings_and_suggestions_leave_the_dose() -> None:
    smoker = eu_ra(healthy(findings={"smoking": True}))
    assert smoker.sentence == "4 mg once daily."
    assert [j.rule.id for j in smoker.restrictions] == ["class-risk"]
    steady = eu_ra(
        healthy(phase=Phase.TREATMENT, response=Response.SUSTAINED, on_dose=parse_dose("4 mg QD"))
    )
    assert steady.sentence == "4 mg once daily."
    assert [j.rule.id for j in steady.advice] == ["ra-ad-taper"]


def test_the_class_review_concerns_other_drugs_of_the_region() -> None:
    decision = decide("filgotinib", "EU", healthy(age=70.0), indication="RA")
    assert [j.rule.id for j in decision.restrictions] == ["class-risk"]
    us = decide("upadacitinib", "US", healthy(age=70.0), indication="RA")
    assert us.restrictions == ()


def test_a_course_ends() -> None:
    during = healthy(course_day=14.0)
    after = healthy(course_day=15.0)
    home = healthy(findings={"discharged": True})
    outcomes = [
        decide("baricitinib", "US", person, indication="covid").outcome
        for person in (during, after, home)
    ]
    assert outcomes == [Outcome.DOSE, Outcome.COURSE_COMPLETE, Outcome.COURSE_COMPLETE]


def test_a_present_dose_above_the_decision_is_said() -> None:
    decision = eu_ra(healthy(age=70.0, phase=Phase.TREATMENT, on_dose=parse_dose("4 mg QD")))
    assert any("above 2 mg once daily" in r for r in decision.remarks)


def test_a_present_dose_is_never_made_the_usual_one() -> None:
    person = healthy(on_dose=parse_dose("4 mg QD"), phase=Phase.TREATMENT)
    decision = decide("baricitinib", "EU", person, indication="AA")
    assert decision.outcome is Outcome.CANNOT_BE_DECIDED
    assert not decision.so_far


def test_measured_interactions_are_shown_without_a_dose() -> None:
    person = healthy(medicines=("ketoconazole=strong CYP3A4 inhibitor",))
    decision = decide("tofacitinib", "US", person, indication="RA")
    assert decision.sentence == "5 mg once daily."
    assert any("2.03" in r and "no instruction" in r for r in decision.remarks)


def test_a_rule_read_for_another_indication_is_not_ignored() -> None:
    person = healthy(medicines=("strong CYP3A4 inhibitor",))
    decision = decide("tofacitinib", "US", person, indication="PsA")
    assert decision.missing == ("what the label says of strong CYP3A4 inhibitor in PsA",)
    assert "if what was read for RA holds here as well" in decision.alternatives[0].result


def test_a_rule_read_for_another_region_is_not_ignored() -> None:
    """One Swiss rule was read; that no other was is no reason to give 4 mg in renal failure."""
    swiss = decide("baricitinib", "CH", healthy(crcl=20.0), indication="AA")
    assert swiss.outcome is Outcome.CANNOT_BE_DECIDED
    assert swiss.missing[0] == "what the label says of renal function in CH"
    assert "if what was read for EU holds here as well" in decision_text(swiss)
    asked = decide("baricitinib", "CH", healthy(hepatic=None), indication="AA")
    assert asked.missing == ("hepatic function",)
    us = decide("baricitinib", "US", healthy(medicines=("probenecid",)), indication="RA")
    assert us.missing == ("what the label says of strong OAT3 inhibitor in US",)
    assert us.alternatives[0].result.startswith("1 mg once daily, if what was read for EU")


def test_risk_is_left_to_the_region() -> None:
    """The EU lowers the dose from 65 years and the US label as read does not: both are kept."""
    us = decide("baricitinib", "US", healthy(age=70.0), indication="RA")
    assert (us.outcome, us.doses[0].mg) == (Outcome.DOSE, 2.0)


def test_a_source_without_a_region_is_said() -> None:
    person = healthy(part=TreatmentPart.INDUCTION)
    decision = decide("upadacitinib", "US", person, indication="UC")
    assert any("names no region" in r for r in decision.remarks)


def test_stages_without_numbers_say_whose_limits_are_used() -> None:
    decision = decide("tofacitinib", "US", healthy(egfr=50.0), indication="RA")
    assert any("CKD_STAGES" in r for r in decision.remarks)


@pytest.mark.parametrize(
    ("drug", "region", "indication", "error", "says"),
    [
        ("baricitinip", "EU", "RA", UnknownNameError, "baricitinip"),
        ("baricitinib", "FR", "RA", UnknownNameError, "FR"),
        ("baricitinib", "EU", "gout", UnknownNameError, "gout"),
        ("baricitinib", "EU", "UC", DomainError, "no rule of baricitinib for UC in EU"),
        ("ritlecitinib", "EU", "AA", DomainError, "no label rule of ritlecitinib"),
        ("deucravacitinib", "US", "psoriasis", DomainError, "no label rule of deucravacitinib"),
    ],
)
def test_what_is_not_covered(
    drug: str, region: str, indication: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        decide(drug, region, healthy(), indication=indication)


def test_measures_cannot_be_mixed_up() -> None:
    with pytest.raises(InputError, match="not an absolute one"):
        Patient(crcl=IndexedGFR(50.0))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not an indexed one"):
        Patient(egfr=AbsoluteClearance(50.0))  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        Patient(findings={"gout": True})
    with pytest.raises(InputError, match="alc is -1"):
        Patient(alc=-1.0)


def test_the_label_maximum() -> None:
    fits = label_maximum(
        "baricitinib",
        "EU",
        healthy(age=70.0, phase=Phase.TREATMENT, response=Response.INADEQUATE),
        indication="RA",
    )
    assert (fits.daily_mg, fits.is_final) == (4.0, True)
    stopped = label_maximum("baricitinib", "EU", healthy(crcl=20.0), indication="RA")
    assert (stopped.dose, stopped.daily_mg, stopped.is_final) == (None, 0.0, True)
    waiting = label_maximum("baricitinib", "EU", healthy(hepatic=None), indication="RA")
    assert (waiting.daily_mg, waiting.is_final) == (4.0, False)
    assert "hepatic function" in waiting.reason
    unknown = label_maximum("baricitinib", "EU", healthy(), indication="AA")
    assert (unknown.daily_mg, unknown.is_final) == (None, False)
    twice = label_maximum(
        "tofacitinib", "US", healthy(part=TreatmentPart.INDUCTION), indication="UC"
    )
    assert twice.daily_mg == 20.0


def test_tablet_strengths_are_missing_where_no_fact_states_them() -> None:
    found = tablet_strengths("baricitinib", "EU")
    assert found.mg == ()
    assert "No fact of the library states" in found.reason


def test_text_and_data_hold_the_sources() -> None:
    decision = decide("baricitinib", "EU", healthy(hepatic=HepaticClass.SEVERE), indication="RA")
    text = decision_text(decision)
    assert "Not recommended." in text
    assert "Lilly Medical EU: Olumiant in AD patients with hepatic impairment" in text
    assert "grade A" in text
    assert "Rules considered" in text
    assert "for other indications" in text
    assert len(decision_text(decision, every_rule=True)) > len(text)
    data = decision_data(decision)
    assert data["outcome"] == "not_recommended"
    assert data["deciding"][0]["source"] == "LILLY_HEP"
    assert data["deciding"][0]["source_url"].startswith("https://")
    assert len(data["considered"]) == len(decision.considered)
