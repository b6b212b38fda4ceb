"""Plans of assays: what must hold for any doses, volumes and layouts."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statera.assay.plan_dilution import MEDIUM, STOCK, DilutionPlan, plan_dilutions
from statera.assay.plan_layout import Layout, WellUse, plan_layout
from statera.assay.plan_options import (
    DoseOptions,
    Edges,
    LayoutOptions,
    PlanOptions,
    PlateFormat,
    PlateOptions,
    Stain,
)
from statera.errors import InputError

PANEL = (Stain("CD4"), Stain("pSTAT3", readout=True))


@st.composite
def dilution_plans(draw: st.DrawFn) -> tuple[PlanOptions, DilutionPlan]:
    """Draw options that can be met, and their plan."""
    percent = draw(st.sampled_from([0.05, 0.1, 0.2, 0.5]))
    top = draw(st.floats(1.0, 10_000.0)) * percent / 0.1 * 0.99
    step = draw(st.floats(1.5, 20.0))
    plate = draw(
        st.sampled_from(
            [
                PlateOptions(),
                PlateOptions(cells_ul=100, drug_ul=50, cytokine_ul=50),
                PlateOptions(PlateFormat.WELLS_384, cells_ul=40, drug_ul=5, cytokine_ul=5),
            ]
        )
    )
    options = PlanOptions(
        "any",
        "baricitinib",
        doses=DoseOptions(top, step, draw(st.integers(2, 12)), dmso_percent=percent),
        plate=plate,
    )
    wells = dict.fromkeys(range(options.doses.n), draw(st.integers(1, 60)))
    return options, plan_dilutions(options, wells, draw(st.integers(1, 200)))


@settings(max_examples=60, deadline=None)
@given(dilution_plans())
def test_amounts_are_conserved_and_nothing_is_overdrawn(
    case: tuple[PlanOptions, DilutionPlan],
) -> None:
    options, plan = case
    at = {STOCK: options.doses.stock_mM * 1e6, options.solvent: 0.0}
    solvent = {STOCK: 100.0, options.solvent: 100.0}
    for m in plan.mixtures:
        assert m.source in at, "a vessel is made before it is used"
        moved = at[m.source] * m.mix.transfer_ul
        assert m.concentration_nM * m.mix.total_ul == pytest.approx(moved)
        diluent = 0.0 if m.diluent == MEDIUM else 100.0
        both = solvent[m.source] * m.mix.transfer_ul + diluent * m.mix.diluent_ul
        assert m.solvent_percent * m.mix.total_ul == pytest.approx(both)
        assert m.left_ul >= 0.0
        assert m.mix.total_ul <= options.pipetting.tube_ul * (1 + 1e-9)
        at[m.name], solvent[m.name] = m.concentration_nM, m.solvent_percent
    assert len(at) == len(plan.mixtures) + 2


@settings(max_examples=60, deadline=None)
@given(dilution_plans())
def test_volumes_can_be_pipetted(case: tuple[PlanOptions, DilutionPlan]) -> None:
    options, plan = case
    pipettes = options.pipetting.pipettes

    def deliverable(volume: float) -> bool:
        for strokes in range(1, 5):
            for p in pipettes:
                steps = volume / strokes / p.step_ul
                inside = p.low_ul - 1e-6 <= volume / strokes <= p.high_ul + 1e-6
                if inside and abs(steps - round(steps)) < 1e-6:
                    return True
        return False

    for m in plan.mixtures:
        assert deliverable(m.mix.transfer_ul)
        assert deliverable(m.mix.diluent_ul)


@settings(max_examples=60, deadline=None)
@given(dilution_plans())
def test_doses_are_reached_and_solvent_is_the_same_everywhere(
    case: tuple[PlanOptions, DilutionPlan],
) -> None:
    options, plan = case
    for one in plan.doses:
        assert one.reached_nM == pytest.approx(one.wanted_nM, rel=0.06)
        assert one.solvent_percent == plan.doses[0].solvent_percent
    assert plan.vehicle.solvent_percent == pytest.approx(plan.doses[0].solvent_percent, rel=1e-9)
    assert plan.vehicle.solvent_percent == pytest.approx(options.doses.dmso_percent, rel=0.02)
    reached = [d.reached_nM for d in plan.doses]
    assert reached == sorted(reached, reverse=True)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[int, LayoutOptions, PlateOptions]:
    small = draw(st.booleans())
    edges = draw(st.sampled_from(Edges))
    plate = (
        PlateOptions(PlateFormat.WELLS_384, edges, cells_ul=40, drug_ul=5, cytokine_ul=5)
        if small
        else PlateOptions(edges=edges)
    )
    options = LayoutOptions(
        donors=tuple(f"D{i}" for i in range(draw(st.integers(1, 5)))),
        cytokines=("IL-6", "IL-15", "IL-10")[: draw(st.integers(1, 3))],
        replicates=draw(st.integers(1, 4)),
        unstimulated=draw(st.integers(1, 6)),
        stimulated=draw(st.integers(1, 6)),
        fmo=draw(st.integers(0, 2)),
        unstained=draw(st.integers(0, 2)),
        single_stains=draw(st.integers(0, 1)),
        randomise=draw(st.booleans()),
        seed=draw(st.integers(0, 100)),
    )
    return draw(st.integers(2, 12)), options, plate


@settings(max_examples=60, deadline=None)
@given(layouts())
def test_each_well_is_used_once_and_every_group_is_complete(
    case: tuple[int, LayoutOptions, PlateOptions],
) -> None:
    n, options, plate = case
    size = n * options.replicates + options.unstimulated + options.stimulated + options.fmo
    try:
        found: Layout = plan_layout(n, plate, options, PANEL)
    except InputError:
        edge = 0 if plate.edges is Edges.USED else 1
        rows, columns = plate.format.shape
        assert size > (rows - 2 * edge) * (columns - 2 * edge)
        return
    places = Counter((w.plate, w.row, w.column) for w in found.wells)
    assert max(places.values()) == 1
    rows, columns = plate.format.shape
    assert all(0 <= r < rows and 0 <= c < columns for _, r, c in places)
    groups = len(options.donors) * len(options.cytokines)
    assert found.count(WellUse.DOSE) == groups * n * options.replicates
    assert found.count(WellUse.UNSTIMULATED) == groups * options.unstimulated
    assert found.count(WellUse.STIMULATED) == groups * options.stimulated
    assert found.count(WellUse.FMO) == groups * options.fmo
    assert found.count(WellUse.SINGLE_STAIN) == 2 * options.single_stains
    assert found.count(WellUse.UNSTAINED) == options.unstained
    for donor in options.donors:
        for cytokine in options.cytokines:
            mine = [
                w
                for w in found.wells
                if (w.donor, w.cytokine) == (donor, cytokine) and w.use is not WellUse.SINGLE_STAIN
            ]
            assert len({w.plate for w in mine}) == 1
            pairs = Counter((w.dose, w.replicate) for w in mine if w.dose is not None)
            assert len(pairs) == n * options.replicates
            assert max(pairs.values()) == 1


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 1e4), st.floats(1.2, 30.0), st.integers(2, 12), st.floats(0.01, 1.0))
def test_every_plan_is_made_or_refused_with_a_sentence(
    top: float, step: float, n: int, percent: float
) -> None:
    hint = ""
    reached: list[float] = []
    try:
        doses = DoseOptions(top, step, n, dmso_percent=percent)
        plan = plan_dilutions(
            PlanOptions("any", "drug", doses=doses), dict.fromkeys(range(n), 4), 20
        )
        reached = [d.reached_nM for d in plan.doses]
    except InputError as error:
        hint = error.hint
    assert bool(hint) != bool(reached)
    assert all(math.isfinite(value) and value > 0 for value in reached)
