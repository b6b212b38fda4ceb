"""Effects regressed on moderators and pooled over three levels, as the page asks for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.moderators import predict
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseOptions
from statera.web.requests.evidence import PairwiseRequest, StudyRows

from .test_evidence_tasks import check, pool, run_command

YEARS = (2001, 2003, 2006, 2010, 2013, 2015, 2018, 2020)
COUNTS = (
    (4, 120, 11, 118), (6, 300, 29, 303), (3, 231, 11, 220), (62, 1300, 248, 1290),
    (33, 507, 47, 487), (18, 201, 37, 215), (8, 254, 10, 261), (29, 749, 45, 730),
)  # fmt: skip
DESIGNS = ("random", "alternate", "random", "random", "alternate", "random", "alternate", "random")


def table() -> StudyRows:
    columns = ("study", "events_1", "total_1", "events_2", "total_2", "year", "allocation", "where")
    rows = [
        [f"trial {i + 1}", *map(str, counts), str(year), design, "abc"[i % 3]]
        for i, (counts, year, design) in enumerate(zip(COUNTS, YEARS, DESIGNS, strict=True))
    ]
    return StudyRows.model_validate({"columns": columns, "rows": rows})


def test_regression_is_that_of_the_library_with_its_line() -> None:
    found = pool(table(), measure="RR", moderators=["year"], ci="hartung-knapp")
    outcome = found["result"]["outcomes"][0]
    columns = dict(zip(("events_1", "total_1", "events_2", "total_2"), zip(*COUNTS, strict=True),
                       strict=True))  # fmt: skip
    effects = effect_sizes("RR", names=[f"trial {i}" for i in range(8)], **columns)
    result = pairwise(effects, PairwiseOptions(test="hartung-knapp"), {"year": YEARS})
    rows = found["tables"]["coefficients"]["rows"]
    assert [row[1] for row in rows] == ["intercept", "year"]
    np.testing.assert_allclose([row[2] for row in rows], result.beta, rtol=1e-12)
    np.testing.assert_allclose([row[5] for row in rows], result.p_value, rtol=1e-12)
    line = outcome["line"]
    expected = np.exp(predict(result, [2001.0, 2020.0]).mean)
    np.testing.assert_allclose([line["mean"][0], line["mean"][-1]], expected, rtol=1e-12)
    assert [one["x"] for one in line["points"]] == list(YEARS)
    assert outcome["tests"][0][1] == pytest.approx(result.qm)
    assert "Test of Moderators" in outcome["text"]


def test_a_category_has_coefficients_and_no_line() -> None:
    found = pool(table(), measure="RR", moderators=["allocation", "year"])
    outcome = found["result"]["outcomes"][0]
    assert outcome["line"] is None
    assert len(outcome["moderators"]) == 3
    assert (
        pool(table(), measure="RR", moderators=["allocation"])["result"]["outcomes"][0]["line"]
        is None
    )


def test_copies_make_the_same_regression(tmp_path: Path) -> None:
    found = pool(table(), measure="RR", moderators=["year", "allocation"])
    made = run_command(found, tmp_path)["result"]
    told = [one["estimate"] for one in made["coefficients"]]
    np.testing.assert_allclose([row[2] for row in found["tables"]["coefficients"]["rows"]], told)
    program = found["copies"]["python"]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found["result"]["outcomes"][0]["text"].strip() in done.stdout


def test_what_excludes_each_other_is_refused() -> None:
    for wrong in ({"by": "allocation"}, {"method": "mh"}):
        with pytest.raises(ValidationError, match="moderators"):
            PairwiseRequest(table=table(), moderators=("year",), **wrong)


def test_three_levels_are_pooled_where_the_table_names_clusters(tmp_path: Path) -> None:
    rows = table()
    named = StudyRows(columns=(*rows.columns[:-1], "cluster"), rows=rows.rows)
    found = pool(named, measure="RR", method="three-level")
    made = run_command(found, tmp_path)["result"]
    assert found["result"]["outcomes"][0]["pooled"]["estimate"] == made["pooled"]["estimate"]


@pytest.mark.parametrize("method", ["mh", "bayes", "um.fs"])
def test_only_diagnostics_that_a_method_has_are_asked_for(method: str) -> None:
    found = pool(table(), measure="OR", method=method)
    assert not [w for w in found["warnings"] if "was not made" in w]
    without = found["result"]["outcomes"][0]["leave_one_out_forest"]
    assert (without is None) == (method == "um.fs")
    assert any("Leaving out each study" in w for w in found["warnings"]) == (method == "um.fs")


def test_of_two_rows_with_one_name_only_the_wrong_one_is_left_out() -> None:
    rows = [["Jones", "400", "300", "5", "100"], ["Jones", "4", "300", "5", "100"]]
    columns = ("study", "events_1", "total_1", "events_2", "total_2")
    found = check(table={"columns": columns, "rows": rows}, measure="OR")
    wrong = [r["row"] for r in found["remarks"] if r["severity"] == "error"]
    assert wrong == [0]


@pytest.mark.parametrize(
    "heading",
    ["Author,event.e,n.e,event.c,n.c",
     "Study,Experimental cases,Experimental N,Control cases,Control N"],
)  # fmt: skip
def test_headings_of_other_programs_are_known(heading: str) -> None:
    found = check(text=f"{heading}\nA,7,312,9,170\nB,6,381,7,200\n")
    roles = [column["role"] for column in found["columns"]]
    assert roles == ["names", "events_1", "total_1", "events_2", "total_2"]
    assert (found["measure"], found["remarks"]) == ("OR", [])


@pytest.mark.parametrize(
    "text",
    ["studlab,treat1,treat2,TE,seTE\nA,x,y,0.1,0.2\nB,x,y,0.3,0.2\n",
     "study,treatment,responders,sampleSize\nA,x,5,50\nA,y,9,50\nB,x,4,40\nB,y,6,41\n"],
)  # fmt: skip
def test_networks_of_other_programs_are_known(text: str) -> None:
    found = check(text=text, measure="OR")
    assert (found["kind"], found["remarks"]) == ("network", [])


def test_a_table_without_a_known_column_says_so_once() -> None:
    found = check(text="trial,HR (95% CI)\nA,1.2 (0.9-1.6)\n")
    assert [one["what"] for one in found["remarks"]] == [
        "no column of numbers is known by its name"
    ]
