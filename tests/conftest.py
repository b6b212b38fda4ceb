"""What several tests share: where reference data and the browser are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
LONGEST_FIRST = Path(__file__).with_name("longest_first.txt")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, where files are spread over processes.

    Else one process works at such a file at the very end while the others have nothing to do. Tests
    with a browser, which wait much, take turns with others, so that both come at the same time.
    """
    if hasattr(config, "workerinput"):
        names = LONGEST_FIRST.read_text(encoding="utf-8").split()
        place = {name: number for number, name in enumerate(names)}
        items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.fixture(scope="session")
def project() -> Path:
    """Folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of outside reference data: $STATERA_REFERENCE, or ../shared/reference."""
    named = os.environ.get("STATERA_REFERENCE")
    folder = Path(named) if named else PROJECT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference data in {folder} (set STATERA_REFERENCE)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium: $STATERA_CHROMIUM, or the first on the path."""
    named = os.environ.get("STATERA_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine (install it, or set STATERA_CHROMIUM)")
    return found
