"""The plate map of a plan as CSV: the table that the analysis of the plate reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from statera.assay.plan_dilution import DilutionPlan
from statera.assay.plan_layout import PlannedWell, WellUse

__all__ = ["COLUMNS", "dose_text", "fcs_name", "plate_map_csv"]

COLUMNS = (
    "well", "plate", "file", "donor", "cytokine", "condition", "dose_nM", "stain", "replicate",
    "label", "add_from",
)  # fmt: skip


def dose_text(nanomolar: float) -> str:
    """Return a dose with its unit, such as ``316 nM`` or ``3.16 µM``."""
    for unit, size in (("mM", 1e6), ("µM", 1e3), ("nM", 1.0)):
        if nanomolar >= size * (1 - 1e-3):
            return f"{float(f'{nanomolar / size:.3g}'):g} {unit}"
    return f"{float(f'{nanomolar * 1e3:.3g}'):g} pM"


def fcs_name(well: PlannedWell) -> str:
    """Return the name under which the well's file is expected; empty where it has none."""
    return "" if well.use is WellUse.UNUSED else f"plate{well.plate}_{well.well}.fcs"


def plate_map_csv(wells: Sequence[PlannedWell], dilutions: DilutionPlan) -> str:
    """Return the wells as CSV, one row a well.

    ``dose_nM`` is the dose that the pipetted volumes really reach; ``label`` the dose wanted.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for well in wells:
        dose, label, source = "", "", ""
        if well.dose is not None:
            reached = dilutions.doses[well.dose]
            dose = f"{reached.reached_nM:.6g}"
            label, source = dose_text(reached.wanted_nM), reached.vessel
        elif well.use is not WellUse.UNUSED:
            dose, source = "0", dilutions.vehicle.vessel
        unused = well.use is WellUse.UNUSED
        writer.writerow(
            (
                well.well, well.plate, fcs_name(well), well.donor, well.cytokine, well.use.value,
                dose, well.stain, "" if unused else well.replicate, label, source,
            )
        )  # fmt: skip
    return text.getvalue()
