"""Pieces that both pages of pathways have: the network, numbers, figures of courses."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from statera.pathway.network import Network
from statera.plot.reaction_network import DrawnReaction, draw_reaction_network
from statera.plot.time_courses import CoursePanel, TimeCourseOptions, draw_time_courses
from statera.report.document import Block, Cell, Definition, Figure, Inline, Paragraph, Section
from statera.report.tabulate import format_number

__all__ = ["MOST_SPECIES", "courses_figure", "network_drawing", "network_section", "number"]

MOST_SPECIES = 60


def number(value: float, method: str, unit: str = "") -> Cell:
    """Return a computed number that links to its method."""
    if not math.isfinite(value):
        return Cell("", "missing")
    text = f"{format_number(value)} {unit}".rstrip()
    return Cell(text, "computed", method=method, value=value, unit=unit)


def network_section(network: Network, inhibited: Collection[str] = (), key: str = "") -> Section:
    """Return what the network is made of, and its drawing.

    Parameters
    ----------
    network
        The network; networks of more than 60 species are described, not drawn.
    inhibited
        Reactions that a drug slows.
    key
        Told apart where a page shows several networks.
    """
    anchor = f"network{key}"
    drawn = [s for s in network.species if not s.id.startswith("pk_")]
    pairs: list[tuple[str, Inline]] = [
        ("Network", network.name or network.id),
        ("Species", str(len(drawn))),
        ("Reactions", str(len(network.reactions))),
        ("States", str(len(network.states))),
        ("Parameters", str(len(network.parameters))),
        ("Events", str(len(network.events))),
        ("Unit of time", network.time_unit or "not stated"),
    ]
    blocks: list[Block] = [Definition(tuple(pairs))]
    if not drawn:
        blocks.append(Paragraph(("The network has no species to draw.",)))
    elif len(drawn) > MOST_SPECIES:
        blocks.append(Paragraph((f"Not drawn: more than {MOST_SPECIES} species.",)))
    else:
        blocks.append(network_drawing(network, inhibited, anchor))
    return Section(anchor, "Network", tuple(blocks))


def network_drawing(network: Network, inhibited: Collection[str], key: str) -> Figure:
    """Return the drawing of a network; bars cross the reactions that a drug slows."""
    drawn = tuple(
        DrawnReaction(
            r.id,
            tuple(dict.fromkeys(n for n, _ in r.reactants)),
            tuple(dict.fromkeys(n for n, _ in r.products)),
            r.modifiers,
            r.id in inhibited,
        )
        for r in network.reactions
    )
    slowed = f" The drug slows {', '.join(sorted(inhibited))}." if inhibited else ""
    alt = (
        f"{len(network.species)} species in {len(network.compartments)} compartments, joined by "
        f"{len(network.reactions)} reactions.{slowed}"
    )
    svg = draw_reaction_network(
        {s.id: s.compartment for s in network.species}, drawn,
        key=f"{key}-drawing", title=network.name or network.id, alt=alt,
    )  # fmt: skip
    return Figure(f"{key}-drawing", svg, "Reaction network", alt, data={
        "reaction": [r.name for r in drawn],
        "from": [" + ".join(r.reactants) for r in drawn],
        "to": [" + ".join(r.products) for r in drawn],
    })  # fmt: skip


def courses_figure(
    panels: Sequence[CoursePanel], options: TimeCourseOptions, key: str, title: str, alt: str
) -> Figure:
    """Return panels of courses as a figure; its data hold every curve."""
    data = {
        f"{panel.title}, {course.label}": {
            "time": course.times.tolist(), "value": course.values.tolist(),
        }
        for panel in panels
        for course in panel.courses
    }  # fmt: skip
    svg = draw_time_courses(panels, options, key=key, title=title, alt=alt)
    return Figure(key, svg, title, alt, data=data)
