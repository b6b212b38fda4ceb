"""One check of the audit: a statement, two sides, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from statera.report.document import Cell, Inline, Method

__all__ = ["CHECK_METHOD", "Check", "Verdict", "relative"]

CHECK_METHOD = Method(
    "consistency",
    "Consistency checks",
    "Two statements that should agree are brought to one quantity by the arithmetic named in the "
    "row. They agree if they differ by at most 10 %, are close up to 25 %, and disagree beyond; "
    "'explained' means that a known difference of definition, population or dosing accounts for "
    "it. A verdict is about the numbers, not about who is right.",
)

Verdict = Literal["agrees", "close", "disagrees", "explained", "not testable"]
_TONES: dict[Verdict, str] = {
    "agrees": "ok",
    "close": "muted",
    "disagrees": "bad",
    "explained": "warn",
    "not testable": "muted",
}


@dataclass(frozen=True)
class Check:
    """A consistency check.

    Attributes
    ----------
    about
        What is checked.
    left, right
        The two sides.
    verdict
        One of the words of `CHECK_METHOD`.
    reason
        The arithmetic, and why the sides may differ.
    """

    about: str
    left: Inline
    right: Inline
    verdict: Verdict
    reason: str

    @property
    def verdict_cell(self) -> Cell:
        """The verdict with its colour."""
        return Cell(self.verdict, tone=_TONES[self.verdict])  # type: ignore[arg-type]


def relative(left: float, right: float, *, explained: bool = False) -> Verdict:
    """Return the verdict on two numbers that should be equal."""
    difference = abs(left / right - 1.0)
    if difference <= 0.10 + 1e-12:
        return "agrees"
    if explained:
        return "explained"
    return "close" if difference <= 0.25 + 1e-12 else "disagrees"
