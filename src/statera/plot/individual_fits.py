"""Observations and predicted courses, one small panel a subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.estimate.diagnostics import Diagnostics
from statera.estimate.grid import Curve
from statera.plot.points import column, logarithmic_axis
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, new_figure, style_axes, theme

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

__all__ = ["IndividualFitOptions", "draw_individual_fits", "page_count", "subjects_on"]


@dataclass(frozen=True)
class IndividualFitOptions:
    """How individual fits are drawn.

    Attributes
    ----------
    output
        Which output; '' for the only one.
    rows, columns
        Panels of a page.
    page
        Which page, counted from 1.
    logarithmic
        Whether the ordinate is logarithmic.
    same_scale
        Whether all panels of the page share their axes.
    """

    output: str = ""
    rows: int = 4
    columns: int = 4
    page: int = 1
    logarithmic: bool = False
    same_scale: bool = True


def page_count(diagnostics: Diagnostics, options: IndividualFitOptions | None = None) -> int:
    """Return the number of pages that all subjects with observations take."""
    chosen = options or IndividualFitOptions()
    return -(-len(_subjects(_rows(diagnostics, chosen))) // (chosen.rows * chosen.columns))


def subjects_on(
    diagnostics: Diagnostics, options: IndividualFitOptions | None = None
) -> tuple[str, ...]:
    """Return the identifiers of the subjects of a page."""
    chosen = options or IndividualFitOptions()
    per = chosen.rows * chosen.columns
    subjects = _subjects(_rows(diagnostics, chosen))
    return tuple(subjects[(chosen.page - 1) * per : chosen.page * per])


def draw_individual_fits(
    diagnostics: Diagnostics,
    curves: Sequence[Curve],
    options: IndividualFitOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a page of individual fits as SVG.

    Parameters
    ----------
    diagnostics
        From `statera.estimate.diagnostics.diagnose`.
    curves
        From `statera.estimate.grid.predict_curves`, of at least the subjects of the page.
    options
        Output, page and scale.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If the output is not known, the page is empty, or a subject has no curve.
    """
    chosen = options or IndividualFitOptions()
    table = _rows(diagnostics, chosen)
    subjects = subjects_on(diagnostics, chosen)
    if not subjects:
        raise ValueError(f"individual fits: page {chosen.page} is empty")
    output = str(table["OUTPUT"][0])
    by_subject = {c.subject: c for c in curves if c.output == output}
    missing = [s for s in subjects if s not in by_subject]
    if missing:
        raise ValueError(f"individual fits: no curve of subject {missing[0]}")
    n_rows = -(-len(subjects) // chosen.columns)
    n_columns = min(chosen.columns, len(subjects))
    with theme():
        figure = new_figure(2.55 * n_columns + 0.4, 1.95 * n_rows + 0.75)
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
        share = chosen.same_scale
        grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=share, sharey=share)
        censored = False
        for axes, subject in zip(grid.ravel(), subjects, strict=False):
            censored |= _panel(axes, table, by_subject[subject], chosen)
        for axes in grid.ravel()[len(subjects) :]:
            axes.set_visible(False)
        for j in range(n_columns):  # the last panel of a column carries the labels of times
            last = (len(subjects) - 1 - j) // n_columns
            grid[last, j].tick_params(labelbottom=True)
        unit = diagnostics.units.get(output, "")
        figure.supxlabel(f"Time ({diagnostics.time_unit})", size=10, color=INK)
        figure.supylabel(f"{output} ({unit})" if unit else output, size=10, color=INK)
        figure.legend(handles=_legend(censored), loc="outside upper left", ncols=4)
        return to_svg(figure, key, title, alt)


def _rows(diagnostics: Diagnostics, options: IndividualFitOptions) -> pl.DataFrame:
    import polars as pl  # heavy: loaded when a figure is drawn

    table = diagnostics.observations.filter(pl.col("STATUS") != "outcome")
    outputs = table["OUTPUT"].unique(maintain_order=True).to_list()
    if options.output:
        table = table.filter(pl.col("OUTPUT") == options.output)
    elif len(outputs) > 1:
        raise ValueError(f"individual fits: name one of the outputs {', '.join(outputs)}")
    if table.height == 0:
        raise ValueError(f"individual fits: no predictions of '{options.output}'")
    return table


def _subjects(table: pl.DataFrame) -> list[str]:
    return [str(s) for s in table["ID"].unique(maintain_order=True).to_list()]


def _panel(axes: Axes, table: pl.DataFrame, curve: Curve, options: IndividualFitOptions) -> bool:
    """Draw one subject; return whether it has censored values."""
    import polars as pl

    mine = table.filter(pl.col("ID") == curve.subject)
    quantified = (mine["STATUS"] == "quantified").to_numpy()
    time, dv, limit = column(mine, "TIME"), column(mine, "DV"), column(mine, "LIMIT")
    pred, ipred = curve.pred, curve.ipred
    if options.logarithmic:
        # curves run down to nothing before the first dose: the data set the scale
        known = dv[quantified & (dv > 0)]
        floor = 0.3 * float(min(known.min(initial=np.inf), limit[~quantified].min(initial=np.inf)))
        pred, ipred = (np.where(c >= floor, c, np.nan) for c in (pred, ipred))
        logarithmic_axis(axes, "y")
    axes.plot(curve.time, pred, color=SOFT, linewidth=1.1, linestyle=(0, (4, 2)))
    axes.plot(curve.time, ipred, color=PALETTE[0], linewidth=1.6)
    axes.plot(time[quantified], dv[quantified], "o", ms=4, mfc="white", mec=INK, mew=1.0)
    axes.plot(time[~quantified], limit[~quantified], "v", ms=4.5, mfc="white", mec=INK, mew=1.0)
    axes.set_title(str(curve.subject), size=9.5, pad=3.0)
    axes.tick_params(which="both", labelsize=8.5)
    style_axes(axes)
    return bool((~quantified).any())


def _legend(censored: bool) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    found = [
        Line2D([], [], ls="", marker="o", ms=4.5, mfc="white", mec=INK, label="observation"),
        Line2D([], [], color=PALETTE[0], lw=1.6, label="individual prediction"),
        Line2D([], [], color=SOFT, lw=1.1, ls=(0, (4, 2)), label="population prediction"),
    ]
    if censored:
        found.append(
            Line2D([], [], ls="", marker="v", ms=5, mfc="white", mec=INK, label="beyond a limit")
        )
    return found
