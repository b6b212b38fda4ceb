"""What was not as the standard asks in a file, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.errors import InputError, Place

__all__ = ["Defect", "FcsError", "Repair"]


class Defect(StrEnum):
    """Kinds of defects, of the file or of what it says of itself."""

    END_ONE_TOO_FAR = "end_one_too_far"
    OFFSETS_DISAGREE = "offsets_disagree"
    OFFSETS_UNDECIDED = "offsets_undecided"
    EMPTY_VALUES = "empty_values"
    SUPPLEMENT_UNREADABLE = "supplement_unreadable"
    ODD_WIDTH = "odd_width"
    DUPLICATE_NAME = "duplicate_name"
    MISSING_NAME = "missing_name"
    NUMBER_UNREADABLE = "number_unreadable"
    NO_TOTAL = "no_total"
    SCALE_OF_FLOATS = "scale_of_floats"
    NOT_FINITE = "not_finite"


@dataclass(frozen=True)
class Repair:
    """A defect that was repaired on reading.

    Attributes
    ----------
    defect
    sentence
        What was found, and how it is read.
    doubtful
        Whether the values may be wrong if the repair is: look before they are used.
    """

    defect: Defect
    sentence: str
    doubtful: bool = False


class FcsError(InputError):
    """A file that cannot be read without guessing.

    Parameters
    ----------
    what, file, hint
        What is wrong, in which file, and what to do.
    byte
        Where, from 0; None where it has no place.
    """

    def __init__(self, what: str, file: str, *, byte: int | None = None, hint: str = "") -> None:
        at = f" (byte {byte})" if byte is not None else ""
        super().__init__(f"{what}{at}", where=Place(file), hint=hint)
        self.byte = byte
