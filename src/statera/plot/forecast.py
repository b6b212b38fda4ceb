"""One patient's course: bands that narrow from population to a priori to a posteriori."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.plot.arrays import Column, Values, as_band, as_column, upper_limit
from statera.plot.band import band_handle, fill_band
from statera.plot.svg import to_svg
from statera.plot.theme import GRID, INK, PALETTE, SOFT, halo, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ForecastBand", "ForecastOptions", "ForecastPoint", "draw_forecast"]

_INKS = ("#7c8894", PALETTE[0], PALETTE[1])
_STRENGTHS = (0.16, 0.20, 0.34)
_DASHES: tuple[Any, ...] = ((0, (1, 2)), (0, (5, 2)), "solid")


@dataclass(frozen=True, eq=False)
class ForecastBand:
    """What is expected at one state of knowledge.

    Attributes
    ----------
    label
        Such as ``population``.
    time : (n,) float64, unit of the axis
    low, median, high : (n,) float64, unit of the axis
    """

    label: str
    time: Values
    low: Values
    median: Values
    high: Values


@dataclass(frozen=True)
class ForecastPoint:
    """A sample.

    Attributes
    ----------
    time, value
        Where it stands; the limit where it is censored.
    censored
        ``""``, ``"below"`` or ``"above"`` the limit.
    doubtful
        Whether it lies outside what was expected; drawn open, and named in the legend.
    """

    time: float
    value: float
    censored: str = ""
    doubtful: bool = False


@dataclass(frozen=True)
class ForecastOptions:
    """How the course is drawn.

    Attributes
    ----------
    x_label, y_label
        Names and units of the axes.
    band_label
        What the bands hold, such as ``90 %``.
    now
        When the question is asked: to its right is forecast; None where it is not said.
    target
        Ends of a range of the drawn quantity itself; None for an open end.
    target_label
        Its name.
    logarithmic
        Whether the ordinate is.
    """

    x_label: str = "Time (h)"
    y_label: str = "Concentration"
    band_label: str = "90 %"
    now: float | None = None
    target: tuple[float | None, float | None] | None = None
    target_label: str = "target"
    logarithmic: bool = False


def draw_forecast(
    bands: Sequence[ForecastBand],
    points: Sequence[ForecastPoint] = (),
    doses: Values = (),
    options: ForecastOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the course of one patient as SVG.

    Parameters
    ----------
    bands
        At most three, from the least to the most that is known.
    points
        Samples.
    doses : (n,) float64, unit of the abscissa
        When doses were or will be taken: ticks under the axis.
    options
        Labels, the time of the question and a range to reach.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no band, there are more than three, or arrays differ in length.
    """
    chosen = options or ForecastOptions()
    if not 1 <= len(bands) <= len(_INKS):
        raise ValueError("forecast: expected one to three bands")
    with theme():
        figure = new_figure(9.0, 3.9)
        axes = figure.add_axes((0.085, 0.16, 0.895, 0.68))
        style_axes(axes)
        handles = [_band(axes, band, i, chosen) for i, band in enumerate(bands)]
        handles += _points(axes, points)
        _limits(axes, bands, points, chosen)
        if chosen.target is not None:
            handles.append(_target(axes, chosen))
        handles += _doses(axes, np.asarray(doses, dtype=np.float64))
        _question(axes, chosen)
        axes.set_xlabel(chosen.x_label)
        axes.set_ylabel(chosen.y_label)
        figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0.075, 1.0),
            ncols=min(5, len(handles)), columnspacing=1.6, handlelength=1.8,
        )  # fmt: skip
        return to_svg(figure, key, title, alt)


def _band(axes: Axes, band: ForecastBand, index: int, options: ForecastOptions) -> Any:
    time = as_column(f"{band.label}, time", band.time)
    edges = as_band(band.label, band.low, band.high, time.size)
    median = as_column(f"{band.label}, median", band.median, time.size)
    assert edges is not None
    low, high = edges
    if options.logarithmic:
        low, high, median = (np.where(c > 0, c, np.nan) for c in (low, high, median))
    ink, strength = _INKS[index], _STRENGTHS[index]
    fill_band(axes, time, low, high, ink, strength=strength)
    axes.plot(time, median, color=ink, linestyle=_DASHES[index], linewidth=1.6, zorder=3 + index)
    return band_handle(ink, f"{band.label} ({options.band_label})", strength=2 * strength)


def _points(axes: Axes, points: Sequence[ForecastPoint]) -> list[Any]:
    """Draw samples: filled, open where doubtful, a triangle where only a limit is known."""
    names = {"": "sample", "below": "below the limit", "above": "above the limit"}
    markers = {"": "o", "below": "v", "above": "^"}
    seen: dict[tuple[str, bool], Any] = {}
    for point in points:
        kind = (point.censored, point.doubtful)
        found = axes.plot(
            [point.time], [point.value], linestyle="none", marker=markers[point.censored],
            markersize=6.5, markerfacecolor="white" if point.doubtful else INK,
            markeredgecolor=INK, markeredgewidth=1.2, zorder=8, clip_on=False,
            label=names[point.censored] + (", doubtful" if point.doubtful else ""),
        )  # fmt: skip
        seen.setdefault(kind, found[0])
    return list(seen.values())


def _limits(
    axes: Axes,
    bands: Sequence[ForecastBand],
    points: Sequence[ForecastPoint],
    options: ForecastOptions,
) -> None:
    values = np.array([p.value for p in points] or [0.0], dtype=np.float64)
    highs = [np.asarray(band.high, dtype=np.float64) for band in bands]
    top = upper_limit(values, *highs)
    times = np.asarray(bands[0].time, dtype=np.float64)
    axes.set_xlim(float(times.min()), float(times.max()))
    if not options.logarithmic:
        axes.set_ylim(0.0, top)
        return
    lows: Column = np.concatenate([np.asarray(b.low, dtype=np.float64) for b in bands])
    above = np.concatenate([lows[lows > 0], values[values > 0]])
    axes.set_yscale("log")
    axes.set_ylim(max(float(above.min(initial=top)), top / 1e4), top * 1.2)


def _target(axes: Axes, options: ForecastOptions) -> Any:
    assert options.target is not None
    low, high = options.target
    bottom, top = axes.get_ylim()
    first = bottom if low is None else low
    last = top if high is None else high
    ink = PALETTE[2]
    axes.axhspan(first, last, facecolor=(ink, 0.10), linewidth=0.0, zorder=0)
    for end in (low, high):
        if end is not None:
            axes.axhline(end, color=ink, linewidth=0.9, linestyle=(0, (6, 3)), zorder=1)
    return band_handle(ink, options.target_label)


def _doses(axes: Axes, doses: Column) -> list[Any]:
    """Mark doses on the axis."""
    first, last = axes.get_xlim()
    shown = doses[(doses >= first) & (doses <= last)]
    if not shown.size:
        return []
    return axes.plot(
        shown, np.full(shown.size, 0.018), linestyle="none", marker="^", markersize=5,
        markerfacecolor=PALETTE[3], markeredgecolor="white", markeredgewidth=0.6,
        transform=axes.get_xaxis_transform(), clip_on=False, zorder=6, label="dose",
    )  # fmt: skip


def _question(axes: Axes, options: ForecastOptions) -> None:
    """Mark the time of the question: what lies to its right is forecast."""
    first, last = axes.get_xlim()
    if options.now is not None and first < options.now < last:
        axes.axvspan(options.now, last, facecolor=GRID, alpha=0.55, linewidth=0.0, zorder=-1)
        axes.axvline(options.now, color=SOFT, linewidth=1.0, zorder=2)
        axes.annotate(
            "forecast", (options.now, 1.0), xycoords=("data", "axes fraction"), xytext=(5, -11),
            textcoords="offset points", color=SOFT, size=9, path_effects=halo(),
        )  # fmt: skip
