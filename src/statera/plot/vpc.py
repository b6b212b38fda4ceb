"""Visual predictive checks: percentiles of the data over bands of simulated percentiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.estimate.vpc import Vpc
from statera.estimate.vpc_panels import Statistic, VpcPanel
from statera.plot.band import band_handle
from statera.plot.points import few_ticks, logarithmic_axis, padded, thin
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["VpcPlotOptions", "draw_vpc"]

Floats = NDArray[np.float64]

_MIDDLE, _OUTER = PALETTE[1], PALETTE[0]
_STRENGTH = 0.22


@dataclass(frozen=True)
class VpcPlotOptions:
    """How a visual predictive check is drawn.

    Attributes
    ----------
    x_label, y_label
        Names of the axes; '' makes them from the check.
    logarithmic
        Whether the ordinate of values is logarithmic.
    points
        Whether observations are drawn.
    most_points
        Observations drawn in each panel.
    columns
        Panels in a row.
    """

    x_label: str = ""
    y_label: str = ""
    logarithmic: bool = False
    points: bool = True
    most_points: int = 1500
    columns: int = 2


def draw_vpc(
    check: Vpc, options: VpcPlotOptions | None = None, *, key: str, title: str, alt: str
) -> str:
    """Return a visual predictive check as SVG.

    Bands are drawn as steps over the bins. Under a panel of values with censored observations
    stands one with their share; an outcome has a panel for the share of each level.

    Parameters
    ----------
    check
        From `statera.estimate.vpc.vpc`.
    options
        Labels, scale and points.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    chosen = options or VpcPlotOptions()
    cells = [cell for panel in check.panels for cell in _cells(panel)]
    n_columns = min(chosen.columns, max(len(cells), 1))
    with theme():
        n_rows = -(-len(cells) // n_columns)
        wide = n_columns == 1
        width, height = (7.4, 4.0) if wide else (4.7, 3.3)
        figure = new_figure(width * n_columns, height * n_rows + 0.5)
        figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
        grid = _layout(figure, check, chosen, n_rows, n_columns)
        for place, panel in grid:
            _panel(place, panel, check, chosen)
        figure.legend(handles=_legend(check, chosen), loc="outside upper left", ncols=3)
        return to_svg(figure, key, title, alt)


def _cells(panel: VpcPanel) -> list[tuple[VpcPanel, Statistic | None]]:
    """Return what is drawn of a panel: its values with any share under them, or its shares."""
    if panel.percentiles:
        return [(panel, None)]
    return [(panel, share) for share in panel.shares]


def _layout(
    figure: Figure, check: Vpc, options: VpcPlotOptions, n_rows: int, n_columns: int
) -> list[tuple[list[Axes], tuple[VpcPanel, Statistic | None]]]:
    outer = figure.add_gridspec(n_rows, n_columns)
    found: list[tuple[list[Axes], tuple[VpcPanel, Statistic | None]]] = []
    cells = [cell for panel in check.panels for cell in _cells(panel)]
    for k, cell in enumerate(cells):
        spot = outer[k // n_columns, k % n_columns]
        if cell[1] is None and cell[0].shares:
            inner = spot.subgridspec(2, 1, height_ratios=(3.0, 1.3))
            top = figure.add_subplot(inner[0])
            axes = [top, figure.add_subplot(inner[1], sharex=top)]
            top.tick_params(labelbottom=False)
        else:
            axes = [figure.add_subplot(spot)]
        found.append((axes, cell))
    return found


def _panel(
    axes: list[Axes], cell: tuple[VpcPanel, Statistic | None], check: Vpc, options: VpcPlotOptions
) -> None:
    panel, share = cell
    name = panel.output if share is None else f"{panel.output}, {share.name}"
    axes[0].set_title(f"{name}, {panel.stratum}" if panel.stratum else name)
    corrected = check.options.prediction_corrected
    if share is not None:
        _share(axes[0], panel, share)
        axes[0].set_ylabel("Share of observations")
    else:
        _values(axes[0], panel, options)
        unit = check.units.get(panel.output, "")
        label = options.y_label or (f"{panel.output} ({unit})" if unit else panel.output)
        axes[0].set_ylabel(f"{label}, prediction-corrected" if corrected else label)
        for below, statistic in zip(axes[1:], panel.shares, strict=False):
            _share(below, panel, statistic)
            below.set_ylabel("Share below\nthe limit")
            few_ticks(below, "y", 3)
    names = {"time": "Time", "tad": "Time after dose", "pred": "Population prediction"}
    unit = f" ({check.x_unit})" if check.x_unit else ""
    axes[-1].set_xlabel(options.x_label or f"{names[check.options.x]}{unit}")
    reach = float(panel.edges[-1] - panel.edges[0]) or 1.0
    axes[0].set_xlim(panel.edges[0] - 0.02 * reach, panel.edges[-1] + 0.02 * reach)


def _steps(edges: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return a line that is constant over each bin."""
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)


def _band(
    axes: Axes, panel: VpcPanel, statistic: Statistic, ink: str, ends: tuple[float, float]
) -> None:
    """Draw the interval; where it reaches among censored values it is cut at `ends`."""
    with np.errstate(invalid="ignore"):
        empty = np.isinf(statistic.high) & (statistic.high < 0) | np.isposinf(statistic.low)
    x, low = _steps(panel.edges, np.where(empty, np.nan, np.maximum(statistic.low, ends[0])))
    _, high = _steps(panel.edges, np.where(empty, np.nan, np.minimum(statistic.high, ends[1])))
    axes.fill_between(x, low, high, facecolor=(ink, _STRENGTH), linewidth=0.0)


def _line(
    axes: Axes, panel: VpcPanel, statistic: Statistic, ink: str, dash: Any, lowest: float = -np.inf
) -> None:
    """Draw an observed statistic; what is not above `lowest` leaves a gap."""
    drawn = np.isfinite(statistic.observed) & (statistic.observed > lowest)
    shown = np.where(drawn, statistic.observed, np.nan)
    axes.plot(panel.x, shown, color=ink, linewidth=1.8, linestyle=dash, marker="o",
              ms=3.2, zorder=4)  # fmt: skip
    outside = np.isfinite(statistic.observed)
    outside &= (statistic.observed < statistic.low) | (statistic.observed > statistic.high)
    axes.plot(panel.x[outside], statistic.observed[outside], "o", ms=9, mfc="none", mec=INK,
              mew=1.1, zorder=5)  # fmt: skip


def _values(axes: Axes, panel: VpcPanel, options: VpcPlotOptions) -> None:
    middle = len(panel.percentiles) // 2
    if options.logarithmic:
        logarithmic_axis(axes, "y")
    drawn = np.full(panel.points_y.size, np.nan)
    if options.points:
        drawn = np.where(np.isfinite(panel.points_y), panel.points_y, np.nan)
        if options.logarithmic:
            drawn = np.where(drawn > 0, drawn, np.nan)
        kept = thin(panel.points_x, drawn, options.most_points)
        axes.plot(panel.points_x[kept], drawn[kept], "o", ms=2.6, mfc=(SOFT, 0.35), mec="none")
    shown = [drawn, *(v for s in panel.percentiles for v in (s.observed, s.low, s.high))]
    shown.append(np.array([panel.limit]))
    ends = padded(np.concatenate(shown), logarithmic=options.logarithmic)
    # under the limit nothing is known of a percentile but that it lies there
    floor = panel.limit if np.isfinite(panel.limit) else ends[0]
    for k, statistic in enumerate(panel.percentiles):
        ink = _MIDDLE if k == middle else _OUTER
        _band(axes, panel, statistic, ink, (floor, ends[1]))
        dash = "-" if k == middle else (0, (4, 1.5))
        _line(axes, panel, statistic, ink, dash, 0.0 if options.logarithmic else -np.inf)
    if np.isfinite(panel.limit):
        axes.axhline(panel.limit, color=SOFT, linewidth=1.0, linestyle=(0, (1, 2)))
    axes.set_ylim(*ends)
    axes.plot(panel.edges, np.zeros(panel.edges.size), "|", ms=7, color=LINE, mew=0.9,
              transform=axes.get_xaxis_transform(), clip_on=False)  # fmt: skip
    style_axes(axes)


def _share(axes: Axes, panel: VpcPanel, statistic: Statistic) -> None:
    _band(axes, panel, statistic, _OUTER, (0.0, 1.0))
    _line(axes, panel, statistic, _OUTER, "-")
    top = np.nanmax(np.concatenate([statistic.observed, statistic.high]), initial=0.0)
    axes.set_ylim(0.0, min(1.02, 1.15 * float(top) + 0.02))
    style_axes(axes)


def _legend(check: Vpc, options: VpcPlotOptions) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    wanted = check.options
    level = f"{100 * wanted.level:g} %"
    found: list[Any] = []
    valued = any(p.percentiles for p in check.panels)
    if valued:
        ends = [f"{p:g}" for p in wanted.percentiles]
        middle = ends.pop(len(ends) // 2)
        found += [
            Line2D(
                [], [], color=_MIDDLE, marker="o", ms=3.2, label=f"observed {middle}th percentile"
            ),
            band_handle(_MIDDLE, f"simulated, {level} interval", strength=_STRENGTH),
        ]
        if ends:
            outer = " and ".join(f"{e}th" for e in ends)
            found += [
                Line2D([], [], color=_OUTER, marker="o", ms=3.2, ls=(0, (4, 1.5)),
                       label=f"observed {outer} percentile"),
                band_handle(_OUTER, f"simulated, {level} interval", strength=_STRENGTH),
            ]  # fmt: skip
    if any(p.shares and not p.percentiles for p in check.panels):
        found += [
            Line2D([], [], color=_OUTER, marker="o", ms=3.2, label="observed share"),
            band_handle(_OUTER, f"simulated, {level} interval", strength=_STRENGTH),
        ]
    found.append(
        Line2D([], [], ls="", marker="o", ms=8, mfc="none", mec=INK, label="outside its interval")
    )
    if any(np.isfinite(p.limit) for p in check.panels):
        found.append(
            Line2D([], [], color=SOFT, lw=1.0, ls=(0, (1, 2)), label="limit of quantification")
        )
    return found
