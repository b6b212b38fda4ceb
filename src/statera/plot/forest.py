"""Forest plots of differences and of ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from statera.plot.rows import Frame, Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, theme

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

    scale: Literal["difference", "ratio"] = "difference"
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
        _axis(frame, entries, chosen)
        for centre, entry in zip(frame.centres, entries, strict=True):
            if entry is not None and entry.estimate is not None:
                _mark(frame.axes, centre, entry, chosen)
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
            _check(row, options)
            lines.append(Row(row.label, row.counts, row.text or _text(row, options)))
            entries.append(row)
    return lines, entries


def _check(row: ForestRow, options: ForestOptions) -> None:
    if (row.low is None) != (row.high is None):
        raise ValueError(f"forest row '{row.label}': an interval needs both ends")
    ordered = [v for v in (row.low, row.estimate, row.high) if v is not None]
    if ordered != sorted(ordered):
        raise ValueError(f"forest row '{row.label}': the estimate is not within its interval")
    if options.scale == "ratio" and any(v <= 0 for v in ordered):
        raise ValueError(f"forest row '{row.label}': a ratio must be positive")


def _text(row: ForestRow, options: ForestOptions) -> str:
    if row.estimate is None:
        return "no estimate"

    def show(value: float) -> str:
        return f"{value:.{options.decimals}f}".replace("-", "−")

    if row.low is None or row.high is None:
        return f"{show(row.estimate)} (no interval)"
    return f"{show(row.estimate)} ({show(row.low)} to {show(row.high)})"


def _limits(entries: Sequence[ForestRow | None], options: ForestOptions) -> tuple[float, float]:
    if options.limits is not None:
        return options.limits
    values = [options.reference]
    for row in entries:
        if row is not None:
            values += [v for v in (row.low, row.estimate, row.high) if v is not None]
    if options.scale == "ratio":
        # One extreme interval must not squeeze all others: it ends in an arrow instead.
        least, most = max(min(values), 0.1), min(max(values), 10.0)
        return min(least / 1.15, 0.8), max(most * 1.15, 1.25)
    margin = 0.06 * (max(values) - min(values)) or 1.0
    return min(values) - margin, max(values) + margin


def _axis(frame: Frame, entries: Sequence[ForestRow | None], options: ForestOptions) -> None:
    from matplotlib.ticker import (  # heavy: loaded when a figure is drawn
        FixedLocator,
        FuncFormatter,
        MaxNLocator,
        NullLocator,
    )

    axes = frame.axes
    low, high = _limits(entries, options)
    if options.scale == "ratio":
        axes.set_xscale("log")
        steps = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
        ticks = [t for t in steps if low <= t <= high]
        if len(ticks) < 3:
            fine = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
            ticks = [t for t in fine if low <= t <= high]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
    axes.set_xlim(low, high)
    axes.axvline(options.reference, color=SOFT, linewidth=1.0, zorder=1.5)
    axes.set_xlabel(options.x_label, labelpad=4)
    for side, text in enumerate(options.favours):
        if text:
            axes.annotate(
                f"← {text}" if side == 0 else f"{text} →",
                xy=(options.reference, 0),
                xycoords=("data", "axes fraction"),
                xytext=(-7 if side == 0 else 7, -43 if options.x_label else -26),
                textcoords="offset points",
                ha="right" if side == 0 else "left",
                va="top",
                size=9,
                color=SOFT,
                annotation_clip=False,
            )


def _mark(axes: Axes, y: float, row: ForestRow, options: ForestOptions) -> None:
    low, high = axes.get_xlim()
    estimate = row.estimate
    if estimate is None:
        return
    strong = PALETTE[0]
    if row.low is None or row.high is None:
        if low <= estimate <= high:
            axes.plot([estimate], [y], "s", ms=6.5, mfc="white", mec=strong, mew=1.5, clip_on=False)
        return
    left, right = max(row.low, low), min(row.high, high)
    if row.pooled:
        xs = [left, min(max(estimate, low), high), right, min(max(estimate, low), high)]
        axes.fill(xs, [y, y - 0.085, y, y + 0.085], color=INK, linewidth=0)
    else:
        axes.plot([left, right], [y, y], color=strong, linewidth=1.6, solid_capstyle="butt")
        if low <= estimate <= high:
            axes.plot([estimate], [y], "s", ms=6.5, color=strong, mec="white", mew=0.6)
    for end, limit, marker in ((row.low, low, "<"), (row.high, high, ">")):
        beyond = end < limit if marker == "<" else end > limit
        if beyond and math.isfinite(limit):
            axes.plot([limit], [y], marker, ms=6, color=strong, mec=LINE, mew=0, clip_on=False)
