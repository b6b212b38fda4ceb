"""Put the bench sheet together: what to state, dilutions, plates, reagents, expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statera.library import find_source, format_citation
from statera.plan.build import BenchPlan
from statera.plan_report.dilution_section import dilution_section
from statera.plan_report.expected_section import expected_section, precision_section
from statera.plan_report.methods import METHODS
from statera.plan_report.overview_section import overview_section
from statera.plan_report.plate_section import plate_section
from statera.plan_report.reagent_section import procedure_section, reagent_section
from statera.report.check import inlines
from statera.report.document import Cell, Document, Method, Reference, Section

__all__ = ["bench_sheet"]

NOTICE = (
    "Research software. Not a medical device. Check the sheet against your own protocol and safety "
    "rules before work begins."
)


def bench_sheet(plan: BenchPlan, manifest: Mapping[str, Any]) -> Document:
    """Return the page of a plan.

    Parameters
    ----------
    plan
    manifest
        How it was made.
    """
    sections = [
        overview_section(plan),
        dilution_section(plan),
        plate_section(plan),
        reagent_section(plan),
        procedure_section(plan),
        expected_section(plan),
    ]
    if plan.assay.precision is not None:
        sections.append(precision_section(plan))
    options = plan.assay.options
    donors = len(options.layout.donors)
    plates = plan.assay.layout.plates
    subtitle = (
        f"{plan.protocol.title}. {plan.known.drug}, {len(options.doses.values_nM)} doses, "
        f"{', '.join(options.layout.cytokines)}; {donors} {'donor' if donors == 1 else 'donors'} "
        f"on {plates} {'plate' if plates == 1 else 'plates'} of {options.plate.format.value} wells"
    )
    return Document(
        title=f"Bench sheet: {options.name}",
        subtitle=subtitle,
        notice=NOTICE,
        sections=tuple(sections),
        methods=_methods(sections),
        references=_references(sections),
        manifest=manifest,
    )


def _cells(sections: Sequence[Section]) -> list[Cell]:
    return [
        part
        for section in sections
        for block in section.blocks
        for part in inlines(block)
        if isinstance(part, Cell)
    ]


def _methods(sections: Sequence[Section]) -> tuple[Method, ...]:
    used = dict.fromkeys(c.method for c in _cells(sections) if c.method)
    return tuple(METHODS[key] for key in used)


def _references(sections: Sequence[Section]) -> tuple[Reference, ...]:
    found = []
    for key in dict.fromkeys(s for c in _cells(sections) for s in c.sources):
        source = find_source(key)
        found.append(
            Reference(key, format_citation(source), source.url, source.grade.value, source.how_read)
        )
    return tuple(found)
