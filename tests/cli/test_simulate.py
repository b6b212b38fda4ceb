"""``statera simulate``."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

MODEL = "baricitinib/Decker_2024"


def invoke(*arguments: str, dose: str = "4 mg q24h x3") -> Result:
    return CliRunner().invoke(app, ["simulate", MODEL, "--dose", dose, *arguments])


def envelope(*arguments: str) -> dict[str, Any]:
    result = invoke("--json", "--n", "20", *arguments)
    assert result.exit_code == 0, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def without_time(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "manifest": {**made["manifest"], "created": None}}


def test_endpoints_are_printed_on_standard_output() -> None:
    result = invoke("--n", "20")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    heading = ["output", "window", "endpoint", "unit", "p5", "p50", "p95", "geometric mean"]
    assert rows[0] == heading
    assert {"Cmax", "tmax", "AUC", "Cavg", "Ctrough"} <= {row[2] for row in rows[1:]}
    assert {row[1] for row in rows[1:]} == {"0-24 h", "48-72 h"}
    assert result.stderr == ""
    for row in rows[1:]:
        low, middle, high = map(float, row[4:7])
        assert low <= middle <= high


def test_the_envelope_holds_profiles_and_endpoints() -> None:
    made = envelope()
    assert made["schema"] == "statera.simulate/1"
    result = made["result"]
    profile = result["profiles"]["CP"]
    assert profile["unit"] == "ng/mL"
    assert len(profile["time"]) == len(profile["p5"]) == len(profile["p50"])
    assert all(a <= b for a, b in zip(profile["p5"], profile["p95"], strict=True))
    assert len(result["endpoints"]["Cmax"]) == 2 * 20  # two windows
    assert result["failures"] == []
    assert made["manifest"]["seed"] == 1
    digest = made["manifest"]["inputs"]["Decker_2024.toml"]
    assert digest.startswith("sha256:")


def test_average_is_area_over_time() -> None:
    result = envelope()["result"]["endpoints"]
    for area, average in zip(result["AUC"], result["Cavg"], strict=True):
        assert average == pytest.approx(area / 24.0, rel=1e-9)


def test_the_same_seed_gives_the_same_subjects_whatever_the_workers() -> None:
    once, again = envelope("--workers", "1"), envelope("--workers", "2")
    assert without_time(once) == without_time(again)
    other = envelope("--seed", "2")
    assert other["result"]["endpoints"]["Cmax"] != once["result"]["endpoints"]["Cmax"]


def test_renal_impairment_raises_exposure() -> None:
    normal, impaired = (envelope("--covariate", f"egfr={egfr}") for egfr in (93, 60))
    assert sum(impaired["result"]["endpoints"]["AUC"]) > sum(normal["result"]["endpoints"]["AUC"])


def test_leaving_the_domain_is_a_warning() -> None:
    made = envelope("--covariate", "egfr=45")
    assert any("extrapolation" in sentence for sentence in made["warnings"])
    told = invoke("--n", "20", "--covariate", "egfr=45", "--quiet")
    assert told.exit_code == 0
    assert told.stderr.startswith("warning: ")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_profiles_are_written_in_long_form(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"profiles{suffix}"
    result = invoke("--n", "3", "--until", "2 day", "--every", "12 h", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    frame = pl.read_csv(out) if suffix == ".csv" else pl.read_parquet(out)
    assert frame["time"].to_list() == [0.0, 12.0, 24.0, 36.0, 48.0] * 3
    assert frame["subject"].unique().sort().to_list() == [1, 2, 3]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("options", "count", "last"),
    [
        (["--until", "0.3 h", "--every", "0.1 h"], 4, 0.3),
        (["--every", "24 h"], 4, 72.0),  # to the end of the last interval
        (["--until", "5 h"], 6, 5.0),  # hourly
        (["--until", "0 h"], 1, 0.0),
        (["--until", "1 h", "--every", "40 min"], 2, 2 / 3),
    ],
)
def test_grids(options: list[str], count: int, last: float) -> None:
    times = envelope(*options)["result"]["profiles"]["CP"]["time"]
    assert len(times) == count
    assert times[-1] == pytest.approx(last)


@pytest.mark.parametrize(
    ("options", "code", "where"),
    [
        (["--covariate", "egfr"], 2, "--covariate"),
        (["--covariate", "=45"], 2, "--covariate"),
        (["--covariate", "egfr=low"], 2, "--covariate"),
        (["--covariate", "egfr=nan"], 2, "--covariate"),
        (["--covariate", "egfr=inf"], 2, "--covariate"),
        (["--every", "0 h"], 3, "--until, --every"),
        (["--until", "-1 h"], 3, "--until, --every"),
        (["--every", "1 mg"], 3, "--every"),
        (["--until", "1"], 3, "--until"),
        (["--n", "1000000", "--every", "1 min"], 3, "--n, --until, --every"),
        (["--out", "profiles.xlsx"], 3, "--out"),
        (["--out", "nowhere/profiles.csv"], 3, "--out"),
    ],
)
def test_wrong_options(
    options: list[str], code: int, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*options)
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.splitlines()[1] == f"where: {where}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dose", ["0 mg", "-4 mg q24h", "4 h", "four mg", "", "4 mg q0h", "4"])
def test_wrong_doses(dose: str) -> None:
    result = invoke(dose=dose)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.splitlines()[1] == "where: --dose"


def test_an_absurd_covariate_is_refused() -> None:
    result = invoke("--covariate", "egfr=-5")
    assert result.exit_code in (3, 5)
    assert result.stdout == ""


def test_an_unknown_covariate_is_refused() -> None:
    assert invoke("--covariate", "shoe_size=44").exit_code == 3


def test_an_unknown_model_offers_the_nearest() -> None:
    result = CliRunner().invoke(app, ["simulate", "baricitinib/Deker_2024", "--dose", "4 mg"])
    assert result.exit_code == 3
    assert MODEL in result.stderr.splitlines()[2]


def test_a_model_file_of_ones_own(tmp_path: Path, project: Path) -> None:
    shipped = project / "src/statera/library/data/models/baricitinib/Decker_2024.toml"
    mine = tmp_path / "mine.toml"
    mine.write_bytes(shipped.read_bytes())
    result = CliRunner().invoke(
        app, ["simulate", str(mine), "--dose", "4 mg", "--n", "5", "--json", "--until", "2 h"]
    )
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert str(tmp_path) not in result.stdout
    assert made["result"]["endpoints"]["Cmax"][0] > 0.0
    assert math.isfinite(made["result"]["endpoints"]["AUC"][0])


def test_csv_has_a_heading(tmp_path: Path) -> None:
    out = tmp_path / "p.csv"
    invoke("--n", "1", "--until", "1 h", "--out", str(out))
    with out.open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file))[:2] == ["subject", "time"]


def test_windows_thresholds_and_inhibition_are_asked_for() -> None:
    options = (
        "--percentiles", "10,90", "--window", "0,12", "--window", "12,72", "--above", "CP=10",
        "--inhibition", "CP=4.2,1.1",
    )  # fmt: skip
    summary = envelope(*options)["result"]["summary"]
    assert {tuple(e["window_h"]) for e in summary} == {(0, 12), (12, 72)}
    assert {"p10", "p90"} <= set(summary[0])
    assert "p50" not in summary[0]
    by_name = {(e["window_h"][0], e["endpoint"]): e for e in summary}
    assert by_name[12, "time above 10"]["p10"] < by_name[12, "time above 10"]["p90"] <= 60
    assert 0 < by_name[12, "mean inhibition (IC50 4.2, Hill 1.1)"]["p10"] < 1
    printed = invoke("--n", "20", *options).stdout
    assert "p90" in printed
    assert "time above 10" in printed


@pytest.mark.parametrize(
    "options",
    [
        ("--window", "12"),
        ("--window", "a,b"),
        ("--above", "20"),
        ("--above", "CP=x"),
        ("--inhibition", "CP=1,2,3"),
        ("--percentiles", "5,101"),
        ("--percentiles", ""),
    ],
)
def test_windows_that_cannot_be_read(options: tuple[str, str]) -> None:
    result = invoke(*options)
    assert result.exit_code == 2
    assert options[0] in result.stderr
