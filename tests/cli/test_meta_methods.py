"""``statera meta pairwise``: every method, diagnostic, figure and table, and several outcomes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.evidence.rare_events import mantel_haenszel

TABLE = """study,year,outcome,region,registry,events_1,total_1,events_2,total_2,rob_selection
T1,2001,VTE,N,A,3,120,9,118,low
T2,2003,VTE,N,A,2,240,5,236,high
T3,2004,VTE,S,B,4,80,6,82,some
T4,1998,VTE,S,C,6,420,9,410,
T1,2001,MACE,N,A,5,120,7,118,low
T2,2003,MACE,N,A,12,240,15,236,low
T3,2004,MACE,S,B,4,80,3,82,low
T4,1998,Death,S,C,0,60,0,61,low
"""
GRADE = """
[[outcome]]
name = "VTE"
label = "Thromboembolism"
design = "randomised"
certainty = "moderate"
comparator_risk = 0.012
comparator_source = "a register"
risk_of_bias = { concern = "serious", reason = "open trials" }
inconsistency = "not serious"
indirectness = "not serious"
imprecision = { concern = "serious", reason = "few events" }
publication_bias = "undetected"
"""
VTE = ("--where", "outcome=VTE")


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "trials.csv"
    path.write_text(TABLE)
    return str(path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["meta", "pairwise", *arguments])


def as_json(*arguments: str) -> dict[str, Any]:
    ran = invoke(*arguments, "--json")
    assert ran.exit_code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert isinstance(found, dict)
    return found


def arms() -> list[list[float]]:
    rows = [r for r in csv.DictReader(TABLE.splitlines()) if r["outcome"] == "VTE"]
    return [[float(r[c]) for r in rows] for c in ("events_1", "total_1", "events_2", "total_2")]


def test_mantel_haenszel_from_the_file_to_the_number(table: str) -> None:
    found = as_json(table, "--measure", "OR", "--method", "mh", *VTE)["result"]
    expected = mantel_haenszel("OR", *arms())
    assert found["pooled"]["estimate"] == pytest.approx(expected.estimate, rel=1e-12)
    assert found["detail"]["tarone"]["df"] == 3
    assert sum(s["weight_percent"] for s in found["studies"]) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("peto", "Common-Effect Model (k = 4; Peto)"),
        ("glmm", "Unconditional Model with Fixed Study Effects"),
        ("CM.AL", "Conditional Model with Approximate Likelihood"),
        ("bayes", "Bayesian Random-Effects Model (k = 4)"),
        ("three-level", "Multilevel Meta-Analysis Model (k = 4; method: REML)"),
    ],
)
def test_methods_are_reached(table: str, method: str, head: str) -> None:
    ran = invoke(table, "--measure", "OR", "--method", method, *VTE)
    assert ran.exit_code == 0, ran.stderr
    assert head in ran.stdout
    assert "Odds ratio: " in ran.stdout


def test_priors_and_intervals_of_bayes(table: str) -> None:
    plain = ("--measure", "OR", "--method", "bayes", *VTE)
    found = as_json(table, *plain, "--prior", "half-t 0.4 4", "--mu-prior", "0", "2",
                    "--credible", "central")["result"]["detail"]  # fmt: skip
    assert found["prior"] == {"family": "half-t", "scale": 0.4, "shape": 4.0}
    assert found["mu_prior"] == [0.0, 2.0]
    assert found["interval"] == "central"
    for wrong in ("magic 1", "half-normal", "half-normal x", "half-normal 1 2 3"):
        assert invoke(table, *plain, "--prior", wrong).exit_code == 2


def test_clusters_give_a_robust_error_by_any_heading(table: str) -> None:
    found = as_json(table, "--measure", "OR", "--cluster", "registry", *VTE)["result"]
    assert (found["robust"]["kind"], found["robust"]["clusters"]) == ("CR2", 3)
    assert found["pooled"]["se"] == found["robust"]["se"][0]
    assert found["coefficients"][0]["se"] != found["pooled"]["se"]
    other = as_json(table, "--measure", "OR", "--cluster", "region", "--robust", "CR1", *VTE)
    assert other["result"]["robust"]["clusters"] == 2


def test_diagnostics_reach_text_and_json(table: str) -> None:
    asked = ("--leave-one-out", "--influence", "--bias", "--cumulative", "--permutations", "9",
             "--bootstrap", "50")  # fmt: skip
    found = as_json(table, "--measure", "OR", *VTE, *asked)["result"]["diagnostics"]
    assert [s["study"] for s in found["leave_one_out"]] == ["T1", "T2", "T3", "T4"]
    # by the column 'year', not in the order of the table
    assert [s["study"] for s in found["cumulative"]] == ["T4", "T1", "T2", "T3"]
    assert found["permutation"]["exact"] is True
    assert found["egger"]["classical"] is True
    assert found["not_made"] == []
    turned = as_json(table, "--measure", "OR", *VTE, "--cumulative", "--order", "total_1")
    assert turned["result"]["diagnostics"]["cumulative"][0]["study"] == "T3"
    text = invoke(table, "--measure", "OR", *VTE, *asked).stdout
    assert text.index("Leave-One-Out") < text.index("Influence") < text.index("Egger")


def test_several_outcomes_have_a_result_each_and_a_failing_one_is_a_status(table: str) -> None:
    answer = as_json(table, "--measure", "OR", "--method", "mh")
    found = answer["result"]["outcomes"]
    assert [o["outcome"] for o in found] == ["VTE", "MACE", "Death"]
    assert found[2]["status"] == "failed"
    assert "no study has events" in found[2]["reason"]
    assert any("'Death' was not pooled" in w for w in answer["warnings"])
    assert [r["studies"] for r in answer["result"]["summary_of_findings"]] == [4, 3, 0]
    ran = invoke(table, "--measure", "OR", "--method", "mh")
    assert "Not pooled: no study has events" in ran.stdout
    assert "Summary of findings" in ran.stdout
    assert "VTE: line 2: " not in ran.stderr  # nothing is wrong with that row
    assert "VTE: lines 2, 3: T1 and T2 come from 'A'" in ran.stderr
    assert invoke(table, "--measure", "OR", "--outcome", "region", "--where", "outcome=VTE",
                  "--json").exit_code == 0  # fmt: skip


def test_all_outcomes_failing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("study,outcome,events_1,total_1,events_2,total_2\nA,x,0,9,0,8\nB,y,0,9,0,8\n")
    ran = invoke(str(path), "--measure", "OR", "--method", "peto")
    assert ran.exit_code == 3
    assert "no study has events" in ran.stderr


def test_outcomes_together(table: str) -> None:
    plain = ("--measure", "OR", "--method", "multivariate", "--structure", "DIAG")
    assert invoke(table, *plain).exit_code == 2  # no correlation
    assert "outcome 'Death' has one study" in invoke(table, *plain, "--correlation", "0.5").stderr
    kept = Path(table).with_name("two.csv")
    kept.write_text("".join(x for x in TABLE.splitlines(keepends=True) if "Death" not in x))
    figure = Path(table).with_name("joint.svg")
    found = as_json(str(kept), *plain, "--correlation", "0.5", "--forest", str(figure))["result"]
    assert list(found["pooled"]) == ["MACE", "VTE"]
    assert figure.exists()
    text = invoke(str(kept), *plain, "--correlation", "0.5").stdout
    assert text.startswith("Multivariate Meta-Analysis Model (k = 7; method: REML")


def test_figures_of_every_kind_a_file_an_outcome(table: str, tmp_path: Path) -> None:
    options = ("--forest", "--funnel", "--baujat", "--influence-plot", "--cumulative-forest",
               "--leave-one-out-forest")  # fmt: skip
    paths = [tmp_path / f"{o.strip('-')}.svg" for o in options]
    asked = [part for pair in zip(options, map(str, paths), strict=True) for part in pair]
    overview = tmp_path / "overview.pdf"
    Path(table).write_text(TABLE.replace("0,60,0,61", "1,60,2,61"))
    ran = invoke(table, "--measure", "OR", *asked, "--overview", str(overview), "--by", "region")
    assert ran.exit_code == 0, ran.stderr
    for path in paths:
        for outcome in ("vte", "mace"):
            made = path.with_name(f"{path.stem}-{outcome}.svg")
            assert ElementTree.fromstring(made.read_text()).tag.endswith("svg"), made
    assert overview.read_bytes().startswith(b"%PDF")
    assert "written to" in ran.stderr
    # an outcome of one study has no funnel: said, and the rest is drawn
    assert "the figure of --funnel of 'Death' was not drawn" in ran.stderr


def test_certainty_is_carried_to_text_json_table_and_figure(table: str, tmp_path: Path) -> None:
    grade, figure = tmp_path / "grade.toml", tmp_path / "f.svg"
    grade.write_text(GRADE)
    tables = [tmp_path / f"t{suffix}" for suffix in (".txt", ".csv", ".json", ".html")]
    for path in tables:
        ran = invoke(table, "--measure", "OR", *VTE, "--certainty", str(grade), "--findings",
                     str(path), "--forest", str(figure))  # fmt: skip
        assert ran.exit_code == 0, ran.stderr
    assert "⊕⊕⊕◯ moderate" in ran.stdout
    assert "lowered by 1 level for imprecision: few events" in ran.stdout
    assert "stated as moderate, but high - 1 (risk of bias) - 1 (imprecision) = low" in ran.stderr
    assert all("moderate" in path.read_text() for path in tables)
    row = json.loads(tables[2].read_text())[0]
    assert row["outcome"] == "Thromboembolism"
    assert row["absolute"]["comparator"] == pytest.approx(12.0)
    assert row["certainty"]["computed"] == "low"
    assert row["certainty"]["stated"] == "moderate"
    answer = as_json(table, "--measure", "OR", *VTE, "--certainty", str(grade))
    assert answer["result"]["summary_of_findings"][0]["certainty"]["level"] == "moderate"
    assert set(answer["manifest"]["inputs"]) == {"trials.csv", "grade.toml"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--method", "mh", "--ci", "hartung-knapp", "--tau2", "DL"), ["--ci", "--tau2"]),
        (("--prior", "half-normal 1", "--correlation", "0.5"), ["--prior", "--correlation"]),
        (("--common-tau2", "--order", "year"), ["--common-tau2", "--order"]),
        (("--method", "bayes", "--prior", "half-normal 1"), []),
        (("--ci", "hartung-knapp", "--tau2", "DL", "--by", "region", "--common-tau2"), []),
    ],
)
def test_an_option_that_is_not_used_is_said(
    table: str, arguments: tuple[str, ...], named: list[str]
) -> None:
    ran = invoke(table, "--measure", "OR", *VTE, *arguments)
    assert ran.exit_code == 0, ran.stderr
    said = [x.split()[1] for x in ran.stderr.splitlines() if "is not used" in x]
    assert said == named


def test_a_judgement_of_an_outcome_that_is_not_there_is_refused(table: str, tmp_path: Path) -> None:
    grade = tmp_path / "grade.toml"
    grade.write_text(GRADE.replace('"VTE"', '"VET"'))
    ran = invoke(table, "--measure", "OR", "--certainty", str(grade))
    assert ran.exit_code == 3
    assert "no outcome 'VET'" in ran.stderr
    assert "VTE, MACE, Death" in ran.stderr


def test_risk_of_bias_is_in_text_and_json(table: str) -> None:
    text = invoke(table, "--measure", "OR", *VTE).stdout
    block = text[text.index("Risk of Bias:") :].splitlines()
    assert block[2].split() == ["study", "weight", "rob_selection"]
    assert block[4].split()[0::2] == ["T2", "high"]
    assert block[6].endswith("not judged")
    studies = as_json(table, "--measure", "OR", *VTE)["result"]["studies"]
    assert [s["columns"]["rob_selection"] for s in studies] == ["low", "high", "some", ""]


def test_subgroups_of_counts_with_the_test_between(table: str) -> None:
    found = as_json(table, "--measure", "OR", "--method", "mh", "--by", "region", *VTE)["result"]
    groups = found["subgroups"]["groups"]
    assert [g["name"] for g in groups] == ["N", "S"]
    a, n1, c, n2 = (np.array(x)[:2] for x in arms())
    assert groups[0]["estimate"] == pytest.approx(mantel_haenszel("OR", a, n1, c, n2).estimate)
    assert found["subgroups"]["df"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--method", "magic"), 2, "no method of pooling"),
        (("--method", "mh", "--moderator", "year"), 2, "moderators are for inverse variances"),
        (("--method", "mh", "--cluster", "registry", "--robust", "CR2"), 2, "no cluster-robust"),
        (("--robust", "CR9"), 2, "'CR9' is not known"),
        (("--robust", "CR2", "--cluster", "colour"), 3, "no column 'colour'"),
        (("--credible", "wide"), 2, "'wide' is not known"),
        (("--add-to", "some"), 3, "'some' is not known"),
        (("--findings", "x.docx"), 3, "does not end in .txt or .csv"),
        (("--forest", "x.png"), 3, "does not end in .svg or .pdf"),
        (("--certainty", "missing.toml"), 3, "cannot be read"),
        (("--cumulative", "--order", "region"), 3, "not a number"),
        (("--method", "three-level", "--tau2", "DL"), 2, "REML or ML, not DL"),
    ],
)
def test_wrong_use_has_its_exit_code_and_a_sentence(
    table: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = invoke(table, "--measure", "OR", *VTE, *arguments)
    assert ran.exit_code == code, ran.stderr
    assert words in ran.stderr


BAD = {
    "one study": ("A,1.2,0.9,1.6\n", 0, "only one study"),
    "negative variance": ("A,1.2,0.9,1.6\nB,1.1,1.3,0.8\n", 0, "B is left out"),
    "no interval": ("A,1.2,,\nB,1.1,,\n", 3, "no study has an effect"),
    "two studies": ("A,1.2,0.9,1.6\nB,2.2,1.3,3.8\n", 0, ""),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_tables_are_named(tmp_path: Path, name: str) -> None:
    rows, code, words = BAD[name]
    path = tmp_path / "bad.csv"
    path.write_text(f"study,estimate,low,high\n{rows}")
    ran = invoke(str(path), "--measure", "HR", "--leave-one-out", "--influence", "--bias")
    assert ran.exit_code == code, ran.stderr
    assert words in ran.stderr
    if name == "two studies":
        assert "2 studies say little of the variance" in ran.stdout
        assert "Not made: rank test" in ran.stdout
