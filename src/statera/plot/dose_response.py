"""Dose-response curves in panels, points by donor, with IC50s and intervals on the dose axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.plot.points import logarithmic_axis
from statera.plot.svg import to_svg
from statera.plot.text import text_width
from statera.plot.theme import GRID, INK, LINE, MARKERS, SOFT, colour, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DoseCurve", "DosePanel", "DoseResponseOptions", "draw_dose_response"]

Floats = NDArray[np.float64]

_GREY = "#8a949e"
_WIDTH, _HEIGHT = 3.25, 2.85
_STEP = 0.062  # height of a row above the dose axis, as a share of the panel
_REASON_SIZE, _REASON_WIDTH = 7.2, 2.6


@dataclass(frozen=True)
class DoseCurve:
    """One curve.

    Attributes
    ----------
    label
        Such as the donor; the same label has the same colour and marker in all panels.
    dose, response : (n,) float64
        Dose 0 is drawn at the left, beyond a break of the axis.
    line : (2, n_line) float64
        Doses and fitted responses; empty for none.
    estimate
        IC50, not drawn where None.
    interval
        Its ends; 0 or infinite where open, and then drawn as an arrow.
    refused
        Why there is no IC50; the curve is then drawn in grey with the reason.
    """

    label: str
    dose: Floats
    response: Floats
    line: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    refused: str = ""


@dataclass(frozen=True)
class DosePanel:
    """Curves that share axes."""

    title: str
    curves: tuple[DoseCurve, ...]


@dataclass(frozen=True)
class DoseResponseOptions:
    """Labels, and panels in a row.

    Attributes
    ----------
    x_label, y_label
    half
        Response marked by a dashed line.
    interval_label
        What the bars on the dose axis are, for the legend.
    """

    x_label: str = "Dose (nM)"
    y_label: str = "Response (% of window)"
    half: float = 50.0
    interval_label: str = "IC50 with 95 % interval"
    columns: int = 3


@dataclass(frozen=True)
class _Scale:
    """Limits that all panels share.

    `zero` is where dose 0 is drawn; responses lie from `floor` to `top`, IC50s below `floor`.
    """

    zero: float
    lowest: float
    highest: float
    bottom: float
    floor: float
    top: float
    rows: int

    def row(self, number: int) -> float:
        """Return the height of a row of the strip of IC50s, the first on top."""
        return self.floor - (self.floor - self.bottom) * (number + 0.75) / (self.rows + 0.5)


def draw_dose_response(
    panels: Sequence[DosePanel],
    options: DoseResponseOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return curves as SVG.

    Parameters
    ----------
    panels
        In the order drawn.
    options
        Labels.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no panel or no dose above 0.
    """
    chosen = options or DoseResponseOptions()
    if not panels:
        raise ValueError("dose-response curves need at least one panel")
    labels = list(dict.fromkeys(c.label for p in panels for c in p.curves))
    most = max(len(p.curves) for p in panels)
    scale = _scale(panels, most)
    across = min(chosen.columns, len(panels))
    rows = -(-len(panels) // across)
    with theme():
        figure = new_figure(_WIDTH * across + 0.5, _HEIGHT * rows + 0.75)
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.08)
        grid = figure.subplots(rows, across, squeeze=False)
        for number, axes in enumerate(grid.ravel()):
            if number >= len(panels):
                axes.set_visible(False)
                continue
            _panel(axes, panels[number], labels, scale, chosen)
            if number % across:
                axes.tick_params(labelleft=False)
        figure.supxlabel(chosen.x_label, size=10, color=INK)
        figure.supylabel(chosen.y_label, size=10, color=INK)
        figure.legend(handles=_legend(panels, labels, chosen), loc="outside upper left", ncols=5)
        return to_svg(figure, key, title, alt)


def _scale(panels: Sequence[DosePanel], most: int) -> _Scale:
    doses = np.concatenate([c.dose for p in panels for c in p.curves])
    positive = doses[np.isfinite(doses) & (doses > 0)]
    if positive.size == 0:
        raise ValueError("dose-response curves need a dose above 0")
    low, high = float(positive.min()), float(positive.max())
    # A refused curve can lie anywhere: it does not set the scale, and beyond the ends its points
    # sit on them.
    responses = [c.response for p in panels for c in p.curves if not c.refused]
    known = np.concatenate([*responses, [-8.0, 112.0]])
    known = np.clip(known[np.isfinite(known)], -60.0, 200.0)
    floor, top = float(known.min()) - 4.0, float(known.max()) + 4.0
    share = _STEP * most + 0.03
    bottom = floor - (top - floor) * share / (1.0 - share)
    return _Scale(low / 10**0.75, low, high, bottom, floor, top, most)


def _panel(
    axes: Axes,
    panel: DosePanel,
    labels: Sequence[str],
    scale: _Scale,
    options: DoseResponseOptions,
) -> None:
    logarithmic_axis(axes, "x")
    axes.set_xlim(scale.zero / 1.7, scale.highest * 2.2)
    axes.set_ylim(scale.bottom, scale.top)
    for level, dash in ((0.0, "-"), (100.0, "-"), (options.half, (0, (4, 3)))):
        axes.axhline(level, color=LINE, linewidth=0.8, linestyle=dash, zorder=0.5)
    axes.axhline(scale.floor, color=GRID, linewidth=0.8, zorder=0.4)
    for row, curve in enumerate(panel.curves):
        index = labels.index(curve.label)
        ink = _GREY if curve.refused else colour(index)
        _curve(axes, curve, ink, MARKERS[index % len(MARKERS)], scale)
        if curve.refused:
            _say(axes, f"{curve.label}: {curve.refused}", scale.row(row))
        else:
            _interval(axes, curve, ink, scale.row(row), scale)
    axes.set_title(panel.title, size=10, pad=4.0)
    style_axes(axes, grid="")
    _break(axes, scale)
    axes.set_yticks([t for t in (-50, 0, 50, 100, 150, 200) if scale.floor <= t <= scale.top])


def _curve(axes: Axes, curve: DoseCurve, ink: str, marker: str, scale: _Scale) -> None:
    x = np.where(curve.dose > 0, curve.dose, scale.zero)
    # Replicates are set side by side so that none hides another.
    spread = np.ones(x.size)
    for dose in np.unique(x):
        same = np.flatnonzero(x == dose)
        spread[same] = 1.06 ** (np.arange(same.size) - (same.size - 1) / 2)
    y = np.clip(curve.response, scale.floor, scale.top)
    face = "white" if curve.refused else (ink, 0.35)
    axes.plot(x * spread, y, marker, ms=4.8, mfc=face, mec=ink, mew=1.0, ls="", clip_on=False)
    if curve.line.shape[1]:
        shown = (curve.line[0] >= scale.lowest / 1.6) & (curve.line[0] <= scale.highest * 1.6)
        dash: Any = (0, (3, 2)) if curve.refused else "-"
        line = np.clip(curve.line[1][shown], scale.floor, scale.top)
        axes.plot(curve.line[0][shown], line, color=ink, lw=1.6, ls=dash, zorder=1.8)


def _interval(axes: Axes, curve: DoseCurve, ink: str, y: float, scale: _Scale) -> None:
    """Draw the interval on the dose axis; open ends are arrows at the limits of the panel."""
    if curve.interval is None:
        return
    left, right = scale.lowest / 1.5, scale.highest * 1.9
    low, high = curve.interval
    ends = (max(low, left), min(high, right))
    axes.plot(ends, [y, y], color=ink, linewidth=3.6, solid_capstyle="butt", alpha=0.45)
    if low < left:
        axes.plot([left], [y], "<", ms=5.5, mfc=ink, mec=ink)
    if high > right:
        axes.plot([right], [y], ">", ms=5.5, mfc=ink, mec=ink)
    if curve.estimate is not None and left < curve.estimate < right and low > 0 and high < np.inf:
        axes.plot([curve.estimate], [y], "|", ms=7.5, mec=ink, mew=2.0)


def _say(axes: Axes, reason: str, y: float) -> None:
    """Write why a curve was refused, cut to the width of the panel, where its IC50 would be."""
    shown = reason
    if text_width(shown, _REASON_SIZE) > _REASON_WIDTH and shown.endswith(")"):
        shown = shown.rpartition(" (")[0]  # the table has all of it
    if text_width(shown, _REASON_SIZE) > _REASON_WIDTH:
        shown = shown.partition("; ")[0]
    while text_width(shown, _REASON_SIZE) > _REASON_WIDTH and len(shown) > 8:
        shown = f"{shown.removesuffix('…')[:-1].rstrip()}…"
    place = axes.get_yaxis_transform()
    axes.text(0.03, y, shown, transform=place, va="center_baseline", size=_REASON_SIZE, color=SOFT)


def _break(axes: Axes, scale: _Scale) -> None:
    """Label dose 0 and part the axis between it and the lowest dose."""
    from matplotlib.ticker import FixedLocator, NullLocator  # heavy: loaded when drawn

    powers = np.arange(np.ceil(np.log10(scale.lowest)), np.floor(np.log10(scale.highest)) + 1)
    ticks = [float(10.0**p) for p in powers] or [scale.lowest, scale.highest]
    axes.xaxis.set_major_locator(FixedLocator([scale.zero, *ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        lambda value, _: "0" if np.isclose(value, scale.zero) else f"{value:g}"
    )
    middle = scale.zero * 10**0.38
    for shift in (0.93, 1.07):
        axes.plot(
            [middle * shift / 1.08, middle * shift * 1.08],
            [-0.018, 0.018],
            transform=axes.get_xaxis_transform(),
            color=SOFT,
            linewidth=1.0,
            clip_on=False,
        )


def _legend(
    panels: Sequence[DosePanel], labels: Sequence[str], options: DoseResponseOptions
) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when drawn

    curves = [c for p in panels for c in p.curves]
    found: list[Any] = []
    for index, label in enumerate(labels):
        mine = [c for c in curves if c.label == label]
        ink = _GREY if all(c.refused for c in mine) else colour(index)
        found.append(
            Line2D([], [], color=ink, marker=MARKERS[index % len(MARKERS)], ms=5,
                   mfc=(ink, 0.35), mec=ink, lw=1.6, label=label or "all")
        )  # fmt: skip
    if any(c.interval is not None and not c.refused for c in curves):
        found.append(
            Line2D([], [], color=SOFT, alpha=0.45, lw=3.6, marker="|", ms=7.5, mec=SOFT, mew=2.0,
                   label=options.interval_label)
        )  # fmt: skip
    if any(c.refused for c in curves):
        no_line = not any(c.line.shape[1] for c in curves if c.refused)
        found.append(
            Line2D([], [], color=_GREY, marker="o", ms=5, mfc="white", mec=_GREY, lw=1.6,
                   ls="" if no_line else (0, (3, 2)), label="refused")
        )  # fmt: skip
    return found
