"""A plate seen from above: what each well holds, by colour and by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.plot.shapes import FONT, attributes, shape, text
from statera.plot.svg import open_tag
from statera.plot.theme import INK, LINE, PALETTE, SHADE, SOFT, colour

__all__ = [
    "BUFFER",
    "DOSE",
    "FMO",
    "SINGLE_STAIN",
    "STIMULATED",
    "UNSTAINED",
    "UNSTIMULATED",
    "WellKind",
    "WellMark",
    "draw_plate_map",
]

_EDGE, _HEAD, _SIDE = 8.0, 24.0, 26.0
_GAP = 3.0
_CHIP, _ROW = 16.0, 24.0


@dataclass(frozen=True)
class WellKind:
    """A kind of well in the legend: its fill, and the colour of the letters on it."""

    name: str
    fill: str
    ink: str = INK
    dashed: bool = False


@dataclass(frozen=True)
class WellMark:
    """One well.

    Attributes
    ----------
    row, column
        From 0.
    kind
        Index of its kind.
    label
        Short: a dose or a control.
    group
        Index of its group, such as donor and cytokine; None where it has none.
    level
        From 0 to 1: darkens the fill, for doses.
    detail
        What a reader sees on pointing at it.
    """

    row: int
    column: int
    kind: int
    label: str
    group: int | None = None
    level: float | None = None
    detail: str = ""


def draw_plate_map(
    wells: Sequence[WellMark],
    kinds: Sequence[WellKind],
    groups: Sequence[str],
    *,
    shape_of: tuple[int, int],
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a plate as SVG.

    Wells are coloured by kind and labelled; a bar at the left of a well has the colour of its
    group, and larger wells name it. Places without a well are outlined.

    Parameters
    ----------
    wells
        At most one a place.
    kinds, groups
        What `WellMark.kind` and `WellMark.group` refer to.
    shape_of
        Rows and columns of the plate.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If a place is taken twice or lies outside the plate.
    """
    rows, columns = shape_of
    places = {(w.row, w.column): w for w in wells}
    inside = all(0 <= r < rows and 0 <= c < columns for r, c in places)
    if len(places) < len(wells) or not inside:
        raise ValueError("plate map: every well needs a place of its own on the plate")
    small = columns > 12
    cell = (46.0, 32.0) if small else (76.0, 46.0)
    width = 2 * _EDGE + _SIDE + columns * cell[0]
    grid = _HEAD + rows * cell[1]
    used = sorted({w.kind for w in wells})
    present = sorted({w.group for w in wells if w.group is not None})
    chips = _legend([kinds[k] for k in used], [(g, groups[g]) for g in present], width)
    height = 2 * _EDGE + grid + 12.0 + chips[1]
    parts = [open_tag(key, title, alt, (width, height), natural=width)]
    parts.append(f"<g{attributes(font_family=FONT)}>")
    for c in range(columns):
        x = _EDGE + _SIDE + (c + 0.5) * cell[0]
        parts.append(text(x, _EDGE + 15, str(c + 1), size=12, fill=SOFT, weight="600"))
    for r in range(rows):
        y = _EDGE + _HEAD + (r + 0.5) * cell[1] + 4
        name = chr(ord("A") + r)
        parts.append(text(_EDGE + 10, y, name, size=12, fill=SOFT, weight="600"))
        for c in range(columns):
            at = (_EDGE + _SIDE + c * cell[0], _EDGE + _HEAD + r * cell[1])
            well = places.get((r, c))
            parts.append(_well(well, kinds, groups, at, cell, small=small))
    parts.append(f'<g transform="translate(0 {_EDGE + grid + 12:g})">{chips[0]}</g>')
    parts += ["</g>", "</svg>"]
    return "".join(parts)


def _well(
    well: WellMark | None,
    kinds: Sequence[WellKind],
    groups: Sequence[str],
    at: tuple[float, float],
    cell: tuple[float, float],
    *,
    small: bool,
) -> str:
    x, y = at[0] + _GAP / 2, at[1] + _GAP / 2
    w, h = cell[0] - _GAP, cell[1] - _GAP
    if well is None:
        return shape(
            "rect", x=x, y=y, width=w, height=h, rx=4, fill="none", stroke=LINE,
            stroke_width=0.7, stroke_dasharray="2 3",
        )  # fmt: skip
    kind = kinds[well.kind]
    fill, ink = kind.fill, kind.ink
    if well.level is not None:
        fill = _shade(well.level)
        ink = _ink(fill)
    more = {"stroke_dasharray": "3 2"} if kind.dashed else {}
    parts = [
        shape(
            "rect", x=x, y=y, width=w, height=h, rx=4, fill=fill, stroke=LINE,
            stroke_width=0.7, **more,
        )
    ]  # fmt: skip
    if well.group is not None:
        parts.append(
            shape(
                "rect",
                x=x + 1,
                y=y + 3,
                width=5,
                height=h - 6,
                rx=2,
                fill=_group(well.group),
                stroke="#ffffff",
                stroke_width=1,
            )
        )
    middle = x + w / 2 + (2.5 if well.group is not None else 0.0)
    named = well.group is not None and not small
    label = _cut(well.label, w - 10)
    size = _fitting(label, w - 10, 12.0 if small else 13.0)
    baseline = y + h / 2 + (-1.0 if named else 0.36 * size)
    if label:
        weight = "600" if not small else "400"
        parts.append(text(middle, baseline, label, size=size, fill=ink, weight=weight))
    if named and well.group is not None:
        name = groups[well.group]
        if _fitting(name, w - 12, 10.0) < 8.0:
            name = name.partition(",")[0]
        parts.append(text(middle, y + h - 8, name, size=_fitting(name, w - 12, 10.0), fill=ink))
    return "".join(parts)


def _cut(label: str, width: float) -> str:
    """Return a label that fits at a size that can be read, its end cut off if need be."""
    most = int(width / (0.58 * 8.0))
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _fitting(label: str, width: float, size: float) -> float:
    """Return the size of type at which a label fits, in common fonts."""
    return min(size, width / (0.58 * max(len(label), 1)))


def _ink(fill: str) -> str:
    """Return the colour of letters with more contrast on a fill (WCAG 2 relative luminance)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if light < 0.22 else INK


def _shade(level: float) -> str:
    """Return a blue by level; the middle tones, on which no letters read well, are left out."""
    if level < 0.5:
        return _between("#eaf3f9", "#93bfdb", 2.0 * level)
    return _between("#2d6a97", "#083a5e", 2.0 * level - 1.0)


def _group(index: int) -> str:
    """Return the colour of a group; paler the second time round."""
    if index < len(PALETTE):
        return colour(index)
    return _between(colour(index), "#ffffff", 0.5)


def _between(low: str, high: str, share: float) -> str:
    ends = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (low, high)]
    mixed = [round(a + (b - a) * min(max(share, 0.0), 1.0)) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{v:02x}" for v in mixed)


def _legend(
    kinds: Sequence[WellKind], groups: Sequence[tuple[int, str]], width: float
) -> tuple[str, float]:
    """Return the legend, kinds above groups, and its height."""
    parts: list[str] = []
    y = 0.0
    entries = [(k.name, k.fill, 6.0, k.dashed) for k in kinds]
    bars = [(name, _group(index), 2.0, False) for index, name in groups]
    for row in (entries, bars):
        x = _EDGE + _SIDE
        for name, fill, radius, dashed in row:
            step = _CHIP + 8 + 7.2 * len(name) + 24
            if x + step > width and x > _EDGE + _SIDE:
                x, y = _EDGE + _SIDE, y + _ROW
            wide = _CHIP if row is entries else 5.0
            more = {"stroke_dasharray": "3 2"} if dashed else {}
            parts.append(
                shape(
                    "rect", x=x, y=y, width=wide, height=_CHIP, rx=radius / 2, fill=fill,
                    stroke=LINE, stroke_width=0.7, **more,
                )
            )  # fmt: skip
            parts.append(text(x + wide + 6, y + 12.5, name, size=12.5, anchor="start", fill=INK))
            x += step - (_CHIP - wide)
        if row:
            y += _ROW
    return "".join(parts), y


#: Fills of the usual kinds of wells; told apart by label too.
UNSTIMULATED = WellKind("unstimulated, vehicle (U)", "#f6e7c1")
STIMULATED = WellKind("stimulated, vehicle (S)", "#f3c6ae")
DOSE = WellKind("dose of drug, darker is higher", "#6fa8cb")
FMO = WellKind("FMO", "#e3cfe6")
SINGLE_STAIN = WellKind("single stain", "#cfe8d5")
UNSTAINED = WellKind("unstained", "#ffffff")
BUFFER = WellKind("no cells: buffer", SHADE, SOFT, dashed=True)
