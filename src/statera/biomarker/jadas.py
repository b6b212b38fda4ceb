"""JADAS and clinical JADAS: disease activity of juvenile idiopathic arthritis.

Methods
-------
Consolaro and others, Arthritis Rheum 2009;61:658-666, doi:10.1002/art.24516. Version with CRP:
Nordal and others, Ann Rheum Dis 2012;71:1122-1127.
Cut-offs differ by year and are a named option; see `CUT_OFFS`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.activity_states import CutOffs, activity_state
from statera.biomarker.das28 import ESR, CrpUnit, crp_mg_per_l
from statera.biomarker.value_ranges import ValueRange, checked
from statera.errors import UnknownNameError, UsageError

__all__ = ["CUT_OFFS", "cjadas", "jadas", "jadas_cutoffs", "jadas_state"]

Floats = NDArray[np.float64]
Joints = Literal[10, 27, 71]
Course = Literal["oligo", "poly"]

PHYSICIAN_GLOBAL = ValueRange("physician global (0-10)", high=10)
PARENT_GLOBAL = ValueRange("parent or patient global (0-10)", high=10)
ACTIVE_JOINTS = ValueRange("active joints", high=71, step=1)

_THREE = ("inactive", "low", "above low")
_FOUR = ("inactive", "low", "moderate", "high")


def _set(
    name: str, states: tuple[str, ...], source: str, **limits: tuple[float, ...]
) -> dict[tuple[str, str, str], CutOffs]:
    found = {}
    for key, ends in limits.items():
        score, course = key.split("_")
        found[name, score, course] = CutOffs(name, states, ends, "closed", source)
    return found


#: By name of the set, score (``jadas``, ``cjadas``) and course. Ends belong to the lower state.
#: What a set does not divide stays one state ("above low").
CUT_OFFS = {
    **_set(
        "consolaro-2012", _THREE, "Consolaro and others 2012 and 2014",
        jadas_oligo=(1.0, 2.0), jadas_poly=(1.0, 3.8),
        cjadas_oligo=(1.0, 1.5), cjadas_poly=(1.0, 2.5),
    ),
    **_set(
        "backstrom-2019", _THREE, "doi:10.1136/rmdopen-2018-000888 (10 joints)",
        jadas_oligo=(0.5, 3.8), jadas_poly=(0.7, 5.1),
        cjadas_oligo=(0.5, 3.8), cjadas_poly=(0.7, 5.0),
    ),
    **_set(
        "trincianti-2021", _FOUR, "Trincianti and others 2021 (10 joints)",
        jadas_oligo=(1.4, 4.0, 13.0), jadas_poly=(2.7, 6.0, 17.0),
        cjadas_oligo=(1.1, 4.0, 12.0), cjadas_poly=(2.5, 5.0, 16.0),
    ),
}  # fmt: skip


def jadas(
    phg: ArrayLike,
    pag: ArrayLike,
    ajc: ArrayLike,
    *,
    esr: ArrayLike | None = None,
    crp: ArrayLike | None = None,
    joints: Joints = 27,
    crp_unit: CrpUnit = "mg/L",
) -> Floats:
    """Return JADAS of 10, 27 or 71 joints, with ESR or with CRP.

    Parameters
    ----------
    phg, pag
        Global assessment by physician and by parent or patient, 0 to 10; all arguments broadcast.
    ajc
        Active joints, 0 to 71; counts beyond `joints` count as `joints`.
    esr, crp
        One of the two: ESR in mm/h counts (ESR - 20) / 10, CRP in mg/L counts (CRP - 10) / 10,
        both held to 0 to 10.
    joints
        10, 27 or 71; the score ends at 40, 57 or 101.
    crp_unit
        Unit of `crp`.

    Returns
    -------
    ndarray
        NaN where an entry is missing.

    Raises
    ------
    InputError
        If a value is impossible.
    """
    if (esr is None) == (crp is None):
        raise UsageError("JADAS takes ESR or CRP, one of them", hint="For neither, use cJADAS.")
    if esr is not None:
        acute = (checked(esr, ESR) - 20.0) / 10.0
    else:
        assert crp is not None
        acute = (crp_mg_per_l(crp, crp_unit) - 10.0) / 10.0
    return np.asarray(cjadas(phg, pag, ajc, joints=joints) + np.clip(acute, 0.0, 10.0))


def cjadas(phg: ArrayLike, pag: ArrayLike, ajc: ArrayLike, *, joints: Joints = 10) -> Floats:
    """Return the clinical JADAS, without an acute-phase reactant; arguments as in `jadas`."""
    if joints not in (10, 27, 71):
        raise UsageError(f"there is no JADAS of {joints} joints", hint="Use 10, 27 or 71.")
    counted = np.minimum(checked(ajc, ACTIVE_JOINTS), float(joints))
    return np.asarray(checked(phg, PHYSICIAN_GLOBAL) + checked(pag, PARENT_GLOBAL) + counted)


def jadas_cutoffs(name: str, score: str, course: str) -> CutOffs:
    """Return a set of cut-offs by name, score (``jadas``, ``cjadas``) and course."""
    names = {key[0] for key in CUT_OFFS}
    if name not in names:
        raise UnknownNameError("set of JADAS cut-offs", name, names)
    found = CUT_OFFS.get((name, score, course))
    if found is None:
        raise UsageError(
            f"no cut-offs for '{score}' and '{course}'",
            hint="Scores: jadas, cjadas. Courses: oligo, poly.",
        )
    return found


def jadas_state(
    score: ArrayLike,
    course: Course,
    *,
    clinical: bool = False,
    cutoffs: str = "consolaro-2012",
) -> NDArray[np.str_]:
    """Return the state of each score.

    Parameters
    ----------
    score
        JADAS, or cJADAS with `clinical`.
    course
        ``oligo`` or ``poly``.
    clinical
        Whether `score` is a cJADAS.
    cutoffs
        ``consolaro-2012``, ``backstrom-2019`` or ``trincianti-2021``.
    """
    chosen = jadas_cutoffs(cutoffs, "cjadas" if clinical else "jadas", course)
    return activity_state(checked(score, ValueRange("JADAS", high=101)), chosen)
