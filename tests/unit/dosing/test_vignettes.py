"""People whose dose was worked out by hand from the rows of the table of label rules.

The numbers behind ``rows`` are those of the table that the rules were made from, heading left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from tests.unit.dosing.people import healthy

from statera.dosing import Decision, Outcome, Phase, decide, decision_text, parse_dose
from statera.dosing.decision_words import doses_words
from statera.library import HepaticClass
from statera.library.label_rule import Response, TreatmentPart

DOSE, WAITS = Outcome.DOSE, Outcome.CANNOT_BE_DECIDED
NOT_RECOMMENDED, NO_START = Outcome.NOT_RECOMMENDED, Outcome.DO_NOT_START
INTERRUPT, STOP = Outcome.INTERRUPT, Outcome.DISCONTINUE
NOT_INDICATED, NO_RULE = Outcome.NOT_INDICATED, Outcome.NO_RULE
ON = Phase.TREATMENT
OAT3 = ("probenecid",)
CYP3A4 = ("strong CYP3A4 inhibitor",)
INDUCTION, MAINTENANCE = TreatmentPart.INDUCTION, TreatmentPart.MAINTENANCE
SEVERE, MODERATE = HepaticClass.SEVERE, HepaticClass.MODERATE


class Vignette(NamedTuple):
    drug: str
    region: str
    indication: str
    person: dict[str, Any]
    outcome: Outcome
    doses: str
    rows: tuple[int, ...]


def yes(*findings: str) -> dict[str, Any]:
    return {"findings": dict.fromkeys(findings, True)}


B, T, U, F, A = "baricitinib", "tofacitinib", "upadacitinib", "filgotinib", "abrocitinib"
QD1, QD2, QD4 = "1 mg once daily", "2 mg once daily", "4 mg once daily"
OR_4 = f"{QD2} (also allowed: {QD4})"

VIGNETTES = [
    # baricitinib, EU
    Vignette(B, "EU", "RA", {}, DOSE, QD4, (32,)),
    Vignette(B, "EU", "RA", {"age": 64.9}, DOSE, QD4, (32,)),
    Vignette(B, "EU", "RA", {"age": 65.0}, DOSE, QD2, (33,)),
    Vignette(B, "EU", "RA", yes("vte"), DOSE, QD2, (33, 54)),
    Vignette(B, "EU", "RA", yes("cardiovascular"), DOSE, QD2, (33, 54)),
    Vignette(B, "EU", "RA", yes("malignancy"), DOSE, QD2, (33, 54)),
    Vignette(B, "EU", "RA", yes("infection"), DOSE, QD2, (33,)),
    Vignette(B, "EU", "RA", yes("smoking"), DOSE, QD4, (32, 53)),
    Vignette(
        B,
        "EU",
        "RA",
        {"age": 70.0, "phase": ON, "response": Response.INADEQUATE},
        DOSE,
        OR_4,
        (33,),
    ),
    Vignette(B, "EU", "RA", {"crcl": 60}, DOSE, QD4, (32,)),
    Vignette(B, "EU", "RA", {"crcl": 59.9}, DOSE, QD2, (37,)),
    Vignette(B, "EU", "RA", {"crcl": 30}, DOSE, QD2, (37,)),
    Vignette(B, "EU", "RA", {"crcl": 29.9}, NOT_RECOMMENDED, "", (38,)),
    Vignette(B, "EU", "RA", {"medicines": OAT3}, DOSE, QD2, (39, 40)),
    Vignette(B, "EU", "RA", {"medicines": OAT3, "age": 70.0}, DOSE, QD2, (33, 39)),
    Vignette(B, "EU", "RA", {"hepatic": MODERATE}, DOSE, QD4, (32, 41)),
    Vignette(B, "EU", "RA", {"hepatic": SEVERE}, NOT_RECOMMENDED, "", (42,)),
    Vignette(B, "EU", "RA", {"alc": 0.49}, NO_START, "", (43,)),
    Vignette(B, "EU", "RA", {"alc": 0.5}, DOSE, QD4, (43,)),
    Vignette(B, "EU", "RA", {"anc": 0.99}, NO_START, "", (43,)),
    Vignette(B, "EU", "RA", {"hb": 7.9}, NO_START, "", (43,)),
    Vignette(B, "EU", "RA", {"age": 12.0}, NO_RULE, "", (32,)),
    Vignette(B, "EU", "AD", {}, WAITS, "", (33, 50)),
    Vignette(B, "EU", "AD", {"age": 70.0}, DOSE, QD2, (33,)),
    Vignette(B, "EU", "AD", {"age": 8.0, "weight_kg": 29.9}, DOSE, QD2, (48,)),
    Vignette(B, "EU", "AD", {"age": 8.0, "weight_kg": 30.0}, DOSE, QD4, (47,)),
    Vignette(B, "EU", "AD", {"age": 1.5, "weight_kg": 11.0}, NOT_INDICATED, "", (50,)),
    Vignette(B, "EU", "JIA", {"age": 8.0, "weight_kg": 25.0}, DOSE, QD2, (45, 49)),
    Vignette(B, "EU", "JIA", {"age": 12.0, "weight_kg": 40.0}, DOSE, QD4, (46, 49)),
    Vignette(B, "EU", "JIA", {"age": 3.0, "weight_kg": 9.9}, NO_RULE, "", (45,)),
    Vignette(B, "EU", "JIA", {"age": 12.0, "weight_kg": 40.0, "hepatic": SEVERE}, WAITS, "", (42,)),
    Vignette(B, "EU", "AA", {}, WAITS, "", (51,)),
    Vignette(B, "EU", "AA", {"crcl": 45}, DOSE, QD2, (37,)),
    Vignette(B, "EU", "AA", {"findings": {"severe_disease": False}}, NOT_INDICATED, "", (51,)),
    # baricitinib elsewhere
    Vignette(B, "CH", "AA", {}, DOSE, QD4, (34,)),
    Vignette(B, "US", "RA", {}, DOSE, QD2, (1,)),
    Vignette(B, "US", "RA", {"age": 80.0}, DOSE, QD2, (1,)),
    Vignette(B, "US", "RA", {"egfr": 75}, DOSE, QD2, (1, 16)),
    Vignette(B, "US", "RA", {"egfr": 45}, WAITS, "", (15,)),
    Vignette(B, "US", "RA", {"egfr": 20}, WAITS, "", (18,)),
    Vignette(B, "US", "AA", {"egfr": 45}, WAITS, "", (17,)),
    Vignette(B, "US", "RA", {"alc": 0.499}, NO_START, "", (2,)),
    Vignette(B, "US", "AA", {"anc": 0.999}, NO_START, "", (3,)),
    Vignette(B, "US", "RA", {"hb": 7.9}, NO_START, "", (4,)),
    Vignette(B, "US", "RA", {"alc": 0.4, "phase": ON}, INTERRUPT, "", (5,)),
    Vignette(B, "US", "RA", {"anc": 0.9, "phase": ON}, INTERRUPT, "", (6,)),
    Vignette(B, "US", "RA", {"hb": 7.0, "phase": ON}, INTERRUPT, "", (7,)),
    Vignette(B, "US", "AA", {"alc": 0.4, "phase": ON}, WAITS, "", (5, 11)),
    Vignette(B, "US", "AA", {}, DOSE, QD2, (11,)),
    Vignette(B, "US", "AA", {"phase": ON, "response": Response.INADEQUATE}, DOSE, QD4, (12,)),
    Vignette(B, "US", "AA", yes("near_complete_hair_loss"), DOSE, QD4, (13,)),
    Vignette(
        B,
        "US",
        "AA",
        {"phase": ON, "response": Response.ADEQUATE, "on_dose": parse_dose("4 mg QD")},
        DOSE,
        QD2,
        (14,),
    ),
    Vignette(B, "US", "JIA", {"age": 10.0}, NOT_INDICATED, "", (52,)),
    Vignette(B, "US", "AD", {}, NOT_INDICATED, "", (52,)),
    Vignette(B, "US", "covid", {}, DOSE, f"{QD4} for 14 days or until discharge", (8,)),
    Vignette(
        B, "US", "covid", {"egfr": 59.9}, DOSE, f"{QD2} for 14 days or until discharge", (19,)
    ),
    Vignette(B, "US", "covid", {"egfr": 29}, DOSE, f"{QD1} for 14 days or until discharge", (20,)),
    Vignette(B, "US", "covid", {"egfr": 14.9}, NOT_RECOMMENDED, "", (21, 26)),
    Vignette(B, "US", "covid", yes("acute_kidney_injury"), NOT_RECOMMENDED, "", (26,)),
    Vignette(B, "US", "covid", yes("dialysis"), NOT_RECOMMENDED, "", (21, 26)),
    Vignette(B, "US", "covid", {"alc": 0.19}, NO_START, "", (9,)),
    Vignette(B, "US", "covid", {"alc": 0.3}, DOSE, f"{QD4} for 14 days or until discharge", (9,)),
    Vignette(B, "US", "covid", {"anc": 0.49}, NO_START, "", (10,)),
    Vignette(B, "US", "covid", {"age": 9.0}, DOSE, f"{QD4} for 14 days", (24, 31)),
    Vignette(B, "US", "covid", {"age": 8.9}, DOSE, f"{QD2} for 14 days", (25, 31)),
    Vignette(B, "US", "covid", {"age": 1.9}, NOT_INDICATED, "", (25, 31)),
    Vignette(B, "US", "covid", {"findings": {"hospitalised": False}}, NOT_INDICATED, "", (30, 31)),
    Vignette(B, "Ontario", "covid", {"egfr": 45}, DOSE, QD2, (22,)),
    Vignette(B, "Ontario", "covid", {"egfr": 29}, NOT_RECOMMENDED, "", (23,)),
    Vignette(B, "Ontario", "covid", {"egfr": 80}, WAITS, "", (22,)),
    # tofacitinib
    Vignette(
        T, "US", "RA", {}, DOSE, "5 mg twice daily (also allowed: 11 mg XR once daily)", (56,)
    ),
    Vignette(T, "US", "PsA", {"egfr": 50}, DOSE, "5 mg once daily", (57,)),
    Vignette(T, "US", "AS", {"egfr": 10}, DOSE, "5 mg once daily", (57,)),
    Vignette(T, "US", "RA", {"hepatic": MODERATE}, DOSE, "5 mg once daily", (58,)),
    Vignette(T, "US", "RA", {"hepatic": SEVERE}, WAITS, "", (58,)),
    Vignette(T, "US", "RA", {"medicines": CYP3A4}, DOSE, "5 mg once daily", (60,)),
    Vignette(T, "US", "PsA", {"medicines": CYP3A4}, WAITS, "", (60,)),
    Vignette(T, "US", "UC", {"part": INDUCTION}, DOSE, "10 mg twice daily", (59,)),
    Vignette(
        T,
        "US",
        "UC",
        {"part": MAINTENANCE},
        DOSE,
        "5 mg twice daily (also allowed: 10 mg twice daily)",
        (59,),
    ),
    Vignette(T, "EU", "UC", {"alc": 0.6, "phase": ON}, DOSE, "5 mg twice daily", (61,)),
    Vignette(T, "EU", "UC", {"alc": 0.4, "phase": ON}, STOP, "", (62,)),
    Vignette(T, "EU", "UC", {"anc": 0.75, "phase": ON}, DOSE, "5 mg twice daily", (63,)),
    Vignette(T, "EU", "UC", {"anc": 0.4, "phase": ON}, STOP, "", (64,)),
    Vignette(T, "EU", "UC", {"hb": 7.9, "phase": ON}, INTERRUPT, "", (65,)),
    Vignette(T, "EU", "UC", {"hb_fall": 2.1, "phase": ON}, INTERRUPT, "", (65,)),
    Vignette(
        T,
        "EU",
        "UC",
        {"crcl": 25, "on_dose": parse_dose("5 mg BID"), "phase": ON},
        DOSE,
        "5 mg once daily",
        (66,),
    ),
    Vignette(
        T,
        "EU",
        "UC",
        {"crcl": 25, "on_dose": parse_dose("10 mg BID"), "phase": ON},
        DOSE,
        "5 mg twice daily",
        (66,),
    ),
    Vignette(T, "EU", "UC", {"crcl": 25, "phase": ON}, WAITS, "", (66,)),
    # upadacitinib
    Vignette(U, "US", "RA", {}, DOSE, "15 mg once daily", (69,)),
    Vignette(U, "US", "AS", {"hb": 7.5}, NO_START, "", (70,)),
    Vignette(U, "US", "RA", {"hepatic": SEVERE}, NOT_RECOMMENDED, "", (71,)),
    Vignette(U, "EU", "AD", {}, DOSE, "15 mg once daily or 30 mg once daily", (73,)),
    Vignette(U, "EU", "AD", {"age": 65.0}, DOSE, "15 mg once daily", (72,)),
    Vignette(U, "US", "UC", {"part": INDUCTION}, DOSE, "45 mg once daily for 8 weeks", (74,)),
    Vignette(U, "EU", "CD", {"part": INDUCTION}, DOSE, "45 mg once daily for 12 weeks", (75,)),
    Vignette(
        U,
        "EU",
        "UC",
        {"part": MAINTENANCE},
        DOSE,
        "15 mg once daily (also allowed: 30 mg once daily)",
        (76,),
    ),
    Vignette(
        U,
        "US",
        "CD",
        {"part": INDUCTION, "medicines": CYP3A4},
        DOSE,
        "30 mg once daily for 12 weeks",
        (81,),
    ),
    Vignette(
        U, "US", "UC", {"part": MAINTENANCE, "medicines": CYP3A4}, DOSE, "15 mg once daily", (81,)
    ),
    Vignette(U, "EU", "UC", {"crcl": 25}, WAITS, "", (103,)),
    # filgotinib
    Vignette(F, "EU", "RA", {}, DOSE, "200 mg once daily", (82,)),
    Vignette(F, "EU", "RA", {"age": 65.0}, DOSE, "100 mg once daily", (83,)),
    Vignette(F, "EU", "RA", yes("vte"), DOSE, "100 mg once daily", (83,)),
    Vignette(F, "EU", "UC", {"part": INDUCTION}, DOSE, "200 mg once daily", (84,)),
    Vignette(F, "EU", "UC", {"part": INDUCTION, "crcl": 59}, DOSE, "100 mg once daily", (85, 104)),
    Vignette(F, "EU", "RA", {"crcl": 15}, DOSE, "100 mg once daily", (85,)),
    Vignette(F, "EU", "RA", {"crcl": 14.9}, NOT_RECOMMENDED, "", (86,)),
    Vignette(F, "EU", "RA", {"hepatic": SEVERE}, NOT_RECOMMENDED, "", (86,)),
    Vignette(F, "EU", "RA", {"anc": 0.9}, NO_START, "", (87,)),
    Vignette(F, "UK", "UC", {"crcl": 50}, WAITS, "", (104,)),
    # abrocitinib
    Vignette(
        A,
        "US",
        "AD",
        {},
        DOSE,
        "100 mg once daily (also allowed: 200 mg once daily for 12 weeks at the start)",
        (89,),
    ),
    Vignette(A, "EU", "AD", {}, DOSE, "100 mg once daily or 200 mg once daily", (90,)),
    Vignette(
        A,
        "US",
        "AD",
        {"hb": 9.0},
        DOSE,
        "100 mg once daily (also allowed: 200 mg once daily for 12 weeks at the start)",
        (91,),
    ),
    Vignette(A, "EU", "AD", {"hb": 9.0}, NO_START, "", (92,)),
    Vignette(A, "EU", "AD", {"anc": 1.1}, NO_START, "", (92,)),
    Vignette(A, "US", "AD", {"plt": 149.0}, NO_START, "", (91,)),
    Vignette(
        A,
        "EU",
        "AD",
        {"medicines": ("strong CYP2C19 inhibitor",)},
        DOSE,
        "50 mg once daily or 100 mg once daily",
        (93,),
    ),
    Vignette(A, "EU", "AD", {"age": 14.0, "weight_kg": 40.0}, DOSE, "100 mg once daily", (94,)),
    Vignette(A, "EU", "AD", {"age": 14.0, "weight_kg": 59.0}, NO_RULE, "", (94,)),
    # the others
    Vignette("ritlecitinib", "US", "AA", {"age": 12.0}, DOSE, "50 mg once daily", (95,)),
    Vignette("ritlecitinib", "US", "AA", {"age": 11.0}, NO_RULE, "", (95,)),
    Vignette("ritlecitinib", "US", "AA", {"plt": 99.0}, NO_START, "", (96,)),
    Vignette("ritlecitinib", "US", "AA", {"plt": 49.0, "phase": ON}, STOP, "", (97,)),
    Vignette("ritlecitinib", "US", "AA", {"alc": 0.4, "phase": ON}, INTERRUPT, "", (97,)),
    Vignette("ritlecitinib", "US", "AA", {"hepatic": SEVERE}, NOT_RECOMMENDED, "", (98,)),
    Vignette("ritlecitinib", "UK", "AA", {"egfr": 25}, WAITS, "", (99,)),
    Vignette("deucravacitinib", "unspecified", "psoriasis", {}, DOSE, "6 mg once daily", (105,)),
    Vignette(
        "deucravacitinib",
        "unspecified",
        "psoriasis",
        {"hepatic": SEVERE},
        NOT_RECOMMENDED,
        "",
        (106,),
    ),
    Vignette("ruxolitinib", "EU", "aGVHD", {}, DOSE, "10 mg twice daily", (109,)),
    Vignette("ruxolitinib", "US", "aGVHD", {}, DOSE, "5 mg twice daily", (109,)),
    Vignette("ruxolitinib", "US", "MF", {"medicines": CYP3A4}, WAITS, "", (107,)),
    Vignette(
        "ruxolitinib",
        "EU",
        "MF",
        {"crcl": 29, "on_dose": parse_dose("20 mg BID"), "phase": ON},
        DOSE,
        "10 mg twice daily",
        (108,),
    ),
]


def name(v: Vignette) -> str:
    what = ",".join(str(p) for p in v.person) or "standard"
    return f"{v.drug}-{v.region}-{v.indication}-{what}-rows{'+'.join(map(str, v.rows))}"


@pytest.mark.parametrize("v", VIGNETTES, ids=name)
def test_the_dose_is_that_of_the_rows(v: Vignette) -> None:
    decision = decide(v.drug, v.region, healthy(**v.person), indication=v.indication)
    assert decision.outcome is v.outcome, decision.sentence
    assert doses_words(decision.doses) == v.doses
    text = decision_text(decision)
    assert decision.sentence.split()[0] in text
    assert "Not a medical device" in text
    assert max(len(line) for line in text.splitlines()) <= 96


FIELDS = (
    *("age", "weight_kg", "crcl", "egfr", "alc", "anc", "plt", "hb", "hb_fall", "hepatic"),
    *("medicines", "findings", "phase", "part", "on_dose"),
)


@pytest.mark.parametrize("v", VIGNETTES, ids=name)
def test_what_is_hidden_is_never_taken_as_normal(v: Vignette) -> None:
    """Without one of the facts a dose is decided only if it is no higher than with all of them."""
    person = healthy(**v.person)
    full = decide(v.drug, v.region, person, indication=v.indication)
    for field in FIELDS:
        hidden = replace(person, **{field: {} if field == "findings" else None})
        blind = decide(v.drug, v.region, hidden, indication=v.indication)
        if blind.outcome is not Outcome.DOSE:
            continue
        assert full.outcome in (Outcome.DOSE, Outcome.NOT_INDICATED), field
        if full.outcome is Outcome.DOSE:
            assert _usual(blind) <= _usual(full), field
        else:  # an indication that is not met is asked for, and said
            assert any("not known" in remark for remark in blind.remarks), field


def _usual(decision: Decision) -> float:
    return max(d.daily_mg for d in decision.doses if not d.optional)
