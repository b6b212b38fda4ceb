"""A table of inhibition coloured by its value, with bounds and gaps kept visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.numerics.interval import Interval
from statera.plot.band import pale
from statera.plot.inhibition import inhibition_colour, say_percent
from statera.plot.svg import to_svg
from statera.plot.text import text_width, wrap
from statera.plot.theme import INK, LINE, SHADE, SOFT, new_figure, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HeatRow", "draw_heat"]

_SIZE = 9.5
_STRENGTH = 0.55  # pale enough for dark text on every cell, split ones included


@dataclass(frozen=True)
class HeatRow:
    """Inhibition by column for one row; fractions from 0 to 1, None where not known."""

    label: str
    values: tuple[Interval | None, ...]


def draw_heat(
    rows: Sequence[HeatRow],
    columns: Sequence[str],
    *,
    key: str,
    title: str,
    alt: str,
    row_head: str = "",
) -> str:
    """Return a table of inhibition as SVG; every cell holds its value as text.

    A cell known only as a bound is split: its upper left corner has the colour of the lower end
    and its lower right corner that of the upper end. An unknown cell is hatched.

    Parameters
    ----------
    rows
        Cytokines or potencies, one value a column.
    columns
        Doses or drugs.
    key, title, alt
        Anchor, name and description of the drawing.
    row_head
        Heading of the row names.

    Raises
    ------
    ValueError
        If there is no row or a row has another number of values than there are columns.
    """
    if not rows or any(len(row.values) != len(columns) for row in rows):
        raise ValueError("heat table: every row needs one value for each column")
    label = min(max(text_width(row.label, _SIZE) for row in rows), 3.4) + 0.3
    texts = [say_percent(value) for row in rows for value in row.values]
    cell = max(*(text_width(text, _SIZE) for text in [*texts, *columns]), 0.6) + 0.3
    head, height, edge = 0.36, 0.32, 0.05
    width, total = label + cell * len(columns) + edge, head + height * len(rows) + edge
    with theme():
        figure = new_figure(width, total)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(total, 0)
        axes.text(0.04, head - 0.12, row_head, size=_SIZE, color=SOFT)
        for index, name in enumerate(columns):
            axes.text(label + (index + 0.5) * cell, head - 0.12, name, ha="center", size=_SIZE)
        for index, row in enumerate(rows):
            top = head + index * height
            lines = wrap(row.label, label - 0.2, _SIZE)
            shown = lines[0] if len(lines) == 1 else f"{lines[0]} …"
            axes.text(0.04, top + height / 2 + 0.048, shown, size=_SIZE, color=INK)
            for place, value in enumerate(row.values):
                _cell(axes, (label + place * cell, top, cell, height), value)
        return to_svg(figure, key, title, alt)


def _cell(axes: Axes, box: tuple[float, float, float, float], value: Interval | None) -> None:
    from matplotlib.patches import Polygon, Rectangle  # heavy: loaded when drawn

    x, y, w, h = box[0] + 0.02, box[1] + 0.02, box[2] - 0.04, box[3] - 0.04
    if value is None:
        axes.add_patch(
            Rectangle((x, y), w, h, facecolor=SHADE, edgecolor=LINE, hatch="////", linewidth=0.0)
        )
    else:
        low, high = (pale(inhibition_colour(end), _STRENGTH) for end in (value.low, value.high))
        axes.add_patch(Rectangle((x, y), w, h, facecolor=low, linewidth=0))
        if not value.is_point:
            corner = [(x + w, y), (x + w, y + h), (x, y + h)]
            axes.add_patch(Polygon(corner, facecolor=high, linewidth=0))
    axes.text(
        x + w / 2,
        y + h / 2 + 0.048,
        say_percent(value),
        ha="center",
        size=_SIZE,
        color=INK,
        bbox={"facecolor": SHADE, "edgecolor": "none", "pad": 1.5} if value is None else None,
    )
