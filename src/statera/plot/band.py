"""Filled bands, plain or hatched, and their entries in a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from statera.plot.arrays import Column

__all__ = ["HATCH", "band_handle", "fill_band", "pale"]

HATCH = "////"


def pale(ink: str, strength: float) -> str:
    """Return the colour `ink` mixed with white, as hexadecimal text; 1 leaves it unchanged."""
    parts = (int(ink[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - strength * (255 - part)):02x}" for part in parts)


def fill_band(
    axes: Axes,
    x: Column,
    low: Column,
    high: Column,
    ink: str,
    *,
    hatch: str = "",
    strength: float = 0.16,
) -> None:
    """Fill between two curves.

    Parameters
    ----------
    axes
        Where to draw.
    x, low, high : (n,) float64
        Abscissae and edges; NaN leaves a gap.
    ink
        Colour as hexadecimal text.
    hatch
        Pattern drawn over the fill; none where empty.
    strength
        Opacity of the fill.
    """
    axes.fill_between(x, low, high, facecolor=(ink, strength), linewidth=0.0)
    if hatch:
        # A second, empty shape carries the hatch: the opacity of a fill would fade it too.
        axes.fill_between(
            x, low, high, facecolor="none", edgecolor=pale(ink, 0.6), hatch=hatch, linewidth=0.0
        )


def band_handle(ink: str, label: str, *, hatch: str = "", strength: float = 0.16) -> Any:
    """Return the legend entry of a band."""
    from matplotlib.patches import Patch  # heavy: loaded when a figure is drawn

    return Patch(
        facecolor=pale(ink, strength),
        edgecolor=pale(ink, 0.6),
        hatch=hatch or None,
        linewidth=0.0,
        label=label,
    )
