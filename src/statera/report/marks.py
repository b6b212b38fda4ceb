"""The marks that tell a reader where a shown value comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from statera.report.document import Cell, Document, Inline, Method, Reference

__all__ = ["LEGEND", "CellView", "Citation", "Mark", "Marker", "safe_url", "slug"]

_TITLE_LENGTH = 110
_TONE_SIGNS = {"ok": "✓", "warn": "!", "bad": "✗", "muted": "–"}


@dataclass(frozen=True)
class Mark:
    """A letter set after a value, with the words it stands for and, if any, a link."""

    letter: str
    name: str
    href: str = ""


@dataclass(frozen=True)
class Citation:
    """The number of a reference, its link and the words shown on hovering."""

    number: int
    href: str
    name: str
    title: str


@dataclass(frozen=True)
class CellView:
    """A `Cell` ready for the template."""

    text: str
    basis: str
    marks: tuple[Mark, ...]
    citations: tuple[Citation, ...]
    note: str
    tone: str
    sign: str


# Letter, example class and meaning: the legend at the top of every page.
LEGEND: tuple[tuple[str, str, str], ...] = (
    ("fact", "[1]", "stated by the numbered reference"),
    ("computed", "c", "computed here; the mark links to the method"),
    ("bound", "b", "known only as a bound, never as a point"),
    ("claim", "v", "claim of a vendor, not verified"),
    ("missing", "n", "not retrieved: the source could not be read, nothing is filled in"),
)
_BASIS_MARKS = {
    "bound": Mark("b", "known only as a bound"),
    "claim": Mark("v", "vendor's claim, not verified"),
    "missing": Mark("n", "not retrieved"),
}


def slug(key: str) -> str:
    """Return `key` as the tail of an anchor: letters, digits, ``_``, ``.`` and ``-`` only."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", key)


def safe_url(url: str) -> str:
    """Return `url` where it may become a link (http or https with a host), else nothing."""
    stripped = url.strip()
    try:
        parts = urlsplit(stripped)
    except ValueError:  # such as an unclosed bracket in the host
        return ""
    usable = parts.scheme in ("http", "https") and parts.netloc and not re.search(r"\s", stripped)
    return stripped if usable else ""


class Marker:
    """Turns cells into views: numbers citations and names methods.

    Parameters
    ----------
    document
        The report whose references and methods are linked to.
    """

    def __init__(self, document: Document) -> None:
        self._references: Mapping[str, tuple[int, Reference]] = {
            reference.key: (number, reference)
            for number, reference in enumerate(document.references, start=1)
        }
        self._methods: Mapping[str, Method] = {method.key: method for method in document.methods}

    def view(self, part: Inline) -> CellView:
        """Return the view of a text or a cell.

        Raises
        ------
        KeyError
            If a source or a method is not in the document.
        """
        cell = part if isinstance(part, Cell) else Cell(part)
        return CellView(
            text=cell.text,
            basis=cell.basis,
            marks=self._marks(cell),
            citations=tuple(self._citation(key) for key in dict.fromkeys(cell.sources)),
            note=cell.note,
            tone=cell.tone,
            sign=_TONE_SIGNS.get(cell.tone, ""),
        )

    def _marks(self, cell: Cell) -> tuple[Mark, ...]:
        marks = [_BASIS_MARKS[cell.basis]] if cell.basis in _BASIS_MARKS else []
        if cell.method:
            method = self._methods[cell.method]
            marks.append(Mark("c", f"computed: {method.title}", f"#method-{slug(method.key)}"))
        elif cell.basis == "computed":
            marks.append(Mark("c", "computed"))
        return tuple(marks)

    def _citation(self, key: str) -> Citation:
        number, reference = self._references[key]
        title = reference.text
        if len(title) > _TITLE_LENGTH:
            title = title[:_TITLE_LENGTH].rsplit(" ", 1)[0] + " …"
        return Citation(number, f"#ref-{slug(key)}", f"reference {number}", title)
