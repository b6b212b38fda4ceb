"""The task 'fit': its numbers, its course, cancelling and resuming, and its copies."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from statera.cli.main import app
from statera.errors import InputError, UsageError
from statera.web.requests.fit import FitCompareRequest, FitRequest
from statera.web.tasks import fit, fit_compare, fit_course
from statera.web.tasks.fit_copies import fit_command

from .fake_work import FakeWork
from .test_fit_inputs import MODEL, PROJECT, SAMPLE, SAMPLE_FILE, STREAM, UPLOAD, uploaded

TEMPLATE = {"kind": "template", "name": "oral-1"}


def asked(**more: Any) -> FitRequest:
    given = {"data": SAMPLE, "model": TEMPLATE, "replicates": 40, "report": False} | more
    return FitRequest(**given)


def made(folder: Path) -> FakeWork:
    return FakeWork(folder, {SAMPLE: SAMPLE_FILE})


def fitted(work: FakeWork, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(fit.run(asked(**more), work).to_json())
    return answer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[FakeWork, dict[str, Any]]:
    work = made(tmp_path_factory.mktemp("fit"))
    return work, fitted(work, report=True)


def test_estimates_are_near_the_truth_and_flagged(whole: tuple[FakeWork, dict[str, Any]]) -> None:
    answer = whole[1]
    result = answer["result"]
    assert result["status"] == "converged"
    rows = {row["name"]: row for row in result["parameters"]}
    assert rows["TVKA"]["low"] < 1.2 < rows["TVKA"]["high"]
    assert rows["TVCL"]["rse"] < 10.0
    assert rows["omega(eta_CL)"]["shown_as"] == "CV %"
    assert rows["omega(eta_CL)"]["shrinkage"] < 30.0
    criteria = result["criteria"]
    assert criteria["aic"] == pytest.approx(criteria["minus_2ll"] + 2 * 8)
    n = len(result["correlations"]["names"])
    assert n == 8
    assert result["correlations"]["matrix"][3][3] == pytest.approx(1.0)


def test_the_course_is_told_while_it_runs(whole: tuple[FakeWork, dict[str, Any]]) -> None:
    work, answer = whole
    told = [data for _, _, data in work.told if "iteration" in data]
    seen = [row for data in told for row in [*data.get("earlier", []), data]]
    assert told[0]["labels"]["omega(eta_CL)"] == {"shown_as": "CV %", "unit": "%"}
    table = answer["tables"]["course"]
    assert [row["iteration"] for row in seen] == [row[0] for row in table["rows"]]
    assert [row["ofv"] for row in seen] == [row[1] for row in table["rows"]]
    assert seen[-1]["ofv"] == pytest.approx(answer["result"]["ofv"], abs=1e-5)
    place = [c["name"] for c in table["columns"]].index("TVCL")
    assert table["rows"][-1][place] == seen[-1]["parameters"]["TVCL"]
    stages = [data for _, _, data in work.told if data.get("stage") == "estimates"]
    assert stages[0]["estimates"][0]["name"] == "TVKA"


def test_what_figures_need_is_there(whole: tuple[FakeWork, dict[str, Any]]) -> None:
    answer = whole[1]
    names = [c["name"] for c in answer["tables"]["observations"]["columns"]]
    assert {"DV", "PRED", "IPRED", "CWRES", "NPDE", "TAD"} <= set(names)
    assert len(answer["tables"]["observations"]["rows"]) == 576
    assert len({row[0] for row in answer["tables"]["curves"]["rows"]}) == 48
    (panel,) = answer["result"]["vpc"]["panels"]
    assert [s["name"] for s in panel["percentiles"]] == ["p5", "p50", "p95"]
    middle = panel["percentiles"][1]
    inside = [a <= b <= c for a, b, c in
              zip(middle["low"], middle["observed"], middle["high"], strict=True)]  # fmt: skip
    assert sum(inside) >= 0.7 * len(inside)
    assert answer["result"]["gof"]["covariates"] == ["DOSE", "WT", "AGE", "SEX"]


def test_files_stay_beside_the_result(whole: tuple[FakeWork, dict[str, Any]]) -> None:
    saved = whole[0].saved
    assert set(saved) == {"model.toml", "oral-one-compartment.csv", "summary.txt", "report.html"}
    assert saved["oral-one-compartment.csv"][0] == SAMPLE_FILE.read_bytes()
    assert saved["report.html"][0].startswith(b"<!DOCTYPE html>")


def test_the_command_makes_the_same_numbers(
    whole: tuple[FakeWork, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, answer = whole
    command = answer["copies"]["command"]
    assert command == (
        "statera fit model.toml oral-one-compartment.csv --method focei --out report.html "
        "--replicates 40"
    )
    for name in ("model.toml", "oral-one-compartment.csv"):
        (tmp_path / name).write_bytes(work.saved[name][0])
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.partition(" --out")[0])[1:]
    found = CliRunner().invoke(app, [*words, "--json", "--quiet"])
    assert found.exit_code == 0, found.stderr
    result = json.loads(found.stdout)["result"]
    assert result["ofv"] == pytest.approx(answer["result"]["ofv"], abs=1e-6)
    for one, other in zip(result["parameters"], answer["result"]["parameters"], strict=True):
        assert one["estimate"] == pytest.approx(other["estimate"], rel=1e-6)
        assert one["se"] == pytest.approx(other["se"], rel=1e-4)


def test_options_stand_in_command_and_program(tmp_path: Path) -> None:
    """Everything that can be chosen, by a control stream; the program is run."""
    work = made(tmp_path)
    uploaded(work, STREAM, "run1.mod", MODEL)
    lines = SAMPLE_FILE.read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split(",") for line in lines]
    rows = [f"{c[0]},{c[1]},{c[2]},{c[6]}" for c in cells if float(c[1]) <= 12.0]
    uploaded(work, "\n".join(["ID,TIME,AMT,DV", *rows]) + "\n", "study.csv")
    answer = fitted(
        work, data=UPLOAD, model={"kind": "upload", "upload": MODEL}, method="foce", replicates=0,
        initial={"THETA2": 5.0, "ETA1": 0.2}, bounds={"THETA2": (1.0, None)}, fixed=["THETA1"],
        reading={"ignore": ["ID.GT.30"], "lloq": 0.01}, blq="M1", standard_errors="r",
        iterations=200, seed=4,
    )  # fmt: skip
    assert answer["result"]["subjects"] == 30
    assert set(work.saved) == {"run1.mod", "summary.txt"}
    assert answer["copies"]["command"] == (
        "statera fit run1.mod study.csv --method foce --ignore ID.GT.30 --init THETA2=5.0 "
        "--init ETA1=0.2 --bounds THETA2=1.0: --fix THETA1 --lloq 0.01 --blq M1 --seed 4 "
        "--covariance r --iterations 200"
    )
    (tmp_path / "run1.mod").write_text(STREAM, encoding="utf-8")
    (tmp_path / "study.csv").write_bytes(work.uploads[UPLOAD].read_bytes())
    program = tmp_path / "copied.py"
    program.write_text(answer["copies"]["python"], encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    kept = [x for x in answer["result"]["summary"].splitlines() if not x.startswith("Time")]
    printed = run.stdout.splitlines()
    assert [x for x in kept if x not in printed] == []
    run_it = CliRunner()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        found = run_it.invoke(app, [*shlex.split(answer["copies"]["command"])[1:], "--json", "-q"])
    assert json.loads(found.stdout)["result"]["ofv"] == pytest.approx(answer["result"]["ofv"])


@dataclass
class Cancelled(FakeWork):
    """Cancels when an iteration is told."""

    at: int = 3

    def progress(self, fraction: float | None, message: str, **data: Any) -> None:
        super().progress(fraction, message, **data)
        if data.get("iteration", 0) >= self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["focei", "laplace", "its"])
def test_a_fit_that_was_cancelled_goes_on(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_course, "_RARE", 0.0)
    options = {"method": method, "replicates": 0, "standard_errors": "none"}
    start = {"TVKA": 3.0, "TVCL": 12.0, "TVV": 20.0, "eta_CL": 0.5}
    straight = fitted(made(tmp_path), initial=start, **options)
    (tmp_path / "again").mkdir()
    first = Cancelled(tmp_path / "again", {SAMPLE: SAMPLE_FILE})
    with pytest.raises(KeyboardInterrupt):
        fitted(first, initial=start, **options)
    before = [data["iteration"] for _, _, data in first.told if "iteration" in data]
    assert before[-1] == 3
    second = FakeWork(first.folder, first.uploads, attempt=2)
    resumed = fitted(second, initial=start, **options)
    goes_on = next(data["resumed"] for _, _, data in second.told if "resumed" in data)
    assert 1 <= goes_on <= 3
    course = [row[0] for row in resumed["tables"]["course"]["rows"]]
    assert course == sorted(set(course))
    assert course[:goes_on] == before[:goes_on]
    assert len(course) > 3
    # the search builds its picture of the curvature anew: the same minimum to its tolerance
    tolerance = 1e-3 if method != "its" else 0.05
    assert resumed["result"]["ofv"] == pytest.approx(straight["result"]["ofv"], abs=tolerance)
    for one, other in zip(resumed["result"]["parameters"], straight["result"]["parameters"],
                          strict=True):  # fmt: skip
        assert one["estimate"] == pytest.approx(other["estimate"], rel=0.01)


def test_a_second_attempt_without_a_checkpoint_begins(tmp_path: Path) -> None:
    work = FakeWork(tmp_path, {SAMPLE: SAMPLE_FILE}, attempt=2)
    answer = fitted(work, replicates=0, standard_errors="none", method="fo")
    assert answer["tables"]["course"]["rows"][0][0] <= 1


def test_a_fit_that_does_not_converge_says_so(tmp_path: Path) -> None:
    answer = fitted(made(tmp_path), iterations=1, initial={"TVCL": 50.0}, replicates=20)
    result = answer["result"]
    assert result["status"] == "iterations"
    assert not result["converged"]
    assert "largest number of iterations" in result["sentence"]
    assert "vpc" not in result
    assert "gof" not in result
    assert result["parameters"]


def test_names_that_are_wrong_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        fitted(made(tmp_path), reading={"columns": {"DV": "CONC"}})
    assert "CONC" in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_predictive_checks_are_divided_and_corrected(tmp_path: Path) -> None:
    work = made(tmp_path)
    options = {"stratify": "WT", "cuts": [70.0], "corrected": True, "method": "fo"}
    answer = fitted(work, **options, standard_errors="none", report=False)
    strata = [panel["stratum"] for panel in answer["result"]["vpc"]["panels"]]
    assert strata == ["WT < 70", "WT ≥ 70"]
    assert len(answer["result"]["vpc_corrected"]["panels"]) == 1
    assert set(answer["tables"]) >= {"vpc", "vpc_corrected"}
    command = fit_command(asked(**options, report=True), "model.toml", "data.csv")
    assert command.endswith("--replicates 40 --stratify WT:70.0 --corrected")


def test_a_check_that_cannot_be_divided_is_refused_before_the_search(tmp_path: Path) -> None:
    work = made(tmp_path)
    with pytest.raises(UsageError, match="WT has"):
        fitted(work, stratify="WT")
    assert not any("iteration" in data for _, _, data in work.told)


def test_saem_tells_parameters_without_an_objective(tmp_path: Path) -> None:
    work = made(tmp_path)
    answer = fitted(work, method="saem", saem_errors="linearised", replicates=0)
    told = [(f, data) for f, _, data in work.told if "iteration" in data]
    assert told[0][1]["ofv"] is None
    assert told[0][1]["parameters"]["TVCL"] > 0.0
    assert 0.0 < told[-1][0] <= 0.65
    assert answer["result"]["ofv_se"] > 0.0
    assert "--saem-errors linearised" in answer["copies"]["command"]


def test_bayes_answers_by_quantiles(tmp_path: Path) -> None:
    pytest.importorskip("nutpie", reason="the sampler is not installed")
    work = made(tmp_path)
    uploaded(work, "\n".join(SAMPLE_FILE.read_text().splitlines()[:80]) + "\n")
    answer = fitted(
        work, data=UPLOAD, method="bayes", draws=20, tune=20, chains=1, standard_errors="none"
    )
    rows = answer["result"]["posterior"]
    assert [row["name"] for row in rows][:3] == ["TVKA", "TVCL", "TVV"]
    assert all(row["value_low"] <= row["value"] <= row["value_high"] for row in rows)
    assert "draws" in work.told[-2][2]
    assert "--method bayes" in answer["copies"]["command"]


def test_fits_are_compared_only_where_that_means_something() -> None:
    base = {
        "label": "one", "model": "m", "method": "focei", "status": "converged", "ofv": 100.0,
        "aic": 120.0, "bic": 130.0, "parameters": 5, "observations": 50, "data": "sha256:a",
    }  # fmt: skip
    fits = [
        base,
        base | {"label": "two", "ofv": 90.0, "aic": 112.0, "bic": 125.0},
        base | {"label": "three", "data": "sha256:b"},
        base | {"label": "four", "method": "fo"},
        base | {"label": "five", "status": "iterations"},
    ]
    result = fit_compare.run(FitCompareRequest(fits=fits), FakeWork()).result  # type: ignore[arg-type]
    assert [row["d_ofv"] for row in result["rows"]] == [0.0, -10.0, None, None, None]
    assert result["rows"][1]["d_aic"] == -8.0
    assert result["lowest_aic"] == "two"
    assert "other data" in result["rows"][2]["remark"]
    alone = fit_compare.run(FitCompareRequest(fits=[base, fits[2]]), FakeWork()).result  # type: ignore[arg-type]
    assert alone["lowest_aic"] is None  # nothing to compare with
