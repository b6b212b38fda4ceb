"""Whole numbers as files hold them."""

from __future__ import annotations

__all__ = ["whole_number"]

_LONGEST = 18
"""Digits; longer ones count no bytes and no events."""


def whole_number(text: str, otherwise: int | None = None) -> int | None:
    """Return the number that a text of digits holds, spaces aside, and `otherwise` for any other.

    Signs, and what only looks like a digit (``²``), hold none.
    """
    digits = text.strip(" \0\t\r\n")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _LONGEST:
        return otherwise
    return int(digits)
