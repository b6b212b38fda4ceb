"""Decision curve: net benefit over the threshold from which on one would act."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.plot.svg import to_svg
from statera.plot.theme import PALETTE, SOFT, new_figure, style_axes, theme

__all__ = ["draw_decision_curve"]

Floats = NDArray[np.float64]


def draw_decision_curve(
    threshold: Floats,
    model: Floats,
    low: Floats,
    high: Floats,
    everybody: Floats,
    *,
    key: str,
    title: str,
    alt: str,
    name: str = "model",
) -> str:
    """Return a decision curve as SVG.

    Parameters
    ----------
    threshold, model, low, high, everybody : (t,) float64
        Net benefit of acting by the model with its band, and of acting on all.
    key, title, alt
        Anchor, name and description of the drawing.
    name
        Of the model, in the legend.
    """
    with theme():
        figure = new_figure(6.4, 4.2)
        axes = figure.add_axes((0.12, 0.14, 0.86, 0.76))
        axes.fill_between(threshold, low, high, color=PALETTE[0], alpha=0.16, linewidth=0.0)
        axes.plot(threshold, model, color=PALETTE[0], label=name)
        axes.plot(threshold, everybody, color=PALETTE[1], dashes=(5, 2), label="all")
        axes.axhline(0.0, color=SOFT, linewidth=1.2, dashes=(1.5, 1.5), label="nobody")
        top = float(max(np.nanmax(model), everybody[0], np.nanmax(high), 0.05))
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(-0.25 * top, 1.08 * top)
        axes.set_xlabel("Threshold of probability")
        axes.set_ylabel("Net benefit per subject")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2)
        style_axes(axes, grid="y")
        return to_svg(figure, key, title, alt)
