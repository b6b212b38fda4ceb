"""Enzyme potencies on a logarithmic axis; a bound is an arrow, never a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.svg import to_svg
from statera.plot.theme import PALETTE, theme
from statera.sources.fact import Relation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Potency", "SelectivityOptions", "draw_selectivity"]

_LOWER = (Relation.GREATER, Relation.AT_LEAST)  # the value is a lower bound


@dataclass(frozen=True)
class Potency:
    """One potency.

    Attributes
    ----------
    target
        Enzyme or assay; potencies of one target stand under each other.
    value
        IC50 in the unit of the axis, or the bound, or the lower end of a range.
    relation
        Point, bound or range.
    high
        Upper end of a range.
    origin
        Text beside the target, such as the source or the assay.
    """

    target: str
    value: float
    relation: Relation = Relation.EQUAL
    high: float | None = None
    origin: str = ""


@dataclass(frozen=True)
class SelectivityOptions:
    """Labels, unit and ends of the axis."""

    x_label: str = "IC50 (nM, log scale)"
    unit: str = "nM"
    target_head: str = "Target"
    origin_head: str = "Source"
    limits: tuple[float, float] | None = None


def draw_selectivity(
    potencies: Sequence[Potency],
    options: SelectivityOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return potencies by target as SVG.

    Parameters
    ----------
    potencies
        Potencies in the order drawn.
    options
        Labels and unit.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no potency, one is not positive, or a range has no upper end.
    """
    chosen = options or SelectivityOptions()
    for potency in potencies:
        if potency.value <= 0:
            raise ValueError(f"potency of '{potency.target}': must be positive")
        if potency.relation is Relation.RANGE and (potency.high or 0) < potency.value:
            raise ValueError(f"potency of '{potency.target}': a range needs both ends in order")
    with theme():
        heads = Heads(
            label=chosen.target_head,
            texts=(chosen.origin_head,) if any(p.origin for p in potencies) else (),
            right="IC50",
            width=8.6,
        )
        rows = [Row(p.target, (p.origin,), _say(p, chosen.unit)) for p in potencies]
        frame = draw_frame(rows, heads)
        _axis(frame.axes, potencies, chosen)
        for centre, potency in zip(frame.centres, potencies, strict=True):
            _mark(frame.axes, centre, potency)
        return to_svg(frame.figure, key, title, alt)


def _say(potency: Potency, unit: str) -> str:
    if potency.relation is Relation.RANGE:
        return f"{potency.value:g} to {potency.high:g} {unit}"
    sign = "" if potency.relation is Relation.EQUAL else f"{potency.relation.value} "
    sign = sign.replace("<=", "≤").replace(">=", "≥")
    return f"{sign}{potency.value:g} {unit}"


def _axis(axes: Axes, potencies: Sequence[Potency], options: SelectivityOptions) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator  # heavy: when drawn

    ends = [v for p in potencies for v in (p.value, p.high) if v is not None]
    low, high = options.limits or (min(ends) / 4, max(ends) * 6)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(10))
    axes.xaxis.set_minor_locator(LogLocator(10, subs=(2, 5)))
    plain = FuncFormatter(lambda x, _: f"{x:,.12g}".replace(",", "\u202f"))
    axes.xaxis.set_major_formatter(plain)
    decades = high / low
    axes.xaxis.set_minor_formatter(plain if decades < 150 else FuncFormatter(lambda *_: ""))
    axes.tick_params(axis="x", which="minor", length=2.0, width=0.6, labelsize=8.5)
    axes.set_xlabel(options.x_label)


def _mark(axes: Axes, y: float, potency: Potency) -> None:
    ink = PALETTE[0]
    low, high = axes.get_xlim()
    value = potency.value
    if potency.relation is Relation.RANGE and potency.high is not None:
        axes.plot([value, potency.high], [y, y], color=ink, lw=4.5, solid_capstyle="round")
    elif potency.relation.is_bound:
        end = high if potency.relation in _LOWER else low
        axes.annotate(
            "",
            xy=(end, y),
            xytext=(value, y),
            arrowprops={"arrowstyle": "-|>", "color": ink, "lw": 1.8, "shrinkA": 0, "shrinkB": 2},
        )
        axes.plot([value], [y], "|", ms=11, mew=2.2, color=ink)
    else:
        hollow = potency.relation is Relation.ABOUT
        axes.plot([value], [y], "o", ms=7.5, mfc="white" if hollow else ink, mec=ink, mew=1.6)
