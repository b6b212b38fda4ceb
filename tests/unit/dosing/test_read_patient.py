"""Reading a person from a file or from options: units are asked for and slips are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from statera.dosing import Dose, Patient, Phase, parse_dose, patient_from, read_patient
from statera.dosing.blood_count import parse_laboratory
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.person import Sex
from statera.errors import InputError, Place, UnknownNameError
from statera.library import HepaticClass
from statera.library.label_rule import Response, TreatmentPart

FILE = """
schema = "statera.label-patient/1"
age = 70
sex = "f"
weight_kg = 62
height_cm = 160
creatinine = "0.9 mg/dL"
crcl = 55
egfr = 61.5
alc = "1200 cells/uL"
anc = "3.1 10^9/L"
plt = "250 10^9/L"
hb = "121 g/L"
hepatic = "mild"
risk = ["cv", "no-vte"]
finding = ["no-dialysis", "severe disease"]
medicines = ["probenecid"]
phase = "treatment"
part = "maintenance"
response = "adequate"
on_dose = "4 mg once daily"
week = 12
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "patient.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_with_its_units(tmp_path: Path) -> None:
    person = read_patient(write(tmp_path, FILE))
    assert (person.age, person.sex, person.weight_kg, person.height_cm) == (70, Sex.FEMALE, 62, 160)
    assert person.creatinine is not None
    assert person.creatinine.mg_dl == 0.9
    assert person.crcl == AbsoluteClearance(55.0)
    assert person.egfr == IndexedGFR(61.5)
    assert (person.alc, person.anc, person.plt, person.hb) == pytest.approx((1.2, 3.1, 250, 12.1))
    assert person.hepatic is HepaticClass.MILD
    assert dict(person.findings) == {
        "cardiovascular": True,
        "vte": False,
        "dialysis": False,
        "severe_disease": True,
    }
    assert person.medicines == ("probenecid",)
    assert person.phase is Phase.TREATMENT
    assert person.part is TreatmentPart.MAINTENANCE
    assert person.response is Response.ADEQUATE
    assert person.on_dose == Dose(4.0, "QD")
    assert (person.week, person.course_day) == (12, None)


def test_what_is_not_given_is_not_known() -> None:
    assert patient_from({}) == Patient()


def test_none_says_that_something_is_absent() -> None:
    person = patient_from({"medicines": ("none",), "risk": ("none",)})
    assert person.medicines == ()
    assert set(person.findings.values()) == {False}
    assert len(person.findings) == 5


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"alc": "1200"}, "ALC has no unit"),
        ({"alc": "1200 10^9/L"}, "implausible"),
        ({"alc": "1.2 cells/uL"}, "implausible"),
        ({"alc": "much"}, "not a number with a unit"),
        ({"hb": "12 g/L"}, "implausible"),
        ({"hb": "120 g/dL"}, "implausible"),
        ({"hb": "7.4 mmol/L"}, "has the unit 'mmol/L'"),
        ({"creatinine": "85"}, "creatinine"),
        ({"creatinine": "85 mg/dL"}, "implausible"),
        ({"height_cm": 1.7}, "height is 1.7"),
        ({"hepatic": "Child"}, "hepatic is 'Child'"),
        ({"phase": "before"}, "phase is 'before'"),
        ({"on_dose": "4 mg"}, "is not a dose"),
        ({"on_dose": "0 mg QD"}, "is not a dose"),
        ({"risk": ("gout",)}, "gout"),
        ({"risk": ("vte", "no-vte")}, "as present and as absent"),
        ({"risk": ("none", "cv")}, "as present and as absent"),
        ({"wieght": 70}, "wieght"),
        ({"egfr": -3.0}, "eGFR is -3"),
    ],
)
def test_slips_are_named(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        patient_from(values)
    assert says in caught.value.what
    assert caught.value.hint


def test_a_wrong_value_in_a_file_has_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, FILE.replace("1200 cells/uL", "1200"))
    with pytest.raises(InputError) as caught:
        read_patient(path)
    assert isinstance(caught.value.where, Place)
    assert caught.value.where.line == 10
    with pytest.raises(InputError, match="not a known key"):
        read_patient(write(tmp_path, FILE + "smoker = true\n"))
    with pytest.raises(InputError, match="'schema' is missing"):
        read_patient(write(tmp_path, "age = 70\n"))


@pytest.mark.parametrize(
    ("text", "dose"),
    [
        ("4 mg QD", Dose(4.0, "QD")),
        ("2.5mg  twice daily", Dose(2.5, "BID")),
        ("5 MG bd", Dose(5.0, "BID")),
    ],
)
def test_doses_are_read(text: str, dose: Dose) -> None:
    assert parse_dose(text) == dose
    assert parse_dose(str(dose)) == dose


def test_an_implausible_creatinine_can_be_confirmed() -> None:
    person = patient_from({"creatinine": "25 mg/dL", "confirmed": True})
    assert person.creatinine is not None
    assert person.creatinine.mg_dl == 25.0


def test_units_of_counts() -> None:
    assert parse_laboratory("500 cells/µL", "ALC") == 0.5
    assert parse_laboratory("500 /mm3", "ANC") == 0.5
    assert parse_laboratory("0 cells/uL", "ALC") == 0.0
    with pytest.raises(UnknownNameError):
        patient_from({"finding": ("no-gout",)})
