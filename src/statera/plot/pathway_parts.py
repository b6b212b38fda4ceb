"""Parts of the pathway drawing: receptor, kinase, arrows, dimer, transcription. Units: pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.numerics.interval import Interval
from statera.plot.band import pale
from statera.plot.inhibition import inhibition_colour, say_percent
from statera.plot.pathway_cell import CYTOPLASM, MEMBRANE, MEMBRANE_END
from statera.plot.shapes import attributes, path, points, shape, text
from statera.plot.svg import number

__all__ = [
    "DRUG",
    "EDGE",
    "dimer",
    "hexagon",
    "kinase",
    "phosphate",
    "receptor",
    "signal_arrow",
    "transcript",
]

DRUG = "#6b2f7d"
EDGE = "#6f7b86"
_PHOSPHATE = "#e3b21c"
_CHAIN = "#8fa3b3"
_STRENGTH = 0.62  # pale enough for dark text on every kinase, split ones included

_KINASE = 262.0
_RADIUS = 26.0


def hexagon(x: float, y: float, radius: float, fill: str, *, opacity: float = 1.0) -> str:
    """Return the sign of the drug."""
    corners = [
        (x + radius * math.cos(math.pi / 3 * i), y + radius * math.sin(math.pi / 3 * i))
        for i in range(6)
    ]
    return shape(
        "polygon",
        points=points(corners),
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
            path(
                f"M{number(nearest)} {number(MEMBRANE_END)}C{number(nearest)} "
                f"{number(MEMBRANE_END + 20)} {number(at)} {number(MEMBRANE_END + 14)} "
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
                y=MEMBRANE - 14,
                width=10,
                height=MEMBRANE_END - MEMBRANE + 26,
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
            path(
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
        text(x, y + r + 24 + 14 * i, line, size=12, weight="700", halo=CYTOPLASM)
        for i, line in enumerate(lines)
    )
    return body + text(x, y + 4.5, name, size=12.5, weight="600") + ground + drug + value


def _arrow(x: float, top: float, bottom: float, width: float) -> str:
    head = min(11.0, (bottom - top) / 2)
    half, wide = width / 2, width / 2 + 5.5
    return points(
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
    tip = points([(x + 50, y - 43), (x + 50, y - 29), (x + 63, y - 36)])
    parts = [
        path(d, fill="none", stroke=EDGE, stroke_width=width + 1.8, stroke_dasharray=dash),
        path(d, fill="none", stroke=ink, stroke_width=width),
        shape(
            "polygon", points=tip, fill=ink, stroke=EDGE, stroke_width=0.9, stroke_dasharray=dash
        ),
        text(x + 26, y + 36, "transcription", size=11, fill="#56636f"),
    ]
    return "".join(parts)
