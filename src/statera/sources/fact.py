"""Sources and the facts taken from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

__all__ = ["Fact", "Grade", "Relation", "Source", "Status"]


class Relation(StrEnum):
    """How a stated value relates to the quantity: a point, a bound or a range."""

    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    ABOUT = "~"
    RANGE = "range"

    @property
    def is_bound(self) -> bool:
        """True where only one side is known."""
        return self in (Relation.LESS, Relation.AT_MOST, Relation.GREATER, Relation.AT_LEAST)


class Status(StrEnum):
    """Where a value comes from, so that a fact and an assumption can be told apart."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    FIXED_BY_SOURCE = "fixed_by_source"
    ASSUMED = "assumed"
    DERIVED = "derived"
    VENDOR_CLAIM = "vendor_claim"
    NOT_RETRIEVED = "not_retrieved"


class Grade(StrEnum):
    """How a source was read, from the regulator's page to a vendor's claim."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    S = "S"
    CALC = "calc"

    @property
    def meaning(self) -> str:
        """The grade in words."""
        return {
            "A": "regulator, manufacturer or publisher page read",
            "B": "abstract, article or publisher's table read",
            "C": "third-party transcription of a primary paper's table",
            "D": "mirror, formulary, news or other tertiary page",
            "S": "claim of the vendor's overview only",
            "calc": "computed from cited inputs",
        }[self.value]


@dataclass(frozen=True)
class Source:
    """A document that facts were taken from.

    Attributes
    ----------
    id
        Key used by facts, such as ``DECKER24``.
    title
        Title as cited.
    url
        Address of the page read; empty where there is none.
    year
        Year of publication; None where the page shows none.
    grade
        How the source was read.
    how_read
        What part was read.
    doi
        Digital object identifier, if known.
    """

    id: str
    title: str
    url: str
    year: int | None
    grade: Grade
    how_read: str = ""
    doi: str = ""


@dataclass(frozen=True)
class Fact:
    """One stated value with its origin.

    Attributes
    ----------
    id
        Unique within the drug, such as ``pk-003``.
    drug
        Drug the fact is about.
    section
        Part of the library, such as ``pharmacokinetics`` or ``potency``.
    parameter
        What is stated, in the field's own words.
    value
        A number, a text, or None where the value could not be read.
    relation
        Point, bound or range.
    low, high
        Ends of a confidence interval or of a range, in `unit`.
    unit
        Unit as printed; empty for pure numbers.
    statistic
        Which statistic the value is, such as ``median``.
    population, n
        Who was studied and how many, as printed.
    source
        Id of the source.
    locator
        Table, row or section in the source.
    status
        Origin of the value.
    grade
        How the source was read.
    note
        What a reader must know before using the value.
    context
        Further keys of the section, such as ``trial``, ``endpoint`` or ``comparator``.
    """

    id: str
    drug: str
    section: str
    parameter: str
    value: float | str | None
    source: str
    relation: Relation = Relation.EQUAL
    low: float | None = None
    high: float | None = None
    unit: str = ""
    statistic: str = ""
    population: str = ""
    n: str = ""
    locator: str = ""
    status: Status = Status.MEASURED
    grade: Grade = Grade.B
    note: str = ""
    context: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def number(self) -> float | None:
        """The value as a number, or None where it is a text or missing."""
        return float(self.value) if isinstance(self.value, int | float) else None

    @property
    def is_missing(self) -> bool:
        """True where the source could not be read; such a value is never filled in."""
        return self.status is Status.NOT_RETRIEVED

    def get(self, key: str, default: str = "") -> str:
        """Return a further key of the section, or `default`."""
        return self.context.get(key, default)
