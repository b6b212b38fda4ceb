"""Baujat's plot: which studies make the heterogeneity, and which of them move the result.

Baujat and others, Stat Med 2002;21:2641.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from statera.evidence.influence import Baujat
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, halo, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["baujat_figure", "draw_baujat"]

_NAMED = 8
_APART = 0.15  # of the longest distances; studies nearer to the corner have no name


def draw_baujat(found: Baujat, *, key: str, title: str, alt: str) -> str:
    """Return Baujat's plot as SVG.

    Parameters
    ----------
    found
        Of `statera.evidence.influence.baujat`.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        return to_svg(baujat_figure(found), key, title, alt)


def baujat_figure(found: Baujat) -> Figure:
    """Return the drawing; call inside `theme`."""
    figure = new_figure(6.6, 4.8)
    axes = figure.add_axes((0.12, 0.13, 0.83, 0.83))
    x, y = found.heterogeneity, found.influence
    axes.plot(x, y, "o", ms=6, color=PALETTE[0], mec="white", mew=0.7, zorder=3, clip_on=False)
    # those that stand out are named: elsewhere the names would only cover each other
    apart = x / max(float(x.max()), 1e-300) + y / max(float(np.nanmax(y)), 1e-300)
    for i in np.argsort(-np.nan_to_num(apart))[:_NAMED]:
        if not apart[i] > _APART:
            continue
        right = x[i] > 0.7 * float(x.max())
        axes.annotate(
            found.names[i], (x[i], y[i]), xytext=(-7 if right else 7, 3),
            textcoords="offset points", ha="right" if right else "left", size=8.5, color=INK,
            path_effects=halo(),
        )  # fmt: skip
    axes.set_xlabel("Contribution to heterogeneity (squared Pearson residual)")
    axes.set_ylabel("Influence on the pooled effect")
    axes.set_xlim(left=min(0.0, float(x.min())))
    axes.set_ylim(bottom=0.0, top=1.12 * max(float(np.nanmax(y)), 1e-12))
    axes.margins(x=0.06)
    style_axes(axes, grid="both")
    return figure
