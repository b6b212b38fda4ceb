"""What has changed in the tables since the first version, in order.

A change is never edited once it was released: it finds tables as the changes before it left them,
and is written in words of its own, whatever the tables are called by now. Columns that are
added have a default, so that a server of the version before, which still runs, can go on writing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, inspect

__all__ = ["CHANGES", "SchemaChange"]


@dataclass(frozen=True)
class SchemaChange:
    """A step from one version of the tables to the next.

    Attributes
    ----------
    number
        Version of the tables after it; the first is 1 and needs no change.
    apply
        Changes the tables within the transaction of the connection.
    """

    number: int
    apply: Callable[[Connection], None]


def _second(connection: Connection) -> None:
    """Count what jobs have told, find uploads by content, guard the audit trail.

    Databases that say nothing of their version may have part of this already, or not all tables.
    """
    found = inspect(connection)
    there = found.get_table_names()
    if "web_jobs" in there and "told" not in {c["name"] for c in found.get_columns("web_jobs")}:
        connection.exec_driver_sql(
            "ALTER TABLE web_jobs ADD COLUMN told INTEGER NOT NULL DEFAULT 0"
        )
    if "web_uploads" in there:
        connection.exec_driver_sql(
            "CREATE INDEX IF NOT EXISTS web_uploads_of_content ON web_uploads (sha256)"
        )
    if "web_audit" in there:
        for statement in _GUARDS[connection.dialect.name]:
            connection.exec_driver_sql(statement)


_GUARDS = {
    "sqlite": tuple(
        f"CREATE TRIGGER IF NOT EXISTS web_audit_{what} BEFORE {what} ON web_audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        for what in ("update", "delete")
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION web_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
        "DROP TRIGGER IF EXISTS web_audit_kept ON web_audit",
        "CREATE TRIGGER web_audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON web_audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION web_audit_refuse()",
    ),
}

CHANGES = (SchemaChange(2, _second),)
