"""``statera fit``."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from statera.cli.fit_report_asked import read_report_asked
from statera.cli.main import app
from statera.data import parse_regimen
from statera.library import read_model
from statera.simulate import simulate

TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0])
SUBJECTS = 20
START = ("--init", "lCL=1.3", "--init", "lV=2.6")
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def model(project: Path) -> Path:
    return project / "examples" / "oral_one_compartment.toml"


@pytest.fixture(scope="module")
def observed(model: Path) -> Any:
    found = simulate(
        read_model(model), parse_regimen("100 mg"), n=SUBJECTS, times=TIMES, seed=5
    ).outputs["C"]
    noise = np.random.default_rng(5).standard_normal(found.shape)
    return np.maximum(found * (1.0 + 0.2 * noise), 0.01)


@pytest.fixture(scope="module")
def write(observed: Any, tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a data file; a change of a row is asked for by a function of its cells."""

    def made(change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> Path:
        path = tmp_path_factory.mktemp("data") / "data.csv"
        rows = []
        for i in range(SUBJECTS):
            rows.append({"ID": i + 1, "TIME": 0, "AMT": 100, "DV": "."})
            for time, value in zip(TIMES, observed[i], strict=True):
                rows.append({"ID": i + 1, "TIME": time, "AMT": ".", "DV": f"{value:.6g}"})
        changed = [change(row) for row in rows]
        with path.open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, list(changed[0]))
            table.writeheader()
            table.writerows(changed)
        return path

    return made


@pytest.fixture(scope="module")
def data(write: Write) -> Path:
    return write()


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


@pytest.fixture(scope="module")
def envelope(model: Path, data: Path) -> dict[str, Any]:
    result = invoke(model, data, *START, "--json", "--quiet")
    assert result.exit_code == 0, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def test_the_estimates_are_printed(model: Path, data: Path) -> None:
    result = invoke(model, data, *START)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Model            example/oral_one_compartment\n")
    assert "converged." in result.stdout
    assert "Standard errors  R^-1 S R^-1\n" in result.stdout
    assert "shrinkage %" in result.stdout
    told = result.stderr.splitlines()
    assert "20 subjects, 140 records, 20 doses, 120 observations" in told[0]
    heading = next(i for i, line in enumerate(told) if line.split() == ["iteration", "objective",
                                                                        "gradient"])  # fmt: skip
    steps = [float(line.split()[1]) for line in told[heading + 1 :]]
    assert steps == sorted(steps, reverse=True)


def test_the_envelope(envelope: dict[str, Any], model: Path) -> None:
    assert envelope["schema"] == "statera.fit/1"
    assert envelope["ok"] is True
    result = envelope["result"]
    assert (result["status"], result["subjects"], result["observations"]) == ("converged", 20, 120)
    rows = {row["name"]: row for row in result["parameters"]}
    assert rows["lCL"]["shown_as"] == "exp"
    assert rows["lCL"]["se"] > 0.0
    assert rows["lCL"]["value_low"] < np.e < rows["lCL"]["value_high"]  # simulated with e
    assert rows["omega(eta_CL)"]["shrinkage"] < 100.0
    assert result["data"]["source"] == "data.csv"
    assert set(envelope["manifest"]["inputs"]) == {"model", "data"}
    assert len(result["individuals"]) == SUBJECTS


def test_quiet_says_nothing(model: Path, data: Path) -> None:
    result = invoke(model, data, "--quiet", "--covariance", "none")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert " SE " not in result.stdout


def test_what_is_fixed_stays(model: Path, data: Path) -> None:
    result = invoke(model, data, "--fix", "lKA", "--fix", "eta_KA", "--init", "lKA=0.1", "--json")
    assert result.exit_code == 0, result.stderr
    rows = {row["name"]: row for row in json.loads(result.stdout)["result"]["parameters"]}
    assert (rows["lKA"]["fixed"], rows["lKA"]["estimate"]) == (True, 0.1)
    assert (rows["omega(eta_KA)"]["fixed"], rows["omega(eta_KA)"]["se"]) == (True, None)


def test_all_values_kept_evaluates_the_objective(model: Path, data: Path) -> None:
    names = ("lKA", "lCL", "lV", "additive", "proportional", "eta_KA", "eta_CL", "eta_V")
    kept = [word for name in names for word in ("--fix", name)]
    result = invoke(model, data, *kept, "--json")
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert made["result"]["status"] == "evaluated"
    assert [row["fixed"] for row in made["result"]["parameters"]] == [True] * 9
    assert made["warnings"] == []


def test_all_files_go_into_a_folder(
    model: Path, data: Path, envelope: dict[str, Any], tmp_path: Path
) -> None:
    result = invoke(model, data, *START, "--out", tmp_path / "results")
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "summary.txt", "fit.json", "fit.ext", "fit.phi",
        "parameters.parquet", "individuals.parquet", "iterations.parquet",
        "observations.parquet", "report.html",
    }  # fmt: skip
    frame = pl.read_parquet(tmp_path / "results" / "parameters.parquet")
    expected = [row["estimate"] for row in envelope["result"]["parameters"]]
    np.testing.assert_allclose(frame["estimate"].to_numpy(), expected, rtol=1e-6)
    rows = pl.read_parquet(tmp_path / "results" / "observations.parquet")
    assert rows.height == SUBJECTS * TIMES.size
    assert {"PRED", "IPRED", "CWRES"} <= set(rows.columns)
    assert "-1000000001" in (tmp_path / "results" / "fit.ext").read_text(encoding="utf-8")
    page = (tmp_path / "results" / "report.html").read_text(encoding="utf-8")
    assert "Fit of example/oral_one_compartment" in page
    assert "omega(eta_CL)" in page
    assert "isual predictive check" in page
    assert page.count("<svg") >= 4
    assert str(data.parent) not in page


def test_a_fit_resumes_from_its_checkpoint(
    model: Path, data: Path, envelope: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "fit.ckpt"
    short = invoke(model, data, *START, "--iterations", "2", "--checkpoint", file, "--json")
    assert short.exit_code == 4
    made = json.loads(short.stdout)
    assert (made["ok"], made["result"]["status"]) == (False, "iterations")
    assert all(row["se"] is None for row in made["result"]["parameters"])
    assert "fit.ckpt" in made["error"]["hint"]
    rest = invoke(model, data, "--checkpoint", file, "--resume", "--json", "--quiet")
    assert rest.exit_code == 0, rest.stderr
    found = json.loads(rest.stdout)["result"]
    assert found["iterations"][0]["number"] == 3
    assert found["ofv"] == pytest.approx(envelope["result"]["ofv"], abs=1e-3)


def test_a_checkpoint_of_other_data_is_refused(
    model: Path, data: Path, write: Write, tmp_path: Path
) -> None:
    file = tmp_path / "fit.ckpt"
    assert invoke(model, data, "--iterations", "1", "--checkpoint", file).exit_code == 4
    other = write(lambda row: row | {"AMT": 110 if row["AMT"] == 100 else "."})
    result = invoke(model, other, "--checkpoint", file, "--resume")
    assert result.exit_code == 3
    assert "the checkpoint belongs to other data" in result.stderr
    none = invoke(model, data, "--checkpoint", tmp_path / "none", "--resume")
    assert none.exit_code == 3
    assert "cannot be read" in none.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to a process there")
def test_ctrl_c_leaves_the_best_so_far(
    project: Path, model: Path, data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "fit.ckpt"
    command = [sys.executable, "-m", "statera", "fit", str(model), str(data), *START]
    process = subprocess.Popen(
        [*command, "--checkpoint", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.split() == ["iteration", "objective", "gradient"]:
            process.send_signal(signal.SIGINT)
            break
    out, told = process.communicate(timeout=300)
    assert process.returncode == 4, told
    assert "stopping after this iteration" in told
    assert "the fit has not converged (stopped)" in told
    assert "these are the best values so far" in out
    assert "stopped." in out
    saved = json.loads(file.read_text(encoding="utf-8"))
    assert saved["iteration"] == 1
    rest = invoke(model, data, "--checkpoint", file, "--resume")
    assert rest.exit_code == 0, rest.stderr


def test_ctrl_c_in_the_covariance_step_keeps_the_estimates(
    model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    step = importlib.import_module("statera.estimate.outcome")
    monkeypatch.setattr(step, "covariance", interrupted)
    result = invoke(model, data, *START)
    assert result.exit_code == 4
    assert "the covariance step was interrupted" in result.stderr
    assert "converged." in result.stdout
    assert "there are no standard errors" in result.stdout


def test_its_reports_the_objective_of_focei(
    model: Path, data: Path, envelope: dict[str, Any]
) -> None:
    run = invoke(model, data, *START, "--method", "its", "--json")
    assert run.exit_code == 0, run.stderr
    found = json.loads(run.stdout)["result"]
    assert (found["method"], found["status"]) == ("its", "converged")
    assert 0.0 <= found["ofv"] - envelope["result"]["ofv"] < 1.0
    pairs = zip(found["parameters"], envelope["result"]["parameters"], strict=True)
    for one, other in list(pairs)[:3]:  # the same but for a part of what the data leave open
        assert abs(one["estimate"] - other["estimate"]) < 0.5 * other["se"], one["name"]
    assert "its gives no standard errors here" in run.stderr


def test_a_mixture_is_told_by_subpopulation(
    model: Path, data: Path, tmp_path: Path, envelope: dict[str, Any]
) -> None:
    text = model.read_text(encoding="utf-8")
    old = "exp(lCL + eta_CL)"
    assert text.count(old) == 1
    text = text.replace(old, "exp(lCL + where(GROUP == 1, 0, FASTER) + eta_CL)")
    assert text.count("[parameters]") == 1
    more_of_them = "[parameters]\nFASTER = { value = 0.5 }\nSHARE = { value = 0.3 }"
    text = text.replace("[parameters]", more_of_them)
    more = """
[mixture]
variable = "GROUP"
probabilities = { slow = "rest", fast = "SHARE" }
"""
    mixed = tmp_path / "mixed.toml"
    mixed.write_text(text + more, encoding="utf-8")
    run = invoke(mixed, data, *START, "--out", tmp_path / "out", "--covariance", "none")
    assert "subpopulation" in run.stdout
    content = json.loads((tmp_path / "out" / "fit.json").read_text(encoding="utf-8"))["result"]
    assert content["ofv"] <= envelope["result"]["ofv"] + 0.01  # one population is a special case
    groups = content["mixture"]["subpopulations"]
    assert [g["name"] for g in groups] == ["slow", "fast"]
    assert sum(g["proportion"] for g in groups) == pytest.approx(1.0)
    assert sum(g["subjects"] for g in groups) == SUBJECTS
    assert (tmp_path / "out" / "fit.phm").is_file()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Posterior probabilities by subject" in page


def test_saem_samples_by_its_seed(model: Path, data: Path, envelope: dict[str, Any]) -> None:
    runs = [invoke(model, data, "--method", "saem", "--seed", seed, "--json") for seed in "112"]
    assert [run.exit_code for run in runs] == [0, 0, 0], runs[0].stderr
    first, again, other = (json.loads(run.stdout)["result"] for run in runs)
    estimates = [
        [row["estimate"] for row in found["parameters"]] for found in (first, again, other)
    ]
    assert estimates[0] == estimates[1] != estimates[2]
    expected = [row["estimate"] for row in envelope["result"]["parameters"]]
    np.testing.assert_allclose(estimates[0][:3], expected[:3], atol=0.1)
    assert expected[:3] != estimates[0][:3]
    se = [row["se"] for row in first["parameters"][:3]]
    np.testing.assert_allclose(
        se, [row["se"] for row in envelope["result"]["parameters"][:3]], rtol=0.2
    )
    assert "importance sampling" in first["standard_errors"]
    assert "fixed effects" in runs[0].stderr  # it has no objective while it runs


def test_the_report_is_divided_and_corrected(model: Path, tmp_path: Path, write: Write) -> None:
    file = write(lambda row: row | {"DOSE": 1 + int(row["ID"]) % 2, "WT": 50 + int(row["ID"])})
    out = tmp_path / "report.html"
    run = invoke(model, file, *START, "--out", out, "--stratify", "DOSE", "--corrected", "--log")
    assert run.exit_code == 0, run.stderr
    assert list(tmp_path.iterdir()) == [out]  # a report of one page
    page = out.read_text(encoding="utf-8")
    assert str(file.parent) not in page
    assert "Visual predictive check by DOSE" in page
    assert "Prediction-corrected visual predictive check" in page
    assert "Coverage of prediction intervals, C, DOSE = 2 (60 observations)" in page
    for given, code, told in (
        ("WT", 2, "--stratify WT:70"),
        ("WT:heavy", 2, "'heavy' is not a number"),
        ("SEX", 3, "'SEX'"),
    ):
        wrong = invoke(model, file, *START, "--out", out, "--stratify", given)
        assert wrong.exit_code == code, wrong.stderr
        assert told in wrong.stderr
        assert wrong.stdout == ""


# bad input


@pytest.mark.parametrize(
    ("options", "code", "where"),
    [
        (["--saem-errors", "both"], 2, "--saem-errors"),
        (["--stratify", "DOSE"], 2, "--out report.html"),
        (["--method", "fossil"], 2, "--method"),
        (["--covariance", "q"], 2, "--covariance"),
        (["--blq", "M9"], 2, "--blq"),
        (["--init", "lCL"], 2, "--init"),
        (["--init", "lCL=high"], 2, "--init"),
        (["--bounds", "lCL=1"], 2, "--bounds"),
        (["--bounds", "lCL=1:low"], 2, "--bounds"),
        (["--bounds", "lCL=3:2"], 2, "--bounds"),
        (["--bounds", "lQ=0:1"], 2, "'lQ' is not a parameter"),
        (["--replicates", "100"], 2, "--out report.html"),
        (["--init", "lCL=1", "--init", "lCL=2"], 2, "--init"),
        (["--init", "lQ=1"], 2, "'lQ' is not a parameter"),
        (["--fix", "lQ"], 2, "'lQ' is not a parameter"),
        (["--resume"], 2, "--resume needs --checkpoint"),
        (["--output", "7=C"], 3, "--output"),
        (["--output", "1=Q"], 2, "'Q' has no residual error"),
        (["--column", "DV=CONC"], 3, "CONC"),
        (["--ignore", "WHAT"], 3, "ignore"),
        (["--out", "nowhere/at/all"], 3, "--out"),
        (["--checkpoint", "nowhere/fit.ckpt"], 3, "--checkpoint"),
        (["--out", "nowhere/report.html"], 3, "--out"),
        (["--time-unit", "mg"], 3, "mg"),
    ],
)
def test_options_that_are_wrong(
    options: list[str], code: int, where: str, model: Path, data: Path
) -> None:
    result = invoke(model, data, *options)
    assert result.exit_code == code, result.stderr
    assert where in result.stderr
    assert result.stdout == ""


def test_an_error_is_an_envelope_too(model: Path, data: Path) -> None:
    result = invoke(model, data, "--method", "fossil", "--json")
    made = json.loads(result.stdout)
    assert (made["ok"], made["error"]["exit_code"]) == (False, 2)
    assert "focei" in made["error"]["hint"]


def test_a_column_that_is_missing(model: Path, write: Write) -> None:
    file = write(lambda row: {name: cell for name, cell in row.items() if name != "TIME"})
    result = invoke(model, file)
    assert result.exit_code == 3
    assert "there is no column TIME" in result.stderr


def test_a_data_file_that_is_not_there(model: Path, tmp_path: Path) -> None:
    result = invoke(model, tmp_path / "none.csv")
    assert result.exit_code == 3
    assert "none.csv" in result.stderr


def test_doses_that_are_all_zero(model: Path, write: Write) -> None:
    result = invoke(model, write(lambda row: row | {"AMT": 0}))
    assert result.exit_code == 3
    assert "the data hold no dose" in result.stderr


def test_values_without_a_logarithm(model: Path, write: Write, tmp_path: Path) -> None:
    text = model.read_text(encoding="utf-8")
    head, _, _ = text.partition('additive = "additive"')
    lognormal = tmp_path / "log.toml"
    lognormal.write_text(f'{head}additive = "additive"\nscale = "log"\n', encoding="utf-8")
    zero = write(lambda row: row | ({"DV": 0} if row["TIME"] == 8.0 else {}))
    result = invoke(lognormal, zero)
    assert result.exit_code == 3
    assert "20 observed values of C are not above 0" in result.stderr
    assert "DV 0 is not above 0" in result.stderr  # the report of the data gives lines


def test_logarithms_under_an_error_of_the_natural_scale(model: Path, data: Path) -> None:
    result = invoke(model, data, "--log-dv")
    assert result.exit_code == 3
    assert "the residual error of C is not on the log scale" in result.stderr


def test_a_model_that_is_not_identifiable(model: Path, data: Path, tmp_path: Path) -> None:
    text = model.read_text(encoding="utf-8")
    doubled = tmp_path / "doubled.toml"
    doubled.write_text(
        text.replace("exp(lCL + eta_CL)", "exp(lCL + lX + eta_CL)").replace(
            "\nlV =", '\nlX = { value = 0.1, unit = "" }\nlV ='
        ),
        encoding="utf-8",
    )
    result = invoke(doubled, data, "--json")
    made = json.loads(result.stdout)
    assert any("cannot tell lCL, lX apart" in text for text in made["warnings"])
    rows = {row["name"]: row for row in made["result"]["parameters"]}
    assert rows["lCL"]["se"] is None  # a standard error that nothing stands behind
    assert rows["lX"]["se"] is None


def test_a_model_without_residual_error(model: Path, data: Path, tmp_path: Path) -> None:
    text = model.read_text(encoding="utf-8").partition("# Variance: additive")[0]
    bare = tmp_path / "bare.toml"
    bare.write_text(text, encoding="utf-8")
    result = invoke(bare, data)
    assert result.exit_code == 3
    assert "there is nothing to fit" in result.stderr


def test_data_that_are_not_named(model: Path) -> None:
    result = invoke(model)
    assert result.exit_code == 2
    assert "no data file is given" in result.stderr


# control streams

STREAM = """$PROBLEM one compartment
$INPUT ID TIME AMT DV
$DATA data.csv IGNORE=@
$SUBROUTINES ADVAN2 TRANS2
$PK
KA = EXP(THETA(1) + ETA(1))
CL = EXP(THETA(2) + ETA(2))
V = EXP(THETA(3) + ETA(3))
S2 = V
$ERROR
Y = F + SQRT(THETA(4)**2 + (THETA(5)*F)**2)*EPS(1)
$THETA 0 1.3 2.6 (0, 0.1) (0, 0.2)
$OMEGA 0.2
$OMEGA BLOCK(2) 0.1 0.02 0.1
$SIGMA 1 FIX
$ESTIMATION METHOD=1 INTERACTION
"""


def test_a_control_stream_is_fitted_with_its_data(
    data: Path, envelope: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "run1.mod"
    file.write_text(STREAM, encoding="utf-8")
    (tmp_path / "data.csv").write_bytes(data.read_bytes())
    for given in ([file], [file, data]):
        result = invoke(*given, "--json", "--quiet")
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)["result"]
        assert found["ofv"] == pytest.approx(envelope["result"]["ofv"], abs=1e-3)
        rows = {row["name"]: row for row in found["parameters"]}
        assert rows["THETA2"]["shown_as"] == "exp"
        expected = {row["name"]: row for row in envelope["result"]["parameters"]}
        assert rows["THETA2"]["value"] == pytest.approx(expected["lCL"]["value"], rel=1e-3)


def test_a_control_stream_that_cannot_be_translated(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "run2.mod"
    file.write_text(STREAM.replace("ADVAN2 TRANS2", "ADVAN10 TRANS1"), encoding="utf-8")
    result = invoke(file, data)
    assert result.exit_code == 3
    assert "run2.mod:4" in result.stderr


def test_a_parameter_stays_within_its_bounds(model: Path, data: Path) -> None:
    given = ("--init", "lCL=1.8", "--bounds", "lCL=1.7:1.9", "--covariance", "none", "--json", "-q")
    result = invoke(model, data, "--method", "fo", *given)
    rows = json.loads(result.stdout)["result"]["parameters"]
    (clearance,) = (row["estimate"] for row in rows if row["name"] == "lCL")
    assert 1.7 <= clearance < 1.71  # the data say 1


def test_a_report_simulates_as_often_as_asked() -> None:
    asked = read_report_asked(Path("report.html"), 1, "", corrected=True, logarithmic=False,
                              replicates=37)  # fmt: skip
    assert [check.n for check in asked.options().vpc] == [37, 37]
    assert read_report_asked(None, 1, "", corrected=False, logarithmic=False).replicates == 500
