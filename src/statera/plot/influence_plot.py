"""Measures of influence of each study, a panel a measure, with the limits that mark a study.

Viechtbauer and Cheung, Res Synth Methods 2010;1:112.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from statera.evidence.influence import Influence
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_influence", "influence_figure"]

Floats = NDArray[np.float64]


def draw_influence(found: Influence, *, key: str, title: str, alt: str) -> str:
    """Return the panels as SVG.

    Parameters
    ----------
    found
        Of `statera.evidence.influence.influence`.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        return to_svg(influence_figure(found), key, title, alt)


def influence_figure(found: Influence) -> Figure:
    """Return the drawing; call inside `theme`."""
    k, p = found.dfbetas.shape
    reach = 3.0 * math.sqrt(p / max(k - p, 1))
    panels: tuple[tuple[str, Floats, tuple[float, ...]], ...] = (
        ("Studentised residual", found.rstudent, (-1.96, 1.96)),
        ("DFFITS", found.dffits, (-reach, reach)),
        ("Cook's distance", found.cook, (float(chdtri(max(p, 1), 0.5)),)),
        ("τ² without the study", found.tau2_deleted, ()),
        ("Q without the study", found.q_deleted, ()),
        ("Hat value", found.hat, (3.0 * p / k,)),
    )
    height = 0.5 + 0.17 * k
    width = 3.1
    names = max(0.9, 0.075 * max(len(n) for n in found.names) + 0.2)
    figure = new_figure(names + 3 * width, 2 * (height + 0.75) + 0.25)
    whole_width, whole = (float(v) for v in figure.get_size_inches())
    at = np.arange(k)
    for i, (title, values, limits) in enumerate(panels):
        left = names + (i % 3) * width
        bottom = whole - (i // 3 + 1) * (height + 0.75) + 0.4
        axes = figure.add_axes(
            (left / whole_width, bottom / whole, (width - 0.25) / whole_width, height / whole)
        )
        for limit in limits:
            axes.axvline(limit, color=SOFT, linewidth=1.0, linestyle="--")
        axes.hlines(at, 0.0 if "without" not in title else np.nanmin(values), values, color=LINE,
                    linewidth=0.9)  # fmt: skip
        plain = ~found.is_influential
        axes.plot(values[plain], at[plain], "o", ms=5, color=PALETTE[0], mec="white", mew=0.6)
        axes.plot(values[~plain], at[~plain], "D", ms=6, color=PALETTE[1], mec="white", mew=0.6)
        axes.set_ylim(k - 0.4, -0.6)
        axes.set_yticks(at, found.names if i % 3 == 0 else [""] * k)
        axes.tick_params(axis="y", length=0)
        axes.set_title(title)
        axes.locator_params(axis="x", nbins=5)
        style_axes(axes, grid="x")
    figure.text(
        0.01, 0.06 / whole, "Diamonds: influential by at least one limit (dashed).", size=8.5,
        color=INK,
    )  # fmt: skip
    return figure
