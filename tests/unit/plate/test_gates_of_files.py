"""Gates that come from files, and matrices from single stains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.cytometry.workspace_xml import (
    dimension,
    group,
    matrix,
    population,
    rectangle,
    sample,
    workspace,
)

from statera.cytometry.gates_toml_write import write_gates_toml
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.write_fcs import write_fcs
from statera.errors import InputError, UnknownNameError
from statera.plate.analyse import analyse_plate
from statera.plate.simulated_plate import SimulatedPlate

POPULATIONS = 'CD4 = "CD4"\nCD8 = "CD8"\nCD11b = "CD11b"\n'


def settings(plate: SimulatedPlate, populations: str, gating: str, compensation: str) -> Path:
    text = plate.settings.read_text(encoding="utf-8")
    before, _, after = text.partition("[populations]")
    about = after[after.index("[about") :]
    path = plate.settings.parent / "gated.toml"
    parts = f"{before}[populations]\n{populations}\n[gating]\n{gating}\n"
    path.write_text(f"{parts}[compensation]\n{compensation}\n{about}", encoding="utf-8")
    return path


def test_gates_in_toml_count_as_the_automatic_ones_they_come_from(small: SimulatedPlate) -> None:
    automatic = analyse_plate(small.settings)
    write_gates_toml(automatic.gates[""], small.settings.parent / "gates.toml")
    gating = 'method = "toml"\nfile = "gates.toml"'
    found = analyse_plate(settings(small, POPULATIONS, gating, 'from = "file"'))
    for a, b in zip(automatic.rows, found.rows, strict=True):
        assert a.well == b.well
        if automatic.gates.get(a.well.name) is None:
            assert (a.count, a.median) == (b.count, b.median)
        else:
            assert b.count == pytest.approx(a.count, rel=0.08)
    assert len(found.curves) == 3


def test_a_gate_that_the_file_lacks_is_named(small: SimulatedPlate) -> None:
    automatic = analyse_plate(small.settings)
    write_gates_toml(automatic.gates[""], small.settings.parent / "gates.toml")
    gating = 'method = "toml"\nfile = "gates.toml"'
    path = settings(small, 'B = "B cells"\n', gating, 'from = "file"')
    with pytest.raises(UnknownNameError, match="B cells"):
        analyse_plate(path)


def test_a_workspace_gates_its_samples_and_a_group_the_others(small: SimulatedPlate) -> None:
    folder = small.settings.parent / "fcs"
    names = sorted(path.name for path in folder.iterdir())
    file = read_fcs(folder / names[0])
    inner = rectangle(dimension("Comp-FITC-A", 2000.0))
    gate = population("CD3+", inner, group="All")
    stains = matrix(["FITC-A", "PE-A"], [[1.0, 0.15], [0.01, 1.0]])
    samples = [
        sample(i, name, gate, channels=file.names, more=stains)
        for i, name in enumerate(names[:-1], start=1)
    ]
    text = workspace("".join(samples), group("All", range(1, len(names)), gate))
    (small.settings.parent / "plate.wsp").write_text(text, encoding="utf-8")
    gating = 'method = "flowjo"\nfile = "plate.wsp"'
    found = analyse_plate(settings(small, 'T = "CD3+"\n', gating, 'from = "gates"'))
    assert {r.well.well for r in found.rows} == {n.removesuffix(".fcs") for n in names}
    assert any("are not in the workspace" in p.sentence for p in found.problems)
    well = read_fcs(folder / names[0])
    s = np.array([[1.0, 0.15], [0.01, 1.0]])
    observed = np.stack([well.channel("FITC-A"), well.channel("PE-A")])
    true = np.linalg.solve(s.T, observed)[0]
    assert found.rows[0].count == pytest.approx(int((true >= 2000.0).sum()), abs=2)


def test_single_stains_give_the_matrix(small: SimulatedPlate) -> None:
    folder = small.settings.parent / "fcs"
    rng = np.random.default_rng(1)
    dyes = {"FITC-A": {"PE-A": 0.15}, "PE-A": {"FITC-A": 0.01}}
    lines = []
    first = read_fcs(folder / "A01.fcs")
    for k, dye in enumerate(["", *dyes]):
        events = first.events.copy()
        events[3:9] = rng.normal(50.0, 10.0, (6, first.n_events))
        if dye:
            signal = rng.normal(10_000.0, 500.0, first.n_events)
            events[first.index(dye)] += signal
            for detector, share in dyes[dye].items():
                events[first.index(detector)] += share * signal
        labels = [c.label for c in first.channels]
        write_fcs(folder / f"H0{k + 1}.fcs", events, first.names, labels=labels)
        condition = f"single_stain,0,{dye}" if dye else "unstained,0,"
        lines.append(f"H0{k + 1},H0{k + 1}.fcs,,,{condition}")
    path = small.settings.parent / "platemap.csv"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},stain", *(f"{line}," for line in rest), *lines]) + "\n")
    text = small.settings.read_text().replace('from = "file"', 'from = "single_stains"')
    small.settings.write_text(text)
    found = analyse_plate(small.settings)
    (spillover,) = found.gates[""].spillovers.values()
    assert spillover.matrix == pytest.approx(np.array([[1.0, 0.15], [0.01, 1.0]]), abs=2e-3)
    path.write_text(path.read_text().replace("unstained", "unused"))
    with pytest.raises(InputError, match="needs an unstained well"):
        analyse_plate(small.settings)
