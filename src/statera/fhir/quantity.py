"""Quantities of FHIR: a number with a UCUM unit and perhaps a comparator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statera.fhir.elements import UnusableError, number_of, text_of

__all__ = ["Quantity", "read_quantity"]

_UCUM = "http://unitsofmeasure.org"
_COMPARATORS = ("", "<", "<=", ">=", ">")
# Spellings of units that a person reads, to find a unit text that contradicts its code.
_READ_AS = {
    "mcg": "ug",
    "µg": "ug",
    "μg": "ug",
    "µmol/l": "umol/l",
    "μmol/l": "umol/l",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "in": "[in_i]",
    "iu/l": "[iu]/l",
}
_PLAIN = frozenset(
    (
        *("mg/dl", "mg/l", "umol/l", "mmol/l", "nmol/l", "ng/ml", "ug/l", "ug/ml", "ng/l"),
        *("g/dl", "g/l", "kg", "g", "mg", "ug", "cm", "m", "[lb_av]", "[in_i]"),
        *("ml/min", "u/l", "[iu]/l"),
    )
)


@dataclass(frozen=True)
class Quantity:
    """A number with its unit.

    Attributes
    ----------
    value
    unit
        UCUM code.
    comparator
        Empty, or one of ``<``, ``<=``, ``>=``, ``>``.
    """

    value: float
    unit: str
    comparator: str = ""


def read_quantity(data: Mapping[str, Any], what: str) -> Quantity:
    """Return a quantity.

    Raises
    ------
    UnusableError
        If there is no number, no UCUM code, or the code and the unit in words disagree.
    """
    value = number_of(data, "value")
    if value is None:
        raise UnusableError(f"{what} has no value")
    code = text_of(data, "code")
    if not code or text_of(data, "system") != _UCUM:
        raise UnusableError(f"{what} has no UCUM code of its unit; a unit is never guessed")
    said = _plain(text_of(data, "unit"))
    if said in _PLAIN and _plain(code) in _PLAIN and said != _plain(code):
        raise UnusableError(
            f"{what} has the unit '{text_of(data, 'unit')}' in words and '{code}' as code"
        )
    comparator = text_of(data, "comparator")
    if comparator not in _COMPARATORS:
        raise UnusableError(
            f"{what} has the comparator '{comparator}', which FHIR R4 does not have"
        )
    return Quantity(value, code, comparator)


def _plain(unit: str) -> str:
    word = unit.strip().lower()
    for spelling, plain in (("µ", "u"), ("μ", "u"), ("mcg", "ug")):
        word = word.replace(spelling, plain)
    return _READ_AS.get(word, word)
