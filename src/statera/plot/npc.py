"""Numerical predictive checks: observed over expected coverage of prediction intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.estimate.npc import Npc, NpcPanel
from statera.plot.band import band_handle
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NpcPlotOptions", "draw_npc"]

Floats = NDArray[np.float64]

_INK, _STRENGTH = PALETTE[0], 0.22


@dataclass(frozen=True)
class NpcPlotOptions:
    """How a numerical predictive check is drawn.

    Attributes
    ----------
    largest
        End of the axis of observed over expected; what lies beyond is drawn at the edge.
    """

    largest: float = 3.0


def draw_npc(
    check: Npc, options: NpcPlotOptions | None = None, *, key: str, title: str, alt: str
) -> str:
    """Return a numerical predictive check as SVG: a row a panel, below and above the intervals.

    Parameters
    ----------
    check
        From `statera.estimate.npc.npc`.
    options
        Length of the axis.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    chosen = options or NpcPlotOptions()
    n_rows = len(check.panels)
    with theme():
        figure = new_figure(9.4, 3.1 * n_rows + 0.5)
        figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
        grid = figure.subplots(n_rows, 2, squeeze=False, sharex=True)
        for row, panel in zip(grid, check.panels, strict=True):
            for axes, side in zip(row, ("below", "above"), strict=True):
                _side(axes, panel, side, chosen)
            row[0].set_ylabel("Observed over expected share")
        for axes in grid[-1]:
            axes.set_xlabel("Prediction interval (%)")
        level = f"{100 * check.options.level:g} %"
        figure.legend(handles=_legend(level), loc="outside upper left", ncols=3)
        return to_svg(figure, key, title, alt)


def _side(axes: Axes, panel: NpcPanel, side: str, options: NpcPlotOptions) -> None:
    shares = panel.below if side == "below" else panel.above
    with np.errstate(divide="ignore", invalid="ignore"):
        observed, _, low, high = np.where(shares[1] > 0.0, shares / shares[1], np.nan)
    x = panel.intervals
    axes.axhline(1.0, color=SOFT, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.fill_between(x, low, high, facecolor=(_INK, _STRENGTH), linewidth=0.0)
    shown = np.minimum(observed, options.largest)
    axes.plot(x, shown, color=_INK, linewidth=1.6, marker="o", ms=4.0, zorder=4)
    out = (observed < low) | (observed > high)
    axes.plot(x[out], shown[out], "o", ms=9.5, mfc="none", mec=INK, mew=1.1, zorder=5)
    name = f"{panel.output}, {panel.stratum}" if panel.stratum else panel.output
    axes.set_title(f"{name}: {side} the interval")
    top = float(np.nanmax([*high, *shown, 1.5])) if np.isfinite(high).any() else 1.5
    axes.set_ylim(0.0, min(1.08 * top, 1.02 * options.largest))
    axes.set_xlim(-3.0, 100.0)
    axes.set_xticks([0, 20, 40, 60, 80, 95])
    style_axes(axes)


def _legend(level: str) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    return [
        Line2D([], [], color=_INK, marker="o", ms=4.0, label="observed"),
        band_handle(_INK, f"simulated, {level} interval", strength=_STRENGTH),
        Line2D([], [], ls="", marker="o", ms=8, mfc="none", mec=INK, label="outside its interval"),
    ]
