"""A figure as the bytes of an SVG or PDF file, by the ending of its name."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from statera.plot.svg import to_svg
from statera.plot.theme import theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_bytes"]


def figure_bytes(
    draw: Callable[[], Figure], suffix: str, *, key: str, title: str, alt: str
) -> bytes:
    """Return the drawing as a file.

    Parameters
    ----------
    draw
        Makes the figure; called inside `theme`.
    suffix
        ``.svg`` or ``.pdf``.
    key, title, alt
        Anchor, name and description; a PDF carries the title.
    """
    with theme():
        figure = draw()
        if suffix.lower() == ".svg":
            return to_svg(figure, key, title, alt).encode()
        stream = io.BytesIO()
        figure.savefig(stream, format="pdf", metadata={"Title": title, "CreationDate": None})
        return stream.getvalue()
