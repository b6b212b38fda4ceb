"""Documents: of one user each, with versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from statera.web.server.audit import entries
from statera.web.server.settings import Limits

from .serving import bearer, serving


def make(client: Any, body: Any = 1, kind: str = "case", **headers: str) -> Any:
    return client.post("/api/v1/documents", json={"kind": kind, "body": body}, headers=headers)


def test_a_document_is_saved_read_changed_and_deleted(tmp_path: Path, database: str) -> None:
    with serving(tmp_path, database=database) as client:
        made = make(client, {"dose": "4 mg", "of": [1, None]})
        assert made.status_code == 201
        key = made.json()["id"]
        address = f"/api/v1/documents/{key}"
        read = client.get(address)
        assert read.json()["body"] == {"dose": "4 mg", "of": [1, None]}
        assert read.headers["etag"] == made.headers["etag"] == '"1"'
        changed = client.put(address, json={"kind": "case", "body": 2})
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        assert client.get(address).json()["body"] == 2
        assert [d["id"] for d in client.get("/api/v1/documents?kind=case").json()] == [key]
        assert client.get("/api/v1/documents?kind=gates").json() == []
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404
        assert client.delete(address).status_code == 404


def test_a_change_from_an_old_version_is_refused(local: Any) -> None:
    address = f"/api/v1/documents/{make(local).json()['id']}"
    first = local.put(address, json={"body": "one tab"}, headers={"If-Match": '"1"'})
    assert first.headers["etag"] == '"2"'
    second = local.put(address, json={"body": "other tab"}, headers={"If-Match": '"1"'})
    assert second.status_code == 412
    assert local.get(address).json()["body"] == "one tab"
    assert local.put(address, json={"body": 1}, headers={"If-Match": "1"}).status_code == 422


def test_documents_of_others_do_not_exist(guarded: Any) -> None:
    anna, ben = bearer("token-of-anna"), bearer("token-of-ben")
    address = f"/api/v1/documents/{make(guarded, 'mine', **anna).json()['id']}"
    assert guarded.get(address, headers=ben).status_code == 404
    assert guarded.put(address, json={"body": "theirs"}, headers=ben).status_code == 404
    assert guarded.delete(address, headers=ben).status_code == 404
    assert guarded.get("/api/v1/documents", headers=ben).json() == []
    assert guarded.get(address, headers=anna).json()["body"] == "mine"


@pytest.mark.parametrize("kind", ["", "Case", "a/b", "../x", "x" * 41, "case\n", "1a"])
def test_kinds_have_a_fixed_form(local: Any, kind: str) -> None:
    assert make(local, kind=kind).status_code == 422


def test_a_kind_stays(local: Any) -> None:
    address = f"/api/v1/documents/{make(local).json()['id']}"
    assert local.put(address, json={"kind": "gates", "body": 1}).status_code == 409


def test_there_is_a_most(tmp_path: Path) -> None:
    with serving(tmp_path, limits=Limits(documents=2)) as client:
        assert [make(client).status_code for _ in range(3)] == [201, 201, 413]


def test_the_trail_names_the_id_only(local: Any) -> None:
    key = make(local, {"patient": "Maria Huber"}).json()["id"]
    [entry] = entries(local.app.state.engine)
    assert (entry.action, entry.subject, entry.content) == ("save document", key, "")
