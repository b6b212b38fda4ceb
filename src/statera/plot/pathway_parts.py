"""Parts of the pathway drawing: cell, receptor, kinase, arrows, dimer, DNA. Units: pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.numerics.interval import Interval
from statera.plot.band import pale
from statera.plot.inhibition import inhibition_colour, say_percent
from statera.plot.shapes import attributes, shape, text
from statera.plot.svg import number

__all__ = [
    "DRUG",
    "EDGE",
    "HEIGHT",
    "cell",
    "dimer",
    "hexagon",
    "kinase",
    "phosphate",
    "receptor",
    "signal_arrow",
    "transcript",
]

HEIGHT = 668.0
DRUG = "#6b2f7d"
EDGE = "#6f7b86"
_PHOSPHATE = "#e3b21c"
_OUTSIDE = "#f5f8fa"
_CYTOPLASM = "#fdf9f2"
_NUCLEUS = "#e9f0f7"
_LIPID = "#c9b48c"
_CHAIN = "#8fa3b3"
_STRENGTH = 0.62  # pale enough for dark text on every kinase, split ones included

_TOP = 52.0  # upper edge of the cell's surroundings
_MEMBRANE = 166.0
_MEMBRANE_END = 200.0
_NUCLEUS_TOP = 500.0
_DNA = 592.0
_KINASE = 262.0
_RADIUS = 26.0


def _path(d: str, **values: str | float) -> str:
    return shape("path", d=d, **values)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def hexagon(x: float, y: float, radius: float, fill: str, *, opacity: float = 1.0) -> str:
    """Return the sign of the drug."""
    corners = [
        (x + radius * math.cos(math.pi / 3 * i), y + radius * math.sin(math.pi / 3 * i))
        for i in range(6)
    ]
    return shape(
        "polygon",
        points=_points(corners),
        fill=fill,
        fill_opacity=opacity,
        stroke=DRUG,
        stroke_width=1.4,
    )


def phosphate(x: float, y: float, opacity: float) -> str:
    """Return a phosphate group, fainter where less signal is left."""
    group = shape(
        "circle", cx=x, cy=y, r=7, fill=_PHOSPHATE, stroke="#7a5d00", stroke_width=0.9
    ) + text(x, y + 3.6, "P", size=10, weight="700", fill="#2c2200")
    return f"<g{attributes(opacity=opacity)}>{group}</g>"


def cell(key: str, width: float, lanes: Sequence[float]) -> str:
    """Return the background: surroundings, membrane, cytoplasm, nucleus and DNA."""
    left, right = 8.0, width - 8.0
    inner = right - left
    lipids = (
        f"<defs><pattern{attributes(id=f'{key}-lipids', width=12, height=34, x=left, y=_MEMBRANE)}"
        ' patternUnits="userSpaceOnUse">'
        + shape("rect", width=12, height=34, fill="#f7efdd")
        + _path("M4.4 8V16.5M7.6 8V16.5M4.4 26V17.5M7.6 26V17.5", stroke=_LIPID, stroke_width=1.3)
        + "".join(shape("circle", cx=6, cy=y, r=4.3, fill=_LIPID) for y in (4.6, 29.4))
        + "</pattern></defs>"
    )
    nucleus = _nucleus(left + 14, right - 14, lanes)
    names = (
        ("outside the cell", _TOP + 17),
        ("cytoplasm", _MEMBRANE_END + 18),
        ("nucleus", _NUCLEUS_TOP + 34),
    )
    labels = "".join(
        text(
            left + (34 if name == "nucleus" else 12),
            y,
            name,
            size=11,
            anchor="start",
            fill="#56636f",
            style="italic",
        )
        for name, y in names
    )
    return (
        lipids
        + shape("rect", x=left, y=_TOP, width=inner, height=HEIGHT - _TOP - 8, rx=10, fill=_OUTSIDE)
        + _path(
            f"M{number(left)} {number(_MEMBRANE + 17)}H{number(right)}V{number(HEIGHT - 18)}"
            f"a10 10 0 0 1 -10 10H{number(left + 10)}a10 10 0 0 1 -10 -10Z",
            fill=_CYTOPLASM,
        )
        + shape("rect", x=left, y=_MEMBRANE, width=inner, height=34, fill=f"url(#{key}-lipids)")
        + nucleus
        + _dna(left + 44, right - 44)
        + labels
    )


def _nucleus(left: float, right: float, lanes: Sequence[float]) -> str:
    """Return the nucleus: its envelope is double and has a pore under each pathway."""
    bottom = HEIGHT - 20
    outline = (
        f"M{number(left)} {number(bottom - 40)}V{number(_NUCLEUS_TOP + 62)}"
        f"Q{number(left)} {number(_NUCLEUS_TOP)} {number(left + 90)} {number(_NUCLEUS_TOP)}"
        f"H{number(right - 90)}"
        f"Q{number(right)} {number(_NUCLEUS_TOP)} {number(right)} {number(_NUCLEUS_TOP + 62)}"
        f"V{number(bottom - 40)}Q{number(right)} {number(bottom)} {number(right - 50)} "
        f"{number(bottom)}H{number(left + 50)}Q{number(left)} {number(bottom)} {number(left)} "
        f"{number(bottom - 40)}Z"
    )
    pores = "".join(
        shape("rect", x=x - 19, y=_NUCLEUS_TOP - 5, width=38, height=10, fill=_NUCLEUS)
        + "".join(
            shape("rect", x=at - 3, y=_NUCLEUS_TOP - 7, width=6, height=14, rx=3, fill="#8196ab")
            for at in (x - 20, x + 20)
        )
        for x in lanes
    )
    return (
        _path(outline, fill=_NUCLEUS, stroke="#8fa6bd", stroke_width=6)
        + _path(outline, fill="none", stroke=_NUCLEUS, stroke_width=2)
        + pores
    )


def _dna(left: float, right: float) -> str:
    """Return a double helix along the nucleus."""
    height, wave = 11.0, 46.0
    count = round((right - left) / wave * 2)
    step = (right - left) / count
    strands = []
    for sign, ink in ((1, "#5d7f9f"), (-1, "#93a9bd")):
        d = f"M{number(left)} {number(_DNA)}"
        for index in range(count):
            peak = _DNA + sign * (height * 1.9 if index % 2 else -height * 1.9)
            d += f"q{number(step / 2)} {number(peak - _DNA)} {number(step)} 0"
        strands.append(_path(d, fill="none", stroke=ink, stroke_width=2.4))
    rungs = ""
    for index in range(count):
        for share in (0.25, 0.5, 0.75):
            x = left + (index + share) * step
            half = height * 0.95 * math.sin(math.pi * share)
            rungs += f"M{number(x)} {number(_DNA - half)}V{number(_DNA + half)}"
    return _path(rungs, stroke="#b6c5d3", stroke_width=1.4) + strands[1] + strands[0]


def receptor(
    x: float, chains: Sequence[float], names: Sequence[str], kinases: Sequence[float]
) -> str:
    """Return the cytokine, the chains through the membrane and their tails to the kinases."""
    parts = [
        shape("circle", cx=x + dx, cy=97 + dy, r=r, fill=fill, stroke="#3c6e57", stroke_width=1)
        for dx, dy, r, fill in ((-9, 1, 9, "#a9d3bb"), (9, 1, 9, "#a9d3bb"), (0, -3, 10, "#c3e2cf"))
    ]
    for at in kinases:
        nearest = min(chains, key=lambda chain: abs(chain - at))
        parts.append(
            _path(
                f"M{number(nearest)} {number(_MEMBRANE_END)}C{number(nearest)} "
                f"{number(_MEMBRANE_END + 20)} {number(at)} {number(_MEMBRANE_END + 14)} "
                f"{number(at)} {number(_KINASE - _RADIUS)}",
                fill="none",
                stroke=_CHAIN,
                stroke_width=7,
            )
        )
    for at, name in zip(chains, names, strict=True):
        parts.append(
            shape(
                "rect",
                x=at - 5,
                y=_MEMBRANE - 14,
                width=10,
                height=_MEMBRANE_END - _MEMBRANE + 26,
                rx=5,
                fill=_CHAIN,
                stroke="#5e7485",
                stroke_width=0.9,
            )
        )
        parts.append(
            shape(
                "rect",
                x=at - 31,
                y=118,
                width=62,
                height=35,
                rx=15,
                fill="#dbe4ea",
                stroke="#5e7485",
                stroke_width=1,
            )
        )
        size = 11 if len(name) <= 8 else max(7.5, 11 * 8.6 / len(name))
        parts.append(text(at, 139.5, name, size=size))
    return "".join(parts)


def kinase(x: float, name: str, inhibition: Interval | None, key: str) -> str:
    """Return a kinase coloured by its inhibition, the drug in its pocket and the value."""
    y, r = _KINASE, _RADIUS
    if inhibition is None:
        body = shape(
            "circle",
            cx=x,
            cy=y,
            r=r,
            fill="#f0f2f4",
            stroke=EDGE,
            stroke_width=1.4,
            stroke_dasharray="4 3",
        )
    else:
        low, high = (
            pale(inhibition_colour(end), _STRENGTH) for end in (inhibition.low, inhibition.high)
        )
        halves = [
            _path(
                f"M{number(x)} {number(y - r)}A{r:g} {r:g} 0 0 {sweep} {number(x)} "
                f"{number(y + r)}Z",
                fill=fill,
            )
            for sweep, fill in ((0, low), (1, high))
        ]
        body = "".join(halves) + shape(
            "circle", cx=x, cy=y, r=r, fill="none", stroke=EDGE, stroke_width=1.4
        )
    bound = 0.0 if inhibition is None else inhibition.midpoint
    drug = hexagon(
        x, y + r + 1, 8, DRUG if bound >= 0.05 else "#ffffff", opacity=0.15 + 0.85 * bound
    )
    ground = hexagon(x, y + r + 1, 8, "#ffffff")
    words = say_percent(inhibition)
    lines = [words]
    for start in ("at least ", "at most ", "not "):
        if words.startswith(start):
            lines = [start.strip(), words.removeprefix(start)]
    value = "".join(
        text(x, y + r + 24 + 14 * i, line, size=12, weight="700", halo=_CYTOPLASM)
        for i, line in enumerate(lines)
    )
    return body + text(x, y + 4.5, name, size=12.5, weight="600") + ground + drug + value


def _arrow(x: float, top: float, bottom: float, width: float) -> str:
    head = min(11.0, (bottom - top) / 2)
    half, wide = width / 2, width / 2 + 5.5
    return _points(
        [
            (x - half, top),
            (x + half, top),
            (x + half, bottom - head),
            (x + wide, bottom - head),
            (x, bottom),
            (x - wide, bottom - head),
            (x - half, bottom - head),
        ]
    )


def _wide(signal: float) -> float:
    return 1.5 + 12.5 * signal


def signal_arrow(x: float, top: float, bottom: float, inhibition: Interval | None) -> str:
    """Return an arrow as wide as the signal left: a core and, for bounds, a dashed sleeve."""
    if inhibition is None:
        return shape(
            "polygon",
            points=_arrow(x, top, bottom, 6),
            fill="#ffffff",
            stroke=EDGE,
            stroke_width=1,
            stroke_dasharray="3 3",
        )
    most, least = 1 - inhibition.low, 1 - inhibition.high
    parts = []
    if not inhibition.is_point:
        parts.append(
            shape(
                "polygon",
                points=_arrow(x, top, bottom, _wide(most)),
                fill=pale(inhibition_colour(inhibition.low), 0.45),
                stroke=EDGE,
                stroke_width=1,
                stroke_dasharray="3 2.5",
            )
        )
    if inhibition.is_point or least > 0:
        parts.append(
            shape(
                "polygon",
                points=_arrow(x, top, bottom, _wide(least)),
                fill=inhibition_colour(inhibition.high),
                stroke=EDGE,
                stroke_width=0.9,
            )
        )
    return "".join(parts)


def dimer(x: float, y: float, name: str, inhibition: Interval | None) -> str:
    """Return a phosphorylated STAT dimer."""
    left = 0.35 if inhibition is None else 0.25 + 0.75 * (1 - inhibition.midpoint)
    parts = [
        shape(
            "ellipse",
            cx=x + dx,
            cy=y + dy,
            rx=26,
            ry=14,
            fill=fill,
            stroke="#55697a",
            stroke_width=1,
        )
        for dx, dy, fill in ((5, 6, "#c2d2df"), (-3, -3, "#dce6ee"))
    ]
    parts.append(text(x - 3, y + 1.2, name, size=11.5, weight="600"))
    parts += [phosphate(x + 21, y - 12, left), phosphate(x + 31, y + 13, left)]
    return "".join(parts)


def transcript(x: float, y: float, inhibition: Interval | None) -> str:
    """Return the bent arrow of transcription and its name; its width is the signal left."""
    if inhibition is None:
        ink, width, dash = "#ffffff", 3.0, "3 2.5"
    else:
        ink = inhibition_colour(inhibition.low)
        width = 1.2 + 4.3 * (1 - inhibition.low)
        dash = "none" if inhibition.is_point else "3 2.5"
        if not inhibition.is_point:
            ink = pale(ink, 0.45)
    d = f"M{number(x + 26)} {number(y - 12)}V{number(y - 36)}H{number(x + 52)}"
    tip = _points([(x + 50, y - 43), (x + 50, y - 29), (x + 63, y - 36)])
    parts = [
        _path(d, fill="none", stroke=EDGE, stroke_width=width + 1.8, stroke_dasharray=dash),
        _path(d, fill="none", stroke=ink, stroke_width=width),
        shape(
            "polygon", points=tip, fill=ink, stroke=EDGE, stroke_width=0.9, stroke_dasharray=dash
        ),
        text(x + 26, y + 36, "transcription", size=11, fill="#56636f"),
    ]
    return "".join(parts)
