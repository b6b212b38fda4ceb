"""One look for every figure: type, colours and axes.

Colours: a subset of the Okabe-Ito palette (Okabe and Ito, Color Universal Design, 2008),
darkened where the original falls below a contrast of 3 to 1 on white, so that lines stay
readable; it is told apart under the common colour-vision deficiencies. Nothing is said by
colour alone: series also differ by label, dash or marker.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "GRID",
    "INK",
    "LINE",
    "MARKERS",
    "PALETTE",
    "SHADE",
    "SOFT",
    "colour",
    "halo",
    "new_figure",
    "style_axes",
    "theme",
]

INK = "#1b2430"
SOFT = "#525f6d"
LINE = "#9aa5af"
GRID = "#e6eaed"
SHADE = "#eef0f2"
PALETTE = ("#0072b2", "#c8501e", "#00805f", "#a3477f", "#7a6400", "#3d4652")
MARKERS = ("o", "s", "D", "^", "v", "P")

_SETTINGS: dict[str, Any] = {
    # Shapes instead of text: the page looks the same whatever fonts the reader has.
    "svg.fonttype": "path",
    "svg.hashsalt": "statera",
    "font.family": ["DejaVu Sans"],
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.unicode_minus": True,
    "text.parse_math": False,
}


def colour(index: int) -> str:
    """Return the palette colour of series `index`, starting over after the last."""
    return PALETTE[index % len(PALETTE)]


def halo(ground: str = "white") -> list[Any]:
    """Return the effect that sets text off from lines behind it."""
    from matplotlib.patheffects import withStroke  # heavy: loaded when drawn

    return [withStroke(linewidth=2.4, foreground=ground)]


@contextmanager
def theme() -> Iterator[None]:
    """Apply the look while a figure is drawn and written; what was set before comes back."""
    import matplotlib  # heavy: loaded when a figure is drawn

    # Start from the defaults: a reader's own configuration must not change a figure.
    settings: Any = {**dict(matplotlib.rcParamsDefault.items()), **_SETTINGS}
    del settings["backend"]
    with matplotlib.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of the given size in inches; call it inside `theme`."""
    from matplotlib.figure import Figure  # heavy: loaded when a figure is drawn

    return Figure(figsize=(width, height))


def style_axes(ax: Axes, *, grid: str = "y") -> None:
    """Draw light grid lines behind the data along ``x``, ``y`` or ``both``; none for ''."""
    if grid:
        ax.grid(True, axis=grid, which="major")  # type: ignore[arg-type]  # checked at run time
    ax.tick_params(length=3.5, width=0.8)
