"""``statera assay run``, and its potencies on a drug's page."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.cytometry.gatingml import read_gatingml
from statera.engagement.potency_toml import read_potency_toml
from statera.plate.simulated_plate import SimulatedPlate, SimulationOptions, simulate_plate

OPTIONS = SimulationOptions(donors=("D1", "D2", "D3"), cytokines=("IL-6",), events=1500, seed=5)


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPlate:
    return simulate_plate(tmp_path_factory.mktemp("plate"), OPTIONS)


@pytest.fixture(scope="module")
def folder(plate: SimulatedPlate) -> Path:
    out = plate.settings.parent / "results"
    result = invoke("assay", "run", str(plate.settings), "--out", str(out))
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0][:3] == ["Donor", "Cytokine", "Population"]
    assert len(rows) == 10
    return out


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_tables_hold_every_well_and_curve(folder: Path) -> None:
    wells = rows_of(folder / "wells.csv")
    assert {w["status"] for w in wells} == {"analysed"}
    assert len(rows_of(folder / "statistics.csv")) == 3 * len(wells)
    curves = rows_of(folder / "ic50.csv")
    assert len(curves) == 9
    assert all(c["status"] and c["statement"] for c in curves)


def test_the_page_and_the_data_are_whole(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Simulated plate" in page
    data = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert data["schema"] == "statera.plate_result/1"
    assert len(data["result"]["donors"]) == 3


def test_gates_are_read_again(folder: Path) -> None:
    strategy = read_gatingml(folder / "gates" / "plate.xml")
    assert {"CD4", "CD8", "CD11b"} <= set(strategy.populations)


def test_potencies_carry_their_provenance(folder: Path, plate: SimulatedPlate) -> None:
    found = read_potency_toml(folder / "potency.toml")
    assert {p.cells for p in found.potencies} == {"CD4", "CD8", "CD11b"}
    for record in found.potencies:
        truth = OPTIONS.ic50["IL-6", record.cells]
        assert record.low is not None
        assert record.high is not None
        assert record.low < truth < record.high  # the mean of the population, by 3 donors
        assert record.donors == 3
    assert len(found.provenance.files) == len(plate.labels)


def test_gates_of_a_file_give_the_same_counts(folder: Path, plate: SimulatedPlate) -> None:
    text = plate.settings.read_text(encoding="utf-8")
    before, _, after = text.partition("[populations]")
    _, _, rest = after.partition("[compensation]")
    names = 'CD4 = "CD4"\nCD8 = "CD8"\nCD11b = "CD11b"\n'
    gates = '[gating]\nmethod = "gatingml"\nfile = "results/gates/plate.xml"\n'
    path = plate.settings.parent / "gated.toml"
    path.write_text(f"{before}[populations]\n{names}{gates}[compensation]{rest}", encoding="utf-8")
    result = invoke("assay", "run", str(path), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["result"]["statistics"]
    automatic = rows_of(folder / "statistics.csv")
    pairs = [(f["count"], int(a["count"])) for f, a in zip(found, automatic, strict=True)]
    assert all(abs(a - b) <= 0.05 * b for a, b in pairs)  # wells' own borders differ a little


def test_the_page_of_the_drug_shows_them(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.json"
    potency = str(folder / "potency.toml")
    result = invoke(
        "monograph", "baricitinib", "--potency", potency, "--out", str(out), "--n", "50"
    )
    assert result.exit_code == 0, result.stderr
    assert "your plate" in out.read_text(encoding="utf-8")


def test_a_target_that_cannot_be_written_is_refused_first(
    plate: SimulatedPlate, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    result = invoke("assay", "run", str(plate.settings), "--out", str(file))
    assert result.exit_code == 3
    assert "is not a folder" in result.stderr


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    result = invoke("assay", "run", str(tmp_path / "none.toml"))
    assert result.exit_code == 3
    assert "none.toml" in result.stderr
