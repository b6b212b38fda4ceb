"""Clouds of points with a smooth line, as diagnostics of fits need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from statera.numerics.lowess import lowess
from statera.plot.theme import INK, PALETTE, SOFT

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

__all__ = [
    "POINT",
    "SMOOTH",
    "cloud",
    "column",
    "few_ticks",
    "handles",
    "logarithmic_axis",
    "padded",
    "smooth",
    "thin",
]

Floats = NDArray[np.float64]

POINT = PALETTE[0]
SMOOTH = PALETTE[1]


def column(table: pl.DataFrame, name: str) -> Floats:
    """Return a column of numbers with NaN for null, ``(n_rows,)`` float64."""
    import polars as pl  # heavy: loaded when a figure is drawn

    values = table[name].cast(pl.Float64).fill_null(float("nan"))
    return np.asarray(values.to_numpy(), dtype=np.float64)


def thin(x: Floats, y: Floats, most: int) -> NDArray[np.int64]:
    """Return the indices of at most about `most` points to draw.

    The points highest and lowest in y, a tenth of `most`, always stay; of the rest every k-th
    does.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if known.size <= most:
        return known.astype(np.int64)
    order = known[np.argsort(y[known], kind="stable")]
    ends = max(most // 20, 1)
    middle = order[ends:-ends]
    kept = np.sort(middle)[:: -(-middle.size // (most - 2 * ends))]
    return np.sort(np.concatenate([order[:ends], kept, order[-ends:]])).astype(np.int64)


def cloud(axes: Axes, x: Floats, y: Floats, *, most: int, ink: str = POINT) -> int:
    """Draw points; return how many were left out."""
    drawn = thin(x, y, most)
    size = 4.2 if drawn.size < 400 else 3.2
    axes.plot(x[drawn], y[drawn], "o", ms=size, mfc=(ink, 0.38), mec="none")
    return int((np.isfinite(x) & np.isfinite(y)).sum() - drawn.size)


def smooth(
    axes: Axes, x: Floats, y: Floats, *, share: float, log_x: bool = False, log_y: bool = False
) -> None:
    """Draw the smooth line through points; along ln x or ln y where an axis is logarithmic."""
    known = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not log_x)) & ((y > 0) | (not log_y))
    if np.unique(x[known]).size < 4:
        return
    a = np.log(x[known]) if log_x else x[known]
    b = np.log(y[known]) if log_y else y[known]
    at = np.unique(np.quantile(a, np.linspace(0.0, 1.0, 80)))
    line = lowess(a, b, at, share=share)
    at = np.exp(at) if log_x else at
    line = np.exp(line) if log_y else line
    axes.plot(at, line, color=SMOOTH, linewidth=1.8, zorder=4)


def logarithmic_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with plain numbers at its ticks.

    Where it spans less than two powers of ten, 2 and 5 are labelled too.
    """
    from matplotlib.ticker import (  # heavy: loaded when a figure is drawn
        FuncFormatter,
        LogLocator,
    )

    if which == "x":
        axes.set_xscale("log")
    else:
        axes.set_yscale("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(LogLocator(10, subs=(2, 5)))

    def minor(value: float, _: int | None) -> str:
        low, high = axis.get_view_interval()
        return f"{value:g}" if low > 0 and high / low < 100 else ""

    axis.set_minor_formatter(FuncFormatter(minor))
    # shorter ticks with labels on the line of those of the major ticks
    axes.tick_params(axis=which, which="minor", length=2.0, pad=5.0)


def few_ticks(axes: Axes, which: Literal["x", "y"], most: int, *, whole: bool = False) -> None:
    """Put at most so many ticks on an axis, at whole numbers where asked."""
    from matplotlib.ticker import MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(most, integer=whole))


def padded(
    values: Floats, *, logarithmic: bool = False, share: float = 0.05
) -> tuple[float, float]:
    """Return limits of an axis around the finite values (those above 0 on a logarithmic one)."""
    known = values[np.isfinite(values)]
    if logarithmic:
        known = np.log(known[known > 0])
    if known.size == 0:
        return (0.1, 10.0) if logarithmic else (0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    gap = share * (high - low) or max(abs(high), 1.0) * 0.1
    low, high = low - gap, high + gap
    return (float(np.exp(low)), float(np.exp(high))) if logarithmic else (low, high)


def handles(*wanted: str) -> list[Any]:
    """Return legend entries: ``points``, ``censored``, ``smooth``, ``identity``, ``limits``."""
    from matplotlib.lines import Line2D  # heavy: loaded when a figure is drawn

    known: dict[str, Any] = {
        "points": Line2D([], [], ls="", marker="o", ms=4.5, mfc=(POINT, 0.5), mec="none",
                         label="observation"),
        "censored": Line2D([], [], ls="", marker="v", ms=5, mfc="white", mec=POINT, mew=1.0,
                           label="below the limit, drawn at it"),
        "smooth": Line2D([], [], color=SMOOTH, lw=1.8, label="smooth (lowess)"),
        "identity": Line2D([], [], color=INK, lw=1.0, label="expected"),
        "limits": Line2D([], [], color=SOFT, lw=0.9, ls=(0, (4, 2)), label="±1.96"),
    }  # fmt: skip
    return [known[name] for name in wanted]
