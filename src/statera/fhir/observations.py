"""Observations: concentrations of the drug, covariates and laboratory values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from statera.dosing.creatinine import Creatinine, CystatinC
from statera.dosing.person import Sex, check_height, check_weight
from statera.errors import InputError
from statera.fhir.egfr_codes import EGFR_CODES, EgfrCode, check_equation
from statera.fhir.elements import UnusableError, codings, list_of, object_of, text_of, words_of
from statera.fhir.loinc import LOINC, LOINC_SYSTEM, NOT_USABLE, MeasuredCode
from statera.fhir.medication import named_in
from statera.fhir.quantity import Quantity, read_quantity
from statera.fhir.read_bundle import Resource
from statera.fhir.times import Moment, read_moment

__all__ = ["Concentration", "Value", "read_observation"]

_USED = ("final", "amended", "corrected")
_MASS_PER_VOLUME = {
    "ng/mL": 1.0,
    "ug/L": 1.0,
    "pg/mL": 1e-3,
    "ng/L": 1e-3,
    "ug/mL": 1e3,
    "mg/L": 1e3,
}
_MOLES_PER_VOLUME = {"nmol/L": 1.0, "pmol/L": 1e-3, "umol/L": 1e3}
_WHOLE_BLOOD = ("whole blood", "dried blood", "capillary blood", "in blood", "microsample")


@dataclass(frozen=True)
class Concentration:
    """A measured concentration of the drug in plasma or serum.

    Attributes
    ----------
    resource
    at
        When the sample was drawn.
    value_ng_ml
        The limit itself where it is censored.
    censored
        Empty, ``below`` or ``above``.
    time_sd_h
        Standard deviation of the time, where a period was given.
    method
        What measured it, in words.
    remarks
    """

    resource: str
    at: datetime
    value_ng_ml: float
    censored: str = ""
    time_sd_h: float = 0.0
    method: str = ""
    remarks: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return the sample as a request writes it."""
        mark = {"": "", "below": "<", "above": ">"}[self.censored]
        row: dict[str, Any] = {
            "time": self.at.isoformat(),
            "value": f"{mark}{self.value_ng_ml!r}" if mark else self.value_ng_ml,
            "unit": "ng/mL",
        }
        if self.censored == "below":
            row["lloq"] = self.value_ng_ml
        if self.time_sd_h:
            row["time_sd"] = self.time_sd_h
        if self.method:
            row["assay"] = self.method
        return row


@dataclass(frozen=True)
class Value:
    """A covariate or laboratory value.

    Attributes
    ----------
    resource
    name
        Such as ``creatinine``.
    covariate
        Name in the register of covariates; empty where no model uses it.
    value
        In `unit`.
    unit
    moment
        When it was measured, as exactly as it was given.
    equation
        Of an estimated renal function, in words.
    """

    resource: str
    name: str
    covariate: str
    value: float
    unit: str
    moment: Moment
    equation: str = ""


def read_observation(
    resource: Resource,
    *,
    drug: str,
    level_codes: Mapping[str, str],
    molar_mass: float | None,
    sex: Sex | None,
    zone: tzinfo | None,
) -> Concentration | Value:
    """Return what an Observation measured.

    Parameters
    ----------
    drug
        Name in the library.
    level_codes
        System by code of observations that are concentrations of the drug, as the laboratory
        codes them; an empty system matches any.
    molar_mass
        g/mol, for concentrations in mol.
    sex
        Of the patient, for codes of one sex.
    zone
        Zone of times that were given without one.

    Raises
    ------
    UnusableError
        If it cannot be used; the message is the reason.
    """
    data = resource.data
    status = text_of(data, "status")
    if status not in _USED:
        raise UnusableError(f"its status is '{status}', and only a final value is used")
    concept = object_of(data, "code")
    if object_of(data, "dataAbsentReason"):
        raise UnusableError(f"it has no value: {words_of(object_of(data, 'dataAbsentReason'))}")
    if not object_of(data, "valueQuantity") and list_of(data, "component"):
        raise UnusableError("its values stand in components, which are not read")
    level = _is_level(concept, drug, level_codes)
    if level:
        return _concentration(resource, molar_mass, zone, level)
    known, estimated = _codes(concept)
    quantity = read_quantity(object_of(data, "valueQuantity"), "the value")
    moment, _ = _when(data)
    if estimated is not None:
        words = f"{words_of(concept)}; {words_of(object_of(data, 'method'))}"
        return _renal(resource, estimated, quantity, moment, words, sex)
    assert known is not None
    return _value(resource, known, quantity, moment)


def _is_level(concept: Mapping[str, Any], drug: str, level_codes: Mapping[str, str]) -> str:
    """Return why an observation is a concentration of the drug; empty where it is none."""
    for coding in codings(concept):
        if coding.code in level_codes and level_codes[coding.code] in ("", coding.system):
            return f"code {coding.code}"
    named = named_in(words_of(concept))
    if not named:
        return ""
    if named != {drug}:
        raise UnusableError(f"it is about {', '.join(sorted(named))}, and the request is of {drug}")
    return "its words"


def _codes(concept: Mapping[str, Any]) -> tuple[MeasuredCode | None, EgfrCode | None]:
    """Return what the LOINC codes of an observation mean."""
    loinc = [c.code for c in codings(concept) if c.system == LOINC_SYSTEM]
    for code in loinc:
        if code in NOT_USABLE:
            raise UnusableError(f"LOINC {code} is {NOT_USABLE[code]}")
    known = [LOINC[code] for code in loinc if code in LOINC]
    estimated = [EGFR_CODES[code] for code in loinc if code in EGFR_CODES]
    if not known and not estimated:
        words = words_of(concept)
        said = f"LOINC {', '.join(loinc)}" if loinc else "it has no LOINC code"
        raise UnusableError(
            f"not among the codes that are understood: {said} ({words or 'no words'})"
        )
    if len({m.measured.name for m in known} | {e.code for e in estimated}) > 1:
        raise UnusableError(f"its codes mean different things: LOINC {', '.join(loinc)}")
    return (known[0], None) if known else (None, estimated[0])


def _value(resource: Resource, known: MeasuredCode, quantity: Quantity, moment: Moment) -> Value:
    if quantity.comparator:
        raise UnusableError(
            f"it is a bound ({quantity.comparator} {quantity.value:g}), not a value"
        )
    if quantity.unit not in known.units:
        raise UnusableError(
            f"code and unit disagree: LOINC {known.code} ({known.name}) in '{quantity.unit}'"
        )
    measured = known.measured
    value = quantity.value * known.units[quantity.unit]
    unit = measured.unit
    try:
        if measured.name == "creatinine":
            value, unit = Creatinine(value, unit).mg_dl, "mg/dL"
        elif measured.name == "cystatin C":
            CystatinC(value, unit)
        elif measured.name == "body weight":
            check_weight(value)
        elif measured.name == "height":
            check_height(value)
    except InputError as error:
        raise UnusableError(f"{error.what}; {error.hint}".rstrip(".")) from error
    if value < 0.0:
        raise UnusableError(f"{measured.name} is {value:g} {unit}")
    return Value(resource.label, measured.name, measured.covariate, value, unit, moment)


def _renal(
    resource: Resource,
    code: EgfrCode,
    quantity: Quantity,
    moment: Moment,
    words: str,
    sex: Sex | None,
) -> Value:
    check_equation(code, words, sex)
    if quantity.unit not in code.units:
        other = "per 1.73 m2" if code.covariate == "EGFR" else "absolute"
        raise UnusableError(
            f"code and unit disagree: LOINC {code.code} ({code.name}) is {other}, and the unit is "
            f"'{quantity.unit}'"
        )
    if quantity.comparator:
        raise UnusableError(
            f"it is a bound ({quantity.comparator} {quantity.value:g}), not a value"
        )
    if not 0.0 < quantity.value <= 500.0:
        raise UnusableError(f"it is {quantity.value:g} {quantity.unit}")
    unit = "mL/min" if code.covariate == "CRCL" else "mL/min/1.73m2"
    name = "creatinine clearance" if code.covariate == "CRCL" else "eGFR"
    return Value(resource.label, name, code.covariate, quantity.value, unit, moment, code.name)


def _concentration(
    resource: Resource, molar_mass: float | None, zone: tzinfo | None, reason: str
) -> Concentration:
    data = resource.data
    words = words_of(object_of(data, "code")).lower()
    specimen = text_of(object_of(data, "specimen"), "display").lower()
    for word in _WHOLE_BLOOD:
        if word in words or word in specimen:
            raise UnusableError("it was measured in whole blood, and the models are of plasma")
    quantity = read_quantity(object_of(data, "valueQuantity"), "the concentration")
    remarks: tuple[str, ...] = ()
    if reason == "its words":
        remarks = (f"Taken for a concentration by its words: '{words}'.",)
    if quantity.unit in _MASS_PER_VOLUME:
        value = quantity.value * _MASS_PER_VOLUME[quantity.unit]
    elif quantity.unit in _MOLES_PER_VOLUME and molar_mass is not None:
        value = quantity.value * _MOLES_PER_VOLUME[quantity.unit] * molar_mass / 1000.0
        remarks += (f"Converted from {quantity.unit} with a molar mass of {molar_mass:g} g/mol.",)
    else:
        raise UnusableError(f"the concentration is in '{quantity.unit}', which is not understood")
    if value < 0.0 or (value == 0.0 and not quantity.comparator):
        raise UnusableError(
            f"the concentration is {quantity.value:g}: a value below the limit is given with the "
            "comparator < and the limit"
        )
    censored = {"": "", "<": "below", "<=": "below", ">": "above", ">=": "above"}
    moment, width = _when(data)
    at = moment.needed("the time of the sample", zone)
    spread = 0.0
    if width is not None:
        length = width.needed("the end of sampling", zone) - at
        hours = length.total_seconds() / 3600.0
        if hours < 0.0:
            raise UnusableError("its period ends before it starts")
        at += length / 2
        spread = hours / math.sqrt(12.0)
        if spread:
            remarks += (f"Drawn within {hours:g} h: the middle is taken, with that uncertainty.",)
    method = words_of(object_of(data, "method"))
    return Concentration(
        resource.label, at, value, censored[quantity.comparator], spread, method, remarks
    )


def _when(data: Mapping[str, Any]) -> tuple[Moment, Moment | None]:
    """Return when an observation was made, and the end where it is a period."""
    for key in ("effectiveDateTime", "effectiveInstant"):
        if text := text_of(data, key):
            return read_moment(text, "the time"), None
    period = object_of(data, "effectivePeriod")
    start, end = text_of(period, "start"), text_of(period, "end")
    if start and end:
        return read_moment(start, "the start"), read_moment(end, "the end")
    if text_of(data, "issued"):
        raise UnusableError("it says when it was issued, and not when the sample was drawn")
    raise UnusableError("nothing says when the sample was drawn")
