"""``statera meta network``."""

from __future__ import annotations

import csv
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
    assert found["evidence_flow"]["comparisons"] == ["A vs B", "A vs Placebo", "B vs Placebo"]
    wide = result_of(path, "--measure", "OR", "--reference", "Placebo", "--ci", "t")
    assert wide["treatments"][0]["low"] < found["treatments"][0]["low"]


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


RATES = """study,treatment,events,time
S1,Placebo,10,1000
S1,A,20,1050
S2,Placebo,12,900
S2,B,30,980
S3,A,22,870
S3,B,25,910
"""
COMPONENTS = """study,treatment_1,treatment_2,y,se
S1,A,none,-0.4,0.12
S2,B,none,-0.3,0.15
S3,A+B,none,-0.65,0.13
S4,A+C,C,-0.5,0.16
"""


@pytest.mark.parametrize(
    ("method", "likelihood"),
    [
        ("hypergeometric", "noncentral hypergeometric"),
        ("binomial", "common effects"),
        ("binomial-firth", "penalised by Firth"),
        ("binomial-normal", "random effects"),
    ],
)
def test_models_of_counts(tmp_path: Path, method: str, likelihood: str) -> None:
    path = write(tmp_path, ARMS)
    found = result_of(path, "--method", method, "--reference", "Placebo", "--better", "high")
    assert likelihood in found["likelihood"]
    assert found["measure"] == "OR"
    rows = {t["treatment"]: t for t in found["treatments"]}
    assert rows["B"]["natural"]["estimate"] == pytest.approx(2.9, abs=0.4)
    assert sum(rows["B"]["rank_probabilities"]) == pytest.approx(1.0)
    ran = invoke(path, "--method", method, "--reference", "Placebo")
    assert f"method: {method}" in ran.stdout
    assert "log-likelihood" in ran.stdout


def test_nodes_and_dispersion_are_passed_on(tmp_path: Path) -> None:
    path = write(tmp_path, ARMS)
    plain = result_of(path, "--method", "binomial-firth")
    wide = result_of(path, "--method", "binomial-firth", "--overdispersion")
    factor = max(1.0, plain["dispersion"]) ** 0.5
    assert wide["treatments"][1]["se"] == pytest.approx(factor * plain["treatments"][1]["se"])
    ran = invoke(path, "--method", "binomial-normal", "--nodes", "500")
    assert (ran.exit_code, "500 nodes" in ran.stderr) == (3, True)


@pytest.mark.parametrize("method", ["poisson", "poisson-firth", "poisson-normal"])
def test_models_of_rates(tmp_path: Path, method: str) -> None:
    found = result_of(write(tmp_path, RATES), "--method", method, "--reference", "Placebo")
    assert found["measure"] == "IRR"
    rows = {t["treatment"]: t for t in found["treatments"]}
    assert rows["A"]["natural"]["estimate"] == pytest.approx(1.9, abs=0.4)
    assert rows["A"]["patients"] is None
    contrasts = result_of(write(tmp_path, RATES), "--measure", "IRR", "--reference", "Placebo")
    assert contrasts["treatments"][0]["natural"]["estimate"] == pytest.approx(1.9, abs=0.4)


def test_mantel_haenszel_has_common_effects_and_agreement_of_designs(tmp_path: Path) -> None:
    path = write(tmp_path, ARMS)
    found = result_of(path, "--method", "mantel-haenszel", "--reference", "Placebo")
    assert (found["designs_pooled"], found["q_df"]) == (3, 1)
    assert "direct_and_indirect" not in found
    ran = invoke(path, "--method", "mantel-haenszel")
    assert "Agreement of 3 designs" in ran.stdout
    assert "Common effects (logarithm)" in ran.stdout
    assert "pi.lb" not in ran.stdout


@pytest.mark.parametrize("tau2", ["REML", "ML", "DL", "PM", "REML-approximate", "EE"])
def test_every_estimator_of_tau2(tmp_path: Path, tau2: str) -> None:
    found = result_of(write(tmp_path, ARMS), "--measure", "RR", "--tau2", tau2)
    assert found["tau2_estimator"] == tau2
    assert (found["tau2_interval"][1] is None) == (tau2 == "EE")


def test_components_with_an_interaction(tmp_path: Path) -> None:
    path = write(tmp_path, COMPONENTS)
    options = ("--measure", "MD", "--components", "--inactive", "none")
    found = result_of(path, *options, "--interaction", "B+A")
    assert found["components"]["names"] == ["A", "B", "C", "A*B"]
    assert found["components"]["random"]["estimate"][2] is None  # C is told by nothing
    assert found["q_difference"]["df"] == 1
    ran = invoke(path, *options)
    assert ran.exit_code == 0
    assert "difference (test of additivity)" in ran.stdout
    assert "Not determined by the studies, other than in sums: C." in ran.stderr
    ranked = invoke(path, *options, "--better", "low")
    assert (ranked.exit_code, "cannot be ranked" in ranked.stderr) == (3, True)


def test_parts_are_analysed_each_by_itself(tmp_path: Path) -> None:
    path = write(tmp_path, ARMS + "S4,C,1,10\nS4,D,2,10\n")
    plot = tmp_path / "n.svg"
    ran = invoke(path, "--measure", "OR", "--each-part", "--figure", str(plot))
    assert ran.exit_code == 0
    assert "Part 1 of 2: A, B, Placebo" in ran.stdout
    assert "Part 2 of 2: C, D" in ran.stdout
    assert "n-2.svg" in ran.stderr
    assert (tmp_path / "n-1.svg").exists()
    found = result_of(path, "--method", "binomial", "--each-part")
    assert [part["studies"] for part in found["parts"]] == [3, 1]
    funnel = invoke(path, "--measure", "OR", "--each-part", "--funnel", str(tmp_path / "f.svg"))
    assert "2 parts" in funnel.stderr
    alone = invoke(path, "--measure", "OR")
    assert "--each-part" in alone.stderr


def test_league_tables_name_every_cell_and_carry_certainty(tmp_path: Path) -> None:
    path, long, wide = write(tmp_path, ARMS), tmp_path / "long.csv", tmp_path / "wide.csv"
    judged = tmp_path / "certainty.csv"
    judged.write_text("treatment_1,treatment_2,certainty\nA,Placebo,low\nB,Placebo,high\n")
    ran = invoke(
        path, "--measure", "OR", "--reference", "Placebo", "--certainty", str(judged),
        "--league", str(long), "--league-wide", str(wide),
    )  # fmt: skip
    assert ran.exit_code == 0
    assert "Certainty and risk of bias as given" in ran.stdout
    with long.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 6
    for row in rows:
        assert row["comparison"] == f"{row['treatment_1']} vs {row['treatment_2']}"
        back = next(r for r in rows if r["treatment_1"] == row["treatment_2"]
                    and r["treatment_2"] == row["treatment_1"])  # fmt: skip
        assert float(row["estimate"]) * float(back["estimate"]) == pytest.approx(1, rel=1e-4)
        assert row["certainty"] == back["certainty"]
    assert {r["certainty"] for r in rows if "Placebo" in r["comparison"]} == {"low", "high"}
    with wide.open(newline="") as handle:
        table = list(csv.reader(handle))
    names = table[0][1:]
    for line in table[1:]:
        for name, cell in zip(names, line[1:], strict=True):
            assert cell == "" if name == line[0] else cell.startswith(f"{line[0]} vs {name}: ")


def test_columns_of_judgements_go_along(tmp_path: Path) -> None:
    text = "study,treatment_1,treatment_2,estimate,low,high,grade,rob\nS1,A,P,2,1,4,low,high\n"
    text += "S2,A,P,3,1.5,6,low,low\nS3,B,P,2,1.5,3,high,low\n"
    found = result_of(write(tmp_path, text), "--measure", "HR", "--reference", "P")
    row = next(r for r in found["league"] if r["label"] == "A vs P")
    assert row["certainty"] == {"grade": "low"}
    assert row["risk_of_bias"] == {"rob": "high 1, low 1"}
    shares = found["contributions"]["by_risk_of_bias"]["rob"]
    at = found["contributions"]["estimates"].index("A vs P")
    assert shares[at] == pytest.approx({"high": 0.5, "low": 0.5})
    ran = invoke(str(tmp_path / "network.csv"), "--measure", "HR", "--reference", "P")
    assert "Share of evidence by 'rob' of the studies" in ran.stdout


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_every_figure(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path, ARMS)
    names = ("figure", "forest", "funnel", "ranks", "split-forest")
    files = {name: tmp_path / f"{name}.{ending}" for name in names}
    ran = invoke(
        path, "--measure", "OR", "--reference", "Placebo", "--better", "high", "--order",
        "Placebo,A,B", "--favours", "placebo", "the other",
        *(x for name, file in files.items() for x in (f"--{name}", str(file))),
    )  # fmt: skip
    assert ran.exit_code == 0
    for file in files.values():
        assert file.read_bytes().startswith(b"<svg" if ending == "svg" else b"%PDF")
    if ending == "svg":
        assert "B 2.9" in files["forest"].read_text()
    assert "no order" not in ran.stderr


def test_a_star_has_no_split_to_draw_and_the_rest_is_made(tmp_path: Path) -> None:
    path = write(tmp_path, PAIRS)
    split, forest = tmp_path / "s.svg", tmp_path / "f.svg"
    ran = invoke(path, "--measure", "HR", "--split-forest", str(split), "--forest", str(forest))
    assert (ran.exit_code, split.exists(), forest.exists()) == (0, False, True)
    assert "was not drawn: no comparison has direct and indirect evidence" in ran.stderr
    assert "Network of 3 treatments" in ran.stdout


def test_rows_are_chosen_and_split_by_node(tmp_path: Path) -> None:
    text = "outcome," + ARMS.replace("\n", "\ndeath,")[: -len("death,")]
    path = write(tmp_path, text + "pain,S9,A,1,10\npain,S9,Z,2,10\n")
    found = result_of(path, "--measure", "OR", "--where", "outcome=death", "--split", "node")
    assert found["split"] == "node-splitting"
    assert found["studies"] == 3
    side = result_of(path, "--measure", "OR", "--where", "outcome=death")
    for one, other in zip(found["direct_and_indirect"], side["direct_and_indirect"], strict=True):
        # a triangle has one loop, which both ways see alike
        assert one["difference"] == pytest.approx(other["difference"], abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "magic"), "is no method"),
        (("--method", "binomial", "--measure", "RR"), "lead to OR"),
        (("--method", "binomial", "--components"), "inverse variance only"),
        (("--measure", "OR", "--inactive", "Placebo"), "--components"),
        (("--measure", "OR", "--components", "--each-part"), "join the parts"),
        ((), "measure was not given"),
        (("--measure", "OR", "--split", "twice"), "no way to split"),
        (("--method", "binomial", "--funnel", "f.svg"), "needs the contrasts"),
        (("--method", "binomial", "--split-forest", "f.svg"), "needs the contrasts"),
        (("--measure", "OR", "--ranks", "f.svg"), "which effects are good"),
        (("--measure", "OR", "--nodes", "9"), "has no quadrature"),
        (("--method", "binomial-normal", "--overdispersion"), "has no dispersion"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = invoke(write(tmp_path, ARMS), *arguments)
    assert ran.exit_code == 2
    assert words in ran.stderr
