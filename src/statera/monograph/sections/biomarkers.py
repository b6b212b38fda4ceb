"""Biomarkers of response: what was read, what is only claimed, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from statera.monograph.cells import fact_cell
from statera.monograph.context import Context
from statera.monograph.sections.conflicts import VENDOR
from statera.monograph.sections.open_gaps import gap_data, gap_table, gaps_about, gaps_of
from statera.report.document import Block, Callout, Cell, Heading, Method, Section, Table
from statera.report.json import plain
from statera.sources import Fact

__all__ = ["METHODS", "section"]

METHODS: tuple[Method, ...] = ()

_NEEDED = (
    "To use a marker of response one needs, for the drug and the disease: the marker measured "
    "before treatment and at fixed times, with the platform, its limits and the number of people; "
    "the size of the change with its interval, on drug and on control; its relation to the "
    "clinical outcome with effect size and interval, corrected for the number of markers tried; "
    "and the same relation in people who were not used to find it. A correlation between change "
    "and improvement in treated people alone cannot tell a marker of this drug's effect from one "
    "of improvement by any cause."
)


def section(context: Context) -> Section:
    """Return the markers with values, those without, the vendor's claims and what is needed."""
    facts = context.drug.facts_in("biomarkers")
    known = [f for f in facts if not f.is_missing]
    unread = [f for f in facts if f.is_missing and f.source != VENDOR]
    claims = [f for f in facts if f.source == VENDOR]
    gaps = gaps_about(gaps_of(context.name), "biomarker")
    blocks: list[Block] = []
    if known:
        blocks.append(_known(known))
    else:
        text = (
            f"The library holds no measured biomarker of response to {context.name}. Nothing is "
            "inferred from other drugs of the class."
        )
        blocks.append(Callout("missing", "Biomarkers of response", (text,)))
    blocks += [_claim(f) for f in claims]
    if unread or gaps:
        blocks.append(Heading("What could not be read"))
    if unread:
        blocks.append(_unread(unread))
    if gaps:
        blocks.append(gap_table(gaps, "Sources on biomarkers that could not be read"))
    blocks += [Heading("What would be needed"), *_needed(context, bool(facts))]
    data: dict[str, Any] = {
        "known": [plain(f) for f in known],
        "claims": [plain(f) for f in claims],
        "not_retrieved": [plain(f) for f in unread],
        "gaps": gap_data(gaps),
    }
    return Section("biomarkers", "Biomarkers of response", tuple(blocks), data)


def _known(facts: Sequence[Fact]) -> Table:
    rows = tuple(
        (
            Cell(f.parameter, sources=_if_numbers(f, f.parameter), note=f.get("marker")),
            replace(fact_cell(f), note=f.statistic),
            _people(f),
            Cell(f.note, sources=_if_numbers(f, f.note)),
        )
        for f in facts
    )
    return Table(
        "Markers that were read, as the sources state them",
        ("Statement and marker", "Value", "Who was studied", "Remark"),
        rows,
        foot=(
            "These describe changes on treatment. None of them was shown, in what was read, to "
            "predict who will respond.",
        ),
    )


def _people(fact: Fact) -> Cell:
    parts = [fact.population or "not stated"]
    if fact.n:
        parts.append(f"n = {fact.n}")
    text = ", ".join(parts)
    study = fact.get("study")
    note = f"{study}; grade {fact.grade.value}" if study else f"grade {fact.grade.value}"
    return Cell(text, sources=_if_numbers(fact, text + study), note=note)


def _if_numbers(fact: Fact, text: str) -> tuple[str, ...]:
    """Return the source of a fact where the text holds a number."""
    return (fact.source,) if any(ch.isdigit() for ch in text) else ()


def _claim(fact: Fact) -> Callout:
    return Callout(
        "warning",
        f"Claim of the vendor's overview: {fact.get('study') or fact.parameter}",
        (
            f"{fact.population}: " if fact.population else "",
            Cell(
                f"{fact.get('marker') or fact.parameter}: "
                f"{fact.statistic or 'no statistic named'}.",
                "claim",
                (fact.source,),
            ),
            " ",
            Cell("Value not retrieved.", "missing", (fact.source,)),
            f" {fact.note} Nothing is computed from this claim.",
        ),
    )


def _unread(facts: Sequence[Fact]) -> Table:
    rows = tuple(
        (
            f.parameter,
            f.get("marker") or "not named",
            replace(fact_cell(f), note=f.note),
            f.population or "not stated",
        )
        for f in facts
    )
    return Table("Markers named without values", ("Statement", "Markers", "Value", "Who"), rows)


def _needed(context: Context, any_fact: bool) -> list[Block]:
    blocks: list[Block] = [Callout("note", "A remark of this program", (_NEEDED,))]
    has_engagement = bool(
        context.drug.facts_in("potency") or context.drug.facts_in("inhibition_qualitative")
    )
    if has_engagement and any_fact:
        text = (
            "Inhibition of STAT phosphorylation shows that the drug reaches its target; it is a "
            "marker of exposure, not of clinical response, and is treated under target engagement."
        )
        blocks.append(Callout("note", "Target engagement is another question", (text,)))
    return blocks
