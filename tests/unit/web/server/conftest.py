"""An empty database of the server on every kind that is at hand."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from statera.web.server.database import open_database

_ADDRESS = os.environ.get("STATERA_TEST_POSTGRESQL", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An open, empty database."""
    if request.param == "sqlite":
        opened = open_database("", tmp_path)
        yield opened
        opened.dispose()
        return
    if not _ADDRESS:
        pytest.skip("no PostgreSQL here: STATERA_TEST_POSTGRESQL names no database server")
    name = f"statera_web_{uuid.uuid4().hex}"
    server = create_engine(_ADDRESS, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(_ADDRESS).set(database=name).render_as_string(hide_password=False)
    opened = open_database(url, tmp_path)
    yield opened
    opened.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
