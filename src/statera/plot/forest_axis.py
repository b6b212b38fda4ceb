"""The axis that all forest plots share: its ends, ticks, line of no effect, and what lies beyond.

Ratios stand on a logarithmic axis, differences on a linear one. One extreme interval must not
squeeze all others: beyond a factor from the line of no effect it ends in an arrow instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from statera.plot.rows import Frame
from statera.plot.text import text_width
from statera.plot.theme import INK, LINE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ForestAxis",
    "Scale",
    "check_interval",
    "draw_arrows",
    "draw_axis",
    "draw_diamond",
    "number_text",
    "ratio_ticks",
]

# Ticks of ratios where 1, 2 and 5 are too few.
_FINER = (
    (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0),
    (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0),
)
_FAVOURS = 9  # size of the type, points
Scale = Literal["difference", "ratio"]


@dataclass(frozen=True)
class ForestAxis:
    """What the axis of a forest plot shows.

    Attributes
    ----------
    scale
        ``ratio`` (logarithmic) or ``difference`` (linear).
    reference
        Value of no effect; None draws no line.
    label
        Below the axis.
    favours
        What the left and the right of the line speak for; empty texts are not drawn.
    limits
        Ends; chosen from the values where None.
    reach
        A ratio further than this factor from the line does not widen the axis.
    ticks
        Most intervals between ticks of a linear axis.
    """

    scale: Scale
    reference: float | None
    label: str = ""
    favours: tuple[str, str] = ("", "")
    limits: tuple[float, float] | None = None
    reach: float = 20.0
    ticks: int = 6

    def ends(self, values: Iterable[float | None]) -> tuple[float, float]:
        """Return the ends of the axis for these estimates and limits of intervals."""
        if self.limits is not None:
            return self.limits
        near = self.reference
        known = [] if near is None else [near]
        known += [v for v in values if v is not None and math.isfinite(v)]
        if self.scale == "ratio":
            if near is None:
                return min(known) / 1.15, max(known) * 1.15
            least, most = max(min(known), near / self.reach), min(max(known), near * self.reach)
            return min(least / 1.15, 0.8 * near), max(most * 1.15, 1.25 * near)
        margin = 0.06 * (max(known) - min(known)) or 1.0
        return min(known) - margin, max(known) + margin


def check_interval(
    label: str, low: float | None, estimate: float | None, high: float | None, scale: Scale
) -> None:
    """Refuse a row that cannot be drawn.

    Raises
    ------
    ValueError
        If one end is missing, the estimate is not between them, or a ratio is not positive.
    """
    if (low is None) != (high is None):
        raise ValueError(f"forest row '{label}': an interval needs both ends")
    ordered = [v for v in (low, estimate, high) if v is not None]
    if ordered != sorted(ordered):
        raise ValueError(f"forest row '{label}': the estimate is not within its interval")
    if scale == "ratio" and any(v <= 0 for v in ordered):
        raise ValueError(f"forest row '{label}': a ratio must be positive")


def number_text(value: float, decimals: int) -> str:
    """Return a number as figures print it, with a true minus sign."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{decimals}f}".replace("-", "−")


def draw_axis(frame: Frame, values: Iterable[float | None], axis: ForestAxis) -> None:
    """Draw ticks, label, the line of no effect and what either side of it favours."""
    from matplotlib.ticker import (  # heavy: loaded when a figure is drawn
        FixedLocator,
        FuncFormatter,
        MaxNLocator,
        NullLocator,
    )

    axes = frame.axes
    low, high = axis.ends(values)
    if axis.scale == "ratio":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(ratio_ticks(low, high)))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(axis.ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
    axes.set_xlim(low, high)
    axes.set_xlabel(axis.label, labelpad=4)
    middle = axis.reference
    if middle is None:
        return
    axes.axvline(middle, color=SOFT, linewidth=1.0, zorder=1.5)
    _draw_favours(frame, middle, axis)


def _draw_favours(frame: Frame, middle: float, axis: ForestAxis) -> None:
    """Say what either side speaks for; moved inwards where the axis ends too early for it."""
    axes = frame.axes
    width = float(frame.figure.get_size_inches()[0])
    box = axes.get_position()
    low, high = (math.log(x) if axis.scale == "ratio" else x for x in axes.get_xlim())
    at = math.log(middle) if axis.scale == "ratio" else middle
    along = width * box.width
    line = along * (at - low) / (high - low)
    texts = (f"← {axis.favours[0]}", f"{axis.favours[1]} →")
    wide = [text_width(t, _FAVOURS) if f else 0.0 for t, f in zip(texts, axis.favours, strict=True)]
    gap = 7.0 / 72.0
    start, end = line + gap, line - gap
    start = min(start, along + width * (1.0 - box.x1) - wide[1] - gap / 2.0)
    end = min(end, start - gap)
    least = wide[0] - width * box.x0 + gap / 2.0
    end, start = max(end, least), max(start, least + gap)
    for side, (text, x) in enumerate(zip(texts, (end, start), strict=True)):
        if axis.favours[side]:
            axes.annotate(
                text,
                xy=(middle, 0),
                xycoords=("data", "axes fraction"),
                xytext=(72.0 * (x - line), -43 if axis.label else -26),
                textcoords="offset points",
                ha="right" if side == 0 else "left",
                va="top",
                size=_FAVOURS,
                color=SOFT,
                annotation_clip=False,
            )


def ratio_ticks(low: float, high: float) -> list[float]:
    """Return round ratios between two ends."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [m * 10.0**d for d in decades for m in (1, 2, 5)]
    ticks: list[float] = []
    for steps in (every, *_FINER):
        found = [t for t in steps if low <= t <= high]
        ticks = found or ticks
        if len(found) >= 3:
            break
    return ticks


def draw_arrows(axes: Axes, y: float, left: float, right: float, ink: str) -> None:
    """Mark the ends of an interval that lie beyond the axis."""
    low, high = axes.get_xlim()
    for beyond, limit, marker in ((left < low, low, "<"), (right > high, high, ">")):
        if beyond:
            axes.plot([limit], [y], marker, ms=6, color=ink, mec=LINE, mew=0, clip_on=False)


def draw_diamond(
    axes: Axes, y: float, estimate: float, left: float, right: float, order: float = 1.0
) -> None:
    """Draw a mean, cut at the ends of the axis; `order` lifts it above what is drawn before."""
    low, high = axes.get_xlim()
    middle = min(max(estimate, low), high)
    start, end = max(left, low), min(right, high)
    axes.fill(
        [start, middle, end, middle], [y, y - 0.085, y, y + 0.085],
        color=INK, linewidth=0, zorder=order,
    )  # fmt: skip
