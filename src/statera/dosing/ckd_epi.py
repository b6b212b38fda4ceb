"""CKD-EPI equations: 2009 and 2021 from creatinine, 2012 and 2021 with cystatin C."""

from __future__ import annotations

import math

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import Creatinine, CystatinC
from statera.dosing.person import Sex, require_age

__all__ = [
    "ckd_epi_2009",
    "ckd_epi_2012_cystatin",
    "ckd_epi_2021",
    "ckd_epi_2021_cystatin",
]

_CHILD = "Use CKiD U25 or EKFC."


def ckd_epi_2009(
    creatinine: Creatinine, *, age: float, sex: Sex, race_coefficient: bool
) -> IndexedGFR:
    """Return the eGFR of CKD-EPI 2009 from creatinine, mL/min/1.73 m2.

    Parameters
    ----------
    age
        Years, from 18.
    race_coefficient
        Whether the factor 1.159 that the authors gave for Black people is applied. There is no
        default: either choice changes the result by 16 %, and the equation of 2021 has none.

    Raises
    ------
    InputError
        If the age cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "CKD-EPI 2009", _CHILD)
    low, high = _parts(creatinine.mg_dl, 0.7 if sex is Sex.FEMALE else 0.9)
    value = 141.0 * low ** (-0.329 if sex is Sex.FEMALE else -0.411) * high**-1.209 * 0.993**age
    value *= (1.018 if sex is Sex.FEMALE else 1.0) * (1.159 if race_coefficient else 1.0)
    return IndexedGFR(value, f"CKD-EPI 2009, creatinine{_race(race_coefficient)}")


def ckd_epi_2021(creatinine: Creatinine, *, age: float, sex: Sex) -> IndexedGFR:
    """Return the eGFR of CKD-EPI 2021 from creatinine, without race, mL/min/1.73 m2.

    Parameters
    ----------
    age
        Years, from 18.

    Raises
    ------
    InputError
        If the age cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "CKD-EPI 2021", _CHILD)
    low, high = _parts(creatinine.mg_dl, 0.7 if sex is Sex.FEMALE else 0.9)
    value = 142.0 * low ** (-0.241 if sex is Sex.FEMALE else -0.302) * high**-1.2 * 0.9938**age
    return IndexedGFR(value * (1.012 if sex is Sex.FEMALE else 1.0), "CKD-EPI 2021, creatinine")


def ckd_epi_2012_cystatin(cystatin: CystatinC, *, age: float, sex: Sex) -> IndexedGFR:
    """Return the eGFR of CKD-EPI 2012 from cystatin C alone, mL/min/1.73 m2.

    Parameters
    ----------
    age
        Years, from 18.

    Raises
    ------
    InputError
        If the age cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "CKD-EPI 2012", _CHILD)
    low, high = _parts(cystatin.mg_l, 0.8)
    value = 133.0 * low**-0.499 * high**-1.328 * 0.996**age
    return IndexedGFR(value * (0.932 if sex is Sex.FEMALE else 1.0), "CKD-EPI 2012, cystatin C")


def ckd_epi_2021_cystatin(
    creatinine: Creatinine, cystatin: CystatinC, *, age: float, sex: Sex
) -> IndexedGFR:
    """Return the eGFR of CKD-EPI 2021 from creatinine and cystatin C, mL/min/1.73 m2.

    Parameters
    ----------
    age
        Years, from 18.

    Raises
    ------
    InputError
        If the age cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "CKD-EPI 2021", _CHILD)
    low, high = _parts(creatinine.mg_dl, 0.7 if sex is Sex.FEMALE else 0.9)
    low_c, high_c = _parts(cystatin.mg_l, 0.8)
    value = 135.0 * low ** (-0.219 if sex is Sex.FEMALE else -0.144) * high**-0.544
    value *= low_c**-0.323 * high_c**-0.778 * 0.9961**age
    return IndexedGFR(
        value * (0.963 if sex is Sex.FEMALE else 1.0), "CKD-EPI 2021, creatinine and cystatin C"
    )


def _parts(value: float, knot: float) -> tuple[float, float]:
    """Return the ratio to the knot, capped at 1 from above and from below."""
    ratio = value / knot
    return min(ratio, 1.0), max(ratio, 1.0)


def _race(applied: bool) -> str:
    return ", with race coefficient" if applied else ", without race coefficient"
