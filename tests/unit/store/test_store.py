"""What is stored comes back; it comes whole or not at all; the trail shows what was done."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from statera.errors import InputError, UnknownNameError, UsageError
from statera.store import Store, open_store, rerun


def request(patient: str = "P1", label: str = "visit") -> dict[str, Any]:
    """A request as far as the store looks into it."""
    return {"schema": "statera.request/1", "id": label, "patient": {"id": patient}, "x": [1, 2.5]}


def test_a_request_and_its_result_come_back(store: Store) -> None:
    key, number = store.save(request(), {"auc": 412.5}, manifest={"seed": 1}, actor="tester")
    found = store.request(key)
    assert found.document == request()
    assert (found.patient_id, found.label) == ("P1", "visit")
    (result,) = store.results(key)
    assert result.id == number
    assert (result.document, result.manifest) == ({"auc": 412.5}, {"seed": 1})
    assert store.patients() == ("P1",)


def test_equal_requests_are_one_and_results_are_kept_apart(store: Store) -> None:
    first, _ = store.save(request(), {"auc": 1.0})
    second, _ = store.save(dict(reversed(request().items())), {"auc": 2.0})
    assert first == second
    assert [r.document["auc"] for r in store.results(first)] == [1.0, 2.0]
    assert len(store.requests("P1")) == 1


def test_requests_are_found_by_the_first_characters_of_their_hash(store: Store) -> None:
    keys = [store.save(request(label=str(i)))[0] for i in range(40)]
    assert store.request(keys[3].removeprefix("sha256:")[:12]).hash == keys[3]
    with pytest.raises(UsageError, match="begin with"):
        store.request("")
    with pytest.raises(UnknownNameError, match="no request is called 'zz'"):
        store.request("zz")


@pytest.mark.parametrize(
    ("document", "said"),
    [({"patient": {"id": ""}}, "names no patient"), ({"x": float("nan")}, "cannot be stored")],
)
def test_a_refused_request_leaves_nothing(
    store: Store, document: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        store.save({**request(), **document}, {"auc": 1.0})
    assert store.patients() == ()
    assert store.audit_trail() == ()


def test_a_refused_result_leaves_no_request(store: Store) -> None:
    with pytest.raises(InputError, match="cannot be stored"):
        store.save(request(), {"auc": float("inf")})
    assert store.requests() == ()


def test_a_failure_within_the_database_leaves_nothing(store: Store, url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE results"))
    engine.dispose()
    with pytest.raises(SQLAlchemyError):
        store.save(request(), {"auc": 1.0})
    assert store.requests() == ()
    assert store.audit_trail() == ()


def test_the_trail_names_every_step_and_holds_together(store: Store) -> None:
    store.save(request(), {"auc": 1.0}, actor="a")
    store.save(request("P2"), actor="b")
    assert store.erase("P1", actor="c") == 1
    trail = store.audit_trail()
    assert [(e.actor, e.action, e.subject) for e in trail] == [
        ("a", "store patient", "P1"),
        ("a", "store request", "P1"),
        ("a", "store result", "P1"),
        ("b", "store patient", "P2"),
        ("b", "store request", "P2"),
        ("c", "erase patient", "P1"),
    ]
    assert store.check() == ()
    assert store.patients() == ("P2",)
    with pytest.raises(UnknownNameError, match="no patient is called 'P1'"):
        store.erase("P1")


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit WHERE number = 1"]
)
def test_the_database_refuses_changes_of_the_trail(store: Store, url: str, change: str) -> None:
    store.save(request())
    engine = create_engine(url)
    with pytest.raises(SQLAlchemyError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    assert store.check() == ()


def test_what_was_changed_past_the_guard_shows(store: Store, url: str) -> None:
    key, _ = store.save(request(), {"auc": 1.0})
    engine = create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_no_change"))
        else:
            connection.execute(text("DROP TRIGGER audit_no_UPDATE"))
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE number = 2"))
        connection.execute(text("UPDATE results SET document = '{}'"))
        connection.execute(text("INSERT INTO patients VALUES ('P9', 'x')"))
        connection.execute(text("UPDATE results SET request_hash = :k, hash = :k"), {"k": key})
    engine.dispose()
    said = [p.sentence for p in store.check()]
    assert any("changed after it was written" in s for s in said)
    assert any("was changed" in s and "document" in s for s in said)
    assert any("is missing" in s for s in said)


def test_many_writers_make_one_chain(url: str) -> None:
    opened = open_store(url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: opened.save(request(f"P{i}"), {"auc": i}), range(20)))
    assert len(opened.audit_trail()) == 60
    assert opened.check() == ()
    opened.close()


def test_opening_twice_keeps_everything(url: str) -> None:
    first = open_store(url)
    key, _ = first.save(request())
    first.close()
    second = open_store(url)
    assert second.request(key).document == request()
    second.close()


def test_a_newer_database_is_refused(store: Store, url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE statera_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(InputError, match="newer version"):
        open_store(url)
    assert store.patients() == ()


@pytest.mark.parametrize("bad", ["nonsense", "mysql://x/y", "oracle://x"])
def test_unknown_databases_are_named(bad: str) -> None:
    with pytest.raises(UsageError, match="not the address of a database"):
        open_store(bad)


def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        open_store(f"sqlite:///{tmp_path / 'absent' / 'store.db'}")


def test_running_again_compares_with_the_last_result(store: Store) -> None:
    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"sum": sum(asked["x"])}

    key, _ = store.save(request(), {"sum": 3.0})
    assert not rerun(store, key, answer).identical
    store.save(request(), {"sum": 3.5})
    again = rerun(store, key, answer, actor="a")
    assert again.identical
    assert len(again.earlier) == 2
    assert store.audit_trail()[-1].action == "run again"
