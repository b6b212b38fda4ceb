"""A database of an older version keeps what is in it; one of a newer version is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from statera.errors import InputError
from statera.web.server import app  # noqa: F401  all tables register themselves
from statera.web.server.audit import AuditTrail, entries, problems
from statera.web.server.database import open_database
from statera.web.server.schema import bring_up_to_date
from statera.web.server.schema_changes import CHANGES, SchemaChange

from .first_version import DOCUMENT, JOB, SHA256, UPLOAD, make_first_version
from .serving import empty_database, serving

ROOT = Path(__file__).resolve().parents[4]
START = """
import sys
from pathlib import Path
from statera.web.server import app
from statera.web.server.database import open_database
sys.stdin.readline()
open_database(sys.argv[1], Path(sys.argv[2])).dispose()
"""


def plain(address: str, folder: Path) -> Engine:
    """Return a connection to a database that nobody has brought up to date."""
    return create_engine(address or f"sqlite:///{folder / 'statera-web.sqlite'}")


@pytest.fixture
def old(database: str, tmp_path: Path) -> str:
    engine = plain(database, tmp_path)
    make_first_version(engine)
    engine.dispose()
    return database


def described(engine: Engine) -> dict[str, Any]:
    """Return all that a database says of its tables, but for defaults."""
    found = inspect(engine)
    told: dict[str, Any] = {}
    for table in found.get_table_names():
        told[table] = {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)
            },
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign": [
                (k["constrained_columns"], k["referred_table"], k["options"])
                for k in found.get_foreign_keys(table)
            ],
            "indexes": sorted((i["name"], i["column_names"]) for i in found.get_indexes(table)),
        }
    with engine.connect() as connection:
        asked = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if engine.dialect.name == "sqlite"
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        told["triggers"] = sorted(row[0] for row in connection.execute(text(asked)))
    return told


def test_the_first_version_becomes_this_one(old: str, tmp_path: Path) -> None:
    engine = open_database(old, tmp_path)
    (tmp_path / "fresh").mkdir()
    kind = "postgresql" if old else "sqlite"
    with empty_database(kind) as address:
        fresh = open_database(address, tmp_path / "fresh")
        assert described(engine) == described(fresh)
        fresh.dispose()
    AuditTrail(engine).append("local", "sign-in")
    trail = list(entries(engine))
    assert [entry.action for entry in trail] == ["upload", "sign-in"]
    assert list(problems(iter(trail))) == []
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
        connection.execute(text("DELETE FROM web_audit"))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text("SELECT number FROM web_versions"))]
        assert rows == [(CHANGES[-1].number,)]
        assert connection.scalar(text("SELECT told FROM web_jobs")) == 0
        assert connection.scalar(text("SELECT count(*) FROM web_sessions")) == 1
    engine.dispose()
    open_database(old, tmp_path).dispose()  # and once more: nothing is left to do


def test_what_a_user_had_is_there_after_an_update(old: str, tmp_path: Path) -> None:
    with serving(tmp_path, database=old, job_workers=0) as client:
        found = client.get(f"/api/v1/jobs/{JOB}").json()
        assert (found["status"], found["message"]) == ("queued", "half")
        assert [event["seq"] for event in found["events"]] == [1]
        assert [file["name"] for file in found["files"]] == ["a.txt"]
        assert client.get(f"/api/v1/jobs/{JOB}/request").json() == {"steps": 3}
        assert client.get(f"/api/v1/documents/{DOCUMENT}").json()["body"] == [1]
        assert client.get(f"/api/v1/uploads/{UPLOAD}").json()["sha256"] == SHA256
        assert client.post("/api/v1/jobs/steps", json={}).status_code == 202


@pytest.mark.parametrize("made", [False, True], ids=["empty", "first version"])
def test_servers_that_start_at_once_do_it_once(database: str, tmp_path: Path, made: bool) -> None:
    engine = plain(database, tmp_path)
    if made:
        make_first_version(engine)
    command = [sys.executable, "-c", START, database, str(tmp_path)]
    starting = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env={"PYTHONPATH": str(ROOT / "src")},
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in starting:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in starting]
    assert [process.returncode for process in starting] == [0, 0], said
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM web_versions")) == 1
        assert connection.scalar(text("SELECT count(*) FROM web_jobs")) == int(made)
    engine.dispose()


def test_a_change_that_fails_leaves_everything_as_it_was(old: str, tmp_path: Path) -> None:
    engine = plain(old, tmp_path)
    before = described(engine)

    def broken(connection: Any) -> None:
        connection.exec_driver_sql("CREATE TABLE web_more (number INTEGER)")
        connection.exec_driver_sql("UPDATE web_documents SET body = ''")
        connection.exec_driver_sql("ALTER TABLE web_nothing ADD COLUMN x INTEGER")

    with pytest.raises(DatabaseError):
        bring_up_to_date(engine, (*CHANGES, SchemaChange(3, broken)))
    assert described(engine) == before
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT body FROM web_documents")) == "[1]"
    engine.dispose()


def test_a_later_change_finds_the_one_before_it(old: str, tmp_path: Path) -> None:
    engine = open_database(old, tmp_path)
    done = []
    later = (
        *CHANGES,
        SchemaChange(3, lambda _: done.append(3)),
        SchemaChange(4, lambda _: done.append(4)),
    )
    for _ in range(2):
        bring_up_to_date(engine, later)
    assert done == [3, 4]
    with pytest.raises(InputError, match=r"newer version: its tables are of version 4, .* up to 2"):
        bring_up_to_date(engine)
    engine.dispose()
    with pytest.raises(InputError, match="newer version"):
        open_database(old, tmp_path, as_it_is=True)


def test_who_only_looks_changes_nothing(old: str, tmp_path: Path) -> None:
    engine = plain(old, tmp_path)
    before = described(engine)
    looking = open_database(old, tmp_path, as_it_is=True)
    assert [entry.number for entry in entries(looking)] == [1]
    looking.dispose()
    assert described(engine) == before
    engine.dispose()


def test_who_only_looks_is_told_that_nothing_is_there(database: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds nothing of the web app"):
        open_database(database, tmp_path, as_it_is=True)


def test_numbers_of_changes_follow_each_other() -> None:
    assert [change.number for change in CHANGES] == list(range(2, len(CHANGES) + 2))
