"""Profile likelihoods, one small panel a parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.plot.points import few_ticks
from statera.plot.svg import to_svg
from statera.plot.theme import INK, PALETTE, SOFT, new_figure, style_axes, theme

__all__ = ["DrawnProfile", "draw_likelihood_profiles"]

Floats = NDArray[np.float64]
_COLUMNS = 3


@dataclass(frozen=True, eq=False)
class DrawnProfile:
    """The profile of one parameter.

    Attributes
    ----------
    values, rise : (n,) float64
        Of the parameter, rising, and of the objective above its optimum.
    optimum
        Value of the parameter there.
    low, high
        Ends of the interval; infinite where there is none.
    axis
        Name of the parameter with its scale or unit.
    """

    name: str
    values: Floats
    rise: Floats
    optimum: float
    low: float
    high: float
    axis: str = ""


def draw_likelihood_profiles(
    profiles: Sequence[DrawnProfile], threshold: float, *, key: str, title: str, alt: str
) -> str:
    """Return the profiles with their threshold as SVG.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not profiles:
        raise ValueError("profiles: there is none")
    columns = min(_COLUMNS, len(profiles))
    rows = math.ceil(len(profiles) / columns)
    with theme():
        figure = new_figure(3.2 * columns, 2.3 * rows)
        figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for k, axes in enumerate(grid.ravel()):
            if k >= len(profiles):
                axes.set_visible(False)
                continue
            p = profiles[k]
            axes.axhline(threshold, color=SOFT, linewidth=1.0, linestyle=(0, (4, 2)))
            axes.plot(p.values, p.rise, color=PALETTE[0])
            axes.plot(p.values, p.rise, "o", ms=2.6, color=PALETTE[0])
            axes.plot([p.optimum], [0.0], "D", ms=5.5, color=PALETTE[1])
            for end in (p.low, p.high):
                if math.isfinite(end):
                    axes.axvline(end, color=PALETTE[2], linewidth=1.1, linestyle=(0, (1, 2)))
            sides = (("lower", p.low), ("upper", p.high))
            missing = " and no ".join(side for side, end in sides if not math.isfinite(end))
            axes.set_title(f"{p.name}, no {missing} end" if missing else p.name, size=9.5)
            axes.set_ylim(-0.1 * threshold, 2.0 * threshold)
            axes.set_xlabel(p.axis or p.name, size=9.5)
            few_ticks(axes, "x", 4)
            few_ticks(axes, "y", 4)
            style_axes(axes)
        figure.supylabel("Objective above its optimum", size=10, color=INK)
        return to_svg(figure, key, title, alt)
