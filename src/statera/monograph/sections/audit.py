"""Audit: where sources disagree, and whether the figures agree with each other."""

from __future__ import annotations

from collections import Counter
from typing import Any

from statera.monograph.context import Context
from statera.monograph.sections.checks import CHECK_METHOD, Check
from statera.monograph.sections.checks_evidence import evidence_checks
from statera.monograph.sections.checks_pk import pk_checks
from statera.monograph.sections.conflicts import METHODS as CONFLICT_METHODS
from statera.monograph.sections.conflicts import conflict_blocks
from statera.report.document import Block, Callout, Cell, Inline, Paragraph, Section, Table

__all__ = ["METHODS", "section"]

METHODS = (*CONFLICT_METHODS, CHECK_METHOD)


def section(context: Context) -> Section:
    """Return conflicts and computed consistency checks."""
    checks = [*pk_checks(context), *evidence_checks(context)]
    blocks: list[Block] = [*conflict_blocks(context)]
    if checks:
        blocks += [_summary(checks), _table(checks)]
    else:
        blocks.append(
            Callout(
                "missing",
                "Consistency checks",
                (f"The facts about {context.name} allow no check yet.",),
            )
        )
    return Section("audit", "Audit", tuple(blocks), {"checks": [_data(c) for c in checks]})


def _summary(checks: list[Check]) -> Paragraph:
    counts = Counter(c.verdict for c in checks)
    words = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    return Paragraph(
        (
            "The program checks the figures against each other: ",
            Cell(
                f"{len(checks)} checks, {words}",
                "computed",
                method=CHECK_METHOD.key,
                value=len(checks),
            ),
            ".",
        )
    )


def _table(checks: list[Check]) -> Table:
    rows: list[tuple[Inline, ...]] = [
        (c.about, c.left, c.right, c.verdict_cell, c.reason) for c in checks
    ]
    return Table(
        "Internal consistency, computed",
        ("Check", "One side", "Other side", "Verdict", "How, and why they may differ"),
        tuple(rows),
        numeric=(1, 2),
    )


def _side(side: Inline) -> dict[str, Any] | str:
    if isinstance(side, str):
        return side
    return {"text": side.text, "value": side.value, "sources": list(side.sources)}


def _data(check: Check) -> dict[str, Any]:
    return {
        "check": check.about,
        "left": _side(check.left),
        "right": _side(check.right),
        "verdict": check.verdict,
        "reason": check.reason,
    }
