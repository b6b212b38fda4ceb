"""The files of a plan: plate map, dilutions, plan as data, and a start for the analysis."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from statera.assay.plan_dilution import Mixture
from statera.assay.plan_map import dose_text, plate_map_csv
from statera.assay.plan_options import PlanOptions
from statera.plan.build import BenchPlan

__all__ = ["SCHEMA", "dilutions_csv", "plan_data", "plate_map", "settings_toml"]

SCHEMA = "statera.assay_plan.result/1"
FILL = "FILL IN"

_MIXTURE = (
    "step", "vessel", "copies", "from", "transfer_ul", "diluent", "diluent_ul", "total_ul",
    "concentration_nM", "wanted_nM", "unit", "solvent_percent", "drawn_ul", "left_ul",
)  # fmt: skip


def plate_map(plan: BenchPlan) -> str:
    """Return the plate map as CSV."""
    return plate_map_csv(plan.assay.layout.wells, plan.assay.dilutions)


def dilutions_csv(plan: BenchPlan) -> str:
    """Return every mixture as CSV, in the order of work; cytokines after the drug."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_MIXTURE)
    rows = [_mixture(m) for m in plan.assay.dilutions.mixtures]
    for work in plan.assay.cytokines:
        rows += [
            (
                m.name, m.copies, m.source, m.mix.transfer_ul, "medium", m.mix.diluent_ul,
                m.mix.total_ul, f"{m.concentration_ng_per_mL:.6g}", "", "ng/mL", "", "", "",
            )
            for m in work.mixtures
        ]  # fmt: skip
    for step, row in enumerate(rows, 1):
        writer.writerow((step, *row))
    return text.getvalue()


def _mixture(m: Mixture) -> tuple[object, ...]:
    return (
        m.name, m.copies, m.source, m.mix.transfer_ul, m.diluent, m.mix.diluent_ul,
        round(m.mix.total_ul, 6), f"{m.concentration_nM:.6g}", f"{m.wanted_nM:.6g}", "nM",
        f"{m.solvent_percent:.6g}", round(m.drawn_ul, 6), round(m.left_ul, 6),
    )  # fmt: skip


def plan_data(plan: BenchPlan) -> dict[str, Any]:
    """Return the plan as plain data."""
    assay, options = plan.assay, plan.assay.options
    d = assay.dilutions
    return {
        "schema": SCHEMA,
        "name": options.name,
        "drug": plan.known.drug,
        "protocol": {"name": plan.protocol.name, "source": plan.protocol.source},
        "options": options,
        "stock_mg_per_mL": plan.stock_mg_per_mL,
        "plates": assay.layout.plates,
        "wells": [
            {
                "plate": w.plate, "well": w.well, "condition": w.use.value, "donor": w.donor,
                "cytokine": w.cytokine, "stain": w.stain, "replicate": w.replicate,
                "dose_nM": None if w.dose is None else d.doses[w.dose].reached_nM,
            }
            for w in assay.layout.wells
        ],
        "doses": d.doses,
        "vehicle": d.vehicle,
        "mixtures": [
            {
                "vessel": m.name, "from": m.source, "diluent": m.diluent, "copies": m.copies,
                "transfer_ul": m.mix.transfer_ul, "diluent_ul": m.mix.diluent_ul,
                "concentration_nM": m.concentration_nM, "wanted_nM": m.wanted_nM,
                "solvent_percent": m.solvent_percent, "drawn_ul": m.drawn_ul,
            }
            for m in d.mixtures
        ],
        "cytokines": assay.cytokines,
        "reagents": assay.reagents,
        "expected": [
            {
                "cytokine": e.cytokine, "potency": e.potency, "measured": e.name,
                "source": e.source, "remark": e.remark, "words": e.words,
                "inhibition": [[i.low, i.high] for i in e.inhibition],
            }
            for e in plan.expected
        ],
        "precision": assay.precision,
        "missing": assay.missing,
        "warnings": plan.warnings,
    }  # fmt: skip


def settings_toml(plan: BenchPlan) -> str:
    """Return the start of the settings of the analysis; what only the user knows is marked."""
    options = plan.assay.options
    markers = [s for s in options.panel if not (s.readout or s.viability)]
    dead = [s.channel or FILL for s in options.panel if s.viability]
    readouts = [s for s in options.panel if s.readout]
    layout = options.layout
    stains = bool(options.panel) and layout.single_stains > 0 and layout.unstained > 0
    lines = [
        f"# Settings of the analysis of plate '{options.name}', begun by its plan.",
        f"# Everything marked {FILL} has to be stated before the plate is analysed.",
        'schema = "statera.plate/1"',
        f"name = {_quoted(options.name)}",
        f"drug = {_quoted(plan.known.drug)}",
        'plate_map = "platemap.csv"',
        f'files = "fcs"  # {FILL}: folder of the FCS files, named as in the plate map',
        'matrix = "cell"  # what the drug was dissolved in: cell, whole_blood, ...',
        "",
        f"# Channels as the FCS files call them. {FILL}: those of your instrument.",
        "[panel]",
        f'fsc_area = "FSC-A"  # {FILL}',
        f'fsc_height = "FSC-H"  # {FILL}',
        f'ssc_area = "SSC-A"  # {FILL}',
        *(f"live_dead = {_quoted(channel)}  # {FILL}" for channel in dead[:1]),
        f'time = "Time"  # {FILL}',
        "",
        "[panel.markers]",
        *(_channel(s.marker, s.channel) for s in markers),
        "",
        "[panel.readouts]",
        *(_channel(s.marker, s.channel) for s in readouts),
        "",
        f"# Populations in which the readout is measured. {FILL}: check their definition.",
        "[populations]",
        *(f"{_key(s.marker)} = {_quoted(f'{s.marker}+')}" for s in markers),
        "",
        "[compensation]",
        f'from = "{"single_stains" if stains else "file"}"',
        "",
    ]
    return "\n".join(lines)


def _channel(marker: str, channel: str) -> str:
    if channel:
        return f"{_key(marker)} = {_quoted(channel)}"
    return f"{_key(marker)} = {_quoted(FILL)}  # {FILL}: its channel, also in column stain"


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    # a basic string of TOML is written as one of JSON
    return json.dumps(text, ensure_ascii=False)


def origins(options: PlanOptions) -> list[tuple[str, str, str]]:
    """Return key, value and origin of what the plan rests on."""
    doses, plate, layout, p = options.doses, options.plate, options.layout, options.pipetting
    listed = ", ".join(dose_text(v) for v in doses.values_nM)
    rows: list[tuple[str, str, tuple[str, ...]]] = [
        ("Doses in the well", listed, ("doses.list_nM", "doses.top_nM", "doses.step", "doses.n")),
        ("Stock", f"{doses.stock_mM:g} mM in {options.solvent}", ("doses.stock_mM",)),
        (f"{options.solvent} in every well", f"{doses.dmso_percent:g} %", ("doses.dmso_percent",)),
        (
            "Volume in a well",
            f"{plate.cells_ul:g} µL cells + {plate.drug_ul:g} µL drug or vehicle + "
            f"{plate.cytokine_ul:g} µL cytokine or medium = {plate.well_ul:g} µL",
            ("plate.cells_ul", "plate.drug_ul", "plate.cytokine_ul"),
        ),
        ("Plate", f"{plate.format.value} wells, edges: {plate.edges.value}",
         ("plate.wells", "plate.edges")),
        ("Donors", ", ".join(layout.donors), ("layout.donors",)),
        ("Cytokines", ", ".join(layout.cytokines), ("layout.cytokines",)),
        ("Replicates of a dose", str(layout.replicates), ("layout.replicates",)),
        (
            "Controls per donor and cytokine",
            f"{layout.unstimulated} unstimulated, {layout.stimulated} stimulated, "
            f"{layout.fmo} FMO",
            ("layout.unstimulated", "layout.stimulated", "layout.fmo"),
        ),
        (
            "Order of doses",
            f"random within blocks, seed {layout.seed}" if layout.randomise else "as in the series",
            ("layout.randomise", "layout.seed"),
        ),
        ("Reserve", f"{p.overage_percent:g} %", ("pipetting.overage_percent",)),
        (
            "Pipettes",
            "; ".join(
                f"{t.low_ul:g} to {t.high_ul:g} µL by {t.step_ul:g} µL" for t in p.pipettes
            ),
            ("pipetting.pipettes",),
        ),
        ("Largest dilution in one step", f"1:{p.max_fold:g}", ("pipetting.max_fold",)),
    ]  # fmt: skip
    for name in layout.cytokines:
        final = options.cytokine(name).final_ng_per_mL
        if final is not None:
            key = f"cytokine.{name}.final_ng_per_mL"
            rows.append((f"{name} in the well", f"{final:g} ng/mL", (key,)))
    return [(label, value, _origin(options, keys)) for label, value, keys in rows]


def _origin(options: PlanOptions, keys: tuple[str, ...]) -> str:
    found = {options.origin(key) for key in keys}
    if "given" in found:
        return "given"
    return "stated" if "stated" in found else "assumed"
