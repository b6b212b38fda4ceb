"""Forest of a network: each treatment against the reference, with its prediction interval.

The thick line is the confidence interval, the thin one behind it the prediction interval.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.plot.rows import Frame, Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["NetworkForestOptions", "TreatmentRow", "draw_network_forest", "network_forest_pdf"]

_WIDEST = 20.0  # ratios beyond this from the reference end in arrows


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
    with theme():
        stream = io.BytesIO()
        figure = _figure(rows, options)
        figure.savefig(stream, format="pdf", metadata={"Title": title, "CreationDate": None})
        return stream.getvalue()


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
    low, high = _limits(rows, options)
    _axis(frame, low, high, options)
    for y, row in zip(frame.centres, rows, strict=True):
        _mark(frame.axes, y, row, low, high)
    return frame.figure


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _text(row: TreatmentRow, decimals: int) -> str:
    if row.estimate is None or row.low is None or row.high is None:
        return "not determined"
    low, high = _number(row.low, decimals), _number(row.high, decimals)
    return f"{_number(row.estimate, decimals)} ({low} to {high})"


def _range(row: TreatmentRow, options: NetworkForestOptions) -> str:
    if row.predict is None:
        return ""
    low, high = (_number(x, options.decimals) for x in row.predict)
    return f"{low} to {high}"


def _limits(rows: Sequence[TreatmentRow], options: NetworkForestOptions) -> tuple[float, float]:
    values = [1.0 if options.ratio else 0.0]
    for row in rows:
        values += [x for x in (row.low, row.high, *(row.predict or ())) if x is not None]
    if options.ratio:
        return (
            min(max(min(values), 1 / _WIDEST) / 1.15, 0.8),
            max(min(max(values), _WIDEST) * 1.15, 1.25),
        )
    margin = 0.06 * (max(values) - min(values)) or 1.0
    return min(values) - margin, max(values) + margin


def _axis(frame: Frame, low: float, high: float, options: NetworkForestOptions) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes = frame.axes
    if options.ratio:
        axes.set_xscale("log")
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]
        if len(ticks) < 3:
            fine = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
            ticks = [t for t in fine if low <= t <= high] or ticks
        axes.xaxis.set_major_locator(FixedLocator(ticks))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{x:g}".replace("-", "\N{MINUS SIGN}"))
    )
    axes.set_xlim(low, high)
    middle = 1.0 if options.ratio else 0.0
    axes.axvline(middle, color=SOFT, linewidth=1.0, zorder=1.5)
    for side, text in enumerate(options.favours):
        if text:
            axes.annotate(
                f"\N{LEFTWARDS ARROW} {text}" if side == 0 else f"{text} \N{RIGHTWARDS ARROW}",
                xy=(middle, 0), xycoords=("data", "axes fraction"),
                xytext=(-7 if side == 0 else 7, -26), textcoords="offset points",
                ha="right" if side == 0 else "left", va="top", size=9, color=SOFT,
                annotation_clip=False,
            )  # fmt: skip


def _mark(axes: Axes, y: float, row: TreatmentRow, low: float, high: float) -> None:
    if row.predict is not None:
        _line(axes, y, row.predict, (low, high), LINE, 1.2)
    if row.estimate is None or row.low is None or row.high is None:
        return
    _line(axes, y, (row.low, row.high), (low, high), PALETTE[0], 2.6)
    if low <= row.estimate <= high:
        axes.plot([row.estimate], [y], "s", ms=6.5, mfc=INK, mec="white", mew=0.8, zorder=4)


def _line(
    axes: Axes, y: float, ends: tuple[float, float], limits: tuple[float, float], ink: str,
    width: float,
) -> None:  # fmt: skip
    left, right = max(ends[0], limits[0]), min(ends[1], limits[1])
    if left < right:
        axes.plot(
            [left, right], [y, y], color=ink, linewidth=width, solid_capstyle="butt", zorder=3
        )
    for beyond, at, marker in (
        (ends[0] < limits[0], limits[0], "<"),
        (ends[1] > limits[1], limits[1], ">"),
    ):
        if beyond:
            axes.plot([at], [y], marker, ms=6, color=ink, mew=0, clip_on=False)
