"""Exposure against a covariate, with the model's domain respected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.plot.arrays import Column, Values, as_band, as_column, upper_limit
from statera.plot.band import HATCH, band_handle, fill_band
from statera.plot.svg import to_svg
from statera.plot.theme import (
    INK,
    LINE,
    MARKERS,
    PALETTE,
    SHADE,
    SOFT,
    colour,
    halo,
    new_figure,
    style_axes,
    theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ExposureCurve",
    "ExposureOptions",
    "PublishedPoint",
    "Stage",
    "draw_exposure",
]


@dataclass(frozen=True, eq=False)
class ExposureCurve:
    """Exposure along a covariate.

    Attributes
    ----------
    label
        Name, such as ``4 mg once daily``.
    covariate : (n,) float64, unit of the axis, ascending
    median : (n,) float64, unit of the axis
    low, high : (n,) float64, unit of the axis
        Edges of the population band; None where no band is drawn.
    """

    label: str
    covariate: Values
    median: Values
    low: Values | None = None
    high: Values | None = None


@dataclass(frozen=True)
class PublishedPoint:
    """A published value, with an interval or a spread where one is given."""

    x: float
    y: float
    label: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Stage:
    """A named stretch of the covariate, such as ``severe`` from 15 to 30 mL/min/1.73 m2."""

    low: float
    high: float
    label: str


@dataclass(frozen=True)
class ExposureOptions:
    """How the curve is drawn.

    Attributes
    ----------
    x_label, y_label
        Names and units of the axes.
    domain
        Range of the covariate in the model's data; None for an end that is open. Outside it
        the curve is dashed, the band hatched, and the region shaded and named.
    domain_label
        What is written in the shaded region.
    band_label
        What the band is.
    stages
        Named stretches, written along the top.
    log_y
        Whether the exposure axis is logarithmic.
    """

    x_label: str = "eGFR (mL/min/1.73 m²)"
    y_label: str = "AUC over 24 h (ng·h/mL)"
    domain: tuple[float | None, float | None] = (None, None)
    domain_label: str = "extrapolation"
    band_label: str = "90 % of the population"
    stages: tuple[Stage, ...] = ()
    log_y: bool = False


def draw_exposure(
    curves: Sequence[ExposureCurve],
    points: Sequence[PublishedPoint] = (),
    options: ExposureOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return exposure against a covariate as SVG.

    Parameters
    ----------
    curves
        Simulated exposure, one curve a dose.
    points
        Published values; those of one label share a marker.
    options
        Labels, domain of the model and stages.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no curve or the arrays of a curve differ in length.
    """
    chosen = options or ExposureOptions()
    if not curves:
        raise ValueError("exposure: at least one curve is needed")
    with theme():
        figure = new_figure(8.2, 4.2)
        axes = figure.add_axes((0.1, 0.15, 0.87, 0.62 if chosen.stages else 0.68))
        style_axes(axes)
        handles = [_curve(axes, i, curve, chosen) for i, curve in enumerate(curves)]
        _limits(axes, curves, points, chosen)
        _outside(axes, chosen)
        handles += _points(axes, points)
        _stages(axes, chosen.stages)
        axes.set_xlabel(chosen.x_label)
        axes.set_ylabel(chosen.y_label)
        figure.legend(
            handles=[*handles, *_legend_extras(curves, chosen)],
            loc="upper left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=3,
            borderaxespad=0.3,
            handlelength=1.8,
            columnspacing=1.6,
        )
        return to_svg(figure, key, title, alt)


def _inside(x: Column, domain: tuple[float | None, float | None]) -> Any:
    low = -np.inf if domain[0] is None else domain[0]
    high = np.inf if domain[1] is None else domain[1]
    return (x >= low) & (x <= high)


def _with_edges(
    x: Column, columns: Sequence[Column], domain: tuple[float | None, float | None]
) -> tuple[Column, list[Column]]:
    """Insert the ends of the domain, so that the change of style falls exactly on them."""
    extra = [v for v in domain if v is not None and x[0] < v < x[-1] and v not in x]
    grid = np.sort(np.concatenate([x, np.asarray(extra, dtype=np.float64)]))
    return grid, [np.interp(grid, x, column) for column in columns]


def _curve(axes: Axes, index: int, curve: ExposureCurve, options: ExposureOptions) -> Any:
    x = as_column(f"{curve.label}, covariate", curve.covariate)
    if np.any(np.diff(x) <= 0):
        raise ValueError(f"{curve.label}: the covariate must ascend")
    median = as_column(f"{curve.label}, median", curve.median, x.size)
    band = as_band(curve.label, curve.low, curve.high, x.size)
    x, columns = _with_edges(x, [median, *(band or ())], options.domain)
    inside = _inside(x, options.domain)
    ink = colour(index)
    line = None
    # A stretch outside ends on the first point inside, so that the two styles meet.
    for part, solid in ((inside, True), (_grown(~inside), False)):
        if not part.any():
            continue
        gapped = [np.where(part, column, np.nan) for column in columns]
        if band:
            fill_band(
                axes,
                x,
                gapped[1],
                gapped[2],
                ink,
                hatch="" if solid else HATCH,
                strength=0.16 if solid else 0.08,
            )
        (drawn,) = axes.plot(
            x,
            gapped[0],
            color=ink,
            linestyle="solid" if solid else (0, (5, 2)),
            label=curve.label,
        )
        line = line or drawn
    return line


def _grown(mask: Any) -> Any:
    """Extend each run of True by one on both sides."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    return grown if mask.any() else mask


def _limits(
    axes: Axes,
    curves: Sequence[ExposureCurve],
    points: Sequence[PublishedPoint],
    options: ExposureOptions,
) -> None:
    xs = np.concatenate([as_column("covariate", curve.covariate) for curve in curves])
    seen = [point.x for point in points]
    axes.set_xlim(min([float(xs.min()), *seen]), max([float(xs.max()), *seen]))
    if options.log_y:
        axes.set_yscale("log")
        return
    tops = [as_column("exposure", c.median if c.high is None else c.high) for c in curves]
    tops += [np.asarray([point.high or point.y]) for point in points]
    axes.set_ylim(0, upper_limit(*tops))


def _outside(axes: Axes, options: ExposureOptions) -> None:
    low, high = axes.get_xlim()
    inner_low = low if options.domain[0] is None else options.domain[0]
    inner_high = high if options.domain[1] is None else options.domain[1]
    for left, right in ((low, min(inner_low, high)), (max(inner_high, low), high)):
        if right <= left:
            continue
        axes.axvspan(left, right, facecolor=SHADE, edgecolor="none", zorder=0.3)
        edge = right if left == low else left
        axes.axvline(edge, color=LINE, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0.5)
        narrow = (right - left) / (high - low) < 0.17
        axes.annotate(
            options.domain_label,
            ((left + right) / 2, 0.97),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
            size=9,
            style="italic",
            color=SOFT,
            path_effects=halo(SHADE),
            rotation=90 if narrow else 0,
        )


def _points(axes: Axes, points: Sequence[PublishedPoint]) -> list[Any]:
    handles = []
    for index, label in enumerate(dict.fromkeys(point.label for point in points)):
        own = [point for point in points if point.label == label]
        marker = MARKERS[(index + 2) % len(MARKERS)]
        for point in own:
            if point.low is not None and point.high is not None:
                axes.plot([point.x] * 2, [point.low, point.high], color=INK, linewidth=1.0)
        (handle,) = axes.plot(
            [point.x for point in own],
            [point.y for point in own],
            marker,
            ms=6,
            mfc="white",
            mec=INK,
            mew=1.3,
            label=label,
            clip_on=False,
        )
        handles.append(handle)
    return handles


def _stages(axes: Axes, stages: Sequence[Stage]) -> None:
    low, high = axes.get_xlim()
    for stage in stages:
        left, right = max(stage.low, low), min(stage.high, high)
        if right <= left:
            continue
        axes.annotate(
            stage.label,
            ((left + right) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            size=9,
            color=SOFT,
        )
        axes.annotate(
            "",
            (left, 1.018),
            xytext=(right, 1.018),
            xycoords=("data", "axes fraction"),
            arrowprops={"arrowstyle": "|-|,widthA=0.2,widthB=0.2", "color": LINE, "lw": 0.8},
        )


def _legend_extras(curves: Sequence[ExposureCurve], options: ExposureOptions) -> list[Any]:
    if all(curve.low is None for curve in curves):
        return []
    return [band_handle(PALETTE[0], options.band_label)]
