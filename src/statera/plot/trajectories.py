"""Values of analytes over visits: the points of subjects and the means of groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from statera.plot.svg import to_svg
from statera.plot.theme import MARKERS, colour, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Trajectories", "draw_trajectories", "group_means"]

Floats = NDArray[np.float64]
_COLUMNS = 3


@dataclass(frozen=True)
class Trajectories:
    """Values of n samples over the axis.

    Attributes
    ----------
    position : (n,) float64
        Places on the axis.
    ticks
        Place and name of the visits.
    group : tuple of str
        Of each sample; one name for all where there are no groups.
    subject : tuple of str
        Of each sample; the points of a subject are joined. Empty if not known.
    axis
        Name of the axis.
    groups
        Names of the groups in order.
    """

    position: Floats
    ticks: tuple[tuple[float, str], ...]
    group: tuple[str, ...]
    subject: tuple[str, ...]
    axis: str
    groups: tuple[str, ...]


def group_means(values: Floats, level: float = 0.95) -> tuple[float, float, int]:
    """Return mean, half of its t interval (nan below two values) and count of values present."""
    x = values[np.isfinite(values)]
    if not x.size:
        return math.nan, math.nan, 0
    if x.size < 2:
        return float(x.mean()), math.nan, int(x.size)
    half = stdtrit(x.size - 1, 0.5 + level / 2.0) * x.std(ddof=1) / math.sqrt(x.size)
    return float(x.mean()), float(half), int(x.size)


def draw_trajectories(
    names: Sequence[str],
    values: Floats,
    samples: Trajectories,
    *,
    y_label: str,
    key: str,
    title: str,
    alt: str,
    level: float = 0.95,
) -> str:
    """Return panels, one an analyte, as SVG.

    Parameters
    ----------
    names : (m,)
    values : (m, n) float64
        nan is missing.
    samples
        Where the samples stand.
    y_label
        What the values are.
    key, title, alt
        Anchor, name and description of the drawing.
    level
        Of the intervals of the means.
    """
    rows = -(-len(names) // _COLUMNS)
    groups = samples.groups
    with theme():
        figure = new_figure(9.0, 0.7 + 2.5 * rows)
        grid = figure.subplots(
            rows, _COLUMNS, squeeze=False,
            gridspec_kw={"left": 0.08, "right": 0.98, "wspace": 0.28, "hspace": 0.45,
                         "bottom": 0.55 / (0.7 + 2.5 * rows),
                         "top": 1.0 - 0.62 / (0.7 + 2.5 * rows)},
        )  # fmt: skip
        for number, axes in enumerate(grid.flat):
            if number >= len(names):
                axes.set_axis_off()
                continue
            _panel(axes, values[number], samples, groups, level)
            axes.set_title(names[number])
            if number % _COLUMNS == 0:
                axes.set_ylabel(y_label)
            if number + _COLUMNS >= len(names):
                axes.set_xlabel(samples.axis)
        if len(groups) > 1:
            handles, words = grid.flat[0].get_legend_handles_labels()
            figure.legend(handles, words, loc="upper left", ncols=len(groups),
                          bbox_to_anchor=(0.07, 1.0), borderaxespad=0.1)  # fmt: skip
        return to_svg(figure, key, title, alt)


def _panel(
    axes: Axes, values: Floats, samples: Trajectories, groups: Sequence[str], level: float
) -> None:
    places = np.array([place for place, _ in samples.ticks])
    step = float(np.diff(np.sort(places)).min()) if places.size > 1 else 1.0
    own = np.array(samples.group)
    people = np.array(samples.subject)
    for number, group in enumerate(groups):
        # Groups stand side by side, so that their points do not cover each other.
        shift = 0.16 * step * (number - (len(groups) - 1) / 2.0)
        mine = (own == group) & np.isfinite(values)
        tint = colour(number)
        for person in dict.fromkeys(people[mine].tolist()) if people.size else ():
            rows = np.flatnonzero(mine & (people == person))
            rows = rows[np.argsort(samples.position[rows], kind="stable")]
            axes.plot(samples.position[rows] + shift, values[rows], color=tint, lw=0.5, alpha=0.28)
        axes.plot(samples.position[mine] + shift, values[mine], MARKERS[number % len(MARKERS)],
                  ms=2.6, mfc="none", mec=tint, mew=0.6, alpha=0.55)  # fmt: skip
        means = [group_means(values[mine & (samples.position == place)], level) for place in places]
        shown = [i for i, (_, _, n) in enumerate(means) if n]
        axes.errorbar(
            places[shown] + shift, [means[i][0] for i in shown], yerr=[means[i][1] for i in shown],
            fmt=f"{MARKERS[number % len(MARKERS)]}-", color=tint, ms=6.0, mec="white", mew=0.7,
            lw=1.8, capsize=3.0, elinewidth=1.6, label=group, zorder=4,
        )  # fmt: skip
    axes.set_xticks(places.tolist(), [word for _, word in samples.ticks])
    axes.margins(x=0.12)
    style_axes(axes)
