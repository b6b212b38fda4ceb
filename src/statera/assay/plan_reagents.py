"""How much of everything the wells need; what is not stated is listed as missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from statera.assay.plan_dilution import MEDIUM, DilutionPlan
from statera.assay.plan_layout import Layout, PlannedWell, WellUse
from statera.assay.plan_options import PlanOptions
from statera.assay.plan_pipetting import Mix, find_mix, split_fold
from statera.errors import InputError

__all__ = [
    "CytokineMixture",
    "CytokineWork",
    "ReagentTotal",
    "cytokine_work",
    "gets_drug",
    "reagent_totals",
]

_FULL = (WellUse.DOSE, WellUse.UNSTIMULATED, WellUse.STIMULATED)


@dataclass(frozen=True)
class ReagentTotal:
    """One line of the list of what to have ready.

    Attributes
    ----------
    name, kind
    wells
        That get it.
    per_well, total, unit
        Amounts; None where they cannot be computed. The total holds the reserve.
    remark
        How it was computed, or what is missing.
    """

    name: str
    kind: str
    wells: int
    per_well: float | None
    total: float | None
    unit: str
    remark: str = ""


@dataclass(frozen=True)
class CytokineMixture:
    """A dilution of a cytokine in medium."""

    name: str
    source: str
    mix: Mix
    copies: int
    concentration_ng_per_mL: float


@dataclass(frozen=True)
class CytokineWork:
    """Working solution of a cytokine.

    Attributes
    ----------
    cytokine
    wells
    working_ng_per_mL
        Concentration wanted in the working solution; None where that in the well is not stated.
    mixtures
        In the order of work; empty where the stock is not stated.
    reached_ng_per_mL
        In the well, by the volumes pipetted; None as above.
    missing
        What has to be stated first.
    """

    cytokine: str
    wells: int
    working_ng_per_mL: float | None
    mixtures: tuple[CytokineMixture, ...]
    reached_ng_per_mL: float | None
    missing: tuple[str, ...] = ()


def gets_drug(well: PlannedWell) -> bool:
    """Return whether a well gets drug; all other samples get vehicle."""
    return well.use is WellUse.DOSE


def _is_stimulated(well: PlannedWell) -> bool:
    if well.use is WellUse.SINGLE_STAIN:
        return bool(well.cytokine)
    return well.use in (WellUse.DOSE, WellUse.STIMULATED, WellUse.FMO)


def cytokine_work(options: PlanOptions, layout: Layout) -> tuple[CytokineWork, ...]:
    """Return the working solution of each cytokine.

    Raises
    ------
    InputError
        If a stock is too weak or a dilution cannot be pipetted.
    """
    return tuple(_work(name, options, layout) for name in options.layout.cytokines)


def _work(name: str, options: PlanOptions, layout: Layout) -> CytokineWork:
    known, plate, p = options.cytokine(name), options.plate, options.pipetting
    wells = sum(_is_stimulated(w) and w.cytokine == name for w in layout.samples)
    missing = []
    if known.final_ng_per_mL is None:
        missing.append(f"concentration of {name} in the well")
    if known.stock_ug_per_mL is None:
        missing.append(f"concentration of the {name} stock")
    if known.final_ng_per_mL is None:
        return CytokineWork(name, wells, None, (), None, tuple(missing))
    raised = plate.well_ul / plate.cytokine_ul
    working = known.final_ng_per_mL * raised
    if known.stock_ug_per_mL is None:
        return CytokineWork(name, wells, working, (), None, tuple(missing))
    fold = known.stock_ug_per_mL * 1000.0 / working
    if fold < 1.0:
        raise InputError(
            f"{name}: a stock of {known.stock_ug_per_mL:g} µg/mL is weaker than the working "
            f"solution of {working:g} ng/mL",
            where=f"cytokine {name}",
            hint="State a stronger stock, or add more of a weaker working solution (cytokine_ul).",
        )
    need = wells * plate.cytokine_ul * p.with_overage
    mixtures = _diluted(name, fold, need, known.stock_ug_per_mL * 1000.0, options)
    reached = mixtures[-1].concentration_ng_per_mL if mixtures else working
    return CytokineWork(name, wells, working, mixtures, reached / raised)


def _diluted(
    name: str, fold: float, need: float, at: float, options: PlanOptions
) -> tuple[CytokineMixture, ...]:
    p = options.pipetting
    if fold <= 1.0 + 1e-9:
        return ()
    folds = split_fold(fold, p.max_fold)
    for copies in range(1, 1001):
        mixes: list[Mix] = []
        wanted = need / copies
        for one in reversed(folds):
            mix = find_mix(one, wanted, p.pipettes, capacity_ul=p.tube_ul)
            if mix is None:
                break
            mixes.insert(0, mix)
            wanted = mix.transfer_ul * p.with_overage
            if len(mixes) == 1:
                wanted *= copies  # all copies of the working solution from one intermediate
        else:
            break
    else:
        raise InputError(
            f"{name}: a dilution of 1:{fold:.4g} cannot be pipetted",
            where=f"cytokine {name}",
            hint="State smaller pipettes or larger tubes.",
        )
    found = []
    source = f"{name} stock"
    for k, mix in enumerate(mixes):
        last = k == len(mixes) - 1
        at /= mix.fold
        label = f"{name} working" if last else f"{name} intermediate {k + 1}"
        found.append(CytokineMixture(label, source, mix, copies if last else 1, at))
        source = label
    return tuple(found)


def reagent_totals(
    options: PlanOptions,
    layout: Layout,
    dilutions: DilutionPlan,
    work: Sequence[CytokineWork],
) -> tuple[tuple[ReagentTotal, ...], tuple[str, ...]]:
    """Return what to have ready, and what is missing for it."""
    extra = options.pipetting.with_overage
    missing: list[str] = []
    rows = [*_cells(options, layout, missing)]
    rows += [_cytokine(w, options, missing) for w in work]
    rows.append(
        ReagentTotal(
            f"{options.drug} stock, {options.doses.stock_mM:g} mM", "inhibitor",
            layout.count(WellUse.DOSE), None, dilutions.stock_ul, "µL",
            "as drawn for the dilutions",
        )
    )  # fmt: skip
    rows.append(
        ReagentTotal(
            options.solvent, "solvent", 0, None, dilutions.solvent_ul, "µL",
            "series and vehicle, as drawn",
        )
    )  # fmt: skip
    rows.append(_medium(options, layout, dilutions, work))
    rows += _stains(options, layout, missing)
    samples = len(layout.samples)
    for reagent in options.reagents:
        total = None if reagent.volume_ul is None else reagent.volume_ul * samples * extra / 1000.0
        remark = "" if total is not None else "volume per well not stated"
        if total is None:
            missing.append(f"volume per well of {reagent.name}")
        rows.append(
            ReagentTotal(
                reagent.name, "reagent", samples, reagent.volume_ul, total, "mL", remark
            )
        )  # fmt: skip
    return tuple(rows), tuple(missing)


def _cells(options: PlanOptions, layout: Layout, missing: list[str]) -> list[ReagentTotal]:
    per = options.cells_per_well
    if per is None:
        missing.append("cells per well")
    by_donor = Counter(w.donor for w in layout.samples)
    volume = options.plate.cells_ul
    extra = options.pipetting.with_overage
    found = []
    for donor, wells in by_donor.items():
        suspension = wells * volume * extra / 1000.0
        if per is None:
            remark = f"{suspension:.3g} mL of suspension; cells per well not stated"
            found.append(ReagentTotal(f"cells of {donor}", "cells", wells, None, None, "", remark))
            continue
        density = per / volume * 1000.0
        remark = f"{suspension:.3g} mL at {_many(density)} cells per mL"
        found.append(
            ReagentTotal(
                f"cells of {donor}", "cells", wells, per, per * wells * extra, "cells", remark
            )
        )  # fmt: skip
    return found


def _cytokine(work: CytokineWork, options: PlanOptions, missing: list[str]) -> ReagentTotal:
    missing += work.missing
    if work.working_ng_per_mL is None:
        return ReagentTotal(
            work.cytokine, "cytokine", work.wells, None, None, "", "concentration not stated"
        )
    ng = work.working_ng_per_mL * options.plate.cytokine_ul / 1000.0
    extra = options.pipetting.with_overage
    total = ng * work.wells * extra / 1000.0
    remark = f"{work.working_ng_per_mL:g} ng/mL working solution"
    if work.mixtures:
        first = work.mixtures[0]
        remark += f"; {first.copies * first.mix.transfer_ul:g} µL of stock as drawn"
    elif work.missing:
        remark += "; stock not stated"
    return ReagentTotal(work.cytokine, "cytokine", work.wells, ng, total, "µg", remark)


def _medium(
    options: PlanOptions, layout: Layout, dilutions: DilutionPlan, work: Sequence[CytokineWork]
) -> ReagentTotal:
    plate = options.plate
    bare = sum(not _is_stimulated(w) for w in layout.samples)
    buffer = layout.count(WellUse.UNUSED)
    alone = bare * plate.cytokine_ul * options.pipetting.with_overage
    edge = buffer * plate.well_ul
    for_cytokines = sum(m.copies * m.mix.diluent_ul for w in work for m in w.mixtures)
    total = (dilutions.medium_ul + alone + for_cytokines) / 1000.0
    parts = [
        f"dilutions of drug {dilutions.medium_ul / 1000:.3g} mL",
        f"wells without cytokine {alone / 1000:.3g} mL",
        f"dilutions of cytokine {for_cytokines / 1000:.3g} mL"
        + (" (those without a stated stock not counted)" if any(w.missing for w in work) else ""),
    ]
    remark = "; ".join(parts) + "; suspension of cells not counted"
    if edge:
        remark += f"; edge wells take {edge / 1000:.3g} mL of buffer or medium besides"
    return ReagentTotal(MEDIUM, "medium", len(layout.samples), None, total, "mL", remark)


def _stains(options: PlanOptions, layout: Layout, missing: list[str]) -> list[ReagentTotal]:
    extra = options.pipetting.with_overage
    found = []
    for stain in options.panel:
        wells = layout.count(*_FULL)
        wells += 0 if stain.readout else layout.count(WellUse.FMO)
        wells += sum(
            w.use is WellUse.SINGLE_STAIN and w.stain == stain.stain for w in layout.samples
        )
        label = f"anti-{stain.marker}" if not stain.dye else f"{stain.marker}, {stain.dye}"
        parts = [part for part in (stain.clone and f"clone {stain.clone}", stain.channel) if part]
        total = None
        if stain.volume_ul is None:
            parts.append("volume per well not stated")
        else:
            total = stain.volume_ul * wells * extra
        found.append(
            ReagentTotal(label, "stain", wells, stain.volume_ul, total, "µL", "; ".join(parts))
        )
    for what, lacking in (
        ("volume per well of the stains for", [s for s in options.panel if s.volume_ul is None]),
        ("channels of", [s for s in options.panel if not s.channel]),
    ):
        if lacking:
            missing.append(f"{what} {', '.join(s.marker for s in lacking)}")
    return found


def _many(number: float) -> str:
    """Return a number of cells in words that are read without an exponent."""
    return f"{number / 1e6:.3g} million" if number >= 1e6 else f"{number:.6g}"
