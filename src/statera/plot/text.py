"""Width of text and breaking of lines, for figures that set text beside an axis."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["text_width", "wrap"]


@lru_cache(maxsize=8192)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of one line of `text` in inches, in the type of the figures.

    Parameters
    ----------
    text
        One line.
    size
        Size of the type in points.
    bold
        Whether it is set in bold.
    """
    from matplotlib.font_manager import (  # heavy: loaded when a figure is drawn
        FontProperties,
    )
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width) / 72.0


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break `text` at spaces into lines of at most `width` inches.

    A word wider than that stays whole. Line breaks in the text are kept.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size, bold=bold) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines
