"""The database of the server: one set of tables for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from statera.errors import InputError, UsageError
from statera.web.server.schema import bring_up_to_date, check_version, metadata

__all__ = ["alone", "metadata", "open_database"]


def open_database(url: str, folder: Path, *, as_it_is: bool = False) -> Engine:
    """Open the database; make its tables, or change those of an older version.

    Parameters
    ----------
    url
        As SQLAlchemy takes it; empty for SQLite in `folder`.
    folder
    as_it_is
        Change nothing: another server, of an older version, may use it.

    Raises
    ------
    UsageError
        If the URL is not one of a known database.
    InputError
        If the database does not answer, or was made by a newer version.
    """
    try:
        address = make_url(url or f"sqlite:///{folder / 'statera-web.sqlite'}")
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(address.drivername)
        engine = create_engine(address, pool_pre_ping=address.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise UsageError(
            "this is not the address of a database that is known",
            where="--database",
            hint="Write postgresql+psycopg://USER@HOST/DATABASE (its driver is in "
            "'statera[store]'), or leave it out.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    try:
        if as_it_is:
            check_version(engine)
        else:
            bring_up_to_date(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise InputError(
            f"the database cannot be used: {said[0] if said else type(error).__name__}",
            where="--database",
            hint="Check that it runs, that the address is right and that you may write there.",
        ) from error
    except InputError:
        engine.dispose()
        raise
    return engine


@contextmanager
def alone(engine: Engine, table: Table) -> Iterator[Connection]:
    """Open a transaction in which nobody else writes to `table`."""
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))
        yield connection


def _prepare(connection: object, _: object) -> None:
    # readers do not wait for a writer, and a writer waits its turn instead of failing
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
