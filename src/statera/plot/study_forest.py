"""Forest plots of a synthesis: studies with their counts, weights and risk of bias, and the means.

In the order that readers of systematic reviews know: study, counts, weight, effect with interval,
drawing, risk of bias. Squares grow with the weight, diamonds are means, and the bar below the
overall diamond is the prediction interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.plot.figure_bytes import figure_bytes
from statera.plot.forest_axis import (
    ForestAxis,
    Scale,
    check_interval,
    draw_arrows,
    draw_axis,
    draw_diamond,
    number_text,
)
from statera.plot.rows import Frame, Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.text import wrap
from statera.plot.theme import INK, LINE, PALETTE, SOFT, halo, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "Mean",
    "Study",
    "StudyForestOptions",
    "StudyGroup",
    "draw_study_forest",
    "legend_of_risks",
    "study_forest_figure",
    "study_forest_pdf",
]

_STEP = 0.2  # distance of the marks of risk of bias, inches
_ACROSS = 5.6  # width of a line across the columns, inches
_GAP = 0.22  # between the axis and what stands at its right, inches; that of the frame
#: Sign and colour of a judgement of the risk of bias, by the words used for it.
_JUDGEMENTS = {
    "low": ("+", PALETTE[2]),
    "some": ("?", PALETTE[4]),
    "high": ("\N{MINUS SIGN}", PALETTE[1]),
    "critical": ("!", PALETTE[5]),
    "none": ("", LINE),
}
_WORDS = {
    "low": "low", "l": "low", "+": "low", "yes": "low",
    "some": "some", "some concerns": "some", "moderate": "some", "unclear": "some", "?": "some",
    "high": "high", "h": "high", "-": "high", "serious": "high", "critical": "critical",
}  # fmt: skip


@dataclass(frozen=True)
class Study:
    """One study.

    Attributes
    ----------
    label
    estimate, low, high
        On the natural scale; None where the study has no effect, and then `text` says why.
    weight
        Per cent; None where it does not count.
    columns
        Texts of the columns of counts.
    risk
        Judgements, as many as `StudyForestOptions.risk`.
    text
        Instead of the numbers.
    size
        Of the square where no weight is printed; 1 is the largest.
    """

    label: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    columns: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    text: str = ""
    size: float | None = None


@dataclass(frozen=True)
class Mean:
    """A pooled effect, drawn as a diamond.

    Attributes
    ----------
    label
    estimate, low, high
        On the natural scale.
    weight
        Per cent; None where it is not printed.
    columns
        Texts of the columns of counts, such as totals.
    prediction
        Limits of the effect in a new study.
    prediction_label
        Its name with the convention.
    lines
        What is said below: heterogeneity, tests.
    """

    label: str
    estimate: float
    low: float
    high: float
    weight: float | None = None
    columns: tuple[str, ...] = ()
    prediction: tuple[float, float] | None = None
    prediction_label: str = "Prediction interval"
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyGroup:
    """Studies under a heading with their means; an empty heading is not drawn."""

    heading: str
    studies: tuple[Study, ...] = ()
    means: tuple[Mean, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyForestOptions:
    """How the plot is drawn.

    Attributes
    ----------
    scale
        ``ratio`` (logarithmic) or ``difference`` (linear).
    reference
        Value of no effect; None draws no line.
    x_label, row_head, estimate_head, weight_head
        Headings of axis and columns.
    columns
        Headings of the columns of counts; may hold a line break.
    risk
        Names of the domains of risk of bias, marked A, B, C and named below.
    favours
        What the left and the right of the line speak for.
    limits
        Ends of the axis; chosen from the estimates where None. Intervals beyond end in arrows.
    decimals
        Of the effects.
    """

    scale: Scale = "ratio"
    reference: float | None = 1.0
    x_label: str = ""
    row_head: str = "Study"
    estimate_head: str = "Effect (95 % CI)"
    weight_head: str = "Weight"
    columns: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    favours: tuple[str, str] = ("", "")
    limits: tuple[float, float] | None = None
    decimals: int = 2


@dataclass(frozen=True)
class _Line:
    """A row of the chart with what is drawn in it."""

    row: Row
    mark: Study | Mean | tuple[float, float] | str | None = None


def draw_study_forest(
    groups: Sequence[StudyGroup],
    options: StudyForestOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a forest plot as SVG.

    Parameters
    ----------
    groups
        In the order drawn; the overall mean may stand in a last group without studies.
    options
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no row, a number is not in its interval, or a ratio is not positive.
    """
    with theme():
        return to_svg(study_forest_figure(groups, options or StudyForestOptions()), key, title, alt)


def study_forest_pdf(
    groups: Sequence[StudyGroup], options: StudyForestOptions | None = None, *, title: str
) -> bytes:
    """Return a forest plot as PDF; as `draw_study_forest`."""
    return figure_bytes(
        lambda: study_forest_figure(groups, options or StudyForestOptions()), ".pdf",
        key="forest", title=title, alt="",
    )  # fmt: skip


def study_forest_figure(groups: Sequence[StudyGroup], options: StudyForestOptions) -> Figure:
    """Return the drawing; call inside `theme`. As `draw_study_forest`."""
    lines = _lines(groups, options)
    deep = 1 + max((h.count("\n") for h in options.columns), default=0)
    above = "\n" * (deep - 1)
    foot = 0.82 if any(options.favours) else 0.54
    heads = Heads(
        label=above + options.row_head,
        texts=(
            *options.columns,
            *((options.weight_head,) if _weighted(groups) else ()),
            options.estimate_head,
        ),
        right="Risk of bias" if options.risk else "",
        width=11.0 if options.columns or options.risk else 10.0,
        foot=foot + (0.17 * math.ceil(len(options.risk) / 3) + 0.22 if options.risk else 0.0),
        right_space=_STEP * len(options.risk),
    )
    frame = draw_frame([line.row for line in lines], heads)
    axis = ForestAxis(
        options.scale, options.reference, options.x_label, options.favours, options.limits
    )
    draw_axis(frame, _values(lines), axis)
    largest = max(
        (m.weight for line in lines if isinstance(m := line.mark, Study) and m.weight), default=1.0
    )
    for centre, line in zip(frame.centres, lines, strict=True):
        match line.mark:
            case Study():
                _square(frame.axes, centre, line.mark, largest)
                _risk(frame, centre, line.mark.risk)
            case Mean():
                mean = line.mark
                draw_diamond(frame.axes, centre, mean.estimate, mean.low, mean.high, order=3)
                draw_arrows(frame.axes, centre, mean.low, mean.high, INK)
            case (low, high):
                _bar(frame.axes, centre, float(low), float(high))
            case str():
                _say(frame, centre, line.mark)
    if options.risk:
        said = [r for line in lines if isinstance(line.mark, Study) for r in line.mark.risk]
        _name_risks(frame, options.risk, foot, legend_of_risks(said))
    return frame.figure


def _lines(groups: Sequence[StudyGroup], options: StudyForestOptions) -> list[_Line]:
    lines: list[_Line] = []
    every = [m for g in groups for m in _members(g)]
    texts = [f"{m.weight:.1f} %" for m in every if m.weight is not None]
    widest = max((len(t) for t in texts), default=0)
    blank = ("",) * len(options.columns)
    weighted = _weighted(groups)
    for group in groups:
        if group.heading:
            lines.append(_Line(Row(group.heading, heading=True)))
        for one in _members(group):
            check_interval(one.label, one.low, one.estimate, one.high, options.scale)
            weight = "" if one.weight is None else f"{one.weight:.1f} %".rjust(widest, "\u2007")
            columns = one.columns or blank
            said = one.text if isinstance(one, Study) else ""
            effect = said or _interval_text(one.estimate, one.low, one.high, options.decimals)
            shares = (weight,) if weighted else ()
            lines.append(_Line(Row(one.label, (*columns, *shares, effect)), one))
            if isinstance(one, Mean):
                if one.prediction is not None:
                    ends = (number_text(end, options.decimals) for end in one.prediction)
                    told = " to ".join(ends)
                    empty = ("",) if weighted else ()
                    row = Row(one.prediction_label, (*blank, *empty, told))
                    lines.append(_Line(row, one.prediction))
                lines += _said(one.lines)
        lines += _said(group.lines)
    return lines


def _said(texts: Sequence[str]) -> list[_Line]:
    """Return lines across the columns, long ones broken."""
    return [_Line(Row(""), part) for text in texts for part in wrap(text, _ACROSS, 9.0)]


def _weighted(groups: Sequence[StudyGroup]) -> bool:
    return any(m.weight is not None for g in groups for m in _members(g))


def _members(group: StudyGroup) -> list[Study | Mean]:
    found: list[Study | Mean] = list(group.studies)
    found += group.means
    return found


def _interval_text(
    value: float | None, low: float | None, high: float | None, decimals: int
) -> str:
    if value is None:
        return "no effect known"
    if low is None or high is None:
        return f"{number_text(value, decimals)} (no interval)"
    ends = f"{number_text(low, decimals)} to {number_text(high, decimals)}"
    return f"{number_text(value, decimals)} ({ends})"


def _values(lines: Sequence[_Line]) -> list[float | None]:
    values: list[float | None] = []
    for line in lines:
        if isinstance(line.mark, Study | Mean):
            values += [line.mark.low, line.mark.estimate, line.mark.high]
        elif isinstance(line.mark, tuple):
            values += line.mark
    return values


def _square(axes: Axes, y: float, one: Study, largest: float) -> None:
    if one.estimate is None or one.low is None or one.high is None:
        return
    low, high = axes.get_xlim()
    counts = one.weight is not None or one.size is not None
    ink = PALETTE[0] if counts else LINE
    left, right = max(one.low, low), min(one.high, high)
    if left < right:
        axes.plot([left, right], [y, y], color=ink, linewidth=1.4, solid_capstyle="butt")
    if low <= one.estimate <= high:
        share = one.size if one.weight is None else one.weight / largest
        size = 3.2 + 6.3 * math.sqrt(share or 0.0)
        face = ink if counts else "white"
        axes.plot([one.estimate], [y], "s", ms=size, mfc=face, mec="white" if counts else ink)
    draw_arrows(axes, y, one.low, one.high, ink)


def _bar(axes: Axes, y: float, left: float, right: float) -> None:
    """Draw a prediction interval: a bar, so that it is not taken for a study."""
    low, high = axes.get_xlim()
    start, end = max(left, low), min(right, high)
    axes.fill(
        [start, end, end, start], [y - 0.028, y - 0.028, y + 0.028, y + 0.028],
        color=PALETTE[3], linewidth=0, zorder=3,
    )  # fmt: skip
    draw_arrows(axes, y, left, right, PALETTE[3])


def _say(frame: Frame, y: float, text: str) -> None:
    """Write a line across the columns, over the axis where it is long."""
    width, total = (float(size) for size in frame.figure.get_size_inches())
    box = frame.axes.get_position()
    frame.figure.text(
        0.08 / width, box.y1 - (y + 9.0 * 0.36 / 72) / total, text,
        va="baseline", size=9.0, color=SOFT, path_effects=halo(), zorder=5,
    )  # fmt: skip


def _known(said: str) -> str:
    return _WORDS.get(said.strip().lower().removesuffix(" risk"), "none")


def legend_of_risks(said: Sequence[str]) -> str:
    """Return what each sign stands for, in the words of the table."""
    words: dict[str, list[str]] = {kind: [] for kind in _JUDGEMENTS}
    for one in said:
        word = one.strip() or "not judged"
        kind = _known(one)
        if word not in (*words[kind], _JUDGEMENTS[kind][0]):
            words[kind].append(word)
    return "; ".join(
        f"{_JUDGEMENTS[kind][0] or 'empty:'} {' or '.join(found)}"
        for kind, found in words.items()
        if found
    )


def _risk(frame: Frame, y: float, judgements: Sequence[str]) -> None:
    width, total = (float(size) for size in frame.figure.get_size_inches())
    box = frame.axes.get_position()
    for i, said in enumerate(judgements):
        known = _known(said)
        sign, ink = _JUDGEMENTS[known]
        x = box.x1 + (_GAP + _STEP * (i + 0.45)) / width
        height = box.y1 - y / total
        _circle(frame, x, height, 0.078, ink)
        if sign:
            frame.figure.text(
                x, height - 0.002, sign, ha="center", va="center", size=9, color="white",
                weight="bold", zorder=6,
            )  # fmt: skip


def _circle(frame: Frame, x: float, y: float, radius: float, ink: str) -> None:
    from matplotlib.patches import Ellipse  # heavy: loaded when a figure is drawn

    width, total = (float(size) for size in frame.figure.get_size_inches())
    frame.figure.add_artist(
        Ellipse((x, y), 2 * radius / width, 2 * radius / total, color=ink, linewidth=0, zorder=5)
    )


def _name_risks(frame: Frame, names: Sequence[str], foot: float, legend: str) -> None:
    """Put letters above the marks and say below what they stand for."""
    width, total = (float(size) for size in frame.figure.get_size_inches())
    box = frame.axes.get_position()
    letters = [chr(ord("A") + i) for i in range(len(names))]
    for i, letter in enumerate(letters):
        x = box.x1 + (_GAP + _STEP * (i + 0.45)) / width
        frame.figure.text(
            x, box.y0 - 0.06 / total, letter, ha="center", va="top", size=8.5, color=SOFT
        )
    told = [f"{letter}: {name}" for letter, name in zip(letters, names, strict=True)]
    rows = ["; ".join(told[i : i + 3]) for i in range(0, len(told), 3)]
    rows[0] = f"Risk of bias: {rows[0]}"
    rows.append(legend)
    for i, text in enumerate(rows):
        frame.figure.text(
            0.08 / width, box.y0 - (foot + 0.06 + 0.17 * i) / total, text,
            va="center", size=8.5, color=SOFT,
        )  # fmt: skip
