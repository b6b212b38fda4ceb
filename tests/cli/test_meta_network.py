"""``statera meta network``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

ARMS = """study,treatment,events,total
S1,Placebo,10,100
S1,A,20,100
S2,Placebo,12,110
S2,B,30,108
S3,A,22,90
S3,B,25,92
"""
PAIRS = """study,treatment_1,treatment_2,estimate,low,high
S1,A,Placebo,2.0,1.0,4.0
S2,B,Placebo,3.0,1.5,6.0
"""


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "network.csv"
    path.write_text(text)
    return str(path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["meta", "network", *arguments])


def result_of(*arguments: str) -> dict[str, Any]:
    found = json.loads(invoke(*arguments, "--json").stdout)["result"]
    assert isinstance(found, dict)
    return found


def test_arms_give_a_network_with_ranks_and_inconsistency(tmp_path: Path) -> None:
    path = write(tmp_path, ARMS)
    ran = invoke(path, "--measure", "OR", "--reference", "Placebo", "--better", "high")
    assert ran.exit_code == 0
    heads = ("Network of 3 treatments (studies: 3", "Heterogeneity and inconsistency",
             "compared with 'Placebo'", "Direct and indirect evidence")  # fmt: skip
    places = [ran.stdout.index(head) for head in heads]
    assert places == sorted(places)
    found = result_of(path, "--measure", "OR", "--reference", "Placebo", "--better", "high")
    scores = {t["treatment"]: t["p_score"] for t in found["treatments"]}
    assert scores["B"] > scores["A"] > scores["Placebo"]
    assert sum(scores.values()) == pytest.approx(1.5)
    assert found["q_df"] == 1
    assert len(found["league"]) == 6


def test_comparisons_without_a_loop_are_their_own_studies(tmp_path: Path) -> None:
    found = result_of(write(tmp_path, PAIRS), "--measure", "HR", "--reference", "Placebo")
    rows = {t["treatment"]: t for t in found["treatments"]}
    assert rows["A"]["estimate"] == pytest.approx(math.log(2.0))
    assert rows["A"]["se"] == pytest.approx(math.log(4.0) / (2 * 1.959963984540054))
    assert rows["A"]["p_score"] is None
    indirect = next(
        p for p in found["direct_and_indirect"] if p["studies"] == 0
    )  # A against B: no study compares them
    assert abs(indirect["estimate"]) == pytest.approx(math.log(1.5))


@pytest.mark.parametrize(
    ("text", "arguments", "code", "words"),
    [
        (ARMS, ("--reference", "Nobody"), 3, "Nobody"),
        (ARMS, ("--better", "up"), 2, "no direction"),
        (ARMS, ("--tau2", "magic"), 3, "magic"),
        (ARMS.replace("treatment", "colour"), (), 3, "names the treatments"),
        (ARMS.replace("events", "event_text"), (), 3, "no column 'events'"),
        (ARMS + "S4,C,1,10\nS4,D,2,10\n", (), 3, "falls into 2 parts"),
    ],
)
def test_wrong_input_is_named(
    tmp_path: Path, text: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = invoke(write(tmp_path, text), "--measure", "OR", *arguments)
    assert ran.exit_code == code
    assert words in ran.stderr


def test_text_and_json_are_written(tmp_path: Path) -> None:
    path, text, data = write(tmp_path, ARMS), tmp_path / "n.txt", tmp_path / "n.json"
    ran = invoke(path, "--measure", "RD", "--out", str(text))
    assert text.read_text() == ran.stdout
    assert invoke(path, "--measure", "RD", "--out", str(data)).exit_code == 0
    assert json.loads(data.read_text())["schema"] == "statera.meta.network/1"


def test_the_network_is_drawn(tmp_path: Path) -> None:
    path, figure = write(tmp_path, ARMS), tmp_path / "n.svg"
    assert invoke(path, "--measure", "OR", "--figure", str(figure)).exit_code == 0
    assert ElementTree.fromstring(figure.read_text()).tag.endswith("svg")
    wrong = invoke(path, "--measure", "OR", "--figure", str(tmp_path / "n.bmp"))
    assert wrong.exit_code == 3
    assert "--figure" in wrong.stderr
