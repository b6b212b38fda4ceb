"""Dilutions of drug and cytokines: volumes to pipette and what they reach."""

from __future__ import annotations

from statera.assay.plan_dilution import MEDIUM, STOCK, Mixture
from statera.assay.plan_map import dose_text
from statera.plan.build import BenchPlan
from statera.plan_report.cells import dose, percent, volume
from statera.report.document import Block, Callout, Cell, Heading, Inline, Paragraph, Section, Table

__all__ = ["dilution_section"]


def dilution_section(plan: BenchPlan) -> Section:
    """Return the mixtures in the order of work."""
    d, options = plan.assay.dilutions, plan.assay.options
    solvent = options.solvent
    in_solvent = [m for m in d.mixtures if m.diluent == solvent]
    in_medium = [m for m in d.mixtures if m.diluent == MEDIUM]
    blocks: list[Block] = [Heading(f"Drug: series in {solvent}"), _stock(plan)]
    if in_solvent:
        blocks.append(
            _mixtures(f"Series in pure {solvent}: mix well before each transfer", in_solvent)
        )
    first = next((m for m in in_medium if m.source == STOCK), None)
    if first is not None:
        text = f"The highest dose is taken from the stock itself ({first.name} below)."
        blocks.append(Paragraph((text,)))
    blocks += [Heading("Drug: working solutions in medium"), _mixtures(_working(plan), in_medium)]
    blocks += [_doses(plan), Heading("Cytokines"), *_cytokines(plan)]
    return Section("dilutions", "Dilutions", tuple(blocks))


def _stock(plan: BenchPlan) -> Paragraph:
    options, d = plan.assay.options, plan.assay.dilutions
    parts: list[Inline] = [
        f"Stock: {options.doses.stock_mM:g} mM in {options.solvent}",
    ]
    mass = plan.stock_mg_per_mL
    if mass is not None:
        source = plan.known.molar_mass_source
        text = f", which is {mass:.4g} mg/mL"
        cited = f" (molar mass {plan.known.molar_mass:g} g/mol)"
        parts += [text, Cell(cited, "fact", (source,) if source else ())]
    parts.append(". Drawn in all: ")
    parts += [
        volume(d.stock_ul),
        " of stock and ",
        volume(d.solvent_ul),
        f" of {options.solvent}.",
    ]
    parts.append(" Solubility is not among the library's facts: look for precipitate.")
    return Paragraph(tuple(parts))


def _working(plan: BenchPlan) -> str:
    plate = plan.assay.options.plate
    return (
        f"Working solutions, {plate.well_ul / plate.drug_ul:g} times the dose in the well; add "
        f"{plate.drug_ul:g} µL to each well"
    )


def _mixtures(caption: str, mixtures: list[Mixture]) -> Table:
    many = any(m.copies > 1 for m in mixtures)
    columns = ["Tube", "Take", "of", "Add", "of", "Makes", "Concentration", "Wanted", "Solvent",
               "Left over"]  # fmt: skip
    if many:
        columns.insert(1, "Tubes alike")
    rows = []
    for m in mixtures:
        wanted: Inline = dose(m.wanted_nM) if m.wanted_nM else "vehicle"
        reached: Inline = dose(m.concentration_nM, m.wanted_nM) if m.concentration_nM else "no drug"
        row: list[Inline] = [
            m.name, volume(m.mix.transfer_ul), m.source, volume(m.mix.diluent_ul), m.diluent,
            volume(round(m.mix.total_ul, 3)), reached, wanted, percent(m.solvent_percent),
            volume(round(m.left_ul, 2)),
        ]  # fmt: skip
        if many:
            row.insert(1, str(m.copies))
        rows.append(tuple(row))
    shift = 1 if many else 0
    numeric = tuple(i + shift for i in (1, 3, 5, 6, 7, 8, 9)) + ((1,) if many else ())
    foot = ["Left over: what remains after all transfers and wells."]
    if many:
        foot.append("Tubes alike are pooled.")
    return Table(caption, tuple(columns), tuple(rows), numeric=numeric, foot=tuple(foot))


def _doses(plan: BenchPlan) -> Table:
    d = plan.assay.dilutions
    rows: list[tuple[Inline, ...]] = []
    for one in d.doses:
        error = f"{one.error_percent:+.2f} %".replace("-", "\u2212")
        if abs(one.error_percent) < 0.005:
            error = "0 %"
        rows.append(
            (
                dose_text(one.wanted_nM),
                one.vessel,
                dose(one.reached_nM, one.wanted_nM),
                Cell(error, "computed", method="dilutions", value=one.error_percent, unit="%"),
                percent(one.solvent_percent, digits=4),
            )
        )
    rows.append(
        ("vehicle", d.vehicle.vessel, "no drug", "", percent(d.vehicle.solvent_percent, digits=4))
    )
    return Table(
        "Doses in the well",
        ("Wanted", "From tube", "Reached", "Difference", "Solvent in the well"),
        tuple(rows),
        numeric=(2, 3, 4),
        foot=("The plate map holds the doses reached, so that curves are fitted at these.",),
    )


def _cytokines(plan: BenchPlan) -> list[Block]:
    rows: list[tuple[Inline, ...]] = []
    blocks: list[Block] = []
    plate = plan.assay.options.plate
    for work in plan.assay.cytokines:
        for m in work.mixtures:
            rows.append(
                (
                    m.name,
                    str(m.copies),
                    volume(m.mix.transfer_ul),
                    m.source,
                    volume(m.mix.diluent_ul),
                    volume(round(m.mix.total_ul, 3)),
                    Cell(
                        f"{m.concentration_ng_per_mL:.4g} ng/mL", "computed", method="dilutions",
                        value=m.concentration_ng_per_mL, unit="ng/mL",
                    ),
                )
            )  # fmt: skip
        if work.missing:
            said = ""
            if work.working_ng_per_mL is not None:
                need = work.wells * plate.cytokine_ul * plan.assay.options.pipetting.with_overage
                said = (
                    f" Needed: {need / 1000:.3g} mL of working solution at "
                    f"{work.working_ng_per_mL:g} ng/mL for {work.wells} wells, "
                    f"{plate.cytokine_ul:g} µL each."
                )
            blocks.append(
                Callout(
                    "note",
                    f"{work.cytokine}: not stated: {', '.join(work.missing)}",
                    (f"State it in the plan's file and the dilution is worked out.{said}",),
                )
            )
    if rows:
        table = Table(
            f"Cytokines in medium; add {plate.cytokine_ul:g} µL of working solution to a well",
            ("Tube", "Tubes alike", "Take", "of", "Add medium", "Makes", "Concentration"),
            tuple(rows),
            numeric=(1, 2, 4, 5, 6),
        )
        blocks.insert(0, table)
    return blocks
