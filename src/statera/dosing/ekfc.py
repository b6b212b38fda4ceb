"""The creatinine equation of the European Kidney Function Consortium, from 2 years on."""

from __future__ import annotations

import math

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import UMOL_PER_MG, Creatinine
from statera.dosing.person import Sex, require_age

__all__ = ["ekfc", "ekfc_q"]

# ln Q in umol/L: constant, age, ln age, age^2, age^3
_CURVE = {
    Sex.MALE: (3.200, 0.259, -0.543, -0.00763, 0.0000790),
    Sex.FEMALE: (3.080, 0.177, -0.223, -0.00596, 0.0000686),
}
_ADULT_Q = {Sex.MALE: 0.90, Sex.FEMALE: 0.70}
_END_OF_GROWTH = 25.0


def ekfc_q(*, age: float, sex: Sex) -> float:
    """Return Q, the median creatinine of healthy people of this age and sex, mg/dL.

    A curve to 25 years and a constant after it. Where they meet, the curve is above the constant
    by 1.6 % (men) and 0.9 % (women), so eGFR steps down by up to 1.8 %: this is as published.

    Raises
    ------
    DomainError
        If the age is below 2 years.
    """
    require_age(age, 2.0, math.inf, "EKFC", "Use CKiD U25 from 1 year.")
    if age > _END_OF_GROWTH:
        return _ADULT_Q[sex]
    a, b, c, d, e = _CURVE[sex]
    return math.exp(a + b * age + c * math.log(age) + d * age**2 + e * age**3) / UMOL_PER_MG


def ekfc(creatinine: Creatinine, *, age: float, sex: Sex) -> IndexedGFR:
    """Return the eGFR of EKFC from creatinine, mL/min/1.73 m2.

    ``107.3 (S/Q)^-0.322`` below Q and ``^-1.132`` above, times ``0.990^(age - 40)`` over 40.
    Q is that of white Europeans, as in the paper of 2021.

    Parameters
    ----------
    age
        Years, from 2.

    Raises
    ------
    InputError
        If the age cannot be that of a person.
    DomainError
        If the age is below 2 years.
    """
    ratio = creatinine.mg_dl / ekfc_q(age=age, sex=sex)
    value = 107.3 * ratio ** (-0.322 if ratio < 1.0 else -1.132)
    return IndexedGFR(value * 0.990 ** max(age - 40.0, 0.0), "EKFC 2021, creatinine")
