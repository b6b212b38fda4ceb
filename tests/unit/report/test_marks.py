"""Addresses, anchors and citations."""

from __future__ import annotations

import pytest

from statera.report.document import Cell, Document, Reference
from statera.report.marks import Marker, safe_url, slug


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/a", "https://example.org/a"),
        (" http://example.org ", "http://example.org"),
        ("javascript:alert(1)", ""),
        ("JavaScript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("seed:000.txt", ""),
        ("ftp://example.org/a", ""),
        ("//example.org/a", ""),
        ("https://", ""),
        ("http://[broken", ""),
        ("https://example.org/a b", ""),
        ("", ""),
    ],
)
def test_safe_url(url: str, expected: str) -> None:
    assert safe_url(url) == expected


def test_slug_keeps_plain_keys_and_replaces_the_rest() -> None:
    assert slug("DECKER24") == "DECKER24"
    assert slug('a "b"/<c>') == "a-b-c-"


def test_a_source_cited_twice_in_a_cell_is_shown_once(document: Document) -> None:
    view = Marker(document).view(Cell("1", "fact", ("A1", "A1", "B2")))
    assert [citation.number for citation in view.citations] == [1, 2]


def test_long_references_are_cut_at_a_word_for_the_tooltip(document: Document) -> None:
    text = "word " * 60
    long = Document("T", "", "N", (), (), (Reference("L", text),), {})
    (citation,) = Marker(long).view(Cell("1", "fact", ("L",))).citations
    assert citation.title.endswith("word …")
    assert len(citation.title) <= 112
