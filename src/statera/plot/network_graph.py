"""Network plot: treatments as nodes, comparisons as lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, theme

__all__ = ["draw_network"]


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
    import matplotlib.pyplot as plt

    n = len(treatments)
    angle = {name: math.pi / 2 - 2 * math.pi * i / n for i, name in enumerate(treatments)}
    place = {name: (math.cos(a), math.sin(a)) for name, a in angle.items()}
    most = max(comparisons.values(), default=1)
    largest = max((patients or {}).values(), default=1.0)
    with theme():
        fig, ax = plt.subplots(figsize=(6.4, 5.0), layout="constrained")
        for (a, b), studies in comparisons.items():
            (x0, y0), (x1, y1) = place[a], place[b]
            ax.plot([x0, x1], [y0, y1], color=SOFT, lw=1 + 5 * studies / most, zorder=1)
            # off the middle, so that numbers of lines that cross there stay apart
            ax.text(
                x0 + 0.42 * (x1 - x0), y0 + 0.42 * (y1 - y0), str(studies), ha="center",
                va="center", color=INK, zorder=2, fontsize=8,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"},
            )  # fmt: skip
        for name in treatments:
            share = (patients or {}).get(name, 0.0) / largest if patients else 0.5
            x, y = place[name]
            ax.scatter([x], [y], s=60 + 540 * share, color=PALETTE[0], zorder=3)
            side = "center" if abs(x) < 0.2 else ("left" if x > 0 else "right")
            count = (patients or {}).get(name)
            label = name if count is None else f"{name}\n{count:,.0f} patients"
            level = "center" if abs(y) < 0.8 else ("bottom" if y > 0 else "top")
            ax.text(1.15 * x, 1.15 * y, label, ha=side, va=level, color=INK, fontsize=9)
        ax.set_xlim(-1.8, 1.8)
        ax.set_ylim(-1.4, 1.45)
        ax.set_aspect("equal")
        ax.axis("off")
        pairs = "; ".join(f"{a} and {b}: {k}" for (a, b), k in comparisons.items())
        people = "; ".join(f"{name} {count:,.0f}" for name, count in (patients or {}).items())
        alt = f"{n} treatments. Studies by pair: {pairs}."
        svg = to_svg(fig, key, title, alt + (f" Patients: {people}." if people else ""))
        plt.close(fig)
    return svg
