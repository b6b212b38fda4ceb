"""CDAI and SDAI: sums of joints and assessments in rheumatoid arthritis.

Methods
-------
CDAI: Aletaha and others, Arthritis Res Ther 2005;7:R796-R806, doi:10.1186/ar1740.
SDAI: Smolen and others, Rheumatology 2003;42:244-257, doi:10.1093/rheumatology/keg072.
All ends of states belong to the lower state: CDAI remission is 2.8 or less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.activity_states import CutOffs, activity_state
from statera.biomarker.das28 import SWOLLEN_28, TENDER_28, CrpUnit, crp_mg_per_l
from statera.biomarker.value_ranges import ValueRange, checked

__all__ = ["CDAI_CUT_OFFS", "SDAI_CUT_OFFS", "cdai", "cdai_state", "sdai", "sdai_state"]

Floats = NDArray[np.float64]

PATIENT_GLOBAL = ValueRange("patient global (0-10)", high=10)
PHYSICIAN_GLOBAL = ValueRange("physician global (0-10)", high=10)
_STATES = ("remission", "low", "moderate", "high")
CDAI_CUT_OFFS = CutOffs("cdai", _STATES, (2.8, 10.0, 22.0), "closed", "doi:10.1186/ar1740")
SDAI_CUT_OFFS = CutOffs("sdai", _STATES, (3.3, 11.0, 26.0), "closed", "doi:10.1186/ar1740")


def cdai(tjc: ArrayLike, sjc: ArrayLike, ptg: ArrayLike, phg: ArrayLike) -> Floats:
    """Return CDAI, 0 to 76.

    Parameters
    ----------
    tjc, sjc
        Tender and swollen joints, 0 to 28; all arguments broadcast.
    ptg, phg
        Global assessment by patient and physician, 0 to 10.

    Raises
    ------
    InputError
        If a value is impossible.
    """
    return np.asarray(
        checked(tjc, TENDER_28)
        + checked(sjc, SWOLLEN_28)
        + checked(ptg, PATIENT_GLOBAL)
        + checked(phg, PHYSICIAN_GLOBAL)
    )


def sdai(
    tjc: ArrayLike,
    sjc: ArrayLike,
    ptg: ArrayLike,
    phg: ArrayLike,
    crp: ArrayLike,
    *,
    crp_unit: CrpUnit = "mg/L",
) -> Floats:
    """Return SDAI: CDAI and CRP in mg/dL; `crp` is given in `crp_unit`."""
    return np.asarray(cdai(tjc, sjc, ptg, phg) + crp_mg_per_l(crp, crp_unit) / 10.0)


def cdai_state(score: ArrayLike) -> NDArray[np.str_]:
    """Return remission (2.8 or less), low (10), moderate (22) or high."""
    return activity_state(checked(score, ValueRange("CDAI", high=76)), CDAI_CUT_OFFS)


def sdai_state(score: ArrayLike) -> NDArray[np.str_]:
    """Return remission (3.3 or less), low (11), moderate (26) or high."""
    return activity_state(checked(score, ValueRange("SDAI")), SDAI_CUT_OFFS)
