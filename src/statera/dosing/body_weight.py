"""Ideal and adjusted body weight."""

from __future__ import annotations

from statera.dosing.person import Sex, check_height, check_weight
from statera.errors import InputError

__all__ = ["adjusted_body_weight", "ideal_body_weight"]

_CM_PER_INCH = 2.54
_INCHES_FROM = 60.0


def ideal_body_weight(*, height_cm: float, sex: Sex) -> float:
    """Return the ideal body weight of Devine, kg.

    ``50 kg (men) or 45.5 kg (women) + 2.3 kg`` per inch above 60. Below 60 inches (152.4 cm) the
    line is continued downwards, as most programs do; Devine gave nothing there.

    Raises
    ------
    InputError
        If the height is none, or so small that the line gives no weight.
    """
    inches = check_height(height_cm) / _CM_PER_INCH
    weight = (45.5 if sex is Sex.FEMALE else 50.0) + 2.3 * (inches - _INCHES_FROM)
    if weight <= 0.0:
        raise InputError(
            f"ideal body weight (Devine) has no value at a height of {height_cm:g} cm",
            where="height",
            hint="It was given for adults from 152 cm; use actual weight.",
        )
    return weight


def adjusted_body_weight(
    *, weight_kg: float, height_cm: float, sex: Sex, factor: float = 0.4
) -> float:
    """Return ``ideal + factor * (actual - ideal)``, kg.

    Parameters
    ----------
    factor
        0.4 in most uses, 0.3 and 0.25 exist.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person, or the factor is not between 0 and 1.
    """
    if not 0.0 <= factor <= 1.0:
        raise InputError(
            f"the factor of adjusted body weight is {factor:g}",
            where="factor",
            hint="Give a number from 0 (ideal) to 1 (actual).",
        )
    ideal = ideal_body_weight(height_cm=height_cm, sex=sex)
    return ideal + factor * (check_weight(weight_kg) - ideal)
