"""Bundles made up for the tests: no person stands behind them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
ATC = "http://www.whocc.no/atc"
SUBJECT = {"reference": "Patient/p1"}
BARICITINIB = {"coding": [{"system": ATC, "code": "L04AF02", "display": "baricitinib"}]}

Resource = dict[str, Any]


def quantity(value: float, unit: str, **more: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **more}


def patient(**changes: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "gender": "female",
        "birthDate": "1960-05-01",
        **changes,
    }


def administration(name: str, at: str, amount: float = 4.0, **changes: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": name,
        "status": "completed",
        "medicationCodeableConcept": BARICITINIB,
        "subject": SUBJECT,
        "effectiveDateTime": at,
        "dosage": {"dose": quantity(amount, "mg")},
        **changes,
    }


def statement(name: str, start: str, end: str = "", **changes: Any) -> Resource:
    period = {"start": start, "end": end} if end else {"start": start}
    return {
        "resourceType": "MedicationStatement",
        "id": name,
        "status": "completed",
        "medicationCodeableConcept": {"text": "Olumiant 4 mg film-coated tablets"},
        "subject": SUBJECT,
        "effectivePeriod": period,
        "dosage": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": quantity(4.0, "mg")}],
            }
        ],
        **changes,
    }


def observation(name: str, code: str, value: float, unit: str, at: str, **changes: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": SUBJECT,
        "effectiveDateTime": at,
        "valueQuantity": quantity(value, unit),
        **changes,
    }


def level(name: str, value: float, at: str, unit: str = "ng/mL", **changes: Any) -> Resource:
    return {
        **observation(name, "", value, unit, at),
        "code": {"text": "Baricitinib in plasma"},
        **changes,
    }


def bundle(*resources: Mapping[str, Any], **changes: Any) -> Resource:
    return {
        "resourceType": "Bundle",
        "id": "visit-3",
        "type": "collection",
        "entry": [{"resource": copy.deepcopy(dict(r))} for r in resources],
        **changes,
    }


def whole_record() -> Resource:
    """Return a record with one of everything that is used."""
    return bundle(
        patient(),
        statement("s1", "2026-03-01T08:00:00+01:00", "2026-03-06T08:00:00+01:00"),
        administration("a1", "2026-03-07T08:05:00+01:00"),
        {
            "resourceType": "MedicationRequest",
            "id": "r1",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": BARICITINIB,
            "subject": SUBJECT,
        },
        level("c1", 55.0, "2026-03-07T10:00:00+01:00"),
        observation("w1", "29463-7", 70.0, "kg", "2026-03-01"),
        observation("h1", "8302-2", 165.0, "cm", "2026-03-01"),
        observation("k1", "14682-9", 93.0, "umol/L", "2026-03-06T07:30:00+01:00"),
        observation("e1", "98979-8", 60.0, "mL/min/{1.73_m2}", "2026-03-06T07:30:00+01:00"),
        observation("n1", "751-8", 3.2, "10*9/L", "2026-03-06T07:30:00+01:00"),
    )
