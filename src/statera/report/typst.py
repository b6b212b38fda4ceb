"""Render a document as Typst markup, from which `statera.report.pdf` makes pages for printing.

Every text stands in a string literal, so that nothing a user wrote can become markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from statera.report.check import inlines
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Figure,
    Heading,
    Inline,
    Paragraph,
    Section,
    Steps,
    Table,
)
from statera.report.marks import LEGEND, CellView, Marker, safe_url, slug

__all__ = ["render_typst"]

_KINDS = {"note": "Note", "warning": "Caution", "missing": "Not retrieved"}
_INKS = {"note": "0072b2", "warning": "c8501e", "missing": "525f6d"}
_FITS = 92
"""Characters of a row that stand side by side on a page."""
_WIDEST = 36
"""Characters beyond which a longer text does not make its column wider."""
_TONES = {"ok": "00805f", "warn": "c8501e", "bad": "b3261e", "muted": "525f6d"}

_HEAD = """\
#set document(title: {title}, date: none)
#set page(paper: "a4", margin: (x: 17mm, top: 15mm, bottom: 17mm), footer: context [
  #set text(size: 7pt, fill: rgb("525f6d"))
  #{notice} #h(1fr) #counter(page).display("1 / 1", both: true)
])
#set text(font: ("Libertinus Serif", "New Computer Modern"), size: 9.5pt, lang: "en")
#set par(justify: false, leading: 0.55em, spacing: 0.75em)
#set heading(numbering: none)
#show heading.where(level: 1): set text(size: 17pt)
#show heading.where(level: 2): it => block(above: 1.3em, below: 0.6em, text(size: 12pt, it.body))
#show heading.where(level: 3): it => block(above: 0.9em, below: 0.5em, text(size: 10pt, it.body))
#show link: set text(fill: rgb("0072b2"))
#let mark(it) = super(text(size: 6.5pt, fill: rgb("525f6d"), it))
#let tone(ink, it) = text(fill: rgb(ink), weight: "bold", it)
#let cite(target, it) = link(label(target), it)
#let small(it) = text(size: 7.8pt, fill: rgb("525f6d"), it)
#let said(ink, it) = block(
  width: 100%, inset: (left: 8pt, y: 4pt), stroke: (left: 2pt + rgb(ink)), breakable: false, it)
#let ruled(x, y) = (bottom: if y == 0 {{ 0.7pt }} else {{ 0.3pt + rgb("9aa5af") }})
#let boxed(it) = block(width: 100%, above: 0.9em, below: 0.9em, text(size: 8.5pt, it))
#set table(inset: (x: 4pt, y: 3pt))
#set image(width: 100%)
"""


_COMPACT = """\
#set page(margin: (x: 13mm, top: 8mm, bottom: 10mm))
#set text(size: 7.2pt)
#set par(leading: 0.42em, spacing: 0.5em)
#show heading.where(level: 1): set text(size: 13pt)
#show heading.where(level: 2): it => block(above: 0.7em, below: 0.35em, text(size: 8.6pt, it.body))
#set table(inset: (x: 3pt, y: 1.6pt))
#set image(width: 50%)
#let small(it) = text(size: 6.6pt, fill: rgb("525f6d"), it)
#let boxed(it) = block(width: 100%, above: 0.5em, below: 0.5em, text(size: 6.9pt, it))
"""


@dataclass
class _Counts:
    table: int = 0
    figure: int = 0


def render_typst(document: Document, *, compact: bool = False) -> str:
    """Return the whole document as Typst markup, the same for the same input.

    Parameters
    ----------
    compact
        Smaller type and margins, for a document that should fill one page.

    Raises
    ------
    KeyError
        If a value cites what the document does not hold.
    """
    marker = Marker(document)
    counts = _Counts()
    parts = [
        _HEAD.format(title=_literal(document.title), notice=_literal(document.notice)),
        _COMPACT if compact else "",
        f"#heading(level: 1, {_literal(document.title)})",
        f"#small({_literal(document.subtitle)})",
        "",
        f"#said({_literal(_INKS['warning'])})[#strong({_literal(document.notice)})]",
        _legend(document),
    ]
    for number, section in enumerate(document.sections, start=1):
        parts.append(f"#heading(level: 2, {_literal(f'{number}  {section.title}')})")
        parts += [_block(marker, block, counts) for block in section.blocks]
        if not section.blocks:
            parts.append(_text("Nothing is reported here."))
    parts += [_methods(document), _references(document)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _literal(text: str) -> str:
    """Return a string literal; control characters are left out."""
    visible = "".join(c for c in text if c in "\t\n" or ord(c) >= 32)
    escaped = visible.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _text(text: str) -> str:
    return f"#{_literal(text)}" if text else ""


def _parts(marker: Marker, parts: Iterable[Inline]) -> str:
    return "".join(_part(marker, part) for part in parts)


def _part(marker: Marker, part: Inline) -> str:
    if not isinstance(part, Cell):
        return _text(part)
    view = marker.view(part)
    shown = _text(view.text)
    if view.tone:
        shown = f"#tone({_literal(_TONES[view.tone])})[{_text(view.sign)} {shown}]"
    return shown + _marks(view) + (f" #small({_literal(view.note)})" if view.note else "")


def _marks(view: CellView) -> str:
    found = []
    for mark in view.marks:
        letter = f"[{_text(mark.letter)}]"
        if mark.href:
            target = _literal(mark.href.removeprefix("#"))
            letter = f"[#cite({target}){letter}]"
        found.append(f"#mark{letter}")
    if view.citations:
        links = ", ".join(
            f"#cite({_literal(c.href.removeprefix('#'))})[{c.number}]" for c in view.citations
        )
        found.append(f"#mark[\\[{links}\\]]")
    return "".join(found)


def _legend(document: Document) -> str:
    used = {part.basis for section in document.sections for part in _cells(section)}
    words = [f"{letter} {meaning}" for kind, letter, meaning in LEGEND if kind in used]
    return f"#small({_literal('Marks: ' + '; '.join(words) + '.')})" if words else ""


def _cells(section: Section) -> Iterable[Cell]:
    for block in section.blocks:
        for part in inlines(block):
            if isinstance(part, Cell):
                yield part


def _block(marker: Marker, block: Block, counts: _Counts) -> str:
    match block:
        case Paragraph():
            return _parts(marker, block.parts)
        case Heading():
            return f"#heading(level: 3, {_literal(block.text)})"
        case Callout():
            kind = _literal(_KINDS[block.kind] + ": ")
            body = _parts(marker, block.parts)
            title = _literal(block.title + (". " if body else ""))
            ink = _literal(_INKS[block.kind])
            return f"#said({ink})[#strong({kind})#strong({title}){body}]"
        case Steps():
            items = "\n".join(f"+ {_parts(marker, step)}" for step in block.steps)
            return f"#strong({_literal(block.title)})\n{items}"
        case Definition():
            cells = ", ".join(
                f"strong({_literal(term)}), [{_part(marker, said)}]" for term, said in block.pairs
            )
            return f"#grid(columns: (auto, 1fr), column-gutter: 12pt, row-gutter: 5pt, {cells})"
        case Table():
            counts.table += 1
            return _table(marker, block, counts.table)
        case Figure():
            counts.figure += 1
            return _figure(marker, block, counts.figure)


def _table(marker: Marker, table: Table, number: int) -> str:
    caption = f"#strong({_literal(f'Table {number}. ')}){_text(table.caption)}"
    foot = "".join(f"\n\n#small[{_part(marker, remark)}]" for remark in table.foot)
    if table.folded:
        left_out = _text(f"The {len(table.rows)} rows of this table are on the HTML page only.")
        return f"#boxed[{caption}\n\n{left_out}{foot}]"
    align = ", ".join("right" if i in table.numeric else "left" for i in range(len(table.columns)))
    head = ", ".join(f"strong({_literal(c)})" for c in table.columns)
    rows = ",\n    ".join(
        ", ".join(f"[{_part(marker, part)}]" for part in row) for row in table.rows
    )
    widths = ", ".join(_widths(table))
    body = (
        f"#table(columns: ({widths},), align: ({align},), \n"
        "    stroke: ruled,\n"
        f"    table.header({head}),\n    {rows or _empty(len(table.columns))})"
    )
    return f"#boxed[{caption}\n\n{body}{foot}]"


def _widths(table: Table) -> list[str]:
    """Return column widths: as their content asks where all fit, else shares by its length."""
    lengths, words = [], []
    for i, heading in enumerate(table.columns):
        texts = [heading, *(_shown(row[i]) for row in table.rows)]
        lengths.append(max(len(text) for text in texts))
        words.append(max((len(word) for text in texts for word in text.split()), default=1))
    if sum(lengths) <= _FITS:
        return ["auto"] * len(lengths)
    pairs = zip(lengths, words, strict=True)
    return [f"{max(word + 2, min(length, _WIDEST), 4)}fr" for length, word in pairs]


def _shown(part: Inline) -> str:
    return f"{part.text} {part.note}" if isinstance(part, Cell) else part


def _empty(columns: int) -> str:
    return f"table.cell(colspan: {columns})[No rows.]"


def _figure(marker: Marker, figure: Figure, number: int) -> str:
    end = "" if figure.title.endswith((".", "?")) else "."
    caption = f"#strong({_literal(f'Figure {number}. {figure.title}{end} ')})"
    drawing = f'#image(bytes({_literal(figure.svg)}), format: "svg", alt: {_literal(figure.alt)})'
    said = f"#text(size: 0.9em)[{caption}{_parts(marker, figure.caption)}]"
    return f"#block(breakable: false, width: 100%)[#align(center)[{drawing}]\n\n{said}]"


def _methods(document: Document) -> str:
    if not document.methods:
        return ""
    lines = ['#heading(level: 2, "How the values were computed")']
    for method in document.methods:
        anchor = f"#metadata(none)<method-{slug(method.key)}>"
        lines.append(f"{anchor}#strong({_literal(method.title + '. ')}){_text(method.text)}")
    return "\n\n".join(lines)


def _references(document: Document) -> str:
    if not document.references:
        return ""
    lines = ['#heading(level: 2, "References")']
    for number, reference in enumerate(document.references, start=1):
        anchor = f"#metadata(none)<ref-{slug(reference.key)}>"
        url = safe_url(reference.url)
        link = f" #link({_literal(url)})" if url else ""
        grade = f" (grade {reference.grade})" if reference.grade else ""
        lines.append(f"{anchor}{_text(f'{number}. {reference.text}{grade}')}{link}")
    return "\n\n".join(lines)
