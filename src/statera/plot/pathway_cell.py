"""Background of the pathway drawing: membrane, cytoplasm, nucleus and DNA. Units: pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.plot.shapes import attributes, path, shape, text
from statera.plot.svg import number

__all__ = ["CYTOPLASM", "HEIGHT", "MEMBRANE", "MEMBRANE_END", "cell"]

HEIGHT = 668.0
CYTOPLASM = "#fdf9f2"
MEMBRANE = 166.0
MEMBRANE_END = 200.0
_OUTSIDE = "#f5f8fa"
_NUCLEUS = "#e9f0f7"
_LIPID = "#c9b48c"
_TOP = 52.0  # upper edge of the cell's surroundings
_NUCLEUS_TOP = 500.0
_DNA = 592.0


def cell(key: str, width: float, lanes: Sequence[float]) -> str:
    """Return the background: surroundings, membrane, cytoplasm, nucleus and DNA."""
    left, right = 8.0, width - 8.0
    inner = right - left
    lipids = (
        f"<defs><pattern{attributes(id=f'{key}-lipids', width=12, height=34, x=left, y=MEMBRANE)}"
        ' patternUnits="userSpaceOnUse">'
        + shape("rect", width=12, height=34, fill="#f7efdd")
        + path("M4.4 8V16.5M7.6 8V16.5M4.4 26V17.5M7.6 26V17.5", stroke=_LIPID, stroke_width=1.3)
        + "".join(shape("circle", cx=6, cy=y, r=4.3, fill=_LIPID) for y in (4.6, 29.4))
        + "</pattern></defs>"
    )
    nucleus = _nucleus(left + 14, right - 14, lanes)
    names = (
        ("outside the cell", _TOP + 17),
        ("cytoplasm", MEMBRANE_END + 18),
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
        + path(
            f"M{number(left)} {number(MEMBRANE + 17)}H{number(right)}V{number(HEIGHT - 18)}"
            f"a10 10 0 0 1 -10 10H{number(left + 10)}a10 10 0 0 1 -10 -10Z",
            fill=CYTOPLASM,
        )
        + shape("rect", x=left, y=MEMBRANE, width=inner, height=34, fill=f"url(#{key}-lipids)")
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
        path(outline, fill=_NUCLEUS, stroke="#8fa6bd", stroke_width=6)
        + path(outline, fill="none", stroke=_NUCLEUS, stroke_width=2)
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
        strands.append(path(d, fill="none", stroke=ink, stroke_width=2.4))
    rungs = ""
    for index in range(count):
        for share in (0.25, 0.5, 0.75):
            x = left + (index + share) * step
            half = height * 0.95 * math.sin(math.pi * share)
            rungs += f"M{number(x)} {number(_DNA - half)}V{number(_DNA + half)}"
    return path(rungs, stroke="#b6c5d3", stroke_width=1.4) + strands[1] + strands[0]
