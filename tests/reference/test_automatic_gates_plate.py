"""Automatic gates and quality control on a simulated plate of 48 wells with known labels."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from statera.cytometry.automatic_gates import automatic_gates
from statera.cytometry.panel import Panel
from statera.cytometry.quality import check_quality
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.strategy import apply_gates

REPOSITORY = Path(__file__).resolve().parents[2]
PLATE = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "flow"
    / "synthetic_pstat3_plate"
)
pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not PLATE.is_dir(), reason=f"reference data are not there: {PLATE}"),
]

MARKERS = {name: name for name in ("CD3", "CD4", "CD8", "CD11b")}
SIGNS = {"CD4": "CD3+ CD4+", "CD8": "CD3+ CD8+", "CD11b": "CD3- CD11b+"}
BY_SCATTER = {"CD4": "lymphocytes CD4+", "CD8": "lymphocytes CD8+", "CD11b": "monocytes CD11b+"}


def panel(populations: dict[str, str], *, dead: bool = True) -> Panel:
    return Panel(
        "FSC-A",
        "FSC-H",
        "SSC-A",
        "LiveDead" if dead else "",
        "Time",
        MARKERS,
        {"pSTAT3": "APC-A"},
        populations,
    )


@pytest.fixture(scope="module")
def plate() -> dict[str, FcsFile]:
    return {path.name: read_fcs(path) for path in sorted((PLATE / "fcs").glob("*.fcs"))}


@pytest.mark.parametrize(
    ("populations", "least", "least_well"), [(SIGNS, 0.999, 0.995), (BY_SCATTER, 0.97, 0.95)]
)
def test_subsets_are_found(
    plate: dict[str, FcsFile], populations: dict[str, str], least: float, least_well: float
) -> None:
    gates = automatic_gates(plate, panel(populations))
    assert not gates.refused
    assert not any(c.low_confidence for c in gates.confidence)
    labels = np.load(PLATE / "truth_event_labels.npz")
    names = [str(name) for name in labels["pops"]]
    counts = {name: np.zeros((len(plate), 2)) for name in populations}
    for k, (well, file) in enumerate(plate.items()):
        masks = apply_gates(gates.for_well(well), file)
        for name in populations:
            truth = labels[well] == names.index(name)
            counts[name][k] = (truth & masks[name]).sum(), (truth ^ masks[name]).sum()
    for both in counts.values():
        right, wrong = both.sum(axis=0)
        assert 2 * right / (2 * right + wrong) >= least
        assert (2 * both[:, 0] / (2 * both[:, 0] + both[:, 1])).min() >= least_well


def test_clean_wells_lose_only_what_is_off_scale(plate: dict[str, FcsFile]) -> None:
    for file in plate.values():
        report = check_quality(file, panel(SIGNS))
        top = (file.channel("FSC-A") >= 262_143.0) | (file.channel("SSC-A") >= 262_143.0)
        assert report.counts["flow_rate"] == report.counts["drift"] == 0
        assert (report.removed["margin"] == top).all()
