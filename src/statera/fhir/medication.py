"""Which drug a resource is about, by its ATC code or by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from statera.fhir.elements import UnusableError, codings, object_of, text_of, words_of
from statera.fhir.read_bundle import Bundle, Resource
from statera.library import drugs, load_drug

__all__ = ["ATC", "Named", "medication_of", "spellings"]

_ATC_SYSTEM = "http://www.whocc.no/atc"

ATC: Mapping[str, str] = MappingProxyType(
    {
        "L04AF01": "tofacitinib",
        "L04AF02": "baricitinib",
        "L04AA37": "baricitinib",  # until the group L04AF was made
        "L04AF03": "upadacitinib",
        "L04AF04": "filgotinib",
        "L04AF07": "deucravacitinib",
    }
)
"""ATC codes of drugs of the library; the others are found by name."""


@dataclass(frozen=True)
class Named:
    """A medication.

    Attributes
    ----------
    drug
        Name in the library; empty where it is another drug.
    words
        What the record calls it.
    """

    drug: str
    words: str


def spellings(drug: str) -> tuple[str, ...]:
    """Return the name and the aliases of a drug of the library."""
    known = load_drug(drug)
    return (known.name, *known.aliases)


def medication_of(resource: Resource, bundle: Bundle) -> Named:
    """Return the medication of an administration, statement, request or dispense.

    Raises
    ------
    UnusableError
        If nothing says what it is, or code and words name different drugs.
    """
    concept = object_of(resource.data, "medicationCodeableConcept")
    if not concept:
        reference = object_of(resource.data, "medicationReference")
        target = bundle.resolve(text_of(reference, "reference"), resource)
        if target is not None:
            concept = object_of(target.data, "code")
        elif text_of(reference, "display"):
            concept = {"text": text_of(reference, "display")}
    words = words_of(concept)
    by_code = {ATC[c.code] for c in codings(concept) if c.system == _ATC_SYSTEM and c.code in ATC}
    by_name = named_in(words)
    if len(by_code | by_name) > 1:
        raise UnusableError(
            f"code and words name different drugs: {', '.join(sorted(by_code | by_name))}"
        )
    found = by_code | by_name
    if not found and not words and not codings(concept):
        raise UnusableError("nothing says which medication it is")
    if not words:
        words = ", ".join(c.code for c in codings(concept))
    return Named(next(iter(found), ""), words)


def named_in(words: str) -> set[str]:
    """Return the drugs of the library that a text names."""
    found = set()
    for drug in drugs():
        names = "|".join(re.escape(name) for name in spellings(drug))
        if re.search(rf"(?<!\w)(?:{names})(?!\w)", words, re.IGNORECASE):
            found.add(drug)
    return found
