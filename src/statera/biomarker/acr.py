"""ACR20, ACR50 and ACR70 response in rheumatoid arthritis.

Method
------
Felson and others, Arthritis Rheum 1995;38:727-735, doi:10.1002/art.1780380602: both joint counts
improve by the percentage, and so do three of five: patient global, physician global, pain, HAQ
and an acute-phase reactant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.boundaries import at_least
from statera.biomarker.core_sets import MissingRule, change_percent, decide, read_core_set
from statera.biomarker.value_ranges import ValueRange
from statera.errors import InputError, UsageError

__all__ = ["ACR_COMPONENTS", "AcrResponse", "acr_response"]

Floats = NDArray[np.float64]

_JOINTS = ("tjc", "sjc")
#: Components and what they may be; ``acute_phase`` is CRP or ESR, the same at both visits.
ACR_COMPONENTS: Mapping[str, ValueRange] = {
    "tjc": ValueRange("tender joints (68)", high=68, step=1),
    "sjc": ValueRange("swollen joints (66)", high=66, step=1),
    "ptg": ValueRange("patient global (0-100)", high=100),
    "phg": ValueRange("physician global (0-100)", high=100),
    "pain": ValueRange("pain (0-100)", high=100),
    "haq": ValueRange("HAQ-DI", high=3),
    "acute_phase": ValueRange("acute-phase reactant"),
}
_OTHERS = tuple(name for name in ACR_COMPONENTS if name not in _JOINTS)


@dataclass(frozen=True)
class AcrResponse:
    """ACR response of n subjects.

    Attributes
    ----------
    response
        By percentage (20, 50, 70): (n,) 1 responder, 0 not, NaN undetermined.
    improvement
        Percent improvement of each component, (n,); negative where worse; NaN where missing.
    missing
        (n,) whether any component is missing at either visit.
    rule
        The rule for missing components.
    """

    response: Mapping[int, Floats]
    improvement: Mapping[str, Floats]
    missing: NDArray[np.bool_]
    rule: MissingRule


def acr_response(
    baseline: Mapping[str, ArrayLike],
    later: Mapping[str, ArrayLike],
    *,
    percentages: tuple[int, ...] = (20, 50, 70),
    missing: MissingRule = "not-improved",
) -> AcrResponse:
    """Return ACR response.

    Parameters
    ----------
    baseline, later
        Components at both visits, each (n,): ``tjc, sjc, ptg, phg, pain, haq`` and one of
        ``acute_phase``, ``crp`` or ``esr``. From a baseline of 0 nothing can improve.
    percentages
        Levels of response.
    missing
        ``not-improved``, ``non-responder`` or ``undetermined``; see `MISSING_RULES`.

    Raises
    ------
    InputError
        If a component is absent, unknown or impossible, or the visits do not fit together.
    """
    for percent in percentages:
        if not 0 < percent <= 100:
            raise UsageError(f"ACR{percent} is not a level of response", hint="Use 1 to 100.")
    first, first_reactant = _one_reactant(baseline, "baseline")
    second, second_reactant = _one_reactant(later, "later visit")
    if first_reactant != second_reactant:
        raise InputError(
            f"the acute-phase reactant is {first_reactant} at baseline and {second_reactant} later",
            hint="Use the same one at both visits.",
        )
    start = read_core_set(first, ACR_COMPONENTS, "baseline")
    end = read_core_set(second, ACR_COMPONENTS, "later visit")
    try:
        change = {name: change_percent(start[name], end[name]) for name in ACR_COMPONENTS}
    except ValueError as error:
        raise InputError("the two visits have different numbers of subjects") from error
    gone = {name: np.isnan(value) for name, value in change.items()}
    any_gone = np.any(np.stack([gone[name] for name in ACR_COMPONENTS]), axis=0)
    response = {}
    for percent in percentages:
        shown = {name: at_least(change[name], percent) for name in ACR_COMPONENTS}
        hoped = {name: shown[name] | gone[name] for name in ACR_COMPONENTS}
        response[percent] = decide(_meets(shown), _meets(hoped), any_gone, missing)
    return AcrResponse(response, change, any_gone, missing)


def _meets(improved: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    joints = improved["tjc"] & improved["sjc"]
    others = np.sum(np.stack([improved[name] for name in _OTHERS]), axis=0)
    return np.asarray(joints & (others >= 3))


def _one_reactant(values: Mapping[str, ArrayLike], where: str) -> tuple[dict[str, ArrayLike], str]:
    """Return the components with the reactant under ``acute_phase``, and its name."""
    names = [name for name in ("acute_phase", "crp", "esr") if name in values]
    if len(names) != 1:
        raise InputError(
            f"{len(names)} acute-phase reactants are given; the core set has one",
            where=where,
            hint="Give crp or esr.",
        )
    renamed = {("acute_phase" if n == names[0] else n): v for n, v in values.items()}
    return renamed, names[0]
