"""Documents as Typst markup and as PDF."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statera.report.document import (
    Callout,
    Cell,
    Definition,
    Document,
    Heading,
    Paragraph,
    Section,
    Steps,
    Table,
)
from statera.report.pdf import render_pdf
from statera.report.typst import render_typst

HOSTILE = 'He said "#eval(1)" \\ [*x*] $y$ <a> @b // c'


def test_every_kind_of_block_becomes_a_page(document: Document) -> None:
    blocks = (
        Heading("Heading"),
        Callout("warning", "Look", ("here",)),
        Steps("Do", (("one",), ("two", Cell("2", tone="bad")))),
        Definition((("term", Cell("meaning", "fact", ("A1",))),)),
        Table("Empty", ("A", "B"), ()),
    )
    more = replace(document, sections=(*document.sections, Section("three", "Third", blocks)))
    pdf = render_pdf(more)
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > len(render_pdf(document))


def test_the_same_document_gives_the_same_bytes(document: Document) -> None:
    assert render_pdf(document) == render_pdf(document)


def test_no_text_becomes_markup(document: Document) -> None:
    section = Section("one", HOSTILE, (Paragraph((HOSTILE, Cell(HOSTILE, note=HOSTILE))),))
    hostile = replace(document, title=HOSTILE, sections=(section,))
    literal = '"He said \\"#eval(1)\\" \\\\ [*x*] $y$ <a> @b // c"'
    markup = render_typst(hostile)
    assert markup.count(literal) == markup.count("#eval(1)") - 1  # the heading has a number before
    assert render_pdf(hostile).startswith(b"%PDF-")


def test_citations_and_methods_link_to_what_is_there(document: Document) -> None:
    markup = render_typst(document)
    for anchor in ("ref-A1", "ref-B2", "method-auc"):
        assert f'#cite("{anchor}")' in markup
        assert f"<{anchor}>" in markup
    assert "javascript" not in markup


def test_unsafe_drawings_are_refused(document: Document) -> None:
    (first, second) = document.sections
    figure = replace(first.blocks[2], svg="<svg><script/></svg>")  # type: ignore[type-var]
    bad = replace(document, sections=(replace(first, blocks=(figure,)), second))
    with pytest.raises(ValueError, match="cannot be rendered"):
        render_pdf(bad)


def test_a_folded_table_is_named_but_not_printed(document: Document) -> None:
    table = Table(
        "Long", ("Name",), (("a row",), ("another row",)), folded=True, foot=("A remark",)
    )
    changed = replace(document, sections=(Section("s", "S", (table,)),))
    text = render_typst(changed)
    assert "The 2 rows of this table are on the HTML page only." in text
    assert "A remark" in text
    assert "another row" not in text
