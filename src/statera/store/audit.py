"""The audit trail: every entry holds the hash of the one before, so that a change shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from statera.audit_chain import AuditProblem, next_place, now, problems, sealed
from statera.store.tables import audit

__all__ = ["AuditEntry", "AuditProblem", "append", "entries", "now", "problems"]


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


def append(
    connection: Connection, actor: str, action: str, subject: str, content: str
) -> AuditEntry:
    """Add an entry within the caller's transaction, which must keep other writers out."""
    last = connection.execute(
        select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    ).first()
    number, previous = next_place(last)
    entry = sealed(AuditEntry(number, now(), actor, action, subject, content, previous, ""))
    connection.execute(audit.insert().values(**asdict(entry)))
    return entry


def entries(connection: Connection) -> tuple[AuditEntry, ...]:
    """Return the trail in order."""
    rows = connection.execute(select(audit).order_by(audit.c.number))
    return tuple(AuditEntry(**row._mapping) for row in rows)
