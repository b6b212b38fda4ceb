"""Options of the form NAME=VALUE, given as often as needed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.errors import UsageError

__all__ = ["read_numbers", "read_pairs", "read_spans"]


def read_pairs(texts: Sequence[str] | None, option: str, example: str) -> dict[str, str]:
    """Return names and values.

    Raises
    ------
    UsageError
        If a text has no ``=`` with something on both sides, or a name stands twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, sign, value = (part.strip() for part in text.partition("="))
        if not (name and sign and value):
            raise UsageError(
                f"'{text}' is not a name and a value", where=option, hint=f"Write {example}."
            )
        if name in found:
            raise UsageError(
                f"'{name}' is given twice", where=option, hint="Give each name one value."
            )
        found[name] = value
    return found


def read_numbers(texts: Sequence[str] | None, option: str, example: str) -> dict[str, float]:
    """Return names and numbers.

    Raises
    ------
    UsageError
        As `read_pairs`, and if a value is not a finite number.
    """
    found: dict[str, float] = {}
    for name, value in read_pairs(texts, option, example).items():
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UsageError(f"'{value}' is not a number", where=option, hint=f"Write {example}.")
        found[name] = number
    return found


def read_spans(
    texts: Sequence[str] | None, option: str
) -> dict[str, tuple[float | None, float | None]]:
    """Return names and ends, ``NAME=LOW:HIGH``; an end left out is None.

    Raises
    ------
    UsageError
        As `read_pairs`, and if an end is not a finite number or the ends do not increase.
    """
    example = "NAME=LOW:HIGH, such as KA=0.1:5, or KA=0.1: for no upper end"
    found: dict[str, tuple[float | None, float | None]] = {}
    for name, value in read_pairs(texts, option, example).items():
        parts = [part.strip() for part in value.split(":")]
        try:
            ends = [float(part) if part else None for part in parts]
        except ValueError:
            ends = []
        low, high = ends if len(ends) == 2 else (math.nan, math.nan)
        wrong = any(end is not None and not math.isfinite(end) for end in (low, high))
        if wrong or (low is not None and high is not None and not low < high):
            raise UsageError(f"'{value}' is not a range", where=option, hint=f"Write {example}.")
        found[name] = (low, high)
    return found
