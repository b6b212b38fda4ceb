"""What a task gives back, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from statera.plain import plain

__all__ = ["Answer", "Column", "Copies", "Table"]


@dataclass(frozen=True)
class Column:
    """A column of a table: its name and, where it has one, its unit."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """Numbers that can be copied as CSV.

    Attributes
    ----------
    columns
    rows
        One sequence a row, with as many values as there are columns.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Copies:
    """The same result by other means.

    Attributes
    ----------
    python
        A program that prints or holds the same numbers.
    command
        The command line that makes them; empty where there is none, and `why` says so.
    """

    python: str
    command: str = ""
    why: str = ""


@dataclass(frozen=True)
class Answer:
    """What a task gives back.

    Attributes
    ----------
    schema
        Name and version of the layout of `result`, such as ``statera.web.simulate/1``.
    result
        Anything that :func:`statera.plain.plain` accepts.
    tables
        What can be copied as CSV, by name.
    copies
    warnings
        What a reader must know, in sentences.
    manifest
        How the result was made.
    """

    schema: str
    result: Any
    tables: Mapping[str, Table] = field(default_factory=dict)
    copies: Copies | None = None
    warnings: Sequence[str] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return the answer as strict JSON; numbers that are not finite are null."""
        fields = {
            "schema": self.schema,
            "ok": True,
            "result": plain(self.result),
            "tables": plain(self.tables),
            "copies": plain(self.copies),
            "warnings": plain(list(self.warnings)),
            "manifest": plain(self.manifest),
        }
        return to_json(fields)
