"""A plate as its wells, coloured by a value or by a category.

Drawn by hand: 384 wells with their values as shapes of letters would be ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from statera.plot.inhibition import contrast
from statera.plot.shapes import FONT, attributes, path, shape, text
from statera.plot.svg import number, open_tag
from statera.plot.theme import INK, LINE, SHADE, SOFT

__all__ = [
    "Category",
    "PlateCell",
    "PlatePanel",
    "PlateSize",
    "draw_plates",
    "ink_on_shade",
    "shade_colour",
]

# Pale to dark in one hue: it prints in grey and needs no telling apart of hues.
_STOPS = (
    (0.0, (0xF0, 0xF5, 0xF9)),
    (0.4, (0x9F, 0xC6, 0xDE)),
    (0.75, (0x2B, 0x6C, 0xA8)),
    (1.0, (0x0B, 0x32, 0x5A)),
)
_EDGE, _HEAD, _ROW_NAME, _GAP, _FOOT = 6.0, 46.0, 20.0, 34.0, 22.0
_LETTER = 0.58
_READABLE = 4.5  # contrast that WCAG 2.2 asks of small text


@dataclass(frozen=True)
class PlateCell:
    """One well.

    Attributes
    ----------
    row, column
        From 0.
    text
        Written in the well where it fits.
    value
        Colours the well; not finite leaves it white with a dash.
    category
        Name of the `Category` that colours the well instead.
    """

    row: int
    column: int
    text: str = ""
    value: float = math.nan
    category: str = ""


@dataclass(frozen=True)
class Category:
    """A kind of well: its colour, and a slanted line through it where `crossed`."""

    name: str
    colour: str
    crossed: bool = False


@dataclass(frozen=True)
class PlatePanel:
    """One drawing of a plate.

    Attributes
    ----------
    title
    cells
        Wells that are used; all others are hatched.
    categories
        Where wells are coloured by category, in the order of the legend.
    ends
        Texts of the lowest and highest value, or of the ends of `span`, for the scale.
    remark
        Under the title, such as what texts stand for.
    span
        Values of the palest and darkest colour; the lowest and highest value where None.
    """

    title: str
    cells: tuple[PlateCell, ...]
    categories: tuple[Category, ...] = ()
    ends: tuple[str, str] = ("", "")
    remark: str = ""
    span: tuple[float, float] | None = None


@dataclass(frozen=True)
class PlateSize:
    """Rows and columns of the plate."""

    rows: int = 8
    columns: int = 12

    @classmethod
    def of(cls, cells: Sequence[tuple[int, int]]) -> PlateSize:
        """Return 96 wells, or 384 where a (row, column) lies outside those."""
        small = all(row < 8 and column < 12 for row, column in cells)
        return cls() if small else cls(16, 24)


@dataclass(frozen=True)
class _Layout:
    size: PlateSize
    width: float
    height: float
    type_size: float

    @property
    def panel(self) -> tuple[float, float]:
        """Width and height of one plate with its title and legend."""
        return (
            _ROW_NAME + self.size.columns * self.width,
            _HEAD + self.size.rows * self.height + _FOOT,
        )


def shade_colour(share: float) -> str:
    """Return the colour of a value at `share` of the way from the lowest to the highest."""
    at = min(max(share, 0.0), 1.0)
    for (low, first), (high, second) in pairwise(_STOPS):
        if at <= high:
            part = (at - low) / (high - low)
            mixed = (round(a + part * (b - a)) for a, b in zip(first, second, strict=True))
            return "#" + "".join(f"{c:02x}" for c in mixed)
    raise AssertionError("shares are at most 1")


def ink_on_shade(ground: str) -> str:
    """Return a colour of text with a contrast of at least 4.5 to 1 on any ground."""
    dark = INK if contrast(INK, ground) >= _READABLE else "#000000"
    return dark if contrast(dark, ground) >= _READABLE else "#ffffff"


def draw_plates(
    panels: Sequence[PlatePanel], size: PlateSize, *, key: str, title: str, alt: str
) -> str:
    """Return plates as SVG, side by side where two fit.

    Each panel has its own scale of colours. Wells that no cell stands for are hatched.

    Parameters
    ----------
    panels
        One drawing each.
    size
        Rows and columns.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no panel, or a cell lies outside the plate.
    """
    if not panels:
        raise ValueError("a drawing of plates needs at least one panel")
    for panel in panels:
        for cell in panel.cells:
            if not (0 <= cell.row < size.rows and 0 <= cell.column < size.columns):
                raise ValueError(f"plate '{panel.title}': a well lies outside the plate")
    small = size.columns <= 12
    layout = _Layout(size, 38.0, 26.0, 10.5) if small else _Layout(size, 39.0, 22.0, 10.0)
    across = min(2 if small else 1, len(panels))
    width, height = layout.panel
    rows = -(-len(panels) // across)
    total = (
        2 * _EDGE + across * width + (across - 1) * _GAP,
        2 * _EDGE + rows * height + (rows - 1) * 14.0,
    )
    parts = [
        open_tag(key, title, alt, total, natural=total[0]),
        _hatch(key),
        f"<g{attributes(font_family=FONT)}>",
    ]
    for index, panel in enumerate(panels):
        x = _EDGE + (index % across) * (width + _GAP)
        y = _EDGE + (index // across) * (height + 14.0)
        parts.append(_panel(panel, layout, (x, y), f"{key}-hatch"))
    parts += ["</g>", "</svg>"]
    return "".join(parts)


def _hatch(key: str) -> str:
    line = path("M0 0V5", stroke=LINE, stroke_width=1.4)
    return (
        f'<defs><pattern id="{key}-hatch" patternUnits="userSpaceOnUse" width="5" height="5" '
        f'patternTransform="rotate(45)">{line}</pattern></defs>'
    )


def _panel(panel: PlatePanel, layout: _Layout, corner: tuple[float, float], hatch: str) -> str:
    x0, y0 = corner
    left, top = x0 + _ROW_NAME, y0 + _HEAD
    width, height, size = layout.width, layout.height, layout.size
    parts = [
        text(x0, y0 + 12, panel.title, size=13, anchor="start", weight="600"),
        text(x0, y0 + 27, panel.remark, size=11, anchor="start", fill=SOFT) if panel.remark else "",
    ]
    for column in range(size.columns):
        middle = left + (column + 0.5) * width
        parts.append(text(middle, top - 4, str(column + 1), size=10, fill=SOFT))
    for row in range(size.rows):
        middle = top + (row + 0.5) * height + 3.5
        parts.append(text(left - 6, middle, chr(ord("A") + row), size=10, anchor="end", fill=SOFT))
    by_place = {(cell.row, cell.column): cell for cell in panel.cells}
    colours = {category.name: category for category in panel.categories}
    values = [cell.value for cell in panel.cells if math.isfinite(cell.value)]
    span = panel.span or ((min(values), max(values)) if values else (0.0, 0.0))
    for row in range(size.rows):
        for column in range(size.columns):
            box = (left + column * width, top + row * height, width, height)
            cell = by_place.get((row, column))
            parts.append(
                _square(box, f"url(#{hatch})")
                if cell is None
                else _cell(cell, box, layout, colours, span)
            )
    foot = top + size.rows * height + 15
    parts.append(_legend(panel, (left, foot), bool(values), hatch))
    return "".join(parts)


def _square(box: tuple[float, float, float, float], fill: str, stroke: str = "") -> str:
    x, y, w, h = box
    values: dict[str, str | float] = {
        "x": x + 0.75,
        "y": y + 0.75,
        "width": w - 1.5,
        "height": h - 1.5,
        "rx": 2,
        "fill": fill,
    }
    if stroke:
        values["stroke"] = stroke
    return shape("rect", **values)


def _cell(
    cell: PlateCell,
    box: tuple[float, float, float, float],
    layout: _Layout,
    categories: dict[str, Category],
    span: tuple[float, float],
) -> str:
    x, y, w, h = box
    crossed, said = False, cell.text
    if cell.category:
        kind = categories[cell.category]
        fill, crossed = kind.colour, kind.crossed
    elif math.isfinite(cell.value):
        low, high = span
        fill = shade_colour((cell.value - low) / (high - low) if high > low else 0.4)
    else:
        fill, said = "#ffffff", "–"
    parts = [_square(box, fill, LINE if fill.lower() == "#ffffff" else "")]
    if crossed:
        parts.append(
            path(
                f"M{number(x + 4)} {number(y + h - 4)}L{number(x + w - 4)} {number(y + 4)}",
                stroke=INK,
                stroke_width=1.2,
            )
        )
    if said and not crossed:
        size = min(layout.type_size, (w - 4) / (_LETTER * len(said)))
        if size >= 7.5:
            parts.append(
                text(x + w / 2, y + h / 2 + 0.36 * size, said, size=size, fill=ink_on_shade(fill))
            )
    return "".join(parts)


def _legend(panel: PlatePanel, corner: tuple[float, float], scaled: bool, hatch: str) -> str:
    x, y = corner
    parts = []
    if panel.categories:
        for kind in panel.categories:
            box = (x, y - 11, 16, 14)
            stroke = LINE if kind.colour.lower() == "#ffffff" else ""
            parts.append(_square(box, kind.colour, stroke))
            if kind.crossed:
                parts.append(
                    path(
                        f"M{number(x + 3)} {number(y)}L{number(x + 13)} {number(y - 8)}",
                        stroke=INK,
                        stroke_width=1.2,
                    )
                )
            parts.append(text(x + 20, y, kind.name, size=11, anchor="start"))
            x += 34 + 11 * _LETTER * len(kind.name)
    elif scaled:
        parts.append(text(x, y, panel.ends[0], size=11, anchor="start"))
        x += 8 + 11 * _LETTER * len(panel.ends[0])
        for step in range(12):
            parts.append(
                shape("rect", x=x + step * 9, y=y - 10, width=9.2, height=12,
                      fill=shade_colour(step / 11))
            )  # fmt: skip
        x += 116
        parts.append(text(x, y, panel.ends[1], size=11, anchor="start"))
        x += 24 + 11 * _LETTER * len(panel.ends[1])
    if any(not (cell.category or math.isfinite(cell.value)) for cell in panel.cells):
        parts.append(_square((x, y - 11, 16, 14), "#ffffff", LINE))
        parts.append(text(x + 8, y, "–", size=10))
        parts.append(text(x + 20, y, "no value", size=11, anchor="start"))
        x += 34 + 11 * _LETTER * len("no value")
    parts.append(_square((x, y - 11, 16, 14), SHADE))
    parts.append(_square((x, y - 11, 16, 14), f"url(#{hatch})"))
    parts.append(text(x + 20, y, "not used", size=11, anchor="start"))
    return "".join(parts)
