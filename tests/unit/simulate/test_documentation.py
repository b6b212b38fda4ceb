"""The example of the documentation runs as it stands."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest


def test_example_of_the_page_on_models(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project / "docs" / "models.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for index, block in enumerate(blocks):
        path = tmp_path / f"example{index}.py"
        path.write_text(block, encoding="utf-8")
        found = runpy.run_path(str(path))
        assert (found["result"].statuses == 0).all()
        assert found["result"].warnings == ()
    assert "'unit': 'ng*h/mL'" in capsys.readouterr().out


def test_example_of_the_page_on_structures(project: Path, tmp_path: Path) -> None:
    text = (project / "docs" / "structures.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "example.py"
    path.write_text(block, encoding="utf-8")
    found = runpy.run_path(str(path))
    assert found["result"].failures == ()
    assert found["result"].endpoint("Cmin", "R")[0] < 100.0  # below its baseline


def test_statuses_of_the_page_on_solvers(project: Path) -> None:
    from statera.simulate.status import SENTENCES

    text = (project / "docs" / "solvers.md").read_text(encoding="utf-8")
    for code, sentence in SENTENCES.items():
        assert f"| {code} | {sentence} |" in text
