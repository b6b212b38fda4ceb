"""Therapeutic drug monitoring: reference values, assays, five questions and what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from statera.monograph.cells import fact_cell, significant, written_unit
from statera.monograph.context import Context
from statera.monograph.sections.monitoring_questions import answers, question_table
from statera.monograph.sections.monitoring_values import (
    VALUES_METHOD,
    Reference,
    assay_range,
    by_time_table,
    reference_data,
    reference_table,
    references,
)
from statera.monograph.sections.open_gaps import gap_data, gap_table, gaps_of
from statera.report.document import Block, Callout, Cell, Heading, Inline, Method, Section, Table
from statera.report.json import plain
from statera.sources import Fact

__all__ = ["METHODS", "section"]

METHODS: tuple[Method, ...] = (
    VALUES_METHOD,
    Method(
        "dose-proportion",
        "Exposure in proportion to the dose",
        "AUC over the dosing interval at steady state of the typical subject, divided by the "
        "amount, at the highest dose over the same at the lowest dose with the same interval. A "
        "linear model gives 1 by construction.",
    ),
    Method(
        "whole-blood",
        "Concentration in whole blood",
        "The simulated concentration in plasma times the published blood-to-plasma ratio.",
    ),
)

_TITLE = "Therapeutic drug monitoring and open questions"


def section(context: Context) -> Section:
    """Return what is known for monitoring, what is only simulated, and what is open."""
    facts = context.drug.facts_in("monitoring")
    found = references(context)
    asked = answers(context, found)
    gaps = gaps_of(context.name)
    blocks: list[Block] = [_no_range(context, found), question_table(asked)]
    blocks += _simulated(context, found)
    blocks += _assays(context, found)
    blocks += _facts(context, facts)
    blocks.append(Heading("Open questions"))
    if gaps:
        blocks.append(gap_table(gaps, "What could not be read, for the drug and for the class"))
    data: dict[str, Any] = {
        "validated_range": None,
        "questions": [
            {
                "question": a.question,
                "answer": a.verdict,
                "rests_on": [plain(c) for c in a.findings],
            }
            for a in asked
        ],
        "simulated_reference_values": reference_data(found),
        "assay": _assay_data(context),
        "facts": [plain(f) for f in facts],
        "gaps": gap_data(gaps),
    }
    return Section("monitoring", _TITLE, tuple(blocks), data)


def _no_range(context: Context, found: Sequence[Reference]) -> Callout:
    ranges = [
        f for f in context.drug.facts_in("monitoring") if f.get("quantity") == "reference_range"
    ]
    sources = tuple(dict.fromkeys(f.source for f in ranges))
    text = f"No validated therapeutic range was found for {context.name}."
    return Callout(
        "warning",
        "No therapeutic range",
        (
            Cell(text, "missing", sources),
            " The concentrations below are simulated, not observed; they show what the published "
            "model expects and are no target. No dose should be chosen to reach them."
            if found
            else "",
        ),
    )


def _simulated(context: Context, found: Sequence[Reference]) -> list[Block]:
    blocks: list[Block] = [Heading("Expected concentrations")]
    if not found:
        why = (
            f"The library holds no population model of {context.name}, so no concentration was "
            "simulated."
            if context.model is None
            else f"No label dose lies inside the dose range of {context.model.id}, so no "
            "concentration was simulated."
        )
        return [*blocks, Callout("missing", "Expected concentrations", (why,))]
    blocks.append(reference_table(context, found))
    assert context.model is not None
    warnings = dict.fromkeys(w for r in found for w in r.exposure.population.warnings)
    parts: list[Inline] = [
        Cell(
            f"The model describes: {context.model.population}.",
            "fact",
            (context.model.source,) if context.model.source else (),
        ),
        " Other patients may differ. ",
        *(f"{w[:1].upper()}{w[1:]}. " for w in warnings),
    ]
    blocks.append(Callout("note", "Whose concentrations these are", tuple(parts)))
    table = by_time_table(context)
    if table is not None:
        blocks.append(table)
    return blocks


def _assays(context: Context, found: Sequence[Reference]) -> list[Block]:
    blocks: list[Block] = [Heading("Assay and matrix")]
    methods = [
        f
        for f in context.drug.facts_in("monitoring")
        if f.get("quantity") in ("assay", "assay_range")
    ]
    ratios = _blood_ratios(context)
    if not methods and not ratios:
        text = (
            f"The library holds no assay of {context.name}: no quantification range, no matrix, no "
            "blood-to-plasma ratio. So no share below a limit of quantification can be given."
        )
        return [*blocks, Callout("missing", "Assay and matrix", (text,))]
    rows: list[tuple[Inline, ...]] = [_fact_row(f) for f in (*methods, *ratios)]
    blocks.append(Table("Assays and matrices", _FACT_COLUMNS, tuple(rows)))
    if found and ratios:
        blocks.append(_whole_blood(found, ratios))
    return blocks


def _blood_ratios(context: Context) -> list[Fact]:
    return [
        f
        for f in context.drug.facts_in("pharmacokinetics")
        if f.get("quantity") == "blood_plasma" and f.number is not None
    ]


def _whole_blood(found: Sequence[Reference], ratios: Sequence[Fact]) -> Table:
    top = [r for r in found if r.output == found[0].output][-1]
    rows = []
    for fact in ratios:
        assert fact.number is not None
        cells = []
        for endpoint in ("Ctrough", "Cmax"):
            low, middle, high = (v * fact.number for v in top.percentiles[endpoint])
            text = f"{significant(middle)} ({significant(low)} to {significant(high)})"
            cells.append(Cell(text, "computed", (fact.source,), "whole-blood", value=middle))
        rows.append((Cell(fact.population), fact_cell(fact, unit=False), *cells))
    unit = written_unit(top.units["Ctrough"])
    return Table(
        f"The same concentrations in whole blood, {top.exposure.dose.label} (simulated)",
        ("Ratio measured in", "Blood to plasma", f"Trough ({unit})", f"Peak ({unit})"),
        tuple(rows),
        numeric=(1, 2, 3),
        foot=("A limit in plasma must not be applied to whole blood, nor the reverse.",),
    )


_FACT_COLUMNS = ("What", "Value", "Who or where", "Remark", "Grade")


def _fact_row(fact: Fact) -> tuple[Inline, ...]:
    numbers = any(ch.isdigit() for ch in fact.note)
    who = f"{fact.population}, n = {fact.n}" if fact.n else fact.population or "not stated"
    return (
        fact.parameter,
        replace(fact_cell(fact), note=""),
        Cell(who, sources=(fact.source,) if any(ch.isdigit() for ch in who) else ()),
        Cell(fact.note, sources=(fact.source,) if numbers else ()),
        fact.grade.value,
    )


def _facts(context: Context, facts: Sequence[Fact]) -> list[Block]:
    blocks: list[Block] = [Heading("What was published")]
    rest = [f for f in facts if f.get("quantity") not in ("assay", "assay_range")]
    if not rest:
        text = f"The library holds no fact on monitoring of {context.name}."
        return [*blocks, Callout("missing", "Facts on monitoring", (text,))]
    rows = tuple(_fact_row(f) for f in rest)
    return [*blocks, Table("Facts on monitoring", _FACT_COLUMNS, rows)]


def _assay_data(context: Context) -> dict[str, Any]:
    limits = assay_range(context)
    return {
        "lloq": limits.low if limits else None,
        "uloq": limits.high if limits else None,
        "unit": limits.unit if limits else None,
        "sources": [limits.fact.source] if limits else [],
        "blood_to_plasma": [
            {"ratio": f.number, "population": f.population, "sources": [f.source]}
            for f in _blood_ratios(context)
        ],
    }
