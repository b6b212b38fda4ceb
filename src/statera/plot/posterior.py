"""Posteriors: the density of each parameter, and the traces of its chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.estimate.posterior import Posterior, free_draws
from statera.plot.points import few_ticks
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, colour, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PosteriorPlotOptions", "draw_posterior"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PosteriorPlotOptions:
    """How a posterior is drawn: bins of a histogram, and points of a trace at most."""

    bins: int = 30
    most_points: int = 500


def draw_posterior(
    posterior: Posterior,
    options: PosteriorPlotOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a histogram and the traces of the chains of every parameter as SVG.

    A bar below each histogram spans the 95 % interval; the point on it is the median.

    Parameters
    ----------
    posterior
        From `statera.estimate.sample_posterior`.
    options
        Bins and points.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    chosen = options or PosteriorPlotOptions()
    draws = free_draws(posterior.problem, posterior.data)
    n_rows = -(-len(draws) // 2)
    with theme():
        figure = new_figure(10.4, 1.55 * n_rows + 0.3)
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.05)
        grid = figure.subplots(n_rows, 4, squeeze=False, gridspec_kw={"width_ratios": [1, 1.6] * 2})
        for k, (name, values) in enumerate(draws.items()):
            left, right = grid[k // 2, 2 * (k % 2)], grid[k // 2, 2 * (k % 2) + 1]
            left.hist(values.ravel(), bins=chosen.bins, color=(PALETTE[0], 0.35), density=True)
            low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
            foot = -0.04 * left.get_ylim()[1]
            left.plot([low, high], [foot, foot], color=INK, linewidth=2.0, clip_on=False)
            left.plot([middle], [foot], "o", ms=5, color=INK, clip_on=False)
            left.set_yticks([])
            left.set_title(name, size=9.5, pad=3)
            _traces(right, values, chosen.most_points)
            for axes in (left, right):
                axes.tick_params(labelsize=8.5)
                few_ticks(axes, "x", 4)
                style_axes(axes, grid="")
            few_ticks(right, "y", 3)
        for axes in grid.ravel()[2 * len(draws) :]:
            axes.set_visible(False)
        figure.supxlabel("Left: posterior density. Right: draws of each chain, in order.", size=9)
        return to_svg(figure, key, title, alt)


def _traces(axes: Axes, values: Floats, most: int) -> None:
    every = max(1, -(-values.shape[1] // most))
    at = np.arange(1, values.shape[1] + 1)[::every]
    for chain, line in enumerate(values[:, ::every]):
        axes.plot(at, line, color=(colour(chain), 0.6), linewidth=0.7)
