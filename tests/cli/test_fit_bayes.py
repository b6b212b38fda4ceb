"""``statera fit --method bayes``."""

from __future__ import annotations

import builtins
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

MODEL = """schema = "statera.model/1"
id = "test/bolus"
title = "Bolus"

[units]
time = "h"
amount = "mg"

[parameters]
lCL = { value = 1.0, unit = "L/h", prior = { mean = 1.0, sd = 0.3 } }
lV = { value = 3.0, unit = "L" }
prop = { value = 0.15, unit = "" }

[random_effects]
eta_CL = { variance = 0.09 }

[individual]
CL = "exp(lCL + eta_CL)"
V = "exp(lV)"

[dynamics]
"d/dt(central)" = "-CL/V*central"

[[inputs.iv]]
kind = "bolus"
into = "central"

[outputs.C]
expression = "central/V"
unit = "mg/L"

[residual.C]
proportional = "prop"
"""
SHORT = ("--method", "bayes", "--draws", "40", "--tune", "60", "--chains", "2")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bayes")
    model, data = folder / "model.toml", folder / "data.csv"
    model.write_text(MODEL, encoding="utf-8")
    rng = np.random.default_rng(4)
    with data.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["ID", "TIME", "EVID", "AMT", "DV"])
        for subject in range(8):
            cl = np.exp(1.0 + 0.3 * rng.normal())
            table.writerow([subject + 1, 0, 1, 100, "."])
            for t in (1.0, 4.0, 8.0):
                c = 100.0 / np.exp(3.0) * np.exp(-cl / np.exp(3.0) * t)
                table.writerow([subject + 1, t, 0, ".", f"{c * (1 + 0.15 * rng.normal()):.5g}"])
    return model, data


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


def test_the_posterior_is_printed_and_written(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    arviz = pytest.importorskip("arviz", reason="the extra bayes is not installed")
    out = tmp_path / "posterior"
    result = invoke(*inputs, *SHORT, "--out", out, "--prior-sd", "2", "--effect-scale", "0.5")
    assert result.exit_code == 4  # 80 draws are too few, and that is said
    assert "the posterior is not well sampled" in result.stderr
    assert "chains begin about the estimates of focei" in result.stderr
    assert "R-hat" in result.stdout
    assert "fewer than 200 effective draws" in result.stdout
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    assert "normal(1, 0.3) of the model" in rows["lCL"]
    assert "normal(3, 2)" in rows["lV"]
    assert "log-normal, median 0.15, SD of log 2" in rows["prop"]
    assert "SD half-normal(0.5)" in rows["omega(eta_CL)"]
    assert "CV %" in rows["omega(eta_CL)"]
    assert {file.name for file in out.iterdir()} == {
        "summary.txt", "posterior.json", "posterior.nc", "parameters.parquet", "draws.parquet",
        "report.html",
    }  # fmt: skip
    draws = pl.read_parquet(out / "draws.parquet")
    assert draws.columns == ["chain", "draw", "lCL", "lV", "prop", "omega(eta_CL)"]
    kept = arviz.from_netcdf(out / "posterior.nc")
    assert kept.posterior["eta"].shape == (2, 40, 8, 1)
    np.testing.assert_allclose(kept.posterior["lV"].values.ravel(), draws["lV"])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Posterior densities and traces" in page
    assert "effective draws" in page


def test_the_envelope(inputs: tuple[Path, Path]) -> None:
    pytest.importorskip("nutpie", reason="the extra bayes is not installed")
    first, again = (invoke(*inputs, *SHORT, "--json", "--quiet", "--seed", "3") for _ in range(2))
    made = json.loads(first.stdout)
    assert made["schema"] == "statera.bayes/1"
    assert made["ok"] is False
    assert made["error"]["exit_code"] == 4
    assert (made["manifest"]["seed"], made["manifest"]["draws"]) == (3, 40)
    rows = {row["name"]: row for row in made["result"]["parameters"]}
    assert rows["lCL"]["mean"] == pytest.approx(1.0, abs=0.5)
    assert rows["lCL"]["q2.5"] < rows["lCL"]["q50"] < rows["lCL"]["q97.5"]
    assert rows["lCL"]["value"] == pytest.approx(np.exp(rows["lCL"]["q50"]))
    assert made["warnings"]
    assert json.loads(again.stdout)["result"]["parameters"] == made["result"]["parameters"]


def test_without_the_extra_the_command_says_how_to_get_it(
    inputs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith(("nutpie", "arviz")):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    result = invoke(*inputs, *SHORT)
    assert result.exit_code == 2
    assert "pip install 'statera[bayes]'" in result.stderr


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (["--checkpoint", "fit.ckpt"], "bayes writes no checkpoint"),
        (["--prior-sd", "0"], "spread must be above 0"),
        (["--draws", "0"], "--draws"),
        (["--target-accept", "1"], "between 0 and 1"),
    ],
)
def test_options_that_are_wrong(
    options: list[str], where: str, inputs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    result = invoke(*inputs, "--method", "bayes", *options)
    assert result.exit_code == 2, result.stderr
    assert where in result.stderr
