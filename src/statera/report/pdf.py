"""Render a document as PDF, by Typst: no browser, no fonts of the machine, nothing from outside."""

from __future__ import annotations

from statera.errors import UsageError
from statera.report.check import problems
from statera.report.document import Document
from statera.report.typst import render_typst

__all__ = ["render_pdf"]


def render_pdf(document: Document, *, compact: bool = False) -> bytes:
    """Return the document as PDF, the same bytes for the same input.

    Parameters
    ----------
    compact
        Smaller type and margins, for a document that should fill one page.

    Raises
    ------
    UsageError
        If the package ``typst`` is not installed.
    ValueError
        If the document cites what it does not hold, or has an unsafe drawing.
    """
    if faults := problems(document):
        raise ValueError("the document cannot be rendered: " + "; ".join(faults))
    try:
        import typst  # noqa: PLC0415  an extra, needed by PDF only
    except ModuleNotFoundError as error:
        raise UsageError(
            "writing PDF needs the package 'typst', which is not installed",
            where="pdf",
            hint="Install it with: pip install 'statera[pdf]', or ask for HTML.",
        ) from error
    made: bytes = typst.compile(
        render_typst(document, compact=compact).encode(), format="pdf", ignore_system_fonts=True
    )
    return made
