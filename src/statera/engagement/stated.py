"""Numbers, units and kinds of assay as papers and tables print them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from statera.errors import InputError, UnknownNameError
from statera.sources.fact import Relation
from statera.units import convert, same_dimension

__all__ = [
    "MATRICES",
    "Matrix",
    "Stated",
    "Unit",
    "matrix_of",
    "parse_relation",
    "parse_stated",
    "standard_unit",
]

Matrix = Literal["enzyme", "cell", "whole_blood", "ex_vivo_blood", "unknown"]
Unit = Literal["nM", "ng/mL"]
MATRICES: tuple[Matrix, ...] = get_args(Matrix)

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_BOUND = re.compile(rf"^(<=|>=|<|>|~|=|≤|≥|≈|about\s)?\s*({_NUMBER})$")
_RANGE = re.compile(rf"^({_NUMBER})\s*(?:-|–|to)\s*({_NUMBER})$")
_WRITTEN_RELATION = {"≤": "<=", "≥": ">=", "≈": "~", "about": "~", "": "="}


@dataclass(frozen=True)
class Stated:
    """A number as stated: with its relation, and both ends where it is a range."""

    relation: Relation
    value: float | None
    low: float | None = None
    high: float | None = None


def parse_stated(text: str) -> Stated:
    """Read a number as papers print it: ``5.9``, ``<50``, ``<= 25``, ``~60`` or ``10-20``.

    Raises
    ------
    InputError
        If the text is none of these.
    """
    written = text.strip()
    bound = _BOUND.match(written)
    if bound is not None:
        return Stated(parse_relation(bound.group(1) or ""), float(bound.group(2)))
    span = _RANGE.match(written)
    if span is not None:
        return Stated(Relation.RANGE, None, float(span.group(1)), float(span.group(2)))
    hint = "Write it like 5.9, <50, >=25, ~60 or 10-20."
    if re.match(r"^[<>~=≤≥≈]*\s*\d+,\d+$", written):
        hint = "Write the decimal point as a point, not as a comma."
    elif re.match(r"^[<>~=≤≥≈]*\s*-", written):
        raise InputError(f"'{text}' is below zero", hint="A concentration cannot be negative.")
    raise InputError(f"'{text}' is not a number", hint=hint)


def parse_relation(text: str) -> Relation:
    """Read a relation such as ``<``, ``≤``, ``about`` or ``range``.

    Raises
    ------
    UnknownNameError
        If it is none of them.
    """
    written = text.strip().lower()
    try:
        return Relation(_WRITTEN_RELATION.get(written, written))
    except ValueError as error:
        raise UnknownNameError("relation", text, [r.value for r in Relation]) from error


def matrix_of(assay: str) -> Matrix:
    """Return the matrix that a printed kind of assay implies; ``unknown`` where it implies none."""
    words = assay.lower()
    if "ex vivo" in words or "ex-vivo" in words:
        return "ex_vivo_blood"
    if "whole blood" in words or "whole-blood" in words:
        return "whole_blood"
    if "enzym" in words or "biochemical" in words or "kinase assay" in words:
        return "enzyme"
    if "cell" in words or "pbmc" in words:
        return "cell"
    return "unknown"


def standard_unit(unit: str) -> tuple[float, Unit]:
    """Return the factor that takes `unit` to nM or ng/mL, and which of them.

    Raises
    ------
    InputError
        If the unit is unknown or no concentration.
    """
    if unit == "nM":
        return 1.0, "nM"
    if unit == "ng/mL":
        return 1.0, "ng/mL"
    if same_dimension(unit, "nM"):
        return convert(1.0, unit, "nM"), "nM"
    if same_dimension(unit, "ng/mL"):
        return convert(1.0, unit, "ng/mL"), "ng/mL"
    raise InputError(
        f"'{unit}' is not a concentration", hint="Give potencies in nM, uM, ng/mL or ug/mL."
    )
