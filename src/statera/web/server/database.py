"""The database of the server: one set of tables for SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, MetaData, create_engine, event

__all__ = ["metadata", "open_database"]

metadata = MetaData()
"""Tables register here, each beside the code that uses it."""


def open_database(url: str, folder: Path) -> Engine:
    """Open the database and make the tables that are missing.

    Parameters
    ----------
    url
        As SQLAlchemy takes it; empty for SQLite in `folder`.
    folder
    """
    engine = create_engine(url or f"sqlite:///{folder / 'statera-web.sqlite'}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    metadata.create_all(engine)
    return engine


def _prepare(connection: object, _: object) -> None:
    # readers do not wait for a writer, and a writer waits its turn instead of failing
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
