"""Inhibition through the dosing interval, and its daily average as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from statera.plot.arrays import Column, Values, as_band, as_column
from statera.plot.band import HATCH, band_handle, fill_band
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, colour, halo, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "EngagementOptions",
    "EngagementPanel",
    "InhibitionCurve",
    "draw_engagement",
]

_LEAST_WIDTH = 7.6  # inches; one panel alone must leave room for the legend
_HATCH_INK = "#7b8791"
_INNER = (0, (3.0, 1.6))  # line style: strokes and gaps
_LABEL_STEP = 7.5  # least distance of names of bounds, in per cent of inhibition


@dataclass(frozen=True, eq=False)
class InhibitionCurve:
    """Inhibition through the dosing interval at one dose.

    Attributes
    ----------
    label
        Name, such as ``4 mg``.
    times : (n,) float64, h
    inhibition : (n,) float64, %
        The inhibition, or its bound.
    bound
        ``at least`` where the potency is known only to be below a value, so that the inhibition
        lies between the curve and 100 %; ``at most`` for the opposite; empty for a point.
    low, high : (n,) float64, %
        Edges of a band for the population; not for bounds.
    inner_low, inner_high : (n,) float64, %
        What an uncertain potency leaves open, drawn as two broken lines; not for bounds.
    """

    label: str
    times: Values
    inhibition: Values
    bound: Literal["", "at least", "at most"] = ""
    low: Values | None = None
    high: Values | None = None
    inner_low: Values | None = None
    inner_high: Values | None = None


@dataclass(frozen=True, eq=False)
class EngagementPanel:
    """Curves of one potency; the subtitle says which."""

    title: str
    curves: tuple[InhibitionCurve, ...]
    subtitle: str = ""


@dataclass(frozen=True)
class EngagementOptions:
    """How the curves are drawn: labels, and panels in a row."""

    x_label: str = "Time after dose (h)"
    y_label: str = "Inhibition (%)"
    columns: int = 3


def draw_engagement(
    panels: Sequence[EngagementPanel],
    options: EngagementOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return inhibition through the dosing interval as SVG, a panel for each potency.

    A potency known only as a bound is drawn as a region and never as a line.

    Parameters
    ----------
    panels
        Potencies in the order drawn.
    options
        Labels and number of columns.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is nothing to draw, the arrays of a curve differ in length, or a bound has a
        band.
    """
    chosen = options or EngagementOptions()
    if not panels or any(not panel.curves for panel in panels):
        raise ValueError("engagement: every panel needs at least one curve")
    labels = list(dict.fromkeys(curve.label for panel in panels for curve in panel.curves))
    with theme():
        figure, places = _grid(len(panels), chosen.columns)
        for panel, axes, leftmost in zip(panels, *places, strict=True):
            _draw(axes, panel, labels)
            axes.set_xlabel(chosen.x_label)
            if leftmost:
                axes.set_ylabel(chosen.y_label)
            else:
                axes.tick_params(labelleft=False)
        figure.legend(
            handles=_legend(panels, labels),
            loc="upper left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=6,
            borderaxespad=0.3,
            handlelength=1.8,
            columnspacing=1.1,
        )
        return to_svg(figure, key, title, alt)


def _grid(count: int, most: int) -> tuple[Figure, tuple[list[Axes], list[bool]]]:
    """Lay out equal panels; return them and whether each is the first of its row."""
    # Four panels stand better as two rows of two than as three and one.
    columns = 2 if count == 4 else min(most, count)
    rows = -(-count // columns)
    width, left, right, gap = 10.0, 0.7, 0.18, 0.3
    above, below, between, height = 0.92, 0.55, 1.0, 1.9
    each = min((width - left - right - (columns - 1) * gap) / columns, 4.6)
    used = max(left + right + columns * each + (columns - 1) * gap, _LEAST_WIDTH)
    total = above + below + rows * height + (rows - 1) * between
    figure = new_figure(used, total)
    axes, leftmost = [], []
    for index in range(count):
        row, column = divmod(index, columns)
        bottom = total - above - (row + 1) * height - row * between
        place = (left + column * (each + gap), bottom, each, height)
        axes.append(
            figure.add_axes((place[0] / used, place[1] / total, place[2] / used, place[3] / total))
        )
        leftmost.append(column == 0)
    return figure, (axes, leftmost)


def _draw(axes: Axes, panel: EngagementPanel, labels: Sequence[str]) -> None:
    from matplotlib.ticker import MultipleLocator  # heavy: loaded when drawn

    style_axes(axes)
    start, end = float("inf"), float("-inf")
    for curve in panel.curves:
        times = as_column(f"{curve.label}, times", curve.times)
        level = as_column(f"{curve.label}, inhibition", curve.inhibition, times.size)
        band = as_band(curve.label, curve.low, curve.high, times.size)
        inner = as_band(curve.label, curve.inner_low, curve.inner_high, times.size)
        index = labels.index(curve.label)
        ink = colour(index)
        if curve.bound:
            if band or inner:
                raise ValueError(f"{curve.label}: a bound has no band of its own")
            _region(axes, times, level, curve, ink)
        else:
            if band:
                fill_band(axes, times, *band, ink, strength=0.13)
            if inner:
                # lines, because three filled bands within three others hide each other
                for edge in inner:
                    axes.plot(times, edge, color=ink, linewidth=0.9, linestyle=_INNER)
            axes.plot(times, level, color=ink)
        start, end = min(start, float(times[0])), max(end, float(times[-1]))
    _hatch_bounds(axes, panel.curves)
    _name_bounds(axes, panel.curves, labels)
    axes.set_xlim(start, end)
    axes.set_ylim(0, 100)
    axes.xaxis.set_major_locator(MultipleLocator(6 if end - start <= 30 else 24))
    axes.yaxis.set_major_locator(MultipleLocator(25))
    place: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "bottom",
    }
    axes.annotate(
        panel.title,
        (0, 1),
        xytext=(0, 19 if panel.subtitle else 7),
        size=10.5,
        weight="bold",
        color=INK,
        **place,
    )
    if panel.subtitle:
        axes.annotate(panel.subtitle, (0, 1), xytext=(0, 6), size=9, color=SOFT, **place)


def _region(axes: Axes, times: Column, level: Column, curve: InhibitionCurve, ink: str) -> None:
    """Tint where the inhibition may lie."""
    edges = (level, 0 * level + 100.0) if curve.bound == "at least" else (0 * level, level)
    fill_band(axes, times, *edges, ink, strength=0.17)


def _name_bounds(axes: Axes, curves: Sequence[InhibitionCurve], labels: Sequence[str]) -> None:
    """Write the name of each bound near the edge of its region, apart from its neighbours."""
    below = float("-inf")
    bounds = [curve for curve in curves if curve.bound]
    for curve in sorted(bounds, key=lambda c: float(np.nanmax(as_column(c.label, c.inhibition)))):
        times, level = as_column("times", curve.times), as_column("level", curve.inhibition)
        peak = int(level.argmax())
        inside = 3.0 if curve.bound == "at least" else -8.0
        y = max(float(level[peak]) + inside, below + _LABEL_STEP, 2.0)
        axes.text(
            float(times[peak] + 0.02 * (times[-1] - times[0])),
            min(y, 92.0),
            f"{curve.label}: {curve.bound}",
            size=8.5,
            color=colour(labels.index(curve.label)),
            path_effects=halo(),
            zorder=5,
        )
        below = y


def _hatch_bounds(axes: Axes, curves: Sequence[InhibitionCurve]) -> None:
    """Hatch all that the bounds of a panel leave open, so that it cannot pass for a band."""
    for bound in ("at least", "at most"):
        own = [curve for curve in curves if curve.bound == bound]
        if not own:
            continue
        times = as_column("times", own[0].times)
        levels = [
            np.interp(times, as_column("times", c.times), as_column(c.label, c.inhibition))
            for c in own
        ]
        if bound == "at least":
            low, high = np.min(levels, axis=0), np.full_like(times, 100.0)
        else:
            low, high = np.zeros_like(times), np.max(levels, axis=0)
        axes.fill_between(
            times, low, high, facecolor="none", edgecolor=_HATCH_INK, hatch=HATCH, linewidth=0.0
        )


def _legend(panels: Sequence[EngagementPanel], labels: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    curves = [curve for panel in panels for curve in panel.curves]
    drawn = {curve.label for curve in curves if not curve.bound}
    handles: list[Any] = [
        Line2D([], [], color=colour(index), label=label)
        if label in drawn
        else band_handle(colour(index), label, strength=0.3)
        for index, label in enumerate(labels)
    ]
    if any(curve.low is not None for curve in curves):
        handles.append(band_handle(PALETTE[0], "90 % of the population", strength=0.13))
    if any(curve.inner_low is not None for curve in curves):
        handles.append(
            Line2D(
                [], [], color=SOFT, linewidth=0.9, linestyle=_INNER, label="ends of the mean IC50"
            )
        )
    if any(curve.bound for curve in curves):
        text = "known as a bound: anywhere in the region"
        handles.append(band_handle(SOFT, text, hatch=HATCH, strength=0.1))
    return handles
