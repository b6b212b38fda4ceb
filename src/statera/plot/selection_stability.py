"""Bars of how often each marker was selected over resamples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.plot.svg import to_svg
from statera.plot.text import text_width
from statera.plot.theme import LINE, PALETTE, SHADE, SOFT, new_figure, style_axes, theme

__all__ = ["draw_selection_stability"]

Floats = NDArray[np.float64]
_WIDTH = 6.8


def draw_selection_stability(
    names: Sequence[str],
    frequency: Floats,
    direction: Sequence[str],
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return bars as SVG, in the order given.

    Parameters
    ----------
    names : (m,)
    frequency : (m,) float64
        Share of the resamples that selected each marker.
    direction : (m,)
        ``+`` or ``-``, the sign of its weight, written beside the bar; else empty, and grey.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        height = 0.75 + 0.27 * len(names)
        figure = new_figure(_WIDTH, height)
        left = min(0.45, (max(text_width(n, 9.5) for n in names) + 0.25) / _WIDTH)
        axes = figure.add_axes((left, 0.58 / height, 0.95 - left, 1.0 - (0.58 + 0.12) / height))
        place = np.arange(len(names))[::-1]
        axes.barh(place, np.ones(len(names)), height=0.66, color=SHADE)
        signs = {"+": PALETTE[0], "-": PALETTE[1]}
        plain = LINE if any(direction) else PALETTE[0]
        tints = [signs.get(d, plain) for d in direction]
        axes.barh(place, frequency, height=0.66, color=tints)
        for y, share, sign in zip(place, frequency, direction, strict=True):
            words = f"{share:.0%}" + (f"  {sign.replace('-', '−')}" if sign else "")
            inside = share > 0.86
            axes.text(
                share - 0.012 if inside else share + 0.012, y, words, va="center", fontsize=8.5,
                ha="right" if inside else "left", color="white" if inside else SOFT,
            )  # fmt: skip
        axes.set_yticks(place.tolist(), list(names))
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlabel("Selected in this share of the resamples")
        axes.tick_params(axis="y", length=0.0)
        style_axes(axes, grid="")
        return to_svg(figure, key, title, alt)
