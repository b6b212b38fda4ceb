"""A report as data: sections of blocks, each number with its origin.

The same `Document` is rendered to HTML and written as JSON, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

__all__ = [
    "Basis",
    "Block",
    "Callout",
    "Cell",
    "Definition",
    "Document",
    "Figure",
    "Heading",
    "Inline",
    "Method",
    "Paragraph",
    "Reference",
    "Section",
    "Steps",
    "Table",
    "Tone",
]

Basis = Literal["text", "fact", "computed", "bound", "claim", "missing"]
Tone = Literal["", "ok", "warn", "bad", "muted"]


@dataclass(frozen=True)
class Cell:
    """A piece of text with its origin: a table cell or a value inside a sentence.

    Attributes
    ----------
    text
        What is shown.
    basis
        ``text`` (a label), ``fact`` (cited), ``computed`` (by this program), ``bound`` (known
        only as a bound, cited or computed), ``claim`` (a vendor's claim) or ``missing`` (could
        not be read).
    sources
        Ids of the sources it comes from; each becomes a link to the references.
    facts
        Ids of the facts or label rules of the library that state it, where there are any.
    method
        Key of the `Method` that explains how a computed value was obtained.
    value, unit
        The number as data, where there is one.
    note
        A short remark shown with the cell.
    tone
        Colour of a verdict; its word stands in `text`, so nothing is said by colour alone.
    """

    text: str
    basis: Basis = "text"
    sources: tuple[str, ...] = ()
    method: str = ""
    value: float | str | tuple[float | None, float | None] | None = None
    unit: str = ""
    note: str = ""
    tone: Tone = ""
    facts: tuple[str, ...] = ()


Inline = str | Cell


@dataclass(frozen=True)
class Heading:
    """A heading inside a section; the section's own title stands one level above."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text with values inside."""

    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Callout:
    """A remark set apart: ``note``, ``warning`` or ``missing``."""

    kind: Literal["note", "warning", "missing"]
    title: str
    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its header where `row_header` is set.

    Attributes
    ----------
    caption
        What the table shows.
    columns
        Column headings.
    rows
        Rows of cells (text is taken as a `Cell`), each as long as `columns`.
    numeric
        Indices of right-aligned columns.
    row_header
        Whether the first cell of each row names the row.
    foot
        Remarks under the table.
    folded
        Whether a page on screen shows the rows only when asked; paper leaves them out and says so.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]
    numeric: tuple[int, ...] = ()
    row_header: bool = True
    foot: tuple[Inline, ...] = ()
    folded: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table '{self.caption}': a row has {len(row)} cells, "
                    f"the heading has {len(self.columns)}"
                )


@dataclass(frozen=True)
class Figure:
    """A drawing as inline SVG, with a text that replaces it for those who cannot see it.

    Attributes
    ----------
    key
        Unique name, used as the anchor.
    svg
        One ``<svg>`` element without external references.
    title
        Short name of the figure.
    alt
        What the figure shows, in words.
    caption
        Text under the figure.
    data
        The numbers drawn, as columns.
    """

    key: str
    svg: str
    title: str
    alt: str
    caption: tuple[Inline, ...] = ()
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Steps:
    """Numbered steps of a procedure."""

    title: str
    steps: tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True)
class Definition:
    """Pairs of a term and what is said of it."""

    pairs: tuple[tuple[str, Inline], ...]


Block = Heading | Paragraph | Callout | Table | Figure | Steps | Definition


@dataclass(frozen=True)
class Section:
    """A numbered section; an empty one says why it is empty.

    Attributes
    ----------
    key
        Anchor, such as ``pharmacokinetics``.
    title
        Heading.
    blocks
        Content in order.
    data
        The section's results as plain data for JSON.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Method:
    """How a computed value was obtained; computed cells link here."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Reference:
    """An entry of the reference list."""

    key: str
    text: str
    url: str = ""
    grade: str = ""
    how_read: str = ""


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, subtitle
        Heading and the line under it.
    notice
        The sentence that says what the report is not for.
    sections
        Content in order.
    methods
        What computed values link to.
    references
        What cited values link to, in the order of first citation.
    manifest
        How the report was made: versions, seed, content hashes.
    """

    title: str
    subtitle: str
    notice: str
    sections: tuple[Section, ...]
    methods: tuple[Method, ...]
    references: tuple[Reference, ...]
    manifest: Mapping[str, Any]
