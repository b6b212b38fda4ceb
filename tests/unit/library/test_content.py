"""What the shipped data must not contain, and what every file of it must."""

from __future__ import annotations

import re

import pytest

from statera.library import load_references
from statera.library.paths import data_root, files_in
from statera.library.read import read_text

FILES = [
    *files_in(data_root(), "facts"),
    *files_in(data_root(), "labels"),
    *(data_root() / n for n in ("cytokines.toml", "conflicts.toml", "gaps.toml", "names.toml")),
    data_root() / "references.json",
]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_no_shorthand_of_the_working_tables_is_left(file: object):
    text = read_text(file)  # type: ignore[arg-type]
    for word in (r"\bseed\b", r"\banalyst\b", r"\bCONFLICT\b", r"\bNOT RETRIEVED\b", r"\bTODO\b"):
        assert re.search(word, text) is None, word


def test_every_source_says_how_it_was_read():
    assert all(source.how_read for source in load_references().values())
