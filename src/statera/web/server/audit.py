"""The audit trail: who did what, and when. Every entry holds the hash of the one before.

The database refuses to change or delete entries, and a change made past that shows in the hashes.
The trail names users, ids and content hashes; no name of a file, no request, no datum of a patient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import Column, Connection, Engine, Integer, String, Table, event, select

from statera.audit_chain import next_place, now, problems, sealed
from statera.web.server.database import alone, metadata

__all__ = ["AuditEntry", "AuditTrail", "entries", "problems"]

_table = Table(
    "web_audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", String(40), nullable=False),
    Column("user", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("content", String(80), nullable=False),
    Column("previous", String(80), nullable=False),
    Column("hash", String(80), nullable=False),
)

_SQLITE = """
CREATE TRIGGER web_audit_{what} BEFORE {what} ON web_audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_POSTGRESQL = (
    """
CREATE OR REPLACE FUNCTION web_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
""",
    """
CREATE TRIGGER web_audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON web_audit
FOR EACH STATEMENT EXECUTE FUNCTION web_audit_refuse()
""",
)


def _guard(_table: Table, connection: Connection, **_: object) -> None:
    """Let the database refuse what the trail does not allow, as soon as the table is made."""
    if connection.dialect.name == "sqlite":
        statements = tuple(_SQLITE.format(what=what) for what in ("update", "delete"))
    else:
        statements = _POSTGRESQL
    for statement in statements:
        connection.exec_driver_sql(statement)


event.listen(_table, "after_create", _guard)


@dataclass(frozen=True)
class AuditEntry:
    """What was done.

    Attributes
    ----------
    number
        From 1, without holes.
    time
        UTC.
    user
        Id of who did it; empty where nobody was signed in.
    action
        Such as ``sign-in`` or ``upload``.
    subject
        Id of what it was done to, or the address a failed sign-in came from.
    content
        Hash of the content concerned, where there is one.
    previous
        Hash of the entry before.
    hash
        Of everything above.
    """

    number: int
    time: str
    user: str
    action: str
    subject: str
    content: str
    previous: str
    hash: str = ""


class AuditTrail:
    """Appends entries, one writer at a time.

    Parameters
    ----------
    engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, user: str, action: str, subject: str = "", content: str = "") -> AuditEntry:
        """Add an entry, and return it."""
        with alone(self._engine, _table) as connection:
            last = connection.execute(
                select(_table.c.number, _table.c.hash).order_by(_table.c.number.desc()).limit(1)
            ).first()
            number, previous = next_place(last)
            entry = sealed(
                AuditEntry(number, now(), user[:200], action, subject[:200], content, previous)
            )
            connection.execute(_table.insert().values(**asdict(entry)))
        return entry


def entries(engine: Engine) -> Iterator[AuditEntry]:
    """Yield the trail in order."""
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=1000).execute(
            select(_table).order_by(_table.c.number)
        )
        for row in rows:
            yield AuditEntry(**row._mapping)
