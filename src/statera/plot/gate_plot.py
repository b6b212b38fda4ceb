"""Gates over the events of wells, as small multiples.

Density is drawn as a few filled shapes (levels of the count in a bin), not as points: a panel
takes some kilobytes whatever the number of events. Drawn by hand for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from statera.plot.shapes import FONT, attributes, path, shape, text
from statera.plot.svg import number, open_tag
from statera.plot.theme import INK, LINE, PALETTE, SOFT

__all__ = ["GateAxes", "GatePanel", "clip_segment", "draw_gate", "nice_ticks", "run_shapes"]

Floats = NDArray[np.float64]
Point = tuple[float, float]

_BINS, _COLUMNS_1D = 48, 72
# Levels of density, pale to dark: counts of a bin at even steps of the logarithm, up to the
# largest of all panels, so that the same colour is the same count.
_LEVELS = ("#c3d9ea", "#8fbcdb", "#5596c6", "#2b6ca8", "#123f6e")
_GATE, _INSIDE = PALETTE[1], "#f6dccf"
_SIDE, _GAP_X, _GAP_Y, _LEFT, _TOP, _BOTTOM = 132.0, 16.0, 42.0, 50.0, 34.0, 38.0


@dataclass(frozen=True)
class GatePanel:
    """One well.

    Attributes
    ----------
    label
        Name of the well.
    x, y : (n,) float64
        Events of the parent; `y` is empty for a gate of one dimension.
    outline : (n_points, 2) float64
        Corners, NaN between pieces, infinite where open; for one dimension the ends in the first
        column.
    share, count
        Of the parent's events inside, and how many.
    note
        Set under the label, such as why the well is shown.
    """

    label: str
    x: Floats
    y: Floats
    outline: Floats
    share: float
    count: int
    note: str = ""


@dataclass(frozen=True)
class GateAxes:
    """Names of the axes (`y` is empty for one dimension), and panels in a row."""

    x: str
    y: str = ""
    columns: int = 6


@dataclass(frozen=True)
class _Window:
    """Limits of all panels in data, and the largest count in a bin."""

    x: tuple[float, float]
    y: tuple[float, float]
    most: float = 1.0

    def place(self, points: Floats) -> Floats:
        """Return data as positions in a panel; infinite ones lie on its frame."""
        found = np.empty_like(points)
        for axis, (low, high) in enumerate((self.x, self.y)):
            value = points[:, axis]
            value = np.where(np.isinf(value), np.where(value > 0, high, low), value)
            share = (value - low) / (high - low)
            found[:, axis] = _SIDE * (share if axis == 0 else 1.0 - share)
        return found


def draw_gate(
    panels: Sequence[GatePanel], axes: GateAxes, *, key: str, title: str, alt: str
) -> str:
    """Return one gate over several wells as SVG, all on the same axes.

    Events beyond an axis count in its outermost bin.

    Parameters
    ----------
    panels
        Wells in the order drawn.
    axes
        Names of the axes, and panels in a row.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no panel.
    """
    if not panels:
        raise ValueError("a drawing of a gate needs at least one panel")
    flat = not axes.y
    window = _Window(
        _limits([p.x for p in panels], [p.outline for p in panels], 0),
        (0.0, 1.0) if flat else _limits([p.y for p in panels], [p.outline for p in panels], 1),
    )
    if not flat:
        most = max(float(_counts(p, window).max()) for p in panels)
        window = replace(window, most=max(most, 1.0))
    across = min(axes.columns, len(panels))
    rows = -(-len(panels) // across)
    left = 22.0 if flat else _LEFT
    width = left + across * _SIDE + (across - 1) * _GAP_X + 14
    width = max(width, left + 14 + 6.4 * len(axes.x), 240.0)
    height = _TOP + rows * _SIDE + (rows - 1) * _GAP_Y + _BOTTOM
    parts = [
        open_tag(key, title, alt, (width, height), natural=width),
        f"<g{attributes(font_family=FONT)}>",
    ]
    for index, panel in enumerate(panels):
        column, row = index % across, index // across
        corner = (left + column * (_SIDE + _GAP_X), _TOP + row * (_SIDE + _GAP_Y))
        lowest = index + across >= len(panels)
        parts.append(_panel(panel, window, corner, flat, (lowest, column == 0)))
    parts.append(text(left + across * _SIDE / 2, height - 6, axes.x, size=12, anchor="middle"))
    if not flat:
        middle = _TOP + (height - _TOP - _BOTTOM) / 2
        name = text(12, middle, axes.y, size=12)
        parts.append(f'<g transform="rotate(-90 12 {number(middle)})">{name}</g>')
    parts += ["</g>", "</svg>"]
    return "".join(parts)


def _limits(values: Sequence[Floats], outlines: Sequence[Floats], axis: int) -> tuple[float, float]:
    """Return the limits of an axis: nearly all events, and the gate where events are near."""
    joined = np.concatenate([v[np.isfinite(v)] for v in values]) if values else np.zeros(0)
    if joined.size == 0:
        joined = np.array([0.0, 1.0])
    low, high = (float(v) for v in np.quantile(joined, [0.002, 0.998]))
    ends = float(joined.min()), float(joined.max())
    corners = np.concatenate([o[:, axis] for o in outlines if o.size] or [np.zeros(0)])
    corners = corners[np.isfinite(corners)]
    if corners.size:
        reach = 0.1 * (ends[1] - ends[0])
        low = min(low, max(float(corners.min()), ends[0] - reach))
        high = max(high, min(float(corners.max()), ends[1] + reach))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    gap = 0.04 * (high - low)
    return low - gap, high + gap


def _panel(
    panel: GatePanel,
    window: _Window,
    corner: tuple[float, float],
    flat: bool,
    outer: tuple[bool, bool],
) -> str:
    """Draw one well; `outer` says whether the panel carries numbers below and at the left."""
    x, y = corner
    share = f"{100 * panel.share:.1f} %" if math.isfinite(panel.share) else "no events"
    events = f"{panel.count:,}".replace(",", "\u2009")  # thin space between thousands
    parts = [
        text(x, y - 18, panel.label, size=12, anchor="start", weight="600"),
        text(x + _SIDE, y - 18, share, size=12, anchor="end", weight="600", fill=INK),
        text(x + _SIDE, y - 5, f"{events} events", size=10.5, anchor="end", fill=SOFT),
        text(x, y - 5, panel.note, size=10.5, anchor="start", fill=SOFT) if panel.note else "",
        f'<g transform="translate({number(x)} {number(y)})">',
        shape("rect", x=0, y=0, width=_SIDE, height=_SIDE, fill="#ffffff", stroke=LINE),
        _histogram(panel, window) if flat else _density(panel, window),
        "</g>",
        _numbers(window, corner, flat, outer),
    ]
    return "".join(parts)


def _bins(values: Floats, limits: tuple[float, float], count: int) -> NDArray[np.int64]:
    low, high = limits
    at = np.floor((values - low) / (high - low) * count)
    return np.clip(at, 0, count - 1).astype(np.int64)


def _counts(panel: GatePanel, window: _Window) -> Floats:
    """Return events by bin, the highest row first."""
    known = np.isfinite(panel.x) & np.isfinite(panel.y)
    counts = np.zeros((_BINS, _BINS))
    across = _bins(panel.x[known], window.x, _BINS)
    up = _bins(panel.y[known], window.y, _BINS)
    np.add.at(counts, (_BINS - 1 - up, across), 1.0)
    return counts


def _density(panel: GatePanel, window: _Window) -> str:
    counts = _counts(panel, window)
    scale = number(_SIDE / _BINS)
    parts = [f'<g transform="scale({scale})">']
    height = np.log1p(counts) / np.log1p(window.most)
    level = np.minimum((height * len(_LEVELS)).astype(np.int64), len(_LEVELS) - 1)
    for k, colour in enumerate(_LEVELS):
        shapes = run_shapes((counts > 0) & (level == k))
        if shapes:
            parts.append(path(shapes, fill=colour))
    parts.append("</g>")
    return "".join(parts) + _outline(panel.outline, window)


def run_shapes(mask: NDArray[np.bool_]) -> str:
    """Return the true bins of a (rows, columns) mask as one path, a rectangle for every run."""
    found = []
    for row, line in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            found.append(f"M{start} {row}h{end - start}v1h{start - end}z")
    return "".join(found)


def _outline(outline: Floats, window: _Window) -> str:
    placed = window.place(outline)
    d: list[str] = []
    last: Point | None = None
    for p, q in pairwise([(float(x), float(y)) for x, y in placed]):
        part = clip_segment(p, q)
        if part is None:
            continue
        start, end = part
        if start != last:
            d.append(f"M{number(start[0])} {number(start[1])}")
        d.append(f"L{number(end[0])} {number(end[1])}")
        last = end
    if not d:
        return ""
    # A white line under the coloured one keeps it visible over dense bins.
    return path("".join(d), fill="none", stroke="#ffffff", stroke_width=2.8) + path(
        "".join(d), fill="none", stroke=_GATE, stroke_width=1.7
    )


def clip_segment(p: Point, q: Point, side: float = _SIDE) -> tuple[Point, Point] | None:
    """Return the part of a segment that lies in a square from 0 to `side`; None for none.

    Corners far outside are cut along their edges, not moved to the frame: that would change the
    slope of an edge. Method: Liang and Barsky, ACM Trans Graph 1984 (doi 10.1145/357332.357333).
    """
    if any(math.isnan(v) for v in (*p, *q)):
        return None
    start, end = 0.0, 1.0
    step = (q[0] - p[0], q[1] - p[1])
    for axis in (0, 1):
        if step[axis] == 0.0:
            if not 0.0 <= p[axis] <= side:
                return None
            continue
        ends = sorted((-p[axis] / step[axis], (side - p[axis]) / step[axis]))
        start, end = max(start, ends[0]), min(end, ends[1])
    if start >= end:
        return None

    def at(share: float) -> Point:
        return (p[0] + share * step[0], p[1] + share * step[1])

    return (p if start == 0.0 else at(start), q if end == 1.0 else at(end))


def _histogram(panel: GatePanel, window: _Window) -> str:
    values = panel.x[np.isfinite(panel.x)]
    counts = np.bincount(_bins(values, window.x, _COLUMNS_1D), minlength=_COLUMNS_1D)
    top = float(counts.max()) if values.size else 1.0
    marks = [float(v) for v in panel.outline[:, 0] if not math.isnan(v)]
    ends = window.place(np.array([[v, 0.0] for v in marks]).reshape(-1, 2))[:, 0]
    placed = np.clip(ends, 0.0, _SIDE).tolist()
    parts = []
    if len(placed) == 2:
        low, high = sorted(placed)
        parts.append(shape("rect", x=low, y=0, width=high - low, height=_SIDE, fill=_INSIDE))
    step = _SIDE / _COLUMNS_1D
    d = [f"M0 {number(_SIDE)}"]
    for index, count in enumerate(counts.tolist()):
        level = _SIDE - 0.92 * _SIDE * count / max(top, 1.0)
        d.append(f"L{number(index * step)} {number(level)}H{number((index + 1) * step)}")
    d.append(f"V{number(_SIDE)}Z")
    parts.append(path("".join(d), fill=_LEVELS[2], fill_opacity=0.85))
    for value, at in zip(marks, placed, strict=True):
        if math.isfinite(value):
            parts.append(path(f"M{number(at)} 0V{number(_SIDE)}", stroke=_GATE, stroke_width=1.8))
    return "".join(parts)


def nice_ticks(low: float, high: float, most: int = 4) -> tuple[float, ...]:
    """Return at most about `most` round numbers between two ends."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1.0, 2.0, 5.0, 10.0) if power * m >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(k * step, 12) + 0.0 for k in range(first, last + 1))


def _tick_text(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}".replace("-", "−")


def _numbers(
    window: _Window, corner: tuple[float, float], flat: bool, outer: tuple[bool, bool]
) -> str:
    x, y = corner
    parts = []
    below, at_left = outer
    low, high = window.x
    for value in nice_ticks(low, high):
        at = x + _SIDE * (value - low) / (high - low)
        d = f"M{number(at)} {number(y + _SIDE)}v4"
        parts.append(path(d, stroke=LINE))
        if below:
            parts.append(text(at, y + _SIDE + 15, _tick_text(value), size=10, fill=SOFT))
    if flat:
        return "".join(parts)
    low, high = window.y
    for value in nice_ticks(low, high):
        at = y + _SIDE * (1 - (value - low) / (high - low))
        parts.append(path(f"M{number(x)} {number(at)}h-4", stroke=LINE))
        if at_left:
            parts.append(text(x - 6, at + 3.5, _tick_text(value), size=10, anchor="end", fill=SOFT))
    return "".join(parts)
