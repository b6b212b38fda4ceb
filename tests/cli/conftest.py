from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def statera(project: Path) -> Run:
    """Run ``python -m statera`` in a process of its own; its output is captured."""

    def run(*arguments: str, cwd: Path | None = None, **environment: str) -> object:
        settings = {
            **os.environ,
            "PYTHONPATH": str(project / "src"),
            "PYTHONWARNINGS": "error",
            **environment,
        }
        return subprocess.run(
            [sys.executable, "-m", "statera", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
            cwd=cwd,
            env=settings,
        )

    return run  # type: ignore[return-value]


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run the command in this process, where the process is not what is tested."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run
