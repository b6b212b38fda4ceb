"""``statera meta pairwise``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.evidence.effects import effects_of
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseOptions

TABLE = """study,region,estimate,low,high,events_1,time_1,events_2,time_2,rob_confounding,latitude
Alpha,North,1.40,1.05,1.87,96,9120,88,11650,low,55
Beta,North,0.92,0.61,1.39,41,4180,52,4890,high,48
Gamma,South,1.71,1.10,2.66,51,3900,38,5020,some concerns,33
Delta,South,1.10,0.74,1.63,47,5020,55,6410,,40
"""


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "hr.csv"
    path.write_text(TABLE)
    return str(path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["meta", "pairwise", *arguments])


def as_json(*arguments: str) -> dict[str, Any]:
    found = json.loads(invoke(*arguments, "--json").stdout)
    assert isinstance(found, dict)
    return found


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    rows = [line.split(",") for line in TABLE.splitlines()[1:]]
    y = np.log([float(r[2]) for r in rows])
    width = np.log([float(r[4]) / float(r[3]) for r in rows])
    return y, (width / (2 * 1.959963984540054)) ** 2


def test_the_text_has_the_blocks_in_order_and_the_json_the_same_numbers(table: str) -> None:
    result = invoke(table, "--measure", "HR", "--ci", "hartung-knapp")
    assert result.exit_code == 0
    heads = ("Random-Effects Model (k = 4; tau^2 estimator: REML)", "tau^2 (estimated",
             "Test for Heterogeneity:", "Model Results:", "Hazard ratio:",
             "Prediction interval, 95 % (t(k-1)")  # fmt: skip
    places = [result.stdout.index(head) for head in heads]
    assert places == sorted(places)
    assert "*" not in result.stdout
    y, v = by_hand()
    expected = pairwise(effects_of(y, v), PairwiseOptions(test="knha"))
    found = as_json(table, "--measure", "HR", "--ci", "hartung-knapp")["result"]
    assert found["coefficients"][0]["estimate"] == pytest.approx(expected.estimate, rel=1e-9)
    assert found["natural"]["high"] == pytest.approx(np.exp(expected.ci_high[0]), rel=1e-9)
    assert found["tau2"] == pytest.approx(expected.tau2, rel=1e-6)
    assert sum(s["weight_percent"] for s in found["studies"]) == pytest.approx(100.0)
    assert found["studies"][1]["columns"]["rob_confounding"] == "high"


def test_options_reach_the_synthesis(table: str) -> None:
    y, v = by_hand()
    mean = float((y / v).sum() / (1 / v).sum())
    common = as_json(table, "--measure", "HR", "--tau2", "EE", "--level", "0.9")["result"]
    assert common["coefficients"][0]["estimate"] == pytest.approx(mean, rel=1e-9)
    assert common["coefficients"][0]["high"] == pytest.approx(
        mean + 1.6448536269514722 * (1 / v).sum() ** -0.5, rel=1e-9
    )
    assert common["prediction"] is None
    two = as_json(table, "--measure", "HR", "--prediction", "t(k-2)")["result"]
    assert (two["prediction"]["convention"], two["prediction"]["df"]) == ("t(k-2)", 2.0)


def test_subgroups_moderators_and_chosen_rows(table: str) -> None:
    found = as_json(table, "--measure", "HR", "--by", "region")["result"]
    assert [g["name"] for g in found["subgroups"]["groups"]] == ["North", "South"]
    assert found["subgroups"]["df"] == 1
    slope = as_json(table, "--measure", "HR", "--moderator", "latitude")["result"]
    assert [c["term"] for c in slope["coefficients"]] == ["intercept", "latitude"]
    words = as_json(table, "--measure", "HR", "--moderator", "region")["result"]
    assert words["coefficients"][1]["term"] == "region: South"
    north = as_json(table, "--measure", "HR", "--where", "region=north")["result"]
    assert north["k"] == 2


def test_findings_are_warnings_and_repair_nothing(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("study,estimate,low,high\nA,1.2,0.9,1.6\nB,2.5,0.37,6.18\nC,1.1,,\n")
    result = invoke(str(path), "--measure", "HR")
    assert result.exit_code == 0
    assert (
        "warning: line 3: the interval of B (2.5, 0.37 to 6.18) is not symmetric" in result.stderr
    )
    assert "C is left out" in result.stderr
    assert "k = 2" in result.stdout
    assert "Left out: C" in result.stdout
    assert any("not symmetric" in w for w in as_json(str(path), "--measure", "HR")["warnings"])


def test_one_study_is_shown_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("study,estimate,low,high\nA,1.2,0.9,1.6\n")
    figure = tmp_path / "one.svg"
    result = invoke(str(path), "--measure", "HR", "--figure", str(figure))
    assert result.exit_code == 0
    assert "only one study" in result.stderr
    assert figure.exists()


def test_files_are_written(table: str, tmp_path: Path) -> None:
    svg, pdf, text, data = (tmp_path / n for n in ("f.svg", "f.pdf", "o.txt", "o.json"))
    first = invoke(table, "--measure", "HR", "--by", "region", "--figure", str(svg),
                   "--funnel", str(pdf), "--out", str(text))  # fmt: skip
    assert first.exit_code == 0
    assert ElementTree.fromstring(svg.read_text()).tag.endswith("svg")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert text.read_text() == first.stdout
    assert invoke(table, "--measure", "HR", "--out", str(data)).exit_code == 0
    assert json.loads(data.read_text())["schema"] == "statera.meta.pairwise/2"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--measure", "HR", "--tau2", "magic"), 3, "magic"),
        (("--measure", "HR", "--ci", "magic"), 2, "no test of a pooled effect"),
        (("--measure", "HR", "--by", "colour"), 3, "no column 'colour'"),
        (("--measure", "HR", "--by", "region", "--moderator", "latitude"), 2, "exclude each other"),
        (("--measure", "HR", "--moderator", "latitude", "--figure", "x.svg"), 2, "no one mean"),
        (("--measure", "HR", "--figure", "x.bmp"), 3, "does not end in .svg or .pdf"),
        (("--measure", "HR", "--where", "region"), 2, "no condition"),
        (("--measure", "MAGIC"), 3, "MAGIC"),
        ((), 3, "measure was not given"),
    ],
)
def test_wrong_use_has_its_exit_code_and_a_sentence(
    table: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = invoke(table, *arguments)
    assert result.exit_code == code, result.stderr
    assert words in result.stderr


def test_nothing_to_pool_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("study,estimate,low,high\nA,1.2,1.6,0.9\n")
    result = invoke(str(path), "--measure", "HR")
    assert result.exit_code == 3
    assert "no study has an effect" in result.stderr
