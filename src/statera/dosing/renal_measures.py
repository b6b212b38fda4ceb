"""The estimates of renal function that one person's data allow, each by its own measure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from statera.dosing.body_surface_area import BodySurfaceArea, body_surface_area
from statera.dosing.ckd_epi import ckd_epi_2021
from statera.dosing.ckid_u25 import ckid_u25
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.cockcroft_gault import cockcroft_gault
from statera.dosing.creatinine import Creatinine
from statera.dosing.patient import Patient
from statera.library.label_rule import RenalMetric

__all__ = ["RenalMeasures", "renal_measures", "with_creatinine_shifted"]

MeasureT = TypeVar("MeasureT")

_ADULT = 18.0
_NEEDS = {
    RenalMetric.CRCL: (
        "creatinine clearance in mL/min, or creatinine with age, sex and weight (Cockcroft-Gault)"
    ),
    RenalMetric.EGFR: "eGFR in mL/min/1.73 m2, or creatinine with age and sex (CKD-EPI 2021)",
}


@dataclass(frozen=True)
class RenalMeasures:
    """All estimates, the one that is used first.

    Attributes
    ----------
    clearances
        mL/min: stated, else by Cockcroft-Gault, else from an indexed GFR and the body surface.
    rates
        mL/min/1.73 m2: stated, else by CKD-EPI 2021 (CKiD U25 below 18 years), else from
        a stated clearance and the body surface.
    remarks
        Sentences about what was converted, and about what was not.
    """

    clearances: tuple[AbsoluteClearance, ...]
    rates: tuple[IndexedGFR, ...]
    remarks: tuple[str, ...] = ()

    def of(self, metric: RenalMetric) -> tuple[AbsoluteClearance | IndexedGFR, ...]:
        """Return the estimates by one measure."""
        return self.clearances if metric is RenalMetric.CRCL else self.rates

    def starting_with(self, metric: RenalMetric, index: int) -> RenalMeasures:
        """Return the same estimates with another one of a measure in use."""
        if metric is RenalMetric.CRCL:
            return replace(self, clearances=_first(self.clearances, index))
        return replace(self, rates=_first(self.rates, index))

    def why_none(self, metric: RenalMetric) -> str:
        """Return why there is no estimate by this measure, and what would give one."""
        other = self.rates if metric is RenalMetric.CRCL else self.clearances
        need = _NEEDS[metric]
        if not other:
            return f"renal function is not known; needed: {need}"
        given, asked = (
            ("an eGFR per 1.73 m2", "mL/min")
            if metric is RenalMetric.CRCL
            else ("a clearance in mL/min", "mL/min/1.73 m2")
        )
        return (
            f"{given} ({other[0]}) is given and the rule cuts on {asked}: it is not compared; "
            f"needed: weight and height to convert it, or {need}"
        )


def renal_measures(patient: Patient) -> RenalMeasures:
    """Return the estimates that the data allow.

    Absolute clearance and indexed GFR are converted into each other only by the person's own body
    surface (DuBois, from weight and height), and a remark says so.
    """
    area = _area(patient)
    clearances: list[AbsoluteClearance] = [] if patient.crcl is None else [patient.crcl]
    rates: list[IndexedGFR] = [] if patient.egfr is None else [patient.egfr]
    remarks: list[str] = []
    if (found := _cockcroft_gault(patient)) is not None:
        clearances.append(found)
    if (rate := _gfr(patient)) is not None:
        rates.append(rate)
    if rates and area is not None:
        converted = rates[0].absolute(area)
        clearances.append(converted)
        if len(clearances) == 1:
            remarks.append(
                f"Creatinine clearance of {converted} was obtained from the indexed value "
                f"{rates[0]} by a body surface of {area}: a GFR in mL/min, not a measured "
                "creatinine clearance."
            )
    if patient.crcl is not None and not rates and area is not None:
        rates.append(patient.crcl.indexed(area))
        remarks.append(
            f"eGFR of {rates[0]} was obtained from the stated clearance {patient.crcl} by a body "
            f"surface of {area}."
        )
    if patient.creatinine is not None:
        remarks += patient.creatinine.remarks
    return RenalMeasures(tuple(clearances), tuple(rates), tuple(remarks))


def with_creatinine_shifted(patient: Patient, umol_l: float) -> Patient | None:
    """Return the person with another creatinine and no stated renal function.

    Returns
    -------
    Patient or None
        None where creatinine, age or sex are not known or nothing would be left.
    """
    if patient.creatinine is None or patient.creatinine.umol_l + umol_l <= 0.0:
        return None
    shifted: Creatinine = patient.creatinine.shifted(umol_l)
    return replace(patient, creatinine=shifted, crcl=None, egfr=None)


def _first(known: tuple[MeasureT, ...], index: int) -> tuple[MeasureT, ...]:
    return (known[index], *known[:index], *known[index + 1 :])


def _area(patient: Patient) -> BodySurfaceArea | None:
    if patient.weight_kg is None or patient.height_cm is None:
        return None
    return body_surface_area(weight_kg=patient.weight_kg, height_cm=patient.height_cm)


def _cockcroft_gault(patient: Patient) -> AbsoluteClearance | None:
    if (
        patient.creatinine is None
        or patient.age is None
        or patient.age < _ADULT
        or patient.sex is None
        or patient.weight_kg is None
    ):
        return None
    return cockcroft_gault(
        patient.creatinine, age=patient.age, sex=patient.sex, weight_kg=patient.weight_kg
    )


def _gfr(patient: Patient) -> IndexedGFR | None:
    if patient.creatinine is None or patient.age is None or patient.sex is None:
        return None
    if patient.age >= _ADULT:
        return ckd_epi_2021(patient.creatinine, age=patient.age, sex=patient.sex)
    if patient.height_cm is None or patient.age < 1.0:
        return None
    return ckid_u25(
        patient.creatinine, age=patient.age, sex=patient.sex, height_cm=patient.height_cm
    )
