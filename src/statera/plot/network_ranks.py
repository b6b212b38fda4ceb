"""Rankogram: how probable each rank of each treatment is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.plot.figure_bytes import figure_bytes
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import GRID, PALETTE, theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_network_ranks", "network_ranks_pdf"]

_HIGH = 0.28  # of a bar that is certain, inches
_SPACE = 0.34  # between rows, for the bars and the number above them


def draw_network_ranks(
    treatments: Sequence[str],
    probability: NDArray[np.float64],
    score: Sequence[float],
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return a rankogram as SVG, best treatment first.

    Parameters
    ----------
    treatments
    probability : (n, n) float64
        Of each treatment (row) to have each rank (column), the best rank first.
    score
        P-score or SUCRA of each treatment, which orders the rows.
    key, title, alt
        Anchor, name and description of the drawing.
    """
    with theme():
        return to_svg(_figure(treatments, probability, score), key, title, alt)


def network_ranks_pdf(
    treatments: Sequence[str],
    probability: NDArray[np.float64],
    score: Sequence[float],
    *,
    title: str,
) -> bytes:
    """Return the same drawing as PDF."""
    return figure_bytes(
        lambda: _figure(treatments, probability, score), ".pdf", key="ranks", title=title, alt=""
    )


def _figure(
    treatments: Sequence[str], probability: NDArray[np.float64], score: Sequence[float]
) -> Figure:
    order = np.argsort(-np.asarray(score), kind="stable")
    n = len(treatments)
    rows = [
        Row(treatments[i], (f"{score[i]:.2f}", f"{100 * probability[i, 0]:.0f} %")) for i in order
    ]
    heads = Heads(label="Treatment", texts=("P-score", "Best"), width=7.2, pad=_SPACE, foot=0.6)
    frame = draw_frame(rows, heads)
    axes = frame.axes
    for y, i in zip(frame.centres, order, strict=True):
        foot = y + _HIGH / 2 + 0.06
        axes.plot([0.5, n + 0.5], [foot, foot], color=GRID, lw=0.8, zorder=1)
        for rank in range(n):
            high = _HIGH * float(probability[i, rank])
            axes.bar(rank + 1, -high, width=0.72, bottom=foot, color=PALETTE[0], zorder=2)
            if probability[i, rank] >= 0.1:
                axes.text(
                    rank + 1, foot - high - 0.02, f"{100 * probability[i, rank]:.0f}",
                    ha="center", va="bottom", fontsize=7.5,
                )  # fmt: skip
    axes.set_xlim(0.5, n + 0.5)
    axes.set_xticks(range(1, n + 1))
    axes.grid(False)
    axes.set_xlabel("Rank (1 is the best); probability in per cent", labelpad=4)
    return frame.figure
