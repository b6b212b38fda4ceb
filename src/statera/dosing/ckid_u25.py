"""CKiD U25: creatinine-based GFR from 1 to 25 years, with k by age and sex."""

from __future__ import annotations

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import Creatinine
from statera.dosing.person import Sex, check_height, require_age

__all__ = ["ckid_u25", "ckid_u25_k"]

# Constant over all ages, from the same paper: for comparison where k by age is doubted.
_K_BY_SEX = {Sex.MALE: 41.8, Sex.FEMALE: 37.6}
# At 12 years, growth per year from 12, from 18 years; below 12 both sexes grow by 0.8 % a year.
_K_BY_AGE = {Sex.MALE: (39.0, 1.045, 50.8), Sex.FEMALE: (36.1, 1.023, 41.4)}
_GROWTH_OF_CHILDREN = 1.008


def ckid_u25_k(*, age: float, sex: Sex, by_age: bool = True) -> float:
    """Return k of ``k (H in m) / S``.

    It grows with age and is continuous at 12 years; at 18 the printed constants exceed the end
    of the growth by 0.02 % (men) and 0.06 % (women), because they are rounded.

    Parameters
    ----------
    age
        Years, from 1 to below 26: the paper's "25" is the last year of age.
    by_age
        False for the constant of each sex.

    Raises
    ------
    DomainError
        If the age is outside the range.
    """
    require_age(age, 1.0, 26.0, "CKiD U25", "Use CKD-EPI 2021 or EKFC in adults.")
    if not by_age:
        return _K_BY_SEX[sex]
    at_12, growth, adult = _K_BY_AGE[sex]
    if age < 12.0:
        return float(at_12 * _GROWTH_OF_CHILDREN ** (age - 12.0))
    return float(at_12 * growth ** (age - 12.0)) if age < 18.0 else adult


def ckid_u25(
    creatinine: Creatinine, *, age: float, sex: Sex, height_cm: float, by_age: bool = True
) -> IndexedGFR:
    """Return the eGFR of CKiD U25 from creatinine, mL/min/1.73 m2.

    Developed in children and young adults with chronic kidney disease.

    Parameters
    ----------
    age
        Years, from 1 to below 26.
    height_cm
        Height, cm.
    by_age
        False for the constant k of each sex.

    Raises
    ------
    InputError
        If age or height cannot be those of a person.
    DomainError
        If the age is outside the range.
    """
    k = ckid_u25_k(age=age, sex=sex, by_age=by_age)
    value = k * (check_height(height_cm) / 100.0) / creatinine.mg_dl
    return IndexedGFR(value, "CKiD U25" if by_age else "CKiD U25, k by sex only")
