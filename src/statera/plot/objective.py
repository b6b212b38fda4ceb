"""The objective: its parts by subject, and its way to the minimum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.estimate.influence import Influence
from statera.estimate.result import FitResult
from statera.plot.points import POINT, few_ticks
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, halo, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["InfluenceOptions", "IterationOptions", "draw_influence", "draw_iterations"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class InfluenceOptions:
    """How influence is drawn: how many subjects are named in each panel, at most."""

    named: int = 8


def draw_influence(
    influence: Influence, options: InfluenceOptions | None = None, *, key: str, title: str, alt: str
) -> str:
    """Return the objective by subject, and Cook's score against it, as SVG.

    Parameters
    ----------
    influence
        From `statera.estimate.influence.influence`.
    options
        How many subjects are named.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no subject.
    """
    chosen = options or InfluenceOptions()
    if not influence.ids:
        raise ValueError("influence: there is no subject")
    per = influence.ofv / np.maximum(influence.observations, 1)
    order = np.arange(per.size, dtype=np.float64) + 1.0
    with theme():
        figure = new_figure(10.0, 3.5)
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
        left, right = figure.subplots(1, 2)
        left.axhline(float(np.nanmedian(per)), color=SOFT, linewidth=0.9, linestyle=(0, (4, 2)))
        left.vlines(order, np.nanmedian(per), per, color=(POINT, 0.5), linewidth=1.0)
        left.plot(order, per, "o", ms=4.2, color=POINT, mew=0)
        _name(left, influence.ids, order, per, chosen.named)
        left.set(xlabel="Subject, in the order of the data", ylabel="OFV per observation")
        right.plot(per, influence.cook, "o", ms=4.8, mfc=(POINT, 0.5), mec="none")
        _name(right, influence.ids, per, influence.cook, chosen.named)
        right.set(xlabel="OFV per observation", ylabel="Cook's score")
        right.set_ylim(0.0, 1.15 * float(np.nanmax(influence.cook, initial=0.1)))
        for axes in (left, right):
            axes.margins(x=0.06)
            style_axes(axes)
        low, high = left.get_ylim()
        left.set_ylim(low, high + 0.06 * (high - low))
        return to_svg(figure, key, title, alt)


def _name(axes: Axes, ids: Sequence[str], x: Floats, y: Floats, most: int) -> None:
    """Write the identifiers of the subjects that are highest, but for those that would overlap."""
    known = np.isfinite(x) & np.isfinite(y)
    spread = [max(float(np.ptp(v[known])), 1e-300) if known.any() else 1.0 for v in (x, y)]
    placed: list[tuple[float, float]] = []
    for i in np.argsort(np.where(known, -y, np.inf))[:most]:
        if not known[i]:
            continue
        # places in inches, nearly: a panel is about 4.2 by 2.6
        place = (4.2 * float(x[i]) / spread[0], 2.6 * float(y[i]) / spread[1])
        if any(
            abs(place[0] - a) < 0.09 * (len(ids[i]) + 1) and abs(place[1] - b) < 0.17
            for a, b in placed
        ):
            continue
        placed.append(place)
        axes.annotate(ids[i], (x[i], y[i]), xytext=(0, 5), textcoords="offset points",
                      ha="center", size=8.5, color=INK, path_effects=halo())  # fmt: skip


@dataclass(frozen=True)
class IterationOptions:
    """How the search is drawn.

    Attributes
    ----------
    columns
        Panels in a row.
    labels
        What is written for a parameter in place of its name.
    marks
        Iterations at which a line is drawn across, such as the end of the burn-in of SAEM.
    """

    columns: int = 4
    labels: Mapping[str, str] | None = None
    marks: tuple[int, ...] = ()


def draw_iterations(
    result: FitResult, options: IterationOptions | None = None, *, key: str, title: str, alt: str
) -> str:
    """Return the objective and every estimate by iteration as SVG.

    A method without an objective while it runs has the estimates only.

    Parameters
    ----------
    result
        A fit with its history.
    options
        Panels in a row and labels.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If the fit has no history.
    """
    chosen = options or IterationOptions()
    steps = result.iterations
    if not steps:
        raise ValueError("iterations: the fit has no history")
    number = np.array([s.number for s in steps], dtype=np.float64)
    objective = np.array([s.objective for s in steps])
    series = [("OFV", objective)] if np.isfinite(objective).any() else []
    problem = result.problem
    names = list(problem.free_names)
    theta = np.array([s.theta for s in steps])
    omega = np.array([s.omega for s in steps])
    for k, i in enumerate(problem.theta.free):
        series.append((names[k], theta[:, i]))
    for k, (i, j) in enumerate(problem.omega.entries()):
        series.append((names[len(problem.theta.free) + k], omega[:, i, j]))
    labels = dict(chosen.labels or {})
    n_columns = min(chosen.columns, len(series))
    n_rows = -(-len(series) // n_columns)
    with theme():
        figure = new_figure(2.6 * n_columns, 1.85 * n_rows + 0.25)
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
        grid = figure.subplots(n_rows, n_columns, squeeze=False)
        for k, axes in enumerate(grid.ravel()):
            if k >= len(series):
                axes.set_visible(False)
                continue
            name, values = series[k]
            for mark in chosen.marks:
                axes.axvline(mark, color=SOFT, linewidth=1.0, linestyle=(0, (4, 2)))
            ink = PALETTE[1 if name == "OFV" else 0]
            axes.plot(number, values, color=ink, linewidth=1.5 if number.size < 100 else 1.0)
            axes.plot(number[-1:], values[-1:], "o", ms=4, color=INK)
            axes.set_title(labels.get(name, name), size=9.5, pad=4)
            axes.tick_params(labelsize=8.5)
            axes.margins(y=0.12)
            few_ticks(axes, "x", 5, whole=True)
            few_ticks(axes, "y", 5)
            style_axes(axes)
        figure.supxlabel("Iteration", size=10, color=INK)
        return to_svg(figure, key, title, alt)
