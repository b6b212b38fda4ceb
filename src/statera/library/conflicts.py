"""Where sources disagree, and the rule that the library follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.library.paths import Root, data_root
from statera.library.read import Document, Table, read_document

__all__ = ["CONFLICTS_FILE", "Conflict", "ConflictFile", "load_conflicts", "read_conflicts"]

CONFLICTS_FILE = "conflicts.toml"


@dataclass(frozen=True)
class Conflict:
    """One disagreement.

    Attributes
    ----------
    id, topic
        Short name and subject.
    drugs
        Drugs it concerns; ``class`` for the class as a whole.
    overview
        What the vendor's overview says; empty where it says nothing.
    sources_say
        What the other sources say.
    kind
        Why they differ: jurisdiction, version, definition, ...
    rule
        What the library does about it.
    sources
        Ids of the sources that disagree.
    facts
        Ids of the facts that stand on either side, of any of the drugs.
    indications
        Indications whose dosing it concerns; empty where it is not about dosing.
    """

    id: str
    topic: str
    drugs: tuple[str, ...]
    overview: str
    sources_say: str
    kind: str
    rule: str
    sources: tuple[str, ...]
    facts: tuple[str, ...] = ()
    indications: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConflictFile:
    """A list of conflicts that was read."""

    conflicts: tuple[Conflict, ...]
    document: Document


def load_conflicts(drug: str | None = None, root: Root | None = None) -> tuple[Conflict, ...]:
    """Return the conflicts, all or those that concern one drug (by its name in the library).

    Raises
    ------
    InputError
        If the file cannot be read or an entry is wrong.
    """
    if root is None:
        found = _shipped()
    else:
        found = read_conflicts(data_root(root) / CONFLICTS_FILE).conflicts
    return found if drug is None else tuple(c for c in found if drug in c.drugs)


@lru_cache(maxsize=1)
def _shipped() -> tuple[Conflict, ...]:
    return read_conflicts(data_root() / CONFLICTS_FILE).conflicts


def read_conflicts(path: str | Path | Traversable) -> ConflictFile:
    """Read a list of conflicts.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is missing, unknown or of the wrong type.
    """
    document = read_document(path, "statera.conflicts/1")
    top = document.table()
    top.text("schema")
    conflicts = tuple(_conflict(table) for table in top.tables("conflict"))
    top.finish()
    return ConflictFile(conflicts, document)


def _conflict(table: Table) -> Conflict:
    conflict = Conflict(
        id=table.text("id"),
        topic=table.text("topic"),
        drugs=table.texts("drugs", required=True),
        overview=table.text("overview", ""),
        sources_say=table.text("sources_say"),
        kind=table.text("kind"),
        rule=table.text("rule"),
        sources=table.texts("sources", required=True),
        facts=table.texts("facts"),
        indications=table.texts("indications"),
    )
    table.finish()
    return conflict
