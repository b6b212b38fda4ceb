"""Small builders for hand-drawn SVG: text, paths and boxes as strings."""

from __future__ import annotations

from collections.abc import Sequence

from statera.plot.svg import clean, number

__all__ = ["FONT", "attributes", "lines_of", "path", "points", "shape", "text"]

# The reader's own sans-serif; widths differ between fonts, so boxes leave room.
FONT = (
    "-apple-system,'Segoe UI',Roboto,'Noto Sans','Helvetica Neue','Liberation Sans',Arial,"
    "sans-serif"
)
# Mean width of a letter as a share of the size of the type, on the wide side of common fonts.
_LETTER = 0.56


def attributes(**values: str | float) -> str:
    """Return attributes as text; underscores in names become hyphens, numbers are shortened."""
    parts = []
    for name, value in values.items():
        shown = number(value) if isinstance(value, int | float) else clean(value)
        parts.append(f' {name.rstrip("_").replace("_", "-")}="{shown}"')
    return "".join(parts)


def shape(name: str, **values: str | float) -> str:
    """Return one empty element such as ``<path .../>``."""
    return f"<{name}{attributes(**values)}/>"


def path(d: str, **values: str | float) -> str:
    """Return a path."""
    return shape("path", d=d, **values)


def points(corners: Sequence[tuple[float, float]]) -> str:
    """Return corners as the ``points`` of a polygon."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in corners)


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 12,
    anchor: str = "middle",
    fill: str = "#1b2430",
    weight: str = "400",
    style: str = "normal",
    halo: str = "",
) -> str:
    """Return a line of text on the baseline `y`; `halo` is the colour set around the letters."""
    values: dict[str, str | float] = {
        "x": x,
        "y": y,
        "font_size": size,
        "text_anchor": anchor,
        "fill": fill,
    }
    if weight != "400":
        values["font_weight"] = weight
    if style != "normal":
        values["font_style"] = style
    if halo:
        values |= {
            "stroke": halo,
            "stroke_width": 3.5,
            "stroke_linejoin": "round",
            "paint_order": "stroke",
        }
    return f"<text{attributes(**values)}>{clean(content)}</text>"


def lines_of(content: str, width: float, size: float) -> list[str]:
    """Break text at spaces into lines that fit `width` in common fonts."""
    most = max(int(width / (_LETTER * size)), 1)
    lines: list[str] = []
    line = ""
    for word in content.split():
        longer = f"{line} {word}" if line else word
        if line and len(longer) > most:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines
