"""What a model says about fitting a parameter: bounds and a prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from statera.model import fields
from statera.model.fields import KeyPath, SpecError
from statera.model.model import Prior

__all__ = ["read_bounds", "read_prior"]


def read_bounds(
    row: Mapping[str, Any], value: float, path: KeyPath
) -> tuple[float | None, float | None] | None:
    """Return the bounds of a parameter, None where there are none.

    An end that is null or infinite is open.

    Raises
    ------
    SpecError
        If they are not two ends in order with the value between them.
    """
    if "bounds" not in row:
        return None
    here, given = (*path, "bounds"), row["bounds"]
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise SpecError(here, "expected a lower and an upper end")
    ends: list[float | None] = []
    for end, outermost in zip(given, (-math.inf, math.inf), strict=True):
        if end is None or end == outermost:
            ends.append(None)
        elif isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise SpecError(here, f"expected a number, found {end!r}")
        else:
            ends.append(float(end))
    low, high = ends
    if low is not None and high is not None and low >= high:
        raise SpecError(here, f"the lower end {low:g} is not below the upper end {high:g}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise SpecError(here, f"the value {value:g} lies outside")
    return low, high


def read_prior(row: Mapping[str, Any], path: KeyPath) -> Prior | None:
    """Return the prior of a parameter, None where there is none."""
    if "prior" not in row:
        return None
    here = (*path, "prior")
    table = fields.as_table(row["prior"], here)
    fields.only(table, {"mean", "sd"}, here)
    sd = fields.need_number(table, "sd", here)
    if sd <= 0:
        raise SpecError((*here, "sd"), f"a standard deviation must be above zero: {sd:g}")
    return Prior(fields.need_number(table, "mean", here), sd)
