"""``statera serve``: what it says, what it refuses, tokens and the audit trail."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_help_loads_nothing_of_the_server(project: Path) -> None:
    code = """
import sys
sys.argv = ["statera", "serve", "--help"]
from statera.cli.main import run
try:
    run()
except SystemExit as end:
    assert end.code == 0, end.code
print("loaded:", sorted({"fastapi", "uvicorn", "sqlalchemy", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert "statera serve --open" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--host", "0.0.0.0"], 2, "without sign-in the server listens on this machine only"),
        (["--public-url", "https://x.example"], 2, "a public address needs sign-in"),
        (["--oidc-client", "c"], 2, "need the provider"),
        (["--oidc-issuer", "https://id.example"], 2, "needs the client's id"),
        (["--token-file", "none"], 3, "cannot read 'none'"),
        (["--database", "mysql://x"], 2, "not the address of a database"),
        (["--audit"], 3, "there is no database"),
        (["--keep-jobs", "0"], 2, "0 is not a length of time"),
        (["--keep-jobs", "nan"], 2, "nan is not a length of time"),
        (["--stop-within", "-1"], 2, "-1 is not a length of time"),
        (["--new-token", "a b"], 3, "cannot name a user"),
        (["--host", "192.0.2.1", "--token-file", "tokens"], 3, "cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_be_is_refused(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], code: int, words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokens").write_text(f"anna:{'0' * 64}\n")
    (tmp_path / "tokens").chmod(0o600)
    done = invoke("serve", "--data", str(tmp_path / "data"), *arguments)
    assert done.exit_code == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_is_printed_once(statera: Run, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    done = statera("serve", "--token-file", str(path), "--new-token", "anna")
    token = done.stdout.strip()
    assert done.returncode == 0
    assert token.startswith("statera_")
    assert path.read_text() == f"anna:{hashlib.sha256(token.encode()).hexdigest()}\n"
    assert "shown this once" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(
    statera: Run, project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "statera", "serve", "--port", "0", "--data", str(data),
         "--workers", "1"],
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
    )  # fmt: skip
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(3)]
    assert said[0].startswith("Open http://127.0.0.1:")
    assert "No sign-in" in said[1]
    assert str(data) in said[2]
    address = said[0].split()[1]
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.status == 200
    begun = time.monotonic()
    process.send_signal(number)
    rest = process.stderr.read()
    assert process.wait(60) == 0
    assert time.monotonic() - begun < 30
    assert "Traceback" not in rest
    process.stderr.close()
    assert data.stat().st_mode & 0o077 == 0
    audit = statera("serve", "--data", str(data), "--audit")
    assert audit.returncode == 0
    assert "The trail holds together: 0 entries" in audit.stderr


def test_times_of_jobs_reach_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from statera.cli.main import app
    from statera.web.server import serve as server
    from statera.web.server.settings import Settings

    given: list[Settings] = []
    monkeypatch.setattr(server, "serve", lambda settings, _: given.append(settings))
    plain = ["serve", "--data", str(tmp_path)]
    for arguments in (plain, [*plain, "--keep-jobs", "30.5", "--stop-within", "2"]):
        with pytest.raises(SystemExit) as end:
            app(arguments)
        assert end.value.code == 0
    found = [(settings.job_days, settings.stop_seconds) for settings in given]
    assert found == [(0.0, 10.0), (30.5, 2.0)]


def test_a_port_that_is_taken_is_told(statera: Run, tmp_path: Path) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = statera("serve", "--port", str(port), "--data", str(tmp_path))
    assert done.returncode == 3
    assert f"port {port}" in done.stderr
    assert "another with --port" in done.stderr


def test_a_trail_that_was_changed_is_told(statera: Run, tmp_path: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from statera.web.server.audit import AuditTrail
    from statera.web.server.database import open_database

    engine = open_database("", tmp_path)
    for _ in range(2):
        AuditTrail(engine).append("token:anna", "sign-in", "token")
    done = statera("serve", "--data", str(tmp_path), "--audit")
    assert done.returncode == 0
    assert "token:anna\tsign-in" in done.stdout
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TRIGGER web_audit_update"))
        connection.execute(sqlalchemy.text("UPDATE web_audit SET action = 'x' WHERE number = 1"))
    engine.dispose()
    done = statera("serve", "--data", str(tmp_path), "--audit")
    assert done.returncode == 3
    assert "entry 1: the entry was changed" in done.stderr
