"""The front end that is shipped: built from the sources beside it, small, and asking nobody."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
SOURCES = PROJECT / "frontend"
STATIC = PROJECT / "src" / "statera" / "web" / "static"
LARGEST = 250_000
"""Bytes of all JavaScript together, compressed."""
LONGEST_FILE = 600


def source_files() -> list[Path]:
    written = (".ts", ".svelte", ".css")
    return sorted(f for f in (SOURCES / "src").rglob("*") if f.suffix in written)


def test_it_was_built_from_the_sources_beside_it() -> None:
    singles = (
        "index.html",
        "package-lock.json",
        "package.json",
        "svelte.config.js",
        "tsconfig.json",
        "vite.config.ts",
    )
    named = [SOURCES / name for name in singles]
    named += [f for part in ("src", "public") for f in (SOURCES / part).rglob("*") if f.is_file()]
    digest = hashlib.sha256()
    for file in sorted(named, key=lambda f: f.relative_to(SOURCES).as_posix().encode()):
        digest.update(file.relative_to(SOURCES).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    built = (STATIC / "sources.sha256").read_text(encoding="utf-8").strip()
    assert built == digest.hexdigest(), "build it anew: npm --prefix frontend run build"


def test_its_scripts_are_small() -> None:
    scripts = list(STATIC.rglob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(f.read_bytes(), 9)) for f in scripts) < LARGEST


def test_its_page_holds_no_script_and_names_no_other_host() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"\b(?:src|href)=[\"']?(?:https?:)?//", page) == []
    assert re.findall(r"\son\w+=", page) == []


@pytest.mark.parametrize("file", source_files(), ids=lambda f: f.name)
def test_no_source_is_too_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_no_source_puts_text_into_a_page_as_markup() -> None:
    using = [f.name for f in source_files() if "{@html" in f.read_text(encoding="utf-8")]
    using += [f.name for f in source_files() if "innerHTML" in f.read_text(encoding="utf-8")]
    assert using == []
