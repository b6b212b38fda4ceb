"""Plan an experiment: wells, dilutions, reagents and the precision to be expected."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from statera.assay.plan_dilution import DilutionPlan, plan_dilutions
from statera.assay.plan_layout import Layout, WellUse, plan_layout
from statera.assay.plan_options import PlanOptions
from statera.assay.plan_precision import PrecisionTable, simulate_precision
from statera.assay.plan_reagents import (
    CytokineWork,
    ReagentTotal,
    cytokine_work,
    gets_drug,
    reagent_totals,
)

__all__ = ["AssayPlan", "plan_experiment"]

_FEW_CONTROLS = 4


@dataclass(frozen=True)
class AssayPlan:
    """Everything that is planned.

    Attributes
    ----------
    options
    layout, dilutions, cytokines, reagents
    precision
        None where it was not asked for.
    missing
        What has to be stated before the bench sheet is complete.
    remarks
        What a reader must know of the plan.
    """

    options: PlanOptions
    layout: Layout
    dilutions: DilutionPlan
    cytokines: tuple[CytokineWork, ...]
    reagents: tuple[ReagentTotal, ...]
    precision: PrecisionTable | None
    missing: tuple[str, ...]
    remarks: tuple[str, ...]


def plan_experiment(options: PlanOptions, *, precision: bool = True) -> AssayPlan:
    """Return the plan.

    Parameters
    ----------
    options
    precision
        Whether precision is simulated.

    Raises
    ------
    InputError
        If the experiment cannot be laid out or pipetted as asked.
    """
    values = options.doses.values_nM
    layout = plan_layout(len(values), options.plate, options.layout, options.panel)
    wells = Counter(w.dose for w in layout.samples if w.dose is not None)
    vehicle = sum(not gets_drug(w) for w in layout.samples)
    dilutions = plan_dilutions(options, wells, vehicle)
    work = cytokine_work(options, layout)
    reagents, missing = reagent_totals(options, layout, dilutions, work)
    table = simulate_precision(values, options.layout, options.precision) if precision else None
    return AssayPlan(
        options, layout, dilutions, work, reagents, table, missing, _remarks(options, layout)
    )


def _remarks(options: PlanOptions, layout: Layout) -> tuple[str, ...]:
    found: list[str] = list(layout.remarks)
    planned = options.layout
    for name in ("unstimulated", "stimulated"):
        count = getattr(planned, name)
        if count < _FEW_CONTROLS:
            found.append(
                f"{count} {name} wells for each donor and cytokine are few: every inhibition on "
                "the plate is measured against them. Four or more are recommended."
            )
    if not layout.count(WellUse.FMO):
        found.append("There is no FMO: percent positive cannot be told from background.")
    if not layout.count(WellUse.SINGLE_STAIN):
        found.append("There are no single stains: compensation has to come from elsewhere.")
    span = max(options.doses.values_nM) / min(options.doses.values_nM)
    if span < 100.0:
        found.append(
            f"The doses span a factor of {span:.3g}: an IC50 needs two doses beyond each bend of "
            "the curve, which lie about a factor of 22 apart at a slope of 1."
        )
    return tuple(found)
