"""A synthetic plate with known labels and IC50s, from its files to its IC50s."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from statera.assay.ic50 import Determination
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.strategy import apply_gates
from statera.plate.analyse import analyse_plate
from statera.plate.result import PlateResult

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "flow"
    / "synthetic_pstat3_plate"
)
POPULATIONS = ("CD4", "CD8", "CD11b")
SETTINGS = """\
schema = "statera.plate/1"
drug = "baricitinib"
plate_map = "{folder}/platemap.csv"
files = "{folder}/fcs"
matrix = "cell"
[panel]
fsc_area = "FSC-A"
fsc_height = "FSC-H"
ssc_area = "SSC-A"
live_dead = "LiveDead"
time = "Time"
[panel.markers]
CD3 = "CD3"
CD11b = "CD11b"
CD8 = "CD8"
CD4 = "CD4"
[panel.readouts]
pSTAT3 = "pSTAT3 (pY705)"
[populations]
CD4 = "CD3+ CD4+ CD8-"
CD8 = "CD3+ CD8+ CD4-"
CD11b = "CD3- CD11b+"
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> PlateResult:
    if not FOLDER.exists():
        pytest.skip(f"reference data are not there: {FOLDER}")
    path = tmp_path_factory.mktemp("synthetic") / "plate.toml"
    path.write_text(SETTINGS.format(folder=FOLDER.as_posix()), encoding="utf-8")
    return analyse_plate(path)


def test_automatic_gates_find_the_labelled_cells(result: PlateResult) -> None:
    """F1 at least 0.97 of each subset over all wells together; of each well 0.95."""
    truth = np.load(FOLDER / "truth_event_labels.npz")
    names = json.loads((FOLDER / "truth.json").read_text())["labels"]
    hits = {p: np.zeros(3) for p in POPULATIONS}
    worst = 1.0
    for well in result.wells:
        file = read_fcs(FOLDER / "fcs" / well.well.file)
        masks = apply_gates(result.gates.get(well.well.name, result.gates[""]), file)
        key = next(k for k in truth.files if k.startswith(well.well.well))
        for population in POPULATIONS:
            label = truth[key] == names.index(population)
            found = masks[population]
            counts = np.array([(found & label).sum(), found.sum(), label.sum()])
            hits[population] += counts
            worst = min(worst, 2 * counts[0] / (counts[1] + counts[2]))
    for population, (both, found, label) in hits.items():
        assert 2 * both / (found + label) >= 0.97, population
    assert worst >= 0.95


def test_medians_are_those_of_the_true_labels(result: PlateResult) -> None:
    with (FOLDER / "expected_mfi_with_true_labels.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    expected: dict[tuple[str, str, str, float], list[float]] = {}
    for row in rows:
        key = (row["donor"], row["cyt"], row["pop"], float(row["dose"]))
        expected.setdefault(key, []).append(float(row["mfi"]))
    worst = 0.0
    for found in result.rows:
        w = found.well
        near = expected[w.donor, w.cytokine, found.population, w.dose]
        worst = max(worst, min(abs(found.median / m - 1) for m in near))
    assert worst < 0.03


def test_ic50s_lie_in_their_intervals(result: PlateResult) -> None:
    truth = json.loads((FOLDER / "truth.json").read_text())["ic50_nM_donor"]
    held = []
    for curve in result.curves:
        true = truth[f"{curve.donor}|{curve.cytokine}|{curve.population}"]
        if true is None:
            assert curve.ic50.determination is Determination.REFUSED
            assert np.isnan(curve.ic50.estimate)
            continue
        assert curve.ic50.determination is Determination.DETERMINED
        assert curve.ic50.profile is not None
        held.append(curve.ic50.profile[0] <= true <= curve.ic50.profile[1])
    assert len(held) == 10
    assert sum(held) >= 9
