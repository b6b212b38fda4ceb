"""The JAK-STAT pathway as a drawing, coloured and thinned by computed inhibition.

From the top: cytokine, receptor chains in the membrane, the kinases with the drug in their
pocket, the signal that is left, the STAT dimer, the nucleus with the DNA and transcription.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.numerics.interval import Interval
from statera.plot.inhibition import inhibition_colour, say_percent
from statera.plot.pathway_cell import HEIGHT, cell
from statera.plot.pathway_parts import (
    DRUG,
    EDGE,
    dimer,
    hexagon,
    kinase,
    phosphate,
    receptor,
    signal_arrow,
    transcript,
)
from statera.plot.shapes import FONT, attributes, lines_of, shape, text
from statera.plot.svg import open_tag
from statera.plot.theme import SOFT

__all__ = ["Kinase", "Pathway", "PathwayOptions", "draw_pathway"]

_LANE = 248.0
_LEAST_WIDTH = 520.0
_MOST_PARTS = 3  # chains, kinases or STATs that fit into a lane


@dataclass(frozen=True)
class Kinase:
    """A kinase and how much of it is inhibited: fraction from 0 to 1, None where not known."""

    name: str
    inhibition: Interval | None


@dataclass(frozen=True)
class Pathway:
    """The way of one cytokine.

    Attributes
    ----------
    cytokine
        Name, such as ``IL-6``.
    receptor
        Names of the receptor chains, at most three, the signalling ones last.
    kinases
        JAKs at the chains, at most three.
    stats
        STATs activated, at most three.
    inhibition
        Inhibition of the signal that reaches the STATs; None where not known.
    """

    cytokine: str
    receptor: tuple[str, ...]
    kinases: tuple[Kinase, ...]
    stats: tuple[str, ...]
    inhibition: Interval | None

    def __post_init__(self) -> None:
        parts = {"receptor chains": self.receptor, "kinases": self.kinases, "STATs": self.stats}
        for name, given in parts.items():
            if not 1 <= len(given) <= _MOST_PARTS:
                raise ValueError(
                    f"pathway of {self.cytokine}: {name} must be 1 to {_MOST_PARTS}, "
                    f"got {len(given)}"
                )
        for value in (self.inhibition, *(one.inhibition for one in self.kinases)):
            if value is not None and not 0.0 <= value.low <= value.high <= 1.0:
                raise ValueError(f"pathway of {self.cytokine}: inhibition must be from 0 to 1")


@dataclass(frozen=True)
class PathwayOptions:
    """Names in the legend.

    Attributes
    ----------
    drug
        Name of the drug.
    concentration
        Concentration the inhibition was computed at, with its name, such as
        ``average at 4 mg once daily: 54 nM``.
    """

    drug: str
    concentration: str = ""


def draw_pathway(
    pathways: Sequence[Pathway],
    options: PathwayOptions,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the pathways of one or more cytokines side by side in one cell, as SVG.

    Colour and width of the arrows show the signal that is left; the inhibition stands beside
    them as text. Where only a bound is known, a kinase is split into the colours of both ends,
    and an arrow has a core (signal that is left for certain) in a dashed sleeve (signal that may
    be left).

    Parameters
    ----------
    pathways
        One to six cytokines.
    options
        Drug and concentration.
    key, title, alt
        Anchor, name and description of the drawing.

    Raises
    ------
    ValueError
        If there is no pathway, or more than six.
    """
    if not 1 <= len(pathways) <= 6:
        raise ValueError("the drawing holds one to six pathways")
    width = max(_LANE * len(pathways) + 32, _LEAST_WIDTH)
    lane = (width - 32) / len(pathways)
    head = open_tag(key, title, alt, (width, HEIGHT), natural=width)
    parts = [head, f"<g{attributes(font_family=FONT)}>", _legend(key, width, options)]
    parts.append(cell(key, width, [16 + (i + 0.5) * lane for i in range(len(pathways))]))
    parts += [
        _lane(pathway, 16 + (index + 0.5) * lane, key) for index, pathway in enumerate(pathways)
    ]
    parts += ["</g>", "</svg>"]
    return "".join(parts)


def _spread(centre: float, count: int, step: float) -> list[float]:
    return [centre + (index - (count - 1) / 2) * step for index in range(count)]


def _lane(pathway: Pathway, x: float, key: str) -> str:
    chains = _spread(x, len(pathway.receptor), 66)
    # The signalling chains come last: with fewer kinases than chains, the kinases stand there.
    last = chains[-len(pathway.kinases) :]
    kinases = _spread(sum(last) / len(last), len(pathway.kinases), 72)
    parts = [text(x, 78, pathway.cytokine, size=15, weight="600")]
    parts.append(receptor(x, chains, pathway.receptor, kinases))
    parts += [
        kinase(at, item.name, item.inhibition, key)
        for at, item in zip(kinases, pathway.kinases, strict=True)
    ]
    parts.append(signal_arrow(x, 352, 396, pathway.inhibition))
    parts += _said(x, pathway.inhibition)
    for at, name in zip(_spread(x, len(pathway.stats), 76), pathway.stats, strict=True):
        parts.append(dimer(at, 426, name, pathway.inhibition))
    parts.append(signal_arrow(x, 458, 566, pathway.inhibition))
    parts.append(transcript(x, 590, pathway.inhibition))
    return "".join(parts)


def _said(x: float, inhibition: Interval | None) -> list[str]:
    """Write the inhibition of the signal beside its arrow."""
    said = say_percent(inhibition)
    return [
        text(x + 20, 370, "signal inhibited", size=11, anchor="start", fill=SOFT),
        text(x + 20, 386, said, size=13.5, anchor="start", weight="700"),
    ]


def _legend(key: str, width: float, options: PathwayOptions) -> str:
    """Explain the drug, the colours and the phosphate above the cell."""
    x = 26.0
    name = f"{options.drug}, {options.concentration}" if options.concentration else options.drug
    room = width - 2 * x - 250
    lines = lines_of(name, room, 13)
    first = 28.5 - 7.5 * (len(lines) - 1)
    parts = [hexagon(x + 6, 24, 9, DRUG)]
    parts += [
        text(x + 22, first + 15 * i, line, size=13, anchor="start", weight="600")
        for i, line in enumerate(lines)
    ]
    stops = "".join(
        shape("stop", offset=at, stop_color=inhibition_colour(at))
        for at in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    parts.append(
        f"<defs><linearGradient{attributes(id=f'{key}-scale')}>{stops}</linearGradient></defs>"
    )
    right = width - 26
    parts.append(
        shape(
            "rect",
            x=right - 132,
            y=14,
            width=132,
            height=10,
            rx=3,
            fill=f"url(#{key}-scale)",
            stroke=EDGE,
            stroke_width=0.7,
        )
    )
    parts.append(text(right - 132, 38, "0 %", size=11, anchor="start", fill=SOFT))
    parts.append(text(right - 66, 38, "inhibited", size=11, fill=SOFT))
    parts.append(text(right, 38, "100 %", size=11, anchor="end", fill=SOFT))
    parts.append(phosphate(right - 232, 20, 1.0))
    parts.append(text(right - 220, 24, "phosphate", size=11, anchor="start", fill=SOFT))
    return "".join(parts)
