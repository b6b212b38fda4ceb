"""A server as a user starts it, for tests: a process of its own on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

READY_WITHIN = 300.0
"""Seconds; solvers may have to be compiled first."""


@dataclass
class RunningServer:
    """A server and a client of it.

    Attributes
    ----------
    url
        Such as ``http://127.0.0.1:54321``.
    folder
        Its data folder.
    process
    log
        Where its output goes.
    headers
        Sent with each request (the CSRF token, a bearer token).
    """

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    headers: dict[str, str] = field(default_factory=dict)
    client: Any = None

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Send a request to the interface; `path` is below ``/api/v1`` unless it begins with //."""
        path = path[1:] if path.startswith("//") else f"/api/v1{path}"
        headers = {**self.headers, **options.pop("headers", {})}
        return self.client.request(method, self.url + path, headers=headers, **options)

    def ask(self, task: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Run a task, waiting for it, and return its envelope."""
        answer = self.request("POST", f"/tasks/{task}", json=request)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def start_job(self, task: str, request: Mapping[str, Any]) -> str:
        """Queue a job and return its id."""
        answer = self.request("POST", f"/jobs/{task}", json=request)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def wait_for_job(self, job: str, within: float = 300.0) -> dict[str, Any]:
        """Wait until a job has ended, whichever way, and return what is known of it."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            found: dict[str, Any] = self.request("GET", f"/jobs/{job}").json()
            if found["status"] not in ("queued", "running"):
                return found
            time.sleep(0.1)
        raise AssertionError(f"job {job} has not ended within {within} s: {found}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(
    folder: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> RunningServer:
    """Start a server and wait until it is ready; the caller stops it."""
    client = pytest.importorskip("httpx2", reason="httpx2 is not installed").Client(timeout=120.0)
    port = free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "statera", "serve", "--port", str(port)]
    command += ["--data", str(folder / "data"), *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    server = RunningServer(f"http://127.0.0.1:{port}", folder, process, log, client=client)
    _wait_until_ready(server)
    session = server.request("GET", "/session")
    if session.status_code == 200 and session.json().get("csrf"):
        server.headers["X-CSRF-Token"] = session.json()["csrf"]
    return server


def _wait_until_ready(server: RunningServer) -> None:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{server.log.read_text()}")
        try:
            if server.client.get(f"{server.url}/readyz").status_code == 200:
                return
        except OSError:
            pass
        except Exception as error:
            # a client's own error of connection is no OSError; anything else is a real fault
            if "Connect" not in type(error).__name__:
                raise
        time.sleep(0.1)
    server.process.kill()
    raise AssertionError(f"the server was not ready in time:\n{server.log.read_text()}")


def stop(server: RunningServer) -> None:
    """End a server as an operator does, and by force if it does not end."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(60)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
    server.client.close()


@contextmanager
def start_server(
    folder: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """Start a server in `folder`; it ends with the block."""
    server = launch(folder, arguments, environment)
    try:
        yield server
    finally:
        stop(server)
