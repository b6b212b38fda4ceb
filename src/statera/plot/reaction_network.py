"""Reaction network: species as names, reactions as arrows from what they take to what they make.

Places come from the stress of distances in the graph, lowered step by step (SMACOF, de Leeuw 1977,
as in Gansner, Koren and North 2005, doi 10.1007/978-3-540-31843-9_25); the same network always
gives the same drawing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from statera.plot.svg import to_svg
from statera.plot.theme import INK, LINE, PALETTE, SOFT, new_figure, theme

__all__ = ["DrawnReaction", "draw_reaction_network"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DrawnReaction:
    """What a reaction takes, makes and is changed by; `inhibited` where a drug slows it."""

    name: str
    reactants: tuple[str, ...]
    products: tuple[str, ...]
    modifiers: tuple[str, ...] = ()
    inhibited: bool = False


def draw_reaction_network(
    species: Mapping[str, str],
    reactions: Sequence[DrawnReaction],
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the network as SVG.

    Parameters
    ----------
    species
        Compartment of each species; colours tell compartments apart, and the legend names them.
    reactions
        Arrows; those of modifiers are dotted, and a bar crosses those that a drug slows.

    Raises
    ------
    ValueError
        If there is no species.
    """
    if not species:
        raise ValueError("network: there is no species")
    names = list(species)
    size = float(np.clip(1.15 * math.sqrt(len(names)) + 2.2, 4.0, 10.0))
    places = _apart(_places(names, reactions), names, size)
    compartments = list(dict.fromkeys(species.values()))
    spread = max(float(np.ptp(places[:, 0])), float(np.ptp(places[:, 1])), 1.0)
    with theme():
        figure = new_figure(1.25 * size, size)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        at = dict(zip(names, places, strict=True))
        for reaction in reactions:
            _draw_reaction(axes, reaction, at, 0.07 * spread)
        for name in names:
            ink = PALETTE[compartments.index(species[name]) % len(PALETTE)]
            x, y = at[name]
            axes.text(x, y, _wrapped(name), ha="center", va="center", size=8, color="white",
                      zorder=5, linespacing=1.0,
                      bbox={"boxstyle": "round,pad=0.3", "fc": ink, "ec": "none"})  # fmt: skip
        low, high = places.min(axis=0), places.max(axis=0)
        axes.set_xlim(low[0] - 0.12 * spread, high[0] + 0.12 * spread)
        axes.set_ylim(low[1] - 0.1 * spread, high[1] + 0.1 * spread)
        axes.axis("off")
        _legend(figure, compartments, reactions)
        return to_svg(figure, key, title, alt)


def _wrapped(name: str) -> str:
    """Break a long name at an underscore near its middle."""
    if len(name) <= 12 or "_" not in name:
        return name
    cuts = [i for i, letter in enumerate(name) if letter == "_"]
    cut = min(cuts, key=lambda i: abs(i - len(name) / 2))
    return f"{name[: cut + 1]}\n{name[cut + 1 :]}"


def _places(names: Sequence[str], reactions: Sequence[DrawnReaction]) -> Floats:
    """Return places (n, 2) whose distances are like those in the graph."""
    n = len(names)
    index = {name: i for i, name in enumerate(names)}
    graph = np.zeros((n, n))
    for r in reactions:
        each = [index[s] for s in (*r.reactants, *r.products) if s in index]
        for a in each:
            for b in each:
                if a != b:
                    graph[a, b] = graph[b, a] = 1.0
        for m in r.modifiers:
            for b in each:
                if m in index and index[m] != b and graph[index[m], b] == 0.0:
                    graph[index[m], b] = graph[b, index[m]] = 1.6
    distance = shortest_path(graph, directed=False)
    far = distance[np.isfinite(distance)].max(initial=1.0)
    distance[~np.isfinite(distance)] = far + 1.0
    weight = np.zeros((n, n))
    apart = ~np.eye(n, dtype=bool)
    weight[apart] = distance[apart] ** -2.0
    angle = 2 * math.pi * np.arange(n) / n
    x = 0.5 * far * np.stack([1.3 * np.cos(angle), np.sin(angle)], axis=1)
    pull = np.linalg.pinv(np.diag(weight.sum(axis=1)) - weight)
    for _ in range(300):
        gap = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2))
        ratio = np.where(gap > 1e-9, weight * distance / np.maximum(gap, 1e-9), 0.0)
        moved = pull @ ((np.diag(ratio.sum(axis=1)) - ratio) @ x)
        if np.abs(moved - x).max() < 1e-4:
            break
        x = moved
    turned = x - x.mean(axis=0)
    _, _, axes = np.linalg.svd(turned)
    flat: Floats = turned @ axes.T  # the longest direction lies across
    return flat


def _apart(places: Floats, names: Sequence[str], size: float) -> Floats:
    """Move places until no two names overlap; a name is as wide as its text, in inches."""
    lines = [_wrapped(name).split("\n") for name in names]
    half = np.array(
        [[0.042 * max(map(len, rows)) + 0.16, 0.08 * len(rows) + 0.12] for rows in lines]
    )
    spread = np.maximum(np.ptp(places, axis=0), 1e-9)
    inches = places / spread.max() * size  # nearly as drawn
    for _ in range(300):
        gap = inches[:, None] - inches[None]
        over = half[:, None] + half[None] - np.abs(gap)
        np.fill_diagonal(over[..., 0], -1.0)
        clash = np.argwhere((over > 0.0).all(axis=2))
        if not clash.size:
            break
        for a, b in clash[clash[:, 0] < clash[:, 1]]:
            axis = int(np.argmin(over[a, b]))
            sign = 1.0 if gap[a, b, axis] >= 0.0 else -1.0
            inches[a, axis] += 0.26 * sign * over[a, b, axis]
            inches[b, axis] -= 0.26 * sign * over[a, b, axis]
    moved: Floats = inches / size * spread.max()
    return moved


def _draw_reaction(
    axes: Any, reaction: DrawnReaction, at: Mapping[str, Floats], room: float
) -> None:
    """Draw arrows from reactants through a middle point to products; a bare end hangs free."""
    into = [at[s] for s in reaction.reactants if s in at]
    out = [at[s] for s in reaction.products if s in at]
    if not into and not out:
        return
    ends = into + out
    middle = np.mean(ends, axis=0)
    if not into or not out:
        middle = ends[0] + np.array([0.9, 1.2]) * room * (1 if out else -1)
    ink = PALETTE[1] if reaction.inhibited else SOFT
    along = (out[0] if out else middle) - (into[0] if into else middle)
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    if into and out:  # a reaction and its reverse pass on either side
        middle = middle + 0.22 * room * across
    for start in into:
        _line(axes, start, middle, ink, head=not out)
    for end in out:
        _line(axes, middle, end, ink, head=True)
    for name in reaction.modifiers:
        if name in at and not any(name in side for side in (reaction.reactants, reaction.products)):
            axes.plot(*zip(at[name], middle, strict=True), color=LINE, lw=0.9, ls=(0, (1, 2)),
                      zorder=1)  # fmt: skip
    if reaction.inhibited:
        axes.plot(*zip(middle - 0.35 * room * across, middle + 0.35 * room * across, strict=True),
                  color=PALETTE[1], lw=3.0, zorder=4)  # fmt: skip


def _line(axes: Any, start: Floats, end: Floats, ink: str, *, head: bool) -> None:
    style = "-|>" if head else "-"
    axes.annotate("", end, start, zorder=2, arrowprops={
        "arrowstyle": style, "color": ink, "lw": 1.2, "shrinkA": 0 if head else 9,
        "shrinkB": 11 if head else 0, "mutation_scale": 9,
    })  # fmt: skip


def _legend(figure: Any, compartments: Sequence[str], reactions: Sequence[DrawnReaction]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=PALETTE[i % len(PALETTE)], label=name or "no compartment")
        for i, name in enumerate(compartments)
    ]
    handles.append(Line2D([], [], color=SOFT, lw=1.2, label="reaction"))
    if any(r.modifiers for r in reactions):
        handles.append(Line2D([], [], color=LINE, lw=0.9, ls=(0, (1, 2)), label="acts on"))
    if any(r.inhibited for r in reactions):
        handles.append(Line2D([], [], color=PALETTE[1], lw=2.5, label="slowed by the drug"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)),
                  labelcolor=INK)  # fmt: skip
