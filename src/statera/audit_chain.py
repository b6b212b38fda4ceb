"""Entries that each hold the hash of the one before, so that a change shows. Nothing is kept here.

The hash is the SHA-256 of an entry's other fields as JSON with sorted keys; whoever keeps entries
keeps other writers out while it adds one. Entries cut off at the end do not show: the last hash has
to be noted elsewhere to see that too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from statera.manifest import content_hash

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["AuditProblem", "Last", "next_place", "now", "problems", "sealed"]

_FIRST = content_hash("")
"""What the first entry names as the one before it."""


class Last(Protocol):
    """What has to be known of the last entry."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def hash(self) -> str:
        """Its hash."""


if TYPE_CHECKING:

    class _Entry(Last, DataclassInstance, Protocol):
        @property
        def previous(self) -> str: ...


Entry = TypeVar("Entry", bound="_Entry")


@dataclass(frozen=True)
class AuditProblem:
    """An entry that does not fit what stands before it."""

    number: int
    sentence: str


def now() -> str:
    """Return the time in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def next_place(last: Last | None) -> tuple[int, str]:
    """Return the number of the next entry and what it names as the one before it.

    Parameters
    ----------
    last
        None where the trail is empty.
    """
    return (1, _FIRST) if last is None else (last.number + 1, last.hash)


def sealed(entry: Entry) -> Entry:
    """Return an entry with its hash."""
    return replace(entry, hash=_hash(entry))


def problems(trail: Iterable[Entry]) -> Iterator[AuditProblem]:
    """Yield where a trail was changed or has holes."""
    expected, previous = next_place(None)
    for entry in trail:
        if entry.number != expected:
            missing = f"entries {expected} to {entry.number - 1} are missing"
            yield AuditProblem(entry.number, missing)
        elif entry.previous != previous:
            yield AuditProblem(entry.number, "the entry does not follow the one before it")
        if entry.hash != _hash(entry):
            yield AuditProblem(entry.number, "the entry was changed after it was written")
        expected, previous = next_place(entry)


def _hash(entry: _Entry) -> str:
    parts: dict[str, Any] = {key: value for key, value in asdict(entry).items() if key != "hash"}
    return content_hash(json.dumps(parts, sort_keys=True, ensure_ascii=False))
