"""Goodness of fit: observed against predicted values, and residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from statera.estimate.diagnostics import Diagnostics
from statera.plot.points import (
    POINT,
    cloud,
    column,
    handles,
    logarithmic_axis,
    padded,
    smooth,
)
from statera.plot.svg import to_svg
from statera.plot.theme import INK, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

__all__ = ["GofOptions", "draw_gof"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GofOptions:
    """How goodness of fit is drawn.

    Attributes
    ----------
    output
        Which output; '' for the only one.
    logarithmic
        Whether concentrations are on logarithmic axes.
    residual
        Which residual stands against time and PRED and in the quantile plot.
    x
        Time, or time after dose.
    share
        Share of the points behind each place of the smooth line.
    most_points
        Points drawn in each panel; where there are more, the outermost and every k-th are, and
        the figure says so.
    """

    output: str = ""
    logarithmic: bool = False
    residual: Literal["CWRES", "NPDE", "NPD", "WRES"] = "CWRES"
    x: Literal["TIME", "TAD"] = "TIME"
    share: float = 2.0 / 3.0
    most_points: int = 1500


def draw_gof(
    diagnostics: Diagnostics,
    options: GofOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return six panels of goodness of fit as SVG.

    DV against PRED and IPRED, the residual against time and PRED, IWRES against IPRED, and the
    normal quantiles of the residual.

    Parameters
    ----------
    diagnostics
        From `statera.estimate.diagnostics.diagnose`.
    options
        Output, scale and residual.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If the output is not known, or the residual was not computed.
    """
    chosen = options or GofOptions()
    table = _rows(diagnostics, chosen)
    output = str(table["OUTPUT"][0])
    unit = diagnostics.units.get(output, "")
    named = f" ({unit})" if unit else ""
    time = "Time" if chosen.x == "TIME" else "Time after dose"
    with theme():
        figure = new_figure(10.4, 6.9)
        figure.set_layout_engine("constrained", w_pad=0.09, h_pad=0.09)
        axes = figure.subplots(2, 3).ravel()
        left = 0
        left += _agreement(axes[0], table, "PRED", chosen)
        left += _agreement(axes[1], table, "IPRED", chosen)
        axes[0].set(xlabel=f"Population prediction{named}", ylabel=f"Observed {output}{named}")
        axes[1].set(xlabel=f"Individual prediction{named}", ylabel=f"Observed {output}{named}")
        left += _residual(axes[2], table, chosen.x, chosen.residual, chosen)
        axes[2].set(xlabel=f"{time} ({diagnostics.time_unit})", ylabel=chosen.residual)
        left += _residual(axes[3], table, "PRED", chosen.residual, chosen)
        axes[3].set(xlabel=f"Population prediction{named}", ylabel=chosen.residual)
        left += _residual(axes[4], table, "IPRED", "IWRES", chosen)
        axes[4].set(xlabel=f"Individual prediction{named}", ylabel="IWRES")
        _quantiles(axes[5], column(table, chosen.residual), chosen)
        axes[5].set(xlabel="Standard normal quantile", ylabel=chosen.residual)
        wanted = ["points", "smooth", "identity", "limits"]
        if _censored(table).any():
            wanted.insert(1, "censored")
        figure.legend(handles=handles(*wanted), loc="outside upper left", ncols=len(wanted))
        if left:
            figure.supxlabel(
                f"{left} of the points are not drawn; smooth lines use all of them.",
                x=0.01, ha="left", size=9, color=SOFT,
            )  # fmt: skip
        return to_svg(figure, key, title, alt)


def _rows(diagnostics: Diagnostics, options: GofOptions) -> pl.DataFrame:
    import polars as pl  # heavy: loaded when a figure is drawn

    table = diagnostics.observations.filter(pl.col("STATUS") != "outcome")
    outputs = table["OUTPUT"].unique(maintain_order=True).to_list()
    if options.output:
        table = table.filter(pl.col("OUTPUT") == options.output)
    elif len(outputs) > 1:
        raise ValueError(f"goodness of fit: name one of the outputs {', '.join(outputs)}")
    if table.height == 0:
        raise ValueError(f"goodness of fit: no predictions of '{options.output}'")
    if options.residual not in table.columns:
        raise ValueError(f"goodness of fit: {options.residual} was not computed")
    return table


def _censored(table: pl.DataFrame) -> NDArray[np.bool_]:
    return np.asarray((table["STATUS"] == "below limit").to_numpy(), dtype=np.bool_)


def _agreement(axes: Axes, table: pl.DataFrame, name: str, options: GofOptions) -> int:
    """Draw observed against predicted values with the line of identity."""
    x, y = column(table, name), column(table, "DV")
    censored = _censored(table)
    limit = column(table, "LIMIT")
    quantified = np.asarray((table["STATUS"] == "quantified").to_numpy(), dtype=np.bool_)
    shown = np.where(quantified, y, np.nan)
    if options.logarithmic:
        shown = np.where((shown > 0) & (x > 0), shown, np.nan)
    # predictions of censored values may lie far below: not further than a hundredth of the limit
    low = np.maximum(x[censored], limit[censored] / 100.0)
    ends = padded(
        np.concatenate([x[quantified], shown, limit[censored], low]),
        logarithmic=options.logarithmic,
    )
    axes.plot(ends, ends, color=INK, linewidth=1.0, zorder=3)
    left = cloud(axes, x, shown, most=options.most_points)
    axes.plot(low, limit[censored], "v", ms=4.5, mfc="white", mec=POINT, mew=0.8)
    log = options.logarithmic
    smooth(axes, x, shown, share=options.share, log_x=log, log_y=log)
    if log:
        logarithmic_axis(axes, "x")
        logarithmic_axis(axes, "y")
    axes.set(xlim=ends, ylim=ends)
    style_axes(axes, grid="both")
    return left


def _residual(axes: Axes, table: pl.DataFrame, name: str, of: str, options: GofOptions) -> int:
    """Draw residuals with the line of zero and the range of 95 %."""
    x, y = column(table, name), column(table, of)
    logarithmic = options.logarithmic and name in ("PRED", "IPRED")
    if logarithmic:
        x = np.where(x > 0, x, np.nan)
    axes.axhline(0.0, color=INK, linewidth=1.0, zorder=3)
    for level in (-1.96, 1.96):
        axes.axhline(level, color=SOFT, linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
    left = cloud(axes, x, y, most=options.most_points)
    smooth(axes, x, y, share=options.share, log_x=logarithmic)
    if logarithmic:
        logarithmic_axis(axes, "x")
    reach = 1.08 * max(float(np.nanmax(np.abs(y), initial=0.0)), 2.4)
    axes.set_ylim(-reach, reach)
    axes.set_xlim(*padded(np.where(np.isfinite(y), x, np.nan), logarithmic=logarithmic))
    style_axes(axes)
    return left


def _quantiles(axes: Axes, values: Floats, options: GofOptions) -> None:
    """Draw ordered residuals against normal quantiles."""
    ordered = np.sort(values[np.isfinite(values)])
    n = ordered.size
    axes.axline((0.0, 0.0), slope=1.0, color=INK, linewidth=1.0, zorder=3)
    if n:
        expected = ndtri((np.arange(n) + 0.5) / n)
        cloud(axes, expected, ordered, most=options.most_points)
        reach = 1.08 * max(float(np.abs(ordered).max()), float(expected[-1]), 2.4)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    style_axes(axes, grid="both")
