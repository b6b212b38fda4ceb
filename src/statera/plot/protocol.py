"""A laboratory workflow as boxes and arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.plot.shapes import FONT, attributes, lines_of, path, points, shape, text
from statera.plot.svg import number, open_tag
from statera.plot.theme import INK, SOFT

__all__ = ["ProtocolStep", "draw_protocol"]

_GAP = 34.0
_EDGE = 10.0
_PAD = 14.0
_LEAD = 15.0  # between lines of small text
_INK = "#0b5c6b"
_FILL = "#f1f7f8"


@dataclass(frozen=True)
class ProtocolStep:
    """One box.

    Attributes
    ----------
    title
        What is done.
    details
        Lines of small text: materials, concentrations, times.
    note
        A last line set apart, such as the control of the step.
    """

    title: str
    details: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class _Box:
    """A step broken into lines, and the height it needs."""

    titles: list[str]
    details: list[str]
    notes: list[str]
    height: float


def draw_protocol(
    steps: Sequence[ProtocolStep],
    *,
    key: str,
    title: str,
    alt: str,
    columns: int = 3,
    box_width: float = 264.0,
) -> str:
    """Return steps as numbered boxes in rows, read like text, joined by arrows, as SVG.

    Parameters
    ----------
    steps
        Steps in order.
    key, title, alt
        Anchor, name and description of the drawing.
    columns
        Boxes in a row.
    box_width
        Width of a box in pixels.

    Raises
    ------
    ValueError
        If there is no step or no column.
    """
    if not steps or columns < 1:
        raise ValueError("a protocol needs at least one step and one column")
    columns = min(columns, len(steps))
    boxes = [_measure(step, box_width) for step in steps]
    rows = [boxes[i : i + columns] for i in range(0, len(boxes), columns)]
    heights = [max(box.height for box in row) for row in rows]
    width = 2 * _EDGE + columns * box_width + (columns - 1) * _GAP
    total = 2 * _EDGE + sum(heights) + (len(rows) - 1) * (_GAP + 8)
    parts = [open_tag(key, title, alt, (width, total), natural=width)]
    parts.append(f"<g{attributes(font_family=FONT)}>")
    top = _EDGE
    for row_index, (row, height) in enumerate(zip(rows, heights, strict=True)):
        for column, box in enumerate(row):
            x = _EDGE + column * (box_width + _GAP)
            order = row_index * columns + column + 1
            parts.append(_draw(box, order, (x, top, box_width, height)))
            if column + 1 < len(row):
                parts.append(_across(x + box_width, top + 30))
        if row_index + 1 < len(rows):
            end = _EDGE + (len(row) - 1) * (box_width + _GAP) + box_width / 2
            parts.append(_down(end, top + height, _EDGE + box_width / 2))
        top += height + _GAP + 8
    parts += ["</g>", "</svg>"]
    return "".join(parts)


def _measure(step: ProtocolStep, width: float) -> _Box:
    inner = width - 2 * _PAD
    titles = lines_of(step.title, inner - 30, 13.5)
    details = [line for detail in step.details for line in lines_of(detail, inner, 12)]
    notes = lines_of(step.note, inner, 12)
    height = 2 * _PAD + 18 * len(titles) + _LEAD * (len(details) + len(notes)) + 4
    if details:
        height += 6
    if notes:
        height += 8
    return _Box(titles, details, notes, height)


def _draw(box: _Box, order: int, place: tuple[float, float, float, float]) -> str:
    x, y, width, height = place
    parts = [
        shape(
            "rect",
            x=x,
            y=y,
            width=width,
            height=height,
            rx=8,
            fill=_FILL,
            stroke=_INK,
            stroke_width=1.2,
        ),
        shape("circle", cx=x + _PAD + 10, cy=y + _PAD + 9, r=11, fill=_INK),
        text(x + _PAD + 10, y + _PAD + 13.4, str(order), size=12, weight="700", fill="#ffffff"),
    ]
    at = y + _PAD + 14
    for line in box.titles:
        parts.append(text(x + _PAD + 30, at, line, size=13.5, anchor="start", weight="600"))
        at += 18
    at += 4
    for line in box.details:
        parts.append(text(x + _PAD, at, line, size=12, anchor="start", fill=INK))
        at += _LEAD
    at += 8 if box.notes else 0
    for line in box.notes:
        parts.append(text(x + _PAD, at, line, size=12, anchor="start", fill=SOFT, style="italic"))
        at += _LEAD
    return "".join(parts)


def _across(x: float, y: float) -> str:
    end = x + _GAP - 4
    return _line(f"M{number(x + 4)} {number(y)}H{number(end - 6)}") + _head(end, y, "right")


def _down(start: float, y: float, end: float) -> str:
    """Lead from the last box of a row to the first of the next."""
    middle, tip = y + (_GAP + 8) / 2, y + _GAP + 4
    return _line(
        f"M{number(start)} {number(y + 4)}V{number(middle)}H{number(end)}V{number(tip - 6)}"
    ) + _head(end, tip, "down")


def _line(d: str) -> str:
    return path(d, fill="none", stroke=_INK, stroke_width=1.8, stroke_linejoin="round")


def _head(x: float, y: float, towards: str) -> str:
    corners = (
        [(x, y), (x - 9, y - 5), (x - 9, y + 5)]
        if towards == "right"
        else [(x, y), (x - 5, y - 9), (x + 5, y - 9)]
    )
    return shape("polygon", points=points(corners), fill=_INK)
