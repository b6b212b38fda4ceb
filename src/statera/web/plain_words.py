"""What is wrong with a value of a request, in words for who filled in a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["plain_words"]

_WORDS = {
    "greater_than": "it has to be above {gt}",
    "greater_than_equal": "it has to be at least {ge}",
    "less_than": "it has to be below {lt}",
    "less_than_equal": "it has to be at most {le}",
    "finite_number": "it has to be a finite number",
    "string_type": "a text is needed",
    "string_too_long": "it may have at most {max_length} characters",
    "string_too_short": "it needs at least {min_length} characters",
    "too_long": "it may have at most {max_length} entries",
    "too_short": "it needs at least {min_length} entries",
    "missing": "it is missing",
    "extra_forbidden": "there is no field of this name",
    "literal_error": "it has to be {expected}",
    "enum": "it has to be {expected}",
}
"""By kind of mistake; what is not here keeps the words of the check."""
_KINDS = {
    "int": "a whole number is needed",
    "float": "a number is needed",
    "bool": "yes or no (true or false) is needed",
    "list": "a list is needed",
    "dict": "an object is needed",
    "model": "an object is needed",
}
"""By the beginning of kinds such as ``int_from_float``."""


def plain_words(mistake: Mapping[str, Any]) -> str:
    """Return what is wrong, from a mistake as pydantic describes it.

    The value that was sent is not repeated: it may be that of a patient.
    """
    kind, told = str(mistake["type"]), mistake.get("ctx") or {}
    if kind in ("string_too_short", "too_short") and told.get("min_length") == 1:
        return "it may not be empty"
    words = _WORDS.get(kind) or _KINDS.get(kind.partition("_")[0], "")
    try:
        said = words.format_map({k: _number(v) for k, v in told.items()})
    except KeyError:
        said = ""
    return said or str(mistake["msg"]).removeprefix("Value error, ")


def _number(value: object) -> object:
    return f"{value:.12g}" if isinstance(value, float) else value
