"""Creatinine clearance by Cockcroft and Gault, with actual, ideal or adjusted weight."""

from __future__ import annotations

import math

from statera.dosing.body_weight import adjusted_body_weight, ideal_body_weight
from statera.dosing.clearance import AbsoluteClearance
from statera.dosing.creatinine import Creatinine
from statera.dosing.person import Sex, check_weight, require_age
from statera.errors import InputError

__all__ = ["cockcroft_gault", "cockcroft_gault_rounded"]

_FEMALE = 0.85
_CHILD = "Use the bedside Schwartz equation or CKiD U25."


def cockcroft_gault(
    creatinine: Creatinine,
    *,
    age: float,
    sex: Sex,
    weight_kg: float,
    height_cm: float | None = None,
    weight: str = "actual",
    factor: float = 0.4,
) -> AbsoluteClearance:
    """Return the creatinine clearance, mL/min (not indexed).

    ``(140 - age) W / (72 S)``, times 0.85 in women, with S in mg/dL. Fitted in adults with
    creatinine that was not standardised to IDMS: with today's assays it reads a little high.

    Parameters
    ----------
    age
        Years, from 18; at 140 the formula would be 0.
    weight_kg
        Actual body weight.
    height_cm
        Needed for ideal and adjusted weight.
    weight
        ``actual``, ``ideal`` (Devine) or ``adjusted`` (ideal + factor * excess).
    factor
        Of adjusted weight.

    Raises
    ------
    InputError
        If something needed is missing or cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "Cockcroft-Gault", _CHILD)
    kg = _weight(weight, check_weight(weight_kg), height_cm, sex, factor)
    value = (140.0 - age) * kg / (72.0 * creatinine.mg_dl)
    name = f"adjusted weight, factor {factor:g}" if weight == "adjusted" else f"{weight} weight"
    return AbsoluteClearance(
        value * (_FEMALE if sex is Sex.FEMALE else 1.0), f"Cockcroft-Gault, {name}"
    )


def cockcroft_gault_rounded(
    creatinine: Creatinine, *, age: float, sex: Sex, weight_kg: float
) -> AbsoluteClearance:
    """Return the creatinine clearance by the rounded factors for umol/L, mL/min.

    ``1.23`` (men) or ``1.04`` (women) ``(140 - age) W / S``, with S in umol/L: against the
    original +0.2 % in men and -0.4 % in women.

    Raises
    ------
    InputError
        If something cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "Cockcroft-Gault", _CHILD)
    factor = 1.04 if sex is Sex.FEMALE else 1.23
    value = factor * (140.0 - age) * check_weight(weight_kg) / creatinine.umol_l
    return AbsoluteClearance(value, "Cockcroft-Gault, actual weight, rounded factors")


def _weight(kind: str, weight_kg: float, height_cm: float | None, sex: Sex, factor: float) -> float:
    if kind == "actual":
        return weight_kg
    if kind not in ("ideal", "adjusted"):
        raise InputError(
            f"the weight of Cockcroft-Gault is '{kind}'",
            where="weight",
            hint="Give actual, ideal or adjusted.",
        )
    if height_cm is None:
        raise InputError(
            f"{kind} body weight needs the height",
            where="height",
            hint="Give the height in cm, or use actual weight.",
        )
    if kind == "ideal":
        return ideal_body_weight(height_cm=height_cm, sex=sex)
    return adjusted_body_weight(weight_kg=weight_kg, height_cm=height_cm, sex=sex, factor=factor)
