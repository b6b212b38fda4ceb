"""Response by exposure: the curve with its band, observed groups, and exposures by dose below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.plot.band import band_handle, fill_band
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, MARKERS, SOFT, colour, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ResponseCurve", "ResponseFigure", "draw_exposure_response"]

Floats = NDArray[np.float64]

_MOST_DOTS = 400
_MOST_DOSES = 8


@dataclass(frozen=True)
class ResponseCurve:
    """One curve and what was observed for it.

    Attributes
    ----------
    label
        Such as a grade; empty where there is one curve.
    exposure, estimate, low, high : (n,) float64
        Curve and band; empty where there is no curve.
    points : (g, 4) float64
        Exposure, share and interval of each observed group.
    resampled : (2, n) float64
        Edges of a second band, drawn as lines; empty for none.
    """

    label: str
    exposure: Floats
    estimate: Floats
    low: Floats
    high: Floats
    points: Floats = field(default_factory=lambda: np.zeros((0, 4)))
    resampled: Floats = field(default_factory=lambda: np.zeros((2, 0)))


@dataclass(frozen=True)
class ResponseFigure:
    """Labels of the figure.

    Attributes
    ----------
    x_label, y_label
    level
        Of bands and intervals.
    ratio
        Whether the curves are ratios, drawn on a logarithmic axis with 1 marked.
    point_label
        What the points are.
    """

    x_label: str
    y_label: str
    level: float = 0.95
    ratio: bool = False
    point_label: str = "observed, exact interval"


def draw_exposure_response(
    curves: Sequence[ResponseCurve],
    exposure: Floats,
    dose: Sequence[str],
    labels: ResponseFigure,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the figure as SVG.

    Parameters
    ----------
    curves
    exposure : (n,) float64
        Of the subjects.
    dose : (n,)
        Of the subjects in the order in which doses are drawn; empty for one row of all.
    labels
    key, title, alt
        Anchor, name and description of the drawing.
    """
    names = list(dict.fromkeys(dose)) or [""]
    rows = min(len(names), _MOST_DOSES + 1)
    below = 0.35 + 0.3 * rows
    height = 0.5 + 3.5 + below + 0.55
    with theme():
        figure = new_figure(7.2, height)
        top = figure.add_axes((0.11, (below + 0.65) / height, 0.86, 3.35 / height))
        low = figure.add_axes((0.11, 0.55 / height, 0.86, (below - 0.1) / height), sharex=top)
        reach = float(np.quantile(exposure, 0.995))
        shown = [c.points[:, 0].max() for c in curves if c.points.shape[0]]
        reach = 1.03 * max([reach, *shown])
        for number, curve in enumerate(curves):
            _curve(top, curve, colour(number), MARKERS[number % len(MARKERS)], reach)
        _axis(top, curves, labels, reach)
        cut = int((exposure > reach).sum())
        _doses(low, exposure, dose, names, reach)
        beyond = f" ({cut} beyond the axis)" if cut else ""
        low.set_xlabel(f"{labels.x_label}{beyond}")
        top.legend(handles=_legend(curves, labels), loc="lower left", ncols=4,
                   bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, handletextpad=0.5,
                   columnspacing=1.3)  # fmt: skip
        return to_svg(figure, key, title, alt)


def _curve(axes: Axes, curve: ResponseCurve, ink: str, marker: str, reach: float) -> None:
    inside = curve.exposure <= reach
    if inside.any():
        x = curve.exposure[inside]
        fill_band(axes, x, curve.low[inside], curve.high[inside], ink)
        axes.plot(x, curve.estimate[inside], color=ink, zorder=3)
    if curve.resampled.shape[1]:
        for edge in curve.resampled:
            axes.plot(curve.exposure[inside], edge[inside], color=ink, lw=1.0, ls=(0, (4, 2)))
    if curve.points.shape[0]:
        x, y, low, high = curve.points.T
        axes.errorbar(
            x, y, yerr=[y - low, high - y], fmt=marker, color=ink, ms=6.5, mec="white", mew=0.8,
            elinewidth=1.3, capsize=3.0, zorder=4, clip_on=False,
        )  # fmt: skip


def _axis(
    axes: Axes, curves: Sequence[ResponseCurve], labels: ResponseFigure, reach: float
) -> None:
    from matplotlib.ticker import (  # heavy: loaded when drawn
        FuncFormatter,
        LogLocator,
        NullFormatter,
    )

    axes.set_xlim(-0.025 * reach, reach)
    axes.set_ylabel(labels.y_label)
    axes.tick_params(labelbottom=False)
    if labels.ratio:
        axes.set_yscale("log")
        axes.axhline(1.0, color=SOFT, linewidth=0.8, zorder=1)
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7) if high < 30 * low else (1,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        parts = [v for c in curves for v in (c.high, c.points[:, 3]) if v.size]
        highest = max((float(np.nanmax(v)) for v in parts), default=1.0)
        axes.set_ylim(0.0, 1.0 if highest > 0.5 else min(1.0, 1.15 * highest + 0.01))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g} %"))
    style_axes(axes, grid="y")


def _doses(
    axes: Axes, exposure: Floats, dose: Sequence[str], names: Sequence[str], reach: float
) -> None:
    """Draw the exposures of each dose: dots, and median with middle half."""
    own = np.array(dose) if len(dose) else np.full(exposure.size, "")
    shown = list(names[:_MOST_DOSES])
    groups = [(name, exposure[own == name]) for name in shown]
    if len(names) > len(shown):
        rest = ~np.isin(own, shown)
        groups.append((f"{len(names) - len(shown)} more", exposure[rest]))
    random = np.random.default_rng(0)  # where dots lie in their row says nothing
    for place, (_, values) in enumerate(groups):
        step = -(-values.size // _MOST_DOTS)
        dots = np.sort(values)[::step]
        spread = place + 0.26 * (random.random(dots.size) - 0.5)
        axes.plot(dots, spread, "o", ms=2.2, mfc=SOFT, mec="none", alpha=0.35)
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        axes.plot([low, high], [place, place], color=INK, lw=3.2, alpha=0.55, solid_capstyle="butt")
        axes.plot([middle], [place], "|", ms=11.0, mec=INK, mew=2.0)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    words = [name if len(name) < 14 else f"{name[:12]}…" for name, _ in groups]
    axes.set_yticks(range(len(groups)), words if len(dose) else ["all"])
    axes.tick_params(axis="y", length=0.0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(-0.025 * reach, reach)
    style_axes(axes, grid="x")


def _legend(curves: Sequence[ResponseCurve], labels: ResponseFigure) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when drawn

    found: list[Any] = []
    several = len(curves) > 1
    for number, curve in enumerate(curves if several else ()):
        ink = colour(number)
        found.append(Line2D([], [], color=ink, marker=MARKERS[number % len(MARKERS)], ms=6,
                            mec="white", label=curve.label))  # fmt: skip
    ink = LINE if several else colour(0)
    if any(c.exposure.size for c in curves):
        if not several:
            found.append(Line2D([], [], color=ink, label="model"))
        found.append(band_handle(ink, f"{labels.level:.0%} band"))
    if any(c.resampled.shape[1] for c in curves):
        found.append(Line2D([], [], color=ink, lw=1.0, ls=(0, (4, 2)), label="by bootstrap"))
    if any(c.points.shape[0] for c in curves) and not several:
        found.append(Line2D([], [], color=ink, marker="o", ls="", ms=6.5, mec="white",
                            label=labels.point_label))  # fmt: skip
    return found
