"""``statera biomarker predict`` on a simulated trial."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

pytest.importorskip("sklearn", reason="scikit-learn, the extra of prediction, is absent")

LIGHT = ("--folds", 3, "--repeats", 1, "--inner", 2, "--bootstraps", 2)
AT = ("--samples", "samples.csv", "--at", "week=0", "--outcome", "visits.csv")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["biomarker", "predict", *map(str, arguments)])


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the files of the example, smaller, and work in their folder."""
    path = Path(__file__).parents[2] / "examples" / "predict_responders.py"
    spec = importlib.util.spec_from_file_location("predict_responders", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_trial(tmp_path, subjects=70, markers=8)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_files_to_a_page_and_a_model_that_is_used_again(trial: Path) -> None:
    found = invoke(
        "npx.csv", *AT, "--rule", "rule.toml", "--covariate", "age", "--batch", "plate", *LIGHT,
        "--json", "--out", "page.html", "--out", "samples_out.csv", "--save", "model.json",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    envelope = json.loads(found.stdout)
    result = envelope["result"]
    assert result["auc"]["low"] < result["auc"]["auc"] < result["auc"]["high"]
    assert result["auc"]["auc"] > 0.7
    assert result["rule"]["conditions"] == ["jadas27 <= 1 @ 24"]
    assert result["rule"]["cuts"] == [1.0]
    assert result["optimism"]["resamples"] == 2
    assert len(result["folds"]) == 3
    assert any(w.startswith("coupling: jadas27 contains ESR") for w in envelope["warnings"])
    names = {g["name"] for g in result["guards"]}
    assert {"coupling", "dichotomising", "gate", "missing outcomes", "batch"} <= names
    assert result["outcomes"]["0"] == "missing: jadas27 at 24 (left out)"
    assert {m["name"] for m in result["markers"]} >= {"P0", "IL6"}
    page = (trial / "page.html").read_text(encoding="utf-8")
    for key in ("roc", "calibration", "decision", "stability-bars"):
        assert f'id="{key}-title"' in page
    rows = list(csv.DictReader(io.StringIO((trial / "samples_out.csv").read_text())))
    assert len(rows) == result["samples"]
    assert 0.0 < float(rows[0]["probability"]) < 1.0
    again = invoke("npx.csv", *AT, "--batch", "plate", "--apply", "model.json", "--json")
    assert again.exit_code == 0, again.output
    applied = json.loads(again.stdout)["result"]
    assert applied["validation"]["auc"]["method"] == "DeLong"
    assert applied["validation"]["auc"]["auc"] > result["auc"]["auc"]  # these it was made from
    assert len(applied["predictions"]) == 70
    alone = invoke("npx.csv", "--samples", "samples.csv", "--at", "week=0", "--batch", "plate",
                   "--apply", "model.json", "--out", "new.csv")  # fmt: skip
    assert alone.exit_code == 0, alone.output
    assert (trial / "new.csv").read_text().startswith("sample,subject,probability\n")


def test_a_rule_on_the_command_line_and_boosting(trial: Path) -> None:
    found = invoke(
        "npx.csv", *AT, "--rule", "lowest 40 % of change(jadas27, 0, 24)", "--visit", "week",
        "--model", "boosting", "--top", 4, "--folds", 2, "--repeats", 1, "--inner", 2,
        "--bootstraps", 0,
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "AUC, cross-validated" in found.stdout
    assert "regression to the mean" in found.stderr
    assert "taken from these subjects" in found.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((*AT,), "a rule says what a response is, and none is built in"),
        ((*AT, "--rule", "jadas27 is low", "--visit", "week"), "not understood"),
        ((*AT, "--rule", "jadas27 <= 1 @ 24"), "no column of visits is named"),
        ((*AT, "--rule", "acr <= 1 @ 24", "--visit", "week"), "no column is called 'acr'"),
        ((*AT, "--rule", "jadas27 <= 99 @ 24", "--visit", "week"), "too few non-responders"),
        ((*AT, "--rule", "rule.toml", "--model", "forest"), "no model is called 'forest'"),
        ((*AT, "--rule", "rule.toml", "--lod", "censored"), "censored values go with"),
        ((*AT, "--rule", "rule.toml", "--lod", "flag"), "does not take the policy 'flag'"),
        ((*AT, "--rule", "rule.toml", "--covariate", "sex"), "no column is called 'sex'"),
        ((*AT, "--rule", "rule.toml", "--missing", "refuse"), "cannot be decided"),
        ((*AT, "--rule", "rule.toml", "--out", "x.pdf"), "does not end in .html or .csv"),
        (("--samples", "samples.csv", "--at", "week=52", "--rule", "rule.toml"), "'52'"),
        ((*AT, "--apply", "rule.toml"), "no JSON"),
        ((*AT, "--apply", "rule.toml", "--out", "page.html"), "not a page"),
    ],
)
def test_refusals_say_why(trial: Path, options: tuple[str, ...], words: str) -> None:
    found = invoke("npx.csv", *options, *LIGHT)
    assert found.exit_code != 0
    assert words in f"{found.output}{found.exception}"


def test_the_extra_is_named(trial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sklearn", "sklearn.linear_model"):
        monkeypatch.setitem(sys.modules, name, None)
    found = invoke("npx.csv", *AT, "--rule", "rule.toml", *LIGHT)
    assert found.exit_code != 0
    assert "statera[predict]" in f"{found.output}{found.exception}"


def test_an_outcome_in_the_table_of_samples(trial: Path) -> None:
    lines = (trial / "samples.csv").read_text().splitlines()
    rows = [line for line in lines[1:] if ",0," in line]
    kept = [
        f"{lines[0]},responder",
        *(f"{r},{'yes' if i % 3 else 'no'}" for i, r in enumerate(rows)),
    ]
    (trial / "one.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = invoke("npx.csv", "--samples", "one.csv", "--rule", "responder = 1", *LIGHT, "--json")
    assert found.exit_code == 0, found.output
    result = json.loads(found.stdout)["result"]
    assert result["responders"] == sum(bool(i % 3) for i in range(70))
    assert result["rank_correlation"] == [None, None, None]
