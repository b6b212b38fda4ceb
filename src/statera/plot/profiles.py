"""Concentration-time curves with population bands, one small panel a dose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statera.plot.arrays import Column, Values, as_band, as_column, upper_limit
from statera.plot.band import HATCH, band_handle, fill_band
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, halo, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Level", "ProfileCurve", "ProfileOptions", "ProfilePanel", "draw_profiles"]

# Levels are told apart by dash; the legend names them, since the curves end where labels would be.
_LEVEL_DASHES: tuple[Any, ...] = ((0, (1, 2)), (0, (4, 2, 1, 2)), (0, (8, 3)))


@dataclass(frozen=True, eq=False)
class ProfileCurve:
    """Concentrations of one dose.

    Attributes
    ----------
    label
        Name of the curve, such as ``4 mg``.
    times : (n,) float64, h
    median : (n,) float64, unit of the axis
    low, high : (n,) float64, unit of the axis
        Edges of the population band; None where no band is drawn.
    extrapolated
        Whether the model is used outside its data: dashed, hatched and said in words.
    """

    label: str
    times: Values
    median: Values
    low: Values | None = None
    high: Values | None = None
    extrapolated: bool = False


@dataclass(frozen=True, eq=False)
class ProfilePanel:
    """Curves of one situation, such as a single dose or the steady state."""

    title: str
    curves: tuple[ProfileCurve, ...]


@dataclass(frozen=True)
class Level:
    """A horizontal line with its name, such as a limit of quantification."""

    value: float
    label: str


@dataclass(frozen=True)
class ProfileOptions:
    """How the curves are drawn.

    Attributes
    ----------
    x_label, y_label
        Names and units of the axes.
    band_label
        What the band is.
    second_factor, second_label
        A second axis at the right shows the concentration times the factor, such as nM for
        ng/mL; none where the factor is None.
    levels
        Horizontal lines drawn in every panel.
    overlay
        Whether the curves of a panel share one plot, told apart by colour, dash and label,
        rather than standing side by side.
    """

    x_label: str = "Time (h)"
    y_label: str = "Concentration (ng/mL)"
    band_label: str = "90 % of the population"
    second_factor: float | None = None
    second_label: str = "nM"
    levels: tuple[Level, ...] = ()
    overlay: bool = False


def draw_profiles(
    panels: Sequence[ProfilePanel],
    options: ProfileOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return concentration-time curves as SVG: a row of plots for each panel.

    Parameters
    ----------
    panels
        Situations, drawn as rows (side by side where the curves are overlaid).
    options
        Labels, second axis and levels.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is nothing to draw or the arrays of a curve differ in length.
    """
    chosen = options or ProfileOptions()
    if not panels or any(not panel.curves for panel in panels):
        raise ValueError("profiles: every panel needs at least one curve")
    groups = [
        [(panel.title, panel.curves)]
        if chosen.overlay
        else [(curve.label, (curve,)) for curve in panel.curves]
        for panel in panels
    ]
    if chosen.overlay:
        groups = [[group[0] for group in groups]]
    top = upper_limit(*(c for panel in panels for curve in panel.curves for c in _tops(curve)))
    with theme():
        figure, rows = _grid(groups, named=not chosen.overlay)
        for index, (axes_row, group) in enumerate(zip(rows, groups, strict=True)):
            if not chosen.overlay:
                _row_title(axes_row[0], panels[index].title)
            for axes, (name, curves) in zip(axes_row, group, strict=False):
                _draw(axes, name, curves, chosen)
                axes.set_ylim(0, top)
            _outer_labels(axes_row, len(group), chosen)
        _legend(figure, panels, chosen)
        return to_svg(figure, key, title, alt)


def _tops(curve: ProfileCurve) -> tuple[Column, ...]:
    times = as_column(f"{curve.label}, times", curve.times)
    median = as_column(f"{curve.label}, median", curve.median, times.size)
    band = as_band(curve.label, curve.low, curve.high, times.size)
    return (median, band[1]) if band else (median,)


def _row_title(axes: Axes, title: str) -> None:
    axes.annotate(
        title,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 25),
        textcoords="offset points",
        size=11,
        weight="bold",
    )


def _grid(groups: Sequence[Sequence[Any]], *, named: bool) -> tuple[Figure, list[list[Axes]]]:
    """Lay out equal plots in rows, with room for names of rows; sizes in inches."""
    width, left, right, gap = 10.0, 0.72, 0.72, 0.28
    name = 0.3 if named else 0.0
    above, below, between, height = 0.68 + name, 0.58, 0.82 + name, 2.05
    columns = max(len(group) for group in groups)
    total = above + below + len(groups) * height + (len(groups) - 1) * between
    each = min((width - left - right - (columns - 1) * gap) / columns, 5.4)
    used = left + right + columns * each + (columns - 1) * gap
    figure = new_figure(used, total)
    rows = []
    for row, group in enumerate(groups):
        bottom = total - above - (row + 1) * height - row * between
        rows.append(
            [
                figure.add_axes(
                    (
                        (left + column * (each + gap)) / used,
                        bottom / total,
                        each / used,
                        height / total,
                    )
                )
                for column in range(len(group))
            ]
        )
    return figure, rows


def _draw(axes: Axes, name: str, curves: Sequence[ProfileCurve], options: ProfileOptions) -> None:
    style_axes(axes)
    axes.set_title(name, fontweight="bold" if len(curves) > 1 else "normal")
    last = 0.0
    for index, curve in enumerate(curves):
        times = as_column("times", curve.times)
        median = as_column("median", curve.median)
        ink = PALETTE[index % len(PALETTE)]
        band = as_band(curve.label, curve.low, curve.high, times.size)
        if band:
            fill_band(axes, times, *band, ink, hatch=HATCH if curve.extrapolated else "")
        # Dashes are kept for extrapolation: doses are told apart by colour and by their label.
        dash = (0, (5, 2)) if curve.extrapolated else "solid"
        axes.plot(times, median, color=ink, linestyle=dash)
        if len(curves) > 1:
            peak = int(median.argmax())
            axes.annotate(
                curve.label,
                (times[peak], median[peak]),
                xytext=(2, 4),
                textcoords="offset points",
                color=ink,
                size=9,
                weight="bold",
                path_effects=halo(),
            )
        last = max(last, float(times[-1]))
    start = min(float(as_column("times", curve.times)[0]) for curve in curves)
    axes.set_xlim(start, last)
    span = last - start
    if span <= 48:
        step = next((s for s in (1, 2, 4, 6, 8, 12) if span / s <= 6), 12)
        axes.xaxis.set_major_locator(_multiples(step))
    for index, level in enumerate(options.levels):
        axes.axhline(level.value, color=SOFT, linewidth=1.0, linestyle=_LEVEL_DASHES[index % 3])
    if any(curve.extrapolated for curve in curves):
        axes.annotate(
            "extrapolation",
            (1, 1),
            xycoords="axes fraction",
            xytext=(-3, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            size=9,
            style="italic",
            color=INK,
        )


def _multiples(step: float) -> Any:
    from matplotlib.ticker import MultipleLocator  # heavy: loaded when drawn

    return MultipleLocator(step)


def _outer_labels(axes_row: Sequence[Axes], used: int, options: ProfileOptions) -> None:
    """Label only the outer axes: plots in a row share their scale."""
    axes_row[0].set_ylabel(options.y_label)
    for axes in axes_row[1:]:
        axes.tick_params(labelleft=False)
    for axes in axes_row:
        axes.set_xlabel(options.x_label)
    if options.second_factor is not None:
        factor = options.second_factor
        second = axes_row[used - 1].secondary_yaxis(
            "right", functions=(_times(factor), _times(1.0 / factor))
        )
        second.set_ylabel(options.second_label)
        second.tick_params(length=3.5, width=0.8)
        axes_row[used - 1].spines["right"].set_visible(True)


def _times(factor: float) -> Callable[[Any], Any]:
    def scale(values: Any) -> Any:
        return values * factor

    return scale


def _legend(figure: Figure, panels: Sequence[ProfilePanel], options: ProfileOptions) -> None:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    curves = [curve for panel in panels for curve in panel.curves]
    ink = PALETTE[0]
    handles: list[Any] = [Line2D([], [], color=ink, label="median")]
    if any(curve.low is not None for curve in curves):
        handles.append(band_handle(ink, options.band_label))
    if any(curve.extrapolated for curve in curves):
        handles.append(
            Line2D([], [], color=ink, ls=(0, (4, 1.5)), label="outside the model's data")
        )
    handles += [
        Line2D([], [], color=SOFT, lw=1.0, ls=_LEVEL_DASHES[index % 3], label=level.label)
        for index, level in enumerate(options.levels)
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=len(handles),
        borderaxespad=0.3,
        handlelength=1.8,
        columnspacing=1.6,
    )
