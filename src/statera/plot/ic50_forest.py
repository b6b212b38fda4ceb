"""IC50s with their intervals on a logarithmic axis, and the doses that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from statera.plot.points import logarithmic_axis
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SHADE, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Ic50Group", "Ic50Row", "draw_ic50_forest"]


@dataclass(frozen=True)
class Ic50Row:
    """One IC50.

    Attributes
    ----------
    label
        Such as the donor.
    text
        Value and status in words; always there.
    estimate
        Drawn as a mark; None draws none.
    interval
        Ends; 0 or infinite where open, and then an arrow.
    pooled
        Over donors, drawn as a diamond.
    """

    label: str
    text: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    pooled: bool = False


@dataclass(frozen=True)
class Ic50Group:
    """Rows under a heading."""

    heading: str
    rows: tuple[Ic50Row, ...]


def draw_ic50_forest(
    groups: Sequence[Ic50Group],
    doses: tuple[float, float],
    *,
    key: str,
    title: str,
    alt: str,
    x_label: str = "IC50 (nM)",
) -> str:
    """Return IC50s as SVG.

    Parameters
    ----------
    groups
        Rows by heading, in the order drawn.
    doses
        Lowest and highest dose above 0; the range between them is shaded.
    key, title, alt
        Anchor, name and description of the drawing.
    x_label
        Name and unit.

    Raises
    ------
    ValueError
        If there is no row, or a dose is not above 0.
    """
    if not 0 < doses[0] <= doses[1]:
        raise ValueError("a chart of IC50s needs the lowest and the highest dose, both above 0")
    lines: list[Row] = []
    marks: list[Ic50Row | None] = []
    for group in groups:
        lines.append(Row(group.heading, heading=True))
        marks.append(None)
        for row in group.rows:
            lines.append(Row(row.label, right=row.text))
            marks.append(row)
    low, high = _limits([m for m in marks if m is not None], doses)
    with theme():
        heads = Heads(
            label="Donor", right="IC50, nM, with interval and status", width=9.6, label_width=2.0,
            right_width=3.7, pad=0.085,
        )  # fmt: skip
        frame = draw_frame(lines, heads)
        axes = frame.axes
        logarithmic_axis(axes, "x")
        axes.set_xlim(low, high)
        axes.axvspan(doses[0], doses[1], color=SHADE, zorder=0.1, linewidth=0)
        for centre, mark in zip(frame.centres, marks, strict=True):
            if mark is not None:
                _mark(axes, centre, mark, (low, high))
        axes.set_xlabel(f"{x_label}; shaded: from the lowest to the highest dose", size=9.5)
        return to_svg(frame.figure, key, title, alt)


def _limits(rows: Sequence[Ic50Row], doses: tuple[float, float]) -> tuple[float, float]:
    """Return the axis: the doses and a decade around them at most."""
    values = [v for row in rows for v in (row.estimate, *(row.interval or ())) if v]
    known = np.array([v for v in values if np.isfinite(v)] + list(doses))
    low = max(float(known.min()), doses[0] / 10.0)
    high = min(float(known.max()), doses[1] * 10.0)
    return low / 1.5, high * 1.5


def _mark(axes: Axes, y: float, row: Ic50Row, limits: tuple[float, float]) -> None:
    ink = INK if row.pooled else PALETTE[0]
    if row.interval is not None:
        low, high = row.interval
        ends = (max(low, limits[0] * 1.06), min(high, limits[1] / 1.06))
        if ends[0] < ends[1]:
            axes.plot(ends, [y, y], color=ink, linewidth=1.5, solid_capstyle="butt")
        if low < limits[0]:
            axes.plot([ends[0]], [y], "<", ms=6, mfc=ink, mec=ink)
        if high > limits[1]:
            axes.plot([ends[1]], [y], ">", ms=6, mfc=ink, mec=ink)
    if row.estimate is not None and limits[0] < row.estimate < limits[1]:
        marker = "D" if row.pooled else "o"
        axes.plot([row.estimate], [y], marker, ms=6.2, mfc=ink, mec="white", mew=0.6, zorder=4)
    elif row.estimate is None and row.interval is None:
        axes.plot(limits, [y, y], color=LINE, linewidth=0.8, linestyle=(0, (1, 3)))
