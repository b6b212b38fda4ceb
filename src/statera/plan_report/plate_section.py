"""The plates: a drawing of each, and which wells get which tube."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from statera.assay.plan_layout import PlannedWell, WellUse
from statera.assay.plan_map import dose_text
from statera.assay.plan_options import PlateFormat
from statera.plan.build import BenchPlan
from statera.plot import plate_map as drawing
from statera.plot.plate_map import WellMark, draw_plate_map
from statera.report.document import Block, Figure, Inline, Section, Table

__all__ = ["plate_section"]

_KINDS = {
    WellUse.UNSTIMULATED: drawing.UNSTIMULATED,
    WellUse.STIMULATED: drawing.STIMULATED,
    WellUse.DOSE: drawing.DOSE,
    WellUse.FMO: drawing.FMO,
    WellUse.SINGLE_STAIN: drawing.SINGLE_STAIN,
    WellUse.UNSTAINED: drawing.UNSTAINED,
    WellUse.UNUSED: drawing.BUFFER,
}
_WORDS = {
    WellUse.UNSTIMULATED: "unstimulated",
    WellUse.STIMULATED: "stimulated",
    WellUse.DOSE: "with drug",
    WellUse.FMO: "FMO",
    WellUse.SINGLE_STAIN: "single stains",
    WellUse.UNSTAINED: "unstained",
    WellUse.UNUSED: "with buffer",
}
_LABELS = {
    WellUse.UNSTIMULATED: "U",
    WellUse.STIMULATED: "S",
    WellUse.FMO: "FMO",
    WellUse.UNSTAINED: "none",
    WellUse.UNUSED: "",
}


def plate_section(plan: BenchPlan) -> Section:
    """Return a drawing and a list of wells for each plate."""
    blocks: list[Block] = []
    for number in range(1, plan.assay.layout.plates + 1):
        wells = [w for w in plan.assay.layout.wells if w.plate == number]
        blocks += [_figure(plan, number, wells), _by_tube(plan, number, wells)]
    return Section("plates", "Plates", tuple(blocks))


def _figure(plan: BenchPlan, number: int, wells: Sequence[PlannedWell]) -> Figure:
    kinds = list(_KINDS.values())
    uses = list(_KINDS)
    samples = [w for w in wells if w.use is not WellUse.UNUSED]
    names = list(dict.fromkeys(_group_name(w) for w in samples))
    marks = [
        WellMark(
            w.row,
            w.column,
            uses.index(w.use),
            _label(plan, w),
            names.index(_group_name(w)) if w in samples else None,
            _level(plan, w),
        )
        for w in wells
    ]
    counts = ", ".join(
        f"{sum(w.use is use for w in wells)} {_WORDS[use]}"
        for use in uses
        if any(w.use is use for w in wells)
    )
    alt = f"Plate {number} seen from above: {counts}. The table below lists the wells."
    tubes = " Doses are named by their tubes." if _is_small(plan) else ""
    key = f"plate-{number}"
    svg = draw_plate_map(
        marks, kinds, names, shape_of=plan.assay.options.plate.format.shape, key=key,
        title=f"Plate {number}", alt=alt,
    )  # fmt: skip
    data = {
        "well": [w.well for w in samples],
        "condition": [w.use.value for w in samples],
        "donor": [w.donor for w in samples],
        "cytokine": [w.cytokine for w in samples],
        "dose_nM": [
            None if w.dose is None else plan.assay.dilutions.doses[w.dose].reached_nM
            for w in samples
        ],
    }
    return Figure(key, svg, f"Plate {number}", alt, (f"Wells: {counts}.{tubes}",), data)


def _group_name(well: PlannedWell) -> str:
    return f"{well.donor}, {well.cytokine}" if well.cytokine else f"{well.donor}, no cytokine"


def _label(plan: BenchPlan, well: PlannedWell) -> str:
    """Return a dose, in small wells its tube, or what a control is called."""
    if well.dose is not None:
        one = plan.assay.dilutions.doses[well.dose]
        return one.vessel if _is_small(plan) else dose_text(one.wanted_nM)
    if well.use is WellUse.SINGLE_STAIN:
        panel = plan.assay.options.panel
        return next((s.marker for s in panel if s.stain == well.stain), well.stain)
    return _LABELS[well.use]


def _is_small(plan: BenchPlan) -> bool:
    return plan.assay.options.plate.format is PlateFormat.WELLS_384


def _level(plan: BenchPlan, well: PlannedWell) -> float | None:
    if well.dose is None:
        return None
    values = plan.assay.options.doses.values_nM
    span = math.log(values[0] / values[-1])
    return math.log(values[well.dose] / values[-1]) / span


def _by_tube(plan: BenchPlan, number: int, wells: Sequence[PlannedWell]) -> Table:
    """Return which wells get which tube of drug, row by row of the plate."""
    d = plan.assay.dilutions
    found: dict[str, list[str]] = defaultdict(list)
    for well in wells:
        if well.use is WellUse.UNUSED:
            continue
        vessel = d.vehicle.vessel if well.dose is None else d.doses[well.dose].vessel
        found[vessel].append(well.well)
    rows: list[tuple[Inline, ...]] = []
    for one in (*d.doses, d.vehicle):
        mine = found.get(one.vessel, [])
        label = dose_text(one.wanted_nM) if one.wanted_nM else "vehicle"
        rows.append((one.vessel, label, str(len(mine)), _by_row(mine)))
    volume = plan.assay.options.plate.drug_ul
    return Table(
        f"Plate {number}: wells of each tube, {volume:g} µL into each",
        ("Tube", "Dose", "Wells", "Which"),
        tuple(rows),
        numeric=(2,),
    )


def _by_row(wells: Sequence[str]) -> str:
    """Return wells as ``B 2, 5; C 7``."""
    rows: dict[str, list[str]] = defaultdict(list)
    for well in wells:
        rows[well[0]].append(str(int(well[1:])))
    return ";  ".join(f"{row} {', '.join(columns)}" for row, columns in rows.items())
