"""The revised Lund-Malmö equation."""

from __future__ import annotations

import math

from statera.dosing.clearance import IndexedGFR
from statera.dosing.creatinine import Creatinine
from statera.dosing.person import Sex, require_age

__all__ = ["lund_malmo"]

# X at the knot, slope below it per umol/L, slope above it per ln umol/L, knot in umol/L
_X = {Sex.FEMALE: (2.50, 0.0121, 0.926, 150.0), Sex.MALE: (2.56, 0.00968, 0.926, 180.0)}


def lund_malmo(creatinine: Creatinine, *, age: float, sex: Sex) -> IndexedGFR:
    """Return the eGFR of the revised Lund-Malmö equation, mL/min/1.73 m2.

    ``exp(X - 0.0158 age + 0.438 ln age)``, X linear in creatinine below 150 (women) or
    180 umol/L (men) and logarithmic above.

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
    require_age(age, 18.0, math.inf, "Lund-Malmö", "Use EKFC from 2 years.")
    at_knot, below, above, knot = _X[sex]
    micromolar = creatinine.umol_l
    if micromolar < knot:
        x = at_knot + below * (knot - micromolar)
    else:
        x = at_knot - above * math.log(micromolar / knot)
    value = math.exp(x - 0.0158 * age + 0.438 * math.log(age))
    return IndexedGFR(value, "Lund-Malmö, revised")
