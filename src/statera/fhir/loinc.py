"""LOINC codes that are understood, each with the units in which it may be given.

Codes and names as printed in public value sets and profiles of HL7 (FHIR Clinical Guidelines
``ckd-valueset-creatinine``, ``ckd-valueset-egfr``; CH LAB-Report; Vulcan schedule of activities)
and in DICOM CID 10046; the pages are listed in ``docs/fhir.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["LOINC", "LOINC_SYSTEM", "NOT_USABLE", "Measured", "MeasuredCode"]

LOINC_SYSTEM = "http://loinc.org"


@dataclass(frozen=True)
class Measured:
    """A quantity that is understood.

    Attributes
    ----------
    name
        Such as ``creatinine``.
    covariate
        Name of the covariate of a model, in the register of names; empty for laboratory values
        that no model uses.
    unit
        Unit in which the value is kept.
    """

    name: str
    covariate: str
    unit: str


@dataclass(frozen=True)
class MeasuredCode:
    """A LOINC code of a quantity.

    Attributes
    ----------
    code
    name
        Name of the code.
    measured
    units
        Factor to the quantity's unit by UCUM code. A unit that is not here contradicts the code:
        a mass concentration is not given in mol.
    """

    code: str
    name: str
    measured: Measured
    units: Mapping[str, float]


# An exact inch and an exact pound.
_LENGTH = {"cm": 1.0, "m": 100.0, "mm": 0.1, "[in_i]": 2.54}
_BODY_MASS = {"kg": 1.0, "g": 1e-3, "[lb_av]": 0.45359237}
_COUNT = {"10*9/L": 1.0, "10*3/uL": 1.0, "10*3/mm3": 1.0, "10*6/L": 1e-3, "/uL": 1e-3, "/mm3": 1e-3}
_ENZYME = {"U/L": 1.0, "[iU]/L": 1.0}
_CREATININE_MASS = {"mg/dL": 1.0, "mg/L": 0.1, "ug/mL": 0.1}
_CREATININE_MOLAR = {"umol/L": 1.0, "mmol/L": 1000.0, "nmol/L": 1e-3}

_CREATININE_MG = Measured("creatinine", "SCR", "mg/dL")
_CREATININE_UMOL = Measured("creatinine", "SCR", "umol/L")
_NEUTROPHILS = Measured("neutrophils", "", "10*9/L")
_LYMPHOCYTES = Measured("lymphocytes", "", "10*9/L")
_PLATELETS = Measured("platelets", "", "10*9/L")

_CODES = (
    MeasuredCode(
        "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", _CREATININE_MG, _CREATININE_MASS
    ),
    MeasuredCode("38483-4", "Creatinine [Mass/volume] in Blood", _CREATININE_MG, _CREATININE_MASS),
    MeasuredCode(
        "14682-9",
        "Creatinine [Moles/volume] in Serum or Plasma",
        _CREATININE_UMOL,
        _CREATININE_MOLAR,
    ),
    MeasuredCode(
        "77140-2",
        "Creatinine [Moles/volume] in Serum, Plasma or Blood",
        _CREATININE_UMOL,
        _CREATININE_MOLAR,
    ),
    MeasuredCode(
        "33863-2",
        "Cystatin C [Mass/volume] in Serum or Plasma",
        Measured("cystatin C", "", "mg/L"),
        {"mg/L": 1.0, "mg/dL": 10.0, "ug/mL": 1.0},
    ),
    MeasuredCode("29463-7", "Body weight", Measured("body weight", "WT", "kg"), _BODY_MASS),
    MeasuredCode("8302-2", "Body height", Measured("height", "HT", "cm"), _LENGTH),
    MeasuredCode(
        "718-7",
        "Hemoglobin [Mass/volume] in Blood",
        Measured("haemoglobin", "", "g/dL"),
        {"g/dL": 1.0, "g/L": 0.1},
    ),
    MeasuredCode(
        "751-8", "Neutrophils [#/volume] in Blood by Automated count", _NEUTROPHILS, _COUNT
    ),
    MeasuredCode(
        "731-0", "Lymphocytes [#/volume] in Blood by Automated count", _LYMPHOCYTES, _COUNT
    ),
    MeasuredCode("26474-7", "Lymphocytes [#/volume] in Blood", _LYMPHOCYTES, _COUNT),
    MeasuredCode("777-3", "Platelets [#/volume] in Blood by Automated count", _PLATELETS, _COUNT),
    MeasuredCode("26515-7", "Platelets [#/volume] in Blood", _PLATELETS, _COUNT),
    MeasuredCode(
        "1742-6",
        "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
        Measured("alanine aminotransferase", "", "U/L"),
        _ENZYME,
    ),
    MeasuredCode(
        "1988-5",
        "C reactive protein [Mass/volume] in Serum or Plasma",
        Measured("C-reactive protein", "CRP", "mg/L"),
        {"mg/L": 1.0, "mg/dL": 10.0, "ug/mL": 1.0},
    ),
    MeasuredCode(
        "1751-7",
        "Albumin [Mass/volume] in Serum or Plasma",
        Measured("albumin", "ALB", "g/L"),
        {"g/L": 1.0, "g/dL": 10.0},
    ),
)

LOINC: Mapping[str, MeasuredCode] = MappingProxyType({c.code: c for c in _CODES})
"""Codes of measured quantities."""

NOT_USABLE: Mapping[str, str] = MappingProxyType(
    {
        "770-8": "neutrophils as a percentage of leukocytes, and a count is needed (751-8)",
        "14959-1": "a ratio in urine, not creatinine in blood",
    }
)
"""Codes that are easily taken for one of the above, with what they are."""
