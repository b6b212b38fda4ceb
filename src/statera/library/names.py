"""The register of parameter, endpoint and covariate names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.errors import UnknownNameError
from statera.library.paths import Root, data_root
from statera.library.read import Document, Table, read_document

__all__ = [
    "NAMES_FILE",
    "Name",
    "NameFile",
    "NameKind",
    "find_name",
    "load_names",
    "read_names",
    "resolve",
]

NAMES_FILE = "names.toml"


class NameKind(StrEnum):
    """What a name stands for."""

    PARAMETER = "parameter"
    ENDPOINT = "endpoint"
    COVARIATE = "covariate"


@dataclass(frozen=True)
class Name:
    """A registered name.

    Attributes
    ----------
    name
        The spelling used everywhere.
    kind
        Parameter, endpoint or covariate.
    unit
        Unit in which the value is kept; empty for codes and pure numbers.
    meaning
        In words.
    aliases
        Other spellings that are understood.
    """

    name: str
    kind: NameKind
    unit: str
    meaning: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class NameFile:
    """A register that was read."""

    names: tuple[Name, ...]
    document: Document


@lru_cache(maxsize=1)
def _shipped() -> tuple[Name, ...]:
    return read_names(data_root() / NAMES_FILE).names


def load_names(root: Root | None = None) -> tuple[Name, ...]:
    """Return the register.

    Raises
    ------
    InputError
        If the file cannot be read or an entry is wrong.
    """
    return _shipped() if root is None else read_names(data_root(root) / NAMES_FILE).names


def resolve(name: str, kind: NameKind | None = None, root: Root | None = None) -> str:
    """Return the registered spelling of a name, such as ``WT`` for ``weight``.

    Raises
    ------
    UnknownNameError
        If the register has no such name; the nearest are given.
    """
    return find_name(name, kind, root).name


def find_name(name: str, kind: NameKind | None = None, root: Root | None = None) -> Name:
    """Return the register's entry for a spelling.

    An exact spelling wins; then the case is ignored.

    Parameters
    ----------
    name
        A registered name or one of its aliases, such as ``weight`` or ``egfr``.
    kind
        Look only among parameters, endpoints or covariates.
    root
        Directory of the library; the shipped one by default.

    Raises
    ------
    UnknownNameError
        If the register has no such name; the nearest are given.
    """
    entries = [e for e in load_names(root) if kind is None or e.kind is kind]
    spellings = [(s, e) for e in entries for s in (e.name, *e.aliases)]
    given = name.strip()
    for spelling, entry in spellings:
        if spelling == given:
            return entry
    for spelling, entry in spellings:
        if spelling.lower() == given.lower():
            return entry
    label = kind.value if kind is not None else "parameter or covariate"
    raise UnknownNameError(label, name, (spelling for spelling, _ in spellings))


def read_names(path: str | Path | Traversable) -> NameFile:
    """Read a register of names.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is missing, unknown or of the wrong type.
    """
    document = read_document(path, "statera.names/1")
    top = document.table()
    top.text("schema")
    names = tuple(_name(table) for table in top.tables("name"))
    top.finish()
    return NameFile(names, document)


def _name(table: Table) -> Name:
    name = Name(
        name=table.text("name"),
        kind=table.choice("kind", NameKind),
        unit=table.text("unit", ""),
        meaning=table.text("meaning"),
        aliases=table.texts("aliases"),
    )
    table.finish()
    return name
