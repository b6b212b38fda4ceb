"""What a check of the library returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from statera.errors import Place

__all__ = ["CheckReport", "Finding", "Severity", "error", "warning"]


class Severity(StrEnum):
    """How bad a finding is: an error makes the check fail, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where; prints as ``file:line:column: severity: sentence``."""

    place: Place
    severity: Severity
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.severity.value}: {self.sentence}"


@dataclass(frozen=True)
class CheckReport:
    """The findings of a check.

    Attributes
    ----------
    findings
        In the order of the files.
    counts
        How many drugs, facts, rules, ... were checked.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that make the check fail."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that do not."""
        return tuple(f for f in self.findings if f.severity is Severity.WARNING)

    @property
    def ok(self) -> bool:
        """True where there is no error."""
        return not self.errors


def error(place: Place, sentence: str) -> Finding:
    """Return a finding that makes the check fail."""
    return Finding(place, Severity.ERROR, sentence)


def warning(place: Place, sentence: str) -> Finding:
    """Return a finding that does not make the check fail."""
    return Finding(place, Severity.WARNING, sentence)
