"""Read the list of sources (CSL-JSON) and write a source as a citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from statera.errors import InputError, Place, UnknownNameError
from statera.library.paths import Root, data_root
from statera.library.read import read_json
from statera.sources.fact import Grade, Source

__all__ = [
    "REFERENCES_FILE",
    "ReferenceFile",
    "find_source",
    "format_citation",
    "load_references",
    "read_references",
]

REFERENCES_FILE = "references.json"
USES = ("facts", "models", "background")


@dataclass(frozen=True)
class ReferenceFile:
    """A list of sources that was read.

    Attributes
    ----------
    sources
        Sources by id.
    uses
        For each id, what it is listed for: ``facts``, ``models`` or ``background`` (read, but
        no value was taken from it).
    file, text
        Name and text of the file.
    """

    sources: Mapping[str, Source]
    uses: Mapping[str, str]
    file: str
    text: str

    def place(self, key: str) -> Place:
        """Return where the entry of a source stands."""
        offset = self.text.find(f'"id": "{key}"')
        line = self.text.count("\n", 0, offset) + 1 if offset >= 0 else None
        return Place(self.file, line)


def load_references(root: Root | None = None) -> Mapping[str, Source]:
    """Return the sources of the library by id.

    Raises
    ------
    InputError
        If the file cannot be read or an entry is wrong.
    """
    return _shipped() if root is None else _from(data_root(root)).sources


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Source]:
    return _from(data_root()).sources


def _from(root: Traversable) -> ReferenceFile:
    return read_references(root / REFERENCES_FILE)


def find_source(key: str, root: Root | None = None) -> Source:
    """Return one source.

    Raises
    ------
    UnknownNameError
        If no source has this id.
    """
    sources = load_references(root)
    if key not in sources:
        raise UnknownNameError("source", key, sources)
    return sources[key]


def format_citation(source: Source) -> str:
    """Return a source as one line: title, year unless the title has it, address.

    The titles of the library are citations already, with authors and journal.
    """
    parts = [source.title.rstrip(".")]
    if source.year is None:
        if source.url:
            parts.append("No date")
    elif str(source.year) not in source.title:
        parts.append(str(source.year))
    address = f"https://doi.org/{source.doi}" if source.doi else source.url
    return f"{'. '.join(parts)}. {address}".rstrip()


def read_references(path: str | Path | Traversable) -> ReferenceFile:
    """Read a list of sources in CSL-JSON.

    Raises
    ------
    InputError
        If the file cannot be read, an entry is wrong or an id stands twice.
    """
    text, data = read_json(path)
    listing = ReferenceFile({}, {}, str(path), text)
    if not isinstance(data, list):
        raise InputError(
            "the list of sources is not a JSON array",
            where=Place(str(path), 1, 1),
            hint="Expected CSL-JSON: an array of entries with id, type and title.",
        )
    sources: dict[str, Source] = {}
    uses: dict[str, str] = {}
    for number, entry in enumerate(data, start=1):
        source, use = _source(entry, number, listing)
        if source.id in sources:
            raise InputError(
                f"source '{source.id}' is listed twice",
                where=listing.place(source.id),
                hint="Give each source one entry.",
            )
        sources[source.id], uses[source.id] = source, use
    return ReferenceFile(MappingProxyType(sources), MappingProxyType(uses), str(path), text)


def _source(entry: Any, number: int, listing: ReferenceFile) -> tuple[Source, str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
        raise InputError(
            f"entry {number} has no id",
            where=Place(listing.file),
            hint='Expected an object with "id", "type" and "title".',
        )
    key = entry["id"]

    def wrong(what: str, expected: str) -> InputError:
        return InputError(
            f"source '{key}': {what}", where=listing.place(key), hint=f"Expected {expected}."
        )

    for name in ("title", "type"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise wrong(f"'{name}' is missing or not a text", f'"{name}": "..."')
    custom = entry.get("custom")
    if not isinstance(custom, dict):
        raise wrong("'custom' is missing", 'an object "custom" with grade and how_read')
    try:
        grade = Grade(str(custom.get("grade")))
    except ValueError as error:
        grades = ", ".join(g.value for g in Grade)
        raise wrong("'custom.grade' is not known", f"one of: {grades}") from error
    use = custom.get("use", "facts")
    if use not in USES:
        raise wrong(f"'custom.use' is '{use}'", f"one of: {', '.join(USES)}")
    for name, value in (("URL", entry.get("URL", "")), ("DOI", entry.get("DOI", ""))):
        if not isinstance(value, str):
            raise wrong(f"'{name}' is not a text", f'"{name}": "..."')
    try:
        year = int(entry["issued"]["date-parts"][0][0]) if "issued" in entry else None
    except (TypeError, ValueError, LookupError) as error:
        raise wrong("'issued' is not a date", '{"date-parts": [[2024]]}') from error
    source = Source(
        id=key,
        title=entry["title"],
        url=entry.get("URL", ""),
        year=year,
        grade=grade,
        how_read=str(custom.get("how_read", "")),
        doi=entry.get("DOI", ""),
    )
    return source, use
