"""Attacks on a running server, over its socket."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .small_server import ROOT, SmallServer

LIMITS = {"upload_bytes": 3_000_000, "head_seconds": 1.0, "silence_seconds": 1.0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallServer]:
    running = SmallServer(tmp_path_factory.mktemp("server"), workers=1, limits=LIMITS)
    yield running
    assert running.end() == 0


def connect(server: SmallServer) -> socket.socket:
    place = urlsplit(server.address)
    return socket.create_connection((place.hostname, place.port or 80), timeout=15)


def all_of(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass  # the server closed while we still sent
    return found


def raw(server: SmallServer, request: bytes) -> bytes:
    """Send bytes as they are and return all that comes until the connection is closed."""
    with connect(server) as connection:
        connection.sendall(request)
        return all_of(connection)


def head(server: SmallServer, method: str, path: str, *lines: str) -> bytes:
    host = urlsplit(server.address).netloc
    first = (f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close")
    token = server.ask("GET", "/api/v1/session").json["csrf"]
    return "\r\n".join((*first, f"X-CSRF-Token: {token}", *lines, "", "")).encode()


def status(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", answer)
    assert match, answer[:200]
    return int(match[1])


def left_behind(server: SmallServer) -> list[Path]:
    return [p for p in (server.folder / "incoming").rglob("*") if p.is_file()]


PATHS = [
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/../../server/app.py",
    "/assets/..%2f..%2fserver%2fapp.py",
    "/assets/..%5c..%5cserver%5capp.py",
    "/assets/%2e%2e%2f%2e%2e%2fserver/app.py",
    "/assets/....//....//server/app.py",
    "/assets/%252e%252e%252fserver/app.py",
    "//etc/passwd",
    "///etc/passwd",
    "/assets/%00.js",
    "/index.html%00.js",
    "/static/index.html/../../server/app.py",
    "/file:///etc/passwd",
    "/../secret",
    "/api/v1/uploads/..%2f..%2fsecret",
    "/api/v1/uploads/../../secret",
    "/api/v1/documents/..%2fsecret",
    "/api/v1/jobs/..%2f..%2fsecret",
    f"/api/v1/jobs/{'0' * 32}/files/..%2f..%2f..%2fsecret",
    f"/api/v1/jobs/{'0' * 32}/files/%2fetc%2fpasswd",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out(server: SmallServer, path: str) -> None:
    answer = raw(server, head(server, "GET", path))
    assert status(answer) in (200, 400, 404, 405, 422, 503)
    secret = (server.folder / "secret").read_bytes()
    assert secret not in answer
    assert b"root:" not in answer
    assert b"from __future__" not in answer
    if status(answer) == 200:  # the page of the app, which says itself that it knows no such place
        assert b"<!doctype html>" in answer.lower()


def test_a_body_in_chunks_is_cut_off(server: SmallServer) -> None:
    request = head(server, "POST", "/api/v1/documents", "Transfer-Encoding: chunked",
                   "Content-Type: application/json")  # fmt: skip
    with connect(server) as connection:
        connection.sendall(request)
        try:
            for _ in range(400):  # 26 MB, of which the server need not take more than 2
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            raise AssertionError("the server read on and on")


def test_an_upload_that_is_too_large_leaves_nothing(server: SmallServer) -> None:
    request = head(server, "POST", "/api/v1/uploads", "Transfer-Encoding: chunked")
    body = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    answer = raw(server, request + body * 3 + b"0\r\n\r\n")
    assert status(answer) == 413
    assert left_behind(server) == []
    assert server.get("/uploads").json == []


def test_an_upload_that_is_broken_off_leaves_nothing(server: SmallServer) -> None:
    request = head(server, "POST", "/api/v1/uploads", "Content-Length: 2500000")
    with connect(server) as connection:
        connection.sendall(request + b"x" * 2_000_000)
        end = time.monotonic() + 10
        while not left_behind(server):
            assert time.monotonic() < end
            time.sleep(0.02)
    while left_behind(server):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert server.get("/uploads").json == []
    assert server.ask("GET", "/healthz").status == 200


def test_an_upload_that_pauses_is_given_up(server: SmallServer) -> None:
    request = head(server, "POST", "/api/v1/uploads", "Content-Length: 1000")
    with connect(server) as connection:
        connection.sendall(request + b"x" * 500)
        answer = all_of(connection)
    assert status(answer) == 408
    assert left_behind(server) == []


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: lo"])
def test_a_head_that_does_not_come_ends_the_connection(server: SmallServer, sent: bytes) -> None:
    begun = time.monotonic()
    with connect(server) as connection:
        connection.sendall(sent)
        assert all_of(connection) == b""
    assert time.monotonic() - begun < 10


def test_a_head_byte_by_byte_ends_the_connection(server: SmallServer) -> None:
    begun = time.monotonic()
    with connect(server) as connection:
        try:
            for byte in b"GET /" + b"a" * 1000:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert time.monotonic() - begun < 10


BROKEN = [
    b"GET /\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /"
    + b"a" * 100_000
    + b".js"
    + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /a.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    + b"X: y\r\n" * 20_000
    + b"\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


@pytest.mark.parametrize("request_bytes", BROKEN, ids=lambda r: repr(r[:40]))
def test_requests_that_are_none(server: SmallServer, request_bytes: bytes) -> None:
    answer = raw(server, request_bytes)
    assert answer == b"" or status(answer) in (400, 403, 404, 405, 421, 431, 503), answer[:200]
    assert server.ask("GET", "/healthz").status == 200


def test_two_lengths_hide_no_second_request(server: SmallServer) -> None:
    hidden = b"0\r\n\r\nDELETE /api/v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = head(server, "POST", "/api/v1/documents", f"Content-Length: {len(hidden)}",
                   "Transfer-Encoding: chunked", "Content-Type: application/json")  # fmt: skip
    answer = raw(server, request + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert status(answer) in (400, 422)


def test_the_log_holds_nothing_of_all_this(server: SmallServer) -> None:
    server.ask("GET", "/patient/huber?name=huber")
    server.post("/documents", {"kind": "case", "body": "huber"})
    log = (server.folder / "log").read_text()
    assert '"route": "/api/v1/documents"' in log
    assert "huber" not in log
    assert "passwd" not in log
    assert "Traceback" not in log


def test_a_short_request_is_finished_after_the_signal(tmp_path: Path) -> None:
    server = SmallServer(tmp_path / "data", workers=1)
    assert server.post("/tasks/echo", {"text": "warm"}).status == 200
    found: list[Any] = []
    asking = threading.Thread(
        target=lambda: found.append(server.post("/tasks/echo", {"text": "last", "seconds": 1.0}))
    )
    asking.start()
    time.sleep(0.4)
    assert server.end() == 0
    asking.join(10)
    assert found[0].status == 200
    assert found[0].json["result"]["text"] == "last"
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_the_server_stays_light(tmp_path: Path) -> None:
    # by its own modules, and by what the system says of the process that serves everything
    heavy = ("numpy", "numba", "polars", "scipy", "sympy", "pint", "matplotlib", "alembic")
    code = f"""
import sys
from pathlib import Path
from starlette.testclient import TestClient
from statera.web.server.app import create_app
from statera.web.server.settings import Settings
import statera.web.server.serve
with TestClient(create_app(Settings(Path({str(tmp_path / "a")!r}), workers=0)),
                base_url="http://localhost") as client:
    assert client.get("/openapi.json").status_code == 200
    assert client.get("/api/v1/session").status_code == 200
print("loaded:", sorted(set({heavy!r}) & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "loaded: []"
    proc = Path("/proc/self/status")
    if not proc.is_file():
        pytest.skip("the memory of a process cannot be read here")
    server = SmallServer(tmp_path / "b", workers=0, catalogue="statera.web.catalogue:CATALOGUE")
    for path in ("/openapi.json", "/api/v1/session", "/", "/metrics", "/api/v1/uploads"):
        server.ask("GET", path)
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+([0-9]+) kB", text)[1])  # type: ignore[index]
    server.end()
    assert resident < 200_000
