"""Calibration plot: observed share of responders over predicted probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, new_figure, style_axes, theme

__all__ = ["draw_calibration"]

Floats = NDArray[np.float64]


def draw_calibration(
    at: Floats,
    curve: Floats,
    low: Floats,
    high: Floats,
    bins: Sequence[tuple[float, float, float, float]],
    probabilities: Floats,
    outcome: NDArray[np.bool_],
    *,
    label: str,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a calibration plot as SVG: curve with band, bins, and where predictions lie.

    Parameters
    ----------
    at, curve, low, high : (q,) float64
        Smooth curve and pointwise band; empty where there is none.
    bins
        Predicted, observed, low, high (nan where there is no interval).
    probabilities, outcome : (n,)
        For the histograms, responders upwards.
    label
        What is written inside; several lines are possible.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        figure = new_figure(5.0, 6.0)
        axes = figure.add_axes((0.13, 0.3, 0.84, 0.68))
        axes.plot([0.0, 1.0], [0.0, 1.0], color=LINE, linewidth=1.0, dashes=(4, 3), label="ideal")
        if at.size:
            axes.fill_between(at, low, high, color=PALETTE[0], alpha=0.16, linewidth=0.0)
            axes.plot(at, curve, color=PALETTE[0], label="smooth")
        for number, (x, y, bottom, top) in enumerate(bins):
            if np.isfinite(bottom):
                axes.plot([x, x], [bottom, top], color=PALETTE[1], linewidth=1.3)
            axes.plot(
                x, y, "s", ms=5.5, color=PALETTE[1], mec="white", mew=0.7, zorder=4,
                label="" if number else "bins",
            )  # fmt: skip
        axes.text(0.97, 0.04, label, ha="right", va="bottom", color=INK, linespacing=1.4,
                  transform=axes.transAxes)  # fmt: skip
        axes.legend(loc="upper left")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_ylabel("Observed share of responders")
        axes.tick_params(labelbottom=False)
        style_axes(axes, grid="both")
        below = figure.add_axes((0.13, 0.09, 0.84, 0.18))
        edges = np.linspace(0.0, 1.0, 41)
        sides = ((outcome, 1.0, PALETTE[0]), (~outcome, -1.0, SOFT))
        for own, sign, tint in sides:
            share = np.histogram(probabilities[own], edges)[0] / max(probabilities.size, 1)
            below.bar(edges[:-1], sign * share, width=0.022, align="edge", color=tint)
        below.axhline(0.0, color=LINE, linewidth=0.8)
        below.text(0.99, 0.97, "responders ↑", ha="right", va="top", color=PALETTE[0],
                   fontsize=9.0, transform=below.transAxes)  # fmt: skip
        below.text(0.99, 0.03, "others ↓", ha="right", va="bottom", color=SOFT, fontsize=9.0,
                   transform=below.transAxes)  # fmt: skip
        below.set_xlim(-0.01, 1.01)
        below.margins(y=0.25)
        below.set_yticks([])
        below.set_xlabel("Predicted probability of response")
        style_axes(below, grid="x")
        return to_svg(figure, key, title, alt)
