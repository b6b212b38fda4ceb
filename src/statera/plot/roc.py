"""ROC curve of predictions of samples that were left out, with its band."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, new_figure, style_axes, theme

__all__ = ["draw_roc"]

Floats = NDArray[np.float64]


def draw_roc(
    false_positives: Floats,
    sensitivity: Floats,
    low: Floats,
    high: Floats,
    *,
    label: str,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a ROC curve as SVG.

    Parameters
    ----------
    false_positives, sensitivity, low, high : (q,) float64
        Curve and pointwise band.
    label
        What is written inside, such as the area with its interval; several lines are possible.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        figure = new_figure(5.0, 5.0)
        axes = figure.add_axes((0.13, 0.12, 0.84, 0.84))
        axes.plot([0.0, 1.0], [0.0, 1.0], color=LINE, linewidth=1.0, dashes=(4, 3))
        false_positives = np.append(0.0, false_positives)
        sensitivity, low, high = (np.append(0.0, x) for x in (sensitivity, low, high))
        # an empirical curve climbs in steps: its values hold up to the next share
        axes.fill_between(
            false_positives, low, high, step="post", color=PALETTE[0], alpha=0.16, linewidth=0.0
        )
        axes.step(false_positives, sensitivity, where="post", color=PALETTE[0])
        axes.text(0.97, 0.05, label, ha="right", va="bottom", color=INK, linespacing=1.4)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        axes.set_xlabel("1 − specificity")
        axes.set_ylabel("Sensitivity")
        style_axes(axes, grid="both")
        return to_svg(figure, key, title, alt)
