"""Forest of a network: each treatment against the reference, with its prediction interval.

The thick line is the confidence interval, the thin one behind it the prediction interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.plot.figure_bytes import figure_bytes
from statera.plot.forest_axis import ForestAxis, draw_arrows, draw_axis, number_text
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["NetworkForestOptions", "TreatmentRow", "draw_network_forest", "network_forest_pdf"]


@dataclass(frozen=True)
class TreatmentRow:
    """A treatment against the reference, on the natural scale.

    Attributes
    ----------
    label
    estimate, low, high
        None for a treatment whose effect is not determined.
    predict
        Limits of the effect in a new study, or None.
    columns
        Texts beside the name, as many as `NetworkForestOptions.columns`.
    """

    label: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    predict: tuple[float, float] | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkForestOptions:
    """How the forest is drawn.

    Attributes
    ----------
    reference
        Name of the treatment that all are compared with.
    ratio
        Logarithmic axis with no effect at 1, else a linear one with no effect at 0.
    effect
        Heading of the estimates, such as ``OR (95 % CI)``.
    columns
        Headings of further columns.
    favours
        What an effect at the left and the right of none speaks for.
    decimals
        Of the effects.
    """

    reference: str
    ratio: bool = True
    effect: str = "Effect (95 % CI)"
    columns: tuple[str, ...] = ()
    favours: tuple[str, str] = ("", "")
    decimals: int = 2


def draw_network_forest(
    rows: Sequence[TreatmentRow],
    options: NetworkForestOptions,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the forest as SVG.

    Parameters
    ----------
    rows
        In the order drawn, without the reference.
    options
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no row.
    """
    with theme():
        return to_svg(_figure(rows, options), key, title, alt)


def network_forest_pdf(
    rows: Sequence[TreatmentRow], options: NetworkForestOptions, *, title: str
) -> bytes:
    """Return the forest as PDF; as `draw_network_forest`."""
    return figure_bytes(lambda: _figure(rows, options), ".pdf", key="forest", title=title, alt="")


def _figure(rows: Sequence[TreatmentRow], options: NetworkForestOptions) -> Figure:
    predicted = any(row.predict for row in rows)
    heads = [options.effect, "Prediction"] if predicted else [options.effect]
    lines = [
        Row(row.label, (*row.columns, _text(row, options.decimals), _range(row, options)))
        if predicted
        else Row(row.label, (*row.columns, _text(row, options.decimals)))
        for row in rows
    ]
    frame = draw_frame(
        lines,
        Heads(
            # as many lines as the deepest heading, which hang from the line below
            label="\n" * max((h.count("\n") for h in options.columns), default=0)
            + f"Against {options.reference}",
            texts=(*options.columns, *heads),
            width=10.0,
            foot=0.8 if any(options.favours) else 0.54,
        ),
    )
    ends = [x for row in rows for x in (row.low, row.high, *(row.predict or ()))]
    draw_axis(
        frame,
        ends,
        ForestAxis(
            "ratio" if options.ratio else "difference",
            1.0 if options.ratio else 0.0,
            favours=options.favours,
        ),
    )
    for y, row in zip(frame.centres, rows, strict=True):
        _mark(frame.axes, y, row)
    return frame.figure


def _text(row: TreatmentRow, decimals: int) -> str:
    if row.estimate is None or row.low is None or row.high is None:
        return "not determined"
    low, high = number_text(row.low, decimals), number_text(row.high, decimals)
    return f"{number_text(row.estimate, decimals)} ({low} to {high})"


def _range(row: TreatmentRow, options: NetworkForestOptions) -> str:
    if row.predict is None:
        return ""
    low, high = (number_text(x, options.decimals) for x in row.predict)
    return f"{low} to {high}"


def _mark(axes: Axes, y: float, row: TreatmentRow) -> None:
    if row.predict is not None:
        _line(axes, y, row.predict, LINE, 1.2)
    if row.estimate is None or row.low is None or row.high is None:
        return
    _line(axes, y, (row.low, row.high), PALETTE[0], 2.6)
    low, high = axes.get_xlim()
    if low <= row.estimate <= high:
        axes.plot([row.estimate], [y], "s", ms=6.5, mfc=INK, mec="white", mew=0.8, zorder=4)


def _line(axes: Axes, y: float, ends: tuple[float, float], ink: str, width: float) -> None:
    low, high = axes.get_xlim()
    left, right = max(ends[0], low), min(ends[1], high)
    if left < right:
        axes.plot([left, right], [y, y], color=ink, lw=width, solid_capstyle="butt", zorder=3)
    draw_arrows(axes, y, ends[0], ends[1], ink)
