"""What a network is made of, and its drawing."""

from __future__ import annotations

from typing import Any

from statera.pathway.jak_inhibition import slowed_reactions
from statera.pathway.network import Network
from statera.pathway_report.parts import MOST_SPECIES, network_drawing
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.pathway import NetworkRequest
from statera.web.tasks.pathway_source import OUTPUT_NAMES, read_source
from statera.web.work import Work

__all__ = ["run"]


def run(request: NetworkRequest, work: Work) -> Answer:
    """Read the network and draw it."""
    source = read_source(request, 1.0, work)
    network = source.network
    slowed = set() if source.marks is None else slowed_reactions(network, source.marks)
    table = Table(
        [Column("reaction"), Column("from"), Column("to"), Column("changed by"), Column("slowed")],
        [
            [r.id, _side(r.reactants), _side(r.products), ", ".join(r.modifiers), r.id in slowed]
            for r in network.reactions
        ],
    )
    labels = OUTPUT_NAMES if source.is_compact else {}
    result = {
        "id": network.id,
        "name": network.name or network.id,
        "time_unit": network.time_unit,
        "species": len(network.species),
        "reactions": len(network.reactions),
        "events": len(network.events),
        "states": [{"name": n, "label": labels.get(n, n)} for n in network.states],
        "assigned": [{"name": n, "label": labels.get(n, n)} for n in network.assigned],
        "parameters": dict(network.parameters),
        "kinases": [] if source.marks is None else list(source.marks.kinases),
        "slowed": sorted(slowed),
        "marks_source": "" if source.marks is None else source.marks.source,
        "stimulus_unit": source.unit,
        **_drawn(network, slowed),
    }
    notes = tuple(f"{n[0].upper()}{n[1:]}." for n in (*source.notes, *network.notes) if n)
    return Answer(
        "statera.web.pathway-network/1",
        result,
        {"reactions": table},
        Copies("", why="the network is described here; 'statera pathway simulate' runs it"),
        tuple(dict.fromkeys(notes)),
    )


def _side(side: Any) -> str:
    return " + ".join(name for name, _ in side)


def _drawn(network: Network, slowed: set[str]) -> dict[str, Any]:
    """Return the drawing, or why there is none."""
    if not network.species:
        return {"svg": None, "alt": "", "not_drawn": "The network has no species to draw."}
    if len(network.species) > MOST_SPECIES:
        return {"svg": None, "alt": "", "not_drawn": f"More than {MOST_SPECIES} species."}
    figure = network_drawing(network, slowed, "network")
    return {"svg": figure.svg, "alt": figure.alt, "not_drawn": ""}
