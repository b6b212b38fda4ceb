"""Two measures of renal function that are not the same: absolute and indexed to 1.73 m2."""

from __future__ import annotations

import math
from dataclasses import dataclass

from statera.dosing.body_surface_area import BodySurfaceArea
from statera.errors import InputError

__all__ = ["STANDARD_AREA", "AbsoluteClearance", "IndexedGFR", "RenalFunction"]

STANDARD_AREA = 1.73
"""Body surface area to which GFR is indexed, m2."""

_STATED = "stated"
_HIGHEST_STATED = 500.0


@dataclass(frozen=True)
class AbsoluteClearance:
    """Creatinine clearance or GFR of this person, mL/min.

    EU labels cut on it. It does not compare with an `IndexedGFR`.

    Attributes
    ----------
    value
        mL/min.
    equation
        How it was obtained, such as ``Cockcroft-Gault, actual weight``; ``stated`` where given.

    Raises
    ------
    InputError
        If the value is negative or not finite, or it was stated and is above 500.
    """

    value: float
    equation: str = _STATED

    unit = "mL/min"

    def __post_init__(self) -> None:
        _check(self, "creatinine clearance")

    def indexed(self, area: BodySurfaceArea) -> IndexedGFR:
        """Return the value per 1.73 m2, by the person's body surface area."""
        return IndexedGFR(
            self.value * STANDARD_AREA / area.value,
            f"{self.equation}, indexed by BSA ({area.formula})",
        )

    def __str__(self) -> str:
        return f"{self.value:.1f} {self.unit}"


@dataclass(frozen=True)
class IndexedGFR:
    """Estimated GFR scaled to a body surface area of 1.73 m2, mL/min/1.73 m2.

    US labels cut on it. It does not compare with an `AbsoluteClearance`.

    Attributes
    ----------
    value
        mL/min/1.73 m2.
    equation
        How it was obtained, such as ``CKD-EPI 2021, creatinine``; ``stated`` where given.

    Raises
    ------
    InputError
        If the value is negative or not finite, or it was stated and is above 500.
    """

    value: float
    equation: str = _STATED

    unit = "mL/min/1.73 m2"

    def __post_init__(self) -> None:
        _check(self, "eGFR")

    def absolute(self, area: BodySurfaceArea) -> AbsoluteClearance:
        """Return the value of this person in mL/min, by the body surface area."""
        return AbsoluteClearance(
            self.value * area.value / STANDARD_AREA,
            f"{self.equation}, de-indexed by BSA ({area.formula})",
        )

    def __str__(self) -> str:
        return f"{self.value:.1f} {self.unit}"


RenalFunction = AbsoluteClearance | IndexedGFR


def _check(given: RenalFunction, name: str) -> None:
    # What an equation makes of a very low creatinine is shown as it is, with the remark that
    # creatinine carries; what a person types in is checked for a slip.
    highest = _HIGHEST_STATED if given.equation == _STATED else math.inf
    if not math.isfinite(given.value) or not 0.0 <= given.value <= highest:
        raise InputError(
            f"{name} is {given.value:g} {given.unit}",
            where=name,
            hint=f"Give a number from 0 to {_HIGHEST_STATED:g}.",
        )
