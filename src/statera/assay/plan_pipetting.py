"""Volumes that pipettes can deliver, and mixtures made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from statera.errors import InputError

__all__ = ["Mix", "Pipette", "find_mix", "least_volume", "nearest_volume", "split_fold"]

_CLOSE = 0.002
"""A mixture whose fold is this near the wanted one, as a share, is not bettered further."""
_FINE = 1e-9


@dataclass(frozen=True)
class Pipette:
    """A range of volumes in steps.

    Attributes
    ----------
    low_ul, high_ul
        Smallest and largest volume of one stroke, µL.
    step_ul
        Volumes are multiples of it.

    Raises
    ------
    InputError
        If no volume lies in the range.
    """

    low_ul: float
    high_ul: float
    step_ul: float

    def __post_init__(self) -> None:
        if not (0.0 < self.low_ul <= self.high_ul < math.inf and self.step_ul > 0.0):
            raise InputError(
                f"a pipette from {self.low_ul:g} to {self.high_ul:g} µL in steps of "
                f"{self.step_ul:g} µL is not possible",
                where="pipetting.pipettes",
                hint="Give low_ul, high_ul and step_ul above 0, low_ul not above high_ul.",
            )
        if not self.low_ul - _FINE <= self.nearest(self.low_ul) <= self.high_ul + _FINE:
            raise InputError(
                f"a pipette from {self.low_ul:g} to {self.high_ul:g} µL has no volume that is a "
                f"multiple of {self.step_ul:g} µL",
                where="pipetting.pipettes",
                hint="Give a smaller step_ul.",
            )

    def nearest(self, volume_ul: float) -> float:
        """Return the nearest volume that can be set, within the range."""
        first = math.ceil(self.low_ul / self.step_ul - _FINE)
        last = math.floor(self.high_ul / self.step_ul + _FINE)
        return round(self.step_ul * min(max(round(volume_ul / self.step_ul), first), last), 6)


@dataclass(frozen=True)
class Mix:
    """A volume transferred into a volume of diluent, µL."""

    transfer_ul: float
    diluent_ul: float

    @property
    def total_ul(self) -> float:
        """Both together."""
        return self.transfer_ul + self.diluent_ul

    @property
    def fold(self) -> float:
        """Total over transferred volume."""
        return self.total_ul / self.transfer_ul


def least_volume(pipettes: Sequence[Pipette]) -> float:
    """Return the smallest volume that any pipette delivers, µL."""
    return min(p.nearest(p.low_ul) for p in pipettes)


def nearest_volume(volume_ul: float, pipettes: Sequence[Pipette]) -> float:
    """Return the volume nearest to `volume_ul` that can be delivered.

    What exceeds the largest pipette is delivered in equal strokes, as few as will do.
    """
    largest = max(p.nearest(p.high_ul) for p in pipettes)
    strokes = max(math.ceil(volume_ul / largest - _FINE), 1)
    each = volume_ul / strokes
    best = min((p.nearest(each) for p in pipettes), key=lambda v: abs(v - each))
    return round(strokes * best, 6)


def find_mix(
    fold: float,
    at_least_ul: float,
    pipettes: Sequence[Pipette],
    *,
    capacity_ul: float,
    least_transfer_ul: float = 0.0,
) -> Mix | None:
    """Return a mixture of about a fold, or None where none can be pipetted.

    Of all transfers up to twice the least one that gives enough volume: the smallest whole number
    of µL with a fold within 0.2 % of the wanted one (an exact one where it is at most a quarter
    more), else the smallest such half or other volume, else the one with the nearest fold.

    Parameters
    ----------
    fold
        Total over transferred volume, above 1.
    at_least_ul
        Total volume that is needed.
    pipettes
    capacity_ul
        Of the vessel.
    least_transfer_ul
        Smaller transfers are avoided.
    """
    low = max(least_volume(pipettes), least_transfer_ul)
    least = least_volume(pipettes)
    start = max(low, at_least_ul / fold, least / (fold - 1.0))
    best: Mix | None = None
    rank = (math.inf, math.inf, math.inf)
    for transfer in _volumes(start, 2.0 * start, pipettes):
        diluent = nearest_volume(transfer * (fold - 1.0), pipettes)
        mix = Mix(transfer, diluent)
        if mix.total_ul > capacity_ul * (1 + _FINE) or mix.total_ul < at_least_ul * (1 - _FINE):
            continue
        error = abs(mix.fold / fold - 1.0)
        # among close folds the roundest volume; exact ones if they waste little; the smallest
        wasteful = error > _FINE or transfer > 1.25 * start
        close = (0.0, _oddness(transfer), float(wasteful))
        asked = close if error <= _CLOSE else (1.0, round(error, 9), 0.0)
        if asked < rank:
            best, rank = mix, asked
    return best


def _oddness(volume: float) -> float:
    """Return 0 for whole µL, 1 for halves, 2 otherwise."""
    return 0.0 if abs(volume % 1.0) < _FINE else 1.0 if abs(volume % 0.5) < _FINE else 2.0


def _volumes(start: float, end: float, pipettes: Sequence[Pipette]) -> list[float]:
    """Return volumes of one stroke from `start` to `end`, ascending; strokes where none is."""
    found = set()
    for p in pipettes:
        k = math.ceil(max(start, p.low_ul) / p.step_ul - _FINE)
        while k * p.step_ul <= min(end, p.high_ul) + _FINE:
            found.add(round(k * p.step_ul, 6))
            k += 1
    if not found:
        found = {nearest_volume(start * share, pipettes) for share in (1.0, 1.1, 1.25, 1.5, 2.0)}
    return sorted(v for v in found if v >= start * (1 - _FINE))


def split_fold(fold: float, most: float) -> tuple[float, ...]:
    """Return folds of at most `most` whose product is `fold`; round ones where they will do."""
    if fold <= most * (1 + _FINE):
        return (fold,)
    parts = math.ceil(math.log(fold) / math.log(most) - _FINE)
    equal = fold ** (1.0 / parts)
    nice = [f for f in (2.0, 4.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0) if equal * 0.5 <= f <= most]
    for first in sorted(nice, key=lambda f: abs(math.log(f / equal))):
        if fold / first <= most ** (parts - 1) * (1 + _FINE):
            return (first, *split_fold(fold / first, most))
    return (equal,) * parts
