"""``statera biomarker``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["biomarker", "indices", *map(str, arguments)])


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    file = tmp_path / "visits.csv"
    file.write_text("subject,tjc,sjc,crp,gh\na,4,5,7,50\nb,29,5,7,50\n", encoding="utf-8")
    return file


def test_rows_results_and_status(visits: Path) -> None:
    found = invoke(visits, "--index", "das28-crp")
    assert found.exit_code == 0
    rows = [line.split("\t") for line in found.stdout.splitlines()]
    assert rows[0] == ["subject", "das28", "state", "status"]
    assert rows[1] == ["a", "4.154697989", "moderate", "ok"]
    assert rows[2][:3] == ["b", "", ""]
    assert rows[2][3].startswith("refused: tender joints")
    assert "1 of 2 rows were refused" in found.stderr


def test_json_and_file(visits: Path, tmp_path: Path) -> None:
    out = tmp_path / "das28.csv"
    found = json.loads(invoke(visits, "--index", "das28-crp", "--json", "--out", out).stdout)
    assert found["result"]["results"]["das28"][0] == pytest.approx(4.154697988704682)
    assert found["result"]["results"]["das28"][1] is None
    assert out.read_text().splitlines()[1] == "a,4.154697989,moderate,ok"


def test_the_list_names_columns() -> None:
    lines = invoke("--list").stdout.splitlines()
    assert "das28-crp3\tDAS28-CRP, three variables\ttjc sjc crp" in lines
    every = json.loads(invoke("--list", "--json").stdout)["result"]["indices"]
    assert [one["index"] for one in every] == [line.split("\t")[0] for line in lines[1:]]
    easi = next(one for one in every if one["index"] == "easi")
    assert (easi["may_be_absent"], easi["columns"][-1]) == (["age"], "age")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 2, "a table and the name"),
        (("--index", "das29-crp"), 3, "das28-crp"),
        (("--index", "das28-crp", "--missing", "locf"), 3, "--missing"),
        (("--index", "das28-crp", "--worsening", "free"), 2, "fixed-30"),
        (("--index", "das28-esr"), 3, "lacks: esr"),
    ],
)
def test_mistakes(visits: Path, options: tuple[str, ...], code: int, words: str) -> None:
    found = invoke(visits, *options, "--json")
    assert found.exit_code == code
    assert words in found.stdout
