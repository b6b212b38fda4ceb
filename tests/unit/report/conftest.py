"""A small document with every kind of origin."""

from __future__ import annotations

import pytest

from statera.report.document import (
    Cell,
    Document,
    Figure,
    Method,
    Paragraph,
    Reference,
    Section,
    Table,
)

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 10 10">'
    '<title id="f-title">T</title><path id="f-a" d="M0 0H10"/><use href="#f-a"/></svg>'
)


@pytest.fixture
def document() -> Document:
    cells = Paragraph(
        (
            "Plain <b>text</b> & more, ",
            Cell("5.9 nM", "fact", ("B2", "A1")),
            Cell("412", "computed", method="auc", value=412.0),
            Cell("at least 62 %", "bound", ("A1",), method="auc"),
            Cell("the best", "claim", ("B2",)),
            Cell("unknown", "missing", note="page <cut>"),
            Cell("agrees", tone="ok"),
        )
    )
    table = Table("Caption", ("Name", "Value"), (("row", Cell("1", "fact", ("A1",))),), (1,))
    figure = Figure("f", SVG, "Drawing", "What it shows.", data={"x": [1.0, 2.0], "y": [3.0]})
    return Document(
        title='A "drug" <1>',
        subtitle="Sub",
        notice="Not a medical device.",
        sections=(Section("one", "First", (cells, table, figure)), Section("two", "Second", ())),
        methods=(Method("auc", "Area <under>", "First.\n\nSecond."),),
        references=(
            Reference("A1", "Author A. Title", "https://example.org/a?b=1&c=2", "A", "page"),
            Reference("B2", "Author B. Title", "javascript:alert(1)", "B"),
        ),
        manifest={"version": "1", "inputs": {"a.toml": "f00d"}},
    )
