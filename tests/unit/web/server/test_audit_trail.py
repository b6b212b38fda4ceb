"""The audit trail shows what was changed in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from statera.web.server.audit import AuditTrail, entries, problems
from statera.web.server.database import open_database


@pytest.fixture
def engine(tmp_path: Path, database: str) -> Engine:
    return open_database(database, tmp_path)


def filled(engine: Engine, count: int = 5) -> None:
    trail = AuditTrail(engine)
    for number in range(count):
        trail.append("token:anna", "upload", f"id {number}", "sha256:00")


def unguard(engine: Engine) -> None:
    """Do what somebody with all rights can do."""
    sqlite = ("DROP TRIGGER web_audit_update", "DROP TRIGGER web_audit_delete")
    postgresql = ("DROP TRIGGER web_audit_kept ON web_audit",)
    with engine.begin() as connection:
        for statement in sqlite if engine.dialect.name == "sqlite" else postgresql:
            connection.execute(text(statement))


def found(engine: Engine) -> list[tuple[int, str]]:
    return [(each.number, each.sentence) for each in problems(entries(engine))]


def test_entries_follow_each_other(engine: Engine) -> None:
    filled(engine)
    trail = tuple(entries(engine))
    assert [e.number for e in trail] == [1, 2, 3, 4, 5]
    assert all(b.previous == a.hash for a, b in pairwise(trail))
    assert found(engine) == []
    engine.dispose()


def test_writers_at_once_make_one_chain(engine: Engine) -> None:
    trail = AuditTrail(engine)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: trail.append("u", "upload", str(n)), range(60)))
    assert len(tuple(entries(engine))) == 60
    assert found(engine) == []
    engine.dispose()


@pytest.mark.parametrize(
    "change", ["UPDATE web_audit SET action = 'x'", "DELETE FROM web_audit WHERE number = 5"]
)
def test_the_database_refuses_changes(engine: Engine, change: str) -> None:
    filled(engine)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))
    assert len(tuple(entries(engine))) == 5
    assert found(engine) == []
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE web_audit SET \"user\" = 'token:ben' WHERE number = 3", (3, "was changed")),
        ("UPDATE web_audit SET action = 'sign-in' WHERE number = 5", (5, "was changed")),
        ("DELETE FROM web_audit WHERE number = 2", (3, "entries 2 to 2 are missing")),
        ("DELETE FROM web_audit WHERE number = 1", (2, "entries 1 to 1 are missing")),
    ],
)
def test_a_change_shows(engine: Engine, change: str, expected: tuple[int, str]) -> None:
    filled(engine)
    unguard(engine)
    with engine.begin() as connection:
        connection.execute(text(change))
    number, sentence = found(engine)[0]
    assert number == expected[0]
    assert expected[1] in sentence
    engine.dispose()


def test_an_entry_that_was_made_up_does_not_fit(engine: Engine) -> None:
    filled(engine, 2)
    unguard(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE web_audit SET previous = hash WHERE number = 2"))
    assert {number for number, _ in found(engine)} == {2}
    engine.dispose()
