"""Ranges of the entries of clinical indices; a value outside is refused with its place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = ["ValueRange", "checked"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ValueRange:
    """What an entry may be.

    Attributes
    ----------
    name
        In words, such as ``tender joints``.
    low, high
        Ends, both allowed.
    step
        Steps that the entry moves in, such as 1 for a count; 0 where any number may be.
    """

    name: str
    low: float = 0.0
    high: float = math.inf
    step: float = 0.0

    def bad(self, values: Floats) -> NDArray[np.bool_]:
        """Return where a value is impossible; NaN is missing, not impossible."""
        with np.errstate(invalid="ignore"):
            outside = (values < self.low) | (values > self.high) | np.isinf(values)
            if self.step:
                steps = values / self.step
                outside |= np.isfinite(values) & (np.abs(steps - np.round(steps)) > 1e-9)
        return np.asarray(outside & ~np.isnan(values))

    def __str__(self) -> str:
        if math.isinf(self.high):
            span = f"{self.low:g} or more"
        else:
            span = f"{self.low:g} to {self.high:g}"
        if self.step == 1.0:
            return f"whole numbers, {span}"
        return f"steps of {self.step:g}, {span}" if self.step else span


def checked(values: ArrayLike, allowed: ValueRange) -> Floats:
    """Return `values` as float64 if all of them are possible; NaN (missing) passes.

    Raises
    ------
    InputError
        Naming the first impossible value and its position (counted from 1).
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{allowed.name}: not all values are numbers",
            hint="Give numbers, and NaN where a value is missing.",
        ) from error
    bad = allowed.bad(found)
    if bad.any():
        first = int(np.flatnonzero(bad.ravel())[0])
        count = int(bad.sum())
        more = f" ({count} such values)" if count > 1 else ""
        at = f" at position {first + 1}" if found.ndim else ""
        raise InputError(
            f"{allowed.name} {found.ravel()[first]:g}{at} is not possible{more}",
            hint=f"Allowed: {allowed}. Correct it, or set it to missing (NaN).",
        )
    return found
