"""Servers for tests, inside the process of the test and without workers."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from statera.web.server.app import create_app
from statera.web.server.settings import Settings
from statera.web.server.token_file import token_hash

POSTGRESQL = os.environ.get("STATERA_TEST_POSTGRESQL", "")
NO_POSTGRESQL = "no PostgreSQL here: STATERA_TEST_POSTGRESQL names no database server"
CATALOGUE = "tests.unit.web.server.small_tasks:TASKS"


@contextmanager
def serving(folder: Path, base_url: str = "http://localhost", **settings: Any) -> Iterator[Any]:
    """Run a server and yield a client of it, whose `headers` already hold the CSRF token."""
    options: dict[str, Any] = {"catalogue": CATALOGUE, "warm_up": "", "workers": 0, **settings}
    app = create_app(Settings(folder=folder, **options))
    with TestClient(app, base_url=base_url, raise_server_exceptions=False) as client:
        renew_csrf(client)
        yield client


def renew_csrf(client: Any) -> None:
    """Read the CSRF token anew, as a page does after signing in."""
    session = client.get("/api/v1/session").json()
    client.headers["X-CSRF-Token"] = session.get("csrf", "")


def write_tokens(path: Path, tokens: Mapping[str, str]) -> Path:
    """Write a file of tokens by user."""
    path.write_text("".join(f"{name}:{token_hash(token)}\n" for name, token in tokens.items()))
    path.chmod(0o600)
    return path


def bearer(token: str) -> dict[str, str]:
    """Return the header of a program."""
    return {"Authorization": f"Bearer {token}"}


def sign_in(client: Any, token: str) -> Any:
    """Sign in as a page does, and return the answer."""
    answer = client.post("/api/v1/session", json={"token": token})
    renew_csrf(client)
    return answer


@contextmanager
def empty_database(kind: str) -> Iterator[str]:
    """Yield the address of a database: empty for SQLite, a new one of PostgreSQL."""
    if kind == "sqlite":
        yield ""
        return
    name = f"statera_web_{uuid.uuid4().hex}"
    server = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
