"""``statera biomarker exposure-response`` on simulated trials with known effects."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

GRADES = ("none", "20", "50", "70")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["biomarker", "exposure-response", *map(str, arguments)])


def result(found: Result) -> dict[str, object]:
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert answer["schema"] == "statera.biomarker-exposure-response/1"
    return dict(answer["result"])


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """Write 300 subjects on four doses; exposure is known, and one cell is empty."""
    rng = np.random.default_rng(3)
    n = 300
    dose = rng.choice([0, 1, 2, 4], n)
    weight = rng.uniform(20.0, 80.0, n)
    auc = dose * 130.0 * np.exp(0.5 * rng.normal(size=n))
    eta = -1.6 + 3.0 * auc / (150.0 + auc)
    answer = rng.random(n) < 1.0 / (1.0 + np.exp(-eta))
    grade = (rng.logistic(size=n) + eta > np.array([[0.0], [1.2], [2.2]])).sum(axis=0)
    wait, leave = 20.0 * rng.exponential(np.exp(0.4 * eta)), rng.uniform(8.0, 52.0, n)
    path = tmp_path / "trial.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("id", "dose", "weight", "auc", "acr50", "grade", "week", "flare"))
        for i in range(n):
            writer.writerow(
                (i, dose[i], f"{weight[i]:.1f}", "" if i == 7 else f"{auc[i]:.3f}", int(answer[i]),
                 GRADES[grade[i]], f"{min(wait[i], leave[i]) + 0.01:.3f}", int(wait[i] <= leave[i]))
            )  # fmt: skip
    return path


BINARY = ("--endpoint", "binary", "--outcome", "acr50")


def test_binary_response_with_page_and_table(trial: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    found = invoke(trial, *BINARY, "--exposure", "auc", "--dose-column", "dose", "--bootstrap", 20,
                   "--exposure-label", "AUC24 (ng·h/mL)", "--json", "--out", page,
                   "--out", table)  # fmt: skip
    answer = result(found)
    assert answer["status"] == "ok"
    parameters = {row["name"]: row for row in answer["parameters"]}  # type: ignore[attr-defined]
    assert parameters["EC50"]["low"] < 150.0 < parameters["EC50"]["high"]
    assert parameters["Emax"]["low"] < 3.0 < parameters["Emax"]["high"]
    assert [d["dose"] for d in answer["doses"][0]] == ["0", "1", "2", "4"]  # type: ignore[index]
    assert "1 of 300 rows lack a value and were left out: row 8." in answer["notes"]  # type: ignore[operator]
    text = page.read_text(encoding="utf-8")
    for words in ("AUC24 (ng·h/mL)", "Chance by dose", "not regular", "profile likelihood"):
        assert words in text
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["parameter"] for row in rows] == ["intercept", "Emax", "EC50"]


def test_exposures_from_a_population_model(trial: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    answer = result(
        invoke(trial, *BINARY, "--population", "baricitinib/Decker_2024", "--dose-column", "dose",
               "--population-covariate", "WT=weight", "--draws", 20, "--model", "log",
               "--predict", "8 mg q24h ss", "--predict", "placebo", "--json", "--out", page)
    )  # fmt: skip
    assert answer["exposure"] == "AUC24 (ng*h/mL)"
    assert answer["rows"] == 300
    high, none = answer["predicted_doses"]  # type: ignore[misc]
    assert high["chance"][0] > 0.6
    assert none["chance"][0] < 0.3
    assert none["exposure"] == [0.0, 0.0, 0.0]
    notes = " ".join(answer["notes"])  # type: ignore[arg-type]
    assert "EGFR = 93" in notes
    assert "flatter curve" in notes
    text = page.read_text(encoding="utf-8")
    assert "20 draws a subject" in text
    assert "Every subject under one regimen" in text


def test_ordered_grades(trial: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    answer = result(invoke(trial, "--endpoint", "ordinal", "--outcome", "grade", "--levels",
                           ",".join(GRADES), "--exposure", "auc", "--model", "log", "--json",
                           "--out", page))  # fmt: skip
    names = [row["name"] for row in answer["parameters"]]  # type: ignore[attr-defined]
    assert names == ["slope", "cut 20", "cut 50", "cut 70"]
    assert len(answer["curves"]) == len(answer["observed"]) == 3  # type: ignore[arg-type]
    assert answer["proportional_odds"]["df"] == 2  # type: ignore[index]
    assert "One coefficient for all cuts?" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("hazard", "more"),
    [("weibull", ()), ("cox", ()), ("piecewise", ("--cuts", "8,16")), ("log-logistic-odds", ())],
)
def test_times_to_an_event(trial: Path, tmp_path: Path, hazard: str, more: tuple[str, ...]) -> None:
    page = tmp_path / "page.html"
    asked = () if hazard == "cox" else ("--at", "12")
    answer = result(
        invoke(trial, "--endpoint", "time", "--outcome", "flare", "--time", "week", "--exposure",
               "auc", "--dose-column", "dose", "--model", "linear", "--hazard", hazard, *more,
               *asked, "--json", "--out", page)
    )  # fmt: skip
    slope = next(row for row in answer["parameters"] if row["name"] == "slope")  # type: ignore[attr-defined]
    assert slope["high"] < 0.0
    assert answer["log_rank"]["p_value"] < 1e-3  # type: ignore[index]
    assert answer["ratio"] is (hazard == "cox")
    text = page.read_text(encoding="utf-8")
    assert "Log-rank test" in text
    assert ("Chance by dose" in text) is (hazard != "cox")


def test_a_form_that_is_not_identified_warns_and_draws(trial: Path, tmp_path: Path) -> None:
    lines = trial.read_text(encoding="utf-8").splitlines()
    two = tmp_path / "two.csv"
    kept = [x for x in lines[1:] if x.split(",")[1] in ("0", "4")]
    two.write_text("\n".join([lines[0], *kept]), encoding="utf-8")
    page = tmp_path / "page.html"
    found = invoke(two, *BINARY, "--exposure", "dose", "--json", "--out", page)
    answer = result(found)
    assert answer["status"] == "not fitted"
    assert json.loads(found.stdout)["warnings"] == ["emax: not fitted."]
    assert answer["smallest_aic"] in ("linear", "log")
    assert "No estimates" in page.read_text(encoding="utf-8")


def test_the_table_is_printed(trial: Path) -> None:
    found = invoke(trial, *BINARY, "--exposure", "auc", "--model", "linear", "--firth")
    assert found.exit_code == 0, found.output
    assert "parameter\testimate" in found.stdout
    assert "profile likelihood" in found.stdout
    # the penalty is not built for saturating effects: their row says so
    assert "Firth's penalty is built for" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--endpoint", "count", "--exposure", "auc"), "count"),
        ((*BINARY, "--exposure", "auc", "--model", "cubic"), "cubic"),
        (BINARY, "from a column or from a population model"),
        ((*BINARY, "--population", "baricitinib/Decker_2024"), "needs the dose"),
        ((*BINARY, "--exposure", "auc", "--predict", "8 mg q24h ss"), "need a population model"),
        ((*BINARY, "--exposure", "auk"), "auk"),
        (("--endpoint", "time", "--time", "week", "--outcome", "flare", "--exposure", "auc",
          "--hazard", "piecewise"), "rising times"),
        ((*BINARY, "--population", "baricitinib/Nobody", "--dose-column", "dose"), "Nobody"),
        ((*BINARY, "--population", "baricitinib/Decker_2024", "--dose-column", "dose",
          "--metric", "peak"), "peak"),
    ],
)  # fmt: skip
def test_refusals_say_why(trial: Path, arguments: tuple[str, ...], words: str) -> None:
    found = invoke(trial, *arguments)
    assert found.exit_code != 0
    assert words in f"{found.output}{found.exception}"
