"""Uploads: kept once, told apart by user, gone without a trace where they fail."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from statera.web.server.audit import entries
from statera.web.server.settings import Limits
from statera.web.server.upload_store import Incoming

from .serving import bearer, serving, write_tokens


def send(client: Any, content: Any, name: str = "a.csv", **headers: str) -> Any:
    return client.post(
        "/api/v1/uploads", content=content, headers={"X-File-Name": quote(name), **headers}
    )


def blobs(folder: Path) -> list[Path]:
    return [p for sub in ("uploads", "incoming") for p in (folder / sub).rglob("*") if p.is_file()]


def pieces(count: int, size: int = 100_000) -> Iterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


def test_a_file_is_kept_under_its_hash(local: Any, tmp_path: Path) -> None:
    content = b"".join(pieces(30))
    answer = send(local, pieces(30), "räume 1.csv")
    assert answer.status_code == 201
    found = answer.json()
    digest = hashlib.sha256(content).hexdigest()
    assert (found["name"], found["size"], found["sha256"]) == ("räume 1.csv", 3_000_000, digest)
    [blob] = blobs(tmp_path / "data")
    assert blob.name == digest
    assert blob.read_bytes() == content
    assert blob.stat().st_mode & 0o077 == 0 or blob.parent.stat().st_mode & 0o077 == 0
    assert local.get("/api/v1/uploads").json() == [found]
    assert local.get(f"/api/v1/uploads/{found['id']}").json() == found


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C:\\Users\\me\\plate.fcs", "plate.fcs"),
        ("<script>alert(1)</script>.csv", "script>.csv"),
        ("%3Cimg src=x onerror=alert(1)%3E", "<img src=x onerror=alert(1)>"),
        ("a%00b%0d%0aSet-Cookie: x", "abSet-Cookie: x"),
        ("%e2%80%aefdp.exe", "fdp.exe"),
        ("%ff%fe", "\ufffd\ufffd"),
        ("..", ".."),
        ("%20", "upload"),
        ("", "upload"),
        ("x" * 1000, "x" * 200),
    ],
)
def test_names_are_shown_and_nothing_more(
    local: Any, tmp_path: Path, header: str, shown: str
) -> None:
    answer = local.post("/api/v1/uploads", content=b"1", headers={"X-File-Name": header})
    assert answer.status_code == 201
    assert answer.json()["name"] == shown
    assert answer.headers["content-type"] == "application/json"  # never a page
    [blob] = blobs(tmp_path / "data")
    assert blob.name == hashlib.sha256(b"1").hexdigest()


def test_equal_contents_are_kept_once_and_until_the_last_goes(guarded: Any, tmp_path: Path) -> None:
    anna, ben = bearer("token-of-anna"), bearer("token-of-ben")
    first = send(guarded, b"same", **anna).json()["id"]
    second = send(guarded, b"same", **ben).json()["id"]
    assert first != second
    assert len(blobs(tmp_path / "data")) == 1
    assert guarded.delete(f"/api/v1/uploads/{first}", headers=anna).status_code == 204
    assert len(blobs(tmp_path / "data")) == 1
    assert guarded.delete(f"/api/v1/uploads/{second}", headers=ben).status_code == 204
    assert blobs(tmp_path / "data") == []


def test_a_content_stays_while_anybody_has_it(tmp_path: Path, database: str) -> None:
    with serving(tmp_path, database=database) as client:
        store = client.app.state.uploads

        def come_and_go(number: int) -> None:
            incoming = store.begin("local")
            incoming.write(b"same")
            kept = store.keep("local", "a", incoming)
            if number % 2:
                store.delete("local", kept.id)

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(come_and_go, range(30)))
        assert len(store.listed("local")) == 15
        assert [p.read_bytes() for p in blobs(tmp_path)] == [b"same"]


def test_uploads_of_others_do_not_exist(guarded: Any) -> None:
    anna, ben = bearer("token-of-anna"), bearer("token-of-ben")
    mine = send(guarded, b"mine", **anna).json()["id"]
    for method in ("GET", "DELETE"):
        answer = guarded.request(method, f"/api/v1/uploads/{mine}", headers=ben)
        unknown = guarded.request(method, f"/api/v1/uploads/{'0' * 32}", headers=ben)
        assert answer.status_code == unknown.status_code == 404
        assert answer.json() == unknown.json()  # nor can it be told apart from none
    assert guarded.get("/api/v1/uploads", headers=ben).json() == []
    used = guarded.post("/api/v1/tasks/files", json={"first": mine}, headers=ben)
    assert used.status_code == 404
    assert guarded.get(f"/api/v1/uploads/{mine}", headers=anna).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "..",
        "%2e%2e%2f%2e%2e%2fsecret",
        "x",
        "0" * 31,
        "G" * 32,
        "0" * 32 + "%0a",
        "sample-plate-map",
    ],
)
def test_ids_that_are_none(local: Any, key: str) -> None:
    assert local.get(f"/api/v1/uploads/{key}").status_code in (404, 422)
    assert local.delete(f"/api/v1/uploads/{key}").status_code in (404, 405, 422)


def test_too_much_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    limits = Limits(upload_bytes=1_500_000, user_bytes=2_500_000, uploads=3)
    with serving(tmp_path, limits=limits) as client:
        assert send(client, b"x" * 1_500_001).status_code == 413
        assert send(client, pieces(16)).status_code == 413
        assert blobs(tmp_path) == []
        assert send(client, b"x" * 1_500_000).status_code == 201
        answer = send(client, pieces(15))  # within the limit of one, not of all
        assert answer.status_code == 413
        assert "together" in answer.json()["error"]["what"]
        assert len(blobs(tmp_path)) == 1
        assert send(client, b"1").status_code == 201  # nothing of the refused one still counts
        assert send(client, b"2").status_code == 201
        assert send(client, b"3").status_code == 413
        assert send(client, b"").status_code == 413


def test_an_empty_file_is_refused(local: Any, tmp_path: Path) -> None:
    assert send(local, b"").status_code == 422
    assert blobs(tmp_path / "data") == []


def test_a_full_disk_is_told_and_leaves_nothing(
    local: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Incoming, chunk: bytes) -> None:
        self._file.write(chunk[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Incoming, "write", full)
        answer = send(local, pieces(20))
    assert answer.status_code == 507
    assert answer.json()["error"]["kind"] == "disk-full"
    assert blobs(tmp_path / "data") == []
    assert local.get("/api/v1/uploads").json() == []
    assert local.app.state.uploads._promised == {}
    assert send(local, b"1").status_code == 201


def test_what_a_crash_left_behind_goes(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    (incoming / "old").write_bytes(b"half of a file")
    (incoming / "of another server").write_bytes(b"still coming in")
    os.utime(incoming / "old", (1.0, 1.0))
    with serving(tmp_path) as client:
        assert [p.name for p in blobs(tmp_path)] == ["of another server"]
        os.utime(incoming / "of another server", (1.0, 1.0))
        assert send(client, b"1").status_code == 201
        assert len(blobs(tmp_path)) == 1


def test_the_trail_names_ids_and_hashes_but_no_file(local: Any) -> None:
    found = send(local, b"patient 7", "Maria-Huber-1957.csv").json()
    local.delete(f"/api/v1/uploads/{found['id']}")
    trail = tuple(entries(local.app.state.engine))
    assert [(e.action, e.subject, e.content) for e in trail] == [
        ("upload", found["id"], f"sha256:{found['sha256']}"),
        ("delete upload", found["id"], f"sha256:{found['sha256']}"),
    ]
    assert "Huber" not in str(trail)


def test_a_worker_gets_the_path_of_its_user_only(tmp_path: Path, database: str) -> None:
    tokens = write_tokens(tmp_path / "tokens", {"anna": "a", "ben": "b"})
    with serving(tmp_path / "data", token_file=tokens, database=database) as client:
        mine = send(client, b"mine", "m.csv", **bearer("a")).json()
        store = client.app.state.uploads
        found = store.uploads_of("token:anna", [mine["id"], "0" * 32])
        assert list(found) == [mine["id"]]
        assert found[mine["id"]].path.read_bytes() == b"mine"
        assert store.uploads_of("token:ben", [mine["id"]]) == {}
        assert (
            client.delete(f"/api/v1/uploads/{mine['id']}", headers=bearer("a")).status_code == 204
        )
