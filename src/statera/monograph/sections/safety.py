"""Comparative safety: incidence, published ratios against TNF inhibitors, and crude ratios."""

from __future__ import annotations

from collections.abc import Sequence

from statera.library import class_facts, load_conflicts, load_gaps
from statera.monograph.cells import missing
from statera.monograph.context import Context
from statera.monograph.sections.safety_crude import (
    agreement_table,
    crude_data,
    crude_table,
    pool_table,
)
from statera.monograph.sections.safety_rate_figure import rate_figure
from statera.monograph.sections.safety_rates import (
    class_rates,
    rate_data,
    rate_table,
    rates,
    ratio_table,
)
from statera.monograph.sections.safety_ratios import (
    Comparison,
    comparison_data,
    comparison_table,
    comparisons,
    overlap_table,
    ratio_figure,
)
from statera.monograph.sections.safety_synthesis import METHODS as SYNTHESIS_METHODS
from statera.monograph.sections.safety_synthesis import synthesis_blocks, synthesis_data
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Heading,
    Inline,
    Method,
    Paragraph,
    Section,
    Table,
)

__all__ = ["METHODS", "section"]

METHODS: tuple[Method, ...] = (
    Method(
        "rate_cover",
        "Interval of a printed rate",
        "A rate is printed with few digits, so several numbers of events agree with it. The "
        "interval runs from the exact (Garwood) lower limit of the fewest to the upper limit of "
        "the most, over the stated person-years (Biometrika 1936;28:437-442). It is a little wider "
        "than an interval from the true count would be. A whole number counts as printed with one "
        "decimal where the other rates of its source have decimals.",
    ),
    Method(
        "turned",
        "Ratio turned round",
        "Where a source prints comparator over inhibitor, estimate and limits are replaced by "
        "their inverses, so that all rows read inhibitor over comparator.",
    ),
    Method(
        "crude_ratio",
        "Crude rate ratio",
        "Events over person-years in one group divided by the same in the other. Given the total "
        "number of events, those of the first group are binomial; Clopper-Pearson and mid-P limits "
        "of this share give the limits of the ratio. No adjustment for who received which drug, no "
        "weighting over databases: it is not a hazard ratio, and not the pooled ratio of a study "
        "that combines several databases.",
    ),
    Method(
        "printed_ratio",
        "Ratio of two printed rates",
        "One printed rate over the other. The range given is what the rounding of both leaves; it "
        "is not a confidence interval.",
    ),
    Method(
        "direction",
        "Direction",
        "Whether a crude ratio and the published estimate lie on the same side of 1. Where "
        "rounding alone leaves 1 possible, there is no direction.",
    ),
    Method(
        "ratio_of_ratios",
        "Own estimate over the pool",
        "Ratio of the two on the log scale, with standard errors from the widths of the intervals "
        "(Altman and Bland, BMJ 2003;326:219). Where an interval is not symmetric on the log scale "
        "beyond rounding, no interval is computed.",
    ),
    *SYNTHESIS_METHODS,
)

# Gaps and conflicts of the library that concern safety, by id.
_GAPS = ("pool-forest-plots", "kremer-2021-ratios", "us-label-incidence")
_CONFLICTS = ("scope-of-pool", "mace-crude-adjusted", "upadacitinib-tuberculosis")


def section(context: Context) -> Section:
    """Return the section on comparative safety."""
    own = rates(context)
    found = comparisons(context)
    blocks: list[Block] = [Heading("Incidence")]
    figure = rate_figure(context, own)
    if figure is not None:
        blocks.append(figure)
    if own:
        caption = f"Incidence with {context.name}, events per 100 person-years"
        blocks.append(rate_table(context, own, caption))
    else:
        text = f"No incidence rate of {context.name} is among the sources of this page."
        blocks.append(Callout("missing", "Incidence rates", (text,)))
    beside = class_rates(context, own)
    if beside:
        caption = (
            "Incidence with several or all JAK inhibitors and comparators, per 100 person-years"
        )
        blocks.append(rate_table(context, beside, caption))
    standardised = ratio_table(context)
    if standardised is not None:
        blocks.append(standardised)
    blocks += _ratios(context, found)
    blocks += synthesis_blocks(context, found)
    blocks += _crude(context, found)
    blocks += _differences(context)
    blocks += _missing(context)
    data = {
        "incidence": [rate_data(r) for r in own],
        "incidence_class": [rate_data(r) for r in beside],
        "ratios": [comparison_data(c) for c in found],
        "crude_ratios": crude_data(found),
        "own_synthesis": synthesis_data(),
    }
    return Section("safety", "Comparative safety", tuple(blocks), data)


def _ratios(context: Context, found: Sequence[Comparison]) -> list[Block]:
    blocks: list[Block] = [Heading("Published ratios against TNF inhibitors")]
    if not any(c.scope == "own" for c in found):
        text = (
            f"No ratio of {context.name} itself against another drug is among the sources of this "
            "page. What follows is about the class or other inhibitors of it; whether it holds for "
            f"{context.name} is not known."
        )
        blocks.append(Callout("missing", "The drug's own estimates", (text,)))
    figure = ratio_figure(context, found)
    if figure is not None:
        blocks.append(figure)
    if any(c.scope == "pool" for c in found):
        blocks.append(_scope(context, found))
    if found:
        blocks.append(comparison_table(context, found))
    overlap = overlap_table(found)
    if overlap is not None:
        blocks.append(overlap)
    near = agreement_table(context.name, found)
    if near is not None:
        blocks.append(near)
    return blocks


def _scope(context: Context, found: Sequence[Comparison]) -> Callout:
    pool = next(c.fact for c in found if c.scope == "pool")
    primary = pool.get("primary_source")
    methods = [f for f in class_facts("safety_pool", context.name) if f.get("measure") == "text"]
    parts: list[Inline] = [
        "The pool is of observational studies of all JAK inhibitors against TNF inhibitors; "
        f"randomised trials were excluded by design. It says nothing about {context.name} alone. "
        "Its numbers are ",
        Cell("those of the vendor's overview", "claim", (pool.source,)),
        "; of the ",
        Cell("article itself", "fact", (primary,) if primary else ()),
        " only the start of the abstract was read, so study-level values, heterogeneity and "
        "estimator are not known and the pool cannot be recomputed.",
    ]
    for fact in methods:
        parts += [" Methods as stated: ", Cell(str(fact.value), "fact", (fact.source,))]
        parts.append(f". {fact.note.split(' Details')[0]}")
    return Callout("warning", "What the class-level pool is", tuple(parts))


def _crude(context: Context, found: Sequence[Comparison]) -> list[Block]:
    tables = [t for t in (crude_table(found), pool_table(found)) if t is not None]
    if not tables:
        return []
    return [
        Heading("Crude rate ratios, which are not hazard ratios"),
        Paragraph(
            (
                "A crude ratio divides two incidence rates. It takes no account of who received "
                "which drug, of time on treatment or of competing risks, so it may differ from an "
                "adjusted ratio, even in direction.",
            )
        ),
        *tables,
    ]


def _differences(context: Context) -> list[Block]:
    found = [c for c in load_conflicts(context.name) if c.id in _CONFLICTS]
    if not found:
        return []
    rows = [
        (
            c.topic,
            Cell(c.overview, "claim", ("SMOLECULE_2026",)) if c.overview else "",
            Cell(c.sources_say, "fact", tuple(s for s in c.sources if s != "SMOLECULE_2026")),
            c.rule,
        )
        for c in found
    ]
    return [
        Heading("Where sources differ"),
        Table(
            "Differences that concern safety",
            ("Topic", "Vendor's overview", "Other sources", "What this page does"),
            tuple(rows),
        ),
    ]


def _missing(context: Context) -> list[Block]:
    gaps = {g.id: g for name in (context.name, "class") for g in load_gaps(name)}
    rows = [
        (
            gaps[k].item,
            missing(gaps[k].status),
            "; ".join(x for x in (gaps[k].where, gaps[k].url) if x),
        )
        for k in _GAPS
        if k in gaps
    ]
    if not rows:
        return []
    return [
        Heading("What is missing"),
        Table("Safety results that could not be read", ("Result", "State", "Remark"), tuple(rows)),
    ]
