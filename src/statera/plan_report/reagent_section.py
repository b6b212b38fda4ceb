"""What to have ready, and the steps with the volumes of this plan."""

from __future__ import annotations

from statera.assay.plan_layout import WellUse
from statera.assay.plan_reagents import ReagentTotal
from statera.plan.build import BenchPlan
from statera.plan_report.cells import amount
from statera.report.document import Block, Cell, Inline, Section, Steps, Table

__all__ = ["procedure_section", "reagent_section"]


def reagent_section(plan: BenchPlan) -> Section:
    """Return totals of everything."""
    rows = tuple(_row(r) for r in plan.assay.reagents)
    reserve = plan.assay.options.pipetting.overage_percent
    table = Table(
        f"What to have ready, with a reserve of {reserve:g} %",
        ("What", "Wells", "Per well", "In all", "Remark"),
        rows,
        numeric=(1, 2, 3),
        foot=("Not stated: give it in the plan's file; nothing is filled in.",),
    )
    return Section("reagents", "Reagents", (table,))


def _row(r: ReagentTotal) -> tuple[Inline, ...]:
    per_unit = {"cells": "", "µg": "ng", "mL": "µL", "µL": "µL"}.get(r.unit, r.unit)
    unknown = Cell("not stated", "missing")
    on_demand = r.kind in ("inhibitor", "solvent", "medium")
    per: Inline = "" if on_demand else unknown
    if r.per_well is not None:
        per = f"{r.per_well:,.6g}".replace(",", "\u202f") + f" {per_unit}".rstrip()
    total: Inline = unknown if r.total is None else amount(r.total, r.unit)
    return (r.name, str(r.wells) if r.wells else "", per, total, r.remark)


def procedure_section(plan: BenchPlan) -> Section:
    """Return the protocol's steps, then those of this plan with its volumes."""
    source = plan.protocol.source
    steps: list[tuple[Inline, ...]] = []
    for step in plan.protocol.steps:
        text: Inline = (
            Cell(step.text, "claim", (source,)) if step.is_stated else f"Recommended: {step.text}"
        )
        steps.append((text, f" {step.note}") if step.note else (text,))
    blocks: list[Block] = [_on_the_plate(plan), Steps("The protocol's steps", tuple(steps))]
    return Section("procedure", "Procedure", tuple(blocks))


def _on_the_plate(plan: BenchPlan) -> Steps:
    options, layout = plan.assay.options, plan.assay.layout
    plate = options.plate
    vehicle = plan.assay.dilutions.vehicle.vessel
    cytokines = " or ".join(options.layout.cytokines)
    steps = [
        f"Label {layout.plates} plates of {plate.format.value} wells as drawn above."
        if layout.plates > 1
        else f"Label a plate of {plate.format.value} wells as drawn above.",
        f"Cells: {plate.cells_ul:g} µL of suspension into every well that holds cells"
        + (
            f"; {plate.well_ul:g} µL of buffer into the edge wells."
            if layout.count(WellUse.UNUSED)
            else "."
        ),
        f"Drug or vehicle: {plate.drug_ul:g} µL from tube W1 to "
        f"W{len(options.doses.values_nM)}, or {vehicle} for every control, by the lists of wells. "
        "With many plates, fill a plate of drug laid out alike and transfer it by a multichannel "
        "pipette. Mix. Time of pre-incubation: ________ min.",
        f"Cytokine: {plate.cytokine_ul:g} µL of working solution ({cytokines}, as drawn) into "
        "doses, stimulated wells, FMO and the single stain of the readout; "
        f"{plate.cytokine_ul:g} µL of medium into all others. Start a clock for each plate. Time "
        "of stimulation: ________ min.",
        "Fix at once, every plate after the same time; then permeabilise.",
        "Stain: the whole panel into doses, unstimulated and stimulated wells; the panel without "
        f"{', '.join(s.marker for s in options.panel if s.readout)} into FMO; one stain alone "
        "into each single stain; nothing into unstained wells.",
        "Acquire every well into a file named as in platemap.csv, or enter the names there.",
    ]
    return Steps("On the plate", tuple((step,) for step in steps))
