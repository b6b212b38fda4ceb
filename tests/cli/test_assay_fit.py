"""``statera assay fit``: curves of a table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

DOSES = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two parallel curves, the second with three times the IC50; one response is missing."""
    rng = np.random.default_rng(4)
    lines = ["donor,cells,dose_uM,response"]
    for donor, half in (("D1", 20.0), ("D2", 60.0)):
        for dose in DOSES * 2:
            y = 5.0 + 95.0 / (1.0 + dose / half) + rng.normal(0.0, 1.5)
            lines.append(f"{donor},CD4,{dose / 1000:g},{y:.3f}")
    lines.append("D2,CD4,0.001,NA")
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_ic50s_are_printed_with_their_status(table: Path) -> None:
    result = invoke("assay", "fit", str(table))
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[0] for row in rows[1:]] == ["D1, CD4", "D2, CD4"]
    assert "(95 %:" in rows[1][1]
    assert "the point of line 38 has no response and is left out" in result.stderr


def test_comparison_gives_the_ratio(table: Path) -> None:
    result = invoke("assay", "fit", str(table), "--compare", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["result"]
    assert found["curves"][0]["ic50_nM"] == pytest.approx(20.0, rel=0.15)
    assert found["comparison"]["parallel"] is True
    assert found["comparison"]["equal_ic50"] is False
    (ratio,) = found["comparison"]["ratios"]
    low, high = ratio["profile"]
    assert low < 1 / 3 < high


def test_a_fixed_top_and_an_absolute_response(table: Path) -> None:
    asked = ("--model", "3pl", "--top", "100", "--absolute", "50", "--json")
    result = invoke("assay", "fit", str(table), *asked)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["result"]
    assert found["curves"][0]["top"] == 100.0
    expected = 20.0 * (95.0 / 45.0 - 1.0)
    assert found["absolute"][0]["ic50_nM"] == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(
    ("change", "said", "code"),
    [
        (("dose_uM", "dose"), "the column of doses is not clear: none", 3),
        (("response", "y"), "no column 'response'", 3),
        (("D1,CD4,0,", "D1,CD4,-1,"), "the dose '-1' is not a number of 0 or more", 3),
        (("D1,CD4,0,", "D1,CD4,"), "3 fields, but the heading has 4", 3),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    table: Path, change: tuple[str, str], said: str, code: int
) -> None:
    table.write_text(table.read_text().replace(*change), encoding="utf-8")
    result = invoke("assay", "fit", str(table))
    assert result.exit_code == code
    assert said in result.stderr


@pytest.mark.parametrize(
    "asked", [("--model", "6pl"), ("--model", "3pl"), ("--top", "100"), ("--level", "95")]
)
def test_options_that_do_not_fit(table: Path, asked: tuple[str, ...]) -> None:
    assert invoke("assay", "fit", str(table), *asked).exit_code == 2
