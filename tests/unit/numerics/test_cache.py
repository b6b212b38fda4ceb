"""Machine code on disk: known to a new process, safe in two at once, and repaired where broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import statera

PROGRAM = """
import sys
import numpy as np
from statera.numerics.codegen import compile_system
from statera.numerics.expression import parse
formula = [parse("a*x + 3.0625", {"a", "x"})]
system = compile_system(formula, formula, ["x"], ["a"])
out = np.zeros(1)
system.outputs(0.0, np.array([2.0]), np.array([5.0]), out, 0)
stats = system.outputs._function.stats
print(out[0], sum(stats.cache_hits.values()))
"""


def _start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {
        "STATERA_CACHE_DIR": str(folder),
        "PYTHONPATH": str(Path(statera.__file__).parent.parent),
    }
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def _finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that two processes filled at the same time."""
    path = tmp_path_factory.mktemp("cache")
    both = [_start(path), _start(path)]
    assert [_finish(process).split()[0] for process in both] == ["13.0625", "13.0625"]
    return path


def test_a_new_process_loads_what_two_at_once_have_kept(folder: Path) -> None:
    assert _finish(_start(folder)) == "13.0625 1"
    assert len(list(folder.glob("statera_generated_*.py"))) == 1
    assert not list(folder.glob("tmp*"))


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("content", [b"", b"\x80", b"not what numba wrote", None])
def test_a_broken_file_is_compiled_anew(folder: Path, kind: str, content: bytes | None) -> None:
    files = list(folder.rglob(f"*.{kind}"))
    assert any("outputs" in f.name for f in files)
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert _finish(_start(folder)) == "13.0625 0"
    assert _finish(_start(folder)) == "13.0625 1"
