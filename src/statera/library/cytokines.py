"""Cytokines, their receptors, and the JAKs and STATs that carry their signal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.errors import UnknownNameError
from statera.library.paths import Root, data_root
from statera.library.read import Document, Table, read_document
from statera.sources.fact import Grade, Status

__all__ = [
    "CYTOKINES_FILE",
    "Cytokine",
    "CytokineFile",
    "find_cytokine",
    "load_cytokines",
    "read_cytokines",
]

CYTOKINES_FILE = "cytokines.toml"


@dataclass(frozen=True)
class Cytokine:
    """One row of the cytokine map.

    Attributes
    ----------
    name
        As printed; one row may stand for several cytokines.
    aliases
        Other names, and the members of a row that stands for several.
    receptor
        Chains of the receptor.
    jaks, stats
        Kinases and transcription factors, main ones only; empty where not retrieved.
    jaks_complete
        False where a partner kinase is unknown or the row was not retrieved.
    stats_secondary, stats_note
        What the table adds about the STATs.
    status, source, grade, note
        Origin.
    """

    name: str
    receptor: str
    jaks: tuple[str, ...]
    stats: tuple[str, ...]
    jaks_complete: bool
    source: str
    aliases: tuple[str, ...] = ()
    stats_secondary: str = ""
    stats_note: str = ""
    status: Status = Status.MEASURED
    grade: Grade = Grade.D
    note: str = ""

    @property
    def is_missing(self) -> bool:
        """True where the row could not be read."""
        return self.status is Status.NOT_RETRIEVED


@dataclass(frozen=True)
class CytokineFile:
    """A cytokine map that was read."""

    cytokines: tuple[Cytokine, ...]
    document: Document


def load_cytokines(root: Root | None = None) -> tuple[Cytokine, ...]:
    """Return the cytokine map, in the order of its table.

    Raises
    ------
    InputError
        If the file cannot be read or a row is wrong.
    """
    if root is None:
        return _shipped()
    return read_cytokines(data_root(root) / CYTOKINES_FILE).cytokines


@lru_cache(maxsize=1)
def _shipped() -> tuple[Cytokine, ...]:
    return read_cytokines(data_root() / CYTOKINES_FILE).cytokines


def find_cytokine(name: str, root: Root | None = None) -> Cytokine:
    """Return the row of a cytokine by name or alias, whatever its case.

    Raises
    ------
    UnknownNameError
        If the map has no such cytokine.
    """
    by_name = {n.lower(): c for c in load_cytokines(root) for n in (c.name, *c.aliases)}
    found = by_name.get(name.strip().lower())
    if found is None:
        raise UnknownNameError(
            "cytokine", name, (n for c in load_cytokines(root) for n in (c.name, *c.aliases))
        )
    return found


def read_cytokines(path: str | Path | Traversable) -> CytokineFile:
    """Read a cytokine map.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is missing, unknown or of the wrong type.
    """
    document = read_document(path, "statera.cytokines/1")
    top = document.table()
    top.text("schema")
    rows = tuple(_cytokine(table) for table in top.tables("cytokine"))
    top.finish()
    return CytokineFile(rows, document)


def _cytokine(table: Table) -> Cytokine:
    status = table.choice("status", Status, Status.MEASURED)
    known = status is not Status.NOT_RETRIEVED
    cytokine = Cytokine(
        name=table.text("name"),
        receptor=table.text("receptor", None if known else ""),
        jaks=table.texts("jaks", required=known),
        stats=table.texts("stats", required=known),
        jaks_complete=table.flag("jaks_complete", True),
        source=table.text("source"),
        aliases=table.texts("aliases"),
        stats_secondary=table.text("stats_secondary", ""),
        stats_note=table.text("stats_note", ""),
        status=status,
        grade=table.choice("grade", Grade),
        note=table.text("note", ""),
    )
    table.finish()
    return cytokine
