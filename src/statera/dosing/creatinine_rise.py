"""Drugs that raise creatinine without loss of filtration: estimates on and before treatment."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from statera.dosing.clearance import RenalFunction
from statera.dosing.renal_equations import RENAL_EQUATIONS, RenalEquation, RenalInputs
from statera.errors import InputError, UnknownNameError
from statera.library import find_source, load_drug
from statera.sources import Fact
from statera.units import convert

__all__ = ["CreatinineRise", "OnAndBeforeTreatment", "creatinine_rise", "on_and_before_treatment"]

_QUANTITY = "creatinine_change"


@dataclass(frozen=True)
class CreatinineRise:
    """By how much a drug raises creatinine, without loss of filtration.

    Attributes
    ----------
    drug
    umol_l
        Mean rise, umol/L.
    fact
        The fact of the library, with population and note.
    source
        Title and address of its source.
    """

    drug: str
    umol_l: float
    fact: Fact
    source: str


@dataclass(frozen=True)
class OnAndBeforeTreatment:
    """One equation with creatinine on treatment and before it.

    Attributes
    ----------
    equation
    on_treatment, before_treatment
        Estimates of the same kind and unit.
    measured_on_treatment
        Which of the two the measured creatinine gave; the other is computed with the mean rise.
    rise
    near
        Cuts that lie between the two estimates or as close to them as they are to each other.
    sentences
        What a reader must know, one sentence a remark.
    """

    equation: RenalEquation
    on_treatment: RenalFunction
    before_treatment: RenalFunction
    measured_on_treatment: bool
    rise: CreatinineRise
    near: tuple[float, ...]
    sentences: tuple[str, ...]


def creatinine_rise(drug: str) -> CreatinineRise | None:
    """Return by how much a drug raises creatinine, or None where the library states nothing.

    Raises
    ------
    UnknownNameError
        If no drug has this name.
    InputError
        If the library states several rises: the code does not choose among them.
    """
    known = load_drug(drug)
    facts = [f for f in known.facts if f.get("quantity") == _QUANTITY and f.number is not None]
    if not facts:
        return None
    if len(facts) > 1:
        raise InputError(
            f"the library states {len(facts)} rises of creatinine by {known.name}",
            where="creatinine",
            hint=f"Choose one of: {', '.join(f.id for f in facts)}.",
        )
    fact = facts[0]
    assert fact.number is not None
    source = find_source(fact.source)
    cited = f"{source.title} <{source.url}>" if source.url else source.title
    return CreatinineRise(known.name, convert(fact.number, fact.unit, "umol/L"), fact, cited)


def on_and_before_treatment(
    inputs: RenalInputs,
    *,
    drug: str,
    measured_on_treatment: bool,
    equation: str,
    cuts: Sequence[float] = (),
) -> OnAndBeforeTreatment | None:
    """Return an equation's estimate with creatinine on treatment and before it.

    A drug that blocks the tubular secretion of creatinine lowers every estimate from it, while
    filtration stays. Near a cut of a label that alone may move a person across.

    Parameters
    ----------
    inputs
        With the creatinine measured.
    drug
        Name of the drug.
    measured_on_treatment
        Whether creatinine was measured on the drug.
    equation
        Id of an equation of `RENAL_EQUATIONS` that uses creatinine.
    cuts
        Cuts of the label, in the unit of the equation.

    Returns
    -------
    OnAndBeforeTreatment or None
        None where the library states no rise for the drug.

    Raises
    ------
    UnknownNameError
        If drug or equation is not known.
    InputError
        If the equation does not use creatinine, or something it needs is missing.
    DomainError
        If the person is outside the range of the equation.
    """
    if equation not in RENAL_EQUATIONS:
        raise UnknownNameError("renal equation", equation, RENAL_EQUATIONS)
    chosen = RENAL_EQUATIONS[equation]
    if "creatinine" not in chosen.needs:
        raise InputError(
            f"{chosen.name} does not use creatinine, so a rise of it changes nothing",
            where="equation",
            hint="Choose an equation from creatinine.",
        )
    rise = creatinine_rise(drug)
    if rise is None:
        return None
    measured = chosen(inputs)
    assert inputs.creatinine is not None
    step = -rise.umol_l if measured_on_treatment else rise.umol_l
    shifted = dataclasses.replace(inputs, creatinine=inputs.creatinine.shifted(step))
    other = chosen(shifted)
    on, before = (measured, other) if measured_on_treatment else (other, measured)
    near = _near(on.value, before.value, cuts)
    return OnAndBeforeTreatment(
        chosen,
        on,
        before,
        measured_on_treatment,
        rise,
        near,
        _sentences(chosen.name, on, before, rise, near),
    )


def _near(on: float, before: float, cuts: Sequence[float]) -> tuple[float, ...]:
    """Return the cuts within the shift of either estimate."""
    low, high = min(on, before), max(on, before)
    width = high - low
    return tuple(cut for cut in cuts if low - width <= cut <= high + width)


def _sentences(
    name: str,
    on: RenalFunction,
    before: RenalFunction,
    rise: CreatinineRise,
    near: Sequence[float],
) -> tuple[str, ...]:
    found = [
        f"{rise.drug.capitalize()} raises creatinine by a mean of {rise.umol_l:g} umol/L without "
        f"loss of filtration ({rise.fact.population}; {rise.source}).",
        f"{name}: {on} on treatment, {before} before it.",
    ]
    for cut in near:
        if (on.value < cut) == (before.value < cut):
            where = "below" if on.value < cut else "at or above"
            found.append(
                f"Both estimates lie {where} the cut of {cut:g} {on.unit}, and close to it: "
                "repeat the measurement before it decides a dose."
            )
        else:
            found.append(
                f"The cut of {cut:g} {on.unit} lies between them: the drug alone can move "
                "this person across. Cystatin C or a measured clearance would decide."
            )
    return tuple(found)
