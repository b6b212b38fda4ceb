"""Figures of the mechanism: the pathway of chosen cytokines, and enzyme potencies."""

from __future__ import annotations

from collections.abc import Sequence

from statera.engagement import percent_text
from statera.library import Cytokine, find_cytokine
from statera.monograph.context import Context
from statera.monograph.sections.engagement_potencies import Entry
from statera.monograph.sections.mechanism_kinases import KinaseState, kinases_of
from statera.plot.pathway import Kinase, Pathway, PathwayOptions, draw_pathway
from statera.plot.selectivity import Potency as Drawn
from statera.plot.selectivity import SelectivityOptions, draw_selectivity
from statera.report.document import Cell, Figure, Inline
from statera.sources import Relation

__all__ = ["pathway_figure", "selectivity_figure"]

_CYTOKINES = ("IL-6", "IFN-gamma", "GM-CSF", "IL-15")
_MOST = 3  # chains, kinases or STATs in a lane of the drawing
_RULE = "limiting_kinase"


def pathway_figure(context: Context, state: KinaseState | None, concentration: str) -> Figure:
    """Return the pathways of four cytokines, coloured where the inhibition is computed."""
    cytokines = [find_cytokine(name) for name in _CYTOKINES]
    lanes = [_lane(c, state) for c in cytokines]
    sources = tuple(dict.fromkeys(c.source for c in cytokines))
    title = "JAK-STAT pathway of four cytokines"
    said = [_said(lane) for lane in lanes]
    alt = (
        "Cell with four pathways side by side. In each, from the top: cytokine, receptor chains "
        f"in the membrane, kinases with {context.name} at them, phosphorylated STAT pair, nucleus, "
        f"transcription. {' '.join(said)}"
    )
    options = PathwayOptions(context.name, concentration or "inhibition not computed")
    svg = draw_pathway(lanes, options, key="mechanism-pathway", title=title, alt=alt)
    caption: tuple[Inline, ...] = (
        "Receptor chains, kinases and STATs: ",
        Cell("table of receptors", "fact", sources),
        ".",
    )
    if state is None:
        caption = (*caption, " Not coloured: the inhibition is not computed for this drug.")
    else:
        caption = (
            *caption,
            " Colours and percentages: ",
            Cell("limiting kinase", "computed", method=f"receptor_{_RULE}"),
            ", the signal is taken to be as inhibited as the most inhibited kinase of the "
            "receptor. Where the source lists one kinase, a pair of it is assumed; where it lists "
            "three, all are used.",
        )
    data = {
        "cytokine": [lane.cytokine for lane in lanes],
        "kinases": ["/".join(k.name for k in lane.kinases) for lane in lanes],
        "inhibition, low %": [_end(lane, "low") for lane in lanes],
        "inhibition, high %": [_end(lane, "high") for lane in lanes],
    }
    return Figure("mechanism-pathway", svg, title, alt, caption, data)


def _end(lane: Pathway, end: str) -> float | None:
    return None if lane.inhibition is None else 100 * float(getattr(lane.inhibition, end))


def _said(lane: Pathway) -> str:
    words = "not computed" if lane.inhibition is None else percent_text(lane.inhibition)
    names = "/".join(k.name for k in lane.kinases)
    return f"{lane.cytokine} by {names} to {', '.join(lane.stats)}: signal inhibited {words}."


def _lane(cytokine: Cytokine, state: KinaseState | None) -> Pathway:
    kinases = kinases_of(cytokine)
    found = {} if state is None else state.kinases
    drawn = tuple(
        Kinase(name, found[name].value if name in found else None) for name in kinases.names[:_MOST]
    )
    chains = tuple(part.strip() for part in cytokine.receptor.split(" or ")[0].split("+"))
    value = None if state is None else state.receptor(kinases, _RULE).value
    return Pathway(cytokine.name, chains[-_MOST:], drawn, cytokine.stats[:_MOST], value)


def selectivity_figure(context: Context, entries: Sequence[Entry]) -> Figure:
    """Return the enzyme potencies on a logarithmic axis, bounds as arrows."""
    title = "Potency against isolated kinases"
    drawn = []
    for entry in entries:
        p = entry.potency.in_nM(context.molar_mass)
        low = p.low if p.relation is Relation.RANGE else p.value
        origin = (
            "your table"
            if entry.is_users
            else f"{len(entry.sources)} "
            + ("source" if len(entry.sources) == 1 else "sources that agree")
        )
        drawn.append(Drawn(p.target, float(low or 0.0), p.relation, p.high, origin))
    alt = (
        f"IC50 of {context.name} against isolated kinases in nM on a logarithmic axis: "
        + "; ".join(f"{e.potency.target} {e.potency.text}" for e in entries)
        + ". An arrow marks a bound."
    )
    options = SelectivityOptions(target_head="Kinase", origin_head="Stated by")
    svg = draw_selectivity(drawn, options, key="mechanism-selectivity", title=title, alt=alt)
    data = {
        "kinase": [d.target for d in drawn],
        "relation": [d.relation.value for d in drawn],
        "IC50 nM": [d.value for d in drawn],
    }
    caption = "Lower is more potent. An arrow marks a value known only as a bound."
    return Figure("mechanism-selectivity", svg, title, alt, (caption,), data)
