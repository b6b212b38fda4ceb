"""Options of the form NAME=VALUE, given as often as needed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.errors import UsageError

__all__ = ["read_numbers", "read_pairs"]


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
