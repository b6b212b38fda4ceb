"""Closed intervals: values known exactly, or only as bounds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Interval"]


@dataclass(frozen=True)
class Interval:
    """A value known to lie in ``[low, high]``; a point where both ends agree.

    Raises
    ------
    ValueError
        If the ends are out of order or not numbers.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"interval ends out of order: {self.low} > {self.high}")

    @classmethod
    def point(cls, value: float) -> Interval:
        """Return the interval that holds one value."""
        return cls(value, value)

    @property
    def is_point(self) -> bool:
        """True where the value is known exactly."""
        return self.low == self.high

    @property
    def midpoint(self) -> float:
        """Middle of the interval: for drawing only, never as an estimate."""
        return 0.5 * (self.low + self.high)

    def complement(self) -> Interval:
        """Return ``1 - x``."""
        return Interval(1.0 - self.high, 1.0 - self.low)

    def __mul__(self, other: Interval) -> Interval:
        """Return the product; both intervals must be non-negative."""
        if self.low < 0 or other.low < 0:
            raise ValueError("product of intervals is defined here for non-negative values only")
        return Interval(self.low * other.low, self.high * other.high)

    def maximum(self, other: Interval) -> Interval:
        """Return the interval of ``max(x, y)``."""
        return Interval(max(self.low, other.low), max(self.high, other.high))
