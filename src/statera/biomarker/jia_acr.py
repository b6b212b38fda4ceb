"""JIA-ACR30 to 100: response in juvenile idiopathic arthritis, and flare.

Method
------
Giannini and others, Arthritis Rheum 1997;40:1202-1209, doi:10.1002/art.1780400703: at least three
of six core variables improve by the percentage and at most one worsens by more than 30 %. Trials
keep the 30 % at every level; one published table lets it grow with the level, and some count
exactly 30 % as worse. Both are options here, named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.boundaries import above, at_least
from statera.biomarker.core_sets import MissingRule, change_percent, decide, read_core_set
from statera.biomarker.value_ranges import ValueRange
from statera.errors import InputError, UsageError

__all__ = ["JIA_COMPONENTS", "JiaAcrOptions", "JiaAcrResponse", "jia_acr_response", "jia_flare"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Core variables; ``acute_phase`` is ESR or CRP, the same at both visits.
JIA_COMPONENTS: Mapping[str, ValueRange] = {
    "phg": ValueRange("physician global (0-100)", high=100),
    "pag": ValueRange("parent or patient global (0-100)", high=100),
    "active": ValueRange("active joints (71)", high=71, step=1),
    "limited": ValueRange("joints with limited motion (71)", high=71, step=1),
    "chaq": ValueRange("CHAQ", high=3),
    "acute_phase": ValueRange("ESR or CRP"),
}
# Least rises that count as worse in a flare, where the options ask for them.
_LEAST_RISE = {"phg": 20.0, "pag": 20.0, "active": 2.0, "limited": 2.0}


@dataclass(frozen=True)
class JiaAcrOptions:
    """Variants of the definition.

    Attributes
    ----------
    worsening
        ``fixed-30``: the limit of worsening is 30 % at every level (trials). ``scaled``: it is the
        level itself.
    at_limit
        Whether exactly the limit is ``not-worse`` ("more than 30 %") or ``worse`` ("30 % or more").
    zero_baseline
        A rise from 0 has no percentage: ``worse`` counts it as worsened, ``unchanged`` does not.
    missing
        Rule for missing variables; where one is unfavourable, it counts as not improved and as
        not worsened, unless `missing` is ``undetermined``.
    levels
        Percentages.
    """

    worsening: Literal["fixed-30", "scaled"] = "fixed-30"
    at_limit: Literal["not-worse", "worse"] = "not-worse"
    zero_baseline: Literal["worse", "unchanged"] = "worse"
    missing: MissingRule = "not-improved"
    levels: tuple[int, ...] = (30, 50, 70, 90, 100)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("worsening", self.worsening, ("fixed-30", "scaled")),
            ("at_limit", self.at_limit, ("not-worse", "worse")),
            ("zero_baseline", self.zero_baseline, ("worse", "unchanged")),
        ):
            if value not in known:
                raise UsageError(
                    f"'{value}' is not understood", where=name, hint=f"Known: {', '.join(known)}."
                )
        for level in self.levels:
            if not 0 < level <= 100:
                raise UsageError(f"JIA-ACR{level} is not a level", hint="Use 1 to 100.")


@dataclass(frozen=True)
class JiaAcrResponse:
    """JIA-ACR response of n subjects.

    Attributes
    ----------
    response
        By level: (n,) 1 responder, 0 not, NaN undetermined.
    level
        (n,) highest level reached, 0 for none, NaN where a higher one stays open.
    improved, worsened
        By level: (n,) number of core variables improved by the level, and worsened by the limit.
    missing
        (n,) whether any variable is missing at either visit.
    options
        The variant used.
    """

    response: Mapping[int, Floats]
    level: Floats
    improved: Mapping[int, NDArray[np.int_]]
    worsened: Mapping[int, NDArray[np.int_]]
    missing: Bools
    options: JiaAcrOptions


def jia_acr_response(
    baseline: Mapping[str, ArrayLike],
    later: Mapping[str, ArrayLike],
    options: JiaAcrOptions | None = None,
) -> JiaAcrResponse:
    """Return JIA-ACR response.

    Parameters
    ----------
    baseline, later
        Core variables at both visits, each (n,): ``phg, pag, active, limited, chaq,
        acute_phase``.
    options
        Variant of the definition.

    Raises
    ------
    InputError
        If a variable is absent, unknown or impossible, or the visits do not fit together.
    """
    chosen = options if options is not None else JiaAcrOptions()
    change = _changes(baseline, later)
    gone = np.isnan(change)
    any_gone = np.asarray(gone.any(axis=0))
    if chosen.zero_baseline == "unchanged":
        change = np.where(np.isneginf(change), 0.0, change)
    worse_than = above if chosen.at_limit == "not-worse" else at_least
    response, improved, worsened = {}, {}, {}
    for level in chosen.levels:
        better = at_least(change, level)
        limit = 30.0 if chosen.worsening == "fixed-30" else float(level)
        worse = worse_than(-change, limit)
        improved[level], worsened[level] = better.sum(axis=0), worse.sum(axis=0)
        shown = (improved[level] >= 3) & (worsened[level] <= 1)
        best = ((better | gone).sum(axis=0) >= 3) & (worsened[level] <= 1)
        # A missing variable may also have worsened; only "undetermined" asks.
        least = (improved[level] >= 3) & ((worse | gone).sum(axis=0) <= 1)
        worst = least if chosen.missing == "undetermined" else shown
        response[level] = decide(worst, best, any_gone, chosen.missing)
    highest = np.zeros(any_gone.shape)
    undecided = np.zeros(any_gone.shape, dtype=bool)
    for level in sorted(chosen.levels):
        reached = response[level] == 1.0
        highest = np.where(reached, level, highest)
        # Above the highest level that is reached, an open one leaves the level open.
        undecided = (undecided & ~reached) | np.isnan(response[level])
    return JiaAcrResponse(
        response, np.where(undecided, np.nan, highest), improved, worsened, any_gone, chosen
    )


def jia_flare(
    baseline: Mapping[str, ArrayLike],
    later: Mapping[str, ArrayLike],
    *,
    least_rises: bool = True,
) -> Floats:
    """Return whether a flare occurred: 1, 0, or NaN where missing variables leave it open.

    A flare: at least three of six worsen by 30 % or more and at most one improves by 30 % or more.
    With `least_rises` a global assessment counts as worse only from 20 of 100 on, and a count of
    joints only from 2 on.
    """
    change = _changes(baseline, later)
    worse = at_least(-change, 30.0)
    if least_rises:
        for i, name in enumerate(JIA_COMPONENTS):
            rise = np.asarray(later[name], float) - np.asarray(baseline[name], float)
            if name in _LEAST_RISE:
                worse[i] &= at_least(rise, _LEAST_RISE[name])
    gone = np.isnan(change)
    better = at_least(change, 30.0)
    sure = (worse.sum(axis=0) >= 3) & ((better | gone).sum(axis=0) <= 1)
    open_ = ((worse | gone).sum(axis=0) >= 3) & (better.sum(axis=0) <= 1)
    return np.where(sure, 1.0, np.where(open_, np.nan, 0.0))


def _changes(baseline: Mapping[str, ArrayLike], later: Mapping[str, ArrayLike]) -> Floats:
    """Return percent improvement, (6, n)."""
    start = read_core_set(baseline, JIA_COMPONENTS, "baseline")
    end = read_core_set(later, JIA_COMPONENTS, "later visit")
    try:
        return np.stack([change_percent(start[name], end[name]) for name in JIA_COMPONENTS])
    except ValueError as error:
        raise InputError("the two visits have different numbers of subjects") from error
