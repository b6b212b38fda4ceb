"""The potencies of a drug: those of the library and those of the user's own table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from statera.engagement import Potency, Skipped, potencies_from_facts, read_potency_csv
from statera.monograph.cells import fact_cell
from statera.monograph.context import Context
from statera.report.document import Cell
from statera.sources import Fact, Relation

__all__ = ["Entry", "PotencySet", "load_potencies", "potency_cell", "relation_text"]

_SIGNS = {
    Relation.LESS: "< ",
    Relation.AT_MOST: "≤ ",
    Relation.GREATER: "> ",
    Relation.AT_LEAST: "≥ ",
    Relation.ABOUT: "about ",
}


@dataclass(frozen=True, eq=False)
class Entry:
    """A potency with its origin.

    Attributes
    ----------
    potency
        As stated.
    facts
        The facts that state it, several where sources agree; empty for the user's own.
    """

    potency: Potency
    facts: tuple[Fact, ...] = ()

    @property
    def is_users(self) -> bool:
        """True where it comes from the user's table."""
        return not self.facts

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
        return f"{name} (your table)" if self.is_users else name

    @property
    def heading(self) -> tuple[str, str]:
        """The name in two parts, for a narrow heading and the line under it."""
        p = self.potency
        first = p.stimulus
        rest: tuple[str, ...] = (p.readout,)
        if p.analyte:
            first, rest = p.analyte, (p.stimulus, p.readout, p.target)
        elif p.matrix == "enzyme" or not p.stimulus:
            return self.name, ""
        first = f"{first} (your table)" if self.is_users else first
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
        Rows of the user's table that name another drug.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[tuple[Fact, str], ...] = ()
    foreign: int = 0


def load_potencies(context: Context) -> PotencySet:
    """Return the potencies of the drug.

    Raises
    ------
    InputError
        If the user's table cannot be read; the error gives file, line and column.
    """
    facts = context.drug.facts_in("potency")
    _, left_out = potencies_from_facts(facts)
    users, foreign = _users(context)
    return PotencySet((*_merged(facts, left_out), *users), _reasons(facts, left_out), foreign)


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


def _users(context: Context) -> tuple[list[Entry], int]:
    path = context.options.potency_table
    if path is None:
        return [], 0
    names = {context.name.lower(), *(alias.lower() for alias in context.drug.aliases)}
    rows = read_potency_csv(path, context.name)
    own = [Entry(replace(p, drug=context.name)) for p in rows if p.drug.strip().lower() in names]
    return own, len(rows) - len(own)


def relation_text(relation: Relation) -> str:
    """Return the sign before a number, empty for a point."""
    return _SIGNS.get(relation, "")


def potency_cell(entry: Entry) -> Cell:
    """Return the potency as stated, with all sources that state it."""
    p = entry.potency
    if entry.facts:
        return replace(fact_cell(entry.facts[0]), sources=entry.sources)
    said = f" {p.source}" if p.source else ""
    text = p.text.replace("<=", "≤").replace(">=", "≥").replace("~", "about")
    return Cell(
        text,
        "bound" if p.relation.is_bound else "text",
        value=p.value,
        unit=p.unit,
        note=f"your table{said and ':'}{said}",
    )
