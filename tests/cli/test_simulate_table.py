"""``statera simulate --events`` and ``--parquet``."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.simulate import StreamedSimulation

MODEL = "baricitinib/Decker_2024"
TABLE = """ID,TIME,EVID,AMT,II,ADDL,egfr
1,0,1,4,24,2,60
1,2,0,.,.,.,60
1,50,0,.,.,.,60
2,0,1,2,0,0,100
2,1,0,.,.,.,100
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", MODEL, *arguments])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "study.csv"
    file.write_text(TABLE, encoding="utf-8")
    return file


def test_a_table_is_summarised_and_written(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    result = invoke("--events", str(table), "--out", str(out), "--seed", "3")
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0] == ["output", "unit", "records", "p5", "p50", "p95"]
    assert rows[1][:3] == ["CP", "ng/mL", "3"]
    frame = pl.read_csv(out)
    assert frame["subject"].to_list() == [1, 1, 2]
    assert frame["time"].to_list() == [2.0, 50.0, 1.0]
    assert (frame["CP"] > 0).all()


def test_the_envelope_holds_every_record(table: Path) -> None:
    result = invoke("--events", str(table), "--json")
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert made["ok"]
    assert made["result"]["subjects"] == 2
    assert made["result"]["records"]["subject"] == ["1", "1", "2"]
    assert "study.csv" in made["manifest"]["inputs"]
    again = json.loads(invoke("--events", str(table), "--json").stdout)
    assert again["result"] == made["result"]


def test_a_bad_table_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "study.csv"
    file.write_text(TABLE.replace("2,1,0", "2,-1,0"), encoding="utf-8")
    result = invoke("--events", str(file))
    assert result.exit_code == 3
    assert "time goes back" in result.stderr
    assert "study.csv:6" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--events", "t.csv", "--dose", "4 mg"),
        ("--events", "t.csv", "--n", "5"),
        ("--events", "t.csv", "--covariate", "egfr=45"),
        ("--events", "t.csv", "--parquet", "folder"),
        ("--dose", "4 mg", "--parquet", "folder", "--out", "p.csv"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "next:" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_population_is_kept_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    arguments = ("--dose", "4 mg q24h x2", "--n", "30", "--parquet", str(folder))
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    found = StreamedSimulation(folder)
    assert found.n_subjects == 30
    in_memory = invoke("--dose", "4 mg q24h x2", "--n", "30")
    assert result.stdout == in_memory.stdout
    made = json.loads(invoke(*arguments, "--json").stdout)
    assert made["result"]["subjects"] == 30
    assert not made["result"]["profiles"]


def test_profiles_are_kept_where_a_step_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = invoke(
        "--dose", "4 mg", "--n", "3", "--every", "1 h", "--until", "6 h", "--parquet", str(folder)
    )
    assert result.exit_code == 0, result.stderr
    assert StreamedSimulation(folder).profiles().collect().height == 3 * 7


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    result = invoke("--dose", "4 mg", "--n", "3", "--parquet", str(tmp_path))
    assert result.exit_code == 3
    assert "holds no simulation" in result.stderr
