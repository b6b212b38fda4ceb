"""What a label may ask about a person; whatever is not given is unknown, never normal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.creatinine import Creatinine
from statera.dosing.dose import Dose
from statera.dosing.person import Sex, check_age, check_height, check_weight
from statera.errors import InputError, UnknownNameError
from statera.library.label_rule import FINDINGS, HepaticClass, Response, TreatmentPart

__all__ = ["Patient", "Phase"]


class Phase(StrEnum):
    """Whether treatment is about to start or under way."""

    START = "start"
    TREATMENT = "treatment"


@dataclass(frozen=True)
class Patient:
    """A person as a label sees them. None everywhere means not known.

    Attributes
    ----------
    age, weight_kg, height_cm
        Years, kg, cm.
    sex
        As the equations of renal function know it.
    creatinine
        In serum, with its unit.
    crcl
        Creatinine clearance of this person, mL/min.
    egfr
        GFR per 1.73 m2. It does not stand in for `crcl`.
    alc, anc, plt, hb
        Lymphocytes, neutrophils and platelets, 10^9/L; haemoglobin, g/dL.
    hb_fall
        Fall of haemoglobin since the start of treatment, g/dL.
    hepatic
        Hepatic impairment.
    medicines
        Other medicines, or classes such as ``strong OAT3 inhibitor``, or ``name=class``; an empty
        tuple says that there are none.
    findings
        Keys of `statera.library.FINDINGS`: True where present, False where absent.
    phase, part, response
        Start or on treatment; induction or maintenance; how the disease answered so far.
    on_dose
        The dose taken now.
    week, course_day
        Weeks of treatment; day of a treatment of limited length, from 1.

    Raises
    ------
    InputError
        If a value cannot be that of a person.
    UnknownNameError
        If a finding is not known.
    """

    age: float | None = None
    sex: Sex | None = None
    weight_kg: float | None = None
    height_cm: float | None = None
    creatinine: Creatinine | None = None
    crcl: AbsoluteClearance | None = None
    egfr: IndexedGFR | None = None
    alc: float | None = None
    anc: float | None = None
    plt: float | None = None
    hb: float | None = None
    hb_fall: float | None = None
    hepatic: HepaticClass | None = None
    medicines: tuple[str, ...] | None = None
    findings: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    phase: Phase | None = None
    part: TreatmentPart | None = None
    response: Response | None = None
    on_dose: Dose | None = None
    week: float | None = None
    course_day: float | None = None

    def __post_init__(self) -> None:
        checks = (
            (self.age, check_age),
            (self.weight_kg, check_weight),
            (self.height_cm, check_height),
        )
        for value, check in checks:
            if value is not None:
                check(value)
        for name in ("alc", "anc", "plt", "hb", "hb_fall", "week", "course_day"):
            value = getattr(self, name)
            if value is not None and (not math.isfinite(value) or value < 0.0):
                raise InputError(
                    f"{name} is {value:g}", where=name, hint="Give a number of 0 or more."
                )
        for name in self.findings:
            if name not in FINDINGS:
                raise UnknownNameError("finding", name, FINDINGS)
        if self.crcl is not None and not isinstance(self.crcl, AbsoluteClearance):
            raise InputError(
                "the creatinine clearance is not an absolute one",
                where="crcl",
                hint="Give AbsoluteClearance (mL/min); an eGFR per 1.73 m2 goes to 'egfr'.",
            )
        if self.egfr is not None and not isinstance(self.egfr, IndexedGFR):
            raise InputError(
                "the eGFR is not an indexed one",
                where="egfr",
                hint="Give IndexedGFR (mL/min/1.73 m2); a clearance in mL/min goes to 'crcl'.",
            )

    def laboratory(self, analyte: str) -> float | None:
        """Return ``ALC``, ``ANC``, ``PLT`` (10^9/L) or ``Hb`` (g/dL)."""
        found: float | None = getattr(self, analyte.lower())
        return found
