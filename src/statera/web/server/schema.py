"""The tables of a database: made where there are none, changed where an older version made them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    func,
    inspect,
    select,
    text,
)

from statera.errors import InputError
from statera.web.server.schema_changes import CHANGES, SchemaChange

__all__ = ["bring_up_to_date", "check_version", "metadata"]

metadata = MetaData()
"""Tables register here, each beside the code that uses it."""

_versions = Table(
    "web_versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("since", Float, nullable=False),  # Unix time
)
_LOCK = 0x57A7E2A  # any number that no other program takes on the same PostgreSQL database


def bring_up_to_date(engine: Engine, changes: Sequence[SchemaChange] = CHANGES) -> None:
    """Make the tables, or change those of an older version; all of it, or nothing on failure.

    Servers that start at the same time wait for the first of them.

    Raises
    ------
    InputError
        If a newer version made the database, or columns are missing all the same.
    """
    with _others_waiting(engine) as connection:
        latest = max((change.number for change in changes), default=1)
        found = _version(connection)
        _refuse_newer(found, latest)
        if found:
            for change in changes:
                if change.number > found:
                    change.apply(connection)
        metadata.create_all(connection)
        if _version_row(connection) < latest:
            row = {"number": latest, "since": time.time()}
            connection.execute(_versions.insert().values(**row))
        _check_columns(connection)


def check_version(engine: Engine, changes: Sequence[SchemaChange] = CHANGES) -> None:
    """Only look: refuse a database without tables, or of a newer version; change nothing.

    Raises
    ------
    InputError
    """
    with engine.connect() as connection:
        found = _version(connection)
    if not found:
        raise InputError(
            "the database holds nothing of the web app",
            where="--database",
            hint="Name the database, or the --data folder, of a server that has run.",
        )
    _refuse_newer(found, max((change.number for change in changes), default=1))


def _version(connection: Connection) -> int:
    """Return the version of the tables: 0 for none, 1 where nothing is said of it."""
    there = set(inspect(connection).get_table_names())
    if not there & set(metadata.tables):
        return 0
    return max(1, _version_row(connection)) if _versions.name in there else 1


def _version_row(connection: Connection) -> int:
    return int(connection.scalar(select(func.max(_versions.c.number))) or 0)


def _refuse_newer(found: int, latest: int) -> None:
    if found > latest:
        raise InputError(
            f"the database was made or changed by a newer version: its tables are of version "
            f"{found}, and this program knows them up to {latest}",
            where="--database",
            hint="Update Statera, start it with another --data folder, or go back to a copy of "
            "the database from before the update.",
        )


def _check_columns(connection: Connection) -> None:
    """Refuse tables that somebody else has changed, before anything fails for it."""
    found = inspect(connection)
    for table in metadata.sorted_tables:
        there = {known["name"] for known in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                raise InputError(
                    f"the database has no column {table.name}.{column.name}, which its version "
                    "should have",
                    where="--database",
                    hint="Go back to a copy of the database, or start with another --data folder.",
                )


@contextmanager
def _others_waiting(engine: Engine) -> Iterator[Connection]:
    """Open a transaction; whoever opens one here after it waits until it has ended."""
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection
