"""What could not be read: it stays missing until a source is in hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.library.paths import Root, data_root
from statera.library.read import Document, Table, read_document

__all__ = ["GAPS_FILE", "Gap", "GapFile", "load_gaps", "read_gaps"]

GAPS_FILE = "gaps.toml"


@dataclass(frozen=True)
class Gap:
    """One thing that the library lacks.

    Attributes
    ----------
    id, item
        Short name, and what is missing.
    drugs
        Drugs it concerns; ``class`` for several or all.
    status
        What was read instead.
    url, where
        Address of the primary source, and where in it or beside it to look; may be empty.
    """

    id: str
    item: str
    drugs: tuple[str, ...]
    status: str
    url: str = ""
    where: str = ""


@dataclass(frozen=True)
class GapFile:
    """A list of gaps that was read."""

    gaps: tuple[Gap, ...]
    document: Document


def load_gaps(drug: str | None = None, root: Root | None = None) -> tuple[Gap, ...]:
    """Return the gaps, all or those that concern one drug (by its name in the library).

    Raises
    ------
    InputError
        If the file cannot be read or an entry is wrong.
    """
    found = _shipped() if root is None else read_gaps(data_root(root) / GAPS_FILE).gaps
    return found if drug is None else tuple(g for g in found if drug in g.drugs)


@lru_cache(maxsize=1)
def _shipped() -> tuple[Gap, ...]:
    return read_gaps(data_root() / GAPS_FILE).gaps


def read_gaps(path: str | Path | Traversable) -> GapFile:
    """Read a list of gaps.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is missing, unknown or of the wrong type.
    """
    document = read_document(path, "statera.gaps/1")
    top = document.table()
    top.text("schema")
    gaps = tuple(_gap(table) for table in top.tables("gap"))
    top.finish()
    return GapFile(gaps, document)


def _gap(table: Table) -> Gap:
    gap = Gap(
        id=table.text("id"),
        item=table.text("item"),
        drugs=table.texts("drugs", required=True),
        status=table.text("status"),
        url=table.text("url", ""),
        where=table.text("where", ""),
    )
    table.finish()
    return gap
