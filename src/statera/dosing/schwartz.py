"""Schwartz equations for children: bedside (2009) and original (1976)."""

from __future__ import annotations

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import Creatinine
from statera.dosing.person import Sex, check_height, require_age
from statera.errors import InputError

__all__ = ["bedside_schwartz", "original_schwartz"]

_ADULT = "Use CKiD U25 or EKFC in young adults, CKD-EPI 2021 in adults."


def bedside_schwartz(creatinine: Creatinine, *, age: float, height_cm: float) -> IndexedGFR:
    """Return the eGFR of the bedside equation, ``0.413 H / S``, mL/min/1.73 m2.

    Parameters
    ----------
    age
        Years, from 1 to below 18. It does not enter the equation, only its range.
    height_cm
        Height, cm.

    Raises
    ------
    InputError
        If age or height cannot be those of a person.
    DomainError
        If the age is outside the range.
    """
    require_age(age, 1.0, 18.0, "Bedside Schwartz", _ADULT)
    return IndexedGFR(0.413 * check_height(height_cm) / creatinine.mg_dl, "Schwartz, bedside")


def original_schwartz(
    creatinine: Creatinine,
    *,
    age: float,
    sex: Sex,
    height_cm: float,
    born_at_term: bool | None = None,
) -> IndexedGFR:
    """Return the eGFR of the equation of 1976, ``k H / S``, mL/min/1.73 m2.

    Fitted with creatinine by the Jaffe method: with enzymatic assays it reads about a third
    too high. k is 0.33 (preterm) or 0.45 (term) in the first year, 0.55 after it, and 0.70 in
    boys from 13 years.

    Parameters
    ----------
    age
        Years, below 21.
    height_cm
        Height or length, cm.
    born_at_term
        Needed in the first year of life.

    Raises
    ------
    InputError
        If something needed is missing or cannot be that of a person.
    DomainError
        If the age is outside the range.
    """
    require_age(age, 0.0, 21.0, "Schwartz (1976)", _ADULT)
    height = check_height(height_cm)
    if age < 1.0:
        if born_at_term is None:
            raise InputError(
                "Schwartz (1976) needs to know in the first year whether the birth was at term",
                where="born at term",
                hint="Say whether the child was born at term: k is 0.45, or 0.33 if preterm.",
            )
        k = 0.45 if born_at_term else 0.33
    else:
        k = 0.70 if sex is Sex.MALE and age >= 13.0 else 0.55
    return IndexedGFR(k * height / creatinine.mg_dl, f"Schwartz, 1976, k = {k:g}")
