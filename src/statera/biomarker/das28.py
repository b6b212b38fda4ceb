"""DAS28: disease activity of rheumatoid arthritis from 28 joints, by ESR or CRP.

Methods
-------
Prevoo and others, Arthritis Rheum 1995;38:44-48, doi:10.1002/art.1780380107 (DAS28).
EULAR response: van Gestel and others, Arthritis Rheum 1996;39:34-40, doi:10.1002/art.1780390105.

The logarithm of the CRP version is of (CRP + 1), not of CRP with 1 added after.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.activity_states import CutOffs, activity_state
from statera.biomarker.boundaries import above, at_most
from statera.biomarker.value_ranges import ValueRange, checked
from statera.errors import UnknownNameError, UsageError

__all__ = [
    "CUT_OFFS",
    "das28_crp",
    "das28_cutoffs",
    "das28_esr",
    "das28_state",
    "eular_response",
]

Floats = NDArray[np.float64]
CrpUnit = Literal["mg/L", "mg/dL"]

TENDER_28 = ValueRange("tender joints (28)", high=28, step=1)
SWOLLEN_28 = ValueRange("swollen joints (28)", high=28, step=1)
ESR = ValueRange("ESR (mm/h)")
CRP = ValueRange("CRP")
DAS28 = ValueRange("DAS28")

_STATES = ("remission", "low", "moderate", "high")
#: Named sets of cut-offs: below the first is remission, the other ends belong to the lower state.
CUT_OFFS = {
    c.name: c
    for c in (
        CutOffs("esr", _STATES, (2.6, 3.2, 5.1), "open", "established for DAS28-ESR"),
        CutOffs("crp-proposed", _STATES, (2.4, 2.9, 4.6), "open", "proposed for DAS28-CRP"),
    )
}


def das28_cutoffs(name: str) -> CutOffs:
    """Return the cut-offs called `name`: ``esr`` or ``crp-proposed``."""
    if name not in CUT_OFFS:
        raise UnknownNameError("set of DAS28 cut-offs", name, CUT_OFFS)
    return CUT_OFFS[name]


def crp_mg_per_l(crp: ArrayLike, unit: CrpUnit = "mg/L") -> Floats:
    """Return CRP in mg/L."""
    if unit not in ("mg/L", "mg/dL"):
        raise UsageError(f"CRP is not understood in '{unit}'", hint="Use mg/L or mg/dL.")
    return checked(crp, CRP) * (10.0 if unit == "mg/dL" else 1.0)


def das28_esr(
    tjc: ArrayLike,
    sjc: ArrayLike,
    esr: ArrayLike,
    gh: ArrayLike | None = None,
    *,
    gh_scale: float = 100.0,
) -> Floats:
    """Return DAS28-ESR; of three variables where `gh` is None.

    Parameters
    ----------
    tjc, sjc
        Tender and swollen joints, 0 to 28; all arguments broadcast.
    esr
        Erythrocyte sedimentation rate in mm/h; below 1 it is taken as 1, where the logarithm is 0.
    gh
        General health by the patient, 0 to `gh_scale`.
    gh_scale
        Upper end of the scale of `gh`: 100 (mm) or 10 (cm).

    Returns
    -------
    ndarray
        NaN where an entry is missing.

    Raises
    ------
    InputError
        If a value is impossible.
    """
    joints = _joints(tjc, sjc)
    acute = 0.70 * np.log(np.maximum(checked(esr, ESR), 1.0))
    if gh is None:
        return np.asarray(1.08 * (joints + acute) + 0.16)
    return np.asarray(joints + acute + 0.014 * _general_health(gh, gh_scale))


def das28_crp(
    tjc: ArrayLike,
    sjc: ArrayLike,
    crp: ArrayLike,
    gh: ArrayLike | None = None,
    *,
    gh_scale: float = 100.0,
    crp_unit: CrpUnit = "mg/L",
) -> Floats:
    """Return DAS28-CRP; of three variables where `gh` is None.

    Arguments as in `das28_esr`; `crp` in `crp_unit`.
    """
    joints = _joints(tjc, sjc)
    acute = 0.36 * np.log1p(crp_mg_per_l(crp, crp_unit))
    if gh is None:
        return np.asarray(1.10 * (joints + acute) + 1.15)
    return np.asarray(joints + acute + 0.014 * _general_health(gh, gh_scale) + 0.96)


def das28_state(score: ArrayLike, cutoffs: str = "esr") -> NDArray[np.str_]:
    """Return remission, low, moderate or high for each score, by the named set of cut-offs.

    With ``esr``: below 2.6 remission, up to and with 3.2 low, up to and with 5.1 moderate.
    """
    return activity_state(checked(score, DAS28), das28_cutoffs(cutoffs))


def eular_response(baseline: ArrayLike, later: ArrayLike, cutoffs: str = "esr") -> NDArray[np.str_]:
    """Return the EULAR response, ``good``, ``moderate`` or ``none``.

    Good: a fall of more than 1.2 to at most 3.2. None: a fall of at most 0.6, or of at most 1.2
    that ends above 5.1. Moderate: all else. `cutoffs` replaces 3.2 and 5.1 by those of its set.

    Returns
    -------
    ndarray
        Empty text where a score is missing.
    """
    limits = das28_cutoffs(cutoffs).limits
    first, last = np.broadcast_arrays(checked(baseline, DAS28), checked(later, DAS28))
    fall = first - last
    good = above(fall, 1.2) & at_most(last, limits[1])
    moderate = above(fall, 1.2) | (above(fall, 0.6) & at_most(last, limits[2]))
    found = np.where(good, "good", np.where(moderate, "moderate", "none"))
    return np.where(np.isnan(fall), "", found)


def _joints(tjc: ArrayLike, sjc: ArrayLike) -> Floats:
    tender, swollen = checked(tjc, TENDER_28), checked(sjc, SWOLLEN_28)
    return np.asarray(0.56 * np.sqrt(tender) + 0.28 * np.sqrt(swollen))


def _general_health(gh: ArrayLike, scale: float) -> Floats:
    if not scale > 0.0:
        raise UsageError(
            f"a scale of general health cannot end at {scale:g}", hint="Use 100 or 10."
        )
    found = checked(gh, ValueRange("general health", high=scale))
    return np.asarray(found * (100.0 / scale))
