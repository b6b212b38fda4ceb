"""The tasks of the screen for evidence: checks, pooling, networks, and what can be copied."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from statera.cli.main import app
from statera.errors import InputError, StateraError
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.pairwise import pairwise
from statera.web.requests.evidence import (
    CheckRequest,
    NetworkRequest,
    PairwiseRequest,
    SampleRequest,
    StudyRows,
)
from statera.web.tasks import (
    evidence_check,
    evidence_network,
    evidence_pairwise,
    evidence_sample,
)

from .fake_work import FakeWork

SAMPLES = ("jak-safety", "rare-event", "network")


def sample(name: str) -> StudyRows:
    found = evidence_sample.run(SampleRequest(name=name), FakeWork()).result
    return StudyRows(columns=found["columns"], rows=found["rows"])


def check(**asked: Any) -> dict[str, Any]:
    made = evidence_check.run(CheckRequest(**asked), FakeWork())
    return dict(json.loads(made.to_json())["result"])


def pool(table: StudyRows, **asked: Any) -> dict[str, Any]:
    made = evidence_pairwise.run(PairwiseRequest(table=table, **asked), FakeWork())
    return dict(json.loads(made.to_json()))


def compare(table: StudyRows, **asked: Any) -> dict[str, Any]:
    made = evidence_network.run(NetworkRequest(table=table, **asked), FakeWork())
    return dict(json.loads(made.to_json()))


def csv_of(table: dict[str, Any]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([column["name"] for column in table["columns"]])
    writer.writerows(table["rows"])
    return stream.getvalue()


def run_command(answer: dict[str, Any], folder: Path, more: str = "--json") -> dict[str, Any]:
    """Run the command of an answer on its copied table."""
    data = folder / "studies.csv"
    data.write_text(csv_of(answer["tables"]["studies"]), encoding="utf-8")
    words = shlex.split(answer["copies"]["command"])
    assert words[:2] == ["statera", "meta"]
    words[words.index("studies.csv")] = str(data)
    done = CliRunner().invoke(app, [*words[1:], *shlex.split(more)])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def run_program(answer: dict[str, Any]) -> str:
    """Run the program of an answer in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", answer["copies"]["python"]], capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_hold_nothing_that_has_to_be_mended(name: str) -> None:
    table = sample(name)
    kind = "network" if name == "network" else "pairwise"
    found = check(table=table, kind=kind)
    assert not [one for one in found["remarks"] if one["severity"] == "error"]
    assert [list(row) for row in table.rows] == found["rows"]


def test_published_ratios_come_from_the_library() -> None:
    table = sample("jak-safety")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    artis = next(row for row in rows if row["study"] == "Molander ARTIS")
    assert (artis["estimate"], artis["low"], artis["high"]) == ("1.73", "1.24", "2.42")
    assert all(row["source"] for row in rows)


def test_a_pasted_text_is_taken_for_what_it_is() -> None:
    found = check(text="study\ttreatment\tevents\ttotal\nA\tx\t1\t10\nA\ty\t2\t10\n")
    assert (found["kind"], found["measure"]) == ("network", "OR")
    found = check(text="study;events_1;total_1;events_2;total_2\nA;1;10;2;10\nB;3;11;2;12")
    assert (found["kind"], found["measure"]) == ("pairwise", "OR")
    assert [column["role"] for column in found["columns"]][1:] == [
        "events_1", "total_1", "events_2", "total_2",
    ]  # fmt: skip


def test_all_problems_stand_at_their_cells_at_once() -> None:
    columns = ["study", "estimate", "low", "high", "high"]
    rows = [["A", "1,2", "0.9", "1.6", ""], ["B", "1.1", "x", "<2", ""], ["C", "1.3", "1.1"]]
    found = check(table={"columns": columns, "rows": rows}, measure="HR")
    errors = {(one["row"], one["column"]) for one in found["remarks"]
              if one["severity"] == "error"}  # fmt: skip
    assert {(None, 4), (0, 1), (1, 2), (1, 3), (2, None)} <= errors
    comma = next(one for one in found["remarks"] if (one["row"], one["column"]) == (0, 1))
    assert "decimal point" in comma["hint"]
    assert found["rows"][2] == ["C", "1.3", "1.1", "", ""]  # filled up, not dropped


def test_remarks_stand_at_rows_of_the_table_even_behind_an_empty_one() -> None:
    rows = [["A", "1.2", "0.9", "1.6"], ["", "", "", ""], ["A", "1.3", "1.0", "1.7"]]
    found = check(table={"columns": ["study", "estimate", "low", "high"], "rows": rows},
                  measure="HR")  # fmt: skip
    twice = [one["row"] for one in found["remarks"] if "same name" in one["what"]]
    assert twice == [0, 2]
    assert found["effects"][1] is None
    assert found["effects"][2]["estimate"] == pytest.approx(1.3)


def test_outcomes_are_not_held_against_each_other() -> None:
    columns = ["outcome", "study", "estimate", "low", "high"]
    rows = [["VTE", "A", "1.2", "0.9", "1.6"], ["MACE", "A", "1.3", "1.0", "1.7"]]
    found = check(table={"columns": columns, "rows": rows}, measure="HR")
    assert not [one for one in found["remarks"] if "same name" in one["what"]]


def test_each_wrong_study_of_a_network_is_named() -> None:
    table = sample("network")
    rows = [list(row) for row in table.rows]
    rows[4][3], rows[6][2] = "", "1000"
    rows.append(["trial 13", "drug D", "1", "20"])
    found = check(table={"columns": table.columns, "rows": rows}, kind="network")
    told = {one["what"].partition(":")[0] for one in found["remarks"]}
    assert told == {"trial 3", "trial 4", "trial 13"}
    assert {one["row"] for one in found["remarks"]} == {4, 6, 7, 26}


def test_parts_that_no_study_joins_are_said_and_analysed() -> None:
    rows = [["A", "x", "1", "50"], ["A", "y", "4", "60"], ["B", "z", "5", "70"],
            ["B", "w", "9", "70"]]  # fmt: skip
    table = StudyRows(columns=("study", "treatment", "events", "total"), rows=rows)
    found = check(table=table, kind="network")
    assert [one["severity"] for one in found["remarks"]] == ["warning"]
    answer = compare(table, measure="OR")
    assert len(answer["result"]["parts"]) == 2
    assert "--each-part" in answer["copies"]["command"]


def test_pooled_effect_is_that_of_the_library() -> None:
    table = sample("rare-event")
    found = pool(table, measure="OR", ci="hartung-knapp")["result"]["outcomes"][0]
    columns = {
        name: [float(row[i]) for row in table.rows] for i, name in enumerate(table.columns) if i
    }
    columns.pop("year")
    direct = pairwise(effect_sizes("OR", **columns))
    assert found["pooled"]["estimate"] == pytest.approx(float(direct.beta[0]), rel=1e-12)
    assert found["tau"] == pytest.approx(math.sqrt(direct.tau2))
    first = found["forest"]["groups"][0]["studies"][0]
    assert first["columns"] == [f"{table.rows[0][1]} / {table.rows[0][2]}",
                                f"{table.rows[0][3]} / {table.rows[0][4]}"]  # fmt: skip
    assert found["funnel"]["low"] < found["funnel"]["centre"] < found["funnel"]["high"]


def test_an_outcome_that_fails_is_a_status_among_others() -> None:
    columns = ("outcome", "study", "estimate", "low", "high")
    rows = [("VTE", "A", "1.2", "0.9", "1.6"), ("VTE", "B", "1.1", "0.8", "1.5"),
            ("MACE", "C", "", "", "")]  # fmt: skip
    answer = pool(StudyRows(columns=columns, rows=rows), measure="HR")
    status = {one["outcome"]: one["status"] for one in answer["result"]["outcomes"]}
    assert status == {"VTE": "ok", "MACE": "failed"}
    assert any("MACE" in sentence for sentence in answer["warnings"])


def test_a_row_without_an_effect_is_left_out_by_name() -> None:
    columns = ("study", "estimate", "low", "high")
    rows = [("A", "1.2", "0.9", "1.6"), ("B", "1.1", "0.8", "1.5"), ("C", "1.4", "", "")]
    answer = pool(StudyRows(columns=columns, rows=rows), measure="HR")
    studies = answer["result"]["outcomes"][0]["forest"]["groups"][0]["studies"]
    assert studies[2]["text"].startswith("left out")
    effects = answer["tables"]["effects"]["rows"]
    assert len(effects) == 3
    assert effects[2][-1].startswith("left out")


def test_errors_name_rows_and_fields_of_the_page() -> None:
    columns = ("study", "estimate", "low", "high")
    table = StudyRows(columns=columns, rows=[("A", "1.2", "0.9", "abc")])
    with pytest.raises(InputError, match="is not a number") as caught:
        pool(table, measure="HR")
    assert str(caught.value.where) == "row 1, column 'high'"
    good = StudyRows(columns=columns, rows=[("A", "1.2", "0.9", "1.6")])
    with pytest.raises(StateraError) as unknown:
        pool(good, measure="HR", method="magic")
    assert "--" not in f"{unknown.value.where}{unknown.value.hint}"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("jak-safety", {"measure": "HR", "ci": "hartung-knapp"}),
        ("rare-event", {"measure": "OR", "method": "mh", "diagnostics": False}),
        ("rare-event", {"measure": "RR", "tau2": "DL", "level": 0.9, "prediction": "none"}),
    ],
)
def test_command_makes_the_same_pooled_effects(
    name: str, asked: dict[str, Any], tmp_path: Path
) -> None:
    answer = pool(sample(name), **asked)
    found = run_command(answer, tmp_path)["result"]
    outcomes = found.get("outcomes", [found])
    for one, other in zip(answer["result"]["outcomes"], outcomes, strict=True):
        assert one["pooled"] == other["pooled"]


def test_program_prints_the_same_text() -> None:
    answer = pool(sample("rare-event"), measure="OR", ci="hartung-knapp")
    assert answer["result"]["outcomes"][0]["text"].strip() in run_program(answer)


@pytest.mark.parametrize("method", ["inverse-variance", "mantel-haenszel"])
def test_network_copies_make_the_same_league(method: str, tmp_path: Path) -> None:
    answer = compare(sample("network"), measure="OR", method=method, reference="placebo",
                     better="low")  # fmt: skip
    part = answer["result"]["parts"][0]
    other = run_command(answer, tmp_path)["result"]
    assert [row["estimate"] for row in part["league"]] == [
        row["estimate"] for row in other["league"]
    ]
    assert [one["p_score"] for one in part["treatments"]] == [
        one["p_score"] for one in other["treatments"]
    ]
    first = part["league"][0]
    line = run_program(answer).splitlines()[0]
    assert line.startswith(first["label"])
    assert float(line.split()[-1]) == pytest.approx(first["natural"]["high"])


def test_network_has_what_the_page_draws() -> None:
    answer = compare(sample("network"), measure="OR", reference="placebo", better="low")
    part = answer["result"]["parts"][0]
    assert {pair["studies"] for pair in part["studies_by_pair"]} == {1, 2, 5, 6}
    assert part["split_forest"]["groups"]
    assert part["funnel"]["reach"] > part["funnel"]["widest"] > max(part["funnel"]["se"])
    for row in part["league"]:
        assert row["natural"]["estimate"] == pytest.approx(math.exp(row["estimate"]))


def test_many_rows_are_pooled_without_leaving_each_out() -> None:
    rows = [(f"s{i}", str(i % 7 + 1), "90", str(i % 5 + 1), "90") for i in range(301)]
    columns = ("study", "events_1", "total_1", "events_2", "total_2")
    answer = pool(StudyRows(columns=columns, rows=rows), measure="OR")
    assert any("300 rows" in sentence for sentence in answer["warnings"])
    assert answer["result"]["outcomes"][0]["leave_one_out_forest"] is None
    assert "--leave-one-out" not in answer["copies"]["command"]


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValidationError):
        CheckRequest()
    with pytest.raises(ValidationError):
        CheckRequest(text="a", table=StudyRows(columns=("a",), rows=()))
    with pytest.raises(ValidationError):
        StudyRows(columns=("a",), rows=[("x" * 2000,)])
    with pytest.raises(ValidationError):
        SampleRequest(name="../etc/passwd")


def test_words_under_a_heading_of_numbers_are_carried_along() -> None:
    columns = ("study", "estimate", "low", "high", "total")
    rows = [("A", "1.2", "0.9", "1.6", "all"), ("B", "1.1", "0.8", "1.5", "few")]
    table = StudyRows(columns=columns, rows=rows)
    assert not [r for r in check(table=table, measure="HR")["remarks"] if r["severity"] == "error"]
    assert pool(table, measure="HR")["result"]["outcomes"][0]["status"] == "ok"


def test_numbers_beyond_any_print_lead_to_a_result_or_words() -> None:
    columns = ("study", "estimate", "low", "high")
    rows = [("A", "1e-310", "1e-320", "1e308"), ("B", "1e300", "1e299", "1e301")]
    table = StudyRows(columns=columns, rows=rows)
    assert check(table=table, measure="HR")["effects"]
    assert pool(table, measure="HR", diagnostics=False)["result"]["outcomes"]
