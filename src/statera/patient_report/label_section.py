"""What the label rules of one region say of the person, with rules and sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statera.report.document import Block, Callout, Cell, Inline, Section, Table

__all__ = ["label_section"]

Data = Mapping[str, Any]


def label_section(label: Data) -> Section:
    """Return the decision of a label.

    Parameters
    ----------
    label
        As `statera.dosing.decision_data` returns it.
    """
    title = f"{label['drug']}, {label['region']}, {label['indication']}"
    decided = bool(label["doses"])
    blocks: list[Block] = [Callout("note" if decided else "warning", title, (label["sentence"],))]
    rules = [*label["deciding"], *label["restrictions"]]
    if rules:
        rows: tuple[tuple[Inline, ...], ...] = tuple(
            (r["says"], r["why"] or "", f"{r['source_title']} ({r['source_year'] or 'no date'})",
             Cell(r["grade"], tone="warn" if r["grade"] in "CD" else ""))
            for r in rules
        )  # fmt: skip
        columns = ("Rule", "Here", "Source", "Grade")
        blocks.append(Table("Rules that decide or restrict", columns, rows))
    odd = [d["sentence"] for d in label["disagreements"]]
    odd += [n["sentence"] for n in label["near_cut"]]
    blocks += [Callout("warning", "Sources or limits", (sentence,)) for sentence in odd]
    blocks.append(Callout("note", "Of this answer", (label["disclaimer"],)))
    return Section("label", "Label", tuple(blocks))
