"""Renal function of a patient: computed where asked, and reported estimates that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import Creatinine, CystatinC
from statera.dosing.person import Sex
from statera.dosing.renal_equations import RENAL_EQUATIONS, RenalInputs
from statera.errors import StateraError, UnknownNameError
from statera.fhir.elements import UnusableError
from statera.fhir.observations import Value
from statera.fhir.times import years_between

__all__ = ["Person", "computed", "misfits"]

# Reported estimates are rounded to whole numbers, and factors of creatinine differ by 0.02 %.
_TOLERANCE, _ROUNDING = 0.03, 0.6


@dataclass(frozen=True)
class Person:
    """What of a patient does not change.

    Attributes
    ----------
    birth
    sex
    race_coefficient
        Whether equations with such a factor apply it; None where nobody decided.
    """

    birth: date | None
    sex: Sex | None
    race_coefficient: bool | None = None


def computed(values: Sequence[Value], person: Person, equation: str) -> list[Value]:
    """Return the renal function by one equation at every measurement that it starts from.

    Parameters
    ----------
    values
        All values of the patient.
    equation
        Id in `RENAL_EQUATIONS`.

    Raises
    ------
    UnknownNameError
        If no equation has this id.
    UnusableError
        If there is no measurement to start from, or the equation needs what is not known.
    """
    if equation not in RENAL_EQUATIONS:
        raise UnknownNameError("renal equation", equation, RENAL_EQUATIONS, where="--renal")
    chosen = RENAL_EQUATIONS[equation]
    start = "creatinine" if "creatinine" in chosen.needs else "cystatin C"
    found = []
    for value in values:
        if value.name != start:
            continue
        try:
            result = chosen(_inputs(values, person, value))
        except StateraError as error:
            raise UnusableError(f"{chosen.name} cannot be computed: {error.what}") from error
        indexed = isinstance(result, IndexedGFR)
        found.append(
            Value(
                value.resource,
                "eGFR" if indexed else "creatinine clearance",
                "EGFR" if indexed else "CRCL",
                result.value,
                "mL/min/1.73m2" if indexed else "mL/min",
                value.moment,
                result.equation,
            )
        )
    if not found:
        raise UnusableError(f"{chosen.name} cannot be computed: no {start} is in the bundle")
    return found


def misfits(values: Sequence[Value], person: Person, equations: dict[str, str]) -> list[str]:
    """Return a sentence for every estimate that its own equation does not give.

    Parameters
    ----------
    values
        All values of the patient.
    equations
        Equation by the label of the resource that reported an estimate.
    """
    found = []
    for value in values:
        equation = equations.get(value.resource, "")
        if equation not in RENAL_EQUATIONS:
            continue
        same = [
            v
            for v in values
            if v.name == "creatinine" and v.moment == value.moment and v is not value
        ]
        if not same:
            continue
        try:
            result = RENAL_EQUATIONS[equation](_inputs(values, person, same[0])).value
        except StateraError:  # something it needs is not known: nothing to compare with
            continue
        if abs(result - value.value) > _TOLERANCE * result + _ROUNDING:
            found.append(
                f"{value.resource} reports {value.value:g} {value.unit} by {value.equation}, and "
                f"the creatinine of the same time gives {result:.1f}: check the equation, and the "
                "age and sex of the patient."
            )
    return found


def _inputs(values: Sequence[Value], person: Person, at: Value) -> RenalInputs:
    age = None if person.birth is None else years_between(person.birth, at.moment.day)
    creatinine = _nearest(values, "creatinine", at, same_day=True)
    cystatin = _nearest(values, "cystatin C", at, same_day=True)
    weight = _nearest(values, "body weight", at)
    height = _nearest(values, "height", at)
    return RenalInputs(
        age=age,
        sex=person.sex,
        creatinine=None if creatinine is None else Creatinine(creatinine.value, "mg/dL", True),
        cystatin=None if cystatin is None else CystatinC(cystatin.value, "mg/L", True),
        weight_kg=None if weight is None else weight.value,
        height_cm=None if height is None else height.value,
        race_coefficient=person.race_coefficient,
    )


def _nearest(
    values: Sequence[Value], name: str, at: Value, *, same_day: bool = False
) -> Value | None:
    """Return the last value of a name until a time, the first after it where there is none."""
    if at.name == name:
        return at
    known = sorted((v for v in values if v.name == name), key=lambda v: v.moment.day)
    if same_day:
        known = [v for v in known if v.moment.day == at.moment.day]
    before = [v for v in known if v.moment.day <= at.moment.day]
    return before[-1] if before else known[0] if known else None
