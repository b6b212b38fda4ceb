"""Inhibition and time in words that never claim more than is known.

A lower bound is rounded down and an upper bound up, so that the words stay true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from statera.engagement.summary import HOURS_PER_DAY
from statera.numerics.interval import Interval
from statera.sources.fact import Relation

__all__ = ["hours_text", "percent_text"]

_LOWER = (Relation.LESS, Relation.AT_MOST)
_UPPER = (Relation.GREATER, Relation.AT_LEAST)
# Closed forms leave an error near 1e-15; without slack 62 % could be rounded down to 61 %.
_SLACK = 1e-9
_MAX_DECIMALS = 3


def percent_text(inhibition: Interval, relation: Relation | None = None, decimals: int = 0) -> str:
    """Return inhibition in words, such as ``74 %``, ``at least 62 %`` or ``at most 12 %``.

    Parameters
    ----------
    inhibition
        Fraction 0 to 1.
    relation
        Relation of the potency behind it: an IC50 known to lie below a value gives a lower bound of
        inhibition, one above a value an upper bound. None reads the kind from the ends.
    decimals
        Decimals shown; more are used where a bound would otherwise say nothing (0 or 100 %).
    """
    scaled = Interval(100.0 * inhibition.low, 100.0 * inhibition.high)
    return _Words(100.0, " %", decimals).say(scaled, relation)


def hours_text(hours: Interval, relation: Relation | None = None, decimals: int = 1) -> str:
    """Return hours a day in words, such as ``at most 3.1 h a day``; see `percent_text`."""
    return _Words(HOURS_PER_DAY, " h a day", decimals).say(hours, relation)


@dataclass(frozen=True)
class _Words:
    """Words for values from 0 to `full`, in a unit, with so many decimals."""

    full: float
    unit: str
    decimals: int

    def say(self, value: Interval, relation: Relation | None) -> str:
        kind = relation if relation is not None else self._kind(value)
        if value.high <= _SLACK:
            words = "0" + self.unit
        elif kind in _LOWER:
            words = self._at_least(value.low)
        elif kind in _UPPER:
            words = self._at_most(value.high)
        elif kind is Relation.RANGE and value.high - value.low > _SLACK:
            words = self._between(value)
        else:
            about = "about " if kind is Relation.ABOUT else ""
            words = f"{about}{self._nearest(value.low)}{self.unit}"
        return words

    def _kind(self, value: Interval) -> Relation:
        """Read from the ends what an interval without a potency says."""
        if value.high - value.low <= _SLACK:
            return Relation.EQUAL
        at_bottom, at_top = value.low <= _SLACK, value.high >= self.full - _SLACK
        if at_top and not at_bottom:
            return Relation.LESS
        if at_bottom and not at_top:
            return Relation.GREATER
        return Relation.RANGE

    def _at_least(self, low: float) -> str:
        if low <= _SLACK:
            return "not determined by the bound"
        return f"at least {self._down(low)}{self.unit}"

    def _at_most(self, high: float) -> str:
        if high >= self.full - _SLACK:
            return "not determined by the bound"
        return f"at most {self._up(high)}{self.unit}"

    def _between(self, value: Interval) -> str:
        if value.low <= _SLACK and value.high >= self.full - _SLACK:
            return "not known"
        return f"{self._down(value.low)} to {self._up(value.high)}{self.unit}"

    def _places(self) -> range:
        return range(self.decimals, max(self.decimals, _MAX_DECIMALS) + 1)

    def _down(self, value: float) -> str:
        """Round down; a value above 0 is shown with more decimals before it is shown as 0."""
        for places in self._places():
            scale = 10.0**places
            rounded = math.floor((value + _SLACK) * scale) / scale
            if rounded > 0.0 or value <= _SLACK:
                return f"{min(rounded, self.full):.{places}f}"
        return "0"

    def _up(self, value: float) -> str:
        """Round up; a value below the full one gets more decimals before it is shown as full."""
        for places in self._places():
            scale = 10.0**places
            rounded = math.ceil((value - _SLACK) * scale) / scale
            if rounded < self.full or value >= self.full - _SLACK:
                return f"{max(rounded, 0.0):.{places}f}"
        return f"{self.full:.0f}"

    def _nearest(self, value: float) -> str:
        """Round to nearest; what is neither none nor all is not shown as if it were."""
        smallest = 10.0**-self.decimals
        if _SLACK < value < 0.5 * smallest:
            return f"under {smallest:.{self.decimals}f}"
        if self.full - 0.5 * smallest <= value < self.full - _SLACK:
            return f"over {self.full - smallest:.{self.decimals}f}"
        return f"{value:.{self.decimals}f}"
