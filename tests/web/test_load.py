"""The rehearsal of the load test: the program runs, and nothing fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_few_users_for_a_few_seconds() -> None:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "web_load.py"), "--short"],
        capture_output=True,
        text=True,
        env=dict(os.environ) | {"PYTHONPATH": paths},
        timeout=900,  # a first run compiles
        check=False,
    )
    # how long answers take is not asked here: other tests may run beside this one
    assert "errors: 0" in done.stdout, done.stdout + done.stderr
    assert "forecast, quick" in done.stdout
