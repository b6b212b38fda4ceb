"""Jobs over HTTP, through every accident that may happen to them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from .small_server import Reply, SmallServer

OVER = ("done", "failed", "cancelled", "interrupted")


def until(found: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def start(server: SmallServer, token: str = "", task: str = "steps", **request: Any) -> str:
    found = server.post(f"/jobs/{task}", request, token)
    assert found.status == 202, found.body
    job: str = found.json["id"]
    return job


def look(server: SmallServer, job: str, token: str = "") -> Any:
    found = server.get(f"/jobs/{job}", token)
    assert found.status == 200, found.body
    return found.json


def over(server: SmallServer, job: str, token: str = "") -> Any:
    def ended() -> Any:
        found = look(server, job, token)
        return found if found["status"] in OVER else None

    return until(ended)


def at_gate(server: SmallServer, job: str) -> None:
    """Wait until a job with a gate before its fourth step is there."""
    until(lambda: _steps(look(server, job)) >= 3)


def let_go(server: SmallServer, job: str) -> None:
    """Open the gate of a job."""
    (server.folder / "jobs" / job / "work" / "go").touch()


def _steps(job: Any) -> int:
    return sum("iteration" in event["data"] for event in job["events"])


def children(server: SmallServer) -> dict[int, int]:
    """Return workers and their niceness."""
    command = ["ps", "-o", "pid=,ni=", "--ppid", str(server.process.pid)]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    pairs = [line.split() for line in lines.splitlines()]
    return {int(pid): int(nice) for pid, nice in pairs}


def job_workers(server: SmallServer) -> list[int]:
    return [pid for pid, nice in children(server).items() if nice > os.nice(0)]


@pytest.fixture
def postgresql() -> Iterator[str]:
    """Address of an empty PostgreSQL database."""
    address = os.environ.get("STATERA_TEST_POSTGRESQL", "")
    if not address:
        pytest.skip("no PostgreSQL here: STATERA_TEST_POSTGRESQL names no database server")
    name = f"statera_web_{uuid.uuid4().hex}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(address).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallServer]:
    running_server = SmallServer(tmp_path_factory.mktemp("server"), workers=1, limits={"jobs": 3})
    yield running_server
    running_server.end()


def test_a_job_tells_ends_and_keeps_files(server: SmallServer) -> None:
    job = start(server, steps=4)
    found = over(server, job)
    assert (found["status"], found["fraction"], found["attempt"]) == ("done", 1.0, 1)
    assert [event["seq"] for event in found["events"]] == list(range(1, 7))
    iterations = [event["data"].get("iteration") for event in found["events"]]
    assert iterations == [None, 1, 2, 3, 4, None]
    assert found["files"] == [
        {"name": "counted.txt", "media_type": "text/plain; charset=utf-8", "size": 1}
    ]
    after = server.get(f"/jobs/{job}?after=4").json["events"]
    assert [event["seq"] for event in after] == [5, 6]
    assert server.get(f"/jobs/{job}/result").json["result"] == {"begin": 0, "attempt": 1}
    file = server.get(f"/jobs/{job}/files/counted.txt")
    assert (file.body, file.headers["Content-Disposition"][:10]) == (b"4", "attachment")
    assert server.get(f"/jobs/{job}/request").json["steps"] == 4
    assert job in [each["id"] for each in server.get("/jobs").json]
    folder = server.folder / "jobs" / job
    assert folder.is_dir()
    assert server.ask("DELETE", f"/api/v1/jobs/{job}").status == 204
    assert server.get(f"/jobs/{job}").status == 404
    assert not folder.exists()


def test_events_without_data_are_thinned_but_first_and_last_stay(server: SmallServer) -> None:
    found = over(server, start(server, task="chatter"))
    messages = [event["message"] for event in found["events"]]
    assert found["status"] == "done"
    assert {"part 0", "part 1999"} <= set(messages)
    assert len(messages) < 200


@pytest.mark.parametrize(
    ("accident", "kind", "word"),
    [
        ("bug", "bug", "this is a bug"),
        ("input", "domain", "outside"),
        ("memory", "too-large", "more memory"),
    ],
)
def test_failures_are_told_in_words_and_can_be_resumed(
    server: SmallServer, accident: str, kind: str, word: str
) -> None:
    job = start(server, accident=accident, at=2)
    found = over(server, job)
    assert (found["status"], found["error"]["kind"]) == ("failed", kind)
    assert word in found["error"]["what"]
    assert "secret" not in str(found)
    refused = server.get(f"/jobs/{job}/result")
    assert (refused.status, refused.json["error"]["kind"]) == (409, "conflict")
    assert server.post(f"/jobs/{job}/resume").status == 200
    found = over(server, job)
    assert (found["status"], found["attempt"], found["error"]) == ("done", 2, None)
    assert server.get(f"/jobs/{job}/result").json["result"]["begin"] == 2


def test_a_worker_killed_in_mid_job_is_no_loss(server: SmallServer) -> None:
    job = start(server, gate=3)
    at_gate(server, job)
    [worker] = job_workers(server)
    os.kill(worker, signal.SIGKILL)
    let_go(server, job)
    found = over(server, job)
    assert (found["status"], found["attempt"]) == ("done", 2)
    assert server.get(f"/jobs/{job}/result").json["result"]["begin"] == 3
    assert [e["data"]["iteration"] for e in found["events"] if e["data"]] == [1, 2, 3, 4, 5]
    assert any("ended by the system" in event["message"] for event in found["events"])


def test_a_job_that_kills_its_workers_fails_after_the_third(server: SmallServer) -> None:
    found = over(server, start(server, accident="killed", at=1, attempts=9))
    assert (found["status"], found["attempt"]) == ("failed", 3)
    assert found["error"]["kind"] == "worker-died"
    assert "three times" in found["error"]["what"]


def test_cancel_and_resume(server: SmallServer) -> None:
    job = start(server, gate=3)
    at_gate(server, job)
    assert server.post(f"/jobs/{job}/cancel").status == 200
    assert over(server, job)["status"] == "cancelled"
    assert server.post(f"/jobs/{job}/cancel").status == 409
    assert server.post(f"/jobs/{job}/resume").status == 200
    assert server.ask("DELETE", f"/api/v1/jobs/{job}").status == 409
    let_go(server, job)
    assert over(server, job)["status"] == "done"
    assert server.get(f"/jobs/{job}/result").json["result"] == {"begin": 3, "attempt": 2}
    assert server.post(f"/jobs/{job}/resume").status == 409


def test_a_task_that_does_not_stop_is_ended(server: SmallServer) -> None:
    job = start(server, gate=3, accident="deaf")
    at_gate(server, job)
    server.post(f"/jobs/{job}/cancel")
    assert over(server, job)["status"] == "cancelled"
    assert over(server, start(server, steps=1))["status"] == "done"


def test_waiting_jobs_are_bounded_and_cancelled_at_once(server: SmallServer) -> None:
    waiting = [start(server, gate=0) for _ in range(3)]
    refused = server.post("/jobs/steps", {})
    assert (refused.status, refused.json["error"]["kind"]) == (429, "too-many")
    assert server.post(f"/jobs/{waiting[2]}/cancel").json["status"] == "cancelled"
    for job in waiting[:2]:
        server.post(f"/jobs/{job}/cancel")
        assert over(server, job)["status"] == "cancelled"


def test_a_job_past_its_time_is_stopped(server: SmallServer) -> None:
    job = start(server, task="short-steps", gate=2)
    found = over(server, job)
    assert (found["status"], found["error"]["kind"]) == ("failed", "time")
    assert "longer than 0.5 s" in found["error"]["what"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/jobs/nope", 404),
        ("GET", "/jobs/" + "0" * 32, 404),
        ("GET", "/jobs/0", 404),
        ("GET", "/jobs/" + "0" * 32 + "/files/..%2f..%2flog", 404),
        ("GET", "/jobs/" + "0" * 32 + "/files/%2e%2e", 404),
        ("POST", "/jobs/" + "0" * 32 + "/cancel", 404),
        ("DELETE", "/jobs/" + "0" * 32, 404),
    ],
)
def test_what_is_not_there(server: SmallServer, method: str, path: str, status: int) -> None:
    found = server.ask(method, f"/api/v1{path}", {} if method == "POST" else None)
    assert found.status == status or (status == 404 and found.status == 422)
    assert found.json["ok"] is False


def test_jobs_of_others_are_not_there(tmp_path: Path) -> None:
    lines = [f"{name}:{hashlib.sha256(name.encode()).hexdigest()}" for name in ("ann", "bob")]
    (tmp_path / "tokens").write_text("\n".join(lines) + "\n")
    (tmp_path / "tokens").chmod(0o600)
    server = SmallServer(tmp_path / "data", workers=1, token_file=str(tmp_path / "tokens"))
    try:
        job = start(server, "ann", steps=2)
        over(server, job, "ann")
        assert server.get("/jobs", "bob").json == []
        asked: list[Reply] = [
            server.get(f"/jobs/{job}{part}", "bob")
            for part in ("", "/result", "/request", "/files/counted.txt")
        ]
        asked += [server.post(f"/jobs/{job}/{verb}", None, "bob") for verb in ("cancel", "resume")]
        asked.append(server.ask("DELETE", f"/api/v1/jobs/{job}", token="bob"))
        assert [reply.status for reply in asked] == [404] * 7
        assert look(server, job, "ann")["status"] == "done"
    finally:
        server.end()


def test_a_server_killed_and_started_again_goes_on(tmp_path: Path) -> None:
    first = SmallServer(tmp_path, workers=1)
    job = start(first, gate=3)
    waiting = start(first, steps=1)
    at_gate(first, job)
    workers = list(children(first))
    first.end(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 5)
    second = SmallServer(tmp_path, workers=1)
    try:
        let_go(second, job)
        found = over(second, job)
        assert (found["status"], found["attempt"]) == ("done", 2)
        assert second.get(f"/jobs/{job}/result").json["result"]["begin"] == 3
        assert [e["data"]["iteration"] for e in found["events"] if e["data"]] == [1, 2, 3, 4, 5]
        assert over(second, waiting)["status"] == "done"
    finally:
        second.end()


def test_a_server_that_is_stopped_keeps_its_jobs(tmp_path: Path) -> None:
    first = SmallServer(tmp_path, workers=1)
    job = start(first, gate=3)
    at_gate(first, job)
    first.end(signal.SIGTERM)
    second = SmallServer(tmp_path, workers=1)
    try:
        let_go(second, job)
        found = over(second, job)
        assert (found["status"], found["attempt"]) == ("done", 2)
        assert any("stopped with the server" in event["message"] for event in found["events"])
        assert second.get(f"/jobs/{job}/result").json["result"]["begin"] == 3
    finally:
        second.end()


def test_two_servers_share_the_jobs_of_a_database(tmp_path: Path, postgresql: str) -> None:
    settings: dict[str, Any] = {"workers": 1, "database": postgresql, "limits": {"jobs": 50}}
    first, second = (SmallServer(tmp_path, **settings) for _ in range(2))
    try:
        names = [start(first, steps=5, seconds=0.05) for _ in range(8)]
        found = [over(second, job) for job in names]
        assert {job["status"] for job in found} == {"done"}
        assert {job["attempt"] for job in found} == {1}
        for job in found:
            assert [e["data"]["iteration"] for e in job["events"] if e["data"]] == [1, 2, 3, 4, 5]
        # cancelled at one, run by either; and one server ends without a word
        far = [start(second, gate=3) for _ in range(2)]
        for job in far:
            at_gate(first, job)
        first.post(f"/jobs/{far[0]}/cancel")
        assert over(second, far[0])["status"] == "cancelled"
        first.end(signal.SIGKILL)
        second.post(f"/jobs/{far[1]}/cancel")
        assert over(second, far[1])["status"] == "cancelled"
        assert over(second, start(second, steps=2))["status"] == "done"
    finally:
        first.end()
        second.end()


def test_jobs_that_ended_long_ago_go_with_their_files(tmp_path: Path) -> None:
    first = SmallServer(tmp_path, workers=1)
    old = start(first, steps=1)
    assert over(first, old)["status"] == "done"
    assert first.get(f"/jobs/{old}/files/counted.txt").status == 200
    first.end()
    second = SmallServer(tmp_path, workers=1, job_days=1e-6)  # a tenth of a second
    try:
        until(lambda: second.get("/jobs").json == [])
        until(lambda: not (tmp_path / "jobs" / old).exists())
        assert over(second, start(second, steps=1))["status"] == "done"  # looked at in an hour
    finally:
        second.end()
