"""Body surface area from weight and height."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from statera.dosing.person import check_height, check_weight
from statera.errors import InputError, UnknownNameError

__all__ = ["BSA_FORMULAS", "BodySurfaceArea", "body_surface_area"]


@dataclass(frozen=True)
class BodySurfaceArea:
    """A body surface area.

    Attributes
    ----------
    value
        m2.
    formula
        How it was obtained; ``stated`` where given.

    Raises
    ------
    InputError
        If the value is not between 0.05 and 5 m2.
    """

    value: float
    formula: str = "stated"

    unit = "m2"

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or not 0.05 <= self.value <= 5.0:
            raise InputError(
                f"body surface area is {self.value:g} m2",
                where="body surface area",
                hint="Give m2, from 0.05 to 5.",
            )

    def __str__(self) -> str:
        return f"{self.value:.2f} m2"


def _dubois(kg: float, cm: float) -> float:
    return float(0.007184 * kg**0.425 * cm**0.725)


def _mosteller(kg: float, cm: float) -> float:
    return math.sqrt(kg * cm / 3600.0)


def _haycock(kg: float, cm: float) -> float:
    return float(0.024265 * kg**0.5378 * cm**0.3964)


def _gehan_george(kg: float, cm: float) -> float:
    return float(0.0235 * kg**0.51456 * cm**0.42246)


def _boyd(kg: float, cm: float) -> float:
    grams = 1000.0 * kg
    return float(0.0003207 * cm**0.3 * grams ** (0.7285 - 0.0188 * math.log10(grams)))


BSA_FORMULAS: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "DuBois": _dubois,
        "Mosteller": _mosteller,
        "Haycock": _haycock,
        "Gehan-George": _gehan_george,
        "Boyd": _boyd,
    }
)
"""Formulas of (weight in kg, height in cm), m2."""


def body_surface_area(
    *, weight_kg: float, height_cm: float, formula: str = "DuBois"
) -> BodySurfaceArea:
    """Return the body surface area.

    Parameters
    ----------
    weight_kg
        Actual body weight, kg.
    height_cm
        cm.
    formula
        ``DuBois``, ``Mosteller``, ``Haycock``, ``Gehan-George`` or ``Boyd``.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    UnknownNameError
        If no formula has this name.
    """
    known = {name.lower().replace("-", ""): name for name in BSA_FORMULAS}
    name = known.get(formula.lower().replace("-", "").replace(" ", ""))
    if name is None:
        raise UnknownNameError("formula for body surface area", formula, BSA_FORMULAS)
    value = BSA_FORMULAS[name](check_weight(weight_kg), check_height(height_cm))
    return BodySurfaceArea(value, name)
