"""Render a document as one self-contained HTML page.

The page holds its style sheet and its drawings, runs no script and asks for nothing from
outside; only the reader's own click on a reference leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from statera.report.check import problems
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Document,
    Figure,
    Inline,
    Section,
    Steps,
    Table,
)
from statera.report.json import plain
from statera.report.marks import LEGEND, Marker, safe_url, slug
from statera.report.tabulate import DataTable, flatten, format_number, tabulate
from statera.sources.fact import Grade

__all__ = ["render_html"]

# Least width of a column whose longest text has at least so many characters; shorter texts
# get what they need on one line, so that names and numbers are not broken.
_WIDTHS = ((70, "12rem"), (26, "8rem"), (17, "5.5rem"))
_SIGN = 4  # what the sign and the padding of a verdict take, in characters


@dataclass(frozen=True)
class BlockView:
    """A block with what the template needs beside it."""

    kind: str
    block: Block
    number: int
    anchor: str
    widths: tuple[str, ...] = ()
    table: DataTable | None = None
    svg: str = ""


def render_html(document: Document) -> str:
    """Return the whole page as text.

    Parameters
    ----------
    document
        The report.

    Returns
    -------
    str
        An HTML document in UTF-8, the same bytes for the same input.

    Raises
    ------
    ValueError
        If the document cites what it does not hold, repeats an anchor or has an unsafe drawing.
    """
    faults = problems(document)
    if faults:
        raise ValueError("the document cannot be rendered: " + "; ".join(faults))
    marker = Marker(document)
    used = {reference.grade for reference in document.references}
    page: str = _template().render(
        document=document,
        sections=_sections(document),
        legend=LEGEND,
        cell=marker.view,
        grades=[(grade.value, grade.meaning) for grade in Grade if grade.value in used],
        manifest=[(name, _manifest_text(value)) for name, value in _manifest(document)],
        style=_style(),
    )
    return page


def _manifest(document: Document) -> list[tuple[str, Any]]:
    entries: Mapping[str, Any] = plain(document.manifest)
    return flatten(entries)


def _manifest_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_manifest_text(item) for item in value)
    if isinstance(value, float):
        return format_number(value)
    return "none" if value is None else str(value)


@dataclass
class _Counts:
    """Running numbers of tables, figures and other anchored blocks."""

    table: int = 0
    figure: int = 0
    other: int = 0


def _sections(document: Document) -> list[tuple[int, Section, list[BlockView]]]:
    counts = _Counts()
    return [
        (number, section, [_view(block, counts) for block in section.blocks])
        for number, section in enumerate(document.sections, start=1)
    ]


def _view(block: Block, counts: _Counts) -> BlockView:
    kind = type(block).__name__.lower()
    if isinstance(block, Table):
        counts.table += 1
        return BlockView(kind, block, counts.table, f"table-{counts.table}", _column_widths(block))
    if isinstance(block, Figure):
        counts.figure += 1
        data = tabulate(block.data) if block.data else None
        anchor = f"figure-{slug(block.key)}"
        return BlockView(kind, block, counts.figure, anchor, table=data, svg=block.svg)
    if isinstance(block, Callout | Steps):
        counts.other += 1
    return BlockView(kind, block, counts.other, f"{kind}-{counts.other}")


def _column_widths(table: Table) -> tuple[str, ...]:
    """Return the least width of each column, so that texts are not squeezed."""

    def length(part: Inline) -> int:
        if isinstance(part, Cell):
            return max(len(part.text) + (_SIGN if part.tone else 0), len(part.note))
        return len(part)

    widths = []
    for index in range(len(table.columns)):
        longest = max((length(row[index]) for row in table.rows), default=0)
        own = f"{longest + 1}ch"
        widths.append(next((width for least, width in _WIDTHS if longest >= least), own))
    return tuple(widths)


def _style() -> str:
    return resources.files("statera.report").joinpath("style.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Any:
    import jinja2  # noqa: PLC0415  only rendering needs it, and the command line starts without

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("statera.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["slug"] = slug
    environment.filters["safe_url"] = safe_url
    return environment.get_template("page.html")
