"""Tasks over HTTP: answers, failures, and who leaves early."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from .small_server import SmallServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallServer]:
    running = SmallServer(tmp_path_factory.mktemp("server"), workers=1)
    yield running
    assert running.end() in (0, -signal.SIGTERM)


def test_an_answer_is_an_envelope(server: SmallServer) -> None:
    found = server.post("/tasks/echo", {"text": "hello"})
    assert found.status == 200
    assert found.headers["Content-Type"] == "application/json"
    assert found.json["ok"] is True
    assert found.json["result"]["text"] == "hello"
    assert set(found.json) == {
        "schema", "ok", "result", "tables", "copies", "warnings", "manifest"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "word"),
    [
        ("/tasks/fail", {"text": "unknown"}, 422, "input", "no model is called"),
        ("/tasks/fail", {"text": "domain"}, 422, "domain", "outside"),
        ("/tasks/fail", {"text": "bug"}, 500, "bug", "this is a bug"),
        ("/tasks/fail", {"nope": 1}, 422, "input", ""),
        ("/tasks/fail", [1], 422, "input", ""),
        ("/tasks/fail", {"seconds": False}, 422, "input", "number"),
        ("/tasks/fail", {"seconds": "1"}, 422, "input", "number"),
        ("/tasks/fail", {"text": "\ud800"}, 422, "input", ""),
        ("/tasks/echo", {"seconds": 9}, 504, "time-limit", "longer than 2 s"),
        ("/tasks/nope", {}, 404, "unknown", "no task is called"),
        ("/tasks/long", {}, 404, "unknown", "runs as a job"),
        ("/tasks/files", {"first": "0" * 32}, 404, "unknown", "no such upload"),
        ("/tasks/files", {"first": "../../etc/passwd"}, 422, "input", ""),
    ],
)
def test_failures_have_one_form(
    server: SmallServer, path: str, body: object, status: int, kind: str, word: str
) -> None:
    found = server.post(path, body)
    assert found.status == status
    assert found.json["ok"] is False
    assert found.json["error"]["kind"] == kind
    assert word in found.json["error"]["what"]
    assert "Traceback" not in found.body.decode()


def test_the_description_holds_each_task(server: SmallServer) -> None:
    described = server.ask("GET", "/openapi.json").json
    task = described["paths"]["/api/v1/tasks/echo"]["post"]
    assert task["summary"] == "Gives back."
    body = task["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert body.endswith("/Text")
    assert {"200", "404", "422", "503", "504"} <= set(task["responses"])
    failure = task["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
    assert failure.endswith("/FailureBody")
    assert "/api/v1/tasks/long" not in described["paths"]


def test_a_newer_position_does_not_wait_behind_old_ones(server: SmallServer) -> None:
    server.post("/tasks/echo", {"text": "get the token"})
    place = urlsplit(server.address)
    body = json.dumps({"text": "old", "seconds": 0.5}).encode()
    head = (
        f"POST /api/v1/tasks/echo HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Content-Type: application/json\r\nX-CSRF-Token: {server._csrf}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with contextlib.ExitStack() as open_ones:
        for _ in range(6):
            old = open_ones.enter_context(
                socket.create_connection((place.hostname, place.port or 80))
            )
            old.sendall(head.encode() + body)
        time.sleep(0.2)
    begun = time.monotonic()
    assert server.post("/tasks/echo", {"text": "new"}).json["result"]["text"] == "new"
    assert time.monotonic() - begun < 1.5  # one ran and was left to end; five were dropped
