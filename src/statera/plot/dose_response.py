"""Dose-response curves in panels, points by donor, with IC50s and intervals on the dose axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.plot.points import logarithmic_axis
from statera.plot.svg import to_svg
from statera.plot.text import wrap
from statera.plot.theme import GRID, INK, LINE, MARKERS, SOFT, colour, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DoseCurve", "DosePanel", "DoseResponseOptions", "draw_dose_response"]

Floats = NDArray[np.float64]

_GREY = "#8a949e"
_WIDTH, _HEIGHT = 3.25, 2.75
_REASON_SIZE = 8.0


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
    """Limits that all panels share; `zero` is where dose 0 is drawn."""

    zero: float
    lowest: float
    highest: float
    bottom: float
    top: float


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
    responses = np.concatenate([c.response for p in panels for c in p.curves])
    known = responses[np.isfinite(responses)]
    # A refused curve can lie anywhere: beyond these ends its points sit on the frame.
    down = max(float(known.min(initial=0.0)), -60.0)
    up = min(float(known.max(initial=100.0)), 180.0)
    gap = 0.06 * (up - down)
    strip = (0.065 * most + 0.03) * (up - down)
    gap_below = low / 10**0.75
    return _Scale(gap_below, low, high, down - gap - strip, up + gap)


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
    step = (scale.top - scale.bottom) * 0.052
    for row, curve in enumerate(panel.curves):
        index = labels.index(curve.label)
        ink = _GREY if curve.refused else colour(index)
        _curve(axes, curve, ink, MARKERS[index % len(MARKERS)], scale)
        _interval(axes, curve, ink, scale.bottom + (len(panel.curves) - row - 0.35) * step, scale)
    reasons = [(c.label, c.refused) for c in panel.curves if c.refused]
    if reasons:
        _say(axes, reasons)
    axes.set_title(panel.title, size=10, pad=4.0)
    style_axes(axes, grid="")
    _break(axes, scale)
    ticks = [t for t in axes.get_yticks() if -0.5 * abs(scale.bottom) <= t <= scale.top]
    axes.set_yticks([t for t in ticks if t >= min(0.0, scale.bottom + 3 * step)])


def _curve(axes: Axes, curve: DoseCurve, ink: str, marker: str, scale: _Scale) -> None:
    x = np.where(curve.dose > 0, curve.dose, scale.zero)
    # Replicates are set side by side so that none hides another.
    spread = np.ones(x.size)
    for dose in np.unique(x):
        same = np.flatnonzero(x == dose)
        spread[same] = 1.06 ** (np.arange(same.size) - (same.size - 1) / 2)
    y = np.clip(curve.response, scale.bottom, scale.top)
    face = "white" if curve.refused else (ink, 0.35)
    axes.plot(x * spread, y, marker, ms=4.8, mfc=face, mec=ink, mew=1.0, ls="", clip_on=False)
    if curve.line.shape[1]:
        shown = (curve.line[0] >= scale.lowest / 1.6) & (curve.line[0] <= scale.highest * 1.6)
        dash: Any = (0, (3, 2)) if curve.refused else "-"
        axes.plot(
            curve.line[0][shown], curve.line[1][shown], color=ink, lw=1.6, ls=dash, zorder=1.8
        )


def _interval(axes: Axes, curve: DoseCurve, ink: str, y: float, scale: _Scale) -> None:
    """Draw the interval on the dose axis; open ends are arrows at the limits of the panel."""
    if curve.refused or curve.interval is None:
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


def _say(axes: Axes, reasons: Sequence[tuple[str, str]]) -> None:
    """Write why curves were refused; the same reason once for all curves that share it."""
    shared: dict[str, list[str]] = {}
    for label, reason in reasons:
        shared.setdefault(reason, []).append(label)
    lines: list[str] = []
    for reason, labels in list(shared.items())[:3]:
        lines += wrap(f"{', '.join(labels)}: {reason}", _WIDTH - 0.95, _REASON_SIZE)
    if len(shared) > 3:
        lines.append(f"and {len(shared) - 3} more, see the table")
    axes.text(
        0.98,
        0.97,
        "\n".join(lines[:9]),
        transform=axes.transAxes,
        ha="right",
        va="top",
        size=_REASON_SIZE,
        color=SOFT,
        linespacing=1.25,
        bbox={"facecolor": "white", "edgecolor": GRID, "pad": 2.5, "alpha": 0.9},
        zorder=5,
    )


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
        found.append(
            Line2D([], [], color=_GREY, marker="o", ms=5, mfc="white", mec=_GREY, lw=1.6,
                   ls=(0, (3, 2)), label="refused")
        )  # fmt: skip
    return found
