"""What went wrong with a part of a plate, while the rest is analysed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.errors import StateraError

__all__ = ["Problem", "Severity"]


class Severity(StrEnum):
    """Whether something is missing from the results, or only to be known."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """A problem.

    Attributes
    ----------
    where
        File and line, well, population or curve.
    sentence
        What is wrong.
    hint
        What to do.
    severity
        An error leaves something out of the results.
    """

    where: str
    sentence: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @classmethod
    def of(cls, error: StateraError, where: str = "") -> Problem:
        """Return the problem that an error tells of."""
        place = where or (str(error.where) if error.where is not None else "")
        return cls(place, error.what, error.hint)
