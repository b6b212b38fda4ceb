"""Fat-free and lean body mass from weight and height."""

from __future__ import annotations

import math

from statera.dosing.person import Sex, check_height, check_weight, require_age
from statera.errors import DomainError

__all__ = [
    "fat_free_mass",
    "fat_free_mass_children",
    "lean_body_mass_boer",
    "lean_body_mass_hume",
    "lean_body_mass_james",
]


def fat_free_mass(*, weight_kg: float, height_cm: float, sex: Sex) -> float:
    """Return the fat-free mass of adults by Janmahasatian, kg.

    ``9270 W / (6680 + 216 BMI)`` in men, ``9270 W / (8780 + 244 BMI)`` in women; fitted from
    18 to 82 years, 41 to 217 kg, BMI 17 to 70 kg/m2.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    """
    weight, height = check_weight(weight_kg), check_height(height_cm)
    bmi = weight / (height / 100.0) ** 2
    a, b = (8780.0, 244.0) if sex is Sex.FEMALE else (6680.0, 216.0)
    return 9270.0 * weight / (a + b * bmi)


def fat_free_mass_children(*, age: float, weight_kg: float, height_cm: float, sex: Sex) -> float:
    """Return the fat-free mass of children and adults by Al-Sallami, kg.

    That of Janmahasatian times a maturation with age; fitted from 3 to 29 years.

    Raises
    ------
    InputError
        If age, weight or height cannot be those of a person.
    DomainError
        If the age is below 3 years.
    """
    require_age(age, 3.0, math.inf, "Al-Sallami", "Below 3 years no equation is offered here.")
    adult = fat_free_mass(weight_kg=weight_kg, height_cm=height_cm, sex=sex)
    if sex is Sex.FEMALE:
        return float(adult * (1.11 - 0.11 / (1.0 + (age / 7.1) ** -1.1)))
    return float(adult * (0.88 + 0.12 / (1.0 + (age / 13.4) ** -12.7)))


def lean_body_mass_hume(*, weight_kg: float, height_cm: float, sex: Sex) -> float:
    """Return the lean body mass of adults by Hume, kg.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    DomainError
        If the line gives no mass for so small a person.
    """
    weight, height = check_weight(weight_kg), check_height(height_cm)
    if sex is Sex.FEMALE:
        return _positive(0.29569 * weight + 0.41813 * height - 43.2933, "Hume")
    return _positive(0.32810 * weight + 0.33929 * height - 29.5336, "Hume")


def lean_body_mass_james(*, weight_kg: float, height_cm: float, sex: Sex) -> float:
    """Return the lean body mass of adults by James, kg.

    A parabola in weight: beyond its top, lean mass would fall as weight rises (at 170 cm beyond
    104 kg in women and 124 kg in men), and an error says so.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    DomainError
        If the weight is beyond the top.
    """
    weight, height = check_weight(weight_kg), check_height(height_cm)
    linear, square = (1.07, 148.0) if sex is Sex.FEMALE else (1.10, 128.0)
    top = linear * height**2 / (2.0 * square)
    if weight > top:
        raise DomainError(
            f"the lean body mass of James falls with weight beyond {top:.0f} kg at "
            f"{height:g} cm, and the weight is {weight:g} kg",
            where="weight",
            hint="Use the fat-free mass of Janmahasatian, which holds in obesity.",
        )
    return linear * weight - square * (weight / height) ** 2


def lean_body_mass_boer(*, weight_kg: float, height_cm: float, sex: Sex) -> float:
    """Return the lean body mass of adults by Boer, kg.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    DomainError
        If the line gives no mass for so small a person.
    """
    weight, height = check_weight(weight_kg), check_height(height_cm)
    if sex is Sex.FEMALE:
        return _positive(0.252 * weight + 0.473 * height - 48.3, "Boer")
    return _positive(0.407 * weight + 0.267 * height - 19.2, "Boer")


def _positive(mass: float, equation: str) -> float:
    if mass > 0.0:
        return mass
    raise DomainError(
        f"the lean body mass of {equation} is {mass:.1f} kg at this weight and height",
        where="weight",
        hint="The equation holds for adults; use Al-Sallami in children.",
    )
