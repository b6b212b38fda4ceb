"""``statera assay plan``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

FILES = ("bench-sheet.html", "platemap.csv", "dilutions.csv", "plan.json", "plate.toml")


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["assay", "plan", *map(str, arguments)])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One donor, and a simulation that takes no time."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'schema = "statera.assay_plan/1"\n[layout]\ndonors = 1\n'
        "[precision]\nexperiments = 20\ndoses = [9]\nreplicates = [2]\n",
        encoding="utf-8",
    )
    return path


def test_the_folder_gets_all_files(tmp_path: Path, small: Path) -> None:
    out = tmp_path / "bench"
    result = invoke("--plan", small, "--out", out)
    assert result.exit_code == 0
    assert {p.name for p in out.iterdir()} == set(FILES)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0][:4] == ["tube", "dose", "reached", "DMSO"]
    assert lines[1][:4] == ["W1", "10 µM", "10000 nM", "0.1 %"]
    assert lines[1][4:] == ["at least 99 %", "NOT RETRIEVED"]
    assert "1 plate of 96 wells: 8 unstimulated, 8 stimulated, 36 dose" in result.stdout
    assert "Not stated yet: cells per well" in result.stderr
    wells = list(csv.DictReader((out / "platemap.csv").read_text("utf-8").splitlines()))
    assert len(wells) == 59 + 36
    assert json.loads((out / "plan.json").read_text("utf-8"))["manifest"]["inputs"]["mine.toml"]


def test_settings_that_were_filled_in_are_kept(tmp_path: Path, small: Path) -> None:
    out = tmp_path / "bench"
    out.mkdir()
    (out / "plate.toml").write_text("mine", encoding="utf-8")
    result = invoke("--plan", small, "--out", out, "--no-precision")
    assert (out / "plate.toml").read_text("utf-8") == "mine"
    assert "plate.toml (kept as it was)" in result.stderr


def test_json_on_standard_output() -> None:
    result = invoke("--json", "--no-precision")
    data = json.loads(result.stdout)
    assert data["schema"] == "statera.assay_plan.result/1"
    assert data["result"]["plates"] == 3
    assert data["result"]["precision"] is None


def test_the_same_plan_twice_is_the_same(tmp_path: Path, small: Path) -> None:
    for name in ("one", "two"):
        invoke("--plan", small, "--out", tmp_path / name)
    for file in ("platemap.csv", "dilutions.csv", "plate.toml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_own_potencies(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("cytokine,value,unit\nIL-15,31.6,nM\n", encoding="utf-8")
    data = json.loads(invoke("--potency", table, "--json", "--no-precision").stdout)
    found = {e["cytokine"]: e for e in data["result"]["expected"]}
    assert found["IL-15"]["words"][5] == "50 %"


def test_own_protocol_beside_the_plan(tmp_path: Path, project: Path) -> None:
    source = project / "src/statera/assay/protocols/pstat3.toml"
    (tmp_path / "own.toml").write_bytes(source.read_bytes())
    plan = tmp_path / "plan.toml"
    plan.write_text('schema = "statera.assay_plan/1"\nprotocol = "own.toml"\n', encoding="utf-8")
    data = json.loads(invoke("--plan", plan, "--json", "--no-precision").stdout)
    assert data["manifest"]["protocol"] == "own"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "nothing says where the bench sheet goes"),
        (("--json", "--pdf"), 2, "--pdf needs a folder"),
        (("--json", "--protocol", "pstat9"), 3, "no protocol is called 'pstat9'"),
        (("--out", "/nowhere/at/all"), 3, "does not exist"),
        (("--json", "--plan", "/nowhere.toml"), 3, "cannot read the file"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], code: int, said: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_an_experiment_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    plan = tmp_path / "large.toml"
    plan.write_text('schema = "statera.assay_plan/1"\n[layout]\nreplicates = 9\n', encoding="utf-8")
    result = invoke("--plan", plan, "--json")
    assert result.exit_code == 3
    assert "needs 90 wells" in result.stderr
    assert "has 60" in result.stderr


def test_pdf(tmp_path: Path, small: Path) -> None:
    pytest.importorskip("typst", reason="PDF needs the extra 'pdf'")
    invoke("--plan", small, "--out", tmp_path / "bench", "--pdf", "--no-precision")
    assert (tmp_path / "bench/bench-sheet.pdf").read_bytes().startswith(b"%PDF")
