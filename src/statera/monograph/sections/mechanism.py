"""Mechanism: the pathway, enzyme selectivity, and the inhibition expected by cytokine."""

from __future__ import annotations

from collections.abc import Sequence

from statera.library import Gap, load_gaps
from statera.monograph.cells import computed, missing, source_cell
from statera.monograph.context import Context
from statera.monograph.sections.engagement_methods import METHODS as ENGAGEMENT_METHODS
from statera.monograph.sections.engagement_potencies import Entry, load_potencies
from statera.monograph.sections.mechanism_figures import pathway_figure, selectivity_figure
from statera.monograph.sections.mechanism_kinases import (
    KinaseState,
    basis_rules,
    enzyme_entries,
    kinase_state,
)
from statera.monograph.sections.mechanism_methods import METHODS as OWN_METHODS
from statera.monograph.sections.mechanism_pathway import METHODS as PATHWAY_METHODS
from statera.monograph.sections.mechanism_pathway import (
    PathwayShown,
    pathway_blocks,
    pathway_data,
    run_pathway,
)
from statera.monograph.sections.mechanism_tables import (
    comparison_table,
    cytokine_data,
    cytokine_table,
    enzyme_table,
    ratio_table,
)
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Heading,
    Inline,
    Paragraph,
    Section,
    Table,
)

__all__ = ["METHODS", "section"]

METHODS = (
    *OWN_METHODS,
    *PATHWAY_METHODS,
    *(m for m in ENGAGEMENT_METHODS if m.key.startswith("receptor_")),
)

# Gaps of the library that concern potencies, by id.
_GAPS = (
    "mcinnes-2019-ic50",
    "dowty-2019-ic50",
    "traves-2021-ic50",
    "chimalakonda-2021-ic50",
    "meyer-clark-cellular",
    "pk-inputs-of-comparisons",
)


def section(context: Context) -> Section:
    """Return the section on the mechanism.

    Raises
    ------
    InputError
        If the user's potency table cannot be read.
    """
    entries = enzyme_entries(context, load_potencies(context))
    total = context.concentration_nM
    state = kinase_state(context, entries, total) if entries and total is not None else None
    blocks: list[Block] = [_introduction(context)]
    if state is not None:
        blocks.append(_setting(context, state))
    else:
        blocks.append(_not_computed(context, entries))
    blocks.append(pathway_figure(context, state, _said(context, state)))
    blocks.append(Heading("Selectivity between the kinases"))
    blocks += _selectivity(context, entries, state)
    blocks += [Heading("Cytokines"), cytokine_table(context, state)]
    running = run_pathway(context)
    blocks += pathway_blocks(context, running)
    comparison = comparison_table(context)
    if comparison is not None:
        blocks += [Heading("Comparisons between drugs"), comparison]
    blocks += _gaps(context)
    return Section("mechanism", "Mechanism", tuple(blocks), _data(context, entries, state, running))


def _introduction(context: Context) -> Paragraph:
    identity = context.drug.identity
    sources = (identity.kind_source,) if identity.kind_source else ()
    return Paragraph(
        (
            f"{context.name.capitalize()} is a ",
            Cell(identity.kind, "fact", sources),
            ". A cytokine brings the chains of its receptor together; the Janus kinases (JAK) at "
            "these chains become active and phosphorylate the receptor and then the STAT proteins, "
            "which pair, enter the nucleus and start transcription. The drug inhibits the "
            "kinases, so less phosphorylated STAT reaches the nucleus. Which signals are hit "
            "depends on which kinases a receptor uses and how potently each of them is inhibited.",
        )
    )


def _said(context: Context, state: KinaseState | None) -> str:
    """Return the concentration in the words of the figure."""
    if state is None:
        return ""
    if context.options.concentration_nM is not None:
        return f"at a total of {state.total_nM:.3g} nM as chosen"
    dose = context.highest.dose.label if context.highest else ""
    return f"average at {dose}: {state.total_nM:.3g} nM total"


def _setting(context: Context, state: KinaseState) -> Definition:
    pairs: list[tuple[str, Inline]] = []
    if context.options.concentration_nM is not None:
        pairs.append(("Total concentration", Cell(f"{state.total_nM:g} nM", note="as chosen")))
    else:
        assert context.highest is not None
        assert context.model is not None
        sources = tuple(s for s in (context.drug.identity.molar_mass_source,) if s)
        cell = Cell(
            f"{state.total_nM:.3g} nM",
            "computed",
            sources,
            method="concentration_chosen",
            value=state.total_nM,
            unit="nM",
            note=f"typical average at steady state, {context.highest.dose.label}, "
            f"model {context.model.id}",
        )
        pairs.append(("Total concentration", cell))
    unbound = context.unbound_fraction
    if unbound is None or context.unbound is None:
        pairs.append(("Unbound concentration", missing("no source gives the unbound fraction")))
    else:
        share = computed(state.total_nM * unbound, "concentration_chosen", "nM")
        pairs.append(("Unbound concentration", share))
        bound = source_cell(f"{context.unbound.number:g} % bound", context.unbound.source)
        pairs.append(("Binding to plasma protein", bound))
    stated = ", ".join(state.kinases)
    potencies = (
        Cell(stated, "fact", state.sources) if state.sources else Cell(stated, note="your table")
    )
    pairs.append(("Enzyme potencies of", potencies))
    pairs += [("Rule", f"{rule.name}. {rule.text}") for rule in basis_rules(state)]
    pairs.append(
        (
            "Limits",
            "Enzyme potencies are measured at the assay's own ATP. They rank kinases and signals; "
            "they do not predict the inhibition in a cell.",
        )
    )
    return Definition(tuple(pairs))


def _not_computed(context: Context, entries: Sequence[Entry]) -> Callout:
    lacks = []
    if not entries:
        lacks.append("no potency against a single kinase")
    if context.concentration_nM is None:
        if not context.exposures:
            lacks.append("no population model to take a concentration from")
        elif context.molar_mass is None:
            lacks.append("no molar mass, so that ng/mL cannot be turned into nM")
    text = (
        f"For {context.name} the sources of this page give {', and '.join(lacks)}. The pathway is "
        "drawn without colours, and the table of cytokines gives receptors, kinases and STATs only."
    )
    return Callout("missing", "Inhibition not computed", (text,))


def _selectivity(
    context: Context, entries: tuple[Entry, ...], state: KinaseState | None
) -> list[Block]:
    ratios = ratio_table(context)
    if entries:
        blocks: list[Block] = [
            selectivity_figure(context, entries),
            enzyme_table(context, entries, state),
        ]
        return blocks if ratios is None else [*blocks, ratios]
    text = (
        f"No IC50 of {context.name} against isolated kinases could be read, so its selectivity "
        "is not computed."
    )
    blocks = [Callout("missing", "Enzyme potencies", (text,))]
    return blocks if ratios is None else [ratios, *blocks]


def _gaps(context: Context) -> list[Block]:
    known: dict[str, Gap] = {g.id: g for name in (context.name, "class") for g in load_gaps(name)}
    found = [known[key] for key in _GAPS if key in known]
    if not found:
        return []
    rows = [(g.item, missing(g.status), g.url or "not known", g.where) for g in found]
    return [
        Heading("What is missing"),
        Table(
            "Potencies in cells and blood that could not be read",
            ("Missing", "What was read", "Primary source", "Where in it"),
            tuple(rows),
        ),
    ]


def _data(
    context: Context,
    entries: Sequence[Entry],
    state: KinaseState | None,
    running: PathwayShown | str,
) -> dict[str, object]:
    return {
        "pathway": pathway_data(running),
        "total_concentration_nM": None if state is None else state.total_nM,
        "unbound_fraction": context.unbound_fraction,
        "basis_rules": [] if state is None else [rule.key for rule in basis_rules(state)],
        "enzymes": [
            {
                "kinase": e.potency.target,
                "ic50": e.potency.value,
                "relation": e.potency.relation.value,
                "unit": e.potency.unit,
                "inhibition": None
                if state is None
                else {
                    "low": 100 * state.kinases[e.potency.target.strip().upper()].value.low,
                    "high": 100 * state.kinases[e.potency.target.strip().upper()].value.high,
                    "unit": "%",
                },
                "sources": list(e.sources),
            }
            for e in entries
        ],
        "cytokines": cytokine_data(state),
    }
