"""Read elements of a resource; what is not as FHIR says makes that one resource unusable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Coding",
    "UnusableError",
    "codings",
    "list_of",
    "number_of",
    "object_of",
    "printable",
    "text_of",
    "words_of",
]


_LONGEST = 300


class UnusableError(Exception):
    """A resource cannot be used; the message is the reason, a sentence without its full stop."""


@dataclass(frozen=True)
class Coding:
    """One code of a system, with the words that came with it."""

    system: str
    code: str
    display: str


def text_of(data: Mapping[str, Any], key: str) -> str:
    """Return a text, empty where it is absent; characters that steer a terminal become spaces.

    Raises
    ------
    UnusableError
        If it is not a text.
    """
    value = data.get(key, "")
    if not isinstance(value, str):
        raise UnusableError(f"'{key}' is not a text")
    return printable(value)


def printable(text: str) -> str:
    """Return a text with a space for every character that is not printed."""
    return "".join(c if c.isprintable() else " " for c in text)


def number_of(data: Mapping[str, Any], key: str) -> float | None:
    """Return a finite number, None where it is absent.

    Raises
    ------
    UnusableError
        If it is not a number.
    """
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnusableError(f"'{key}' is not a number")
    return float(value)


def object_of(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object, empty where it is absent.

    Raises
    ------
    UnusableError
        If it is not an object.
    """
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise UnusableError(f"'{key}' is not an object")
    return value


def list_of(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return a list of objects, empty where it is absent.

    Raises
    ------
    UnusableError
        If it is not a list of objects.
    """
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnusableError(f"'{key}' is not a list of objects")
    return value


def codings(concept: Mapping[str, Any]) -> list[Coding]:
    """Return the codes of a CodeableConcept."""
    return [
        Coding(text_of(item, "system"), text_of(item, "code"), text_of(item, "display"))
        for item in list_of(concept, "coding")
    ]


def words_of(concept: Mapping[str, Any]) -> str:
    """Return all words of a CodeableConcept: its text and the displays of its codes."""
    found = [text_of(concept, "text"), *(c.display for c in codings(concept))]
    words = "; ".join(dict.fromkeys(word for word in found if word))
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
