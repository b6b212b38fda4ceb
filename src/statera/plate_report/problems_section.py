"""What went wrong: where, what, and what to do."""

from __future__ import annotations

from statera.plate.problem import Severity
from statera.plate.result import PlateResult
from statera.report.document import Cell, Inline, Paragraph, Section, Table

__all__ = ["problems_section"]


def problems_section(result: PlateResult) -> Section:
    """Return every problem, those that left something out first."""
    if not result.problems:
        return Section("problems", "Problems", (Paragraph(("None was found.",)),))
    ordered = sorted(result.problems, key=lambda p: p.severity is not Severity.ERROR)
    rows: list[tuple[Inline, ...]] = [
        (
            p.where or "the plate",
            Cell("left out", tone="bad") if p.severity is Severity.ERROR
            else Cell("to be known", tone="warn"),
            p.sentence,
            p.hint or "–",
        )
        for p in ordered
    ]  # fmt: skip
    table = Table(
        "Problems; the rest of the plate was analysed",
        ("Where", "Effect", "What is wrong", "What to do"),
        tuple(rows),
    )
    return Section("problems", "Problems", (table,))
