"""Conflicts between sources that concern a drug, and the rule followed in each."""

from __future__ import annotations

from typing import Any

from statera.library import Conflict
from statera.library.conflicts import load_conflicts
from statera.monograph.context import Context
from statera.monograph.sections.dosing_text import tidy
from statera.report.document import Block, Callout, Cell, Method, Table

__all__ = ["METHODS", "conflict_blocks", "conflict_data", "conflict_table", "conflicts_of"]

VENDOR = "SMOLECULE_2026"
"""Id of the vendor's overview, whose statements are shown as claims."""

METHODS: tuple[Method, ...] = ()


def conflicts_of(drug: str) -> tuple[Conflict, ...]:
    """Return the conflicts of a drug, then those of the class, each once."""
    found = {c.id: c for c in (*load_conflicts(drug), *load_conflicts("class"))}
    return tuple(found.values())


def conflict_blocks(context: Context) -> tuple[Block, ...]:
    """Return the conflicts that concern the drug or the class, or a remark that there are none."""
    found = conflicts_of(context.name)
    if not found:
        return (
            Callout(
                "note",
                "No conflict recorded",
                (
                    f"The library records no disagreement between sources about {context.name}. "
                    "Few sources were read for it, so this is no proof that they agree.",
                ),
            ),
        )
    return (conflict_table(found, "Where sources disagree, and the rule followed here"),)


def conflict_table(conflicts: tuple[Conflict, ...], caption: str) -> Table:
    """Return one row a conflict: both sides, why they differ and what is done."""
    return Table(
        caption,
        ("Topic", "Vendor's overview", "Other sources", "Why they differ", "Rule followed here"),
        tuple(_row(c) for c in conflicts),
        foot=(
            "The vendor's overview is a claim. Both sides are kept; the rule says which one is "
            "used in computations.",
        ),
    )


def conflict_data(conflicts: tuple[Conflict, ...]) -> list[dict[str, Any]]:
    """Return the conflicts as plain data with the ids of their sources."""
    return [
        {
            "id": c.id,
            "topic": c.topic,
            "concerns": list(c.drugs),
            "vendor": c.overview or None,
            "sources_say": c.sources_say,
            "kind": c.kind,
            "rule": c.rule,
            "sources": list(c.sources),
            "facts": list(c.facts),
        }
        for c in conflicts
    ]


def _row(conflict: Conflict) -> tuple[Cell | str, ...]:
    says = tidy(conflict.overview)
    known = VENDOR in conflict.sources
    others = tuple(s for s in conflict.sources if s != VENDOR)
    return (
        conflict.topic,
        Cell(says, "claim", (VENDOR,)) if says and known else says or "says nothing",
        Cell(tidy(conflict.sources_say), "fact", others or conflict.sources),
        Cell(conflict.kind, sources=conflict.sources if _has_digit(conflict.kind) else ()),
        Cell(conflict.rule, sources=conflict.sources if _has_digit(conflict.rule) else ()),
    )


def _has_digit(text: str) -> bool:
    return any(ch.isdigit() for ch in text)
