"""Volcano plot: the estimate of every analyte against its p-value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, halo, new_figure, style_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_volcano"]

Floats = NDArray[np.float64]

_LEAST = 1e-300
_OFFSETS = ((7, 0), (-7, 0), (7, 11), (-7, 11), (7, -11), (-7, -11), (9, 22), (-9, 22))
_GAP = 2.0
_RADIUS = 3.0
"""Pixels: space around names, and what markers reach beyond their points."""


def draw_volcano(
    names: Sequence[str],
    estimate: Floats,
    p_value: Floats,
    adjusted_p: Floats,
    *,
    key: str,
    title: str,
    alt: str,
    x_label: str,
    limit: float = 0.05,
    labels: int = 12,
) -> str:
    """Return a volcano plot as SVG.

    Analytes whose adjusted p-value is under `limit` are filled and coloured by the sign; those of
    the smallest p-values are named where the name covers no other name and no point.

    Parameters
    ----------
    names : (m,)
    estimate, p_value, adjusted_p : (m,) float64
        Rows with nan are not drawn.
    key, title, alt
        Anchor, name and description of the drawing.
    x_label
        What the estimate is.
    limit
        Of the adjusted p-value.
    labels
        Most names written.
    """
    with theme():
        figure = _figure(names, estimate, p_value, adjusted_p, x_label, limit, labels)
        return to_svg(figure, key, title, alt)


def _figure(
    names: Sequence[str], estimate: Floats, p_value: Floats, adjusted_p: Floats, x_label: str,
    limit: float, labels: int,
) -> Figure:  # fmt: skip
    figure = new_figure(7.2, 5.0)
    axes = figure.add_axes((0.1, 0.12, 0.87, 0.8))
    known = np.isfinite(estimate) & np.isfinite(p_value)
    height = -np.log10(np.maximum(np.where(known, p_value, 1.0), _LEAST))
    with np.errstate(invalid="ignore"):
        found = known & (adjusted_p < limit)
    reach = 1.18 * float(np.abs(estimate[known]).max(initial=0.1))
    axes.set_xlim(-reach, reach)
    axes.set_ylim(0.0, 1.12 * float(height[known].max(initial=1.3)))
    rest = known & ~found
    axes.plot(
        estimate[rest], height[rest], "o", ms=3.2, mfc="none", mec=LINE, mew=0.7,
        label=f"adjusted p ≥ {limit:g} ({int(rest.sum())})",
    )  # fmt: skip
    sides = (("^", 1.0, PALETTE[1], "higher"), ("v", -1.0, PALETTE[0], "lower"))
    for mark, sign, tint, word in sides:
        some = found & (np.sign(estimate) == sign)
        if some.any():
            axes.plot(
                estimate[some], height[some], mark, ms=5.2, color=tint, mec="white", mew=0.5,
                label=f"< {limit:g}, {word} ({int(some.sum())})", zorder=4,
            )  # fmt: skip
    axes.axvline(0.0, color=SOFT, linewidth=0.8)
    axes.set_xlabel(x_label)
    axes.set_ylabel("−log10 p")
    style_axes(axes, grid="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2,
                handletextpad=0.3, columnspacing=1.2)  # fmt: skip
    order = [int(i) for i in np.argsort(np.where(known, p_value, np.inf), kind="stable")]
    chosen = [i for i in order if known[i]][:labels]
    drawn = np.column_stack([estimate[known], height[known]])
    _name(figure, axes, [names[i] for i in chosen], estimate[chosen], height[chosen], drawn)
    return figure


def _name(
    figure: Figure, axes: Axes, names: Sequence[str], x: Floats, y: Floats, all_points: Floats
) -> None:
    """Write names beside their points, each at the first place that is free."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # heavy: loaded when drawn

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    every = axes.transData.transform(all_points)
    inside = axes.get_window_extent(renderer)
    taken: list[Any] = []
    for number, name in enumerate(names):
        for right, up in _OFFSETS:
            text = axes.annotate(
                name, (float(x[number]), float(y[number])), (right, up),
                textcoords="offset points", fontsize=8.5, color=INK, va="center",
                ha="left" if right > 0 else "right", path_effects=halo(), zorder=5,
                arrowprops={"arrowstyle": "-", "color": LINE, "linewidth": 0.6, "shrinkB": 2.0}
                if up else None,
            )  # fmt: skip
            box = text.get_window_extent(renderer).padded(_GAP)
            wide = box.padded(_RADIUS)
            covered = (
                (every[:, 0] > wide.x0) & (every[:, 0] < wide.x1)
                & (every[:, 1] > wide.y0) & (every[:, 1] < wide.y1)
            )  # fmt: skip
            free = (
                box.x0 >= inside.x0
                and box.x1 <= inside.x1
                and box.y0 >= inside.y0
                and box.y1 <= inside.y1
                and not any(box.overlaps(other) for other in taken)
                and not covered.any()
            )
            if free:
                taken.append(box)
                break
            text.remove()
