"""What a person is described by, checked against what a person can be."""

from __future__ import annotations

import math
from enum import StrEnum

from statera.errors import DomainError, InputError

__all__ = ["Sex", "check_age", "check_height", "check_weight", "read_sex", "require_age"]

# Wider than any person measured; only there to catch slips of unit.
_AGE = (0.0, 125.0)
_HEIGHT = (20.0, 280.0)
_WEIGHT = (0.3, 650.0)


class Sex(StrEnum):
    """Sex as the equations know it: the two groups in which they were fitted."""

    FEMALE = "female"
    MALE = "male"


def read_sex(text: str) -> Sex:
    """Return the sex that a word means: ``female``, ``f``, ``male`` or ``m``.

    Raises
    ------
    InputError
        If it is another word. The equations have no third coefficient, and none is made up.
    """
    word = text.strip().lower()
    for sex in Sex:
        if word in (sex.value, sex.value[0]):
            return sex
    raise InputError(
        f"sex is '{text}'",
        where="sex",
        hint="Give female or male: the equations were fitted in these two groups and have no "
        "other coefficient.",
    )


def check_age(years: float) -> float:
    """Return an age in years.

    Raises
    ------
    InputError
        If it is not one.
    """
    return _within(years, _AGE, "age", "years", "")


def check_height(cm: float) -> float:
    """Return a height in cm.

    Raises
    ------
    InputError
        If it cannot be one; a height in metres is named as such.
    """
    metres = "That would be a height in metres: give centimetres." if 0.2 <= cm <= 2.8 else ""
    return _within(cm, _HEIGHT, "height", "cm", metres)


def check_weight(kg: float) -> float:
    """Return a body weight in kg.

    Raises
    ------
    InputError
        If it cannot be one; a weight in grams is named as such.
    """
    grams = "That would be a weight in grams: give kilograms." if kg > _WEIGHT[1] else ""
    return _within(kg, _WEIGHT, "weight", "kg", grams)


def require_age(years: float, low: float, high: float, equation: str, instead: str = "") -> float:
    """Return an age in years that lies where an equation was developed.

    Parameters
    ----------
    low, high
        First age included and first age left out; `high` may be infinite.
    instead
        What to use outside.

    Raises
    ------
    InputError
        If it is no age.
    DomainError
        If the equation does not hold for it.
    """
    check_age(years)
    if low <= years < high:
        return years
    ages = f"from {low:g} years" if math.isinf(high) else f"from {low:g} to below {high:g} years"
    raise DomainError(
        f"{equation} holds {ages}, and the age is {years:g}",
        where="age",
        hint=instead or "Use an equation developed at this age.",
    )


def _within(value: float, limits: tuple[float, float], name: str, unit: str, guess: str) -> float:
    if math.isfinite(value) and limits[0] <= value <= limits[1]:
        return value
    raise InputError(
        f"{name} is {value:g} {unit}, which no person has",
        where=name,
        hint=guess or f"Give a {name} in {unit}, from {limits[0]:g} to {limits[1]:g}.",
    )
