"""SLEDAI-2K from its items, and the SRI-4 response in lupus.

Methods
-------
SLEDAI-2K: Gladman and others, J Rheumatol 2002;29:288-291.
SRI: Furie and others, Arthritis Rheum 2009;61:1143-1151, doi:10.1002/art.24698: SLEDAI falls by
4 or more, no new BILAG A and at most one new BILAG B, and the physician's global assessment rises
by less than a tenth of its scale (0.3 of 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.boundaries import at_least, at_most, below
from statera.biomarker.core_sets import MissingRule, decide
from statera.biomarker.value_ranges import ValueRange, checked
from statera.errors import InputError, UnknownNameError, UsageError

__all__ = ["SLEDAI_WEIGHTS", "SriResponse", "new_bilag", "sledai_2k", "sri_response"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Points of each item when present; together 105.
SLEDAI_WEIGHTS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "seizure", "psychosis", "organic_brain_syndrome", "visual_disturbance",
            "cranial_nerve", "lupus_headache", "cva", "vasculitis",
        ),
        8,
    ),
    **dict.fromkeys(
        ("arthritis", "myositis", "urinary_casts", "haematuria", "proteinuria", "pyuria"), 4
    ),
    **dict.fromkeys(
        (
            "rash", "alopecia", "mucosal_ulcers", "pleurisy", "pericarditis", "low_complement",
            "anti_dsdna",
        ),
        2,
    ),
    **dict.fromkeys(("fever", "thrombocytopenia", "leucopenia"), 1),
}  # fmt: skip
SLEDAI = ValueRange("SLEDAI-2K", high=105, step=1)
NEW_A = ValueRange("new BILAG A", high=9, step=1)
NEW_B = ValueRange("new BILAG B", high=9, step=1)
_LETTERS = frozenset("ABCDE")


def item_key(name: str) -> str:
    """Return the name of an item as `SLEDAI_WEIGHTS` writes it."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def sledai_2k(items: Mapping[str, ArrayLike], *, absent_as_zero: bool = False) -> Floats:
    """Return SLEDAI-2K, 0 to 105.

    Parameters
    ----------
    items
        1 (present) or 0 by item, any shapes that broadcast; blanks, hyphens and capitals in names
        do not matter.
    absent_as_zero
        Take items that are not given as not present; otherwise all 24 must be given.

    Returns
    -------
    ndarray
        NaN where an item is missing.

    Raises
    ------
    InputError
        If an item is unknown, not given, given twice, or neither 0 nor 1.
    """
    total: Floats = np.zeros(())
    seen = set()
    for name, values in items.items():
        key = item_key(name)
        if key not in SLEDAI_WEIGHTS:
            raise UnknownNameError("item of SLEDAI-2K", name, SLEDAI_WEIGHTS)
        if key in seen:
            raise InputError(f"the item '{key}' is given twice", hint="Give it once.")
        seen.add(key)
        present = checked(values, ValueRange(f"SLEDAI-2K item {key}", high=1, step=1))
        total = np.asarray(total + SLEDAI_WEIGHTS[key] * present)
    absent = [name for name in SLEDAI_WEIGHTS if name not in seen]
    if absent and not absent_as_zero:
        raise InputError(
            f"{len(absent)} items of SLEDAI-2K are not given: {', '.join(absent)}",
            hint="Give 0 where an item is not present, or say that absent items count as 0.",
        )
    return total


def new_bilag(
    baseline: Sequence[Sequence[str]], later: Sequence[Sequence[str]]
) -> tuple[Floats, Floats]:
    """Return the numbers of new BILAG A and new BILAG B of each subject.

    Parameters
    ----------
    baseline, later
        Letters A to E of the organ systems, by subject, in the same order at both visits.

    Returns
    -------
    new_a, new_b
        (n,) each: systems at A that were not; systems at B that were C, D or E.

    Raises
    ------
    InputError
        If the visits do not fit together or a letter is not one of A to E.
    """
    counts = np.zeros((2, len(baseline)))
    if len(baseline) != len(later):
        raise InputError("the two visits have different numbers of subjects")
    for i, (first, last) in enumerate(zip(baseline, later, strict=True)):
        if len(first) != len(last):
            raise InputError(f"subject {i + 1} has different numbers of organ systems")
        for old, new in zip(first, last, strict=True):
            if old not in _LETTERS or new not in _LETTERS:
                raise InputError(
                    f"'{old if old not in _LETTERS else new}' is no BILAG grade (subject {i + 1})",
                    hint="Use A, B, C, D or E.",
                )
            counts[0, i] += new == "A" and old != "A"
            counts[1, i] += new == "B" and old in "CDE"
    return counts[0], counts[1]


@dataclass(frozen=True)
class SriResponse:
    """SRI response of n subjects.

    Attributes
    ----------
    response
        (n,) 1 responder, 0 not, NaN undetermined.
    sledai_fell, bilag_held, physician_held
        (n,) whether each of the three criteria is shown to be met.
    failed
        (n,) whether a treatment failure overrides them.
    missing
        (n,) whether an entry is missing.
    """

    response: Floats
    sledai_fell: Bools
    bilag_held: Bools
    physician_held: Bools
    failed: Bools
    missing: Bools


def sri_response(
    sledai_baseline: ArrayLike,
    sledai_later: ArrayLike,
    new_a: ArrayLike,
    new_b: ArrayLike,
    pga_baseline: ArrayLike,
    pga_later: ArrayLike,
    *,
    failed: ArrayLike = False,
    points: float = 4.0,
    pga_scale: float = 3.0,
    missing: MissingRule = "non-responder",
) -> SriResponse:
    """Return the SRI-4 response, or that of another number of `points`.

    Parameters
    ----------
    sledai_baseline, sledai_later
        SLEDAI-2K at both visits; all arguments broadcast.
    new_a, new_b
        Numbers of new BILAG A and B; see `new_bilag`.
    pga_baseline, pga_later
        Physician's global assessment, 0 to `pga_scale`; it must rise by less than a tenth of it.
    failed
        Whether treatment failed, such as by a forbidden medicine: no responder.
    points
        Fall of SLEDAI-2K that is asked for.
    pga_scale
        3, 10 or 100.
    missing
        Rule for missing entries; an entry that is missing meets no criterion.

    Raises
    ------
    InputError
        If a value is impossible.
    """
    if not pga_scale > 0.0 or not points > 0.0:
        raise UsageError("the points of SRI and the scale of the assessment must be positive")
    physician = ValueRange(f"physician global (0-{pga_scale:g})", high=pga_scale)
    fall = checked(sledai_baseline, SLEDAI) - checked(sledai_later, SLEDAI)
    a, b = checked(new_a, NEW_A), checked(new_b, NEW_B)
    rise = checked(pga_later, physician) - checked(pga_baseline, physician)
    try:
        fall, a, b, rise, lost = np.broadcast_arrays(fall, a, b, rise, np.asarray(failed, bool))
    except ValueError as error:
        raise InputError("the entries have different lengths") from error
    fell, flat = at_least(fall, points), below(rise, pga_scale / 10.0)
    held = at_most(a, 0.0) & at_most(b, 1.0)
    gone = np.isnan(fall) | np.isnan(a) | np.isnan(b) | np.isnan(rise)
    hoped = (
        (fell | np.isnan(fall))
        & (at_most(a, 0.0) | np.isnan(a))
        & (at_most(b, 1.0) | np.isnan(b))
        & (flat | np.isnan(rise))
    )
    met = fell & held & flat & ~lost
    response = decide(met, hoped & ~lost, gone, missing)
    return SriResponse(response, fell, held, flat, np.asarray(lost), np.asarray(gone))
