from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from statera.library.paths import data_root

Damage = Callable[[str, str, str], Path]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of the shipped library that a test may damage."""
    place = tmp_path / "library"
    shutil.copytree(str(data_root()), place)
    return place


@pytest.fixture
def damage(library: Path) -> Damage:
    """Replace the first occurrence of a text in a file of the copy; return the file."""

    def replace(file: str, old: str, new: str) -> Path:
        path = library / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return replace
