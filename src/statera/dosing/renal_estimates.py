"""All renal equations for one person, each with its value or with the reason why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.dosing.body_surface_area import BodySurfaceArea, body_surface_area
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.renal_equations import RENAL_EQUATIONS, WORDS, RenalEquation, RenalInputs
from statera.errors import StateraError

__all__ = ["EstimateStatus", "RenalEstimate", "estimate_renal_function"]


class EstimateStatus(StrEnum):
    """Whether an equation gave a value."""

    COMPUTED = "computed"
    MISSING_INPUT = "missing_input"
    OUTSIDE_AGE = "outside_age"
    NOT_COMPUTED = "not_computed"


@dataclass(frozen=True)
class RenalEstimate:
    """What one equation says of one person.

    Attributes
    ----------
    equation
    status
    indexed
        mL/min/1.73 m2: the equation's own value where it is indexed, otherwise converted by
        body surface area; None where there is none.
    absolute
        mL/min: the equation's own value where it is absolute, otherwise converted.
    sentence
        Why there is no value; empty where there is one.
    """

    equation: RenalEquation
    status: EstimateStatus
    indexed: IndexedGFR | None = None
    absolute: AbsoluteClearance | None = None
    sentence: str = ""

    @property
    def own(self) -> IndexedGFR | AbsoluteClearance | None:
        """The value as the equation gives it, before any conversion."""
        return self.indexed if self.equation.indexed else self.absolute


def estimate_renal_function(
    inputs: RenalInputs, *, area: BodySurfaceArea | None = None
) -> tuple[RenalEstimate, ...]:
    """Return what every equation says of a person.

    Parameters
    ----------
    inputs
        What is known.
    area
        Body surface area for conversion between absolute and indexed values; by DuBois from
        weight and height where both are known, otherwise nothing is converted.

    Returns
    -------
    tuple of RenalEstimate
        One an equation of `RENAL_EQUATIONS`, in that order, with or without a value.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    """
    if area is None and inputs.weight_kg is not None and inputs.height_cm is not None:
        area = body_surface_area(weight_kg=inputs.weight_kg, height_cm=inputs.height_cm)
    return tuple(_estimate(equation, inputs, area) for equation in RENAL_EQUATIONS.values())


def _estimate(
    equation: RenalEquation, inputs: RenalInputs, area: BodySurfaceArea | None
) -> RenalEstimate:
    low, high = equation.ages
    if inputs.age is not None and not low <= inputs.age < high:
        ages = f"from {low:g} years" if high > 200.0 else f"from {low:g} to below {high:g} years"
        return RenalEstimate(equation, EstimateStatus.OUTSIDE_AGE, sentence=f"Holds {ages}.")
    missing = equation.missing(inputs)
    if missing:
        words = ", ".join(WORDS[name] for name in missing)
        return RenalEstimate(equation, EstimateStatus.MISSING_INPUT, sentence=f"Needs {words}.")
    try:
        value = equation(inputs)
    except StateraError as error:  # one equation never stops the others
        return RenalEstimate(equation, EstimateStatus.NOT_COMPUTED, sentence=f"{error.what}.")
    if isinstance(value, IndexedGFR):
        absolute = None if area is None else value.absolute(area)
        return RenalEstimate(equation, EstimateStatus.COMPUTED, value, absolute)
    indexed = None if area is None else value.indexed(area)
    return RenalEstimate(equation, EstimateStatus.COMPUTED, indexed, value)
