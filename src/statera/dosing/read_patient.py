"""Read what is known of a person from texts, as a file or a command line gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from statera.dosing.blood_count import parse_laboratory
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.creatinine import read_creatinine
from statera.dosing.dose import parse_dose
from statera.dosing.patient import Patient, Phase
from statera.dosing.person import read_sex
from statera.errors import InputError, Place, StateraError, UnknownNameError
from statera.library.label_rule import FINDINGS, HepaticClass, Response, TreatmentPart
from statera.library.read import Document, Table, read_document

__all__ = ["PATIENT_KEYS", "PATIENT_SCHEMA", "RISKS", "patient_from", "read_patient"]

PATIENT_SCHEMA = "statera.label-patient/1"
RISKS = ("cardiovascular", "vte", "malignancy", "smoking", "infection")
"""Findings that ``none`` under `risk` says are all absent."""

_NUMBERS = ("age", "weight_kg", "height_cm", "crcl", "egfr", "hb_fall", "week", "course_day")
_TEXTS = (
    *("sex", "creatinine", "alc", "anc", "plt", "hb", "hepatic", "phase", "part", "response"),
    "on_dose",
)
_LISTS = ("risk", "finding", "medicines")
PATIENT_KEYS = (*_NUMBERS, *_TEXTS, *_LISTS, "confirmed")
"""Keys of a patient file."""

_SHORT = {"cv": "cardiovascular", "cancer": "malignancy", "mace": "cardiovascular"}
_ANALYTES = {"alc": "ALC", "anc": "ANC", "plt": "PLT", "hb": "Hb"}

EnumT = TypeVar("EnumT", bound=StrEnum)


def read_patient(path: str | Path | Traversable) -> Patient:
    """Read a patient file (TOML).

    Raises
    ------
    InputError
        If the file cannot be read, a key is unknown, or a value cannot be that of a person.
    """
    document = read_document(path, PATIENT_SCHEMA)
    top = document.table()
    top.text("schema")
    values = dict(_values(top))
    top.finish()
    return patient_from(values, document)


def _values(top: Table) -> Iterator[tuple[str, Any]]:
    for key in _NUMBERS:
        if (number := top.number(key)) is not None:
            yield key, number
    for key in _TEXTS:
        if text := top.text(key, ""):
            yield key, text
    for key in _LISTS:
        if key in top.data:
            yield key, top.texts(key)
    if top.flag("confirmed", False):
        yield "confirmed", True


def patient_from(values: Mapping[str, Any], document: Document | None = None) -> Patient:
    """Return the person that texts and numbers by key describe.

    Parameters
    ----------
    values
        By the keys of `PATIENT_KEYS`; quantities with units as texts, such as ``"105 umol/L"``.
        ``confirmed`` says that an implausible creatinine is meant.
    document
        The file they are from, for the place of an error.

    Raises
    ------
    InputError
        If a key or value cannot be used.
    """
    for key in values:
        if key not in PATIENT_KEYS:
            raise UnknownNameError("key of a patient", key, PATIENT_KEYS)
    found: dict[str, Any] = {}
    for key, value in values.items():
        with _at(key, document):
            found.update(_field(key, value, values.get("confirmed") is True))
    findings: dict[str, bool] = {}
    for key in ("risk", "finding"):
        with _at(key, document):
            findings.update(_findings(values.get(key, ()), key))
    with _at("", document):
        return Patient(**found, findings=findings)


def _field(key: str, value: Any, confirmed: bool) -> dict[str, Any]:
    """Return the fields of `Patient` that one key gives."""
    choices: dict[str, type[StrEnum]] = {
        "hepatic": HepaticClass,
        "phase": Phase,
        "part": TreatmentPart,
        "response": Response,
    }
    match key:
        case "risk" | "finding" | "confirmed":
            return {}
        case "sex":
            return {"sex": read_sex(value)}
        case "creatinine":
            return {"creatinine": read_creatinine(value, confirmed=confirmed)}
        case "crcl":
            return {"crcl": AbsoluteClearance(float(value))}
        case "egfr":
            return {"egfr": IndexedGFR(float(value))}
        case "on_dose":
            return {"on_dose": parse_dose(value)}
        case "medicines":
            names = tuple(v.strip() for v in value if v.strip())
            return {"medicines": () if [n.lower() for n in names] == ["none"] else names}
        case _ if key in choices:
            return {key: _choice(value, choices[key], key)}
        case _ if key in _ANALYTES:
            return {key: parse_laboratory(value, _ANALYTES[key])}
        case _:
            return {key: float(value)}


def _choice(text: str, kind: type[EnumT], name: str) -> EnumT:
    for member in kind:
        if text.strip().lower() == member.value:
            return member
    words = ", ".join(m.value for m in kind)
    raise InputError(f"{name} is '{text}'", hint=f"Give one of: {words}.")


def _findings(names: Iterable[str], key: str) -> dict[str, bool]:
    """Return findings by name: ``no-`` before a name says that it is absent."""
    found: dict[str, bool] = {}
    for name in names:
        word = name.strip().lower().replace(" ", "_")
        if word == "none" and key == "risk":
            found.update(dict.fromkeys(RISKS, False))
            continue
        absent = word.startswith(("no-", "no_"))
        bare = (word[3:] if absent else word).replace("-", "_")
        bare = _SHORT.get(bare, bare)
        if bare not in FINDINGS:
            raise UnknownNameError(key, name, (*FINDINGS, *(f"no-{f}" for f in FINDINGS)))
        if found.get(bare, not absent) is absent:
            raise InputError(f"'{bare}' is given as present and as absent", hint="Give it once.")
        found[bare] = not absent
    return found


@contextmanager
def _at(key: str, document: Document | None) -> Iterator[None]:
    """Give an error raised inside the place of `key` in the file, or its name."""
    try:
        yield
    except StateraError as error:
        if document is not None:
            error.where = document.place(key) if key else Place(document.file)
        elif key:
            error.where = key
        raise
