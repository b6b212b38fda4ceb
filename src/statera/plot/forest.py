"""Forest plots of differences and of ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.plot.forest_axis import (
    ForestAxis,
    Scale,
    check_interval,
    draw_arrows,
    draw_axis,
    draw_diamond,
    number_text,
)
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import PALETTE, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ForestGroup", "ForestOptions", "ForestRow", "draw_forest"]


@dataclass(frozen=True)
class ForestRow:
    """One estimate.

    Attributes
    ----------
    label
        Name of the row, such as the trial, the dose and the time.
    estimate
        Value drawn; None where there is none, and then `text` should say why.
    low, high
        Ends of the interval; without them the mark is hollow and the text says "no interval".
    counts
        Text per arm, as many as `ForestOptions.arms`.
    text
        Text at the right; made from the numbers where empty.
    pooled
        Whether the row is a pooled estimate, drawn as a diamond.
    """

    label: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    counts: tuple[str, ...] = ()
    text: str = ""
    pooled: bool = False


@dataclass(frozen=True)
class ForestGroup:
    """Rows under a heading; an empty heading is not drawn."""

    heading: str
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True)
class ForestOptions:
    """How the plot is drawn.

    Attributes
    ----------
    scale
        ``difference`` (linear, reference 0) or ``ratio`` (logarithmic, reference 1).
    x_label
        Name and unit of the measure.
    row_head, estimate_head
        Headings above the labels and above the estimates.
    arms
        Headings of the columns of counts.
    favours
        What the left and the right of the reference line speak for; empty texts are not drawn.
    limits
        Ends of the axis; chosen from the estimates where None. Intervals beyond end in arrows.
    decimals
        Decimals of the estimates.
    """

    scale: Scale = "difference"
    x_label: str = ""
    row_head: str = ""
    estimate_head: str = "Estimate (95 % CI)"
    arms: tuple[str, ...] = ()
    favours: tuple[str, str] = ("", "")
    limits: tuple[float, float] | None = None
    decimals: int = 1

    @property
    def reference(self) -> float:
        """Value of no effect."""
        return 1.0 if self.scale == "ratio" else 0.0


def draw_forest(
    groups: Sequence[ForestGroup],
    options: ForestOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a forest plot as SVG.

    Parameters
    ----------
    groups
        Rows by heading, in the order drawn.
    options
        Scale, labels and limits.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no row, an interval is half given or out of order, or a ratio is not positive.
    """
    chosen = options or ForestOptions()
    lines, entries = _lines(groups, chosen)
    with theme():
        heads = Heads(
            label=chosen.row_head,
            texts=chosen.arms,
            right=chosen.estimate_head,
            foot=0.82 if any(chosen.favours) else 0.54,
        )
        frame = draw_frame(lines, heads)
        values = [v for e in entries if e is not None for v in (e.low, e.estimate, e.high)]
        axis = ForestAxis(
            chosen.scale, chosen.reference, chosen.x_label, chosen.favours, chosen.limits,
            reach=10.0, ticks=7,
        )  # fmt: skip
        draw_axis(frame, values, axis)
        for centre, entry in zip(frame.centres, entries, strict=True):
            if entry is not None and entry.estimate is not None:
                _mark(frame.axes, centre, entry)
        return to_svg(frame.figure, key, title, alt)


def _lines(
    groups: Sequence[ForestGroup], options: ForestOptions
) -> tuple[list[Row], list[ForestRow | None]]:
    lines: list[Row] = []
    entries: list[ForestRow | None] = []
    for group in groups:
        if group.heading:
            lines.append(Row(group.heading, heading=True))
            entries.append(None)
        for row in group.rows:
            check_interval(row.label, row.low, row.estimate, row.high, options.scale)
            lines.append(Row(row.label, row.counts, row.text or _text(row, options)))
            entries.append(row)
    return lines, entries


def _text(row: ForestRow, options: ForestOptions) -> str:
    if row.estimate is None:
        return "no estimate"
    middle = number_text(row.estimate, options.decimals)
    if row.low is None or row.high is None:
        return f"{middle} (no interval)"
    low, high = (number_text(end, options.decimals) for end in (row.low, row.high))
    return f"{middle} ({low} to {high})"


def _mark(axes: Axes, y: float, row: ForestRow) -> None:
    low, high = axes.get_xlim()
    estimate = row.estimate
    if estimate is None:
        return
    strong = PALETTE[0]
    if row.low is None or row.high is None:
        if low <= estimate <= high:
            axes.plot([estimate], [y], "s", ms=6.5, mfc="white", mec=strong, mew=1.5, clip_on=False)
        return
    if row.pooled:
        draw_diamond(axes, y, estimate, row.low, row.high)
    else:
        ends = [max(row.low, low), min(row.high, high)]
        axes.plot(ends, [y, y], color=strong, linewidth=1.6, solid_capstyle="butt")
        if low <= estimate <= high:
            axes.plot([estimate], [y], "s", ms=6.5, color=strong, mec="white", mew=0.6)
    draw_arrows(axes, y, row.low, row.high, strong)
