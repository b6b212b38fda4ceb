"""The rendered page: escaping, numbering, marks, links and self-containment."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from statera.report.document import Cell, Document, Figure, Heading, Paragraph, Section, Table
from statera.report.html import render_html

_VOID = {"meta", "link", "br", "hr", "img", "input"}
# What a browser fetches by itself: everything but the address of an <a>.
_LOADS = {"src", "srcset", "poster", "data", "action", "xlink:href", "background"}


class _Page(HTMLParser):
    """Collects elements and checks that every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_every_element_is_closed_in_order(document: Document) -> None:
    page = _Page(render_html(document))
    assert page.wrong == []
    assert page.open == []


def test_text_is_escaped_everywhere(document: Document) -> None:
    html = render_html(document)
    assert "<title>A &#34;drug&#34; &lt;1&gt;</title>" in html
    assert "Plain &lt;b&gt;text&lt;/b&gt; &amp; more, " in html
    assert "page &lt;cut&gt;" in html
    assert "Area &lt;under&gt;" in html
    assert "<b>" not in html
    assert "<cut>" not in html


def test_references_are_numbered_in_the_order_of_the_document(document: Document) -> None:
    html = render_html(document)
    cited = re.findall(r'href="#ref-(\w+)" aria-label="reference (\d+)"[^>]*>(\d+)</a>', html)
    assert cited[:2] == [("B2", "2", "2"), ("A1", "1", "1")]
    assert {(key, name) for key, name, _ in cited} == {("A1", "1"), ("B2", "2")}
    assert html.index('id="ref-A1"') < html.index('id="ref-B2"')


def test_every_anchor_linked_to_exists_once(document: Document) -> None:
    page = _Page(render_html(document))
    ids = [values["id"] for _, values in page.elements if "id" in values]
    assert len(ids) == len(set(ids))
    for tag, values in page.elements:
        target = values.get("href", "")
        if target.startswith("#"):
            assert target[1:] in ids, (tag, target)
        for name in ("aria-labelledby", "aria-describedby"):
            for key in values.get(name, "").split():
                assert key in ids


def test_computed_values_name_and_link_their_method(document: Document) -> None:
    html = render_html(document)
    mark = re.search(r'412</span><span class="marks"><a class="mark"([^>]*)>c</a>', html)
    assert mark
    assert 'href="#method-auc"' in mark[1]
    assert 'aria-label="computed: Area &lt;under&gt;"' in mark[1]


@pytest.mark.parametrize(
    ("text", "letter", "words"),
    [
        ("at least 62 %", "b", "known only as a bound"),
        ("the best", "v", "vendor&#39;s claim, not verified"),
        ("unknown", "n", "not retrieved"),
    ],
)
def test_bounds_claims_and_gaps_carry_a_letter_and_words(
    document: Document, text: str, letter: str, words: str
) -> None:
    html = render_html(document)
    after = html.split(f">{text}</span>", 1)[1][:300]
    assert f'<span aria-hidden="true">{letter}</span>' in after
    assert f'<span class="hidden"> ({words})</span>' in after


def test_a_bound_that_is_computed_and_cited_carries_all_three_marks(document: Document) -> None:
    after = render_html(document).split(">at least 62 %</span>", 1)[1].split("</a>]")[0]
    assert ">b</span>" in after
    assert ">c</a>" in after
    assert 'href="#ref-A1"' in after


def test_a_verdict_has_its_sign_beside_the_colour(document: Document) -> None:
    assert re.search(
        r'class="tone ok"><span class="sign"[^>]*>✓</span>agrees', render_html(document)
    )


def test_only_http_addresses_become_links(document: Document) -> None:
    page = _Page(render_html(document))
    links = [values["href"] for tag, values in page.elements if tag == "a"]
    outside = [link for link in links if not link.startswith("#")]
    assert outside == ["https://example.org/a?b=1&c=2"]
    assert '<span class="url">javascript:alert(1)</span>' in render_html(document)


def test_the_page_loads_nothing_and_runs_nothing(document: Document) -> None:
    html = render_html(document)
    page = _Page(html)
    for tag, values in page.elements:
        assert tag not in {"script", "iframe", "object", "embed", "img", "form", "base"}
        assert not _LOADS & values.keys(), (tag, values)
        assert not [name for name in values if name.startswith("on")]
        if tag == "link":
            assert values["href"].startswith("data:")
    style = html.split("<style>", 1)[1].split("</style>", 1)[0]
    assert "@import" not in style
    assert not re.search(r"url\(", style)


def test_landmarks_headings_and_language(document: Document) -> None:
    page = _Page(render_html(document))
    tags = [tag for tag, _ in page.elements]
    assert dict(page.elements[0:1])["html"]["lang"] == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert tags.count(landmark) == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.elements[tags.index("body") + 1] == ("a", {"class": "skip", "href": "#content"})


def test_scrolling_regions_can_be_reached_and_have_names(document: Document) -> None:
    page = _Page(render_html(document))
    regions = [
        v for _, v in page.elements if v.get("class", "").split(" ")[0] in {"scroll", "panel"}
    ]
    assert len(regions) == 4  # table, drawing, its data, manifest
    for values in regions:
        assert values["tabindex"] == "0"
        assert values.get("aria-label") or values.get("aria-labelledby")


def test_figure_data_and_words_stand_under_the_drawing(document: Document) -> None:
    html = render_html(document)
    details = html.split("<details>", 1)[1].split("</details>", 1)[0]
    assert "What it shows." in details
    assert "<tr><td>1</td><td>3</td></tr>" in details
    assert "<tr><td>2</td><td></td></tr>" in details


def test_an_empty_section_and_an_empty_document_say_so(document: Document) -> None:
    assert "Nothing is reported here." in render_html(document)
    bare = Document("T", "", "N", (), (), (), {})
    html = render_html(bare)
    assert "appendix-" not in html
    assert "<h1>T</h1>" in html


def test_a_heading_before_a_drawing_is_kept_with_it(document: Document) -> None:
    figure = document.sections[0].blocks[2]
    section = Section("one", "First", (Paragraph(("Text.",)), Heading("Sub"), figure))
    html = render_html(Document("T", "", "N", (section,), (), (), {}))
    assert _Page(html).wrong == []
    assert re.search(r'<div class="keep">\s*<h3>Sub</h3>\s*<figure', html)


def test_same_input_gives_same_bytes(document: Document) -> None:
    assert render_html(document) == render_html(document)


def test_broken_citations_and_unsafe_drawings_are_refused(document: Document) -> None:
    cited = Section("x", "X", (Paragraph((Cell("1", "fact", ("NOWHERE",)),)),))
    with pytest.raises(ValueError, match="source 'NOWHERE' is not in the references"):
        render_html(replace(document, sections=(cited,)))
    computed = Section("x", "X", (Paragraph((Cell("1", "computed", method="none"),)),))
    with pytest.raises(ValueError, match="method 'none' is not described"):
        render_html(replace(document, sections=(computed,)))
    drawing = Figure("g", "<svg><script/></svg>", "G", "g")
    with pytest.raises(ValueError, match="figure 'g'"):
        render_html(replace(document, sections=(Section("x", "X", (drawing,)),)))


def test_a_folded_table_opens_on_request_and_is_named_on_paper(document: Document) -> None:
    table = Table("Long", ("Name",), (("a row",), ("another row",)), folded=True)
    page = render_html(replace(document, sections=(Section("s", "S", (table,)),)))
    assert "<summary>Show the 2 rows of table 1</summary>" in page
    assert "The 2 rows of this table are on the page itself, not on paper." in page
    assert page.index("<summary>") < page.index("another row") < page.index("</details>")
