"""The potency behind a target of inhibition: a fitted IC50 that a request names or states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.engagement import Potency

__all__ = ["Drawn", "TargetPotency"]


class Drawn(StrEnum):
    """What of the uncertainty of an IC50 is drawn for each possible individual."""

    PERSON = "person"
    """Differences between people, and the uncertainty of the mean."""
    MEAN = "mean"
    """The uncertainty of the mean alone: everybody has the mean IC50."""
    NONE = "none"
    """Nothing: the IC50 is taken as known."""


@dataclass(frozen=True)
class TargetPotency:
    """A potency that is a point, with its origin.

    Attributes
    ----------
    potency
        With its Hill coefficient, and its uncertainty where it has one.
    drawn
    file
        Name of the file it was read from, without folders; empty where the request states it.
    content_hash
        Of that file.
    """

    potency: Potency
    drawn: Drawn = Drawn.PERSON
    file: str = ""
    content_hash: str = ""

    @property
    def name(self) -> str:
        """What is inhibited, such as ``IL-6, pSTAT3, CD4``."""
        return self.potency.name
