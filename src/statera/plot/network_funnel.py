"""Comparison-adjusted funnel plot: effects less the mean of their comparison, by precision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from statera.evidence.network_funnel import AdjustedFunnel
from statera.plot.figure_bytes import figure_bytes
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, MARKERS, PALETTE, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_network_funnel", "network_funnel_pdf"]

_MOST = 12  # comparisons in the legend


def draw_network_funnel(
    funnel: AdjustedFunnel, *, effect: str, key: str, title: str, alt: str
) -> str:
    """Return a comparison-adjusted funnel plot as SVG.

    Parameters
    ----------
    funnel
        Of `comparison_adjusted`.
    effect
        What the differences are of, such as "log odds ratio".
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        return to_svg(_figure(funnel, effect), key, title, alt)


def network_funnel_pdf(funnel: AdjustedFunnel, *, effect: str, title: str) -> bytes:
    """Return the same drawing as PDF."""
    return figure_bytes(lambda: _figure(funnel, effect), ".pdf", key="funnel", title=title, alt="")


def _figure(funnel: AdjustedFunnel, effect: str) -> Figure:
    figure = new_figure(8.2, 4.8)
    axes = figure.add_axes((0.09, 0.13, 0.56, 0.83))
    top = 1.1 * float(funnel.se.max())
    reach = 1.1 * max(float(np.abs(funnel.difference).max()), 1.96 * top)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(top, 0.0)
    z = float(-ndtri(0.025))
    axes.plot([-z * top, 0, z * top], [top, 0, top], color=SOFT, lw=1.0, ls=(0, (5, 3)))
    axes.axvline(0.0, color=SOFT, lw=1.0)
    names = [n for n in dict.fromkeys(funnel.comparisons)
             if not funnel.alone[funnel.comparisons.index(n)]]  # fmt: skip
    for number, name in enumerate(names):
        turn = number // len(PALETTE)  # shape and colour meet in pairs that are all different
        rows = [i for i, label in enumerate(funnel.comparisons) if label == name]
        axes.plot(
            funnel.difference[rows], funnel.se[rows], MARKERS[number % len(MARKERS)],
            color=PALETTE[(number + turn) % len(PALETTE)], mec="white", mew=0.5, ms=6.5, ls="",
            label=f"{name} ({len(rows)})" if number < _MOST else None, zorder=3,
        )  # fmt: skip
    if funnel.alone.any():
        axes.plot(
            funnel.difference[funnel.alone], funnel.se[funnel.alone], "o", mfc="white", mec=LINE,
            ms=5.5, ls="", label=f"alone in their comparison ({int(funnel.alone.sum())})", zorder=2,
        )  # fmt: skip
    axes.set_xlabel(f"{effect[:1].upper()}{effect[1:]}, less the mean of the comparison")
    axes.set_ylabel("Standard error")
    style_axes(axes, grid="")
    extra = f"and {len(names) - _MOST} more comparisons" if len(names) > _MOST else ""
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), title="Comparison (studies)",
                alignment="left", fontsize=8.5, title_fontsize=9)  # fmt: skip
    figure.text(0.67, 0.15, "\n".join(x for x in (extra, _test(funnel)) if x), size=9, color=INK)
    return figure


def _test(funnel: AdjustedFunnel) -> str:
    if funnel.df <= 0 or math.isnan(funnel.p):
        return "Regression test: too few studies"
    p = "p < 0.001" if funnel.p < 0.001 else f"p = {funnel.p:.3f}"
    return f"Regression test: t = {funnel.t:.2f},\ndf = {funnel.df}, {p}"
