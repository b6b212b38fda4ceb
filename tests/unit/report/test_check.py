"""Faults that would make a page wrong are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statera.report.check import problems, svg_problems
from statera.report.document import Document, Section

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def test_a_sound_document_has_no_fault(document: Document) -> None:
    assert problems(document) == ()


def test_repeated_anchors_are_found_across_sections_and_drawings(document: Document) -> None:
    first = document.sections[0]
    twice = replace(document, sections=(first, replace(first, key="again")))
    faults = problems(twice)
    assert "the anchor 'figure-f' occurs 2 times" in faults
    assert "the anchor 'f-a' occurs 2 times" in faults


def test_keys_that_become_one_anchor_are_found(document: Document) -> None:
    sections = (Section("a b", "A", ()), Section("a/b", "B", ()))
    assert problems(replace(document, sections=sections)) == ("the anchor 'a-b' occurs 2 times",)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<foreignObject/>", "<foreignObject>"),
        ("<style>*{color:red}</style>", "<style>"),
        ('<image href="https://example.org/x.png"/>', "<image>"),
        ('<rect onclick="f()"/>', "script attribute onclick"),
        ('<use href="https://example.org/x.svg#a"/>', "refers to 'https://example.org/x.svg#a'"),
        ('<use xlink:href="other.svg#a"/>', "refers to 'other.svg#a'"),
        ('<rect style="fill:url(https://example.org/p)"/>', "refers to"),
        ('<rect fill="url( //example.org/p)"/>', "refers to"),
    ],
)
def test_drawings_that_load_or_run_something_are_found(body: str, fault: str) -> None:
    assert any(fault in found for found in svg_problems(f"{_HEAD}{body}</svg>"))


@pytest.mark.parametrize("svg", ["", "text", "<svg", "<!DOCTYPE svg><svg/>", "<g/>"])
def test_what_is_not_one_svg_element_is_found(svg: str) -> None:
    assert svg_problems(svg)


def test_references_inside_a_drawing_are_allowed() -> None:
    body = '<rect id="a" fill="url(#a)" clip-path="url(\'#a\')"/><use href="#a"/>'
    assert svg_problems(f"{_HEAD}{body}</svg>") == ()
