"""Files, gates and scales against outside reference data; skipped where these are absent."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.compensation import spillover_from_stains
from statera.cytometry.gatingml import read_gatingml
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.repair import Defect, FcsError
from statera.cytometry.scales import PlainArcsinh
from statera.cytometry.strategy import apply_gates

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference")) / "flow"
)
GATES = FOLDER / "gatingml2"


def there(*parts: str) -> Path:
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return path


def test_events_as_another_reader_gives_them() -> None:
    folder = there("fcs", "flowio_truth")
    path = there("fcs", "flowio", "data1.fcs")
    raw = np.load(folder / "data1_original_events.npy")
    scaled = np.load(folder / "data1_preprocessed.npy")
    np.testing.assert_array_equal(read_fcs(path, raw=True).events.T.ravel(), raw.ravel())
    np.testing.assert_allclose(read_fcs(path).events.T.ravel(), scaled.ravel(), rtol=1e-14)


def test_every_readable_file_is_read_and_every_other_refused() -> None:
    refused = {}
    shapes = {}
    for path in sorted(there("fcs").glob("*/*")):
        if path.suffix == ".npy":
            continue
        try:
            shapes[path.name] = read_fcs(path).events.shape
        except FcsError as error:
            refused[path.name] = str(error)
    assert set(refused) == {"corrupted.fcs", "sample_header.fcs", "coulter.lmd"}
    assert "the file has 10 bytes" in refused["corrupted.fcs"]
    assert "the events end at byte 2165911" in refused["sample_header.fcs"]
    assert "2 data sets" in refused["coulter.lmd"]
    assert len(shapes) == 19
    assert shapes["fake_large_fcs.fcs"] == shapes["FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs"]


@pytest.mark.parametrize("which", ["start", "stop"])
def test_offsets_that_disagree_are_settled(which: str) -> None:
    file = read_fcs(there("fcs", "flowio", f"data_{which}_offset_discrepancy_example.fcs"))
    assert Defect.OFFSETS_DISAGREE in [r.defect for r in file.repairs]
    assert file.events.shape == (26, 2)


def gated() -> list[tuple[str, str]]:
    path = GATES / "expected_counts.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as stream:
        return [(row["gatingml_file"], row["gate"]) for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def sample() -> FcsFile:
    return read_fcs(there("gatingml2", "data1.fcs"))


def test_no_pair_of_file_and_gate_is_lost() -> None:
    there("gatingml2")
    assert len(gated()) == 131


@pytest.mark.parametrize("name", sorted({name for name, _ in gated()}))
def test_gates_of_the_compliance_set(name: str, sample: FcsFile) -> None:
    found = apply_gates(read_gatingml(GATES / "gml" / name), sample)
    wanted = [gate for file, gate in gated() if file == name]
    for gate in wanted:
        text = (GATES / "truth" / f"Results_{gate}.txt").read_text(encoding="utf-8")
        truth = np.array(text.split(), dtype=np.int64) == 1
        wrong = np.flatnonzero(found[gate] != truth)
        assert wrong.size == 0, f"{gate}: events {wrong[:5]}"


def test_the_biexponential_table_to_its_printed_digits() -> None:
    (path,) = there("wsp_flowjo", "flowjo_xforms").glob("*.csv")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    printed = np.array([float(row["lookup[i]"]) for row in rows])
    scale = Biexponential(1.0, -7.943282, 4.418540, 262144.000029)
    last_digit = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(printed), 1e-3))) - 5)
    assert printed.size == 4096
    # the width in the name of the file has seven digits, which costs up to 0.3 of the last one
    assert (np.abs(scale.table[: printed.size] - printed) <= 0.8 * last_digit).all()


def test_float_events_as_another_program_keeps_them() -> None:
    raw = read_fcs(there("wsp_flowjo", "test_comp_example.fcs"), raw=True)
    truth = np.fromfile(there("wsp_flowjo", "test_comp_example.npy"))
    np.testing.assert_array_equal(raw.events.T.ravel(), truth)


def test_spillover_from_single_stains() -> None:
    folder = there("compensation_flowcore", "compdata")
    printed = np.loadtxt(folder / "compref", skiprows=1, usecols=range(1, 5))
    detectors = ("FL1-H", "FL2-H", "FL3-H", "FL4-H")
    files = {n: read_fcs(folder / "data" / f"060909.00{n}") for n in range(1, 6)}
    stained = dict(zip(detectors, (files[n] for n in (2, 3, 5, 4)), strict=True))
    found = spillover_from_stains(stained, files[1], detectors)
    np.testing.assert_allclose(found.matrix, printed, atol=5e-5)


def test_medians_of_phospho_signals() -> None:
    folder = there("phospho_bodenmiller")
    with (folder / "expected_medians_asinh5_all.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    scale = PlainArcsinh(5.0)
    compared = 0
    for row in rows:
        file = read_fcs(folder / row["file"])
        assert file.n_events == int(row["n"])
        assert [r.defect for r in file.repairs] == [Defect.END_ONE_TOO_FAR]
        for name in list(row)[4:]:
            median = float(np.median(scale(file.channel(name))))
            assert abs(median - float(row[name])) <= 1e-12
            compared += 1
    assert compared == 784
