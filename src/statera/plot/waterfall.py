"""Waterfall: where the searches from many starts ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from statera.plot.points import few_ticks
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, new_figure, style_axes, theme

__all__ = ["WaterfallOptions", "draw_waterfall"]

_WIDE = 40.0  # a range of objectives that a plain axis still shows


@dataclass(frozen=True)
class WaterfallOptions:
    """How ends are drawn.

    Attributes
    ----------
    within
        Ends this close to the lowest count as the same.
    y_label
        Name of the objective.
    """

    within: float = 0.1
    y_label: str = "Objective above the lowest"


def draw_waterfall(
    values: ArrayLike,
    converged: Sequence[bool],
    options: WaterfallOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the ends of searches, the lowest first, as SVG.

    Searches without a finite end are counted in words, not drawn. Where ends lie far apart the
    axis is logarithmic above `within`.

    Parameters
    ----------
    values : (n,) float64
        Objectives at the ends; infinite where there is none.
    converged
        Whether each search ended by its own rule; others are drawn open.

    Raises
    ------
    ValueError
        If no value is finite.
    """
    chosen = options or WaterfallOptions()
    ends = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(ends)
    if not finite.any():
        raise ValueError("waterfall: no search ended with a finite objective")
    order = np.argsort(ends[finite])
    above = ends[finite][order] - ends[finite].min()
    full = np.asarray(converged, dtype=bool)[finite][order]
    number = np.arange(above.size) + 1.0
    with theme():
        figure = new_figure(6.4, 3.6)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        axes.plot(number, above, color=SOFT, linewidth=1.0, zorder=1)
        best = above <= chosen.within
        for mask, ink in ((best, PALETTE[0]), (~best, PALETTE[1])):
            for shown, fill in ((mask & full, ink), (mask & ~full, "white")):
                axes.plot(number[shown], above[shown], "o", ms=6.5, mfc=fill, mec=ink, mew=1.3)
        if above.max() > _WIDE * chosen.within:
            axes.set_yscale("symlog", linthresh=chosen.within, linscale=0.6)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_ylim(bottom=-0.3 * chosen.within if above.max() > 0 else -chosen.within)
        axes.margins(x=0.05, y=0.15)
        axes.set(xlabel="Search, by its end", ylabel=chosen.y_label)
        few_ticks(axes, "x", 8, whole=True)
        style_axes(axes)
        lost = int((~finite).sum())
        said = f"{int(best.sum())} of {ends.size} searches within {chosen.within:g} of the lowest"
        more = [f"{lost} without a finite end"] if lost else []
        more += [] if full.all() else ["open: stopped early"]
        said += f"\n{'; '.join(more)}" if more else ""
        axes.set_title(said, fontsize=9.5, fontweight="normal", color=INK)
        return to_svg(figure, key, title, alt)
