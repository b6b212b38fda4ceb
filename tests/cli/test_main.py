"""Version, help and wrong usage; of each at least once as a process sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from statera.manifest import VERSION

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Invoke = Callable[..., Result]
HEAVY = ("numpy", "numba", "scipy", "sympy", "polars", "pint", "matplotlib", "rich")


def test_version(statera: Run) -> None:
    done = statera("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"statera {VERSION}\n", "")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], []])
def test_version_and_help_load_nothing_heavy(arguments: list[str], project: Path) -> None:
    # The cause of a slow start is tested, not the clock.
    code = f"""
import sys
sys.argv = ["statera", *{arguments!r}]
from statera.cli.main import run
try:
    run()
except SystemExit as end:
    assert end.code == 0, end.code
print("loaded:", sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize(
    "command", [[], ["monograph"], ["simulate"], ["library", "list"], ["library", "show"]]
)
def test_help_opens_with_examples(command: list[str], invoke: Invoke) -> None:
    done = invoke(*command, "--help")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert done.stderr == ""
    assert lines[0].startswith("Usage: statera")
    assert lines[2].strip() == "Examples:"
    assert lines[3].strip().startswith(" ".join(["statera", *command]))


@pytest.mark.parametrize("command", [[], ["library"]])
def test_without_a_command_the_help_is_shown(command: list[str], statera: Run) -> None:
    done = statera(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "where", "what"),
    [
        (["bogus"], "statera", "bogus"),
        (["--bogus"], "statera", "--bogus"),
        (["library", "bogus"], "statera library", "bogus"),
        (["simulate"], "statera simulate", "MODEL"),
        (["simulate", "x", "--dose", "4 mg", "--n", "0"], "statera simulate", "--n"),
        (["simulate", "x", "--dose", "4 mg", "--n", "many"], "statera simulate", "--n"),
        (["simulate", "x", "--dose", "4 mg", "--seed", "-1"], "statera simulate", "--seed"),
        (["simulate", "x", "--dose", "4 mg", "--workers", "0"], "statera simulate", "--workers"),
    ],
)
def test_wrong_usage_is_three_lines_and_exit_2(
    arguments: list[str], where: str, what: str, invoke: Invoke
) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    first, second, third = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert what in first
    assert second == f"where: {where}"
    assert third == f" next: See '{where} --help'."


def test_wrong_usage_with_json_prints_the_envelope_too(statera: Run) -> None:
    done = statera("simulate", "--json")
    assert done.returncode == 2
    envelope = json.loads(done.stdout)
    assert envelope["ok"] is False
    assert envelope["error"]["exit_code"] == 2
    assert envelope["error"]["where"] == "statera simulate"
    assert len(done.stderr.splitlines()) == 3


def test_json_after_two_dashes_is_an_argument(statera: Run) -> None:
    assert statera("bogus", "--", "--json").stdout == ""


def test_a_reader_that_stops_is_no_error(project: Path) -> None:
    # The reading end is closed before anything is written.
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "statera", "--help"],
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(project / "src")},
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
