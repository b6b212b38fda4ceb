"""The built front end: its files, their compressed forms, and nothing else."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from statera.web.server.failure import Failure, answer_failure
from statera.web.server.static_files import StaticFiles, static_routes

SCRIPT = "console.log('hello')\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "static"
    (found / "assets").mkdir(parents=True)
    (found / "index.html").write_text("<!doctype html><title>Statera</title>")
    (found / "assets" / "app-1a2b.js").write_text(SCRIPT)
    (tmp_path / "secret").write_text("secret")
    (found / "assets" / "link.js").symlink_to(tmp_path / "secret")
    return found


@pytest.fixture
def client(folder: Path) -> Iterator[Any]:
    app = FastAPI()
    app.add_exception_handler(Failure, answer_failure)
    app.include_router(static_routes(StaticFiles(folder)))
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/simulate", "/drug/baricitinib", "/jobs/0123", "/nowhere"])
def test_every_page_is_the_app(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "<title>Statera</title>" in answer.text


def test_assets_are_kept_for_good_and_compressed(client: Any) -> None:
    address = "/assets/app-1a2b.js"
    packed = client.get(address, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["content-type"].startswith("text/javascript")
    assert packed.text == SCRIPT
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), 9))
    for refused in ("", "identity", "gzip;q=0", "br"):
        plain = client.get(address, headers={"Accept-Encoding": refused})
        assert "content-encoding" not in plain.headers
        assert plain.text == SCRIPT


def test_what_has_not_changed_is_not_sent_again(client: Any) -> None:
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_only_the_head_is_sent_where_that_is_asked(client: Any) -> None:
    answer = client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/none.js", "/assets/link.js", "/assets/../../secret.txt", "/%2e%2e/secret.txt",
        "/..%2fsecret.txt", "/assets/%00.js", "/assets/app-1a2b.js/x.js",
    ],
)  # fmt: skip
def test_nothing_else_is_there(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_new_build_is_seen(client: Any, folder: Path) -> None:
    assert client.get("/assets/new.js").status_code == 404
    (folder / "assets" / "new.js").write_text("1")
    (folder / "index.html").write_text("<!doctype html><title>New</title>")
    assert "New" in client.get("/").text
    assert client.get("/assets/new.js").text == "1"


def test_a_front_end_that_is_absent_is_told(client: Any, folder: Path) -> None:
    (folder / "index.html").unlink()
    (folder / "assets" / "app-1a2b.js").unlink()
    answer = client.get("/")
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["kind"] == "absent"
    assert "npm --prefix frontend run build" in error["hint"]
