"""How well a fitted IC50 is known, and how much it differs between people.

The logarithm of the IC50 is taken as normal: its mean over donors is known to a standard error,
and single donors lie about that mean with a standard deviation. A person who was not measured
differs from the estimate by both, and the variances add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from statera.errors import InputError

__all__ = ["Ic50Uncertainty", "Spread"]

_LARGEST = 20.0
# Above this, in ln units, a standard deviation spans more than any assay does.


class Spread(StrEnum):
    """What an interval or a draw of the IC50 is about."""

    MEAN = "mean"
    """The mean over donors, known to its standard error."""
    BETWEEN = "between"
    """Single donors about that mean, as if it were known."""
    PERSON = "person"
    """A person who was not measured: both."""


@dataclass(frozen=True)
class Ic50Uncertainty:
    """What is known of an IC50 besides its value.

    Attributes
    ----------
    ln_se
        Standard error of ln IC50 of the mean over donors; None where unknown.
    ln_sd_between
        Standard deviation of ln IC50 between donors; None where unknown, as with one donor.
    low, high
        Ends of the interval of the mean as the fit gave it, in the unit of the potency; None for
        an open end. It may be wider than one made from `ln_se`, where few donors call for it.
    level
        Of that interval, such as 0.95.
    donors
        How many were measured; None where unknown.

    Raises
    ------
    InputError
        If a number is not possible.
    """

    ln_se: float | None = None
    ln_sd_between: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    donors: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("ln_se", self.ln_se), ("ln_sd_between", self.ln_sd_between)):
            if value is not None and not 0.0 <= value <= _LARGEST:
                raise InputError(
                    f"'{name}' is {value:g}",
                    where=name,
                    hint=f"Expected: a standard deviation of ln IC50, from 0 to {_LARGEST:g}.",
                )
        if not 0.0 < self.level < 1.0:
            raise InputError(
                f"a level of {self.level:g} is not possible",
                where="level",
                hint="Give a number between 0 and 1, such as 0.95.",
            )
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise InputError(
                f"the interval {self.low:g} to {self.high:g} is upside down", where="low"
            )
        if self.donors is not None and self.donors < 1:
            raise InputError(f"{self.donors} donors are not possible", where="donors")

    def ln_sd(self, spread: Spread) -> float | None:
        """Return the standard deviation of ln IC50 that a spread means; None where unknown.

        For a person, what is unknown of the two parts is left out; None where both are.
        """
        if spread is Spread.MEAN:
            return self.ln_se
        if spread is Spread.BETWEEN:
            return self.ln_sd_between
        if self.ln_se is None and self.ln_sd_between is None:
            return None
        return math.hypot(self.ln_se or 0.0, self.ln_sd_between or 0.0)
