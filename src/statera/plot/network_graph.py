"""Network plot: treatments as nodes, comparisons as lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from statera.plot.figure_bytes import figure_bytes
from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, new_figure, theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_network", "network_pdf"]


def draw_network(
    key: str,
    treatments: Sequence[str],
    comparisons: Mapping[tuple[str, str], int],
    *,
    patients: Mapping[str, float] | None = None,
    title: str = "Network of trials",
) -> str:
    """Return the network as SVG: node area by patients, line width by studies.

    Parameters
    ----------
    key
        Unique name of the figure in its page.
    comparisons
        Number of studies by pair of treatments; printed on the line.
    patients
        By treatment; nodes are alike where not given.
    """
    pairs = "; ".join(f"{a} and {b}: {k}" for (a, b), k in comparisons.items())
    people = "; ".join(f"{name} {count:,.0f}" for name, count in (patients or {}).items())
    alt = f"{len(treatments)} treatments. Studies by pair: {pairs}."
    with theme():
        figure = _figure(treatments, comparisons, patients or {})
        return to_svg(figure, key, title, alt + (f" Patients: {people}." if people else ""))


def network_pdf(
    treatments: Sequence[str],
    comparisons: Mapping[tuple[str, str], int],
    *,
    patients: Mapping[str, float] | None = None,
    title: str = "Network of trials",
) -> bytes:
    """Return the same drawing as PDF."""
    return figure_bytes(
        lambda: _figure(treatments, comparisons, patients or {}),
        ".pdf",
        key="network",
        title=title,
        alt="",
    )


def _figure(
    treatments: Sequence[str],
    comparisons: Mapping[tuple[str, str], int],
    patients: Mapping[str, float],
) -> Figure:
    n = len(treatments)
    angle = {name: math.pi / 2 - 2 * math.pi * i / n for i, name in enumerate(treatments)}
    place = {name: (math.cos(a), math.sin(a)) for name, a in angle.items()}
    most = max(comparisons.values(), default=1)
    largest = max(patients.values(), default=1.0)
    figure = new_figure(6.8, 4.6 + 0.12 * max(0, n - 8))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    for (a, b), studies in comparisons.items():
        (x0, y0), (x1, y1) = place[a], place[b]
        axes.plot([x0, x1], [y0, y1], color=LINE, lw=1 + 5 * studies / most, zorder=1)
        # off the middle, so that numbers of lines that cross there stay apart
        axes.text(
            x0 + 0.42 * (x1 - x0), y0 + 0.42 * (y1 - y0), str(studies), ha="center",
            va="center", color=INK, zorder=2, fontsize=8.5,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"},
        )  # fmt: skip
    for name in treatments:
        x, y = place[name]
        share = patients.get(name, 0.0) / largest if patients else 0.3
        axes.scatter([x], [y], s=60 + 540 * share, color=PALETTE[0], ec="white", zorder=3)
        side = "center" if abs(x) < 0.2 else ("left" if x > 0 else "right")
        level = "center" if abs(y) < 0.9 else ("bottom" if y > 0 else "top")
        count = patients.get(name)
        label = name if count is None else f"{name}\n{count:,.0f} patients"
        axes.text(1.16 * x, 1.16 * y, label, ha=side, va=level, color=INK, fontsize=9.5)
    axes.set_xlim(-2.1, 2.1)
    axes.set_ylim(-1.45, 1.5)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure
