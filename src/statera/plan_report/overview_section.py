"""What is planned, what it rests on, and what has to be stated before work begins."""

from __future__ import annotations

from statera.assay.plan_layout import WellUse
from statera.plan.build import BenchPlan
from statera.plan.files import origins
from statera.report.document import Block, Callout, Cell, Inline, Section, Table

__all__ = ["overview_section"]

_BLANK = "________________"
_PLACED = {
    "Unstimulated, vehicle": WellUse.UNSTIMULATED,
    "Stimulated, vehicle": WellUse.STIMULATED,
    "Phospho-STAT3 fluorescence minus one": WellUse.FMO,
    "Single stains": WellUse.SINGLE_STAIN,
}
"""Controls of the protocol that the plan gives wells."""


def overview_section(plan: BenchPlan) -> Section:
    """Return the plan at a glance."""
    blocks: list[Block] = [
        Callout("warning", "Before you begin", (text,)) for text in plan.warnings
    ]
    blocks.append(_basis(plan))
    blocks.append(_to_state(plan))
    blocks.append(_controls(plan))
    return Section("plan", "Plan", tuple(blocks))


def _basis(plan: BenchPlan) -> Table:
    source = plan.protocol.source
    said: dict[str, Inline] = {
        "given": "given by you",
        "stated": Cell("stated by the protocol's source", "claim", (source,)),
        "assumed": Cell("assumed here", tone="warn"),
    }
    rows = [(label, value, said[origin]) for label, value, origin in origins(plan.assay.options)]
    return Table(
        "What the plan rests on",
        ("What", "Value", "Origin"),
        tuple(rows),
        foot=("Assumed values are this program's defaults: change them in the plan's file.",),
    )


def _to_state(plan: BenchPlan) -> Table:
    """Return what nobody has stated, with a line to write on."""
    rows: list[tuple[Inline, ...]] = [
        (Cell(what, "missing"), "needed for this sheet", _BLANK) for what in plan.assay.missing
    ]
    # what the plan itself decides is no gap any more
    decided = ("working concentrations", "number of donors", "controls", "workflow figure")
    rows += [
        (Cell(gap.what, "missing", (plan.protocol.source,)), gap.why, _BLANK)
        for gap in plan.protocol.gaps
        if not gap.what.lower().startswith(decided)
    ]
    return Table(
        "Not stated: decide it and write it down before work begins",
        ("What", "Why it matters", "Value"),
        tuple(rows),
        foot=("Nothing was filled in for what the protocol does not state.",),
    )


def _controls(plan: BenchPlan) -> Table:
    layout = plan.assay.layout
    rows: list[tuple[Inline, ...]] = []
    for control in plan.protocol.controls:
        use = _PLACED.get(control.name)
        count = 0 if use is None else layout.count(use)
        where: Inline = _wells(count) if count else Cell("no well", tone="warn")
        rows.append((control.name, control.purpose, where))
    rows.append(
        ("Unstained", "autofluorescence", _wells(layout.count(WellUse.UNSTAINED))),
    )
    return Table(
        "Controls of the protocol on these plates",
        ("Control", "What it is for", "On the plates"),
        tuple(rows),
        foot=(
            "Wells with drug and without cytokine are not planned: add them by hand where wells "
            "are free, and leave them out of the plate map.",
        ),
    )


def _wells(count: int) -> str:
    return "1 well" if count == 1 else f"{count} wells"
