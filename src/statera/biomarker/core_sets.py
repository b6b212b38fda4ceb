"""Core sets of variables at two visits: percent improvement and worsening by component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.value_ranges import ValueRange, checked
from statera.errors import InputError, UsageError

__all__ = ["MISSING_RULES", "MissingRule", "change_percent", "decide", "read_core_set"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MissingRule = Literal["not-improved", "non-responder", "undetermined"]

#: What a missing component means for the response.
MISSING_RULES: Mapping[str, str] = {
    "not-improved": "a missing component counts as not improved, so a missed visit is no response",
    "non-responder": "any missing component makes the subject a non-responder",
    "undetermined": "no verdict where the missing components could change it",
}


def read_core_set(
    values: Mapping[str, ArrayLike], ranges: Mapping[str, ValueRange], where: str
) -> dict[str, Floats]:
    """Return the components as float64 arrays of one shape, checked against their ranges.

    Raises
    ------
    InputError
        If a component is absent or unknown, shapes do not fit, or a value is impossible.
    """
    absent = [name for name in ranges if name not in values]
    unknown = [name for name in values if name not in ranges]
    if absent or unknown:
        problem = f"absent: {', '.join(absent)}" if absent else f"unknown: {', '.join(unknown)}"
        raise InputError(
            f"the components do not match the core set ({problem})",
            where=where,
            hint=f"Give {', '.join(ranges)}; NaN where one was not measured.",
        )
    found = {name: checked(values[name], allowed) for name, allowed in ranges.items()}
    try:
        shape = np.broadcast_shapes(*(a.shape for a in found.values()))
    except ValueError as error:
        raise InputError("the components have different lengths", where=where) from error
    return {name: np.broadcast_to(a, shape) for name, a in found.items()}


def change_percent(baseline: Floats, later: Floats) -> Floats:
    """Return percent improvement, negative where worse; all variables are better when lower.

    From a baseline of 0 there is no percentage: 0 where it stayed 0, minus infinity where it rose.
    """
    fall = baseline - later
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100.0 * fall / baseline
    at_zero = baseline == 0.0
    return np.where(at_zero & ~np.isnan(fall), np.where(later > 0.0, -np.inf, 0.0), percent)


def decide(worst: Bools, best: Bools, missing: Bools, rule: MissingRule) -> Floats:
    """Return 1, 0 or NaN for response, by the rule for missing components.

    Parameters
    ----------
    worst
        Response if missing components are taken as unfavourable.
    best
        Response if they are taken as favourable.
    missing
        Whether any component is missing.
    rule
        One of `MISSING_RULES`.
    """
    if rule not in MISSING_RULES:
        raise UsageError(
            f"no rule for missing components is called '{rule}'",
            hint=f"Known: {', '.join(MISSING_RULES)}.",
        )
    found = worst.astype(np.float64)
    if rule == "non-responder":
        found = np.where(missing, 0.0, found)
    if rule == "undetermined":
        found = np.where(worst != best, np.nan, found)
    return found
