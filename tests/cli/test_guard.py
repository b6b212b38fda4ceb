"""From exceptions to messages, envelopes and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from statera.cli.group import GuardedGroup
from statera.errors import (
    DomainError,
    InputError,
    NumericalError,
    Place,
    StateraError,
    UnknownNameError,
)

app = typer.Typer(cls=GuardedGroup)
raised: list[BaseException] = []


@app.command("fail")
def fail(as_json: bool = typer.Option(False, "--json")) -> None:
    raise raised[-1]


@app.command("other")
def other() -> None:
    typer.echo("fine")


def run(error: BaseException, *arguments: str, **environment: str | None) -> Result:
    raised.append(error)
    return CliRunner(env={"STATERA_DEBUG": None, **environment}).invoke(app, ["fail", *arguments])


def test_success_is_zero() -> None:
    result = CliRunner().invoke(app, ["other"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "fine\n", "")


def test_an_error_is_three_lines() -> None:
    result = run(InputError("CL is negative", where=Place("a.toml", 4), hint="Give CL above 0."))
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "error: CL is negative",
        "where: a.toml:4",
        " next: Give CL above 0.",
    ]


def test_an_error_without_place_or_hint_is_three_lines_too() -> None:
    assert run(InputError("CL is negative")).stderr.splitlines() == [
        "error: CL is negative",
        "where: statera fail",
        " next: See 'statera fail --help'.",
    ]


def test_a_message_of_several_lines_stays_on_one() -> None:
    assert len(run(InputError("a\nb", where="x\ny", hint="c\n\nd")).stderr.splitlines()) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 3),
        (UnknownNameError("drug", "x", []), 3),
        (NumericalError("x"), 4),
        (DomainError("x"), 5),
        (StateraError("x"), 1),
        (MemoryError(), 4),
        (KeyboardInterrupt(), 130),
        (typer.Abort(), 130),
        (ValueError("x"), 1),
        (RecursionError("x"), 1),
        (typer.Exit(0), 0),
        (typer.Exit(7), 7),
        (typer.BadParameter("x"), 2),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    result = run(error)
    assert result.exit_code == code
    assert "Traceback" not in result.stderr


def test_the_envelope_of_an_error() -> None:
    result = run(InputError("CL is negative", where=Place("a.toml", 4), hint="H."), "--json")
    envelope = json.loads(result.stdout)
    assert set(envelope) == {"schema", "ok", "result", "warnings", "manifest", "error"}
    assert envelope["schema"] == "statera.fail/1"
    assert envelope["ok"] is False
    assert envelope["result"] is None
    assert envelope["warnings"] == []
    assert envelope["manifest"]["statera"]
    assert envelope["error"] == {
        "what": "CL is negative",
        "where": "a.toml:4",
        "hint": "H.",
        "exit_code": 3,
    }
    assert len(result.stderr.splitlines()) == 3


def test_the_envelope_survives_a_manifest_that_cannot_be_made() -> None:
    result = run(InputError("x"), "--json", SOURCE_DATE_EPOCH="never")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["manifest"] == {}


def bug() -> Exception:
    """Return an exception that was raised inside the package."""
    from statera.plain import plain

    try:
        plain(object())
    except TypeError as error:
        return error
    raise AssertionError


def test_a_bug_says_so_and_where_without_a_traceback_or_folders() -> None:
    result = run(bug())
    first, second, third = result.stderr.splitlines()
    assert first.startswith("error: this is a bug in Statera: TypeError: object has no")
    assert second.startswith("where: statera/plain.py:")
    assert "STATERA_DEBUG=1" in third
    assert result.exit_code == 1


def test_the_traceback_is_shown_when_debugging() -> None:
    result = run(bug(), STATERA_DEBUG="1")
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.splitlines()[-3].startswith("error: this is a bug")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_with_130_and_a_message(project: Path) -> None:
    code = """
import sys, time, typer
from statera.cli.group import GuardedGroup
app = typer.Typer(cls=GuardedGroup)

@app.command()
def wait() -> None:
    print("ready", flush=True)
    time.sleep(60)

@app.command()
def other() -> None: ...

sys.argv = ["statera", "wait"]
app()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.splitlines()[0] == "error: interrupted"
    assert "Traceback" not in errors
