"""Automatic gates on simulated plates with known labels, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.cytometry import simulated_plate as sim

from statera.cytometry.automatic_gates import (
    AutomaticGates,
    AutomaticOptions,
    automatic_gates,
)
from statera.cytometry.compensation import spillover_of
from statera.cytometry.gate_confidence import border_confidence
from statera.cytometry.gates import BooleanGate, PolygonGate, RectangleGate
from statera.cytometry.panel import Panel
from statera.cytometry.plate_border import BorderOptions, plate_border
from statera.cytometry.scales import Linear
from statera.cytometry.strategy import apply_gates
from statera.errors import InputError

BASE = sim.Setup()
SMALL = replace(BASE, wells=6, events=2000)


def gated(setup, panel=None, options=None):  # type: ignore[no-untyped-def]
    plate = sim.simulate_plate(setup)
    gates = automatic_gates(plate.files, panel or plate.panel, options)
    masks = {w: apply_gates(gates.for_well(w), f) for w, f in plate.files.items()}
    return plate, gates, masks


def f1(plate, masks, name, truth=None):  # type: ignore[no-untyped-def]
    return sim.f1_by_well(plate.labels, {w: m[name] for w, m in masks.items()}, truth or name)


def low(gates: AutomaticGates) -> list[str]:
    return [c.gate for c in gates.confidence if c.low_confidence and not c.well]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"shift": 0.2, "scatter_shift": 0.05},
        {"bright": 1200.0, "width": 0.4, "wells": 12},
        {"shares": {"CD4": 0.6, "CD8": 0.02, "mono": 0.02, "B": 0.36}},
        {"monocytes_cd4": 700.0},
        {"debris": 0.5, "doublets": 0.1},
        {"debris": 0.0},
        {"dead": 0.0},
        {"spill_keyword": False},
        {"kind": "log", "spill": False},
        {"kind": "mass", "scatter": False, "debris": 0.0, "doublets": 0.0},
        {"events": 200, "wells": 24},
        {"wells": 1, "events": 5000},
    ],
    ids=lambda change: ", ".join(map(str, change)) or "plain",
)
def test_populations_are_found(change) -> None:  # type: ignore[no-untyped-def]
    plate, gates, masks = gated(replace(SMALL, **change))
    for name in plate.panel.populations:
        pooled, wells = f1(plate, masks, name)
        assert pooled >= 0.985
        assert min(wells.values()) >= 0.95
    assert not low(gates)


def test_empty_wells_and_wells_without_a_population() -> None:
    setup = replace(
        SMALL, empty=("A03",), missing={"A04": ("CD8",), "A05": ("mono",), "A06": ("CD4", "CD8")}
    )
    plate, gates, masks = gated(setup)
    for name in plate.panel.populations:
        assert f1(plate, masks, name)[0] > 0.99
    assert masks["A04"]["CD8"].sum() <= 0.005 * SMALL.events
    assert masks["A03"]["CD4"].size == 0
    said = [c for c in gates.confidence if c.well == "A06" and c.gate == "CD3+"]
    assert said[0].low_confidence
    assert "Hardly any event lies above" in said[0].sentence
    assert not any(c.well == "A03" and c.shift != 0.0 for c in gates.confidence)


def test_without_cd3_the_clearest_of_two_valleys_is_taken_and_said() -> None:
    plate = sim.simulate_plate(replace(SMALL, monocytes_cd4=700.0))
    panel = replace(plate.panel, populations={"CD4": "CD4+ CD8-", "mono": "CD14+"})
    gates = automatic_gates(plate.files, panel)
    masks = {w: apply_gates(gates.for_well(w), f) for w, f in plate.files.items()}
    assert f1(plate, masks, "CD4")[0] > 0.99
    said = next(c.sentence for c in gates.confidence if c.gate == "CD4+" and not c.well)
    assert "clearest of 2" in said


def test_lymphocytes_and_monocytes_by_scatter() -> None:
    plate = sim.simulate_plate(BASE)
    wanted = {"CD4": "lymphocytes CD4+ CD8-", "M": "monocytes", "mono": "monocytes CD14+"}
    gates = automatic_gates(plate.files, replace(plate.panel, populations=wanted))
    masks = {w: apply_gates(gates.for_well(w), f) for w, f in plate.files.items()}
    assert f1(plate, masks, "CD4")[0] > 0.985
    assert f1(plate, masks, "mono")[0] > 0.98
    assert f1(plate, masks, "M", "mono")[0] > 0.98
    by_name = {g.name: g for g in gates.strategy.gates}
    assert isinstance(by_name["lymphocytes"], PolygonGate)
    assert isinstance(by_name["M"], BooleanGate)
    assert isinstance(by_name["mono"], RectangleGate)


def test_what_nothing_speaks_for_is_refused_by_name() -> None:
    _, gates, masks = gated(
        replace(SMALL, shares={"CD4": 0.6, "mono": 0.1, "B": 0.3}, dead=0.0, debris=0.0)
    )
    assert "CD8 shows a single peak" in gates.refused["CD8"]
    assert "Leave CD8 out" in gates.refused["CD4"]
    assert "no border of dead cells" in gates.refused["live"]
    assert "no peak of debris" in gates.refused["cells"]
    assert "mono" in masks["A01"]
    assert "CD8" not in masks["A01"]


def test_panel_without_scatter_and_dead_stain_is_said() -> None:
    plate = sim.simulate_plate(SMALL)
    bare = Panel("", "", "", "", "", plate.panel.markers, {}, {"mono": "monocytes CD14+"})
    gates = automatic_gates(plate.files, bare)
    assert len(gates.notes) == 3
    assert "needed" in gates.refused["monocytes"]
    assert "it lies in monocytes" in gates.refused["mono"]


def test_a_well_moves_a_border_no_further_than_its_bound() -> None:
    plate, gates, _ = gated(replace(SMALL, shift=0.2))
    moved = [c for c in gates.confidence if c.well and c.gate == "CD3+"]
    assert len(moved) == SMALL.wells
    assert np.ptp([c.shift for c in moved]) > 0.02
    tight = automatic_gates(
        plate.files,
        plate.panel,
        AutomaticOptions(border=replace(AutomaticOptions().border, max_shift=0.01)),
    )
    own = [c for c in tight.confidence if c.well and c.gate == "CD3+"]
    assert max(abs(c.shift) for c in own) < 0.01


def test_a_well_with_a_renamed_channel_gets_its_own_gate_and_one_without_is_named() -> None:
    plate = sim.simulate_plate(SMALL)
    files = dict(plate.files)
    other = files["A02"]
    renamed = tuple(
        replace(c, name="B530-A", label="CD3")
        if c.name == "FITC-A"
        else replace(c, label="CD3")
        if c.name == "none"
        else c
        for c in other.channels
    )
    files["A02"] = replace(other, channels=renamed, keywords={})
    panel = replace(plate.panel, markers={**plate.panel.markers, "CD3": "CD3"})
    labelled = {
        w: f
        if w == "A02"
        else replace(
            f,
            channels=tuple(
                replace(c, label="CD3") if c.name == "FITC-A" else c for c in f.channels
            ),
        )
        for w, f in files.items()
    }
    gates = automatic_gates(labelled, panel)
    wanted = next(g for g in gates.for_well("A02").gates if g.name == "CD3+")
    assert isinstance(wanted, RectangleGate)
    assert wanted.dimensions[0].channel == "B530-A"
    missing = automatic_gates(labelled, plate.panel)
    assert "FITC-A" in missing.problems["A02"][0]


def test_a_matrix_may_be_handed_in() -> None:
    plate = sim.simulate_plate(SMALL)
    matrix = spillover_of(next(iter(plate.files.values())))
    assert matrix is not None
    bare = {w: replace(f, keywords={}) for w, f in plate.files.items()}
    given = automatic_gates(bare, plate.panel, AutomaticOptions(compensation=matrix))
    own = automatic_gates(plate.files, plate.panel)
    for well, file in bare.items():
        a = apply_gates(given.for_well(well), file)
        b = apply_gates(own.for_well(well), plate.files[well])
        assert all((a[name] == b[name]).all() for name in plate.panel.populations)


def test_the_same_events_give_the_same_gates() -> None:
    plate = sim.simulate_plate(replace(SMALL, kind="mass", scatter=False, debris=0.0))
    first, second = (automatic_gates(plate.files, plate.panel) for _ in range(2))
    assert first == second


def test_no_events_are_refused() -> None:
    plate = sim.simulate_plate(replace(BASE, wells=1, empty=("A01",)))
    with pytest.raises(InputError, match="no events"):
        automatic_gates(plate.files, plate.panel)


def _two_normals(distance: float, share: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    parts = [(0.0, 1.0 - share), (distance, share)]
    return {
        well: np.concatenate([rng.normal(at, 1.0, int(4000 * part)) for at, part in parts])
        for well in ("A01", "A02", "A03", "A04")
    }


def test_a_mixture_stands_in_for_a_valley() -> None:
    border = plate_border(_two_normals(2.8, 0.3), BorderOptions())
    assert border is not None
    assert border.method == "mixture"
    assert border.depth == 0.0
    # equally likely where 0.7 phi(x) = 0.3 phi(x - 2.8)
    assert border.position == pytest.approx(1.4 + np.log(0.7 / 0.3) / 2.8, abs=0.1)
    rows = list(border_confidence("CD4+", "CD4", Linear(1.0), border, BorderOptions()))
    assert all(row.low_confidence for row in rows)
    assert "no valley" in rows[0].sentence


def test_no_border_where_nothing_speaks_for_one() -> None:
    rng = np.random.default_rng(9)
    n = 16_000
    for x in (
        rng.normal(size=n),
        rng.gamma(3.0, 1.0, n),
        rng.standard_t(4, n),
        rng.random(n),
        rng.laplace(size=n),
    ):
        assert plate_border({"A01": x}, BorderOptions()) is None
    assert plate_border(_two_normals(1.5, 0.3), BorderOptions()) is None
    assert plate_border({"A01": np.ones(500)}, BorderOptions()) is None
    assert plate_border({"A01": np.zeros(0)}, BorderOptions()) is None


def test_counts_of_mass_cytometry_do_not_fall_into_clumps() -> None:
    # few distinct counts in many small wells
    setup = sim.Setup(
        wells=13,
        events=1000,
        bright=15_000.0,
        dim=50.0,
        width=0.25,
        kind="mass",
        scatter=False,
        debris=0.0,
        doublets=0.0,
    )
    plate, _, masks = gated(setup)
    assert min(f1(plate, masks, name)[0] for name in plate.panel.populations) > 0.97


def test_a_well_whose_matrix_cannot_be_used_is_named_and_the_others_are_gated() -> None:
    plate = sim.simulate_plate(SMALL)
    files = dict(plate.files)
    files["A02"] = replace(files["A02"], keywords={"$SPILLOVER": "2,FITC-A,PE-A,1,0"})
    gates = automatic_gates(files, plate.panel)
    assert "2 of 4 numbers" in gates.problems["A02"][0]
    assert "CD4" in gates.strategy.populations
    assert not any(c.well == "A02" for c in gates.confidence)
    with pytest.raises(InputError, match="cannot be used"):
        automatic_gates({"A02": files["A02"]}, plate.panel)
