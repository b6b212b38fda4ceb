"""Incidence rates by outcome and drug as dots, with intervals where they are published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from statera.plot.arrays import upper_limit
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import MARKERS, colour, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RateGroup", "RateOptions", "RateRow", "draw_rates"]


@dataclass(frozen=True)
class RateRow:
    """One incidence rate.

    Attributes
    ----------
    label
        What the row is, such as the drug.
    rate
        Events per 100 person-years; None where not known.
    low, high
        Ends of the interval; the mark is hollow without them.
    population
        Who was followed.
    text
        Text at the right; made from the numbers where empty.
    series
        Rows of one series share colour and marker; the label is used where empty.
    """

    label: str
    rate: float | None
    low: float | None = None
    high: float | None = None
    population: str = ""
    text: str = ""
    series: str = ""


@dataclass(frozen=True)
class RateGroup:
    """Rates of one outcome."""

    heading: str
    rows: tuple[RateRow, ...]


@dataclass(frozen=True)
class RateOptions:
    """Labels; the axis starts at zero and may be cut at `limit`, where arrows mark the rest."""

    x_label: str = "Events per 100 person-years"
    row_head: str = "Drug"
    population_head: str = "Population"
    rate_head: str = "Rate (95 % CI)"
    limit: float | None = None


def draw_rates(
    groups: Sequence[RateGroup],
    options: RateOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return incidence rates as SVG.

    Parameters
    ----------
    groups
        Outcomes in the order drawn.
    options
        Labels.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no row, a rate is negative, or an interval is half given or out of order.
    """
    chosen = options or RateOptions()
    rows: list[Row] = []
    entries: list[RateRow | None] = []
    for group in groups:
        rows.append(Row(group.heading, heading=True))
        entries.append(None)
        for entry in group.rows:
            _check(entry)
            rows.append(Row(entry.label, (entry.population,), entry.text or _say(entry)))
            entries.append(entry)
    given = [entry for entry in entries if entry is not None]
    series = list(dict.fromkeys(entry.series or entry.label for entry in given))
    with theme():
        described = any(entry.population for entry in given)
        heads = Heads(
            label=chosen.row_head,
            texts=(chosen.population_head,) if described else (),
            right=chosen.rate_head,
        )
        frame = draw_frame(rows, heads)
        values = [v for e in given for v in (e.rate, e.high) if v is not None]
        frame.axes.set_xlim(0, chosen.limit or upper_limit(np.asarray(values or [1.0])))
        frame.axes.set_xlabel(chosen.x_label)
        for centre, row in zip(frame.centres, entries, strict=True):
            if row is not None and row.rate is not None:
                _mark(frame.axes, centre, row, series.index(row.series or row.label))
        return to_svg(frame.figure, key, title, alt)


def _check(row: RateRow) -> None:
    if (row.low is None) != (row.high is None):
        raise ValueError(f"rate of '{row.label}': an interval needs both ends")
    ordered = [v for v in (row.low, row.rate, row.high) if v is not None]
    if ordered != sorted(ordered) or (ordered and ordered[0] < 0):
        raise ValueError(f"rate of '{row.label}': must not be negative nor outside its interval")


def _say(row: RateRow) -> str:
    if row.rate is None:
        return "not known"
    if row.low is None or row.high is None:
        return f"{row.rate:g} (no interval)"
    return f"{row.rate:g} ({row.low:g} to {row.high:g})"


def _mark(axes: Axes, y: float, row: RateRow, index: int) -> None:
    limit = axes.get_xlim()[1]
    ink = colour(index)
    if row.rate is None:
        return
    if row.low is not None and row.high is not None:
        axes.plot(
            [min(row.low, limit), min(row.high, limit)],
            [y, y],
            color=ink,
            linewidth=1.6,
            solid_capstyle="butt",
        )
    if max(row.rate, row.high or 0.0) > limit:
        axes.plot([limit], [y], ">", ms=6, color=ink, mew=0, clip_on=False)
    if row.rate <= limit:
        face = "white" if row.low is None else ink
        axes.plot(
            [row.rate],
            [y],
            MARKERS[index % len(MARKERS)],
            ms=7,
            mfc=face,
            mec=ink,
            mew=1.6,
            clip_on=False,
        )
