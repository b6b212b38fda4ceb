"""Survival of groups over time: steps with bands, lines of a model, and numbers at risk below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.plot.svg import to_svg
from statera.plot.theme import PALETTE, SOFT, colour, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SurvivalGroup", "draw_survival_curves"]

Floats = NDArray[np.float64]

_DASHES: tuple[object, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))


@dataclass(frozen=True)
class SurvivalGroup:
    """One group.

    Attributes
    ----------
    label
    time, estimate, low, high : (k,) float64
        Steps, the first at time 0; NaN ends where there is no interval.
    censored : (c,) float64
        Times at which members left without an event.
    last
        Until when somebody was observed.
    entry, leaving : (n,) float64
        Of the members, for the numbers at risk.
    model : (2, m) float64
        Times and survival of a model; empty for none.
    """

    label: str
    time: Floats
    estimate: Floats
    low: Floats
    high: Floats
    censored: Floats
    last: float
    entry: Floats
    leaving: Floats
    model: Floats = field(default_factory=lambda: np.zeros((2, 0)))


def draw_survival_curves(
    groups: Sequence[SurvivalGroup],
    *,
    x_label: str,
    y_label: str,
    key: str,
    title: str,
    alt: str,
    bands: bool = True,
) -> str:
    """Return the figure as SVG.

    Parameters
    ----------
    groups
        In the order drawn; told apart by colour and dash.
    x_label, y_label
    key, title, alt
        Anchor, name and description of the drawing.
    bands
        Draw the intervals of the steps.
    """
    table = 0.32 + 0.23 * len(groups)
    height = 0.45 + 3.6 + 0.55 + table
    with theme():
        figure = new_figure(7.2, height)
        axes = figure.add_axes((0.15, (table + 0.6) / height, 0.82, 3.4 / height))
        for number, group in enumerate(groups):
            _steps(axes, group, number, bands)
        axes.set_ylim(0.0, 1.02)
        axes.set_xlim(0.0, 1.02 * max(g.last for g in groups))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        style_axes(axes)
        if any(g.model.shape[1] for g in groups):
            axes.plot([], [], color=SOFT, lw=1.0, label="thin lines: model")
        axes.legend(loc="lower left", ncols=6, bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2,
                    handlelength=2.6, columnspacing=1.2)  # fmt: skip
        _at_risk(axes, groups)
        return to_svg(figure, key, title, alt)


def _steps(axes: Axes, group: SurvivalGroup, number: int, bands: bool) -> None:
    ink = colour(number)
    dash = _DASHES[(number // len(PALETTE) + number) % len(_DASHES)]
    time = np.append(group.time, max(group.last, float(group.time[-1])))
    value = np.append(group.estimate, group.estimate[-1])
    if bands and np.isfinite(group.low).any():
        low, high = np.append(group.low, group.low[-1]), np.append(group.high, group.high[-1])
        axes.fill_between(time, low, high, step="post", facecolor=(ink, 0.1), linewidth=0.0)
    axes.step(time, value, where="post", color=ink, ls=dash, lw=1.8, label=group.label, zorder=3)
    if group.censored.size:
        place = np.searchsorted(group.time, group.censored, side="right") - 1
        axes.plot(group.censored, group.estimate[place], "|", ms=5.5, mec=ink, mew=0.9, zorder=3)
    if group.model.shape[1]:
        axes.plot(group.model[0], group.model[1], color=ink, lw=1.0, zorder=2)


def _at_risk(axes: Axes, groups: Sequence[SurvivalGroup]) -> None:
    """Write how many of each group are under observation below the ticks."""
    end = axes.get_xlim()[1]
    ticks = [t for t in axes.get_xticks() if 0.0 <= t <= end]
    step = 0.23 * 72.0
    first = -44.0
    style: dict[str, Any] = {
        "xycoords": "axes fraction", "textcoords": "offset points", "ha": "right", "va": "center",
    }  # fmt: skip
    axes.annotate("At risk", (0.0, 0.0), (-15.0, first), size=8.5, color=SOFT, **style)
    style |= {"size": 9}
    for row, group in enumerate(groups):
        y = first - step * (row + 0.85)
        axes.annotate(group.label, (0.0, 0.0), (-15.0, y), color=colour(row), **style)
        own = {**style, "xycoords": ("data", "axes fraction"), "ha": "center"}
        for tick in ticks:
            n = int(((group.entry <= tick) & (group.leaving >= tick)).sum())
            axes.annotate(str(n), (tick, 0.0), (0.0, y), **own)
