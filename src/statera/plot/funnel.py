"""Contour-enhanced funnel plot: effects against their standard errors.

The shades are where a study of that precision would be significant against no effect (Peters and
others, J Clin Epidemiol 2008;61:991): studies missing from the white part suggest selection by
significance, studies missing elsewhere another reason.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from statera.evidence.effects import Effects
from statera.evidence.measures import Scale
from statera.evidence.pairwise_result import PairwiseResult
from statera.plot.figure_bytes import figure_bytes
from statera.plot.forest_axis import ratio_ticks
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_funnel", "funnel_figure", "funnel_pdf"]

_SHADES = ("#c3ccd3", "#d9dfe4", "#ebeef1")
_LEVELS = (0.01, 0.05, 0.1)
_WORDS = ("p < 0.01", "0.01 to 0.05", "0.05 to 0.1")
_MOST_TICKS = 7


def draw_funnel(
    result: PairwiseResult, *, filled: Effects | None = None, key: str, title: str, alt: str
) -> str:
    """Return a contour-enhanced funnel plot as SVG.

    Parameters
    ----------
    result
        Of `pairwise`; its studies are the points, its mean the line.
    filled
        Imputed studies of trim and fill, drawn hollow.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        return to_svg(funnel_figure(result, filled), key, title, alt)


def funnel_pdf(result: PairwiseResult, *, filled: Effects | None = None, title: str) -> bytes:
    """Return the same drawing as PDF."""
    return figure_bytes(
        lambda: funnel_figure(result, filled), ".pdf", key="funnel", title=title, alt=""
    )


def funnel_figure(result: PairwiseResult, filled: Effects | None = None) -> Figure:
    """Return the drawing; call inside `theme`. As `draw_funnel`."""
    figure = new_figure(7.0, 4.8)
    axes = figure.add_axes((0.11, 0.13, 0.66, 0.83))
    y, se = result.effects.y, result.effects.se
    extra_y = filled.y if filled is not None else np.empty(0)
    extra_se = filled.se if filled is not None else np.empty(0)
    top = 1.1 * float(max(se.max(), extra_se.max(initial=0.0)))
    null = result.effects.definition.null
    middle = result.estimate
    centre = middle if math.isnan(null) else null
    every = np.concatenate([y, extra_y, [middle, centre]])
    reach = 1.1 * max(float(np.abs(every - middle).max()), 1.96 * top)
    axes.set_xlim(middle - reach, middle + reach)
    axes.set_ylim(top, 0.0)
    if not math.isnan(null):
        _contours(axes, null, top)
    z = float(-ndtri((1.0 - result.options.level) / 2.0))
    axes.plot(
        [middle - z * top, middle, middle + z * top], [top, 0.0, top],
        color=SOFT, linewidth=1.0, linestyle="--",
        label=f"{100 * result.options.level:g} % limits",
    )  # fmt: skip
    axes.axvline(middle, color=INK, linewidth=1.0, label="mean")
    axes.plot(y, se, "o", ms=6, color=PALETTE[0], mec="white", mew=0.7, label="study", zorder=4)
    if extra_y.size:
        axes.plot(extra_y, extra_se, "o", ms=6, mfc="white", mec=PALETTE[1], mew=1.4,
                  label="imputed", zorder=4)  # fmt: skip
    _scale(axes, result.effects)
    axes.set_ylabel("Standard error" + (" of the logarithm" if result.effects.log else ""))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    style_axes(axes, grid="")
    return figure


def _contours(axes: Axes, null: float, top: float) -> None:
    """Shade where a study would be significant: darkest where most."""
    low, high = axes.get_xlim()
    bounds = [float(-ndtri(level / 2.0)) for level in _LEVELS]
    outer = math.inf
    for shade, z, words in zip(_SHADES, bounds, _WORDS, strict=True):
        for side, end in ((-1.0, low), (1.0, high)):
            far = end if math.isinf(outer) else null + side * outer * top
            beyond = end if math.isinf(outer) else null
            axes.fill(
                [null, null + side * z * top, far, beyond], [0.0, top, top, 0.0],
                color=shade, linewidth=0, zorder=0, label=words if side < 0 else None,
            )  # fmt: skip
        outer = z
    axes.set_xlim(low, high)


def _scale(axes: Axes, effects: Effects) -> None:
    """Name the axis; logarithms get ticks at round ratios."""
    from matplotlib.ticker import FixedFormatter, FixedLocator  # heavy: loaded when drawn

    measure = effects.definition
    name = measure.name[:1].upper() + measure.name[1:]
    if measure.scale is not Scale.LOG:
        axes.set_xlabel(name if measure.scale is Scale.NATURAL else f"{name} ({measure.scale})")
        return
    low, high = (math.exp(min(max(x, -300.0), 300.0)) for x in axes.get_xlim())
    ticks = ratio_ticks(low, high)
    if len(ticks) > _MOST_TICKS:
        ticks = [t for t in ticks if math.log10(t).is_integer()]
    axes.xaxis.set_major_locator(FixedLocator([math.log(t) for t in ticks]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{t:g}" for t in ticks]))
    axes.set_xlabel(f"{name} (log scale)")
