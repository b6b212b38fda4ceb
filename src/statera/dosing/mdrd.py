"""The four-variable MDRD equation."""

from __future__ import annotations

import math

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import Creatinine
from statera.dosing.person import Sex, require_age

__all__ = ["mdrd"]


def mdrd(
    creatinine: Creatinine,
    *,
    age: float,
    sex: Sex,
    race_coefficient: bool,
    standardised: bool = True,
) -> IndexedGFR:
    """Return the eGFR of the MDRD study, mL/min/1.73 m2.

    ``175 S^-1.154 age^-0.203``, times 0.742 in women, with S in mg/dL.

    Parameters
    ----------
    age
        Years, from 18.
    race_coefficient
        Whether the factor 1.212 that the authors gave for Black people is applied; no default.
    standardised
        Whether creatinine is traceable to IDMS, as in any laboratory today; otherwise the
        factor is 186.

    Raises
    ------
    InputError
        If the age cannot be that of a person.
    DomainError
        If the person is below 18 years.
    """
    require_age(age, 18.0, math.inf, "MDRD", "Use CKiD U25 or EKFC.")
    value = (175.0 if standardised else 186.0) * creatinine.mg_dl**-1.154 * age**-0.203
    value *= (0.742 if sex is Sex.FEMALE else 1.0) * (1.212 if race_coefficient else 1.0)
    race = "with" if race_coefficient else "without"
    calibration = "" if standardised else ", before IDMS"
    return IndexedGFR(value, f"MDRD{calibration}, {race} race coefficient")
