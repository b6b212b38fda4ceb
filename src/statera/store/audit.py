"""The audit trail: every entry holds the hash of the one before, so that a change shows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from statera.manifest import content_hash
from statera.store.tables import audit

__all__ = ["AuditEntry", "AuditProblem", "append", "entries", "problems"]

FIRST = content_hash("")
"""What the first entry names as the one before it."""


@dataclass(frozen=True)
class AuditEntry:
    """What was done, when and by whom.

    Attributes
    ----------
    number
        From 1, without holes.
    time
        UTC.
    actor
        As the caller named it; empty where not named.
    action
        Such as ``store request``.
    subject
        The patient's identifier.
    content
        Hash of the document concerned; the document itself is not in the trail.
    previous
        Hash of the entry before.
    hash
        Of everything above.
    """

    number: int
    time: str
    actor: str
    action: str
    subject: str
    content: str
    previous: str
    hash: str


@dataclass(frozen=True)
class AuditProblem:
    """An entry that does not fit what stands before it."""

    number: int
    sentence: str


def now() -> str:
    """Return the time in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def append(
    connection: Connection, actor: str, action: str, subject: str, content: str
) -> AuditEntry:
    """Add an entry within the caller's transaction, which must keep other writers out."""
    last = connection.execute(
        select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    ).first()
    number, previous = (1, FIRST) if last is None else (last.number + 1, last.hash)
    entry = AuditEntry(number, now(), actor, action, subject, content, previous, "")
    row = {**asdict(entry), "hash": _hash(entry)}
    connection.execute(audit.insert().values(**row))
    return AuditEntry(**row)


def entries(connection: Connection) -> tuple[AuditEntry, ...]:
    """Return the trail in order."""
    rows = connection.execute(select(audit).order_by(audit.c.number))
    return tuple(AuditEntry(**row._mapping) for row in rows)


def problems(trail: tuple[AuditEntry, ...]) -> tuple[AuditProblem, ...]:
    """Return where the trail was changed or has holes; entries cut off its end do not show."""
    found = []
    previous, expected = FIRST, 1
    for entry in trail:
        if entry.number != expected:
            found.append(
                AuditProblem(entry.number, f"entries {expected} to {entry.number - 1} are missing")
            )
        elif entry.previous != previous:
            found.append(AuditProblem(entry.number, "the entry does not follow the one before it"))
        if entry.hash != _hash(entry):
            found.append(AuditProblem(entry.number, "the entry was changed after it was written"))
        previous, expected = entry.hash, entry.number + 1
    return tuple(found)


def _hash(entry: AuditEntry) -> str:
    parts = {key: value for key, value in asdict(entry).items() if key != "hash"}
    return content_hash(json.dumps(parts, sort_keys=True, ensure_ascii=False))
