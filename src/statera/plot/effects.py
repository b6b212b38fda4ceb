"""Random effects of a fit: their distribution, and how they go with covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.estimate.diagnostics import Diagnostics
from statera.estimate.strata import MOST_LEVELS
from statera.plot.points import POINT, SMOOTH, cloud, column, few_ticks, padded, smooth
from statera.plot.svg import to_svg
from statera.plot.theme import INK, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EffectOptions", "draw_effect_covariates", "draw_effects", "varying_covariates"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EffectOptions:
    """How random effects are drawn.

    Attributes
    ----------
    effects, covariates
        Which ones; all where empty (covariates: all that differ between subjects).
    columns
        Panels in a row of the distributions.
    share
        Share of the points behind each place of the smooth line.
    most_points
        Subjects drawn in each panel.
    """

    effects: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    columns: int = 3
    share: float = 0.75
    most_points: int = 1500


def varying_covariates(diagnostics: Diagnostics) -> tuple[str, ...]:
    """Return the covariates that differ between subjects."""
    found = []
    for name in diagnostics.covariates:
        values = column(diagnostics.subjects, name)
        if np.unique(values[np.isfinite(values)]).size > 1:
            found.append(name)
    return tuple(found)


def draw_effects(
    diagnostics: Diagnostics,
    options: EffectOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return histograms of the random effects with the population's normal curve as SVG.

    Parameters
    ----------
    diagnostics
        From `statera.estimate.diagnostics.diagnose`.
    options
        Which random effects.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no such random effect, or none at all.
    """
    chosen = options or EffectOptions()
    names = _effects(diagnostics, chosen)
    n_columns = min(chosen.columns, len(names))
    n_rows = -(-len(names) // n_columns)
    with theme():
        figure = new_figure(3.4 * n_columns, 2.6 * n_rows + 0.5)
        figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
        grid = figure.subplots(n_rows, n_columns, squeeze=False)
        for axes, name in zip(grid.ravel(), names, strict=False):
            variance = diagnostics.variances[diagnostics.effects.index(name)]
            _histogram(axes, name, column(diagnostics.subjects, name), variance)
        for axes in grid.ravel()[len(names) :]:
            axes.set_visible(False)
        for row in grid:
            row[0].set_ylabel("Density")
        _legend(figure)
        return to_svg(figure, key, title, alt)


def _legend(figure: object) -> None:
    from matplotlib.figure import Figure  # heavy: loaded when a figure is drawn
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    assert isinstance(figure, Figure)
    figure.legend(
        handles=[
            Patch(facecolor=(POINT, 0.35), edgecolor=POINT, label="subjects"),
            Line2D([], [], color=SMOOTH, label="estimated distribution"),
        ],
        loc="outside upper left",
        ncols=2,
    )


def _effects(diagnostics: Diagnostics, options: EffectOptions) -> Sequence[str]:
    names = options.effects or diagnostics.effects
    unknown = [n for n in names if n not in diagnostics.effects]
    if unknown or not names:
        raise ValueError(f"random effects: none called '{unknown[0] if unknown else ''}'")
    return names


def _histogram(axes: Axes, name: str, values: Floats, variance: float) -> None:
    known = values[np.isfinite(values)]
    sd = float(np.sqrt(variance))
    reach = 1.08 * max(float(np.abs(known).max(initial=0.0)), 3.0 * sd)
    bins = int(np.clip(np.ceil(2.0 * known.size ** (1 / 3)), 6, 30))
    axes.hist(known, bins=np.linspace(-reach, reach, bins + 1).tolist(), density=True,
              facecolor=(POINT, 0.35), edgecolor=POINT, linewidth=0.7)  # fmt: skip
    if sd > 0:
        x = np.linspace(-reach, reach, 161)
        axes.plot(x, np.exp(-0.5 * (x / sd) ** 2) / (sd * np.sqrt(2 * np.pi)), color=SMOOTH)
    axes.axvline(0.0, color=SOFT, linewidth=0.9)
    axes.set_xlim(-reach, reach)
    if known.size <= 400:
        axes.plot(known, np.zeros(known.size), "|", ms=6, color=INK, mew=0.7,
                  transform=axes.get_xaxis_transform(), clip_on=False)  # fmt: skip
    axes.set_title(name)
    few_ticks(axes, "x", 5)
    style_axes(axes)


def draw_effect_covariates(
    diagnostics: Diagnostics,
    options: EffectOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return random effects against covariates as SVG: a row an effect, a column a covariate.

    Covariates with few values are drawn as boxes with their points, others as points with a
    smooth line; each panel gives the rank correlation of the two.

    Parameters
    ----------
    diagnostics
        From `statera.estimate.diagnostics.diagnose`.
    options
        Which random effects and covariates.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is nothing to draw, or no covariate of that name.
    """
    chosen = options or EffectOptions()
    names = _effects(diagnostics, chosen)
    covariates = chosen.covariates or varying_covariates(diagnostics)
    unknown = [c for c in covariates if c not in diagnostics.covariates]
    if unknown or not covariates:
        raise ValueError(f"covariates: none called '{unknown[0] if unknown else ''}' that varies")
    with theme():
        figure = new_figure(2.9 * len(covariates) + 0.4, 2.2 * len(names) + 0.3)
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
        grid = figure.subplots(len(names), len(covariates), squeeze=False, sharey="row")
        for i, name in enumerate(names):
            for j, covariate in enumerate(covariates):
                axes = grid[i, j]
                x, y = column(diagnostics.subjects, covariate), column(diagnostics.subjects, name)
                axes.axhline(0.0, color=INK, linewidth=1.0, zorder=1)
                if np.unique(x[np.isfinite(x)]).size <= MOST_LEVELS:
                    _boxes(axes, x, y)
                else:
                    cloud(axes, x, y, most=chosen.most_points)
                    smooth(axes, x, y, share=chosen.share)
                    axes.set_xlim(*padded(x))
                _correlation(axes, x, y)
                style_axes(axes)
                axes.margins(y=0.16)
                if i == len(names) - 1:
                    axes.set_xlabel(covariate)
            grid[i, 0].set_ylabel(name)
        return to_svg(figure, key, title, alt)


def _boxes(axes: Axes, x: Floats, y: Floats) -> None:
    """Draw a box (quartiles; whiskers of 1.5 ranges) with the subjects beside its middle."""
    levels = np.unique(x[np.isfinite(x)])
    parts = [y[(x == level) & np.isfinite(y)] for level in levels]
    axes.boxplot(
        parts, positions=range(len(levels)), widths=0.5, showfliers=False,
        boxprops={"color": INK, "linewidth": 1.0}, whiskerprops={"color": INK, "linewidth": 1.0},
        capprops={"color": INK, "linewidth": 1.0}, medianprops={"color": SMOOTH, "linewidth": 1.8},
    )  # fmt: skip
    for k, part in enumerate(parts):
        # places beside the middle by order, not by chance: the same figure every time
        beside = 0.16 * (((np.arange(part.size) * 0.618) % 1.0) * 2.0 - 1.0)
        axes.plot(k + beside, part, "o", ms=3.6, mfc=(POINT, 0.4), mec="none")
    axes.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    axes.set_xlim(-0.6, len(levels) - 0.4)


def _correlation(axes: Axes, x: Floats, y: Floats) -> None:
    from scipy.stats import spearmanr  # only where covariates are drawn

    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 4 or np.unique(x[known]).size < 2 or np.unique(y[known]).size < 2:
        return
    rho = float(spearmanr(x[known], y[known]).statistic)
    text = f"ρ {rho:+.2f}".replace("-", "\u2212")
    axes.annotate(text, (1.0, 1.0), xycoords="axes fraction", xytext=(-3, -3),
                  textcoords="offset points", ha="right", va="top", size=8.5,
                  color=INK)  # fmt: skip
