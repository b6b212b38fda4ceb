"""The potencies of a drug: those of the library and those of the user's own table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from statera.engagement import (
    Potency,
    PotencyFile,
    Skipped,
    potencies_from_facts,
    read_potencies,
)
from statera.monograph.cells import fact_cell, significant
from statera.monograph.context import Context
from statera.report.document import Cell
from statera.sources import Fact, Relation

__all__ = ["PLATE", "Entry", "PotencySet", "load_potencies", "potency_cell", "relation_text"]

_SIGNS = {
    Relation.LESS: "< ",
    Relation.AT_MOST: "≤ ",
    Relation.GREATER: "> ",
    Relation.AT_LEAST: "≥ ",
    Relation.ABOUT: "about ",
}


PLATE = "your plate"
"""Origin of potencies that were fitted from a plate."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A potency with its origin.

    Attributes
    ----------
    potency
        As stated.
    facts
        The facts that state it, several where sources agree; empty for the user's own.
    origin
        Where the user's own come from, in words.
    """

    potency: Potency
    facts: tuple[Fact, ...] = ()
    origin: str = "your table"

    @property
    def is_users(self) -> bool:
        """True where it comes from the user's own file."""
        return not self.facts

    @property
    def is_fitted(self) -> bool:
        """True where it was fitted from the user's plate."""
        return self.is_users and self.origin == PLATE

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the library's sources."""
        return tuple(dict.fromkeys(f.source for f in self.facts))

    @property
    def name(self) -> str:
        """What was measured, such as ``JAK1, enzyme``; the user's own are marked."""
        p = self.potency
        name = f"{p.target}, enzyme" if p.matrix == "enzyme" and not p.label else p.name
        if p.analyte and not p.is_of_metabolite:
            name = f"{name}, {p.analyte}"
        return f"{name} ({self.origin})" if self.is_users else name

    @property
    def heading(self) -> tuple[str, str]:
        """The name in two parts, for a narrow heading and the line under it."""
        p = self.potency
        first = p.stimulus
        rest: tuple[str, ...] = (p.readout, p.cells)
        if p.analyte:
            first, rest = p.analyte, (p.stimulus, p.readout, p.target)
        elif p.matrix == "enzyme" or not p.stimulus:
            return self.name, ""
        first = f"{first} ({self.origin})" if self.is_users else first
        return first, ", ".join(part for part in rest if part)


@dataclass(frozen=True)
class PotencySet:
    """All potencies of a drug.

    Attributes
    ----------
    entries
        Those of the library, then those of the user.
    skipped
        Facts that are no half-maximal concentration, with the reason.
    foreign
        Rows of the user's own file that name another drug.
    plate
        The file of potencies fitted from the user's plate; None where a table or nothing was
        given.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[tuple[Fact, str], ...] = ()
    foreign: int = 0
    plate: PotencyFile | None = None


def load_potencies(context: Context) -> PotencySet:
    """Return the potencies of the drug.

    Raises
    ------
    InputError
        If the user's file cannot be read; the error gives file, line and column.
    """
    facts = context.drug.facts_in("potency")
    _, left_out = potencies_from_facts(facts)
    users, foreign, plate = _users(context)
    return PotencySet(
        (*_merged(facts, left_out), *users), _reasons(facts, left_out), foreign, plate
    )


def _reasons(facts: Iterable[Fact], left_out: Iterable[Skipped]) -> tuple[tuple[Fact, str], ...]:
    by_id = {f.id: f for f in facts}
    return tuple((by_id[s.fact_id], s.reason) for s in left_out)


def _merged(facts: Iterable[Fact], left_out: Iterable[Skipped]) -> list[Entry]:
    """Join facts that state the same potency of the same assay: sources that agree."""
    skipped = {s.fact_id for s in left_out}
    found: dict[Potency, list[Fact]] = {}
    for fact in facts:
        if fact.id in skipped:
            continue
        (potency,), _ = potencies_from_facts([fact])
        same = replace(potency, source="", note="")
        found.setdefault(same, []).append(fact)
    entries = []
    for potency, group in found.items():
        notes = dict.fromkeys(f.note for f in group if f.note)
        entries.append(Entry(replace(potency, note=" ".join(notes)), tuple(group)))
    return entries


def _users(context: Context) -> tuple[list[Entry], int, PotencyFile | None]:
    path = context.options.potency_table
    if path is None:
        return [], 0, None
    names = {context.name.lower(), *(alias.lower() for alias in context.drug.aliases)}
    given = read_potencies(path, context.name)
    origin = "your table" if given.plate is None else PLATE
    rows = given.potencies
    own = [
        Entry(replace(p, drug=context.name), origin=origin)
        for p in rows
        if p.drug.strip().lower() in names
    ]
    return own, len(rows) - len(own), given.plate


def relation_text(relation: Relation) -> str:
    """Return the sign before a number, empty for a point."""
    return _SIGNS.get(relation, "")


def potency_cell(entry: Entry) -> Cell:
    """Return the potency as stated, with all sources that state it."""
    p = entry.potency
    if entry.facts:
        facts = tuple(f.id for f in entry.facts)
        return replace(fact_cell(entry.facts[0]), sources=entry.sources, facts=facts)
    if entry.is_fitted:
        return _fitted_cell(p)
    said = f" {p.source}" if p.source else ""
    text = p.text.replace("<=", "≤").replace(">=", "≥").replace("~", "about")
    return Cell(
        text,
        "bound" if p.relation.is_bound else "text",
        value=p.value,
        unit=p.unit,
        note=f"your table{said and ':'}{said}",
    )


def _fitted_cell(potency: Potency) -> Cell:
    assert potency.value is not None  # a fitted potency is a point or a bound
    return Cell(
        f"{relation_text(potency.relation)}{significant(potency.value)} {potency.unit}",
        "bound" if potency.relation.is_bound else "computed",
        method="engagement_plate",
        value=potency.value,
        unit=potency.unit,
        note=PLATE,
    )
