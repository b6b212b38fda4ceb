"""Published against simulated values by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.plot.arrays import upper_limit
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GroupOptions", "GroupRow", "draw_groups"]


@dataclass(frozen=True)
class GroupRow:
    """Published and simulated value of one group; either may be missing.

    Attributes
    ----------
    label
        The group.
    simulated, simulated_low, simulated_high
        Simulated median and band.
    published, published_low, published_high
        Published value and interval.
    note
        Text at the right, such as the difference; says why a value is missing.
    """

    label: str
    simulated: float | None = None
    simulated_low: float | None = None
    simulated_high: float | None = None
    published: float | None = None
    published_low: float | None = None
    published_high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class GroupOptions:
    """Labels of the comparison; the axis starts at zero."""

    x_label: str = "AUC over 24 h (ng·h/mL)"
    row_head: str = "Group"
    note_head: str = "Simulated v published"
    simulated_label: str = "simulated, with 90 % of the population"
    published_label: str = "published"


def draw_groups(
    rows: Sequence[GroupRow],
    options: GroupOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return published against simulated values by group as SVG.

    Parameters
    ----------
    rows
        Groups in the order drawn.
    options
        Labels.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no row.
    """
    chosen = options or GroupOptions()
    with theme():
        heads = Heads(label=chosen.row_head, right=chosen.note_head, foot=0.98, width=9.2, pad=0.2)
        frame = draw_frame([Row(row.label, right=row.note) for row in rows], heads)
        values = []
        for centre, row in zip(frame.centres, rows, strict=True):
            values += _pair(frame.axes, centre, row)
        top = upper_limit(np.asarray(values)) if values else 1.0
        frame.axes.set_xlim(0, top)
        frame.axes.set_xlabel(chosen.x_label)
        frame.figure.legend(
            handles=_pair_legend(chosen),
            loc="lower left",
            bbox_to_anchor=(0.0, 0.0),
            ncols=2,
            borderaxespad=0.3,
        )
        return to_svg(frame.figure, key, title, alt)


def _pair(axes: Axes, y: float, row: GroupRow) -> list[float]:
    """Draw the simulated value above the centre line and the published one below it."""
    shift = 0.055 if row.simulated is not None and row.published is not None else 0.0
    drawn = []
    for value, low, high, simulated in (
        (row.simulated, row.simulated_low, row.simulated_high, True),
        (row.published, row.published_low, row.published_high, False),
    ):
        if value is None:
            continue
        at = y - shift if simulated else y + shift
        ink = PALETTE[0] if simulated else INK
        if low is not None and high is not None:
            axes.plot([low, high], [at, at], color=ink, linewidth=1.4, solid_capstyle="butt")
            drawn.append(high)
        face = ink if simulated else "white"
        mark = "o" if simulated else "D"
        axes.plot([value], [at], mark, ms=6 if simulated else 5.5, mfc=face, mec=ink, mew=1.3)
        drawn.append(value)
    return drawn


def _pair_legend(options: GroupOptions) -> list[Any]:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    ink = PALETTE[0]
    return [
        Line2D([], [], color=ink, marker="o", ms=6, lw=1.4, label=options.simulated_label),
        Line2D(
            [], [], color=INK, marker="D", ms=5.5, mfc="white", lw=0, label=options.published_label
        ),
    ]
