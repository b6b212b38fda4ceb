"""Efficacy: trial results against control, and exposure-response relations."""

from __future__ import annotations

from collections.abc import Sequence

from statera.monograph.context import Context
from statera.monograph.sections.efficacy_contrasts import (
    HARMS,
    INDICATIONS,
    Contrast,
    contrasts,
)
from statera.monograph.sections.efficacy_exposure import exposure_blocks, exposure_data
from statera.monograph.sections.efficacy_figures import forest_figures
from statera.monograph.sections.efficacy_methods import METHODS as OWN_METHODS
from statera.monograph.sections.efficacy_tables import (
    conflict_table,
    contrast_data,
    derived_table,
    missing_table,
    other_table,
    ratio_table,
    result_table,
)
from statera.monograph.sections.engagement_methods import METHODS as ENGAGEMENT_METHODS
from statera.monograph.sections.mechanism_methods import METHODS as MECHANISM_METHODS
from statera.report.document import Block, Callout, Heading, Paragraph, Section

__all__ = ["METHODS", "section"]

METHODS = (
    *OWN_METHODS,
    *(m for m in ENGAGEMENT_METHODS if m.key == "engagement_added"),
    *(m for m in MECHANISM_METHODS if m.key == "concentration_chosen"),
)


def section(context: Context) -> Section:
    """Return the section on efficacy."""
    facts = context.drug.facts_in("efficacy")
    found = contrasts(facts)
    blocks: list[Block] = []
    if found:
        blocks += _results(context, found)
    else:
        text = (
            f"No trial result of {context.name} is among the sources of this page. This says "
            "nothing about whether the drug works."
        )
        blocks.append(Callout("missing", "Trial results", (text,)))
    if facts:
        blocks += _beside(context, found)
    blocks += exposure_blocks(context)
    lacking = missing_table(context, facts)
    if lacking is not None:
        blocks += [Heading("What is missing"), lacking]
    data = {
        "contrasts": [contrast_data(c) for c in found],
        "ratios": [
            {
                "trial": f.get("trial"),
                "endpoint": f.get("endpoint"),
                "measure": f.get("ratio_kind"),
                "value": f.number,
                "low": f.low,
                "high": f.high,
                "sources": [f.source],
            }
            for f in facts
            if f.get("measure") == "ratio" and not f.is_missing
        ],
        "exposure_response": exposure_data(context),
    }
    return Section("efficacy", "Efficacy", tuple(blocks), data)


def _results(context: Context, found: Sequence[Contrast]) -> list[Block]:
    blocks: list[Block] = [
        Paragraph(
            (
                "Results of trials by indication. Each active arm is set against its control; "
                "differences are in percentage points, so that 30 means 30 more responders of 100. "
                "Where the sizes of the arms could not be read, the difference stands without an "
                "interval. Trials differ in patients, background therapy and handling of missing "
                "data: differences of two trials are not comparisons of doses or drugs.",
            )
        ),
        *forest_figures(context.name, found),
    ]
    by_indication: dict[str, list[Contrast]] = {}
    for contrast in found:
        if contrast.endpoint not in HARMS:
            by_indication.setdefault(contrast.treated.get("indication"), []).append(contrast)
    for indication, own in by_indication.items():
        name = INDICATIONS.get(indication, indication)
        blocks += [Heading(name), result_table(f"{name}: results by arm", own)]
        derived = derived_table(own)
        if derived is not None:
            blocks.append(derived)
    harms = [c for c in found if c.endpoint in HARMS]
    if harms:
        blocks += [
            Heading("Adverse events in these trials"),
            result_table(
                "Patients with an adverse event (TEAE: emerging on treatment; SAE: serious)", harms
            ),
        ]
    return blocks


def _beside(context: Context, found: Sequence[Contrast]) -> list[Block]:
    facts = context.drug.facts_in("efficacy")
    blocks: list[Block] = []
    tables = (ratio_table(context, facts), other_table(facts))
    shown = [t for t in tables if t is not None]
    if shown:
        blocks += [Heading("Ratios and other outcomes"), *shown]
    conflicts = conflict_table(context)
    if conflicts is not None:
        blocks += [Heading("Where sources differ"), conflicts]
    return blocks
