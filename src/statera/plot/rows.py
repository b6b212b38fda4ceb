"""Charts made of rows: text columns at the left, marks on an axis, text at the right.

Forest plots, rates, selectivity and comparisons of groups share this frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.plot.text import text_width, wrap
from statera.plot.theme import GRID, INK, LINE, SOFT, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Frame", "Heads", "Row", "draw_frame"]

_SIZE = 9.5
_LINE = 0.168  # height of a line of text, inches
_GAP = 0.22  # space between columns, inches
_MARGIN = 0.08


@dataclass(frozen=True)
class Row:
    """A row of text; a heading has a label only.

    Attributes
    ----------
    label
        Name of the row; long names are broken into lines.
    texts
        Texts of the columns between the label and the axis.
    right
        Text at the right of the axis.
    heading
        Whether the row is a heading of those below.
    """

    label: str
    texts: tuple[str, ...] = ()
    right: str = ""
    heading: bool = False


@dataclass(frozen=True)
class Heads:
    """Headings of the columns, and sizes in inches.

    `pad` is the space between rows, `right_space` the least width at the right of the axis.
    """

    label: str = ""
    texts: tuple[str, ...] = ()
    right: str = ""
    width: float = 10.0
    label_width: float = 3.1
    right_width: float = 2.6
    least_axis: float = 3.0
    foot: float = 0.54
    pad: float = 0.095
    right_space: float = 0.0


@dataclass(frozen=True)
class Frame:
    """The figure with its axis; row i is centred on ``centres[i]``, y grows downwards."""

    figure: Figure
    axes: Axes
    centres: tuple[float, ...]


@dataclass(frozen=True)
class _Columns:
    """Left edges of the columns and of the axis, inches from the left."""

    texts: tuple[float, ...]
    axis: float
    axis_end: float
    right: float
    total: float


def draw_frame(rows: Sequence[Row], heads: Heads) -> Frame:
    """Draw the text and an empty axis; the caller adds the marks. Call inside `theme`.

    Raises
    ------
    ValueError
        If there is no row.
    """
    if not rows:
        raise ValueError("a chart of rows needs at least one row")
    labels = [_label_lines(row, heads) for row in rows]
    rights = [wrap(row.right, heads.right_width, _SIZE) for row in rows]
    columns = _columns(rows, heads, labels, rights)
    heights = [
        _height(row, label, right, heads.pad)
        for row, label, right in zip(rows, labels, rights, strict=True)
    ]
    head = _LINE * max(1, heads.label.count("\n") + 1) + 0.2
    body = sum(heights)
    total = head + body + heads.foot
    figure = new_figure(columns.total, total)
    axes = figure.add_axes(
        (
            columns.axis / columns.total,
            heads.foot / total,
            (columns.axis_end - columns.axis) / columns.total,
            body / total,
        )
    )
    centres = _write(figure, rows, (labels, rights), columns, (head, heights))
    _write_heads(figure, heads, columns, head)
    axes.set_ylim(body, 0.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x", color=GRID)
    axes.tick_params(length=3.5, width=0.8)
    return Frame(figure, axes, tuple(centres))


def _label_lines(row: Row, heads: Heads) -> list[str]:
    width = heads.width - 2 * _MARGIN if row.heading else heads.label_width
    return wrap(row.label, width, _SIZE, bold=row.heading)


def _height(row: Row, label: list[str], right: list[str], pad: float) -> float:
    lines = max(len(label), len(right), *(t.count("\n") + 1 for t in row.texts), 1)
    return lines * _LINE + pad + (0.09 if row.heading else 0.0)


def _columns(
    rows: Sequence[Row], heads: Heads, labels: list[list[str]], rights: list[list[str]]
) -> _Columns:
    """Give each text column the width of its longest line and the rest to the axis."""

    def widest(lines: Sequence[str], head: str) -> float:
        texts = [*lines, *head.split("\n")]
        return max((text_width(line, _SIZE) for line in texts if line), default=0.0)

    plain = [lines for row, lines in zip(rows, labels, strict=True) if not row.heading]
    edge = _MARGIN + widest([line for lines in plain for line in lines], heads.label) + _GAP
    edges = []
    for index, head in enumerate(heads.texts):
        cells = [row.texts[index] for row in rows if index < len(row.texts)]
        edges.append(edge)
        edge += widest([line for cell in cells for line in cell.split("\n")], head) + _GAP
    right = max(widest([line for ls in rights for line in ls], heads.right), heads.right_space)
    tail = (right + _GAP if right else 0.0) + _MARGIN
    axis_end = max(heads.width - tail, edge + heads.least_axis)
    return _Columns(tuple(edges), edge, axis_end, axis_end + _GAP, axis_end + tail)


def _write(
    figure: Figure,
    rows: Sequence[Row],
    lines: tuple[list[list[str]], list[list[str]]],
    columns: _Columns,
    space: tuple[float, list[float]],
) -> list[float]:
    """Write the texts of all rows and return the centre of each, inches below the axis' top."""
    width, total = (float(size) for size in figure.get_size_inches())
    head, heights = space
    centres = []
    top = 0.0
    for row, label, right, height in zip(rows, *lines, heights, strict=True):
        centre = top + height / 2 + (0.045 if row.heading else 0.0)
        blocks = [(_MARGIN, label, INK), (columns.right, right, INK)]
        for text, edge in zip(row.texts, columns.texts, strict=False):
            blocks.append((edge, text.split("\n"), SOFT))
        for edge, block, ink in blocks:
            # Lines are set one by one on their baselines: centring a whole text would shift
            # it by its descenders, and neighbours in a row would not align.
            first = head + centre - (len(block) - 1) / 2 * _LINE + _SIZE * 0.36 / 72
            for number, line in enumerate(block):
                figure.text(
                    edge / width,
                    1 - (first + number * _LINE) / total,
                    line,
                    va="baseline",
                    size=_SIZE,
                    color=ink,
                    weight="bold" if row.heading else "normal",
                )
        centres.append(centre)
        top += height
    return centres


def _write_heads(figure: Figure, heads: Heads, columns: _Columns, head: float) -> None:
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    width, total = (float(size) for size in figure.get_size_inches())
    y = 1 - (head - 0.1) / total
    pairs = [(_MARGIN, heads.label), *zip(columns.texts, heads.texts, strict=False)]
    for edge, text in [*pairs, (columns.right, heads.right)]:
        if text:
            figure.text(edge / width, y, text, va="bottom", size=_SIZE, color=SOFT, linespacing=1.2)
    line = 1 - (head - 0.045) / total
    figure.add_artist(Line2D([0, 1], [line, line], color=LINE, linewidth=0.8))
